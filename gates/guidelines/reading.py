"""The numbers that a guideline states, also a hand-edited one: found by what a sentence speaks of.

A number belongs to what is named in its own clause, else to the label, item or heading that it stands below. What is
said of something else (timeouts, other percentiles, coverage of a part) is no number of the guideline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gates.guidelines.blocks import Block, read_blocks
from gates.guidelines.quantities import NUMBER, Kind, Quantity, find_quantities
from gates.guidelines.subjects import (
    KIND_OF,
    bounded_above,
    is_excluded,
    is_of_speed,
    limited,
    limits,
    named_in,
    named_nearest,
)

_APART = re.compile(r";|,(?!\d)|\s[–—/|]\s|[()\[\]]|[.!?](?=\s|$)|\s(?:and(?! branch)|but|while|with|und|whereas)\s")
_BETWEEN = re.compile(
    rf"\b(?:between|zwischen)\s({NUMBER})\s(?:and|und)\s({NUMBER})|(?<![\w.,])({NUMBER})\s(?:to|bis)\s({NUMBER})",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[^:.;,(]{2,60}:(?=\s|$)")
_RESPONSE = re.compile(r"response times?:", re.IGNORECASE)
_CONTEXT = 200
_SHOWN = 60
_LONGEST = 300
"""Characters of a clause."""
_WORD = r"[A-Za-z][\w-]*+(?: (?:operations?|queries|requests?|calls?|reads?|writes?))?"
_JOIN = r"\s*(?:/|,\s*(?:and\s)?|\sand\s|&)\s*"
_UNIT = r"(?:\s*(?!and\b)([A-Za-z]{1,3})\b)?"
_ONE = rf"(?:{NUMBER})(?:\s*(?!and\b)[A-Za-z]{{1,3}}\b)?"
_LISTED = re.compile(
    rf"(?<![\w-])(?P<words>{_WORD}(?:{_JOIN}{_WORD}){{1,4}}+)(?P<between>[^\d.;]{{0,40}}?)"
    rf"(?P<numbers>{_ONE}(?:{_JOIN}{_ONE}){{1,4}})"
)


@dataclass(frozen=True, slots=True)
class Stated:
    """A number that the guideline states: what it is the target of, all it may mean in base units, and where it is."""

    target: str
    kind: Kind
    values: tuple[float, ...]
    line: int
    text: str
    """The clause as it is written, for people."""


@dataclass(frozen=True, slots=True)
class Guideline:
    """What could be read in a guideline."""

    numbers: tuple[Stated, ...]
    blocks: tuple[Block, ...]

    def of(self, target: str) -> tuple[Stated, ...]:
        """Return the numbers that are stated for a target."""
        return tuple(stated for stated in self.numbers if stated.target == target)


def read_guidelines(text: str) -> Guideline:
    """Return the numbers of a guideline with their lines; a text of another kind has none."""
    blocks = read_blocks(text)
    numbers = [stated for block in blocks if block.kind != "heading" for stated in _numbers_of(block)]
    return Guideline(tuple(numbers), tuple(blocks))


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    start: int
    quantities: tuple[Quantity, ...]
    named: tuple[str, ...]


def _numbers_of(block: Block) -> list[Stated]:
    text = re.sub(r"\b(sub)-(?=\d)", r"\1 ", block.text)
    text = _BETWEEN.sub(lambda match: _aligned(match, "–".join(filter(None, match.groups()))), text)
    if not any(character.isdigit() for character in text):
        return []
    starts = block.starts()
    text, listed = _take_lists(text)
    found = [replace(stated, line=block.line_at(stated.line, starts)) for stated in listed]
    told = {stated.target for stated in found}
    label = match[0] if (match := _LABEL.match(text)) else ""
    above = (label, *reversed(block.parents), *reversed(block.headings))
    # A cell of a table needs no words: what it speaks of stands in its row and column.
    speed = block.kind == "cell" or is_of_speed(" ".join((text[:_CONTEXT], *above)))
    pending: _Clause | None = None
    clauses_spent: set[int] = set()
    clauses = _clauses(text)
    for clause, following in zip(clauses, [*clauses[1:], None], strict=False):
        beside = [one for one in (pending, following) if one is not None and not one.quantities]
        spent = False
        for quantity, target, near in _assigned(clause, beside, above):
            # `100 ms (simple), 500 ms (complex)`: what named the number before it does not name the next one, too.
            spent = spent or (near and following in beside and target not in (*clause.named, *_named_by(pending)))
            if (near or target not in told) and (speed or quantity.kind != "time" or _is_bound(quantity, clause)):
                told.add(target)
                values = quantity.high if bounded_above(target) else quantity.low
                line = block.line_at(clause.start + quantity.start, starts)
                found.append(Stated(target, quantity.kind, values, line, _shown(clause, quantity)))
        if following is not None and spent:
            clauses_spent.add(following.start)
        if clause.named or not clause.quantities:
            pending = (
                None if clause.quantities or clause.start in clauses_spent else clause if clause.named else pending
            )
    return found


def _named_by(clause: _Clause | None) -> tuple[str, ...]:
    return clause.named if clause else ()


def _aligned(match: re.Match[str], words: str) -> str:
    """Return a replacement of the same length, so that positions in the text still hold."""
    return words.rjust(len(match[0]))


def _clauses(text: str) -> list[_Clause]:
    found, start = [], 0
    for match in [*_APART.finditer(text), None]:
        end = match.start() if match else len(text)
        while start < end:
            # Whoever writes more than this without a comma gets clauses that nobody meant, but in bounded time.
            space = text.rfind(" ", start, start + _LONGEST) if end - start > _LONGEST else -1
            stop = end if end - start <= _LONGEST else space + 1 if space > start else start + _LONGEST
            words = text[start:stop]
            if words.strip():
                found.append(_Clause(words, start, tuple(find_quantities(words)), named_in(words)))
            start = stop
        start = match.end() if match else end
    return found


def _assigned(clause: _Clause, beside: Sequence[_Clause], above: Sequence[str]) -> Iterator[tuple[Quantity, str, bool]]:
    """Yield the numbers of a clause that demand something, what of, and whether its own sentence says so.

    Of several counts for the same, the one that is called a limit is meant: `pool: min 5 max 20` is 20.
    """
    found: dict[str, list[tuple[Quantity, bool]]] = {}
    since = 0
    for quantity in clause.quantities:
        target, near, words = _target_of(quantity, clause, beside, above)
        whole = quantity.kind != "count" or (quantity.low[0].is_integer() and quantity.low[0] >= 1)
        # What named it may say as well that it is of something else: `Log slow simple queries (200 ms)`.
        excluded = target and (
            is_excluded(target, clause.text, quantity.start, quantity.end, since)
            or is_excluded(target, words, len(words), len(words), len(words))
        )
        if target and whole and not excluded:
            found.setdefault(target, []).append((quantity, near))
        since = quantity.end
    for target, candidates in found.items():
        if candidates[0][0].kind == "count":
            candidates = [one for one in candidates if limits(clause.text[: one[0].start])][:1] or candidates[:1]
        for quantity, near in candidates:
            yield quantity, target, near


def _target_of(
    quantity: Quantity, clause: _Clause, beside: Sequence[_Clause], above: Sequence[str]
) -> tuple[str, bool, str]:
    """Return what a number is the target of, whether its own sentence says so, and the words elsewhere that do."""
    if own := named_nearest(clause.text, quantity.start, quantity.end, quantity.kind):
        return own, True, ""
    for other in beside:
        if fitting := [target for target in other.named if KIND_OF[target] == quantity.kind]:
            return fitting[-1], True, other.text
    for words in above:
        if fitting := [target for target in named_in(words) if KIND_OF[target] == quantity.kind]:
            return (fitting[0] if len(fitting) == 1 else ""), False, words
    if quantity.kind == "time" and _RESPONSE.fullmatch(above[0]) and _is_bound(quantity, clause):
        return "response_time.simple", False, ""
    return "", False, ""


def _is_bound(quantity: Quantity, clause: _Clause) -> bool:
    before = clause.text[: quantity.start]
    return limited(before, clause.text[quantity.end :]) or before.rstrip().endswith(":")


def _shown(clause: _Clause, quantity: Quantity) -> str:
    """Return the words round a number."""
    start = clause.text.find(" ", quantity.start - _SHOWN) if quantity.start > _SHOWN else 0
    words = clause.text[max(0, start) : quantity.end + _SHOWN]
    return " ".join(words.split())


def _take_lists(text: str) -> tuple[str, list[Stated]]:
    """Take out `simple/complex/file: 100/500/2000 ms`, which pairs words with numbers; lines are positions yet."""
    found: list[Stated] = []
    kept: list[str] = []
    end = 0
    for match in _LISTED.finditer(text):
        pairs = _paired(match, text[match.end() : match.end() + 20])
        if pairs:
            found += pairs
            kept += [text[end : match.start()], " " * (match.end() - match.start())]
            end = match.end()
    return "".join((*kept, text[end:])), found


def _paired(match: re.Match[str], behind: str) -> list[Stated]:
    """Return the numbers of a list with what the word at the same place names; none where they do not pair."""
    words = re.split(_JOIN, match["words"])
    numbers = list(re.finditer(rf"({NUMBER}){_UNIT}", match["numbers"]))
    targets = [next(iter(named_in(word)), "") for word in words]
    if len(targets) != len(numbers) or not all(targets) or is_excluded(targets[0], match["between"], 0, 0):
        return []
    unit = re.match(r"\s*([A-Za-z%]{1,12})", behind)
    last = numbers[-1][2] or (unit[1] if unit else "")
    found = []
    for target, number in zip(targets, numbers, strict=True):
        written = f"{number[1]} {number[2] or last}"
        quantity = next(find_quantities(written), None)
        if quantity is not None and quantity.kind == KIND_OF[target]:
            found.append(Stated(target, quantity.kind, quantity.low, match.start("numbers") + number.start(), written))
    return found
