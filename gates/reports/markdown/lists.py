"""Lists of a sheet: bounded, and folded where they are long; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gates.reports.markdown.escape import tag_text

_MOST = 300
_OPEN = 15
"""Up to so many lines stand open; more are folded, with their count in the title."""


def listed(texts: Iterable[str]) -> list[str]:
    """Return texts, Markdown already, as a list."""
    return [f"- {text}" for text in texts]


def bounded(lines: Sequence[str], most: int = _MOST) -> list[str]:
    """Return the first lines of many, and how many there are besides."""
    left = len(lines) - most
    return [*lines[:most], f"- and {left:,} more, in the baseline beside this file"] if left > 0 else list(lines)


def folded(title: str, lines: Sequence[str], *, few: int = _OPEN, most: int = _MOST) -> list[str]:
    """Return lines that can be unfolded by their title; a few of them stand open, without it."""
    if len(lines) <= few:
        return list(lines)
    return ["<details>", f"<summary>{tag_text(title)}</summary>", "", *bounded(lines, most), "", "</details>"]
