"""YAML as OpenAPI allows it: keys are the text that was written, values are those of JSON.

Built from the parser's events, without recursion: libyaml's own composer ends the whole process on deep nesting, and
takes `on`, `yes` and dates for what OpenAPI says are texts. What aliases stand for is counted while it is built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)  # fmt: skip

from gates.document.reading import MAX_DEPTH, DocumentError, integer, not_a_number, real, repeated, too_deep

MAX_VALUES = 4_000_000
MAX_ALIASED = 1_000_000
_TAG = "tag:yaml.org,2002:"
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("-+.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def from_yaml(text: str) -> Any:
    """Return the values of a YAML text; nothing at all is None.

    Raises DocumentError for what is no YAML, and for YAML that OpenAPI does not allow.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    builder = _Builder()
    try:
        while (event := loader.get_event()) is not None:
            builder.take(event)
    except yaml.YAMLError as error:
        raise DocumentError(f"the document is neither JSON nor YAML: {_problem(error)}") from error
    finally:
        loader.dispose()
    return builder.root


def _problem(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem:
        where = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        return f"{error.problem}{where}"
    return str(error).splitlines()[0]


@dataclass(slots=True)
class _Open:
    """An object or list that has begun; `key` is the one that waits for its value, `height` how deep it is inside."""

    container: dict[str, Any] | list[Any]
    anchor: str | None
    before: int
    key: str | None = None
    merging: bool = False
    height: int = 1
    merged: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    size: int
    height: int


class _Builder:
    """Takes events one by one; `root` is the value of the one document when they have ended."""

    def __init__(self) -> None:
        self.root: Any = None
        self._documents = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._written = 0
        self._aliased = 0

    def take(self, event: Event) -> None:
        kind = type(event)
        if kind is ScalarEvent:
            self._scalar(event)
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            self._begin(event, {} if kind is MappingStartEvent else [])
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            self._end()
        elif kind is AliasEvent:
            self._alias(event)
        elif kind is DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                raise DocumentError("the text holds more than one YAML document", "keep one document in a file")

    def _awaits_key(self) -> _Open | None:
        top = self._open[-1] if self._open else None
        return top if top is not None and top.key is None and isinstance(top.container, dict) else None

    def _scalar(self, event: Any) -> None:
        self._count()
        top = self._awaits_key()
        value = _value(event) if top is None else event.value
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        if top is None:
            self._put(value, 0)
        else:
            self._name(top, value, event, merging=value == "<<" and event.tag is None and event.implicit[0])

    def _name(self, top: _Open, key: Any, event: Any, merging: bool = False) -> None:
        line = event.start_mark.line + 1
        if not isinstance(key, str):
            raise DocumentError(f"the document has a key that is no text in line {line}", "keys are plain texts")
        if not merging and key in top.container:
            raise repeated(key, line)
        top.key, top.merging = key, merging

    def _begin(self, event: Any, container: dict[str, Any] | list[Any]) -> None:
        self._count()
        if self._awaits_key():
            self._name(self._open[-1], None, event)
        expected = f"{_TAG}{'map' if isinstance(container, dict) else 'seq'}"
        if event.tag not in (None, "!", expected):
            raise _foreign(event.tag, event)
        if len(self._open) >= MAX_DEPTH:
            raise too_deep()
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Open(container, event.anchor, self._written + self._aliased - 1))

    def _end(self) -> None:
        ended = self._open.pop()
        value = ended.container
        if ended.merged and isinstance(value, dict):
            # Of what is merged in, the first one named wins; what the object says itself wins over all.
            together: dict[str, Any] = {}
            for other in reversed(ended.merged):
                together.update(other)
            value = {**together, **value}
        if ended.anchor is not None:
            size = self._written + self._aliased - ended.before
            self._anchors[ended.anchor] = _Anchored(value, size, ended.height)
        self._put(value, ended.height)

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if event.anchor not in self._anchors:
            raise DocumentError(f"the YAML alias *{event.anchor} in line {line} stands for nothing")
        found = self._anchors[event.anchor]
        if found is None:
            raise DocumentError(f"the document contains itself (the YAML alias *{event.anchor} in line {line})")
        self._aliased += found.size
        if self._aliased > MAX_ALIASED:
            raise DocumentError(f"the document's YAML aliases stand for more than {MAX_ALIASED:,} values")
        if len(self._open) + found.height > MAX_DEPTH:
            raise too_deep()
        if top := self._awaits_key():
            self._name(top, found.value, event)
        else:
            self._put(found.value, found.height)

    def _put(self, value: Any, height: int) -> None:
        if not self._open:
            self.root = value
            return
        top = self._open[-1]
        if height >= top.height:
            top.height = height + 1
        if isinstance(top.container, list):
            top.container.append(value)
            return
        assert top.key is not None
        if top.merging:
            top.merged = top.merged or []
            top.merged += _mergeable(value)
        else:
            top.container[top.key] = value
        top.key = None

    def _count(self) -> None:
        self._written += 1
        if self._written > MAX_VALUES:
            raise DocumentError(f"the document has more than {MAX_VALUES:,} values")


def _mergeable(value: Any) -> list[dict[str, Any]]:
    parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, dict) for part in parts):
        raise DocumentError("a YAML merge key (<<) of the document merges something that is no object")
    return parts


def _value(event: Any) -> Any:
    tag, text = event.tag, event.value
    if tag is None:
        return _plain(text) if event.implicit[0] else text
    if tag in ("!", f"{_TAG}str"):
        return text
    value = _plain(text)
    if (tag == f"{_TAG}float" and type(value) is int) or tag == f"{_TAG}{_KINDS.get(type(value))}":
        return value
    raise _foreign(tag, event)


_KINDS: dict[type, str] = {int: "int", float: "float", bool: "bool", type(None): "null"}


def _plain(text: str) -> Any:
    """Return what an unquoted text stands for by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _NUMBER_STARTS:
        if _INTEGER.fullmatch(text):
            return integer(text)
        if _REAL.fullmatch(text):
            return real(text)
        if _OTHER_BASE.fullmatch(text):
            return integer(text, 0)
        if _NOT_FINITE.fullmatch(text):
            return not_a_number(text)
    return text


def _foreign(tag: str, event: Any) -> DocumentError:
    line = event.start_mark.line + 1
    shown = tag.replace(_TAG, "!!")
    return DocumentError(
        f"the document is neither JSON nor YAML as OpenAPI allows it: it uses the tag {shown} in line {line}"
    )
