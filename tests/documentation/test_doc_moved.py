"""The version moves with the contract, and what changed is mentioned."""

from __future__ import annotations

import pytest
from described_documents import changed, only

from gates.document import Document
from gates.documentation import Changed, check_mentioned, check_version


def version(text: str) -> Document:
    return changed(lambda content: content["info"].update(version=text))


@pytest.mark.parametrize(("then", "now"), [("1.2.0", "1.2.0"), ("2026-11", "2026-11"), ("", "")])
def test_a_changed_contract_under_the_same_version_is_told(then: str, now: str) -> None:
    finding = only(check_version(version(then), version(now), changed=True), "doc.version-not-moved")
    assert finding.pointer == "/info/version"
    assert check_version(version(then), version(now), changed=False) == []


@pytest.mark.parametrize(("then", "now"), [("1.2.0", "1.3.0"), ("1.9", "1.10"), ("v1", "v2"), ("a", "b"), ("1", "1.0")])
def test_a_version_that_moved_is_fine(then: str, now: str) -> None:
    assert check_version(version(then), version(now), changed=True) == []


@pytest.mark.parametrize("moved", [True, False])
def test_a_version_that_went_back_is_told(moved: bool) -> None:
    finding = only(check_version(version("1.10.0"), version("1.9.0"), changed=moved), "doc.version-not-moved")
    assert "went back from 1.10.0 to 1.9.0" in finding.message


def mentioned(operation: str, text: str, **more: str) -> bool:
    return check_mentioned([Changed(operation)], {"CHANGELOG.md": text}, **more) == []


@pytest.mark.parametrize(
    "text",
    [
        "- POST /orders takes a note",
        "- `post /orders` takes a note.",
        "The list at /orders has a note now",
        "### /orders/",
        "GET and POST /orders are new",
        "see [orders](#/orders)",
    ],
)
def test_an_operation_is_mentioned_by_its_path_or_with_its_method(text: str) -> None:
    assert mentioned("POST /orders", f"# Changes\n\n{text}\n")


@pytest.mark.parametrize(
    "text", ["GET /orders is new", "/orders/{id} is new", "/my/orders", "/orders-archive", "orders", ""]
)
def test_another_operation_or_path_is_no_mention(text: str) -> None:
    assert not mentioned("POST /orders", text)


@pytest.mark.parametrize(
    "text", ["GET /orders/{id}", "GET /orders/{order_id}", "GET /orders/:id", "GET /orders/<int:id>"]
)
def test_a_parameter_may_be_written_in_any_way(text: str) -> None:
    assert mentioned("GET /orders/{id}", f"* GET {text} answers 404")
    assert not mentioned("GET /orders/{id}/items", f"* GET {text} answers 404")


def test_the_path_may_be_written_with_the_prefix_of_the_server() -> None:
    assert not mentioned("GET /orders", "GET /api/v1/orders")
    assert mentioned("GET /orders", "GET /api/v1/orders", base_path="/api/v1")


def test_a_component_is_mentioned_by_name_or_by_an_operation_that_uses_it() -> None:
    order = Changed("Order", "/components/schemas/Order", ("GET /orders", "POST /orders"))
    for text in ("`Order` has a note", "GET /orders shows a note"):
        assert check_mentioned([order], {"a.md": text}) == []
    finding = only(check_mentioned([order], {"a.md": "Orders have a note", "docs": ""}), "doc.not-mentioned")
    assert finding.message == "`Order`, which 2 operations use, changed, and a.md, docs do not mention it"
    assert finding.operation is None


def test_each_change_is_told_by_itself() -> None:
    changes = [Changed("GET /a", "/paths/~1a/get"), Changed("GET /b"), Changed("GET /c")]
    found = check_mentioned(changes, {"CHANGELOG.md": "GET /b"})
    assert [one.operation for one in found] == ["GET /a", "GET /c"]
    assert len({one.fingerprint for one in found}) == 2
    assert found[0].pointer == "/paths/~1a/get"
    assert found[0].message == "it changed, and CHANGELOG.md does not mention it"
