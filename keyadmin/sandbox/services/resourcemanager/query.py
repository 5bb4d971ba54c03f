"""The query language of projects.search, projects.list (v1) and folders.search, as conditions in SQL.

`state:ACTIVE labels.color:red name:how*`, `state=ACTIVE AND parent=folders/123`, `NOT (id=x)`: documented in the discovery
documents of v1 and v3. Case-insensitive; `*` stands for any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from keyadmin.sandbox.messages.expressions import All, Any, Expression, Not, Term, Unreadable, parse
from keyadmin.sandbox.messages.status import invalid


@dataclass(frozen=True)
class Sql:
    """A condition on a row of nodes, and its values."""

    text: str = "1"
    values: tuple[str, ...] = ()


Column = Callable[[str], Sql]  # a condition for a value


@dataclass(frozen=True)
class Language:
    """The fields of one kind of resource."""

    fields: dict[str, Column]  # by lower-case name
    prefixes: dict[str, Callable[[str, str], Sql]] = field(default_factory=dict)  # `labels.`: key and value
    bare: Column | None = None  # a value without a field
    any_of: bool = False  # terms side by side: any of them is enough (documented for projects), or all are needed


def like(column: str) -> Column:
    """The whole text, `*` standing for anything."""

    def condition(value: str) -> Sql:
        return Sql(f"{column} LIKE ? ESCAPE '\\'", (_pattern(value),))

    return condition


def words(column: str) -> Column:
    """All words of the value are among those of the text (documented for a folder's displayName); with `*` as `like`."""

    def condition(value: str) -> Sql:
        if "*" in value:
            return like(column)(value)
        spaced = [f"% {_escaped(word)} %" for word in value.split()]
        text = " AND ".join([f"(' ' || {column} || ' ') LIKE ? ESCAPE '\\'"] * len(spaced))
        return Sql(f"({text})" if spaced else "0", tuple(spaced))

    return condition


def _escaped(value: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", value)


def _pattern(value: str) -> str:
    return _escaped(value).replace("*", "%")


STATE = "CASE state WHEN 'DELETE_REQUESTED' THEN state ELSE 'ACTIVE' END"
_AFTER_SLASH = "substr({0}, instr({0}, '/') + 1)"
_PARENT_TYPE = "CASE WHEN parent LIKE 'folders/%' THEN 'folder' WHEN parent LIKE 'organizations/%' THEN 'organization' END"
_CREATED = "strftime('%Y-%m-%dT%H:%M:%S', created / 1000000, 'unixepoch')"


def _label(key: str, value: str) -> Sql:
    return Sql(
        "EXISTS (SELECT 1 FROM json_each(doc, '$.labels') AS l WHERE l.key = ? AND l.value LIKE ? ESCAPE '\\')",
        (key.lower(), _pattern(value)),
    )


def _any_label(value: str) -> Sql:
    return Sql(
        "EXISTS (SELECT 1 FROM json_each(doc, '$.labels') AS l WHERE l.key LIKE ? ESCAPE '\\' OR l.value LIKE ? ESCAPE '\\')",
        (_pattern(value), _pattern(value)),
    )


def _anywhere(value: str) -> Sql:
    # unsourced: what a word without a field means
    return _joined(" OR ", [like("project_id")(f"*{value}*"), like("display_name")(f"*{value}*"), _any_label(value)])


PROJECTS = Language(
    fields={
        **dict.fromkeys(("displayname", "name"), like("display_name")),
        **dict.fromkeys(("id", "projectid"), like("project_id")),
        **dict.fromkeys(("projectnumber", "number"), like(_AFTER_SLASH.format("name"))),
        **dict.fromkeys(("state", "lifecyclestate"), like(STATE)),
        "parent": like("parent"),
        "parent.type": like(_PARENT_TYPE),
        "parent.id": like(_AFTER_SLASH.format("parent")),
        "labels": _any_label,
        "createtime": lambda value: like(_CREATED)(f"{value.rstrip('Z*')}*"),
    },
    prefixes={"labels.": _label},
    bare=_anywhere,
    any_of=True,
)
FOLDERS = Language(
    fields={
        "displayname": words("display_name"),
        "parent": like("parent"),
        **dict.fromkeys(("state", "lifecyclestate"), like(STATE)),
    },
    bare=words("display_name"),
)


def compiled(query: str, language: Language) -> Sql:
    """The condition that a query means. Raises INVALID_ARGUMENT for what cannot be read."""
    try:
        return _sql(parse(query, _any_beside if language.any_of else All), language)
    except Unreadable:
        raise invalid(f"Invalid query: {query[:200]!r} could not be parsed.", "query") from None  # unsourced: the wording


def _any_beside(parts: tuple[Expression, ...]) -> Expression:
    """Any is enough, but `parent.type:` with `parent.id:` asks for one parent: both are needed (documented)."""
    pair = tuple(part for part in parts if isinstance(part, Term) and part.field.lower() in ("parent.type", "parent.id"))
    others = tuple(part for part in parts if part not in pair)
    return Any((*others, All(pair))) if pair else Any(others)


def _sql(expression: Expression, language: Language) -> Sql:
    if isinstance(expression, Term):
        return _restriction(expression, language)
    if isinstance(expression, Not):
        inner = _sql(expression.inner, language)
        return Sql(f"NOT coalesce({inner.text}, 0)", inner.values)
    word = " AND " if isinstance(expression, All) else " OR "
    return _joined(word, [_sql(part, language) for part in expression.parts])


def _restriction(term: Term, language: Language) -> Sql:
    name = term.field.lower()
    if not name:
        if language.bare is None:
            raise Unreadable(term.value)
        return language.bare(term.value)
    prefix = next((known for known in language.prefixes if name.startswith(known)), None)
    if term.function or term.op not in (":", "=", "!="):
        raise Unreadable(term.op)
    if name in language.fields:
        found = language.fields[name](term.value)
    elif prefix is not None:
        found = language.prefixes[prefix](name.removeprefix(prefix), term.value)
    else:
        raise invalid(f"Invalid query: the field {term.field[:80]!r} cannot be searched.", "query")  # unsourced: the wording
    return Sql(f"NOT coalesce({found.text}, 0)", found.values) if term.op == "!=" else found


def _joined(word: str, parts: list[Sql]) -> Sql:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Sql()
    values = tuple(value for part in parts for value in part.values)
    return Sql("(" + word.join(part.text for part in parts) + ")", values)
