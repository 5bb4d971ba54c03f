"""How keys are printed: in lists, and one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from keyadmin.cli.render import Column, View, show_document, show_list, show_one, write
from keyadmin.cli.reveal import reveal
from keyadmin.cli.session import Session
from keyadmin.keys.change import Started
from keyadmin.keys.present import Verification, apis, as_json, clients
from keyadmin.model.command_line import typed
from keyadmin.model.key import Key
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.keys.hand_over import HandedOver
    from keyadmin.keys.usage import Used

_RESTRICTED: Final = {"gemini": "Gemini", "other": "other APIs", "mixed": "Gemini and others", "none": "none"}
_COLOURS: Final = {"gemini": "green", "mixed": "yellow", "none": "red"}


@dataclass(frozen=True)
class ShownKey:
    """A key as a command shows it. `key_string` is set only where it was asked for."""

    key: Key
    verification: Verification | None = None
    key_string: KeyString | None = None
    handed: tuple[HandedOver, ...] = ()


def list_view(session: Session, *, projects: bool, deleted: bool, usage: Mapping[str, Used] | None = None) -> View[Key]:
    """The table of `keys list`; with the project where there are several, with the deletion where deleted keys are listed.

    `usage` = the keys' use by full name, where it was asked for.
    """
    columns: list[Column[Key]] = [
        Column("Name", lambda key: key.display_name, fold=True),
        Column("ID", lambda key: key.key_id, below=True),
    ]
    if projects:
        columns.append(Column("Project", lambda key: key.project))
    columns += [
        Column("Type", lambda key: key.key_type, lambda key: "yellow" if key.key_type == "standard" else None),
        Column("Restricted", lambda key: _RESTRICTED[key.restricted], lambda key: _COLOURS.get(key.restricted)),
        Column("Clients", lambda key: key.restrictions.client_kind or "anyone"),
        Column("Created", lambda key: key.create_time, spare=True),
        Column("Days", lambda key: key.age_days(session.now())),
    ]
    if usage is not None:
        columns.append(Column("Last used", lambda key: usage[key.name].short))
    if deleted:
        columns.append(Column("Deleted", lambda key: key.delete_time, lambda key: "red"))

    def to_dict(key: Key) -> dict[str, Any]:
        out = as_json(key, sandbox=session.sandbox is not None, now=session.now())
        return out | usage[key.name].fields if usage is not None else out

    return View(columns, to_dict, "No keys.")


def _in_studio(key: Key) -> str:
    if key.delete_time is not None:
        return "not shown (deleted)"
    return "shown" if key.studio_visible else "not shown (restricted to other APIs)"


def show_key(session: Session, row: ShownKey) -> None:
    """Print one key with everything that is known of it."""
    key = row.key
    fields: list[tuple[str, object]] = [
        ("Name", key.display_name),
        ("ID", key.key_id),
        ("Project", key.project),
        ("Type", key.key_type),
        ("APIs", apis(key.restrictions)),
        ("Clients", clients(key.restrictions)),
        ("Service account", key.service_account_email),
        ("Created", key.create_time),
        ("Updated", key.update_time),
        ("Deleted", key.delete_time),
        ("Annotations", ", ".join(f"{name}={value}" for name, value in sorted(key.annotations.items()))),
        ("AI Studio", _in_studio(key)),
        ("Full name", key.name),
        ("Verification", row.verification),
        ("Key string", reveal(row.key_string) if row.key_string else None),
    ]
    columns = [_column(title, value) for title, value in fields if value not in (None, "")]
    show_one(session, row, View(columns, lambda shown: to_json(session, shown)))


def show_keys(session: Session, keys: Sequence[Key]) -> None:
    """Print several keys: a list, for people one below the other."""
    if session.format != "table":
        show_list(session, keys, list_view(session, projects=True, deleted=False))
        return
    for place, key in enumerate(keys):
        if place:
            write("")
        show_key(session, ShownKey(key))


def show_changed(session: Session, outcome: Key | Started) -> None:
    """Print what a change left: the key, or the operation that is not waited for."""
    if isinstance(outcome, Started):
        show_started(session, outcome)
    else:
        show_key(session, ShownKey(outcome))


def show_started(session: Session, started: Started) -> None:
    """Print an operation that is not waited for."""
    data = {"name": started.name, "operation": started.operation, "done": not started.operation}
    show_document(session, data | session.mark, started.operation)
    session.console.note(f"Not waited for. See what came of it: {typed('keys describe', started.name)}")


def _column(title: str, value: object) -> Column[ShownKey]:
    return Column(title, lambda row: value)


def to_json(session: Session, row: ShownKey) -> dict[str, Any]:
    """The key's JSON object."""
    if row.key_string is not None:
        reveal(row.key_string)
    out = as_json(
        row.key,
        sandbox=session.sandbox is not None,
        now=session.now(),
        verification=row.verification,
        key_string=row.key_string,
    )
    return out | ({"handedOver": [one.to_json() for one in row.handed]} if row.handed else {})
