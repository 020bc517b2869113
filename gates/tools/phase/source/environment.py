"""Which environment variables source code reads, by the usual ways of the usual languages; pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from gates.tools.phase.source.python import called, constants, literal, parsed

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PATTERNS: dict[tuple[str, ...], tuple[str, ...]] = {
    (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx"): (
        rf"\bprocess\.env\.({_NAME})",
        rf"""\bprocess\.env\[\s*["'`]({_NAME})["'`]\s*\]""",
        rf"\bimport\.meta\.env\.({_NAME})",
        rf"""\b(?:Deno|Bun)\.env\.get\(\s*["']({_NAME})["']""",
    ),
    (".go",): (rf"""\bos\.(?:Getenv|LookupEnv)\(\s*["`]({_NAME})["`]""", rf"""\benv:"({_NAME})"""),
    (".java", ".kt", ".groovy", ".scala"): (
        rf"""\bgetenv\(\s*"({_NAME})"\s*\)""",
        rf"""@Value\(\s*"[^"]*?\$\{{({_NAME})[:}}]""",
    ),
    (".rb",): (rf"""\bENV(?:\.fetch\(|\[)\s*["']({_NAME})["']""",),
    (".rs",): (rf"""\b(?:env::var(?:_os)?|env!|option_env!)\(\s*"({_NAME})"\s*""",),
    (".php",): (rf"""\b(?:getenv|env)\(\s*["']({_NAME})["']""", rf"""\$_ENV\[\s*["']({_NAME})["']\s*\]"""),
    (".cs",): (rf"""\bGetEnvironmentVariable\(\s*"({_NAME})"\s*""",),
    (".ex", ".exs"): (rf"""\bSystem\.(?:get_env|fetch_env!?)\(\s*"({_NAME})"\s*""",),
    (".properties", ".yml", ".yaml", ".conf"): (r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)[:}]",),
}
_BY_SUFFIX = {
    suffix: tuple(re.compile(pattern) for pattern in patterns)
    for suffixes, patterns in _PATTERNS.items()
    for suffix in suffixes
}
_COMPOSE = re.compile(r"(?:docker-)?compose[\w.-]*\.ya?ml")
_COMPOSE_VARIABLE = re.compile(r"(?<!\$)\$(?:\{([A-Za-z_]\w*)|([A-Za-z_]\w*))")
_EXAMPLE = re.compile(r"\.env[.-](?:example|sample|template|dist|defaults?)|(?:example|sample)\.env|env\.example")
_EXAMPLE_LINE = re.compile(rf"[ \t]*(?:export[ \t]+)?#?[ \t]?({_NAME})[ \t]*=")
_CALLS = frozenset({"os.getenv", "getenv", "os.environ.get", "environ.get", "os.environ.pop", "os.environ.setdefault"})
_READERS = frozenset({"config", "env", "get_env"})
"""Of starlette, decouple and environs, when they are asked for a name in capitals: `config("SECRET_KEY")`."""
_HINTS = re.compile(r"environ|getenv|get_env|BaseSettings|\bconfig\(|\benv\b")
"""A file without any of these is not taken apart."""
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")


def variables_of(name: str, text: str) -> Iterator[tuple[str, int]]:
    """Yield the variables that a file reads, or asks its reader to set, with their lines; `name` is its file name."""
    if name.endswith(".py"):
        yield from _of_python(text)
        return
    if _COMPOSE.fullmatch(name):
        yield from ((found[1] or found[2], _line(text, found.start())) for found in _COMPOSE_VARIABLE.finditer(text))
        return
    if _EXAMPLE.fullmatch(name):
        for number, line in enumerate(text.split("\n"), 1):
            if found := _EXAMPLE_LINE.match(line):
                yield found[1], number
        return
    suffix = name[name.rfind(".") :] if "." in name else ""
    for pattern in _BY_SUFFIX.get(suffix, ()):
        yield from ((found[1], _line(text, found.start())) for found in pattern.finditer(text))


def reads_variables(name: str) -> bool:
    """Return whether files of this name, in the project's own source, are looked into."""
    suffix = name[name.rfind(".") :] if "." in name else ""
    return suffix == ".py" or suffix in _BY_SUFFIX


def asks_for_variables(name: str) -> bool:
    """Return whether a file of this name says which variables are to be set, wherever it lies."""
    return _COMPOSE.fullmatch(name) is not None or _EXAMPLE.fullmatch(name) is not None


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _of_python(text: str) -> Iterator[tuple[str, int]]:
    if _HINTS.search(text) is None:
        return
    tree = parsed(text)
    if tree is None:
        return
    known = constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and called(node.value) in ("os.environ", "environ"):
            name = literal(node.slice, known)
        elif isinstance(node, ast.Call):
            name = _asked_for(node, known)
        elif isinstance(node, ast.ClassDef) and any(called(base).endswith("BaseSettings") for base in node.bases):
            yield from _of_settings(node)
            continue
        else:
            continue
        if name:
            yield name, node.lineno


def _asked_for(node: ast.Call, known: dict[str, str]) -> str | None:
    name = called(node.func)
    first = literal(node.args[0], known) if node.args else None
    if name in _CALLS:
        return first
    root = name.partition(".")[0]
    return first if root in _READERS and first is not None and _CAPITALS.fullmatch(first) else None


def _of_settings(node: ast.ClassDef) -> Iterator[tuple[str, int]]:
    """Yield what the fields of a pydantic-settings class are called in the environment."""
    prefix = ""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and [called(one) for one in statement.targets] == ["model_config"]:
            prefix = _keyword(statement.value, "env_prefix") or prefix
        elif isinstance(statement, ast.ClassDef) and statement.name == "Config":
            for inner in statement.body:
                if isinstance(inner, ast.Assign) and [called(one) for one in inner.targets] == ["env_prefix"]:
                    prefix = literal(inner.value, {}) or prefix
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            field = statement.target.id
            if field.startswith("_") or field == "model_config" or "ClassVar" in ast.dump(statement.annotation):
                continue
            own = [_keyword(statement.value, key) for key in ("validation_alias", "alias", "env")]
            named = next((name for name in own if name), None)
            yield named or f"{prefix}{field}".upper(), statement.lineno


def _keyword(node: ast.expr | None, key: str) -> str | None:
    """Return the text that a call, or a dictionary, gives to a key."""
    if isinstance(node, ast.Call):
        return next((literal(one.value, {}) for one in node.keywords if one.arg == key), None)
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return next((literal(value, {}) for name, value in pairs if name and literal(name, {}) == key), None)
    return None
