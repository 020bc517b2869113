"""Phase documents as people write them: what they list, what they mention, and what is wrong with a wrong one."""

from __future__ import annotations

import re

import pytest

from gates.errors import ToolError
from gates.tools.phase.document import read_document, read_table
from gates.tools.phase.markdown import blocks, spans
from gates.tools.phase.references import Written, merge

PHASES = ("foundation", "search", "billing")


def read(text: str) -> Written:
    return read_document(text, "phases/search.md", PHASES)


def provided(text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.name) for one in read(text).provides]


def consumed(text: str) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.phase) for one in read(text).consumes]


def mentioned(text: str) -> list[str]:
    return [one.name for one in read(text).mentions]


# ---- what a person writes naturally


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("- `GET /orders/{id}`", [("operations", "GET /orders/{id}")]),
        ("- GET /orders/{id}", [("operations", "GET /orders/{id}")]),
        ("* `GET /a`, `POST /a` and `DELETE /a/{id}`: all of it",
         [("operations", "GET /a"), ("operations", "POST /a"), ("operations", "DELETE /a/{id}")]),
        ("1. `GET /orders/:id` – one order, see `orders.id`", [("operations", "GET /orders/:id")]),
        ("- table `orders`", [("tables", "orders")]),
        ("- The table `orders` with the columns `id` and `total`",
         [("tables", "orders"), ("tables", "orders.id"), ("tables", "orders.total")]),
        ("- table `orders` (`id`, `total`): what was ordered",
         [("tables", "orders"), ("tables", "orders.id"), ("tables", "orders.total")]),
        ("- tables: `orders`, `lines`", [("tables", "orders"), ("tables", "lines")]),
        ("- Tables: orders, lines (id, total)",
         [("tables", "orders"), ("tables", "lines"), ("tables", "lines.id"), ("tables", "lines.total")]),
        ("- column `orders.note`", [("tables", "orders.note")]),
        ("- event `order.placed`, when an order is placed", [("events", "order.placed")]),
        ("- Publishes `order.placed`", [("events", "order.placed")]),
        ("- environment `ORDERS_DB`", [("environment", "ORDERS_DB")]),
        ("- Environment variables: `ORDERS_DB`, `ORDERS_LIMIT`",
         [("environment", "ORDERS_DB"), ("environment", "ORDERS_LIMIT")]),
        ("- `ORDERS_LIMIT` (default 50)", [("environment", "ORDERS_LIMIT")]),
        ("- `$ORDERS_LIMIT=50`", [("environment", "ORDERS_LIMIT")]),
        ("- `search_index`", [("", "search_index")]),
        ("- `orders.note`", [("", "orders.note")]),
        ("- [x] `GET /health`", [("operations", "GET /health")]),
        ("- **Endpoints:** `GET /a`; table `b`, event `c.d`",
         [("operations", "GET /a"), ("tables", "b"), ("events", "c.d")]),
        ("- file `orders/app.py`", [("files", "orders/app.py")]),
        ("- `/orders`: everything under it", [("operations", "/orders")]),
        ("- none", []),
        ("- full text search over all orders\n- `GET /search`", [("operations", "GET /search")]),
        ("- `GET /orders` answers with `items` and `total`", [("operations", "GET /orders")]),
        ("- `GET /orders` needs `X-Request-Id`", [("operations", "GET /orders")]),
    ],
)  # fmt: skip
def test_a_line_of_a_list(line: str, names: list[tuple[str, str]]) -> None:
    written = read(f"## Provides\n\n{line}\n")
    assert [(one.kind, one.name) for one in written.provides] == names
    assert written.complete
    assert written.remarks == ()


def test_headings_and_parents_say_what_their_names_are() -> None:
    text = """
# Search

## What this phase provides

### Endpoints
- `GET /search`

### Database
- `search_index` – one row for each order
- lines
- Columns:
  - `orders.note`

### Events
- order.indexed

### Configuration
- SEARCH_LIMIT – how many

## Later
- `not_this`
"""
    assert provided(text) == [
        ("operations", "GET /search"), ("tables", "search_index"), ("tables", "lines"), ("tables", "orders.note"),
        ("events", "order.indexed"), ("environment", "SEARCH_LIMIT"),
    ]  # fmt: skip


def test_tables_are_read_by_their_headings() -> None:
    text = """
## Provides

| Method | Path | Notes |
|--------|------|-------|
| GET | `/search` | see `orders.id` |
| post | /search/{id} | |

| Table | Columns | Why |
|:--|:--|--:|
| `orders` | `id`, `total` | x |
| lines | | |

| Operation |
|---|
| `DELETE /search/{id}` |

| Variable | Default |
|---|---|
| `SEARCH_LIMIT` | `50` |

| Event | Payload |
|---|---|
| `order.indexed` | `{"id": 1}` |
"""
    assert provided(text) == [
        ("operations", "GET /search"), ("operations", "POST /search/{id}"), ("tables", "orders"),
        ("tables", "orders.id"), ("tables", "orders.total"), ("tables", "lines"), ("operations", "DELETE /search/{id}"),
        ("environment", "SEARCH_LIMIT"), ("events", "order.indexed"),
    ]  # fmt: skip


