"""Reads gates.toml and lays it over the profiles that it names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gates.config.mistakes import describe
from gates.config.model import Configuration
from gates.errors import ConfigurationError
from gates.profiles import discover_app, load_profile, read_toml

CONFIGURATION_FILE = "gates.toml"
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
    profile = load_profile("backends", str(chosen), root, "[backend]")
    defaults = {table: profile.content[table] for table in _PROFILE_TABLES if table in profile.content}
    merged = _merge(_without_replaced_gates(defaults, written), written)
    _lay_over_load_profiles(merged, root)
    try:
        configuration = Configuration.model_validate(merged)
    except ValidationError as error:
        raise ConfigurationError(*describe(error, name, written, profile)) from error
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
    # The earlier document is something else to fuzz, beside the present one.
    tools = [
        table.get("tool") for table in own.values() if isinstance(table, Mapping) and table.get("document") != "earlier"
    ]
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
    backend = written.get("backend")
    if isinstance(backend, Mapping) and "url" in backend:
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
            profile = load_profile("loads", str(table.get("profile", "normal")), root, f"[gates.{name}]")
            shape = {key: value for key, value in profile.content.items() if key != "title"}
            table = {**shape, **table}
        laid[name] = table
    merged["gates"] = laid


def configuration_schema() -> dict[str, Any]:
    """Return the JSON Schema of gates.toml, for editors."""
    schema = Configuration.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "gates.toml"
    return schema
