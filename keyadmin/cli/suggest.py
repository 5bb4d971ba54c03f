"""What the shell is offered for project ids and keys: from the cache alone, so that completing never waits for Google."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import typer

from keyadmin.cli.remember import cache_of
from keyadmin.cli.session import current
from keyadmin.cli.settings import settle
from keyadmin.model.problem import Problem
from keyadmin.model.secret import holds_key, redact

MOST_EXPLAINED: Final = 100  # with more, the shells' lists are too long for a second column
# Shells read what they are offered again, zsh with eval: nothing gets there that any of them takes for more than a letter.
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+-]*")
_UNSPEAKABLE: Final = re.compile(r"[^\w .,-]")


def project_ids(context: typer.Context, incomplete: str) -> list[str | tuple[str, str]]:
    """Ids of projects that were listed before, with their names."""
    try:
        session = current(context)
        known = cache_of(settle(session.raw, session.env), session.env).projects()
    except Problem:
        return []
    return _offered(known.items(), incomplete)


def projects_and_more(context: typer.Context, incomplete: str) -> list[str | tuple[str, str]]:
    """The same behind the last comma of a list of projects."""
    before, comma, last = incomplete.rpartition(",")
    known = project_ids(context, last)
    return [(f"{before}{comma}{each[0]}", each[1]) if isinstance(each, tuple) else f"{before}{comma}{each}" for each in known]


def project_or_service(context: typer.Context, incomplete: str) -> list[str | tuple[str, str]]:
    """A project, and services once one stands there."""
    return services(incomplete) if any(context.params.values()) else [*project_ids(context, incomplete), *services(incomplete)]


def services(incomplete: str) -> list[str | tuple[str, str]]:
    """Names of Google's services with their titles."""
    from keyadmin.data import services as known

    return _offered(((name, title) for name, (title, _) in known().items()), incomplete)


def one_of(words: Iterable[str]) -> Callable[[str], list[str]]:
    """What completes one of these words."""
    every = list(words)
    return lambda incomplete: [word for word in every if word.startswith(incomplete)]


def filters(incomplete: str) -> list[str]:
    """The last term of a filter: fields, with their values where there are only a few."""
    from keyadmin.keys.filter import FIELDS

    start = max(incomplete.rfind(sign) for sign in " (") + 1
    before, term = incomplete[:start], incomplete[start:]
    terms = [
        f"{name}={value}" for name, field in FIELDS.items() for value in field.choices or ("",) if field.kind in (str, bool)
    ]
    return [f"{before}{each}" for each in terms if each.startswith(term)]


def key_names(context: typer.Context, incomplete: str) -> list[str | tuple[str, str]]:
    """Display names of the project's keys that were listed before; ids where a shell would not take the name as one word."""
    try:
        session = current(context)
        settings = settle(session.raw, session.env)
        known = cache_of(settings, session.env).keys(settings.project.value if settings.project else None)
    except Problem:
        return []
    names = list(known.values())
    by_name = {name: key_id for key_id, name in known.items() if _PLAIN.fullmatch(name) and names.count(name) == 1}
    by_id = {key_id: name for key_id, name in known.items() if name not in by_name}
    return _offered([*by_name.items(), *by_id.items()], incomplete)


def for_zsh(value: str, about: str) -> str:
    """One line for zsh's `_arguments`, which reads it twice: inside apostrophes, then as words in quotation marks."""

    def safe(text: str) -> str:
        return re.sub(r'([\\"$`])', r"\\\1", text).replace("'", "'\\''")

    word = safe(value).replace(":", r"\\:")
    return f'"{word}":"{safe(about)}"' if about else f'"{word}"'


def _offered(known: Iterable[tuple[str, str]], incomplete: str) -> list[str | tuple[str, str]]:
    plain = ((value, redact(about)) for value, about in known if _PLAIN.fullmatch(value) and not holds_key(value))
    fitting = sorted((value, about) for value, about in plain if value.startswith(incomplete))
    if len(fitting) > MOST_EXPLAINED:
        return [value for value, _ in fitting]
    spoken = ((value, " ".join(_UNSPEAKABLE.sub(" ", about).split())) for value, about in fitting)
    return [(value, about) if about and about != value else value for value, about in spoken]
