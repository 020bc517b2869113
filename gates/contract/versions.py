"""Whether the version that a document gives itself fits what changed."""

from __future__ import annotations

import re

from gates.contract.reading import Side, mapping
from gates.contract.recording import Where
from gates.contract.work import Work

_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:[-+.][0-9A-Za-z.+-]*)?")


def major_of(version: object) -> tuple[int, int] | None:
    """Return the number that a breaking change has to raise: the first, or with 0 the second; None where there is none.

    A year in front is a date, and no number of a version.
    """
    found = _VERSION.fullmatch(str(version).strip()) if isinstance(version, (str, int, float)) else None
    if found is None or int(found[1]) >= 1900:
        return None
    major = int(found[1])
    return (major, int(found[2] or 0)) if major == 0 else (major, 0)


def compare_versions(work: Work) -> None:
    """Tell of a document that breaks clients and says by its version that it does not."""
    was, now = _version(work.earlier), _version(work.new)
    numbers = major_of(was), major_of(now)
    if numbers[0] is None or numbers[1] is None or numbers[1] > numbers[0]:
        return
    text = f"something breaks clients, and the version is still {now}"
    if str(was) != str(now):
        text = f"something breaks clients, and from {was} to {now} there is no new major version"
    user, _ = work.uses.enter("version", None)
    where = Where("/info/version", "/info/version")
    work.recorder.add("contract.major-version", f"{numbers[0]}", text, where, user)


def _version(side: Side) -> object:
    return mapping(side.content.get("info")).get("version")
