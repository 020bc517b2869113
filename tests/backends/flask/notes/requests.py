"""What a request must look like; anything else is refused with a sentence that says why."""

import re
from typing import Any

from flask import abort, request

LARGEST_INTEGER = 2**31 - 1


def integer(text: str, name: str, lowest: int, highest: int) -> int:
    """Return the integer that a text stands for."""
    if not re.fullmatch(r"-?[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
        abort(422, f"{name} must be an integer from {lowest} to {highest}.")
    return int(text)


def fields_of_body(needed: set[str]) -> dict[str, Any]:
    """Return the fields of a note in the body of the request; those that are needed are there."""
    body = request.get_json()
    if not isinstance(body, dict) or not body or set(body) - {"title", "text", "tags"} or needed - set(body):
        abort(422, "The body must be an object with some of the fields title, text and tags, and nothing else.")
    if "title" in body and not _text(body["title"], 1, 100):
        abort(422, "title must be a text of 1 to 100 characters.")
    if "text" in body and not _text(body["text"], 0, 10_000):
        abort(422, "text must be a text of at most 10000 characters.")
    tags = body.get("tags", [])
    if not isinstance(tags, list) or len(tags) > 10 or not all(_text(tag, 1, 30) for tag in tags):
        abort(422, "tags must be a list of at most 10 texts of 1 to 30 characters.")
    return body


def _text(value: Any, shortest: int, longest: int) -> bool:
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        return False
    # JSON can spell half of a surrogate pair, which no answer could carry.
    return not any("\ud800" <= character <= "\udfff" for character in value)
