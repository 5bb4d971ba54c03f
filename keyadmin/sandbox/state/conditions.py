"""Conditions in CEL (https://github.com/google/cel-spec): of role bindings, of deny rules, of organisation policies.

Evaluated by cel-python, which is imported when the first condition is met. Nothing here guesses: what cannot be read or
evaluated raises, and whoever asks decides what follows (a binding grants nothing then).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from keyadmin.sandbox.messages.loading import load

if TYPE_CHECKING:
    from types import ModuleType

LONGEST = 10_000  # characters; unsourced: Google's own limit for role bindings (custom constraints have their own)
MOST_MACROS = 6  # loops in one expression: each goes through a list of the caller's
_RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_OPERATORS = re.compile(r"&&|\|\||!(?!=)")


class NotACondition(ValueError):
    """The text is no CEL expression, or names what does not exist. The message says what."""


class NotEvaluable(ValueError):
    """The expression is right, yet has no value here: it asks for what is not there."""


Function = Callable[..., Any]


@dataclass(frozen=True)
class Compiled:
    """A parsed expression: what it names, to be checked by whoever knows what there is."""

    expression: str
    paths: frozenset[str]  # `resource.restrictions.apiTargets`; behind indexes and calls nothing is followed
    functions: frozenset[str]
    tree: Any = field(compare=False, repr=False)  # of lark


def _celpy() -> ModuleType:
    return load("celpy")


@lru_cache(512)
def compiled(expression: str) -> Compiled:
    """Parse an expression. Raises NotACondition."""
    if not expression.strip():
        raise NotACondition("the expression is empty")
    if len(expression) > LONGEST:
        raise NotACondition(f"the expression is longer than {LONGEST} characters")
    celpy = _celpy()
    try:
        tree = celpy.Environment().compile(expression)
    except RecursionError:
        raise NotACondition("the expression is nested too deeply") from None
    except (celpy.CELParseError, load("lark").exceptions.LarkError, *_RAISED) as error:
        raise NotACondition(f"it cannot be parsed: {_first_line(error)}") from None
    paths, functions = set(_paths(tree)), set(_functions(tree))
    if sum(child.data == "member_dot_arg" and _name(child) in _MACROS for child in tree.iter_subtrees()) > MOST_MACROS:
        raise NotACondition(f"the expression has more than {MOST_MACROS} macros that go through lists")
    return Compiled(expression, frozenset(paths), frozenset(functions), tree)


_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})


def _name(tree: Any) -> str:
    """The member that `x.name` or `x.name(...)` names."""
    return next((str(child) for child in tree.children[1:] if getattr(child, "type", "") == "IDENT"), "")


def _paths(tree: Any) -> Iterator[str]:
    """The longest dotted names that an expression reads, variables of macros among them."""
    if tree.data == "member_dot":
        found = _path(tree)
        if found:
            yield found
            return
    if tree.data == "ident":
        yield str(tree.children[0])
        return
    bound: set[str] = set()
    if tree.data == "member_dot_arg" and _name(tree) in _MACROS:
        bound = {next(_paths(tree.children[2]), "")} if len(tree.children) > 2 else set()
    for child in tree.children:
        if hasattr(child, "data"):
            for path in _paths(child):
                if path.partition(".")[0] not in bound:
                    yield path


def path_of(tree: Any) -> str:
    """The dotted name that an argument is; empty where it is something else."""
    while hasattr(tree, "data") and len(tree.children) == 1 and tree.data != "ident":
        tree = tree.children[0]
    return _path(tree) if hasattr(tree, "data") else ""


def _path(tree: Any) -> str:
    """`a.b.c` of a member expression; empty where something else than names stands in it."""
    while len(tree.children) == 1 and hasattr(tree.children[0], "data") and tree.data != "ident":
        tree = tree.children[0]
    if tree.data == "ident":
        return str(tree.children[0])
    if tree.data == "member_dot":
        head = _path(tree.children[0])
        return f"{head}.{_name(tree)}" if head else ""
    return ""


def _functions(tree: Any) -> Iterator[str]:
    for child in tree.iter_subtrees():
        if child.data == "member_dot_arg":
            yield _name(child)
        elif child.data in ("ident_arg", "dot_ident_arg"):
            yield str(child.children[0])


def evaluate(condition: Compiled, variables: Mapping[str, Any], functions: Mapping[str, Function] | None = None) -> bool:
    """The value of an expression; times among the variables are datetimes. Raises NotEvaluable."""
    celpy = _celpy()
    program = celpy.Environment().program(condition.tree, functions={"matches": _matches, **(functions or {})})
    try:
        value = program.evaluate({name: to_cel(item) for name, item in variables.items()})
    except RecursionError:
        raise NotEvaluable("it is nested too deeply") from None
    except celpy.CELEvalError as error:
        raise NotEvaluable(_first_line(error)) from None
    except _RAISED as error:  # cel-python lets errors of its own operators through
        raise NotEvaluable(f"{type(error).__name__}: {_first_line(error)}") from None
    if not isinstance(value, celpy.celtypes.BoolType):
        raise NotEvaluable("its value is neither true nor false")
    return bool(value)


def _matches(text: Any, pattern: Any) -> Any:
    """CEL's `matches`, without what RE2 itself writes to stderr about a pattern that it cannot read."""
    re2 = load("re2")
    options = re2.Options()
    options.log_errors = False
    try:
        return load("celpy.celtypes").BoolType(re2.search(str(pattern), str(text), options) is not None)
    except re2.error:
        raise ValueError(f"matches() cannot read the pattern {str(pattern)[:80]!r}") from None


def to_cel(value: Any) -> Any:
    """Python values as CEL's."""
    types = load("celpy.celtypes")
    if isinstance(value, datetime):
        return types.TimestampType(value)
    if isinstance(value, dict):
        return types.MapType({types.StringType(name): to_cel(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        return types.ListType([to_cel(item) for item in value])
    return _celpy().json_to_cel(value)


def moment(micros: int) -> datetime:
    """A time (microseconds) as a condition sees it."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def operators(expression: str) -> int:
    """How many logical operators stand in an expression."""
    return len(_OPERATORS.findall(expression))


def _first_line(error: BaseException) -> str:
    """What a library says, without the state that it adds."""
    text = str(error.args[0] if error.args else error) or type(error).__name__
    return text.split("(in activation")[0].strip().split("\n")[0][:300].strip(" '\"")
