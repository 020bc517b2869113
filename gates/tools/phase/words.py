"""The words and forms by which a phase document says what a name in it is; pure."""

from __future__ import annotations

import difflib
import re
from typing import Literal

from gates.tools.phase.references import OPERATION, Kind

Section = Literal["provides", "consumes"]

_LEAD = r"^\W*(?:\d+\W+)*(?:what\s+)?(?:(?:this|the)\s+)?(?:phase\s+|it\s+)?"


def _heading(names: str) -> re.Pattern[str]:
    # At the beginning or the end of a heading: a title may have such a word in its middle.
    return re.compile(rf"(?i){_LEAD}(?:{names})\b|\b(?:{names})\W*$")


_SECTIONS: tuple[tuple[Section, re.Pattern[str]], ...] = (
    ("provides", _heading("provides?|provided|offers|exposes")),
    ("consumes", _heading("consumes?|consumed|needs|requires|depends on")),
)
_LABEL = re.compile(
    r"(?i)^(?:this phase |it )?(?:also )?(provides|consumes|needs|requires|depends on)\b([^:`]{0,60}):\s*"
)
_KIND_WORDS: tuple[tuple[Kind, str], ...] = (
    ("operations", r"operations?|endpoints?|apis?|routes?"),
    ("environment", r"environment|env|variables?|configuration|config|settings?"),
    ("events", r"events?|messages?|topics?|publish(?:es|ed)?|emit(?:s|ted)?"),
    ("tables", r"tables?|columns?|fields?|schema|database|db"),
    ("files", r"files?"),
)
_KIND = re.compile("|".join(f"(?P<k{number}>\\b(?:{words})\\b)" for number, (_, words) in enumerate(_KIND_WORDS)), re.I)
_FROM = re.compile(
    r"(?i)\b(?:from|of)\s+(?:the\s+)?(?P<said>(?:earlier\s+)?phase\s+)?[`\"'*]*(?P<name>[a-z0-9][a-z0-9_-]*)[`\"'*]*"
    r"(?P<after>\s+phase\b)?"
)
_ONLY_FROM = re.compile(
    r"(?i)(?:from|of)\s+(?:the\s+)?(?:phase\s+)?[`\"'*]*([a-z0-9][a-z0-9_-]*)[`\"'*]*(?:\s+phase)?:?"
)
_LEADING = re.compile(
    r"(?i)^(?P<from>from\s+(?:the\s+)?)?(?P<said>phase\s+)?[`\"'*]*(?P<name>[a-z0-9][a-z0-9_-]*)[`\"'*]*"
    r"(?:\s+phase)?\s*(?P<end>:|[–—-]\s|,|$)\s*"
)
_NO_PHASE = frozenset({
    "elsewhere", "outside", "anywhere", "environment", "other", "others", "deployment", "host", "platform", "here",
    "infrastructure", "operations", "client", "clients", "users", "configuration", "config", "above", "below",
})  # fmt: skip
"""Where else something may be from."""
_PHASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_NOTHING = re.compile(r"(?i)(none|nothing|n/a|no\b.*|[–—-])[.!]?")
_LONGEST = 300
"""Characters of a name in code; what is longer is an example."""
_FILE_ENDINGS = (
    "py md toml json yaml yml sql js mjs cjs ts tsx jsx go rs java kt rb php cs cpp txt cfg ini sh lock env html "
    "xml gradle proto graphql prisma css scala ex exs swift csv"
)
_FILE = re.compile(rf"(?:[\w.@-]+/)*[\w.@-]*\.(?:{'|'.join(_FILE_ENDINGS.split())})(?::\d+)?|(?:[\w.@-]+/)+")
_VARIABLE = re.compile(r"\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)\}?(?:=.*)?")
_PATH = re.compile(r"/[\w./{}<>:-]*")
_NAME = re.compile(r"[^\W\d][\w$]*")
_DOTTED = re.compile(r"[^\W\d][\w$]*(?:\.[^\W\d][\w$]*){0,2}")
_EVENT = re.compile(r"[^\W\d][\w.:/-]*")


