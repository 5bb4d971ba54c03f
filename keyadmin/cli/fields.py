"""The fields of what a command prints: the columns of CSV, and what `--fields` chooses.

A field is named as in JSON, `restrictions.apiTargets.service`: with dots below the objects and lists that it is in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from keyadmin.cli.documents import FORMS, alternatives
from keyadmin.model.lazy import MadeLater
from keyadmin.model.problem import Problem, usage

FieldPath = tuple[str, ...]
SEPARATOR: Final = ";"  # between the elements of a list in a cell
INNER_SEPARATOR: Final = ","  # between those of a list within a list
_FORMULA: Final = frozenset("=+-@\u2212")  # compared with what a character is compatible with: full-width ones count, too
_SHOWN: Final = 60  # names in an error


@dataclass
class FieldShape:
    """What may stand at a place: members, a value, members of any name."""

    members: dict[str, FieldShape] = field(default_factory=dict)
    value: bool = False
    open: bool = False

    def merge(self, other: FieldShape) -> None:
        """May be either."""
        for name, member in other.members.items():
            self.members.setdefault(name, FieldShape()).merge(member)
        self.value |= other.value
        self.open |= other.open

    def leaves(self, above: FieldPath = ()) -> list[FieldPath]:
        """The places of values, in the documents' order."""
        own = [above] if above and (self.value or self.open) else []
        return own + [each for name, member in self.members.items() for each in member.leaves((*above, name))]

    def at(self, path: FieldPath) -> FieldShape | None:
        """What is at a place below; None = nothing."""
        here: FieldShape | None = self
        for name in path:
            if here is None:
                break
            here = here.members.get(name) or (FieldShape(value=True) if here.open else None)
        return here


def shape(kind: Any) -> FieldShape:
    """What may stand where a document has something of this type."""
    origin = get_origin(kind)
    if origin is Annotated:
        return shape(get_args(kind)[0])
    if len(several := alternatives(kind)) > 1:
        out = FieldShape()
        for each in several:
            out.merge(shape(each))
        return out
    if origin is list:
        return shape(get_args(kind)[0])
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind, include_extras=True)
        return FieldShape({each.name.rstrip("_"): shape(hints[each.name]) for each in fields(kind)})
    if origin is dict:
        return FieldShape(open=True)
    return FieldShape(value=kind is not NoneType)


@cache
def _row_shape(words: str) -> FieldShape:
    forms = FORMS.get(words)
    return FieldShape(open=True) if forms is None else shape(forms.row_type)


@cache
def _line_shape(words: str) -> FieldShape:
    forms = FORMS.get(words)
    return FieldShape(open=True) if forms is None else shape(forms.line_type)


@cache
def _other_shapes(words: str) -> tuple[FieldShape, ...]:
    """Of what the command prints instead where its options ask for it."""
    forms = FORMS.get(words)
    kinds = () if forms is None else (forms.line_type, forms.whole_type)
    return tuple(shape(each) for kind in kinds for each in alternatives(kind))


def columns(words: str, first: Mapping[str, Any] | None = None) -> list[FieldPath]:
    """The columns of a command's CSV; `first` = the first row: of another document, as a dry run's, those of that one."""
    usual = _row_shape(words)
    names = (first or {}).keys()
    if usual.open:
        return [(name,) for name in names]
    if names <= usual.members.keys():
        return usual.leaves()
    return next((each.leaves() for each in _other_shapes(words) if names <= each.members.keys()), usual.leaves())


@dataclass(frozen=True)
class ChosenFields:
    """What `--fields` names: `tree` as objects have it (None = all that is there), `paths` as columns have it."""

    tree: Mapping[str, Any]
    paths: tuple[FieldPath, ...]
    rows: str

    def of(self, data: Any) -> Any:
        """Only these fields, in their order, of a document, its rows, or a line. What a dry run says stays whole."""
        if isinstance(data, dict) and self.rows and isinstance(data.get(self.rows), list | MadeLater):
            data = data[self.rows]
        if isinstance(data, MadeLater):
            return MadeLater(data, lambda each: _picked(each, self.tree))
        return _picked(data, self.tree)


