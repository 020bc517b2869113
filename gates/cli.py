"""The command line: each command a few lines; the only place that prints or exits.

Everything but typer is imported where it is used, so that `gates --version` costs no more than typer itself.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from gates import __version__
from gates.errors import ConfigurationError, GatesError, IntegrityError, SignoffRefused

if TYPE_CHECKING:
    from gates.engine import Event
    from gates.pipeline.check import RunFinished, Selection
    from gates.results import Run


class Ended(BaseException):
    """It ends with the exit code INTERRUPTED or OUTPUT_GONE, neither of which is for typer to judge."""


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()  # what cannot be written is found here, and not when nobody can tell any more
        except KeyboardInterrupt as error:
            raise Ended(INTERRUPTED) from error
        except BrokenPipeError as error:
            raise Ended(OUTPUT_GONE) from error


app = typer.Typer(
    name="gates",
    cls=_Commands,
    help="A phase-tracking quality gate and performance harness for backends.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
INTERRUPTED = 130
OUTPUT_GONE = 141
"""What a shell calls a program that SIGPIPE ended."""
Folder = Annotated[
    Path, typer.Option("--project", "-C", help="The project's folder, which holds gates.toml.", show_default="here")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and nothing that passed.")]


def _version(asked: bool) -> None:
    if asked:
        print(f"gates {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


@app.command()
def init(
    project: Folder = Path(),
    profile: Annotated[str | None, typer.Option(help="The framework's profile; recognised when left out.")] = None,
) -> None:
    """Look at the project, write gates.toml, and say what was guessed."""
    from gates.init import propose

    proposal = propose(project.resolve(), profile)
    (project / "gates.toml").write_text(proposal.text, "utf-8")
    print("gates.toml was written. What was guessed:")
    for guess in proposal.guesses:
        print(f"  - {guess}")
    print("Next: read it, then run `gates doctor`, then `gates check`.")


@app.command()
def doctor(project: Folder = Path()) -> None:
    """Say whether everything is here that the gates need: tools, versions, the backend, its document."""
    from gates.config.load import load_configuration
    from gates.doctor import examine
    from gates.reports.terminal import render_requirement

    met = True
    configuration = load_configuration(project.resolve() / "gates.toml")
    with closing(examine(project.resolve(), configuration)) as requirements:
        for requirement in requirements:
            _say(render_requirement(requirement, colour=_colour(), ascii=_ascii()))
            met = met and requirement.met
    raise typer.Exit(0 if met else 3)


@app.command()
def check(
    gates: Annotated[list[str] | None, typer.Argument(help="Gates to run.", show_default="all")] = None,
    project: Folder = Path(),
    phase: Annotated[str | None, typer.Option(help="The phase; the first not signed off when left out.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Run only this gate (may be repeated).")] = None,
    skip: Annotated[list[str] | None, typer.Option(help="Leave this gate out (may be repeated).")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Leave out what takes long: load and benchmarks.")] = False,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the result as JSON (- for stdout).")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the result as JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a summary as Markdown.")] = None,
    operations: Annotated[bool, typer.Option("--operations", help="Show the operations table.")] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Exit 0 where the verdict is unknown; the output says so.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Run the gates of a phase and judge the Definition of Done."""
    from gates.pipeline.check import Selection

    files = {"json": json if json != "-" else None, "junit": junit, "markdown": markdown}
    outputs = {name: Path(path) for name, path in files.items() if path is not None}
    _check_outputs(outputs)
    selection = Selection(phase, tuple(gates or ()), tuple(only or ()), tuple(skip or ()), fast, allow_unknown)
    finished = _watch(project.resolve(), selection, quiet=quiet or json == "-")
    try:
        _write_outputs(finished, outputs)
    finally:  # also where a disk is full by now
        _show_result(finished, as_json=json == "-", operations=operations, quiet=quiet)
    raise typer.Exit(finished.run.exit_code)


