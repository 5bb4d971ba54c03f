"""Private names that a module uses and that nobody in this repository defines: they belong to packages of others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_PRIVATE = re.compile(r"_[A-Za-z]\w*")
_BY_NAME = ("getattr", "setattr", "hasattr", "delattr")
_TABLES = ("vars", "__dict__", "__globals__")
DOCUMENTED = {"_exit"}  # of os: https://docs.python.org/3/library/os.html#os._exit


def private(name: str) -> bool:
    """`_name`, not `__name__`."""
    return _PRIVATE.fullmatch(name) is not None and name not in DOCUMENTED


def bound(tree: ast.AST) -> Iterator[str]:
    """The private names that a module gives to something: functions, classes, variables, fields, attributes of objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _of_self(node):
            yield node.attr


def used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Private names that a module takes from something: the line and the name. Imports of private modules and names too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, name) for name in _imported(node) if private(name))
        elif isinstance(node, ast.Attribute) and private(node.attr):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call | ast.Subscript) and (name := _named(node)) and private(name):
            yield node.lineno, name


def _of_self(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    dotted = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        dotted.append(node.module)
    for name in dotted:
        yield from name.split(".")


def _named(node: ast.Call | ast.Subscript) -> str | None:
    """The name in `getattr(x, "_name")`, `vars(x)["_name"]`, `x.__dict__["_name"]`."""
    if isinstance(node, ast.Call):
        by_name = isinstance(node.func, ast.Name) and node.func.id in _BY_NAME and len(node.args) > 1
        return _text(node.args[1]) if by_name else None
    table = node.value.func if isinstance(node.value, ast.Call) else node.value
    called = table.attr if isinstance(table, ast.Attribute) else table.id if isinstance(table, ast.Name) else ""
    return _text(node.slice) if called in _TABLES else None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
