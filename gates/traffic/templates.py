"""What a path looks like with its identifiers taken out: `/orders/17` and `/orders/18` are one route."""

from __future__ import annotations

import re

_IDENTIFIER = re.compile(
    r"""
      [-+]?[0-9]+(?:\.[0-9]+)?                                            # a number
    | [0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}              # a UUID
    | (?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}                                   # hexadecimal, with a digit
    | [0-7][0-9A-HJKMNP-TV-Z]{25}                                         # a ULID
    | [0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[-+][0-9:]+)?)?          # a date, with or without a time
    | [^/@\s]+@[^/@\s]+                                                   # an address
    | (?=[^0-9]*[0-9])(?=[^a-zA-Z]*[a-zA-Z])[A-Za-z0-9_=~.-]{20,}         # a token
    | [A-Za-z]{1,6}[_-]?[0-9]{2,}                                         # an order number such as ORD-0017
    | \{[^/{}]*\}                                                         # a template already
    """,
    re.VERBOSE,
)
_VERSION = re.compile(r"[vV][0-9]+(?:\.[0-9]+)*")
_LONGEST_SEGMENT = 200


def is_identifier(segment: str) -> bool:
    """Return whether a segment of a path looks like the name of one thing, not of a kind of things; `v1` does not."""
    if len(segment) > _LONGEST_SEGMENT:
        return True
    return _VERSION.fullmatch(segment) is None and _IDENTIFIER.fullmatch(segment) is not None


def guess_template(path: str) -> str:
    """Return a path with `{id}` in the place of everything that looks like an identifier."""
    return "/".join("{id}" if is_identifier(segment) else segment for segment in path.split("/"))
