"""The numbers of a guideline are found by what their sentence speaks of, however it is worded, and nothing else is."""

from __future__ import annotations

import pytest
from filled import check, filled, line_of, replaced

from gates.guidelines.reading import read_guidelines

SIMPLE = "- **Simple Queries:** < 100ms"
FAST = "- **Response Times:** Optimize for fast response times (<100ms for simple operations)"
COMPLEX = "- **Complex Operations:** < 500ms"
FILE = "- **File Operations:** < 2000ms"
EXTERNAL = "- **External API Calls:** < 1000ms"
COVERAGE = "- **Test Coverage:** Maintain 90% test coverage"
CONCURRENT = "- **Concurrent Requests:** Handle 100 concurrent requests"
CONNECTIONS = "- **Database Connections:** Optimize connection pool for 20 connections"
MEMORY = "- **Memory Usage:** Keep memory usage under 512MB"

# What stands in the guideline, what somebody made of it, and the same with another number.
VARIANTS = [
    ("response_time.simple", SIMPLE, "- **Simple Queries:** under 100 ms", "- **Simple Queries:** under 150 ms"),
    (
        "response_time.simple",
        SIMPLE,
        "- **Simple queries** are answered within 0.1 s",
        "- **Simple queries** are answered within 0.2 s",
    ),
    ("response_time.simple", SIMPLE, "- Simple: ≤ 0,1 s (p95)", "- Simple: ≤ 0,15 s (p95)"),
    (
        "response_time.simple",
        SIMPLE,
        "- p95 of simple queries: 100 milliseconds at most",
        "- p95 of simple queries: 90 milliseconds at most",
    ),
    (
        "response_time.simple",
        SIMPLE,
        "- Simple reads should take less than\n  100 ms each",
        "- Simple reads should take less than\n  101 ms each",
    ),
    (
        "response_time.simple",
        SIMPLE,
        "- Simple queries\n  - target: **100 ms**",
        "- Simple queries\n  - target: **10 ms**",
    ),
    (
        "response_time.simple",
        FAST,
        "- **Response Times:** Answer simple operations in 100 ms or less",
        "- **Response Times:** Answer simple operations in 200 ms or less",
    ),
    (
        "response_time.simple",
        FAST,
        "- **Response Times:** keep them short (< 100 ms)",
        "- **Response Times:** keep them short (< 80 ms)",
    ),
    (
        "response_time.complex",
        COMPLEX,
        "- **Complex Operations:** not slower than 0.5 seconds",
        "- **Complex Operations:** not slower than 5 seconds",
    ),
    (
        "response_time.complex",
        COMPLEX,
        "- At most 500ms for complex operations",
        "- At most 50ms for complex operations",
    ),
    (
        "response_time.complex",
        COMPLEX,
        "- **Complex operations**: p50 < 100 ms, p95 < 500 ms, p99 < 900 ms",
        "- **Complex operations**: p50 < 500 ms, p95 < 600 ms, p99 < 900 ms",
    ),
    ("response_time.file", FILE, "- **File Operations:** < 2 s", "- **File Operations:** < 3 s"),
    (
        "response_time.file",
        FILE,
        "- Uploads and downloads of files finish within 2.000 ms",
        "- Uploads and downloads of files finish within 2.500 ms",
    ),
    (
        "response_time.external",
        EXTERNAL,
        "- **External API Calls:** below 1 second; timeout 5 s, 3 retries",
        "- **External API Calls:** below 2 seconds; timeout 1 s, 3 retries",
    ),
    (
        "response_time.external",
        EXTERNAL,
        "| Calls | Limit |\n|---|---|\n| External APIs | 1,000 ms |",
        "| Calls | Limit |\n|---|---|\n| External APIs | 1,200 ms |",
    ),
    ("coverage.lines", COVERAGE, "- **Test Coverage:** ≥ 90 %", "- **Test Coverage:** ≥ 85 %"),
    (
        "coverage.lines",
        COVERAGE,
        "- The tests cover at least 90 percent of the lines (branches: 80 percent)",
        "- The tests cover at least 91 percent of the lines (branches: 90 percent)",
    ),
    (
        "coverage.lines",
        COVERAGE,
        "- **Test Coverage:** never under 90,0 %, 100 % for critical paths",
        "- **Test Coverage:** never under 95,0 %, 90 % for critical paths",
    ),
    (
        "load.concurrency",
        CONCURRENT,
        "- **Concurrency:** 100 requests at once",
        "- **Concurrency:** 50 requests at once",
    ),
    (
        "load.concurrency",
        CONCURRENT,
        "- Bear at least 100 simultaneous users at 50 requests/s",
        "- Bear at least 150 simultaneous users at 100 requests/s",
    ),
    ("load.memory", MEMORY, "- **Memory Usage:** at most 0.512 GB of RAM", "- **Memory Usage:** at most 1 GB of RAM"),
    (
        "load.memory",
        MEMORY,
        "- Memory stays below 512 MiB, with a cache of 64 MB",
        "- Memory stays below 64 MiB, with a cache of 512 MB",
    ),
    (
        "database.connections",
        CONNECTIONS,
        "- **Database Connections:** pool of 5 to 20 connections",
        "- **Database Connections:** pool of 20 to 30 connections",
    ),
    (
        "database.connections",
        CONNECTIONS,
        "- **Connection pool:** min 5, max 20 connections, timeout 30 s",
        "- **Connection pool:** min 20, max 40 connections, timeout 30 s",
    ),
    (
        "database.connections",
        CONNECTIONS,
        "- The pool holds no more than **20**\n  connections to PostgreSQL",
        "- The pool holds no more than **40**\n  connections to PostgreSQL",
    ),
    ("database.connections", CONNECTIONS, "- At most 20 connections to MySQL", "- At most 21 connections to MySQL"),
    ("database.connections", CONNECTIONS, "- DB pool: 20", "- DB pool: 25"),
    ("load.memory", MEMORY, "- **Memory:** 512MB max", "- **Memory:** 256MB max"),
    ("coverage.lines", COVERAGE, "- Keep coverage above 90%.", "- Keep coverage above 80%."),
    (
        "database.connections",
        CONNECTIONS,
        "- No more than 20 connections to the database",
        "- No more than 200 connections to the database",
    ),
]