def _picked(data: Any, tree: Mapping[str, Any] | None) -> Any:
    if isinstance(data, list):
        return [_picked(each, tree) for each in data]
    if tree is None or not isinstance(data, dict) or data.get("dryRun") is True:
        return data
    return {name: _picked(data[name], below) for name, below in tree.items() if name in data}


def choose(words: str, text: str, *, lines: bool) -> ChosenFields:
    """The fields that `--fields` names, of JSON `lines` or of anything else. Raises usage() for one that is not there."""
    known = _line_shape(words) if lines else _row_shape(words)
    tree: dict[str, Any] = {}
    paths: list[FieldPath] = []
    for name in (each.strip() for each in text.split(",")):
        path = tuple(name.split("."))
        found = next(filter(None, (each.at(path) for each in (known, *_other_shapes(words)))), None) if name else None
        if found is None:
            raise _unknown(name, known)
        paths += [each for each in found.leaves(path) if each not in paths]
        _plant(tree, path)
    forms = FORMS.get(words)
    return ChosenFields(tree, tuple(paths), forms.rows if forms else "")


def _plant(tree: dict[str, Any], path: FieldPath) -> None:
    for name in path[:-1]:
        below = tree.setdefault(name, {})
        if below is None:
            return  # all of it was named already
        tree = below
    tree[path[-1]] = None


def _unknown(name: str, known: FieldShape) -> Problem:
    from difflib import get_close_matches

    names = [".".join(each) for each in known.leaves()]
    parents = {".".join(path[:size]) for path in known.leaves() for size in range(1, len(path))}
    folded = {each.casefold(): each for each in sorted(parents | set(names))}
    last = {each.rpartition(".")[2].casefold(): each for each in reversed(names)}
    near = [folded.get(each) or last[each] for each in get_close_matches(name.casefold(), [*folded, *last], 3, 0.6)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return usage(
        f"--fields: there is no field {name!r} here",
        *([f"did you mean {' or '.join(dict.fromkeys(near))}?"] if near else []),
        f"the fields: {', '.join(names[:_SHOWN])}{more}",
    )


def reader(paths: Sequence[FieldPath]) -> Callable[[Mapping[str, Any]], list[str]]:
    """What makes the cells of CSV of a row of JSON."""
    ways = [(path[0], path[1:]) for path in paths]

    def cells(row: Mapping[str, Any]) -> list[str]:
        out = []
        for first, rest in ways:
            value = row.get(first)
            if rest and value is not None:
                value = below(value, rest)
            out.append(harmless(value) if type(value) is str else _cell(value))
        return out

    return cells


def below(value: Any, path: FieldPath) -> Any:
    """What is at a place: of lists, of each element."""
    for place, name in enumerate(path):
        if isinstance(value, list):
            return [below(each, path[place:]) for each in value]
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _cell(value: Any) -> str:
    return harmless(plain(value)) if isinstance(value, list | dict) else plain(value)


def plain(value: Any, separator: str = SEPARATOR) -> str:
    """A value of JSON as a cell: lists joined, maps as `name=value`; nothing for null and for objects with columns."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        texts = [plain(each, INNER_SEPARATOR) for each in value if not isinstance(each, dict)]
        return separator.join(texts) if any(texts) else ""
    if isinstance(value, dict):
        return separator.join(f"{name}={plain(each, INNER_SEPARATOR)}" for name, each in value.items())
    return str(value)


def harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula begins with an apostrophe: whoever may name a key chose it.

    Blanks and signs nobody sees before it do not help, nor do full-width signs. Source: OWASP, CSV Injection.
    """
    return f"'{text}" if _is_formula(text) else text


def _is_formula(text: str) -> bool:
    first = text[:1]
    if first in ("\t", "\r", "\n"):
        return bool(first)
    if first.isascii() and first.isalnum():
        return False
    for char in text:
        if char.isspace() or unicodedata.category(char) in ("Cc", "Cf", "Zs"):
            continue
        return unicodedata.normalize("NFKC", char)[:1] in _FORMULA
    return False
