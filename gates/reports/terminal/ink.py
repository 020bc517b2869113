"""How things are drawn on a terminal or into a pipe: marks, colours, wrapping by cells, tables; pure.

Colour never says anything alone: whoever sees none reads the same from the marks. Nothing is cut off: what is longer
than the terminal is wide goes on below, under its own beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, get_character_cell_size

from gates.reports.wording import Notice, clean, one_line
from gates.results import Verdict

_STYLES = {
    "": "",
    "bold": "1",
    "dim": "2",
    "good": "32",
    "bad": "1;31",
    "doubt": "33",
    "broken": "1;35",
    "accent": "36",
    "title": "1;4",
}
VERDICT_STYLE = {
    Verdict.PASS: "good",
    Verdict.FAIL: "bad",
    Verdict.UNKNOWN: "doubt",
    Verdict.ERROR: "broken",
    Verdict.SKIPPED: "accent",
}
_MARKS = {
    Verdict.PASS: ("✓", "+"),
    Verdict.FAIL: ("✗", "x"),
    Verdict.UNKNOWN: ("?", "?"),
    Verdict.ERROR: ("!", "!"),
    Verdict.SKIPPED: ("–", "-"),
}
# What our own words are made of, where only ASCII can be written; everything else becomes an escape.
_ASCII = str.maketrans(
    {
        "·": "|", "–": "-", "—": "-", "…": "...", "→": "->", "×": "x", "µ": "u", "≤": "<=", "≥": ">=", "±": "+-",
        "✓": "+", "✗": "x", "“": '"', "”": '"', "‘": "'", "’": "'",
    }
)  # fmt: skip
_NARROWEST = 30
_TIE = "\N{NO-BREAK SPACE}"


def _cells(text: str) -> int:
    # A fixed table of widths, because the default asks the environment for a version of Unicode.
    return cell_len(text, unicode_version="latest")


def _broken_at(word: str, width: int) -> tuple[str, str]:
    """Return the part of a word that fits into some cells, and the rest."""
    used = 0
    for position, character in enumerate(word):
        used += get_character_cell_size(character, "latest")
        if used > width and position:
            # A path or an identifier reads best broken at its own joints, if one is near enough.
            joint = max(word.rfind(sign, 0, position) for sign in f"/_-.,;:{_TIE}") + 1
            cut = joint if joint > position // 2 else position
            return word[:cut], word[cut:]
    return word, ""


def _fill(text: str, width: int) -> list[str]:
    """Return a line as lines of at most `width` cells, broken at spaces, or inside a word that is longer than that."""
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if _cells(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line.rstrip())
        while _cells(word) > width:
            head, word = _broken_at(word, width)
            lines.append(head.rstrip(_TIE))
            word = word.lstrip(_TIE)
        line = word
    lines += [line.rstrip()] if line.strip() or not lines else []
    # Where a word was broken, no line may begin as the commands in the logs of CI systems do.
    return [f"\\{line}" if line.startswith("::") else line.replace(_TIE, " ") for line in lines]


def in_a_row(parts: Iterable[str]) -> str:
    """Return short facts on a line, to be wrapped between them and never inside one."""
    return " · ".join(part.replace(" ", _TIE) for part in parts if part).replace(" · ", f"{_TIE}· ")


@dataclass(frozen=True, slots=True)
class Ink:
    """A terminal's abilities: whether it knows colours, how many cells it is wide, and whether it knows only ASCII."""

    colour: bool
    width: int
    ascii: bool = False

    def safe(self, text: str) -> str:
        """Return text that cannot move the cursor and that this terminal can show; lines are kept."""
        text = clean(text)
        if not self.ascii:
            return text
        words = text.translate(_ASCII).split(_TIE)
        return _TIE.join(word.encode("ascii", "backslashreplace").decode() for word in words)

    def paint(self, text: str, style: str) -> str:
        """Return text in a style; text that is painted must have been made safe before."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colour and style and text else text

    def mark(self, verdict: Verdict) -> str:
        """Return the one-cell mark of a verdict, painted."""
        return self.paint(_MARKS[verdict][self.ascii], VERDICT_STYLE[verdict])

    def answer(self, answer: bool | None) -> str:
        """Return the one-cell mark of a yes, a no, or a gap; not painted, for tables."""
        if answer is None:
            return "." if self.ascii else "·"
        return _MARKS[Verdict.PASS if answer else Verdict.FAIL][self.ascii]

    def title(self, text: str) -> list[str]:
        """Return a heading."""
        return self.hang("", one_line(text), style="bold")

    def wrap(self, text: str, width: int) -> list[str]:
        """Return text as safe lines of at most `width` cells; lines keep their indentation."""
        width = max(width, 10)
        lines = []
        for line in self.safe(text).rstrip().split("\n"):
            words = line.strip()
            margin = " " * min(len(line) - len(line.lstrip()), width // 2)
            lines += [margin + part for part in _fill(words, width - len(margin))]
        return lines

    def hang(self, lead: str, text: str, *, style: str = "", lead_style: str = "", indent: int = 0) -> list[str]:
        """Return lines that begin with `lead` and go on under the beginning of the text."""
        margin = " " * indent
        lead = self.safe(lead)
        room = self.width - indent - _cells(lead)
        if room < _NARROWEST and _cells(lead) > 12:
            # Beside a long lead there is no room to read in: the text begins on a line of its own.
            above = [margin + self.paint(line, lead_style) for line in self.wrap(lead, self.width - indent)]
            below = [f"{margin}    {self.paint(line, style)}" for line in self.wrap(text, self.width - indent - 4)]
            return above + below
        head = margin + self.paint(lead, lead_style)
        first, *rest = self.wrap(text, room)
        further = [f"{margin}{' ' * _cells(lead)}{self.paint(line, style)}" for line in rest]
        return [f"{head}{self.paint(first, style)}", *further]

    def notices(self, notices: Sequence[Notice]) -> list[str]:
        """Return the first lines of a report."""
        lines: list[str] = []
        for notice in notices:
            lines += self.hang(f"{notice.label:<13}  ", notice.text, lead_style="doubt", indent=2)
        return lines

    def table(
        self,
        headings: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        styles: Mapping[str, str] | None = None,
        right: frozenset[int] = frozenset(),
        flexible: tuple[int, ...] = (0,),
        indent: int = 2,
    ) -> list[str]:
        """Return a table whose `flexible` columns wrap inside themselves where the terminal is too narrow.

        `styles` paints cells by their whole text; columns in `right` are set to the right.
        """
        safe = [[self.safe(one_line(cell)) for cell in row] for row in (headings, *rows)]
        widths, apart = self._widths(safe, flexible, indent)
        lines: list[str] = []
        for number, row in enumerate(safe):
            cells = [_fill(cell, width) for cell, width in zip(row, widths, strict=True)]
            for height in range(max(map(len, cells))):
                line = " " * indent
                for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                    text = cell[height] if height < len(cell) else ""
                    gap = " " * (width - _cells(text))
                    style = "dim" if number == 0 else (styles or {}).get(row[column], "")
                    painted = self.paint(text, style)
                    line += (gap + painted if column in right else painted + gap) + apart
                lines.append(line.rstrip())
        return lines

    def _widths(self, rows: Sequence[Sequence[str]], flexible: tuple[int, ...], indent: int) -> tuple[list[int], str]:
        """Return the widths of the columns and what keeps them apart."""
        widths = [max(_cells(row[column]) for row in rows) for column in range(len(rows[0]))]
        least = {
            column: min(widths[column], max(_cells(rows[0][column]), 10 if column == 0 else 0)) for column in flexible
        }
        room = self.width - indent
        apart = "  "
        while sum(widths) + len(apart) * (len(widths) - 1) > room:
            shrinkable = [column for column in flexible if widths[column] > least[column]]
            if shrinkable:
                widths[max(shrinkable, key=lambda column: widths[column])] -= 1
            elif apart == "  ":
                apart = " "
            else:
                break
        return widths, apart