def section_of(heading: str) -> Section | None:
    """Return what a heading begins: what is provided, what is consumed, or neither (also when it says both)."""
    found = [name for name, pattern in _SECTIONS if pattern.search(heading)]
    return found[0] if len(found) == 1 else None


def label_of(text: str) -> tuple[Section, str, str] | None:
    """Return the section that a line begins by itself (`Provides:`), what else its label says, and the rest."""
    found = _LABEL.match(text)
    if found is None:
        return None
    section: Section = "provides" if found[1].lower() == "provides" else "consumes"
    return section, found[2], text[found.end() :]


def kind_in(text: str) -> Kind | None:
    """Return the kind of thing that the last word speaks of that speaks of any."""
    found = list(_KIND.finditer(text))
    if not found or found[-1].lastgroup is None:
        return None
    return _KIND_WORDS[int(found[-1].lastgroup[1:])][0]


def phase_in(text: str, phases: tuple[str, ...]) -> str | None:
    """Return the phase that a text says something is from: one of `phases`, or whatever is called a phase there."""
    by_lower = {phase.lower(): phase for phase in phases}
    for found in _FROM.finditer(text):
        name = found["name"].lower()
        if found["said"] or found["after"] or (name in by_lower and found[0].lower().startswith("from")):
            return by_lower.get(name, found["name"])
    return None


def phase_of_heading(text: str, phases: tuple[str, ...]) -> str | None:
    """Return the phase that a heading or label within `Consumes` names: `From foundation`, or only its name."""
    plain = text.strip().strip("`\"'*:").strip()
    if (known := _phase(plain, phases)) is not None:
        return known
    found = _ONLY_FROM.fullmatch(text.strip())
    return (_said_to_be_one(found[1], phases) if found else None) or phase_in(text, phases)


def leading_phase(text: str, phases: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the phase that a line begins with (`From foundation: …`, `foundation: …`), and the rest of the line."""
    found = _LEADING.match(text)
    if found is None:
        return None
    is_said = (found["from"] or found["said"]) and found["end"] in (":", "")
    known = (_said_to_be_one if is_said else _phase)(found["name"], phases)
    return (known, text[found.end() :]) if known is not None else None


def _phase(name: str, phases: tuple[str, ...]) -> str | None:
    """Return the phase of a name; a misspelt one as it is written, so that it can be told with the nearest."""
    known = {phase.lower(): phase for phase in phases}
    if name.lower() in known:
        return known[name.lower()]
    if _PHASE.fullmatch(name) is None:
        return None
    return name if difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.8) else None


def _said_to_be_one(name: str, phases: tuple[str, ...]) -> str | None:
    """Return the phase that `From name:` says; one that does not exist is told, and not taken for any place."""
    return _phase(name, phases) or (None if name.lower() in _NO_PHASE else name)


def says_nothing(text: str) -> bool:
    """Return whether a line says that there is nothing of the kind."""
    return _NOTHING.fullmatch(text.strip().strip("`*_")) is not None


def form_of(text: str) -> Kind | None:
    """Return the kind of thing that a name in code can only be, or None: an operation, a variable, a file."""
    if len(text) > _LONGEST:
        return None
    if OPERATION.fullmatch(text) or _PATH.fullmatch(text):
        return "operations"
    if _FILE.fullmatch(text):
        return "files"
    return "environment" if _VARIABLE.fullmatch(text) and len(text) > 2 else None


def fitting(text: str, kind: Kind) -> str | None:
    """Return the name of a thing of this kind that a piece of code is, or None when it cannot be one."""
    if kind == "environment":
        plain = text.strip("${}").partition("=")[0]
        return plain if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", plain) else None
    if kind == "operations":
        found = OPERATION.fullmatch(text)
        return f"{found[1]} {found[2]}" if found else text if text.startswith("/") and " " not in text else None
    pattern = {"tables": _DOTTED, "events": _EVENT, "files": _FILE}.get(kind, _EVENT)
    return text if pattern.fullmatch(text) else None


def is_plain_name(text: str) -> bool:
    """Return whether a text is a single name, without dots."""
    return _NAME.fullmatch(text) is not None


def is_dotted(text: str) -> bool:
    """Return whether a text may be a table's column: names joined by a dot."""
    return "." in text and _DOTTED.fullmatch(text) is not None
