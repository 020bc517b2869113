"""The command that looks at API descriptions in files: no project and no backend is needed."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from gates.cli.application import app
from gates.cli.screen import ascii_only, check_outputs, colour, say, width
from gates.errors import ConfigurationError

if TYPE_CHECKING:
    from gates.contract.examination import FailOn

_FAIL_ON = ("error", "warning", "never")


@app.command()
def contract(
    documents: Annotated[list[str], typer.Argument(metavar="[OLD] NEW", help="OpenAPI or Swagger documents.")],
    fail_on: Annotated[str, typer.Option(help="From what on it exits with 1: error, warning or never.")] = "warning",
    severity: Annotated[
        list[str] | None, typer.Option(metavar="RULE=LEVEL", help="Call a rule error, warning, info or off (repeat).")
    ] = None,
    json: Annotated[str | None, typer.Option(metavar="FILE", help="Write the result as JSON (- for stdout).")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it for a pull request.")] = None,
) -> None:
    """Compare two API descriptions, or hold one to the conventions; exits with 1 on an error or a warning."""
    from gates.pipeline.contract import examine_contract
    from gates.profiles import nearest_hint
    from gates.reports.contract import contract_json
    from gates.reports.markdown import render_contract as render_markdown
    from gates.reports.terminal import render_contract

    if len(documents) > 2:
        raise ConfigurationError(f"{len(documents)} documents were named", "write gates contract OLD NEW, or one alone")
    if fail_on not in _FAIL_ON:
        raise ConfigurationError(f"--fail-on {fail_on}: there is no such level", nearest_hint(fail_on, _FAIL_ON))
    inputs = [Path(name) for name in documents]
    files = {"json": Path(json) if json not in (None, "-") else None, "markdown": markdown}
    outputs = {name: path for name, path in files.items() if path is not None}
    _keep_inputs(inputs, outputs)
    check_outputs(outputs)
    gc.disable()  # documents have no cycles, and looking for them again and again is a quarter of the time
    try:
        found = examine_contract(inputs, severity or (), cast("FailOn", fail_on))
    finally:
        gc.enable()
    texts = {"json": contract_json, "markdown": render_markdown}
    try:
        for name, path in outputs.items():
            path.write_text(texts[name](found), "utf-8")
    finally:  # also where a disk is full by now
        if json == "-":
            say(contract_json(found))
        else:
            say(render_contract(found, colour=colour(), width=width(), ascii=ascii_only()))
    raise typer.Exit(found.exit_code)


def _keep_inputs(inputs: list[Path], outputs: dict[str, Path]) -> None:
    """Refuse to write over a document that is to be read, or two results into one file."""
    taken = {path.resolve() for path in inputs}
    for name, path in outputs.items():
        if path.resolve() in taken:
            raise ConfigurationError(f"--{name} {path} would be written over", "name another file")
        taken.add(path.resolve())
