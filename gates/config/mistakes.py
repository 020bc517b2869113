"""Mistakes in gates.toml as sentences: table, key, the nearest valid key, and what would be right."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gates.config.model import Configuration
from gates.profiles import Profile, nearest_hint
from gates.tools import TOOLS

_TOP = "the top level"
_GENERAL_HINT = "`gates schema` describes every key"
_WORDS = {
    "string_type": "this is text, in quotes",
    "tuple_type": 'this is a list, such as ["…"]',
    "bool_type": "this is true or false",
    "bool_parsing": "this is true or false",
    "string_pattern_mismatch": "it takes lower case letters, digits, - and _, and begins with a letter or a digit",
}
"""What pydantic says in the words of Python, in those of TOML."""


def describe(error: ValidationError, name: str, written: Mapping[str, Any], profile: Profile) -> tuple[str, str]:
    """Return message and hint for all that is wrong in the file `name`, and in the profiles that it names."""
    problems = [(_origin(problem, name, written, profile), *_describe_one(problem)) for problem in error.errors()]
    if len(problems) == 1:
        origin, line, hint = problems[0]
        return f"{origin}: {line}", hint or _GENERAL_HINT
    lines = [
        f"  {line}" + (f" ({origin})" if origin != name else "") + (f"\n    → {hint}" if hint else "")
        for origin, line, hint in problems
    ]
    return f"{name} has {len(lines)} mistakes:\n" + "\n".join(lines), _GENERAL_HINT


def _origin(problem: ErrorDetails, name: str, written: Mapping[str, Any], profile: Profile) -> str:
    """Return the file in which a mistake stands: what is not in gates.toml came from a profile that it names."""
    location = [part for part in problem["loc"] if part != "[key]"]
    if problem["type"] == "missing" or not location:
        return name
    for content, origin in ((written, name), (profile.content, str(profile.path))):
        if _stands_in(content, location):
            return origin
    return f"the load profile that {name} names" if location[0] == "gates" else name


def _stands_in(content: Any, location: Sequence[int | str]) -> bool:
    parts = list(location)
    if len(parts) > 2 and parts[0] == "gates" and parts[2] in TOOLS:
        parts.pop(2)  # pydantic names the tool there, the file does not
    for part in parts:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


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
    if kind == "extra_forbidden" and place != _TOP and key in _keys(Configuration):
        return f"{place} has no key {key!r}", f"it is a table of its own: begin it with [{key}]"
    if kind == "extra_forbidden":
        return f"{place} has no key {key!r}", nearest_hint(key, _keys(model))
    if kind == "missing":
        return (f"{place} needs the key {key!r}", _description(model, key)) if key else _missing_table(place, model)
    where = f"{place} {key} = {given!r}" if key else place
    text = _text(problem, where)
    return (f"{where}: {text}" if where != _TOP else text), _description(model, key)


def _missing_table(place: str, model: type[BaseModel] | None) -> tuple[str, str]:
    needed = [name for name, field in model.model_fields.items() if field.is_required()] if model else []
    return f"the table {place} is missing", f"it needs {', '.join(f'{name} = …' for name in needed)}"


def _text(problem: ErrorDetails, where: str) -> str:
    kind, given = problem["type"], problem.get("input")
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"this is a table, not {given!r}"
    if kind == "tuple_type" and where == "[phases]":
        return "each phase is a table of its own, and begins with [[phases]] in two brackets"
    if kind == "string_too_short":
        least = problem.get("ctx", {}).get("min_length", 1)
        return "it is empty" if least == 1 else f"it is a sentence of at least {least} characters"
    return _WORDS.get(kind) or re.sub(r"^(Value error|Assertion failed), ", "", problem["msg"])


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
    element = ""
    if len(rest) > 1 and isinstance(rest[-1], int) and _model_of(model, rest[-2]) is None:
        element = f", number {int(rest.pop()) + 1}"  # of a list of texts: the key is that of the list
    while len(rest) > 1:
        walked.append(rest[0])
        inside_dictionary = _is_dictionary(model, rest[0])
        model = _model_of(model, rest.pop(0))
        if inside_dictionary and len(rest) > 1:
            walked.append(rest.pop(0))
    key = f"{rest[0]}{element}" if rest else ""
    if key and not walked and isinstance(_model_of(Configuration, key), type):
        return f"[{key}]", "", _model_of(Configuration, key)
    return (_table(walked) if walked else _TOP), key, model


def _table(walked: Sequence[int | str]) -> str:
    """Return a table as it is written: `[backend.auth]`, `[[phases]] number 2`, `[[phases]] number 2 targets.load`."""
    for position, part in enumerate(walked):
        if isinstance(part, int):
            inner = ".".join(map(str, walked[position + 1 :]))
            return f"[[{'.'.join(map(str, walked[:position]))}]] number {part + 1}{' ' + inner if inner else ''}"
    return f"[{'.'.join(map(str, walked))}]"


def _model_of(model: type[BaseModel] | None, key: int | str) -> type[BaseModel] | None:
    if isinstance(key, int):
        return model
    field = model.model_fields.get(key) if model else None
    if field is None and model is not None and model.model_config.get("extra") == "allow":
        return _first_model(get_type_hints(model)["__pydantic_extra__"])
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