def _show_result(finished: RunFinished, *, as_json: bool, operations: bool, quiet: bool) -> None:
    from gates.reports import FORMATS, terminal

    if as_json:
        _say(FORMATS["json"](finished.run))
        return
    _say(
        terminal.render(
            finished.run, colour=_colour(), width=_width(), ascii=_ascii(), operations=operations, quiet=quiet,
            details=_relative(finished.directory),
        )
    )  # fmt: skip


def _watch(root: Path, selection: Selection, quiet: bool) -> RunFinished:
    from gates.pipeline.check import RunFinished, check

    finished: RunFinished | None = None
    with _progress(quiet) as show, closing(check(root, selection)) as events:
        for event in events:
            if isinstance(event, RunFinished):
                finished = event
            else:
                show(event)
    assert finished is not None
    return finished


@app.command()
def signoff(
    phase: Annotated[str | None, typer.Argument(help="The phase; the current one when left out.")] = None,
    by: Annotated[str, typer.Option(help="Who signs.")] = ...,  # type: ignore[assignment]
    note: Annotated[str, typer.Option(help="A sentence for the report.")] = "",
    accept_debt: Annotated[
        bool, typer.Option("--accept-debt", help="Record what is broken as known: from then on nothing may get worse.")
    ] = False,
    project: Folder = Path(),
) -> None:
    """Freeze the last run of this commit as the baseline of its phase."""
    from gates.pipeline.signoff import sign_off

    signed, database, report = sign_off(project.resolve(), phase, by=by, note=note, accept_debt=accept_debt)
    print(f"Phase {signed.phase!r} is signed off by {signed.by}, at commit {(signed.run.commit or '')[:12]}.")
    if signed.debts:
        print(f"{len(signed.debts)} known debts were accepted; the report begins with them.")
    print(f"Commit these two files: {_relative(database)} {_relative(report)}")


@app.command()
def verify(
    phase: Annotated[str | None, typer.Argument(help="One phase; all when left out.")] = None, project: Folder = Path()
) -> None:
    """Recompute the chain of digests, and every verdict from what was stored."""
    from gates.pipeline.signoff import verify_signoffs

    lines = verify_signoffs(project.resolve(), phase)
    for line in lines:
        print(line)


@app.command()
def phases(project: Folder = Path()) -> None:
    """Show the phases, their state, who signed what, and the numbers that matter."""
    from gates.pipeline.lookup import list_phases
    from gates.reports.terminal import render_phases

    _say(render_phases(list_phases(project.resolve()), colour=_colour(), width=_width(), ascii=_ascii()))


@app.command()
def report(
    what: Annotated[str | None, typer.Argument(metavar="[RUN|PHASE]", help="The last run when left out.")] = None,
    kind: Annotated[str, typer.Option("--format", help="terminal, markdown, json or junit.")] = "terminal",
    operations: Annotated[bool, typer.Option("--operations", help="Show the operations table.")] = False,
    project: Folder = Path(),
) -> None:
    """Show a run or a signed-off phase again."""
    from gates.pipeline.lookup import find_run
    from gates.reports import FORMATS, terminal

    run = find_run(project.resolve(), what)
    if kind == "terminal":
        _say(terminal.render(run, colour=_colour(), width=_width(), ascii=_ascii(), operations=operations))
    elif kind in FORMATS:
        _say(FORMATS[kind](run))
    else:
        from gates.profiles import nearest_hint

        raise ConfigurationError(f"there is no format {kind!r}", nearest_hint(kind, ["terminal", *FORMATS]))


@app.command()
def compare(a: str, b: str, project: Folder = Path()) -> None:
    """Show two runs or phases side by side."""
    from gates.pipeline.lookup import find_run
    from gates.reports.terminal import render_comparison

    first, second = find_run(project.resolve(), a), find_run(project.resolve(), b)
    _say(render_comparison(first, second, colour=_colour(), width=_width(), ascii=_ascii()))


@app.command()
def history(
    measurement: Annotated[str, typer.Argument(help="Such as coverage.lines, or load.p95.")],
    scope: Annotated[str | None, typer.Option(help="An operation, benchmark or file; the whole when left out.")] = None,
    project: Folder = Path(),
) -> None:
    """Show a measurement over runs, as a chart."""
    from gates.pipeline.lookup import measurement_history
    from gates.reports.terminal import render_history

    points = measurement_history(project.resolve(), measurement, scope)
    _say(render_history(points, colour=_colour(), width=_width(), ascii=_ascii(), measurement=measurement))


