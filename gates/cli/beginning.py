"""The command that a project begins with: it looks, asks, and writes gates.toml and the guideline."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gates.cli.application import Folder, app
from gates.errors import ConfigurationError

if TYPE_CHECKING:
    from gates.init import Look


@app.command()
def init(
    project: Folder = Path(),
    profile: Annotated[str | None, typer.Option(help="The framework's profile; recognised when left out.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An answer for the guideline (may be repeated)."),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML or JSON file of answers for the guideline.")
    ] = None,
    guidelines: Annotated[
        str | None, typer.Option(metavar="FILE", help="The guideline's file.", show_default="CLAUDE.md")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "--no-input", "-y", help="Ask nothing: take every guess that is not answered.")
    ] = False,
) -> None:
    """Look at the project, write gates.toml and the guideline (CLAUDE.md), and say what was guessed."""
    from gates.init import look_at, propose_for
    from gates.init.answers import given_answers
    from gates.init.writing import write_new

    root = project.resolve()
    given = given_answers(set_ or (), answers)
    look = look_at(root, profile, guidelines)
    if not yes and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        given |= _ask(look, given)
    proposal = propose_for(look, given)
    write_new(proposal.files(root))
    if proposal.guideline:
        print(f"{proposal.file} was written: the guideline, filled in.")
    what = "gates.toml was written." if proposal.text else "gates.toml stays as it is."
    print(f"{what} What was guessed:")
    for guess in proposal.guesses:
        print(f"  - {guess}")
    print("Next: read what was written, then run `gates doctor`, then `gates check`.")


def _ask(look: Look, given: dict[str, str]) -> dict[str, str]:
    """Return what a person answers on the terminal; Enter takes the guess, and what is no answer is asked again."""
    from gates.guidelines.variables import NUMBERS, VARIABLES, check_answer

    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    answered: dict[str, str] = {}
    by_target: dict[str, list[str]] = {}
    for name in look.to_ask:
        by_target.setdefault(NUMBERS.get(name, name), []).append(name)
    # Two numbers stand for one target: one question asks for both.
    asked = [names for names in by_target.values() if not set(names) & set(given)]
    if asked:
        print(f"{len(asked)} questions for {look.file}; Enter takes what stands in brackets.")
    for number, (name, *others) in enumerate(asked, 1):
        guess, variable = look.guesses[name], VARIABLES[name]
        shown = _shown(guess.answer, variable.unit.text if variable.unit else "")
        names = " and ".join((name, *others))
        print(f"\n({number}/{len(asked)}) {names}" + (f": {guess.evidence}" if guess.evidence else ""))
        while True:
            try:
                text = input(f"{variable.question} [{shown}] ")
            except EOFError as error:
                print()
                raise ConfigurationError(
                    "the questions were not answered to the end, and nothing was written", "`--yes` takes every guess"
                ) from error
            if not text.strip():
                break
            try:
                answered[name] = check_answer(name, text)
            except ConfigurationError as wrong:
                print(f"  {wrong.message}. {wrong.hint}")
                continue
            break
    print()
    return answered


def _shown(answer: str, unit: str) -> str:
    """Return a guess as it stands in brackets: of code its first line."""
    first, *more = answer.split("\n")
    return f"{first} … {len(more)} more lines" if more else f"{first} {unit}".rstrip()
