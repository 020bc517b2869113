"""Reads gates.toml, lays it over its profile, and turns what is wrong into sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gates.config.model import Configuration
from gates.errors import ConfigurationError
from gates.profiles import discover_app, load_profile, nearest_hint, read_toml
from gates.tools import TOOLS

CONFIGURATION_FILE = "gates.toml"
_TOP = "the top level"
_PROFILE_TABLES = ("backend", "operations", "targets", "gates")


def load_configuration(path: Path) -> Configuration:
    """Return the configuration of a project, its profile's defaults included.

    Raises ConfigurationError that names table, key, nearest valid key and what to do, for every mistake at once.
    """
    return build_configuration(read_toml(path), path.parent, path.name)


def build_configuration(written: Mapping[str, Any], root: Path, name: str = CONFIGURATION_FILE) -> Configuration:
    """Return the configuration that a parsed gates.toml means for the project in `root`."""
    backend = written.get("backend", {})
    chosen = backend.get("profile", "generic") if isinstance(backend, Mapping) else "generic"
    profile = load_profile("backends", str(chosen), root)
    defaults = {table: profile.content[table] for table in _PROFILE_TABLES if table in profile.content}
    merged = _merge(_without_replaced_gates(defaults, written), written)
    _lay_over_load_profiles(merged, root)
    try:
        configuration = Configuration.model_validate(merged)
    except ValidationError as error:
        raise ConfigurationError(*_describe(error, name)) from error
    if configuration.backend.app is None and "{app}" in (configuration.backend.start or ""):
        app = discover_app(profile, root)
        if app is not None:
            backend_with_app = configuration.backend.model_copy(update={"app": app})
            configuration = configuration.model_copy(update={"backend": backend_with_app})
    return configuration


def _without_replaced_gates(defaults: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the profile's gate where the project has one with the same tool under its own name."""
    own = written.get("gates")
    own = own if isinstance(own, Mapping) else {}
    tools = {table.get("tool") for name, table in own.items() if isinstance(table, Mapping)}
    kept = {}
    for name, table in defaults.get("gates", {}).items():
        mine = own.get(name)
        if isinstance(mine, Mapping):
            if mine.get("tool", table["tool"]) == table["tool"]:
                kept[name] = table
        elif table["tool"] not in tools:
            kept[name] = table
    result = dict(defaults)
    if kept or "gates" in result:
        result["gates"] = kept
    if "url" in (written.get("backend") or {}):
        result["backend"] = {key: value for key, value in result.get("backend", {}).items() if key != "start"}
    return result


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        mine = merged.get(key)
        merged[key] = _merge(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return merged


def _lay_over_load_profiles(merged: dict[str, Any], root: Path) -> None:
    gates = merged.get("gates")
    if not isinstance(gates, Mapping):
        return
    laid = {}
    for name, table in gates.items():
        if isinstance(table, Mapping) and table.get("tool") == "locust":
            profile = load_profile("loads", str(table.get("profile", "normal")), root)
            shape = {key: value for key, value in profile.content.items() if key != "title"}
            table = {**shape, **table}
        laid[name] = table
    merged["gates"] = laid


def _describe(error: ValidationError, name: str) -> tuple[str, str]:
    problems = [_describe_one(problem) for problem in error.errors()]
    if len(problems) == 1:
        return f"{name}: {problems[0][0]}", problems[0][1]
    lines = [f"  {line}" + (f"\n    → {hint}" if hint else "") for line, hint in problems]
    return f"{name} has {len(lines)} mistakes:\n" + "\n".join(lines), "`gates schema` describes every key"


def _describe_one(problem: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong with one key, and what would be right."""
    location, kind, given = list(problem["loc"]), problem["type"], problem.get("input")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        place = f"[{'.'.join(str(part) for part in location)}]"
        tool = given.get("tool") if isinstance(given, Mapping) else None
        return (f"{place} needs `tool`" if tool is None else f"{place} has an unknown tool {tool!r}"), nearest_hint(
            str(tool or ""), list(TOOLS)
        )
    if location and location[-1] == "[key]":
        place, key = f"[{'.'.join(str(part) for part in location[:-2])}]", str(location[-2])
        expected = re.findall(r"'([a-z_]+)'", str(problem.get("ctx", {}).get("expected", "")))
        if expected:
            return f"{place} has no key {key!r}", nearest_hint(key, expected)
        return f"{place} has a key {key!r}, which is not a name", "lower case letters, digits, - and _"
    place, key, model = _locate(location)
    if kind == "extra_forbidden":
        return f"{place} has no key {key!r}", nearest_hint(key, _keys(model))
    if kind == "missing":
        return f"{place} needs the key {key!r}", _description(model, key)
    text = re.sub(r"^(Value error|Assertion failed), ", "", problem["msg"])
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        text = f"this is a table, not {given!r}"
    where = f"{place} {key} = {given!r}" if key else place
    return (f"{where}: {text}" if where != _TOP else text), _description(model, key)


def _description(model: type[BaseModel] | None, key: str) -> str:
    field = model.model_fields.get(key) if model else None
    if field is None:
        return ""
    examples = f", for example {field.examples[0]!r}" if field.examples else ""
    return (field.description or "") + examples


def _locate(location: Sequence[int | str]) -> tuple[str, str, type[BaseModel] | None]:
    """Return the table as it is written in the file, the key in it, and the model of that table."""
    parts = list(location)
    if len(parts) > 2 and parts[0] == "gates" and parts[2] in TOOLS:
        model: type[BaseModel] | None = TOOLS[str(parts[2])]
        parts.pop(2)
        walked, rest = parts[:2], parts[2:]
    else:
        model, walked, rest = Configuration, [], parts
    while len(rest) > 1:
        walked.append(rest[0])
        inside_dictionary = _is_dictionary(model, rest[0])
        model = _model_of(model, rest.pop(0))
        if inside_dictionary and len(rest) > 1:
            walked.append(rest.pop(0))
    key = str(rest[0]) if rest else ""
    if walked and walked[0] == "phases":
        number = f" number {int(walked[1]) + 1}" if len(walked) > 1 and isinstance(walked[1], int) else ""
        inner = ".".join(str(part) for part in walked[2:])
        return f"[[phases]]{number}{' ' + inner if inner else ''}", key, model
    if key and not walked and isinstance(_model_of(Configuration, key), type):
        return f"[{key}]", "", model
    return (f"[{'.'.join(str(part) for part in walked)}]" if walked else _TOP), key, model


def _model_of(model: type[BaseModel] | None, key: int | str) -> type[BaseModel] | None:
    if isinstance(key, int):
        return model
    field = model.model_fields.get(key) if model else None
    return _first_model(field.annotation) if field else None


def _is_dictionary(model: type[BaseModel] | None, key: int | str) -> bool:
    field = model.model_fields.get(str(key)) if model else None
    return field is not None and get_origin(field.annotation) is dict


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _first_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation) if get_origin(annotation) is not None else ():
        if (found := _first_model(argument)) is not None:
            return found
    return None


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of gates.toml, for editors."""
    schema = Configuration.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "gates.toml"
    return schema
