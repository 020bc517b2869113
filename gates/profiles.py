"""Profiles save configuration: how a framework is started, tested and scanned, and what shape a load has.

A profile is looked for in the project's own `profiles/` first, then among those shipped. Only this module and
`gates.config` read TOML.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gates.errors import ConfigurationError

Kind = Literal["backends", "loads"]
_HERE = Path(__file__).parent
SKIPPED_FOLDERS = frozenset(
    {".git", ".gates", ".venv", "venv", "env", "node_modules", "__pycache__", "build", "dist", "site-packages", ".tox"}
)
_PROFILE_KEYS = ("title", "priority", "recognise", "discover", "backend", "operations", "targets", "gates")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile file: its name, where it came from, and what it says."""

    name: str
    path: Path
    content: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.content.get("title", self.name))


def shipped_folder() -> Path:
    """Return the folder of shipped profiles: inside the wheel, or beside the package in a checkout."""
    inside = _HERE / "shipped" / "profiles"
    return inside if inside.is_dir() else _HERE.parent / "profiles"


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file; raises ConfigurationError with the place of the mistake."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} does not exist", "`gates init` writes one") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{path} is not valid TOML: {error}", "text needs quotes, and a table such as [backend] stands once"
        ) from error
    except RecursionError as error:
        raise ConfigurationError(
            f"{path} is nested too deeply", "nothing in it needs more than a few levels"
        ) from error


def list_profiles(kind: Kind, root: Path) -> list[Profile]:
    """Return every profile of a kind; one of the project hides a shipped one of the same name."""
    found: dict[str, Profile] = {}
    for folder in (shipped_folder(), root / "profiles"):
        for path in sorted((folder / kind).glob("*.toml")):
            profile = Profile(path.stem, path, read_toml(path))
            if kind == "backends":
                _check(profile)
            found[path.stem] = profile
    return list(found.values())


def _check(profile: Profile) -> None:
    """Raise ConfigurationError for what would break before gates.toml is validated as a whole."""
    content = profile.content
    for key in content:
        if key not in _PROFILE_KEYS:
            raise ConfigurationError(f"{profile.path} has no key {key!r}", nearest_hint(key, _PROFILE_KEYS))
    for table in ("discover", "backend", "operations", "targets", "gates"):
        if not isinstance(content.get(table, {}), Mapping):
            raise ConfigurationError(f"{profile.path}: {table} is a table, [{table}]", "see the shipped profiles")
    for name, gate in content.get("gates", {}).items():
        if not isinstance(gate, Mapping) or not isinstance(gate.get("tool"), str):
            raise ConfigurationError(f"{profile.path}: [gates.{name}] needs `tool`", 'such as tool = "coverage"')
    signs = content.get("recognise", [])
    if not isinstance(signs, list) or not all(isinstance(sign, Mapping) and "file" in sign for sign in signs):
        raise ConfigurationError(
            f"{profile.path}: recognise is a list of files to look for",
            'recognise = [{ file = "*.py", pattern = "…" }]',
        )
    discover = content.get("discover", {})
    if discover and not {"suffix", "patterns"} <= discover.keys():
        raise ConfigurationError(f"{profile.path}: [discover] needs suffix and patterns", "see the shipped profiles")
    for pattern in [*(sign["pattern"] for sign in signs if "pattern" in sign), *discover.get("patterns", ())]:
        try:
            groups = re.compile(pattern).groups
        except (re.error, TypeError) as error:
            raise ConfigurationError(
                f"{profile.path}: {pattern!r} is not a regular expression: {error}", "backslashes are doubled in TOML"
            ) from error
        if pattern in discover.get("patterns", ()) and groups < 1:
            raise ConfigurationError(
                f"{profile.path}: {pattern!r} needs a group for the application's name", r"such as ^(\w+) = Flask\("
            )


def load_profile(kind: Kind, name: str, root: Path, table: str = "") -> Profile:
    """Return a profile by name; raises ConfigurationError with the nearest one, and the table that names it."""
    profiles = {profile.name: profile for profile in list_profiles(kind, root)}
    if name in profiles:
        return profiles[name]
    raise ConfigurationError(
        f"{table} profile = {name!r}: there is no such profile".strip(), nearest_hint(name, profiles)
    )


