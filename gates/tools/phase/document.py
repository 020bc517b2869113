"""Reads `phases/<name>.md`: its front matter, its lists and tables under `Provides` and `Consumes`, its prose; pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gates.errors import ToolError
from gates.profiles import nearest_hint
from gates.tools.phase import words
from gates.tools.phase.items import Listed, read_line, read_row
from gates.tools.phase.markdown import Block, blocks, spans
from gates.tools.phase.references import Consumes, Kind, Reference, References, Written, consumed, listed, merge

_TABLES = ("provides", "consumes")
_FORMS = (
    "name each thing in a list: - `GET /orders/{id}`, - table `orders` (`id`, `total`), - event `order.placed`, "
    "- environment `ORDERS_DB`; or write `none`"
)
_SECTION, _LINE, _DEEPEST = -20, -1, 6
"""How deep they are: the heading of a section, a text above a list, the least of all headings; items are from 0."""
_Model = TypeVar("_Model", bound=BaseModel)


def read_document(text: str, path: str, phases: tuple[str, ...]) -> Written:
    """Return what a phase document says; `phases` are the names that something may be consumed from.

    Raises ToolError, with the file and what would be right, for front matter that cannot be read.
    """
    front, body, first = _front_matter(text, path)
    return merge([_of_front_matter(front, path), _Reader(path, phases).read(body, first)])


def read_table(settings: Mapping[str, Any], place: str) -> Written:
    """Return what the phase's table of gates.toml says; it was validated when the file was read."""
    provides = References.model_validate(settings.get("provides") or {})
    consumes = Consumes.model_validate(settings.get("consumes") or {})
    names, needs = tuple(listed(provides, place)), tuple(consumed(consumes, place))
    return Written(names, needs, places=(place,), complete=bool(names)) if names or needs else Written()


