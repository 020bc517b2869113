"""Tables that Python declares: SQLAlchemy and SQLModel classes, Django models, Alembic and Django migrations; pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from gates.tools.phase.source.python import called, constants, last_name, literal, parsed
from gates.tools.phase.source.sql import Statement, described

_HINTS = re.compile(
    r"__tablename__|\bTable\(|table=True|models\.Model|\(Model\)|op\.(?:create|drop|add|rename)_|migrations\.Migration"
)
"""A file without any of these is not taken apart."""
_COLUMN_CALLS = frozenset({"Column", "mapped_column", "Field", "relationship"})
_TO_OTHERS = frozenset({"ForeignKey", "OneToOneField"})
_NO_COLUMN = frozenset({"ManyToManyField", "GenericForeignKey", "GenericRelation", "relationship", "Relationship"})


def declared_in(path: str, text: str) -> Iterator[Statement]:
    """Yield what a Python file says of tables; `path` tells the app of a Django model."""
    if _HINTS.search(text) is None:
        return
    tree = parsed(text)
    if tree is None:
        return
    known = constants(tree)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _of_class(node, path, known)
        elif isinstance(node, ast.FunctionDef) and node.name == "upgrade":
            yield from _of_alembic(node, known)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and last_name(call.func) == "Table" and len(call.args) > 1:
            name = literal(call.args[0], known)
            if name:
                yield Statement("create", name, dict(_columns_given(call.args[1:], known)), call.lineno)


def _of_class(node: ast.ClassDef, path: str, known: dict[str, str]) -> Iterator[Statement]:
    name = _assigned(node, "__tablename__", known)
    bases = [called(base) for base in node.bases]
    is_sqlmodel = any(one.arg == "table" and getattr(one.value, "value", None) is True for one in node.keywords)
    if name or is_sqlmodel:
        yield Statement("create", name or node.name.lower(), dict(_class_columns(node, known)), node.lineno)
    elif any(base in ("models.Model", "Model") for base in bases) and path.rpartition("/")[2] != "tests.py":
        yield from _of_django_model(node, path, known)
    elif any(base.rpartition(".")[2] == "Migration" for base in bases):
        yield from _of_django_migration(node, path, known)


def _assigned(node: ast.ClassDef, name: str, known: dict[str, str]) -> str | None:
    for statement in node.body:
        targets: Sequence[ast.expr] = ()
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            return literal(getattr(statement, "value", None), known)
    return None


def _class_columns(node: ast.ClassDef, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the columns of a class of SQLAlchemy or SQLModel; an annotation alone is one, too."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            target, value, annotation = statement.targets[0].id, statement.value, None
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            target, annotation = statement.target.id, statement.annotation
            value = statement.value if statement.value is not None else ast.Constant(None)
        else:
            continue
        call = last_name(value.func) if isinstance(value, ast.Call) else ""
        is_column = call in _COLUMN_CALLS or (annotation is not None and not isinstance(value, ast.Call))
        if target.startswith("_") or not is_column or call in _NO_COLUMN or "ClassVar" in ast.dump(annotation or value):
            continue
        given = literal(value.args[0], known) if isinstance(value, ast.Call) and value.args else None
        yield given or target, _told(value, annotation)


def _told(value: ast.expr, annotation: ast.expr | None) -> str:
    """Return what a declaration says of its column."""
    arguments: Sequence[ast.expr] = value.args if isinstance(value, ast.Call) else ()
    types = [last_name(one.func if isinstance(one, ast.Call) else one) for one in arguments]
    kind = next((name for name in types if name and name not in ("ForeignKey", "Identity", "Sequence")), "")
    if not kind and annotation is not None:
        inner = annotation.slice if isinstance(annotation, ast.Subscript) else annotation
        kind = ast.unparse(inner)
    keywords = {one.arg: getattr(one.value, "value", None) for one in getattr(value, "keywords", ())}
    return described(kind, required=keywords.get("nullable") is False, key=keywords.get("primary_key") is True)


def _columns_given(arguments: Sequence[ast.expr], known: dict[str, str]) -> Iterator[tuple[str, str]]:
    for one in arguments:
        if isinstance(one, ast.Call) and last_name(one.func) == "Column" and one.args:
            name = literal(one.args[0], known)
            if name:
                yield name, _told(ast.Call(one.func, one.args[1:], one.keywords), None)


def _of_alembic(function: ast.FunctionDef, known: dict[str, str]) -> Iterator[Statement]:
    """Yield what `upgrade()` does; `downgrade()` undoes the same."""
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and called(node.func).startswith("op.") and node.args):
            continue
        table = literal(node.args[0], known)
        if table is None:
            continue
        what, line = last_name(node.func), node.lineno
        if what == "create_table":
            yield Statement("create", table, dict(_columns_given(node.args[1:], known)), line)
        elif what == "drop_table":
            yield Statement("drop", table, {}, line)
        elif what == "add_column":
            yield Statement("add", table, dict(_columns_given(node.args[1:], known)), line)
        elif what == "drop_column" and len(node.args) > 1 and (column := literal(node.args[1], known)):
            yield Statement("remove", table, {column: ""}, line)
        elif what == "rename_table" and len(node.args) > 1 and (name := literal(node.args[1], known)):
            yield Statement("rename", table, {name: ""}, line)


def _app(path: str) -> str:
    """Return the Django app of a file: the folder of its models, whether they are a module or a package."""
    parts = path.split("/")[:-1]
    while parts and parts[-1] in ("models", "migrations"):
        parts.pop()
    return parts[-1] if parts else ""


def _of_django_model(node: ast.ClassDef, path: str, known: dict[str, str]) -> Iterator[Statement]:
    meta = next((one for one in node.body if isinstance(one, ast.ClassDef) and one.name == "Meta"), None)
    if meta is not None and any(
        isinstance(one, ast.Assign)
        and [called(target) for target in one.targets] in (["abstract"], ["proxy"])
        and getattr(one.value, "value", None) is True
        for one in meta.body
    ):
        return
    named = _assigned(meta, "db_table", known) if meta is not None else None
    columns: dict[str, str] = {}
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            columns |= _django_column(statement.targets[0].id, statement.value)
    key = f"{_app(path)}.{node.name.lower()}"
    yield Statement("create", key, _with_key(columns), node.lineno)
    yield Statement("name", key, {named or _default_name(key): ""}, node.lineno)


def _default_name(key: str) -> str:
    """Return what Django calls the table of a model, `app.model`, that does not say it itself."""
    return key.replace(".", "_").lstrip("_")


def _with_key(columns: dict[str, str]) -> dict[str, str]:
    """Return columns with the `id` that Django makes where no other is the key."""
    has_key = any(what.endswith("key") for what in columns.values())
    return columns if has_key else {"id": "AutoField, key", **columns}


def _django_column(field: str, value: ast.expr) -> dict[str, str]:
    if not isinstance(value, ast.Call):
        return {}
    kind = last_name(value.func)
    if not kind.endswith(("Field", "ForeignKey")) or kind in _NO_COLUMN:
        return {}
    keywords = {one.arg: getattr(one.value, "value", None) for one in value.keywords}
    name = keywords.get("db_column") or (f"{field}_id" if kind in _TO_OTHERS else field)
    required = keywords.get("null") is not True
    return {str(name): described(kind, required=required, key=keywords.get("primary_key") is True)}


def _of_django_migration(node: ast.ClassDef, path: str, known: dict[str, str]) -> Iterator[Statement]:
    app = _app(path)
    for call in ast.walk(node):
        if not isinstance(call, ast.Call):
            continue
        what, line = last_name(call.func), call.lineno
        keywords = {one.arg: one.value for one in call.keywords if one.arg}
        name = literal(keywords.get("name"), known) or ""
        model = f"{app}.{(literal(keywords.get('model_name'), known) or name).lower()}"
        if what == "CreateModel":
            yield Statement("create", model, _django_fields(keywords.get("fields"), known), line)
            table = _option(keywords.get("options"), "db_table", known)
            yield Statement("name", model, {table or _default_name(model): ""}, line)
        elif what in ("AddField", "AlterField"):
            yield Statement("add", model, _django_column(name, keywords.get("field", ast.Constant(None))), line)
        elif what == "RemoveField":
            yield Statement("remove", model, {name: "", f"{name}_id": ""}, line)
        elif what == "RenameField":
            old, new = (literal(keywords.get(key), known) or "" for key in ("old_name", "new_name"))
            yield Statement("rename-column", model, {old: new, f"{old}_id": f"{new}_id"}, line)
        elif what == "AlterModelTable":
            yield Statement("name", model, {literal(keywords.get("table"), known) or _default_name(model): ""}, line)
        elif what == "RenameModel":
            old, new = (f"{app}.{literal(keywords.get(key), known) or ''}".lower() for key in ("old_name", "new_name"))
            yield Statement("rename", old, {new: ""}, line)
            yield Statement("name", new, {_default_name(new): ""}, line)
        elif what == "DeleteModel":
            yield Statement("drop", model, {}, line)


def _django_fields(fields: ast.expr | None, known: dict[str, str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in fields.elts if isinstance(fields, ast.List) else ():
        if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 and (name := literal(pair.elts[0], known)):
            columns |= _django_column(name, pair.elts[1])
    return columns


def _option(node: ast.expr | None, key: str, known: dict[str, str]) -> str | None:
    if not isinstance(node, ast.Dict):
        return None
    pairs = zip(node.keys, node.values, strict=True)
    return next((literal(value, known) for name, value in pairs if name and literal(name, known) == key), None)
