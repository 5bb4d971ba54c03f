"""Where keyadmin puts commands together that are printed to be typed, found by parsing the code."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from types import FrameType

from tests.architecture.imports import trees

BUILDERS = ("typed", "gcloud")
HOME = "keyadmin.model.command_line"


@dataclass(frozen=True)
class Site:
    """One call of `typed` or `gcloud`. `name` is what tables call it: it does not change when lines move."""

    module: str
    function: str
    path: str
    position: tuple[int, int]
    """Line and column."""

    @property
    def name(self) -> str:
        """`keyadmin.keys.change:in_use:keys usage`."""
        return f"{self.module}:{self.function}:{self.path}"


class _Finder(ast.NodeVisitor):
    def __init__(self, module: str) -> None:
        self.module, self.inside, self.found = module, [""], list[Site]()

    def _within(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.inside.append(node.name)
        self.generic_visit(node)
        self.inside.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _within

    def visit_Call(self, node: ast.Call) -> None:
        """Of a builder: the path as it is written, a literal's text or the expression."""
        if isinstance(node.func, ast.Name) and node.func.id in BUILDERS:
            first = node.args[0]
            path = first.value if isinstance(first, ast.Constant) else ast.unparse(first)
            where = (node.lineno, node.col_offset)
            self.found.append(Site(self.module, ".".join(filter(None, self.inside)) or "module", str(path), where))
        self.generic_visit(node)


@cache
def sites() -> tuple[Site, ...]:
    """Every call in keyadmin, but for the builders' own."""
    out: list[Site] = []
    for module, tree in trees().items():
        if module != HOME:
            finder = _Finder(module)
            finder.visit(tree)
            out += finder.found
    return tuple(out)


def site_of(frame: FrameType) -> Site | None:
    """The call that is being carried out in a frame."""
    line, _, column, _ = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    module = frame.f_globals["__name__"]
    return next((site for site in sites() if site.module == module and site.position == (line, column)), None)
