"""Did the version move with the contract, and is a changed operation mentioned where people look?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed: an operation, or a component by its name and the operations that use it."""

    name: str
    pointer: str = ""
    used_by: tuple[str, ...] = ()


def check_mentioned(changed: Iterable[Changed], texts: Mapping[str, str], *, base_path: str = "") -> list[Finding]:
    """Return a finding for each change that no text mentions: by `METHOD /path`, by its path alone, or by its name.

    A component is mentioned by its name, or by one of the operations that use it. `texts` is what was written, by the
    name of its file. A line that names the path beside another method speaks of another operation.
    """
    lines = [line for text in texts.values() for line in text.splitlines()]
    return [_unmentioned(one, texts) for one in changed if not _is_told(one, lines, base_path)]


def _is_told(one: Changed, lines: Sequence[str], base_path: str) -> bool:
    return any(_is_mentioned(name, lines, base_path) for name in (one.name, *one.used_by))


def _unmentioned(one: Changed, texts: Mapping[str, str]) -> Finding:
    names = list(texts)
    where = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    told = f"{where or 'nothing that was written'} {'do' if len(names) > 1 else 'does'} not mention it"
    if " /" in one.name:
        return finding("doc.not-mentioned", f"it changed, and {told}", one.pointer, one.name)
    users = f", which {_count(one.used_by)}," if one.used_by else ""
    text = f"`{one.name}`{users} changed, and {told}"
    return finding("doc.not-mentioned", text, one.pointer, identity=(one.name,))


def _count(operations: Sequence[str]) -> str:
    return f"{operations[0]} uses" if len(operations) == 1 else f"{len(operations)} operations use"


def _is_mentioned(name: str, lines: Iterable[str], base_path: str) -> bool:
    method, _, path = name.partition(" ")
    if not path:
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        return any(word.search(line) for line in lines)
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
    return rf"(?<![\w/}}]){written or '/'}(?:/(?![\w{{<:-])|(?![\w/{{-]))"