@pytest.mark.parametrize(("target", "old", "right", "wrong"), VARIANTS, ids=[variant[2] for variant in VARIANTS])
def test_a_reworded_number_is_the_same_number(target: str, old: str, right: str, wrong: str) -> None:
    checked = check(replaced(filled(), old, right))
    assert [finding.message for finding in checked.findings] == []
    assert (checked.stated, checked.equal) == (9, 9)


@pytest.mark.parametrize(("target", "old", "right", "wrong"), VARIANTS, ids=[variant[3] for variant in VARIANTS])
def test_another_number_is_told_with_its_line(target: str, old: str, right: str, wrong: str) -> None:
    text = replaced(filled(), old, wrong)
    checked = check(text)
    (finding,) = (one for one in checked.findings if one.rule == "guideline.number-differs")
    assert target in finding.message
    first = line_of(text, wrong.split("\n")[0])
    assert finding.line in range(first, first + wrong.count("\n") + 1)
    assert (checked.stated, checked.equal) == (9, 8)


def test_the_numbers_of_the_guideline_itself() -> None:
    found = {
        (stated.target, stated.line): stated.values[0]
        for stated in read_guidelines(filled(DB_CONNECTIONS_TARGET="7")).numbers
    }
    assert len(found) == 9
    values = {target: value for (target, _), value in found.items()}
    assert values == pytest.approx({
        "response_time.simple": 0.1, "response_time.complex": 0.5, "response_time.file": 2.0,
        "response_time.external": 1.0, "coverage.lines": 0.9, "load.concurrency": 100.0, "load.memory": 512e6,
        "database.connections": 7.0,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Response times: simple/complex/file/external: 100/500/2000/1000 ms", (0.1, 0.5, 2.0, 1.0)),
        ("Simple, complex, file and external operations: 100, 500, 2000 and 1000 ms", (0.1, 0.5, 2.0, 1.0)),
        (
            "| Simple | Complex | File | External |\n|---|---|---|---|\n| 100 ms | 500 ms | 2 s | 1 s |",
            (0.1, 0.5, 2.0, 1.0),
        ),
        (
            "Simple | Complex | File | External\n--- | --- | --- | ---\n100 ms | 500 ms | 2 s | 1 s",
            (0.1, 0.5, 2.0, 1.0),
        ),
        (
            "simple < 100 ms, complex < 500 ms, file < 2000 ms, external < 1000 ms (p95 under load)",
            (0.1, 0.5, 2.0, 1.0),
        ),
        (
            "100 ms for simple, 500 ms for complex, 2 s for file and 1 s for external operations, by p95",
            (0.1, 0.5, 2.0, 1.0),
        ),
        ("Response times:\n\n* simple: 100 ms\n* complex: 500 ms\n* file: 2 s\n* external: 1 s", (0.1, 0.5, 2.0, 1.0)),
        ("## Simple queries\n\nUnder 100 ms.\n\n## Complex ones\n\nUnder 500 ms.", (0.1, 0.5)),
        ("Simple queries\n--------------\n\nUnder 100 ms.", (0.1,)),
        ("> - **Simple Queries:** < 100ms", (0.1,)),
        ("Max response time: 100ms (simple), 500ms (complex), 2s (file), 1s (external)", (0.1, 0.5, 2.0, 1.0)),
        ("Latency (p95): simple 100ms / complex 500ms / file 2000ms / external 1000ms", (0.1, 0.5, 2.0, 1.0)),
        ("p95 < 100ms for simple endpoints, < 500ms for complex ones", (0.1, 0.5)),
        ("- Simple Queries — < 100ms\n- Complex Operations – sub-500ms", (0.1, 0.5)),
        ("Simple queries must not take longer than 100ms (currently 85ms).", (0.1,)),
        ("Simple queries < 100 ms; simple reads were measured at 85 ms last week", (0.1,)),
        ("1. Simple queries: < 100 ms\n2. Complex operations: < 500 ms", (0.1, 0.5)),
    ],
)
def test_numbers_that_are_arranged_in_another_way(text: str, numbers: tuple[float, ...]) -> None:
    order = ["response_time.simple", "response_time.complex", "response_time.file", "response_time.external"]
    found = {stated.target: stated.values[0] for stated in read_guidelines(text).numbers}
    assert found == pytest.approx(dict(zip(order, numbers, strict=False)))


