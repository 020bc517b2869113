"""The smallest program that typer can make with a version and one command."""

from typing import Annotated

import typer

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def version(asked: bool) -> None:
    if asked:
        print("minimal 1.0")
        raise typer.Exit


@app.callback()
def options(version: Annotated[bool, typer.Option("--version", callback=version, is_eager=True)] = False) -> None:
    pass


@app.command()
def hello() -> None:
    print("hello")


if __name__ == "__main__":
    app()
