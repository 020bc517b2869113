"""What a request must look like; anything else is refused with a sentence that says why."""

import re
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException

LARGEST_INTEGER = 2**31 - 1


class Invalid(HTTPException):
    """The request was understood, but its content is not acceptable."""

    code = 422


def integer_argument(name: str, default: int, lowest: int, highest: int) -> int:
    """Return an integer of the query string."""
    text = request.args.get(name)
    return default if text is None else integer(text, name, lowest, highest)


def integer(text: str, name: str, lowest: int, highest: int) -> int:
    """Return the integer that a text stands for."""
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
        raise Invalid(f"{name} must be an integer from {lowest} to {highest}.")
    return int(text)


def new_order() -> tuple[str, list[tuple[int, int]]]:
    """Return the customer and the (product, quantity) lines of an order in the body of the request."""
    body = _object(request.get_json(), "The order", {"customer", "lines"})
    customer, lines = body["customer"], body["lines"]
    if not isinstance(customer, str) or not 1 <= len(customer) <= 80 or not _storable(customer):
        raise Invalid("customer must be a text of 1 to 80 characters.")
    if not isinstance(lines, list) or not 1 <= len(lines) <= 20:
        raise Invalid("lines must be a list of 1 to 20 lines.")
    pairs = []
    for line in lines:
        fields = _object(line, "A line", {"product_id", "quantity"})
        pairs.append((_whole(fields, "product_id", LARGEST_INTEGER), _whole(fields, "quantity", 1000)))
    return customer, pairs


def _storable(text: str) -> bool:
    # JSON can spell half of a surrogate pair, which no encoding can store.
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _object(value: Any, what: str, fields: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != fields:
        raise Invalid(f"{what} must be an object with exactly the fields {', '.join(sorted(fields))}.")
    return value


def _whole(fields: dict[str, Any], name: str, highest: int) -> int:
    value = fields[name]
    # In JSON, 2.0 is the same integer as 2; in Python, True is one as well.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= highest or value % 1:
        raise Invalid(f"{name} must be an integer from 1 to {highest}.")
    return int(value)