def test_what_is_consumed_says_from_which_phase_in_many_ways() -> None:
    text = """
## Consumes

- `GET /a` from foundation
- From foundation:
  - `GET /b`
  - `orders.id`
- From billing: `GET /c`
- **billing**: table `invoices`
- environment `DATABASE_URL`

### From `foundation`

- `GET /d`

### billing

- GET /e

| Operation | Phase |
|---|---|
| `GET /f` | foundation |

## Consumes from billing

- `GET /g`
"""
    assert consumed(text) == [
        ("operations", "GET /a", "foundation"), ("operations", "GET /b", "foundation"),
        ("", "orders.id", "foundation"), ("operations", "GET /c", "billing"), ("tables", "invoices", "billing"),
        ("environment", "DATABASE_URL", ""), ("operations", "GET /d", "foundation"),
        ("operations", "GET /e", "billing"), ("operations", "GET /f", "foundation"),
        ("operations", "GET /g", "billing"),
    ]  # fmt: skip


def test_a_line_above_a_list_says_it_for_the_list_and_not_for_the_next() -> None:
    text = "## Consumes\n\nFrom foundation:\n\n- `GET /a`\n\nFrom outside:\n\n- environment `DATABASE_URL`\n"
    assert consumed(text) == [("operations", "GET /a", "foundation"), ("environment", "DATABASE_URL", "")]


def test_a_phase_that_is_misspelt_is_not_overlooked() -> None:
    assert consumed("## Consumes\n- foundaton: `GET /a`\n- from foundatoin: `GET /b`\n") == [
        ("operations", "GET /a", "foundaton"), ("operations", "GET /b", "foundatoin"),
    ]  # fmt: skip


def test_a_phase_that_does_not_exist_is_not_taken_for_any_place() -> None:
    assert consumed("## Consumes\nFrom groundwork:\n- `GET /a`\n\n### From basis\n- `GET /b`\n") == [
        ("operations", "GET /a", "groundwork"), ("operations", "GET /b", "basis"),
    ]  # fmt: skip


def test_labels_do_without_headings() -> None:
    text = "# Search\n\n**Provides:** `GET /search`, table `search_index`\n\nConsumes from foundation: `GET /orders`\n"
    assert provided(text) == [("operations", "GET /search"), ("tables", "search_index")]
    assert consumed(text) == [("operations", "GET /orders", "foundation")]


def test_sentences_list_only_what_a_word_says_the_kind_of() -> None:
    text = (
        "## Provides\n\nThere is `GET /search` now, which fills the table `search_index` and returns `items`. It logs "
        "with `structlog` and publishes `order.indexed`.\n"
    )
    assert provided(text) == [("operations", "GET /search"), ("tables", "search_index"), ("events", "order.indexed")]


def test_front_matter_has_the_form_of_gates_toml() -> None:
    text = """---
title: Search
provides:
  operations: [GET /search]
  events: [order.indexed]
consumes:
  foundation:
    tables: [orders.id]
  environment: [DATABASE_URL]
---
# Search
"""
    assert provided(text) == [("operations", "GET /search"), ("events", "order.indexed")]
    assert consumed(text) == [("environment", "DATABASE_URL", ""), ("tables", "orders.id", "foundation")]
    assert read(text).complete


def test_the_prose_is_kept_with_its_lines() -> None:
    text = (
        "# `GET /title`\n\nSee `orders/app.py` and `GET /orders/17`, the column `orders.total`, `application/json`, "
        "`x`.\n\n```\n`GET /in/code`\n```\n<!-- `GET /in/comment` -->\n\n## Provides\n- `GET /a` – as `GET /b`\n"
    )
    assert mentioned(text) == ["GET /title", "orders/app.py", "GET /orders/17", "orders.total", "GET /b"]
    places = {one.name: one.place for one in read(text).mentions}
    assert places["orders/app.py"] == "phases/search.md:3"
    assert places["GET /b"] == "phases/search.md:11"
    assert read(text).provides[0].place == "phases/search.md:11"


def test_lines_are_counted_behind_front_matter() -> None:
    assert read("---\na: b\n---\n\n## Provides\n- `GET /a`\n").provides[0].place == "phases/search.md:6"


@pytest.mark.parametrize(
    ("heading", "begins"),
    [
        ("Provides", True), ("2. Provides", True), ("What this phase provides", True), ("This phase provides:", True),
        ("Provided interfaces", True), ("Interfaces provided", True), ("What search provides", True),
        ("Search provides order lookup for everybody", False), ("Provides and consumes", False), ("Providers", False),
        ("Notes", False),
    ],
)  # fmt: skip
def test_headings_that_begin_a_section(heading: str, begins: bool) -> None:
    assert read(f"# {heading}\n\n- `GET /a`\n").complete is begins


