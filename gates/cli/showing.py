"""The commands that look at what is there: runs, measurements, rules, profiles, and the example."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.application import Folder, app
from gates.cli.screen import ascii_only, colour, progress, say, width
from gates.errors import ConfigurationError

if TYPE_CHECKING:
    from gates.results import Run


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
        say(terminal.render(run, colour=colour(), width=width(), ascii=ascii_only(), operations=operations))
    elif kind in FORMATS:
        say(FORMATS[kind](run))
    else:
        from gates.profiles import nearest_hint

        raise ConfigurationError(f"there is no format {kind!r}", nearest_hint(kind, ["terminal", *FORMATS]))


@app.command()
def compare(a: str, b: str, project: Folder = Path()) -> None:
    """Show two runs or phases side by side."""
    from gates.pipeline.lookup import find_run
    from gates.reports.terminal import render_comparison

    first, second = find_run(project.resolve(), a), find_run(project.resolve(), b)
    say(render_comparison(first, second, colour=colour(), width=width(), ascii=ascii_only()))


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
    say(render_history(points, colour=colour(), width=width(), ascii=ascii_only(), measurement=measurement))


@app.command()
def explain(
    what: Annotated[str, typer.Argument(metavar="GATE|RULE|ITEM")],
    project: Folder = Path(),
) -> None:
    """Say what a gate, rule or item checks, why, how to fix it, and what decided it last time."""
    from gates.pipeline.lookup import explanation

    print(explanation(project.resolve(), what, ascii=ascii_only()))


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
        return render(run, colour=colour(), width=width(), ascii=ascii_only(), details=str(details))

    raise typer.Exit(travel(keep, Stage(say, rendered, lambda: progress(quiet=False))))
