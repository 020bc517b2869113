"""Placeholders in what a shell reads: a value stays one word whatever it holds, in the quotation that it stands in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
NEEDS_SHELL = re.compile(r"\$[A-Za-z_{$?]")
"""What only a shell knows: $NAME, ${NAME}, its own number ($$), how the last command ended ($?)."""
SHELLS = ("sh", "bash")


def fill_in(script: str, value_of: Callable[[re.Match[str]], str]) -> str:
    """Return a script with its placeholders filled in; one whose value is itself is no placeholder and stays."""
    parts: list[str] = []
    quotation, position = "", 0
    while position < len(script):
        match = PLACEHOLDER.match(script, position)
        if match is not None:
            value = value_of(match)
            parts.append(value if value == match[0] else escaped(value, quotation))
            position = match.end()
            continue
        character = script[position]
        if character == "\\" and quotation != "'":
            parts.append(script[position : position + 2])
            position += 2
            continue
        if character in "'\"" and quotation in ("", character):
            quotation = "" if quotation else character
        parts.append(character)
        position += 1
    return "".join(parts)


def escaped(value: str, quotation: str) -> str:
    """Return a value as it is written inside a quotation: `'`, `"`, or none."""
    if quotation == "'":
        return value.replace("'", "'\\''")
    if quotation == '"':
        return re.sub(r'([\\"$`])', r"\\\1", value)
    return shlex.quote(value)
