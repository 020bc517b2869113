"""The text of an API description as plain values: JSON, else YAML by the rules that OpenAPI sets for it.

Pure, and made for texts that nobody here wrote: size, nesting, aliases and numbers are bounded, nothing is recursive.
What comes out is never more than JSON can say, so that everybody who reads the document reads the same.
"""

from __future__ import annotations

import json
import re
from typing import Any

from gates.errors import GatesError

MAX_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 256
_MAX_CONTAINERS = 4_000_000
_MAX_DIGITS = 250
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


class DocumentError(GatesError):
    """The text is not an API description that could be read."""


def text_of(data: bytes) -> str:
    """Return the text of a file or an answer in UTF-8, UTF-16 or UTF-32, without its byte order mark.

    Raises DocumentError when it is none of them, or larger than MAX_BYTES.
    """
    _check_size(len(data))
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        name, line = encoding.removesuffix("-sig").upper(), data.count(b"\n", 0, error.start) + 1
        raise DocumentError(
            f"the document is not valid {name}: byte {error.start} (line {line}) is no part of a character",
            "save it as UTF-8; is this the API description, and not an archive or an image?",
        ) from error


def values_of(text: str) -> Any:
    """Return what a text says in JSON or YAML, as dicts with text keys, lists, texts, numbers, booleans and None.

    Raises DocumentError with one sentence for everything that is neither, is ambiguous (a key that stands twice), or
    has a size, depth or number that other programs could not read.
    """
    try:
        _check_size(len(text.encode()))
    except UnicodeEncodeError as error:
        raise DocumentError(f"the document is no text: there is half a character at position {error.start}") from error
    try:
        return _from_json(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip()[:1] in ("{", "["):
            problem = error if isinstance(error, ValueError) else f"it is nested deeper than {MAX_DEPTH} levels"
            raise DocumentError(f"the document is not valid JSON: {problem}") from error
    from gates.document.yaml_events import from_yaml

    return from_yaml(text)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise DocumentError(
            f"the document is larger than {MAX_BYTES // 2**20} MiB",
            "is this the API description? Split it by servers or versions where it is",
        )


def _from_json(text: str) -> Any:
    # Counting brackets costs nothing beside parsing, and bounds the memory that the values can take.
    if text.count("{") + text.count("[") > _MAX_CONTAINERS:
        raise DocumentError(f"the document has more than {_MAX_CONTAINERS:,} objects and lists")
    content = json.loads(
        text, object_pairs_hook=_object, parse_int=integer, parse_float=real, parse_constant=not_a_number
    )
    _check_depth(content)
    if _HALF_CHARACTER.search(text):
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = error.object[error.start]
            raise DocumentError(f"the document has half of a character in a text: {half!r} stands alone") from error
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for number, name in enumerate(names) if name in names[:number])
        raise repeated(twice)
    return found


def _check_depth(content: Any) -> None:
    level, depth = [content], 0
    while level:
        if depth >= MAX_DEPTH:
            raise too_deep()
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list))
        ]
        depth += 1


def integer(literal: str, base: int = 10) -> int:
    """Return a whole number; one that no double-precision number could hold is refused."""
    if len(literal) > _MAX_DIGITS:
        raise _too_large(literal)
    return int(literal, base)


def real(literal: str) -> float:
    """Return a number with a fraction or an exponent; one that is infinite as a double-precision number is refused."""
    value = float(literal) if len(literal) <= _MAX_DIGITS else float("inf")
    if value in (float("inf"), float("-inf")):
        raise _too_large(literal)
    return value


def not_a_number(literal: str) -> float:
    """Refuse NaN and Infinity, which some programs write and most cannot read."""
    raise DocumentError(f"the document has the number {literal}, which JSON does not have", "leave the bound out")


def _too_large(literal: str) -> DocumentError:
    shown = literal if len(literal) <= 20 else f"{literal[:12]}… ({len(literal):,} characters)"
    return DocumentError(f"the document has the number {shown}, which is larger than programs can read")


def repeated(key: str, line: int | None = None) -> DocumentError:
    """Return the refusal of a key that stands twice: one program would read the first value, another the second."""
    where = "" if line is None else f", the second time in line {line}"
    shown = key if len(key) <= 80 else f"{key[:80]}…"
    return DocumentError(f"the key {shown!r} stands twice in the same object{where}", "remove one of the two")


def too_deep() -> DocumentError:
    """Return the refusal of a document that is nested deeper than programs can follow."""
    return DocumentError(
        f"the document is nested deeper than {MAX_DEPTH} levels", "name the inner parts and refer to them"
    )