@pytest.mark.parametrize("nothing", ["none", "None.", "- nothing", "—", "No new interfaces.", "n/a"])
def test_nothing_can_be_said(nothing: str) -> None:
    written = read(f"## Provides\n\n{nothing}\n")
    assert written.complete
    assert (written.provides, written.remarks) == ((), ())


def test_a_text_without_the_section_is_no_document() -> None:
    assert not read("# Search\n\nIt searches. `GET /search`\n").complete
    assert not read("").complete
    assert not read("## Consumes\n- `GET /a`\n").complete


def test_a_section_of_which_nothing_can_be_read_is_told() -> None:
    written = read("## Provides\n\nEverything you need, really.\n\n## Consumes\n\nnone\n")
    assert written.remarks == ("phases/search.md:1: nothing under 'Provides' could be read",)


# ---- ten wrong ones (and some more)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("---\nprovides:\n", "phases/search.md:1: the front matter is not closed", "three dashes"),
        ("---\nprovides: [\n---\n", "phases/search.md:\\d: the front matter is not YAML", "quotes"),
        ("---\nprovides: {operations: [*x]}\n---\n", "the front matter is not YAML", ""),
        ("---\n- a\n- b\n---\n", "the front matter is not a table", "keys"),
        ("---\nprovide: {}\n---\n", "the front matter has no key 'provide'", "did you mean 'provides'"),
        ("---\nconsume: {}\n---\n", "the front matter has no key 'consume'", "did you mean 'consumes'"),
        ("---\nprovides: {operation: [GET /a]}\n---\n", "the front matter has no key provides.operation",
         "did you mean 'operations'"),
        ("---\nprovides: {operations: GET /a}\n---\n", "provides.operations: this is a list", "name each thing"),
        ("---\nprovides: {operations: [orders]}\n---\n", "provides.operations.0: 'orders' is not an operation", ""),
        ("---\nprovides: {tables: [order lines]}\n---\n", "'order lines' is not a table or column", ""),
        ("---\nprovides: {environment: [A-B]}\n---\n", "'A-B' is not the name of an environment variable", ""),
        ("---\nprovides: [GET /a]\n---\n", "provides: this is a table, not \\['GET /a'\\]", ""),
        ("---\nconsumes: {operation: [GET /a]}\n---\n", "consumes: there is no key 'operation'", ""),
        ("---\nconsumes: {foundation: {tabels: [a]}}\n---\n", "no key consumes.foundation.tabels",
         "did you mean 'tables'"),
        ("---\nconsumes: {foundation: [a]}\n---\n", "there is no key 'foundation'", ""),
        ("---\nprovides: {events: ['']}\n---\n", "an event has a name", ""),
        ("---\nprovides: {events: [1]}\n---\n", "provides.events.0: this is text", ""),
    ],
)  # fmt: skip
def test_a_wrong_document_is_told_with_what_would_be_right(text: str, message: str, hint: str) -> None:
    with pytest.raises(ToolError, match=message) as caught:
        read(text)
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith("phases/search.md")
    assert hint in caught.value.hint
    assert caught.value.hint


# ---- two places are read together


def test_file_and_table_are_read_together_each_thing_once() -> None:
    table = read_table(
        {"provides": {"operations": ["GET /a/{id}", "GET /c"]}, "consumes": {"foundation": {"tables": ["t"]}}},
        "gates.toml [[phases]] search",
    )
    both = merge([read("## Provides\n- `GET /a/{other}`\n- `GET /b`\n"), table])
    assert [one.name for one in both.provides] == ["GET /a/{other}", "GET /b", "GET /c"]
    assert [(one.name, one.phase) for one in both.consumes] == [("t", "foundation")]
    assert both.places == ("phases/search.md", "gates.toml [[phases]] search")
    assert both.complete
    assert merge([read_table({}, "gates.toml")]) == Written()


# ---- Markdown itself


def test_blocks_of_markdown() -> None:
    text = (
        "Title\n=====\ntext that\ngoes on\n\n- item\n  that goes on\n  - inner\n\nSub\n---\n| a | b |\n|---|---|\n"
        "| 1 \\| 2 | `x` |\n\n~~~\n# no heading\n~~~\n### Three ###\n"
    )
    found = [(one.kind, one.text, one.line, one.depth) for one in blocks(text)]
    assert found == [
        ("heading", "Title", 1, 1), ("text", "text that goes on", 3, 0), ("item", "item that goes on", 6, 0),
        ("item", "inner", 8, 2), ("heading", "Sub", 10, 2), ("row", "1 | 2 `x`", 14, 0), ("heading", "Three", 19, 3),
    ]  # fmt: skip


def test_code_spans_of_any_number_of_signs() -> None:
    assert [one.text for one in spans("`a` ``b ` c`` no `open")] == ["a", "b ` c"]


def test_a_large_or_strange_document_is_read_in_lines() -> None:
    strange = "\n".join(["## Provides", *("- `" + "`" * (number % 7) + "<!--" * 3 for number in range(20_000))])
    assert read(strange).complete
    assert read("## Provides\n" + "`GET /a` " * 20_000).complete
    assert not re.search("x", "".join(read("- " * 50_000).remarks))
