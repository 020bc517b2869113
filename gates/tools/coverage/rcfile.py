"""The configuration that coverage.py runs with: what decides the figure is ours, what the project chose is kept.

A project may leave files or lines out of its own figure (`omit`, `exclude_lines`, `# pragma: no cover`), and needs its
`plugins`, `concurrency` and `patch` to be measured at all; that is kept, and its digest and text are recorded with the
run, so that a later phase cannot weaken it unseen. What is measured (`source`, `branch`), where the data goes, and
that processes started by the tests count, is forced; `fail_under`, `ignore_errors`, contexts and everything else is
left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gates.tools.base import digest
from gates.tools.coverage.interpreter import Interpreter
from gates.tools.coverage.lines import is_prunable

RECORDER = "gates_unittest_recorder"
_HONOURED_LISTS = ("report:exclude_lines", "report:partial_branches", "report:partial_branches_always")


def source_folders(root: Path, source: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the folders that coverage.py is to measure, and patterns of those it is to leave alone.

    A file that no test imports counts only where coverage.py looks for it, and it looks into no folder without an
    `__init__.py` below the one it was given: so every such folder is given. Virtual environments and the like are not.
    """
    folders: list[str] = []
    pruned: list[str] = []
    for name in source:
        top = (root / name).resolve()
        if not top.is_dir():
            folders.append(str(top.parent))
            continue
        reached: set[str] = set()
        for folder, below, files in os.walk(top):
            pruned.extend(f"{folder}/{each}/*" for each in below if is_prunable(folder, each))
            below[:] = sorted(each for each in below if not is_prunable(folder, each))
            found = "__init__.py" in files and os.path.dirname(folder) in reached
            if folder == str(top) or (not found and any(file.endswith(".py") for file in files)):
                folders.append(folder)
                found = True
            if found:
                reached.add(folder)
    return list(dict.fromkeys(folders)), pruned


def honoured(interpreter: Interpreter, root: Path) -> dict[str, tuple[str, ...]]:
    """Return what the project's own configuration may decide, by the names that coverage.py gives its options."""
    chosen = interpreter.configuration
    omit = (*chosen.get("run:omit", ()), *chosen.get("report:omit", ()))
    patch = tuple(
        sorted({*chosen.get("run:patch", ()), *(["subprocess"] if interpreter.measures_subprocesses else [])})
    )
    options = {
        "run:omit": _absolute(omit, root),
        "run:concurrency": _concurrency(chosen),
        "run:sigterm": ("true",) if _wants_sigterm(chosen) else (),
        "run:plugins": chosen.get("run:plugins", ()),
        "run:patch": patch,
        "report:omit": _absolute(omit, root),
        "report:include": _absolute(chosen.get("report:include", ()), root),
        **{name: chosen.get(name, ()) for name in _HONOURED_LISTS},
    }
    return {name: values for name, values in options.items() if values}


def _concurrency(chosen: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the project's own choice, with workers that are forked (process pools, Django's parallel tests) added.

    `sigterm`, which keeps what a server measured that the tests end, is left to the project: with it, a process pool
    that is ended hangs about once in sixty times, and with both it does in one of three. So whoever chose it chose.
    """
    own = chosen.get("run:concurrency", ())
    if _wants_sigterm(chosen):
        return own
    return tuple(dict.fromkeys((*(own or ("thread",)), "multiprocessing")))


def _wants_sigterm(chosen: Mapping[str, tuple[str, ...]]) -> bool:
    return chosen.get("run:sigterm") == ("True",)


def _absolute(patterns: Iterable[str], root: Path) -> tuple[str, ...]:
    # A relative pattern counts from the working directory, which is another one in programs that the tests start.
    return tuple(
        dict.fromkeys(pattern if pattern.startswith(("*", "?", "/")) else f"{root}/{pattern}" for pattern in patterns)
    )


def configurations(interpreter: Interpreter, root: Path) -> dict[str, str]:
    """Return the digest of what the project chose, and the text of what leaves files and lines out of the figure."""
    chosen = honoured(interpreter, root)
    told = {name: [value.replace(f"{root}/", "") for value in values] for name, values in sorted(chosen.items())}
    options = {name: dict(sorted(values.items())) for name, values in sorted(interpreter.plugin_options.items())}
    return {
        "coverage": digest(repr((told, options))),
        "coverage.omit": ", ".join(told.get("run:omit", ())),
        "coverage.include": ", ".join(told.get("report:include", ())),
        "coverage.exclude_lines": ", ".join(told.get("report:exclude_lines", ())),
    }


def render(
    interpreter: Interpreter, root: Path, source: Sequence[str], data: Path, *, branches: bool, recorder: bool
) -> str:
    """Return the text of the configuration file; `data` is where coverage.py writes what it measured."""
    folders, pruned = source_folders(root, source)
    chosen = honoured(interpreter, root)
    plugins = (*chosen.get("run:plugins", ()), *((RECORDER,) if recorder else ()))
    run: dict[str, str | Sequence[str]] = {
        "branch": str(branches).lower(),
        "parallel": "true",
        "data_file": str(data),
        "source": folders,
        "omit": (*chosen.get("run:omit", ()), *pruned),
        "concurrency": chosen.get("run:concurrency", ()),
        "plugins": plugins,
        "patch": chosen.get("run:patch", ()),
        "disable_warnings": "no-data-collected",  # workers that reach none of the source would fill stderr with it
    }
    if "run:sigterm" in chosen:  # coverage.py before 6.4 refuses what it does not know
        run["sigterm"] = "true"
    report = {name.partition(":")[2]: values for name, values in chosen.items() if name.startswith("report:")}
    sections: dict[str, Mapping[str, str | Sequence[str]]] = {"run": run, "report": report}
    sections.update(
        (name, {key: value.split("\n") for key, value in options.items()})
        for name, options in interpreter.plugin_options.items()
        if options
    )
    return "\n".join(_section(name, options) for name, options in sections.items())


def _section(name: str, options: Mapping[str, str | Sequence[str]]) -> str:
    lines = [f"[{name}]"]
    for key, values in options.items():
        if isinstance(values, str):
            lines.append(f"{key} = {_escaped(values, key)}")
        elif values:
            lines += [f"{key} =", *(f"    {_escaped(value, key)}" for value in values)]
    return "\n".join(lines) + "\n"


def _escaped(value: str, key: str) -> str:
    """Return a value that an INI file and coverage.py's substitution of `$NAME` give back as it was."""
    if key in ("exclude_lines", "partial_branches", "partial_branches_always"):
        value = value.replace("\n", "\\n")
        if value != value.strip() or value.startswith(("#", ";")):
            value = f"(?:{value})"  # else a comment, or bare of its spaces
    return value.replace("$", "$$")
