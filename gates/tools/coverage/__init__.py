"""The project's tests and the lines they reach: by coverage.py in the project's interpreter, or by its own tools."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from gates.errors import GatesError, ToolError
from gates.results import ItemId, Readings
from gates.tools.base import Context, Requirement, Tool
from gates.tools.coverage.asis import read_outcomes, run_as_it_is
from gates.tools.coverage.command import OtherCommand, PythonCommand, understand
from gates.tools.coverage.interpreter import ask, missing
from gates.tools.coverage.javascript import Asked, NotAsked, ask_runner
from gates.tools.coverage.operations import Behind, died, recording_before, with_operations
from gates.tools.coverage.suite import Suite, readings
from gates.tools.coverage.wrapped import Wrapped, environment_to_ask, unmeasured
from gates.tools.coverage.written import expect

BASE_URL = "{base_url}"
"""In a command, the address of the backend, where a proxy notes what is asked of it."""


class Coverage(Tool):
    """Runs the test command and brings back its tests by identity, and coverage as counts of lines and branches."""

    tool: Literal["coverage"]
    items: tuple[ItemId, ...] = Field(
        default=("tests",), description="Items of the Definition of Done this gate helps decide"
    )
    command: str = Field(
        default="pytest",
        min_length=1,
        description="How the tests are run, as on the command line of the project's environment; with {base_url} in "
        "it the backend is started, and that is its address, as is GATES_BASE_URL in the environment",
    )
    branches: bool = Field(default=True, description="Whether branches are measured besides lines (Python only)")
    junit: str | None = Field(
        default=None,
        description="JUnit XML that the command writes itself (path or pattern); not needed for pytest and unittest",
    )
    report: str | None = Field(
        default=None,
        description="LCOV, Cobertura XML or coverage.py JSON that the command writes itself; it is then run as it is",
    )
    retries: int = Field(
        default=1, ge=0, le=10, description="How often failing tests are tried again; one that then passes is flaky"
    )
    operations: bool = Field(
        default=True,
        description="Whether the requests that the tests send to the application are recorded and held against its "
        "OpenAPI document; the backend is started once for that, after the tests, where they sent any",
    )
    ignore: tuple[str, ...] = Field(
        default=(),
        description="Routes that need not be in the document, by patterns; pages, static files, probes such as /health "
        "and the addresses of the document itself never need to",
        examples=[["/internal/*", "POST /hooks/*"]],
    )

    measures: ClassVar[tuple[str, ...]] = ("coverage.", "tests.")

    @property
    def needs_backend(self) -> bool:  # type: ignore[override]  # the command says whether the tests need it
        """Whether the tests are pointed at the backend."""
        return BASE_URL in self.command

    @field_validator("command")
    @classmethod
    def _readable(cls, command: str) -> str:
        understand(command, "python")  # a ValueError of shlex says which quote is open
        return command

    @field_validator("junit", "report")
    @classmethod
    def _inside(cls, path: str | None) -> str | None:
        if path is not None and (path.startswith("/") or ".." in path.split("/")):
            raise ValueError(f"{path!r} must be a path inside the project")
        return path

    def run(self, context: Context) -> Readings:
        """Run the tests. Raises ToolError when they could not be run or said nothing that can be read."""
        if BASE_URL not in self.command:
            return self._readings(self._suite(self.command, context), context, None)
        with context.serve() as serving, recording_before(serving) as proxy:
            url = proxy.url if proxy else serving.url
            pointed = replace(context, env={**context.env, "GATES_BASE_URL": url})
            suite = self._suite(self.command.replace(BASE_URL, url), pointed)
            found = self._readings(suite, context, Behind(serving, proxy))
            return replace(found, findings=(*found.findings, *died(serving)))

    def _readings(self, suite: Suite, context: Context, behind: Behind | None) -> Readings:
        found = readings(suite, context)
        return with_operations(found, suite, context, self.ignore, behind) if self.operations else found

    def _suite(self, command: str, context: Context) -> Suite:
        understood = understand(command, context.python)
        if self.report is not None or isinstance(understood, OtherCommand):
            asked = self._asked(command, understood, context)
            return run_as_it_is(understood, command, self.junit, self.report, context, self.timeout, asked)
        written = expect(context.root.resolve(), self.junit) if self.junit else None
        own_outcomes = (lambda: read_outcomes(written, None)) if written else None
        wrapped = Wrapped(understood, command, context, self.timeout, branches=self.branches, calls=self.operations)
        return wrapped.run(self.retries, own_outcomes)

    def _asked(self, command: str, understood: PythonCommand | OtherCommand, context: Context) -> Asked | None:
        """Return how a JavaScript runner is asked for what no setting names; None where there is nothing to ask.

        Raises ToolError when neither a runner nor a setting would tell anything.
        """
        if isinstance(understood, PythonCommand) or (self.junit is not None and self.report is not None):
            return None
        hint = (
            "let the command write JUnit XML and a coverage report itself, and name them in the settings "
            "`junit` and `report` of this gate"
        )
        try:
            asked = ask_runner(
                command, context.root, context.directory, context.env,
                tests=self.junit is None, lines=self.report is None,
            )  # fmt: skip
        except NotAsked as error:
            if self.junit is None and self.report is None:
                raise ToolError(f"`{command}` cannot be asked for its tests: {error}", hint) from error
            return None
        if asked is None and self.junit is None and self.report is None:
            raise ToolError(
                f"coverage.py cannot be put before `{command}`: {understood.reason}", understood.hint or hint
            )
        return asked

    def requirements(self, context: Context) -> list[Requirement]:
        """Return whether the project's interpreter runs, and has what the test command needs."""
        understood = understand(self.command, context.python)
        if self.report is not None or isinstance(understood, OtherCommand):
            try:
                runs = self._asked(self.command, understood, context)
            except ToolError as error:
                return [Requirement("test command", False, error.message, error.hint)]
            if runs is None:
                return [Requirement("test command", True, f"`{self.command}` is run as it is")]
            told = f"`{self.command}` runs {runs.runner}, which is asked for its tests"
            return [Requirement("test command", True, told + (" and lines" if runs.lines else ""))]
        wants_pytest = understood.kind == "pytest"
        try:
            env = environment_to_ask(unmeasured(context.env), context.env)
            asked = ask(understood.python, context.root, env, wants_pytest)
        except GatesError as error:
            hint = "name the interpreter of the project's environment as `python` under [backend]"
            return [Requirement("project's Python", False, error.message, hint)]
        found = Requirement("project's Python", True, f"{understood.python} is Python {asked.version}")
        if (lacking := missing(asked, wants_pytest)) is not None:
            return [found, Requirement("coverage", False, lacking.message, lacking.hint)]
        versions = ", ".join(f"{name} {version}" for name, version in asked.versions.items() if name != "python")
        return [found, Requirement("coverage", True, f"{versions} in the project's environment")]
