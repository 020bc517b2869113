"""Text that others wrote, made harmless inside Markdown and still readable as plain text; pure.

Rendered on a code host, it may neither become a tag, a link, an image or a table's next cell, nor notify anybody.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from gates.reports.wording import clean, one_line

# Signs that begin something anywhere; an underscore inside a word does not.
_SIGNS = re.compile(r"[\\`*\[\]|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#|[A-Za-z])")
_START = re.compile(r"^(?:>|#(?=[#\s]|$)|[+=-](?=[+=\s-]|$)|\d+(?=[.)](?:\s|$)))")
_ADDRESS = re.compile(r":(?=//)")
_WWW = re.compile(r"(?i)\b(www)\.")
# Names of people and teams, and numbers of issues, are looked for in the rendered text: only a seam stops that.
_MENTION = re.compile(r"(?<![A-Za-z0-9])([@#])(?=[A-Za-z0-9])")
_SEAM = "&#8203;"
_BREAK = "<br>"


def _harmless(line: str) -> str:
    line = _ENTITY.sub("&amp;", line)
    line = _TAG.sub("&lt;", line)
    line = _SIGNS.sub(r"\\\g<0>", line)
    line = _START.sub(lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", line)
    # Before the entities that hold a number sign of their own.
    line = _MENTION.sub(rf"\1{_SEAM}", line)
    line = _ADDRESS.sub("&#58;", line)
    return _WWW.sub(r"\1&#46;", line)


def prose(text: str, most: int | None = None) -> str:
    """Return text for a paragraph, a list or a table's cell, its lines joined by breaks.

    Of more than `most` characters the rest is left out, and the text says how many.
    """
    text = clean(text).strip()
    more = ""
    if most is not None and len(text) > most:
        more = f" (and {len(text) - most:,} more characters)"
        text = text[:most]
    lines = [_harmless(" ".join(line.split())) for line in text.split("\n") if line.strip()]
    return _BREAK.join(lines) + more


def code(text: str, *, cell: bool = False) -> str:
    """Return text as code on one line, for paragraphs and lists, or for a table's `cell`."""
    text = one_line(text) or "–"
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    # A table is cut at its bars before anything else is read, inside of code as well.
    text = text.replace("|", r"\|") if cell else text
    return f"{fence}{pad}{text}{pad}{fence}"


def tag_text(text: str) -> str:
    """Return text for the inside of an HTML tag."""
    return _MENTION.sub(rf"\1{_SEAM}", html.escape(one_line(text), quote=False))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], numbers: frozenset[int] = frozenset()) -> list[str]:
    """Return the lines of a table whose cells are Markdown already; columns in `numbers` are set to the right."""
    rule = ["---:" if column in numbers else "---" for column in range(len(headings))]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]
