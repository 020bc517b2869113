"""The operations of a phase, with an example of each: a request that was recorded, or what the document says; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.document import Document, DocumentError, Operation
from gates.reports.markdown.escape import code, prose, table
from gates.reports.markdown.kept import Kept
from gates.reports.markdown.lists import folded
from gates.reports.markdown.shapes import of_schema, of_shape
from gates.reports.wording import plural, value
from gates.results import OperationRow, RecordedRequest, Run

_MOST_ROWS = 300
_MOST_EXAMPLES = 200
_LONGEST = 600
_DEEPEST = 20
_SECRET = re.compile(
    r"(?i)pass(?:word|wd|phrase|code)|secret|token|api[-_]?key|private[-_]?key|credential|authori[sz]ation|cookie"
)
_SECRET_PAIR = re.compile(rf"(?i)([^?&=\s]*(?:{_SECRET.pattern[4:]})[^=&]*=)[^&\s]*")
_HIDDEN = "[redacted]"
_NO_EXAMPLE = (
    "No example of a request is known: a `replay` gate records requests, an `openapi` gate keeps the document."
)
_NO_DOCUMENT = "not measured: no gate has kept an OpenAPI document: add an `openapi` gate"


def by_path(row: OperationRow) -> tuple[str, str]:
    """Return the key that puts operations in the order of their paths."""
    return row.operation.partition(" ")[2], row.operation


def endpoints(run: Run, kept: Kept) -> list[str]:
    """Return the table of operations, and an example of each below it."""
    rows = sorted(run.operations, key=by_path)
    if not rows:
        return [_NO_DOCUMENT]
    cells = [
        [
            code(row.operation, cell=True),
            "new" if kept.is_new("operations", row.operation) else "" if row.documented else "not in the document",
            prose(row.operation_class),
            " ".join(map(str, row.statuses_seen)) or "–",
            _tested(row),
            value(row.p95, "s"),
        ]
        for row in rows
    ]
    lines = table(["operation", "", "class", "answered with", "tested", "p95"], cells, frozenset({5}))
    left = len(cells) - _MOST_ROWS
    more = ["", f"and {left:,} more, in the baseline beside this file"] if left > 0 else []
    return [*lines[: _MOST_ROWS + 2], *more, "", *_examples(run, rows, kept)]


def _tested(row: OperationRow) -> str:
    if row.tested is None:
        return "–"
    words = {"generated": "by generated requests", "tests": "by its tests"}
    by = ", ".join(words.get(one, prose(one)) for one in row.tested_by)
    return (by or "yes") if row.tested else "without success"


def _examples(run: Run, rows: list[OperationRow], kept: Kept) -> list[str]:
    recorded = _recorded(run)
    if not recorded and kept.document is None:
        return [_NO_EXAMPLE]
    lines: list[str] = []
    for row in rows[:_MOST_EXAMPLES]:
        told = list(_example(recorded.get(row.operation), kept.operations.get(row.operation), kept.document))
        summary = _summary(kept.operations.get(row.operation))
        lines += [f"- {code(row.operation)}{summary}", *(f"  - {one}" for one in told or ["no example is known"])]
    if len(rows) > _MOST_EXAMPLES:
        lines.append(f"- and {plural(len(rows) - _MOST_EXAMPLES, 'operation')} more, in the baseline beside this file")
    sources = [f"{plural(len(recorded), 'operation')} with a recorded request"] if recorded else []
    sources += [] if recorded else ["no request was recorded: add a `replay` gate"]
    sources += [] if kept.document else ["no OpenAPI document was kept: add an `openapi` gate"]
    title = f"Example requests, and the form of their answers ({'; '.join(sources)})"
    if any("~captured-" in one or "~secret-" in one for one in lines):
        lines = ["`~captured-1~` stands for what an earlier step answered, `~secret-1~` for a secret.", "", *lines]
    return folded(title, lines, few=0, most=len(lines))


def _summary(operation: Operation | None) -> str:
    text = operation.definition.get("summary") if operation else None
    return f": {prose(text, 200)}" if isinstance(text, str) and text.strip() else ""


@dataclass(frozen=True, slots=True)
class _Sample:
    """A recorded request, with what was needed before it."""

    request: RecordedRequest
    steps: tuple[str, ...]


def _recorded(run: Run) -> dict[str, _Sample]:
    """Return a successful request of each operation: one of a `replay` gate, with its shape, before any other."""
    found: dict[str, tuple[tuple[Any, ...], _Sample]] = {}
    for gate in sorted(run.gates, key=lambda one: one.gate):
        for request in gate.readings.requests:
            kind, steps = _steps(request)
            good = request.status is not None and 200 <= request.status < 300 and kind == "success"
            key = (not request.shape, request.status or 0, len(request.path), request.path, request.body or "")
            best = found.get(request.operation)
            if good and (best is None or key < best[0]):
                found[request.operation] = (key, _Sample(request, steps))
    return {operation: sample for operation, (_, sample) in found.items()}


def _steps(request: RecordedRequest) -> tuple[str, tuple[str, ...]]:
    """Return what kind of request it is, and the operations that come before it."""
    if not request.steps:
        return "success", ()
    try:
        content = json.loads(request.steps)
        return str(content["kind"]), tuple(str(step["operation"]) for step in content["steps"])
    except (ValueError, KeyError, TypeError):
        return "", ()  # of a later format


def _example(sample: _Sample | None, operation: Operation | None, document: Document | None) -> Iterator[str]:
    if sample is not None:
        request = sample.request
        after = f" after {', '.join(code(step) for step in sample.steps)}" if sample.steps else ""
        body = f", body {code(_cut(_body(request.body)))}" if request.body else ""
        yield f"request: {code(_cut(f'{request.method} {_without_secrets(request.path)}'))}{body}{after}"
        answer = _recorded_answer(request)
        if answer is not None:
            yield f"answers {request.status}: {answer}"
            return
    elif operation is not None and document is not None and (body := _example_body(operation, document)):
        yield f"request, by the document: {code(_cut(operation.name))}, body {code(_cut(body))}"
    if operation is not None and document is not None:
        yield from _described_answer(operation, document)


def _recorded_answer(request: RecordedRequest) -> str | None:
    try:
        content = json.loads(request.shape) if request.shape else None
    except ValueError:
        return None
    if not isinstance(content, Mapping):
        return None
    media = str(content.get("type") or "")
    if "body" in content:
        return f"{prose(media, 100)} {code(_cut(of_shape(content['body'])))}".strip()
    return prose(media, 100) or "nothing"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _without_secrets(text: str) -> str:
    return _SECRET_PAIR.sub(rf"\1{_HIDDEN}", text)


def _body(text: str | None) -> str:
    try:
        content = json.loads(text or "")
    except (ValueError, RecursionError):
        return _without_secrets(text or "")
    return json.dumps(_hidden(content), ensure_ascii=False)


def _hidden(content: Any, depth: int = 0) -> Any:
    """Return JSON with what stands under the name of a secret left out; what was recorded has no secrets already."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(content, dict):
        return {
            str(name): _HIDDEN if _SECRET.search(str(name)) and one is not None else _hidden(one, depth + 1)
            for name, one in content.items()
        }
    return [_hidden(one, depth + 1) for one in content] if isinstance(content, list) else content


