"""The document that the project keeps in git, beside the one that its backend serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gates.document import Document, DocumentError, parse_document
from gates.documentation import check_served, finding
from gates.git import is_ignored
from gates.results import Finding

USUAL_NAMES = tuple(
    f"{folder}{name}.{kind}"
    for name in ("openapi", "swagger")
    for folder in ("", "docs/", "doc/", "api/", "spec/", "openapi/")
    for kind in ("json", "yaml", "yml")
)
"""Where a committed document is looked for, in this order, when nobody says where it is."""


def find_committed(root: Path, name: str | None, source: Sequence[str] = ()) -> str | None:
    """Return the file that was named, or the first of the usual ones; None when there is no such file.

    Many backends serve a file that lies in their source, so that is looked into as well.
    """
    inside = [f"{folder}/{one}" for folder in source if folder != "." for one in USUAL_NAMES]
    names: Sequence[str] = (name,) if name is not None else (*USUAL_NAMES, *inside)
    return next((one for one in names if (root / one).is_file()), None)


def check_committed(root: Path, served: Document, name: str | None, kept: Path, source: Sequence[str]) -> list[Finding]:
    """Return what keeps the committed document from being the served one; `kept` is a copy of the latter to take."""
    found = find_committed(root, name, source)
    if found is None:
        target = name or ("openapi.json" if kept.suffix == ".json" else "openapi.yaml")
        there = f"{name} is not there" if name else "there is none of the usual files, such as openapi.json"
        return [_not_committed(f"the served document is not committed: {there}", _copy(root, kept, target))]
    if is_ignored(root, found):
        text = f"the served document is not committed: git is told to ignore {found}"
        return [_not_committed(text, f"take {found} out of .gitignore, and commit it")]
    try:
        committed = parse_document((root / found).read_bytes())
    except (DocumentError, OSError) as error:
        problem = error.message if isinstance(error, DocumentError) else str(error.strerror)
        text = f"{found} cannot be read as an API description: {problem}"
        broken = finding("doc.served-differs", text, "", identity=("served",))
        return [replace(broken, path=found, fix=_copy(root, kept, found))]
    differing = check_served(served, committed, found)
    return [replace(one, path=found, fix=_copy(root, kept, found)) for one in differing]


def _not_committed(text: str, fix: str) -> Finding:
    return replace(finding("doc.not-committed", text, "", identity=("committed",)), fix=fix)


def _copy(root: Path, kept: Path, target: str) -> str:
    source = kept.relative_to(root) if kept.is_relative_to(root) else kept
    return f"cp {source} {target}, and commit it with the change"
