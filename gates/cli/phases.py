"""The commands of phases: signing them off, verifying what was signed, showing how far they are, waiving a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gates.cli.application import Folder, app
from gates.cli.screen import ascii_only, colour, relative, say, width


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
    if len(signed.debts) == 1:
        print("1 known debt was accepted; the report begins with it.")
    elif signed.debts:
        print(f"{len(signed.debts)} known debts were accepted; the report begins with them.")
    print(f"Commit these two files: {relative(database)} {relative(report)}")


@app.command()
def waive(
    fingerprint: Annotated[str, typer.Argument(help="The finding's, as `gates explain GATE` names it.")],
    reason: Annotated[str, typer.Option(help="Why it does not count, in a sentence.")] = ...,  # type: ignore[assignment]
    by: Annotated[str, typer.Option(help="Who answers for that.")] = ...,  # type: ignore[assignment]
    until: Annotated[str, typer.Option(metavar="DATE", help="The last day on which it does not count.")] = ...,  # type: ignore[assignment]
    project: Folder = Path(),
) -> None:
    """Let a finding of the last run not count until a day: write that into gates.toml."""
    from gates.pipeline.waive import LONG, waive_finding

    waived = waive_finding(project.resolve(), fingerprint, reason=reason, by=by, until=until)
    say(f"Waived until {waived.until}, by {by.strip()}: {waived.described} (gate {waived.gate})")
    if waived.days > LONG:
        say(f"That is in {waived.days:,} days: a waiver of more than a year is hardly looked at again.")
    say(f"It is the last table of {relative(waived.path)}: commit it, and run `gates check` again.")


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
def phases(
    draft: Annotated[
        str | None, typer.Option(metavar="PHASE", help="Print a document of this phase, from what is new in it.")
    ] = None,
    project: Folder = Path(),
) -> None:
    """Show the phases, their state, who signed what, and the numbers that matter."""
    if draft is not None:
        from gates.pipeline.drafting import draft_phase

        say(draft_phase(project.resolve(), draft))
        return
    from gates.pipeline.lookup import list_phases
    from gates.reports.terminal import render_phases

    say(render_phases(list_phases(project.resolve()), colour=colour(), width=width(), ascii=ascii_only()))
