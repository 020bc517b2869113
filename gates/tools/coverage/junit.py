"""Reads JUnit XML, in the dialects of pytest, node --test, jest-junit, vitest, mocha, surefire and go-junit-report."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from gates.errors import ToolError
from gates.tools.coverage.cases import Case, Obstacle, Outcome, Outcomes, first_lines, merge_same, node_id, number_same

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# XML 1.0 knows no control characters, yet terminal colours of failure texts are written into these files.
_ILLEGAL = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:x0*(?:[0-8bcefBCEF]|1[0-9a-fA-F])|0*(?:[0-8]|1[124-9]|2\d|3[01]));"
)

_OUTCOMES: dict[str, Outcome] = {
    "failure": "failed", "error": "error", "skipped": "skipped",
    "flakyFailure": "flaky", "flakyError": "flaky",  # of surefire, which tries again on its own
}  # fmt: skip


def parse_junit(
    content: bytes, name: str = "the JUnit file", root: str = "", is_file: Callable[[str], bool] = lambda path: False
) -> Outcomes:
    """Return the tests of a JUnit file; `root` is the project's folder, from which paths are told.

    A test of pytest that stands there twice (it failed, and its teardown too) is one test; in other dialects it is
    another test of the same name, and becomes `name#2`. Raises ToolError when it is not JUnit XML.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, iterparse

    reader = _Reader(root.rstrip("/"), is_file)
    try:
        for event, element in iterparse(io.BytesIO(_ILLEGAL.sub(b"?", content)), events=("start", "end")):
            reader.start(element) if event == "start" else reader.end(element)
    except (ParseError, DefusedXmlException) as error:
        raise ToolError(
            f"{name} is not readable XML: {error}", "was the program that writes it stopped before its end?"
        ) from error
    except _NotJUnit as error:
        raise ToolError(f"{name} is not a JUnit file: it begins with <{error}>", "name another file") from error
    cases = merge_same(reader.cases) if reader.from_pytest else number_same(reader.cases)
    return Outcomes(cases, tuple(reader.obstacles))


class _NotJUnit(Exception):
    """The root element is another one."""


class _Reader:
    """Follows the elements as they open and close, and keeps only the tests."""

    def __init__(self, root: str, is_file: Callable[[str], bool]) -> None:
        self.root, self.is_file = root, is_file
        self.open: list[str] = []
        self.suites: list[str] = []
        self.from_pytest = False
        self.cases: list[Case] = []
        self.obstacles: list[Obstacle] = []

    def start(self, element: Element) -> None:
        if not self.open and element.tag not in ("testsuites", "testsuite"):
            raise _NotJUnit(element.tag)
        self.open.append(element.tag)
        if element.tag == "testsuite":
            self.suites.append(self._relative(element.get("name", "").strip()))
            self.from_pytest = self.from_pytest or self.suites[-1] == "pytest"

    def end(self, element: Element) -> None:
        self.open.pop()
        if element.tag == "testcase":
            self._case(element)
            element.clear()
        elif element.tag == "testsuite":
            self.suites.pop()
            element.clear()
        elif element.tag in ("failure", "error") and self.open and self.open[-1] == "testsuite":
            self.obstacles.append(Obstacle("tests.collection", self.suites[-1], _message(element)))

    def _case(self, element: Element) -> None:
        outcome: Outcome = "passed"
        message = ""
        for child in element:
            if child.tag in _OUTCOMES and outcome != "failed":
                outcome, message = _OUTCOMES[child.tag], _message(child)
                if child.tag == "error" and child.get("message") == "collection failure":
                    place = self._identity(element)
                    self.obstacles.append(Obstacle("tests.collection", place, _last_error(child.text or "")))
                    return
        is_module = self.from_pytest and not element.get("classname")
        self.cases.append(Case(self._identity(element), outcome, message, is_module))

    def _identity(self, element: Element) -> str:
        name = element.get("name", "").strip()
        classname = element.get("classname", "").strip()
        file = self._relative(element.get("file", ""))
        if self.from_pytest:
            if not classname:  # a whole module: it was skipped, or could not be collected
                return node_id(name, file, self.is_file)
            return f"{node_id(classname, file, self.is_file)}::{name}"
        classname = "" if classname in ("test", "suite") else classname  # node's words for every one
        parts = [part for part in (file, *self.suites, classname) if part and part not in (name, "undefined")]
        return "::".join([part for number, part in enumerate(parts) if part not in parts[:number]] + [name])

    def _relative(self, path: str) -> str:
        return path.removeprefix(self.root + "/") if self.root else path


def _message(element: Element) -> str:
    message = element.get("message") or element.text or ""
    if element.tag == "skipped" and message == "true":  # node's word for "no reason given"
        message = ""
    short = first_lines(message)
    return f"expected failure: {short}" if element.get("type") == "pytest.xfail" else short


def _last_error(text: str) -> str:
    """Return what pytest marked with E in a long text, or else its last line."""
    marked = [line[1:].strip() for line in text.splitlines() if re.match(r"E\s+\S", line)]
    return first_lines("\n".join(marked[-2:] if marked else text.splitlines()[-1:]))
