"""What all commands share: the application they belong to, its options, and how a command ends early."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gates import __version__

INTERRUPTED = 130
OUTPUT_GONE = 141
"""What a shell calls a program that SIGPIPE ended."""


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