@pytest.mark.parametrize(
    "text",
    [
        "- External calls time out after 30 s.",
        "- **External API Calls:** timeout 5 s, retry every 2 seconds",
        "- Simple reads are cached for 60 s.",
        "- Log slow simple queries (above 200 ms).",
        "- Uploaded files may have up to 10 MB.",
        "- The in-memory cache takes up to 64 MB.",
        "- Branch coverage is at least 80 %; changed lines 95 %.",
        "- Coverage must not drop by more than 1 %.",
        "- The error rate under load is below 0.1 %.",
        "- 4 concurrent workers handle 200 requests per second.",
        "- Three concurrent jobs at most: 3 tasks.",
        "- Python 3.11, HTTP/1.1, p95, v2 and RFC 9457 are used for simple things.",
        "- `simple` operations have no number yet.",
        "```\n- **Simple Queries:** < 999ms\n```",
        "<!-- - **Simple Queries:** < 999ms -->",
        "<!--\n- **Simple Queries:** < 999ms\n-->",
        "Simple is better than complex, and 42 is the answer.",
        "- **Complex Operations:** p99 < 900 ms, median < 200 ms",
        "- Simple queries took 300 ms; memory was 700 MB, coverage used to be 40 %.",
        "",
        "\x00\ufffd",
    ],
)
def test_what_is_no_number_of_the_guideline_is_left_alone(text: str) -> None:
    assert read_guidelines(text).numbers == ()


def test_a_fence_that_is_never_closed_hides_nothing() -> None:
    found = read_guidelines("```python\n\n- **Simple Queries:** < 100ms\n").numbers
    assert [stated.line for stated in found] == [3]


def test_lines_are_those_of_the_file_whatever_ends_them() -> None:
    text = filled()
    lines = [stated.line for stated in read_guidelines(text).numbers]
    assert [stated.line for stated in read_guidelines(text.replace("\n", "\r\n")).numbers] == lines


def test_numbers_may_be_moved_anywhere() -> None:
    text = filled()
    for sentence in (SIMPLE, COMPLEX, FILE, EXTERNAL, CONCURRENT, MEMORY):
        text = replaced(text, sentence + "\n", "")
    text += "\n## Notes\n\n" + "\n\n".join(
        sentence.removeprefix("- ") for sentence in (MEMORY, EXTERNAL, FILE, COMPLEX, SIMPLE, CONCURRENT)
    )
    checked = check(text)
    assert [finding.message for finding in checked.findings] == []
    assert checked.stated == 9


@pytest.mark.parametrize(
    "text",
    ["1 ms simple " * 20_000, "- " * 50_000, "|" * 100_000, "simple: 1 ms\n" * 20_000, "_" * 100_000,
     " " * 100_000 + "x", "<!--" * 30_000, "`" * 100_000, "#" * 100_000, "1," * 50_000, "a/" * 50_000, "{ " * 50_000,
     "- simple\n" + "".join(" " * depth + "- 1 ms\n" for depth in range(2, 600))],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_hostile_text_is_read_to_its_end(text: str) -> None:
    assert check(text).findings is not None
