"""What was written about changes: the changelog and the pages that `mentioned_in` names, and which lines are new."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.errors import GatesError, ToolError
from gates.git import changed_lines

_TEXTS = (".md", ".markdown", ".rst", ".txt", ".adoc", ".html", "")
_MOST_FILES = 2000
_MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Written:
    """Texts by the name that `mentioned_in` gives them, and what is to be said of how they were read."""

    texts: Mapping[str, str]
    note: str


def written_since(root: Path, names: Sequence[str], commit: str | None) -> Written:
    """Return the lines that were added since a commit where git knows it, else all that is written.

    Raises ToolError for a name that is not there.
    """
    added: Mapping[str, set[int]] | None = None
    note = "mentions are looked for anywhere in " + ", ".join(names)
    if commit is not None:
        try:
            added = changed_lines(root, commit)
            note = f"mentions are looked for in what was added to {', '.join(names)} since {commit[:12]}"
        except GatesError as error:
            note += f": {error.message}"
    texts = {}
    for name in names:
        if not (root / name).exists():
            raise ToolError(f"`mentioned_in` names {name}, which is not there", "write it, or name another file")
        texts[name] = "\n".join(line for path in _files(root, name) for line in _lines(root, path, added))
    return Written(texts, note)


def _files(root: Path, name: str) -> Iterator[str]:
    if (root / name).is_file():
        yield name
        return
    count = 0
    for folder, folders, files in os.walk(root / name):
        folders.sort()
        for file in sorted(files):
            if Path(file).suffix.lower() in _TEXTS and count < _MOST_FILES:
                count += 1
                yield (Path(folder) / file).relative_to(root).as_posix()


def _lines(root: Path, path: str, added: Mapping[str, set[int]] | None) -> Iterator[str]:
    if added is not None and path not in added:
        return
    try:
        with (root / path).open("rb") as file:
            text = file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise ToolError(f"{path} cannot be read: {error.strerror}", "`mentioned_in` names it") from error
    # As git counts lines: only at a newline.
    for number, line in enumerate(text.split("\n"), 1):
        if added is None or number in added[path]:
            yield line