def _front_matter(text: str, path: str) -> tuple[Mapping[str, Any], str, int]:
    """Return the front matter, the text after it, and the number of the line it begins in."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return {}, text, 1
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        raise ToolError(f"{path}:1: the front matter is not closed", "end it with a line of three dashes: ---")
    import yaml

    try:
        content = yaml.safe_load("\n".join(lines[1:end]))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 2}" if mark else ""
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ToolError(
            f"{path}{line}: the front matter is not YAML: {reason}", "names with a colon, * or { need quotes"
        ) from error
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise ToolError(f"{path}: the front matter is not a table", "it holds keys, such as `provides:`")
    return content, "\n".join(lines[end + 1 :]), end + 2


def _of_front_matter(content: Mapping[str, Any], path: str) -> Written:
    for key in content:
        near = difflib.get_close_matches(str(key).lower(), _TABLES, n=1, cutoff=0.75)
        if near and key not in _TABLES:
            raise ToolError(f"{path}: the front matter has no key {key!r}", f"did you mean {near[0]!r}?")
    provides = _validated(References, content.get("provides"), path, "provides")
    consumes = _validated(Consumes, content.get("consumes"), path, "consumes")
    # Other keys are those of the programs that publish such files.
    if not set(content) & set(_TABLES):
        return Written()
    said = "provides" in content
    return Written(tuple(listed(provides, path)), tuple(consumed(consumes, path)), places=(path,), complete=said)


def _validated(model: type[_Model], given: Any, path: str, key: str) -> _Model:
    try:
        return model.model_validate({} if given is None else given)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join([key, *(str(part) for part in problem["loc"])])
        if problem["type"] == "extra_forbidden":
            message = f"{path}: the front matter has no key {where}"
            raise ToolError(message, nearest_hint(str(problem["loc"][-1]), list(References.model_fields))) from error
        wrong = {"tuple_type": 'this is a list, such as ["orders"]', "string_type": "this is text, in quotes"}
        if problem["type"].startswith("model"):
            reason = f"this is a table, not {problem['input']!r}"
        else:
            reason = wrong.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
        raise ToolError(f"{path}: {where}: {reason}", _FORMS) from error


class _Reader:
    """Goes through the blocks of a document, and knows under which headings it is."""

    def __init__(self, path: str, phases: tuple[str, ...]) -> None:
        self._path, self._phases = path, phases
        self._provides: list[Reference] = []
        self._consumes: list[Reference] = []
        self._mentions: list[Reference] = []
        self._unread: dict[str, str] = {}
        """By the place of a section, what it is called, until something in it could be read."""
        self._section: words.Section | None = None
        self._place = ""
        self._complete = False
        self._depth = 0
        self._above: list[tuple[int, Kind | None, str]] = []
        """What the headings and items above say: how deep they are, the kind of what is below, the phase it is from."""

    def read(self, text: str, first: int) -> Written:
        """Return what the text says."""
        for block in blocks(text, first):
            if block.kind == "heading":
                self._heading(block)
            else:
                self._content(block)
        remarks = tuple(f"{place}: nothing under {title!r} could be read" for place, title in self._unread.items())
        return Written(
            tuple(self._provides), tuple(self._consumes), tuple(self._mentions), remarks, (self._path,), self._complete
        )  # fmt: skip

    def _heading(self, block: Block) -> None:
        section = words.section_of(block.text)
        if section is not None:
            self._begin(section, block, block.text, block.depth)
            self._above = [(_SECTION, words.kind_in(block.text), self._phase(block.text))]
        elif self._section is not None and block.depth > self._depth:
            phase = words.phase_of_heading(block.text, self._phases) or ""
            depth = _SECTION + block.depth
            self._above = [one for one in self._above if one[0] < depth]
            self._above.append((depth, words.kind_in(block.text), phase))
        else:
            self._section = None
        self._mention(block, [span.text for span in spans(block.text)])

    def _begin(self, section: words.Section, block: Block, title: str, depth: int) -> None:
        self._section, self._depth, self._place = section, depth, f"{self._path}:{block.line}"
        self._unread[self._place] = title
        self._complete = self._complete or section == "provides"

    def _phase(self, text: str) -> str:
        return words.phase_in(text, self._phases) or ""

    def _content(self, block: Block) -> None:
        text = block.text.replace("**", "").replace("__", "") if block.kind != "row" else block.text
        label = words.label_of(text) if block.kind in ("text", "item") else None
        if label is not None:
            section, said, text = label
            self._begin(section, block, f"{section}:", _DEEPEST)
            self._above = [(_SECTION, words.kind_in(said), self._phase(said))]
        if self._section is None:
            self._mention(block, [span.text for span in spans(block.text)])
            return
        if words.says_nothing(text):
            self._unread.pop(self._place, None)
            return
        if text:
            self._list(block, text, in_label=label is not None)

    def _list(self, block: Block, text: str, *, in_label: bool) -> None:
        deepest = block.depth if block.kind == "item" and not in_label else _LINE if block.kind == "text" else 0
        self._above = [one for one in self._above if one[0] < deepest]
        kind = next((kind for _, kind, _ in reversed(self._above) if kind is not None), None)
        phase = next((phase for _, _, phase in reversed(self._above) if phase), "")
        own, text = self._phase_of_line(block, text)
        if block.kind == "row":
            found = read_row(block.cells, block.headings, kind)
        else:
            found = read_line(text, kind, sentence=block.kind == "text" and not in_label)
        if block.kind != "row" and not in_label and not found.names:
            # What names nothing itself says what is below it: `Tables:`, `From foundation:`.
            self._above.append((deepest, found.label or words.kind_in(text), own))
        self._take(block, found, own or phase)

    def _phase_of_line(self, block: Block, text: str) -> tuple[str, str]:
        """Return the phase that a line says its names are from, and the line without saying so at its beginning."""
        if self._section != "consumes":
            return "", text
        if block.kind == "row":
            named = [
                words.phase_of_heading(cell, self._phases)
                for heading, cell in zip(block.headings, block.cells, strict=False)
                if heading.strip("*` ").lower() in ("phase", "from", "from phase")
            ]
            return next((name for name in named if name), ""), text
        return words.leading_phase(text, self._phases) or (self._phase(text), text)

    def _take(self, block: Block, found: Listed, phase: str) -> None:
        place = f"{self._path}:{block.line}"
        names = [(kind, name) for kind, name in found.names if not (phase and name == phase)]
        taken = self._provides if self._section == "provides" else self._consumes
        from_phase = phase if self._section == "consumes" else ""
        taken += [Reference(kind, name, place, from_phase) for kind, name in names]
        if names:
            self._unread.pop(self._place, None)
        self._mention(block, found.mentions)

    def _mention(self, block: Block, texts: list[str]) -> None:
        """Keep what stands in code and can only be an operation, a file or a column."""
        for text in texts:
            form = words.form_of(text)
            kind: Kind | None = form if form in ("operations", "files") else None
            if form == "operations" and text.startswith("/"):
                continue  # a path of anything
            if kind is None and words.is_dotted(text):
                kind = "tables"
            if kind is not None:
                self._mentions.append(Reference(kind, text, f"{self._path}:{block.line}", listed=False))