def nearest_hint(name: str, known: Iterator[str] | Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """Return a hint that names the nearest of the words that would have been right."""
    words = sorted(known)
    near = difflib.get_close_matches(name, words, n=1, cutoff=0.5)
    return (f"did you mean {near[0]!r}? " if near else "") + f"known are: {', '.join(words) or 'none'}"


def recognise(root: Path) -> list[tuple[Profile, str]]:
    """Return the backend profiles that fit a project, best first, each with what spoke for it."""
    found: list[tuple[int, Profile, str]] = []
    for profile in list_profiles("backends", root):
        for rank, sign in enumerate(profile.content.get("recognise", ())):
            if (evidence := _evidence(root, sign)) is not None:
                found.append((rank, profile, evidence))
                break
    found.sort(key=lambda row: (-int(row[1].content.get("priority", 0)), row[0]))
    return [(profile, evidence) for _, profile, evidence in found]


def _evidence(root: Path, sign: Mapping[str, str]) -> str | None:
    pattern = re.compile(sign["pattern"], re.IGNORECASE | re.MULTILINE) if "pattern" in sign else None
    for path in sorted(root.glob(sign["file"])):
        if pattern is None:
            return path.name
        try:
            if path.is_file() and (match := pattern.search(path.read_text("utf-8", "replace")[:500_000])):
                return f"{path.relative_to(root)} has {match[0].strip()!r}"
        except OSError:
            continue
    return None


def source_files(root: Path, suffix: str, limit: int = 2000) -> Iterator[Path]:
    """Yield the project's own source files, the ones nearest to the root first."""
    waiting, seen = [root], 0
    while waiting:
        folder = waiting.pop(0)
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink():
                if entry.name not in SKIPPED_FOLDERS and not (entry / "pyvenv.cfg").exists():
                    waiting.append(entry)
            elif entry.suffix == suffix:
                seen += 1
                if seen > limit:
                    return
                yield entry


_USUAL_NAMES = ("app", "application", "create_app")


def discover_app(profile: Profile, root: Path) -> str | None:
    """Return what `{app}` stands for: the module and variable in which the framework's application is made."""
    return next(iter(discover_apps(profile, root)), None)


def discover_apps(profile: Profile, root: Path) -> list[str]:
    """Return everything that `{app}` may stand for: the plainest definition first, then the usual names, then depth."""
    rule = profile.content.get("discover")
    if not isinstance(rule, Mapping):
        return []
    found: list[tuple[int, bool, int, str]] = []
    patterns = [re.compile(pattern, re.MULTILINE) for pattern in rule["patterns"]]
    for path in source_files(root, str(rule["suffix"])):
        relative = path.relative_to(root)
        if relative.parts[0] in ("tests", "test", "examples", "docs") or path.name.startswith(("test_", "conftest")):
            continue
        text = path.read_text("utf-8", "replace")
        for rank, pattern in enumerate(patterns):
            if match := pattern.search(text):
                name = match.group(1)
                found.append((rank, name not in _USUAL_NAMES, len(relative.parts), _module(relative, name)))
                break
    return [app for *_, app in sorted(found)]


def _module(path: Path, name: str) -> str:
    parts = list(path.with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    if parts and parts[0] == "src":
        parts.pop(0)
    return f"{'.'.join(parts)}:{name}"


def find_source(name: str, written: tuple[str, ...], root: Path) -> tuple[str, ...]:
    """Return the folders of the project's own code: as written, or what the usual layouts suggest."""
    if written:
        return written
    package = re.sub(r"[^a-z0-9_]", "_", name.lower())
    for candidate in (package, f"src/{package}", "src", "app"):
        if (root / candidate).is_dir():
            return (candidate,)
    packages = sorted(
        path.parent.name
        for path in root.glob("*/__init__.py")
        if path.parent.name not in (*SKIPPED_FOLDERS, "tests", "test")
    )
    return tuple(packages) or (".",)
