"""Which operation of the document a request of the project's own locustfile stands for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from gates.document import Document, Operation, operation_of


def operation_names(operations: Sequence[str], base_path: str) -> Callable[[str, str], str]:
    """Return what finds the operation of a request's method and name, or the two themselves where there is none."""
    document = Document(
        "", {}, "", base_path,
        tuple(Operation(name.split(" ")[0], name.split(" ", 1)[1], {}, ()) for name in operations),
    )  # fmt: skip

    @functools.lru_cache(maxsize=4096)
    def operation_named(method: str, name: str) -> str:
        path = urlsplit(name).path or name
        found = operation_of(document, method, path)
        return found.name if found else f"{method} {name}"

    return operation_named
