"""The text of gates.toml that `gates init` proposes: what was guessed, what is usual as comments, and further gates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from gates.config.model import DEFAULT_TARGETS
from gates.guidelines.demanded import demand_of
from gates.init.facts import Facts
from gates.profiles import Profile, discover_apps, find_source, source_files
from gates.targets import measurement_of
from gates.tools import TOOLS

_SHOWN = 4
"""So many possibilities are named at most."""
_DESCRIBED = (
    r"fastapi|flask-smorest|flask-restx|flasgger|apispec[\w-]*|apiflask|flask-openapi3|connexion[\w\[\],-]*|spectree"
    r"|drf-spectacular[\w-]*|drf-yasg|django-ninja|swagger-jsdoc|swagger-ui-express|express-openapi[\w-]*|tsoa"
    r"|@nestjs/swagger|@fastify/swagger|springdoc-openapi[\w-]*|github\.com/swaggo/swag|github\.com/danielgtaylor/huma[\w/]*"
)
"""Dependencies that make an OpenAPI document."""
_SERVED = r"\b(openapi|swagger|api-docs)\.(?:json|ya?ml)\b|[\"'](openapi)[\"']\s*:|\b(openapi):\s*[\"'`]3"
"""What source has that serves one by hand."""
_OF_A_DOCUMENT = (
    ("contract", 'tool = "openapi"\nchecks = ["contract"]', "does the API still keep what the earlier phase promised?"),
    (
        "documentation",
        'tool = "openapi"\nchecks = ["documentation"]',
        "is every operation described, and the document true?",
    ),
    ("rest", 'tool = "openapi"\nchecks = ["rest"]', "names, methods, statuses and shapes as the guideline has them"),
    ("earlier", 'tool = "schemathesis"\ndocument = "earlier"', "the earlier phase's document, asked of this server"),
    ("replay", 'tool = "replay"', "the requests of the earlier phase, sent again"),
)
_ALWAYS = (
    ("phase", 'tool = "phase"', "what the phase provides and consumes: phases/NAME.md, or its table above"),
    ("guidelines", 'tool = "guidelines"', "the guideline is filled in, and says the numbers of [targets]"),
)


def quoted(value: str | list[str]) -> str:
    """Return a text or a list of texts as TOML; its escapes are those of JSON, but for half a character and DEL."""
    written = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return written.encode("utf-8", "replace").decode()


def configuration_text(
    facts: Facts, profile: Profile, targets: Mapping[str, str], *, counted: bool, guideline: str, guesses: list[str]
) -> str:
    """Return the whole file; what was guessed for it is added to `guesses`, a sentence each.

    `targets` are the demands to write, by name; `counted` says whether the database is one whose connections a load
    gate sees; `guideline` is the name of that file.
    """
    name, after = facts.named_after
    guesses.append(f"the project is called {name!r}, after {after}")
    lines = [
        "# What `gates check` measures, and what it demands. `gates schema` describes every key for editors.",
        "",
        "[project]",
        f"name = {quoted(name)}",
        *_source_lines(facts.root, name, guesses),
        "",
        "[backend]",
        f"profile = {quoted(profile.name)}",
        *_backend_lines(facts, profile, guesses),
        "",
        "[[phases]]",
        'name = "foundation"',
        'title = "What the first phase has to deliver"',
        "",
        f"[targets]                   # the numbers of {guideline}: `gates check guidelines` holds both together",
        *_target_lines(profile, targets, counted),
        "",
        *_gate_lines(facts, profile, guideline, guesses),
        "# The Definition of Done has nine items, and all of them must hold. One that does not concern this project",
        "# (or that nothing can decide yet) is left out with a reason, which every report shows:",
        "# [done.leave_out]",
        '# database = "this service keeps nothing: it only forwards"',
        "",
    ]
    return "\n".join(lines)


def _target_lines(profile: Profile, targets: Mapping[str, str], counted: bool) -> Iterator[str]:
    for key in dict.fromkeys([*DEFAULT_TARGETS, *targets]):
        usual = DEFAULT_TARGETS.get(key)
        text = targets.get(key, usual)
        assert text is not None
        if usual is not None and key in targets and demand_of(key, text).value == demand_of(key, usual).value:
            text = usual
        yield f"{_mark(key, profile, text == usual, counted)}{key} = {quoted(text)}"


def _mark(target: str, profile: Profile, usual: bool, counted: bool) -> str:
    # A target that is written and matches nothing is undecided: not every backend has such operations, and not every
    # profile a gate that measures it.
    if target in ("response_time.file", "response_time.external") and usual:
        return "# "
    if target == "database.connections" and not counted:
        return "# "
    tools = [TOOLS[str(gate["tool"])] for gate in profile.content.get("gates", {}).values() if gate["tool"] in TOOLS]
    measured = measurement_of(target)
    return "" if any(measured.startswith(name) for tool in tools for name in tool.measures) else "# "


def _gate_lines(facts: Facts, profile: Profile, guideline: str, guesses: list[str]) -> Iterator[str]:
    own = profile.content.get("gates", {})
    described = _described(facts, profile)
    yield f"# Gates beside those of the profile ({', '.join(own) or 'none'}):"
    if described:
        guesses.append(f"it has an OpenAPI document ({described}), and five more gates hold the project to it")
        # A gate with the tool of one of the profile would stand in its place.
        yield from (f"[gates.{name}]\ntool = {quoted(gate['tool'])}\n" for name, gate in own.items()
                    if gate["tool"] == "schemathesis")  # fmt: skip
    else:
        names = ", ".join(name for name, *_ in _OF_A_DOCUMENT)
        guesses.append(f"no OpenAPI document was found, so the gates that need one are written as comments: {names}")
    for name, settings, words in (*_OF_A_DOCUMENT, *_ALWAYS):
        file = f"\nfile = {quoted(guideline)}" if name == "guidelines" and guideline != "CLAUDE.md" else ""
        lines = f"[gates.{name}]   # {words}\n{settings}{file}\n"
        waits = not described and (name, settings, words) in _OF_A_DOCUMENT
        yield re.sub("(?m)^(?=.)", "# ", lines) if waits else lines


def _described(facts: Facts, profile: Profile) -> str:
    """Return what speaks for an OpenAPI document; "" when nothing does."""
    if facts.document_file:
        return facts.document_file
    if profile.name == "fastapi":
        return f"every application of {profile.title} has one"
    return facts.depends_on(_DESCRIBED) or facts.has_in_source(_SERVED) or ""


def _source_lines(root: Path, name: str, guesses: list[str]) -> list[str]:
    source = find_source(name, (), root)
    if source == (".",):
        return []
    guesses.append(f"the project's own code is in {', '.join(source)}")
    return [f"source = {quoted(list(source))}"]


def _backend_lines(facts: Facts, profile: Profile, guesses: list[str]) -> list[str]:
    defaults = profile.content.get("backend", {})
    lines: list[str] = []
    start = str(defaults.get("start", ""))
    if "{app}" in start:
        apps = discover_apps(profile, facts.root)
        if apps:
            others = ", ".join(apps[1:_SHOWN])
            guesses.append(f"the application is {apps[0]}" + (f" (also possible: {others})" if others else ""))
            lines.append(f"app = {quoted(apps[0])}")
        else:
            guesses.append("no application was found in the source: name it with [backend] app")
            lines.append('# app = "package.module:variable"')
    if start:
        lines.append(f"# start = {quoted(start)}   # the profile's; {{data}} is an empty folder")
    else:
        guesses.append("how the backend starts is not known: write it as [backend] start")
        lines.append('# start = "./server --port {port} --data {data}"   # or: url = "http://127.0.0.1:8000"')
    return [*lines, *_document_lines(facts, defaults, guesses), *_python_lines(facts.root, guesses)]


def _document_lines(facts: Facts, defaults: Mapping[str, object], guesses: list[str]) -> Iterator[str]:
    document = facts.document_file
    for key in ("ready", "openapi"):
        if key in defaults and not (key == "openapi" and document):
            yield f"# {key} = {quoted(str(defaults[key]))}"
    if document is None and "openapi" not in defaults:
        yield '# openapi = "/openapi.json"   # a path on the backend, or a file; the usual places are tried'
    if document:
        guesses.append(f"the OpenAPI document is {document}")
        yield f"openapi = {quoted(document)}"


def _python_lines(root: Path, guesses: list[str]) -> Iterator[str]:
    for folder in (".venv", "venv", "env"):
        if (root / folder / "bin" / "python").exists():
            guesses.append(f"the backend's environment is {folder}")
            yield f'python = "{folder}/bin/python"'
            return
    if next(source_files(root, ".py"), None) is not None:
        yield '# python = ".venv/bin/python"   # the interpreter of the backend\'s own environment'
