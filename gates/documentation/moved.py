"""Did the version move with the contract, and is a changed operation mentioned where people look?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from gates.document import METHODS, Document
from gates.documentation.rules import finding
from gates.results import Finding

_METHOD = re.compile(rf"\b({'|'.join(METHODS)})\b", re.IGNORECASE)
_PARAMETER = r"(?:\{[^{}/\s]*\}|:\w+|<[^<>/\s]*>)"
"""However the place of a parameter is written: `{id}`, `:id`, `<int:id>`."""


def version_of(document: Document) -> str:
    """Return `info.version`; empty where there is none."""
    info = document.content.get("info")
    return str(info.get("version", "")).strip() if isinstance(info, Mapping) else ""


def _numbers(version: str) -> tuple[int, ...] | None:
    """Return the numbers of a version such as `v1.4.0`; None for one that has none."""
    found = re.match(r"\s*v?(\d{1,9}(?:\.\d{1,9})*)", version)
    return tuple(int(part) for part in found[1].split(".")) if found else None


def check_version(earlier: Document, current: Document, *, changed: bool) -> list[Finding]:
    """Return a finding when the contract changed and `info.version` stayed, or when the version went back."""
    then, now = version_of(earlier), version_of(current)
    before, after = _numbers(then), _numbers(now)
    if before is not None and after is not None and after < before:
        text = f"`info.version` went back from {then[:40]} to {now[:40]}"
    elif changed and then == now:
        text = f"the contract changed, and `info.version` is still {now[:40] or 'empty'}"
    else:
        return []
    return [finding("doc.version-not-moved", text, "/info/version", identity=("version",))]


def check_mentioned(changed: Iterable[str], texts: Mapping[str, str], *, base_path: str = "") -> list[Finding]:
    """Return a finding for each changed operation that no text mentions: `METHOD /path`, or its path alone.

    `changed` are operations such as `GET /orders/{id}`, `texts` what was written, by the name of its file. A line that
    names the path beside another method speaks of another operation.
    """
    lines = [line for text in texts.values() for line in text.splitlines() if "/" in line]
    return [
        finding("doc.not-mentioned", f"it changed, and {_listed(texts)} not mention it", _pointer(operation), operation)
        for operation in dict.fromkeys(changed)
        if not _is_mentioned(operation, lines, base_path)
    ]


def _listed(texts: Mapping[str, str]) -> str:
    names = list(texts)
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{shown or 'nothing that was written'} {'do' if len(names) > 1 else 'does'}"


def _pointer(operation: str) -> str:
    method, _, path = operation.partition(" ")
    return f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method.lower()}"


def _is_mentioned(operation: str, lines: Iterable[str], base_path: str) -> bool:
    method, _, path = operation.partition(" ")
    pattern = re.compile("|".join(_as_written(form) for form in _forms(path, base_path)))
    for line in lines:
        if pattern.search(line) is not None:
            named = {found.upper() for found in _METHOD.findall(line)}
            if not named or method in named:
                return True
    return False


def _forms(path: str, base_path: str) -> Iterator[str]:
    yield path
    if base_path:
        yield base_path + path


def _as_written(path: str) -> str:
    parts = re.split(r"(\{[^{}]*\})", path.rstrip("/"))
    written = "".join(_PARAMETER if number % 2 else re.escape(part) for number, part in enumerate(parts))
    # Not a longer path that begins or ends alike.
    return rf"(?<![\w/}}]){written or '/'}/?(?![\w/{{<:-])"
