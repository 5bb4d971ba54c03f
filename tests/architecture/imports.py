"""Who imports whom in the package, read from the source: every import counts, also inside functions and for types alone."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "keyadmin"


@cache
def modules() -> dict[str, Path]:
    """Every module by its dotted name."""
    out = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        out[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return out


@cache
def trees() -> dict[str, ast.Module]:
    """Every module, parsed."""
    return {name: ast.parse(path.read_text("utf-8")) for name, path in modules().items()}


@cache
def imports() -> dict[str, frozenset[str]]:
    """By module: the modules and packages that it names, keyadmin's own and others'."""
    return {name: frozenset(named(name, tree)) for name, tree in trees().items()}


def own(name: str) -> frozenset[str]:
    """keyadmin's modules that a module imports."""
    return frozenset(each for each in imports()[name] if each in modules() and each != name)


def area(name: str) -> str:
    """The package of the layers that a module is in: `keys` of keyadmin.keys.create; the module's own name at the top."""
    return name.split(".")[1] if "." in name else name


def doubled(parsed: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """The exported classes' names that stand in more than one module, with the modules."""
    where: dict[str, list[str]] = defaultdict(list)
    for module, tree in parsed.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(module)
    return {name: places for name, places in where.items() if len(places) > 1}


def circles(graph: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """The strongly connected groups of more than one, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    out: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                out.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return out


def named(module: str, tree: ast.Module) -> Iterator[str]:
    """What a module's tree imports, wherever in it that stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in modules() else base


def _base(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".") if modules()[module].name == "__init__.py" else module.split(".")[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
