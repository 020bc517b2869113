"""Python source as a tree that is looked at and never run; pure."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache


@lru_cache(maxsize=2)
def parsed(text: str) -> ast.Module | None:
    """Return the tree of a file, or None when it is no Python that this interpreter knows.

    Several readers look at a file one after another: it is taken apart once.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes and comparisons in code that is not ours
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def called(node: ast.expr) -> str:
    """Return a dotted name as it is written, `sa.Column`, or "" for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Subscript):
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def last_name(node: ast.expr) -> str:
    """Return the last part of what is called, whatever stands before it: `publish` of `bus().topics[0].publish`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def constants(tree: ast.Module) -> dict[str, str]:
    """Return the texts that are given to names at the top of a module."""
    found = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            targets, value = statement.targets, statement.value.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Constant):
            targets, value = [statement.target], statement.value.value
        else:
            continue
        if isinstance(value, str):
            found.update({target.id: value for target in targets if isinstance(target, ast.Name)})
    return found


def literal(node: ast.expr | None, known: dict[str, str]) -> str | None:
    """Return a text that is written in place, or given to a name at the top of the module."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return known.get(node.id) if isinstance(node, ast.Name) else None
