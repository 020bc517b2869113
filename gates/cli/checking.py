"""The commands that measure the project."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from gates.cli.application import Folder, Quiet, app
from gates.cli.screen import ascii_only, check_outputs, colour, progress, relative, say, width, write_outputs

if TYPE_CHECKING:
    from gates.engine import Event
    from gates.pipeline.check import RunFinished

Last = TypeVar("Last")


@app.command()
def doctor(project: Folder = Path()) -> None:
    """Say whether everything is here that the gates need: tools, versions, the backend, its document."""
    from gates.config.load import load_configuration
    from gates.doctor import examine
    from gates.pipeline.floors import kept_calibrations
    from gates.reports.terminal import render_requirement

    met = True
    configuration = load_configuration(project.resolve() / "gates.toml")
    with closing(examine(project.resolve(), configuration, kept_calibrations(project.resolve()))) as requirements:
        for requirement in requirements:
            say(render_requirement(requirement, colour=colour(), ascii=ascii_only()))
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
    from gates.pipeline.check import RunFinished, Selection
    from gates.pipeline.check import check as measure

    files = {"json": json if json != "-" else None, "junit": junit, "markdown": markdown}
    outputs = {name: Path(path) for name, path in files.items() if path is not None}
    check_outputs(outputs)
    selection = Selection(phase, tuple(gates or ()), tuple(only or ()), tuple(skip or ()), fast, allow_unknown)
    finished = _last(measure(project.resolve(), selection), RunFinished, quiet=quiet or json == "-")
    try:
        write_outputs(finished, outputs)
    finally:  # also where a disk is full by now
        _show_result(finished, as_json=json == "-", operations=operations, quiet=quiet)
    raise typer.Exit(finished.run.exit_code)


def _show_result(finished: RunFinished, *, as_json: bool, operations: bool, quiet: bool) -> None:
    from gates.reports import FORMATS, terminal

    if as_json:
        say(FORMATS["json"](finished.run))
        return
    say(
        terminal.render(
            finished.run, colour=colour(), width=width(), ascii=ascii_only(), operations=operations, quiet=quiet,
            details=relative(finished.directory),
        )
    )  # fmt: skip


def _last(events: Generator[Event | Last], kind: type[Last], quiet: bool) -> Last:
    """Show what happens, and return the last event, which has the result."""
    last: Last | None = None
    with progress(quiet) as show, closing(events):
        for event in events:
            if isinstance(event, kind):
                last = event
            else:
                show(cast("Event", event))
    assert last is not None
    return last


@app.command()
def calibrate(
    gate: Annotated[str | None, typer.Argument(help="The load gate; needed where there are several.")] = None,
    project: Folder = Path(),
    phase: Annotated[str | None, typer.Option(help="The phase; the first not signed off when left out.")] = None,
    epochs: Annotated[int | None, typer.Option(help="How many epochs; as many as a check has when left out.")] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the result as JSON (- for stdout).")] = None,
    quiet: Quiet = False,
) -> None:
    """Measure this build beside itself: how noisy this machine is, and what checks on it can see."""
    from gates.pipeline.calibrate import CalibrationFinished, Wanted
    from gates.pipeline.calibrate import calibrate as measure
    from gates.reports.calibration import calibration_json
    from gates.reports.terminal import render_calibration
    from gates.results import Verdict

    files = {"json": Path(json)} if json not in (None, "-") else {}
    check_outputs(files)
    wanted = Wanted(gate, phase, epochs, tuple(files.values()))
    finished = _last(measure(project.resolve(), wanted), CalibrationFinished, quiet=quiet or json == "-")
    found = finished.calibration
    try:
        for path in files.values():
            path.write_text(calibration_json(found), "utf-8")
    finally:  # also where a disk is full by now
        if json == "-":
            say(calibration_json(found))
        else:
            notes = (
                *finished.notes,
                f"kept in {relative(finished.history)}: checks on this machine use it for {finished.days} days",
            )
            text = render_calibration(
                found, colour=colour(), width=width(), ascii=ascii_only(), notes=notes, quiet=quiet
            )
            if text:
                say(text)
    raise typer.Exit({Verdict.PASS: 0, Verdict.FAIL: 1}.get(found.verdict, 4))
