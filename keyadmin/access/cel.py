"""A custom constraint's condition on a key, evaluated with a real CEL library (cel-python) as Google's documents describe CEL.

An unset field is absent, and asking it for something has no value: what Google makes of that is documented nowhere, so it is
unknown here (None), never guessed. Conditions with `has()` have a value whichever it is.

cel-python takes half a millisecond for one key, so that each distinct key is evaluated once, as far as the condition can tell
keys apart: by the fields that it names, and texts that it does not name stand for each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, Final

from keyadmin.model.key import Key
from keyadmin.model.key_codec import restrictions_to_json
from keyadmin.model.loading import load

_RAISED: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
_WORDS: Final = re.compile(r"(?<![\w.])resource((?:\.[A-Za-z]\w*)*)")
_CALLS: Final = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_TEXT: Final = re.compile(r"""(["'])((?:(?!\1)[^\\])*)\1""")
# With these alone a condition tells texts apart by equality only, so that those it does not name are alike to it.
_EQUALITY: Final = frozenset({"has", "exists", "all", "exists_one", "size"})
_OPERATORS: Final = re.compile(r"[<>+\-*/%?]")
_MISSING: Final = object()


class KeyCondition:
    """A condition on `resource`, an API key; compiled once. `holds` is None for everything where it cannot be read."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._program: Any = _MISSING
        plain = _TEXT.sub("''", expression)
        self._fields = frozenset(found[1].split(".")[1] if found[1] else "" for found in _WORDS.finditer(plain))
        self._named = frozenset(found[2] for found in _TEXT.finditer(expression))
        calls = set(_CALLS.findall(plain))
        self._by_equality = calls <= _EQUALITY and "\\" not in expression and not _OPERATORS.search(plain)
        self._sized = "size" in calls
        self._exact: dict[Hashable, bool | None] = {}
        self._alike: dict[Hashable, bool | None] = {}

    def holds(self, key: Key, resource: Callable[[], dict[str, Any]] | None = None) -> bool | None:
        """Whether the condition holds for a key as it is; None = not known.

        `resource` gives the key as conditions see it, for those who ask several of them.
        """
        exact = (
            key.restrictions if self._sees("restrictions") else None,
            key.service_account_email if self._sees("serviceAccountEmail") else None,
            key.display_name if self._sees("displayName") else None,
        )
        found = self._exact.get(exact, _MISSING)
        if found is _MISSING:
            self._exact[exact] = found = self._evaluated(resource() if resource else as_resource(key))
        return found  # type: ignore[return-value]

    def _sees(self, field: str) -> bool:
        return field in self._fields or "" in self._fields

    def _evaluated(self, resource: dict[str, Any]) -> bool | None:
        seen = {name: value for name, value in resource.items() if self._sees(name)}
        if not self._by_equality:
            return self._run(seen)
        alike = _canonical(seen, {}, self._named, sized=self._sized)
        shape = _frozen(alike)
        if shape not in self._alike:
            self._alike[shape] = self._run(alike)
        return self._alike[shape]

    def _run(self, resource: dict[str, Any]) -> bool | None:
        celpy = load("celpy")
        errors = (celpy.CELEvalError, celpy.CELParseError, load("lark").exceptions.LarkError, *_RAISED)
        try:
            if self._program is _MISSING:
                environment = celpy.Environment()
                self._program = None  # one that cannot be read is tried once
                self._program = environment.program(environment.compile(self.expression))
            if self._program is None:
                return None
            value = self._program.evaluate({"resource": celpy.json_to_cel(resource)})
        except errors:
            return None
        return bool(value) if isinstance(value, bool | celpy.celtypes.BoolType) else None


def as_resource(key: Key) -> dict[str, Any]:
    """A key as conditions see it: the fields that custom constraints may name, those alone that are set."""
    out: dict[str, Any] = {}
    if key.display_name:
        out["displayName"] = key.display_name
    if key.service_account_email:
        out["serviceAccountEmail"] = key.service_account_email
    if restrictions := _set(restrictions_to_json(key.restrictions)):
        out["restrictions"] = restrictions
    return out


def _set(value: dict[str, Any]) -> dict[str, Any]:
    """Without lists that are empty, which a protobuf message does not tell from unset ones."""
    out = {}
    for name, each in value.items():
        kept = _set(each) if isinstance(each, dict) else each
        if kept not in ([], ""):
            out[name] = kept
    return out


def _canonical(value: Any, seen: dict[str, str], named: frozenset[str], *, sized: bool) -> Any:
    """The value with each text that the condition does not name replaced by its number, equal ones by the same."""
    if isinstance(value, dict):
        return {name: _canonical(each, seen, named, sized=sized) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each, seen, named, sized=sized) for each in value]
    if value in named:
        return value
    return seen.setdefault(value, f"\0{len(seen)}".ljust(len(value) if sized else 0, "\0"))


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple((name, _frozen(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    text: str = value
    return text