@app.command()
def explain(
    what: Annotated[str, typer.Argument(metavar="GATE|RULE|ITEM")],
    project: Folder = Path(),
) -> None:
    """Say what a gate, rule or item checks, why, how to fix it, and what decided it last time."""
    from gates.pipeline.lookup import explanation

    print(explanation(project.resolve(), what, ascii=_ascii()))


@app.command()
def profiles(project: Folder = Path()) -> None:
    """List the backend and load profiles."""
    from gates.profiles import list_profiles

    for kind in ("backends", "loads"):
        print(f"{kind}:")
        for profile in list_profiles(kind, project.resolve()):
            print(f"  {profile.name:12} {profile.title}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of gates.toml, for editors."""
    import json

    from gates.config.load import configuration_schema

    print(json.dumps(configuration_schema(), indent=2))


@app.command()
def demo(
    keep: Annotated[Path | None, typer.Option(help="Keep the example in this new folder.")] = None,
) -> None:
    """Go the whole journey on an example backend, in a temporary directory; about two minutes."""
    from gates.demo.journey import Stage, travel
    from gates.reports.terminal import render

    def rendered(run: Run, details: Path) -> str:
        return render(run, colour=_colour(), width=_width(), ascii=_ascii(), details=str(details))

    raise typer.Exit(travel(keep, Stage(_say, rendered, lambda: _progress(quiet=False))))


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[Event], None]]:
    from gates.reports.terminal import Progress

    with Progress.on_console(quiet=quiet, colour=_colour(), ascii=_ascii()) as progress:
        yield progress.show


def _check_outputs(outputs: dict[str, Path]) -> None:
    """Refuse an output that cannot be written before an hour was spent on what should go there.

    What an earlier run left there is emptied, so that it is never taken for the result of one that broke off.
    """
    for name, path in outputs.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", "utf-8")
        except OSError as error:
            raise ConfigurationError(f"--{name} {path} cannot be written: {error.strerror}", "name a file") from error


def _write_outputs(finished: RunFinished, outputs: dict[str, Path]) -> None:
    from gates.reports import FORMATS

    for name, path in outputs.items():
        path.write_text(FORMATS[name](finished.run), "utf-8")


def _say(text: str) -> None:
    print(text.rstrip("\n"), flush=True)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _ascii() -> bool:
    try:
        "✓".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return True
    return False


def _width() -> int:
    import shutil

    return max(60, min(140, shutil.get_terminal_size((100, 24)).columns))


def _relative(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _fail(message: str, hint: str, code: int) -> NoReturn:
    print(f"gates: {message}", file=sys.stderr)
    if hint:
        print(f"  → {hint}" if not _ascii() else f"  -> {hint}", file=sys.stderr)
    sys.exit(code)


def _drop_output() -> None:
    """Forget what cannot be written: it would fail once more when Python ends, and end with a code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; every error a user can put right is one sentence, a hint and its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    if sys.stdout is None:  # a caller closed it
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as this runs
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that cannot be shown is no reason to end
    try:
        app()
    except ConfigurationError as error:
        _fail(error.message, error.hint, 2)
    except IntegrityError as error:
        _fail(error.message, error.hint, 5)
    except SignoffRefused as error:
        _fail(error.message, error.hint, 1)
    except GatesError as error:
        _fail(error.message, error.hint, 3)
    except OSError as error:
        _drop_output()
        _fail(f"{error.strerror}: {error.filename or ''}".rstrip(": "), "is there room, and may gates write there?", 3)
    except (Ended, KeyboardInterrupt) as ended:
        if OUTPUT_GONE in ended.args:
            _drop_output()
            sys.exit(OUTPUT_GONE)
        _fail("interrupted; what was started is stopped, and what had ended is saved", "", INTERRUPTED)