def _example_body(operation: Operation, document: Document) -> str:
    body = _resolved(operation.definition.get("requestBody"), document)
    for media in _mapping(body.get("content")).values():
        found = _first_example(_mapping(media), document)
        if found is not None:
            return json.dumps(_hidden(found), ensure_ascii=False, default=str)
    return ""


def _first_example(media: Mapping[str, Any], document: Document) -> Any:
    if "example" in media:
        return media["example"]
    for one in _mapping(media.get("examples")).values():
        example = _resolved(one, document)
        if "value" in example:
            return example["value"]
    schema = _resolved(media.get("schema"), document)
    examples = schema.get("examples")
    return schema.get("example", examples[0] if isinstance(examples, list) and examples else None)


def _described_answer(operation: Operation, document: Document) -> Iterator[str]:
    responses = _resolved(operation.definition.get("responses"), document)
    statuses = sorted(str(status) for status in responses if str(status).startswith("2"))
    for status in statuses[:1]:
        answer = _resolved(next(one for key, one in responses.items() if str(key) == status), document)
        content = dict(_mapping(answer.get("content")))
        if not content and "schema" in answer:
            content = {"": answer}
        for media, described in list(content.items())[:1]:
            shape = of_schema(_mapping(described).get("schema", {}), document)
            kind = f"{prose(media, 100)} " if media else ""
            yield f"answers {prose(status)}, by the document: {kind}{code(_cut(shape))}"
        if not content:
            yield f"answers {prose(status)}, by the document: without a body"


def _resolved(node: Any, document: Document) -> Mapping[str, Any]:
    try:
        return _mapping(document.resolve(node))
    except DocumentError:
        return {}


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}
