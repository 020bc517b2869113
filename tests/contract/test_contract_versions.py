"""The version a document gives itself, beside what changed."""

from __future__ import annotations

import pytest
from small_documents import compared, document

from gates.contract.versions import major_of

OK = {"responses": {"200": {"description": "ok"}}}


def version(number: object, *paths: str) -> dict[str, object]:
    return document({path: {"get": OK} for path in paths}, info={"title": "x", "version": number})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("1.2.3", "1.2.3", True),
        ("1.2.3", "1.3.0", True),
        ("1.2.3", "2.0.0", False),
        ("v1", "v1", True),
        ("1.0-beta", "2.0-beta", False),
        ("2.0.0", "1.0.0", True),
        ("0.1.0", "0.1.1", True),
        ("0.1.0", "0.2.0", False),
        ("0.9.0", "1.0.0", False),
        ("2024-01-01", "2024-02-01", False),
        ("2024.1", "2024.2", False),
        ("latest", "latest", False),
        ("1.0.0", "latest", False),
    ],
)
def test_what_breaks_wants_a_new_major_version(old: str, new: str, told: bool) -> None:
    found = compared(version(old, "/a", "/b"), version(new, "/a")).may_break
    assert [change.rule for change in found] == (["contract.major-version"] if told else [])
    if told:
        assert found[0].pointer == "/info/version"
        assert all(number in found[0].message for number in (old, new))


def test_what_does_not_break_wants_none() -> None:
    assert compared(version("1.0.0", "/a"), version("1.0.0", "/a", "/b")).may_break == ()


def test_what_is_called_no_error_wants_none() -> None:
    old, new = version("1.0.0", "/a", "/b"), version("1.0.0", "/a")
    assert compared(old, new, {"contract.operation-removed": None}).changes == ()


@pytest.mark.parametrize(
    ("text", "number"), [("1.2.3", (1, 0)), ("0.3", (0, 3)), (1, (1, 0)), (None, None), ("", None)]
)
def test_numbers_of_versions(text: object, number: tuple[int, int] | None) -> None:
    assert major_of(text) == number
