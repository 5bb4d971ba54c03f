"""`keyadmin audit accept`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.audit.options import PolicyFile, complete_rules
from keyadmin.cli.confirm import would
from keyadmin.cli.options import DryRun
from keyadmin.cli.render import show_to_programs
from keyadmin.cli.runner import run
from keyadmin.cli.session import Session, current
from keyadmin.cli.suggest import key_names
from keyadmin.model.problem import Problem, usage

if TYPE_CHECKING:
    from keyadmin.audit.acceptance import Acceptance
    from keyadmin.cloud.connect import Cloud


def accept(
    context: typer.Context,
    rule: Annotated[
        list[str],
        typer.Option("--rule", metavar="RULE", autocompletion=complete_rules, help="Accept this rule; may be repeated."),
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is accepted, for readers of the report.")],
    until: Annotated[
        str, typer.Option("--until", metavar="DAY|DURATION", help="The last day: 2027-03-31, or counted from today: 90d.")
    ],
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY", autocompletion=key_names, help="The key; without it, the finding about the project of --project."
        ),
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", metavar="NAME", help="Who is responsible for it.")] = None,
    policy: PolicyFile = None,
    dry_run: DryRun = False,
) -> None:
    """Accept a rule's finding for a key until a given day. It is then counted separately and does not affect the exit code.

    The entry is written to keyadmin.toml in this folder, or to the file of --policy; comments stay. An existing entry for
    the same rule and key is updated.
    """
    from keyadmin.audit import accepting
    from keyadmin.rotation.policy import DEFAULT_FILE

    session = current(context)
    last = _day(until)
    about = _about(context, session, key)
    entries = tuple(_entry(name, about, reason, owner, last) for name in _known(rule))
    path = Path(policy) if policy is not None else Path(DEFAULT_FILE)
    planned = accepting.plan(path, entries, datetime.now(UTC), found=policy is None)
    if not dry_run:
        accepting.execute(planned)
    _tell(session, planned.path, entries, bool(planned.replaced), dry_run=dry_run)


def _known(names: list[str]) -> list[str]:
    from keyadmin.audit.rules import chosen

    return [rule.id for rule in chosen(names)]


def _day(text: str) -> date:
    """The last day. Raises usage() for what is neither a day nor a duration, and for one that is over."""
    from keyadmin.model import duration

    today = datetime.now(UTC).date()
    try:
        last = date.fromisoformat(text)
    except ValueError:
        try:
            last = (datetime.now(UTC) + duration.parse(text)).date()
        except (Problem, OverflowError):
            raise usage(f"--until: {text!r} is neither a day nor a duration", "write a day, 2027-03-31, or 90d") from None
    if last < today:
        raise usage(f"--until: {last.isoformat()} is over", "name a day that is still to come")
    return last


def _about(context: typer.Context, session: Session, key: str | None) -> dict[str, str]:
    """What the entry names: the key by its full name, else the project. A full name needs no call."""
    from keyadmin.keys import resolve

    if key is None:
        if not session.project_given or session.settings.project is None:
            raise usage("a key is missing", "name the key, or the project whose own finding is accepted: --project ID")
        return {"project": session.settings.project.value}
    if named := resolve.full_name(key):
        return {"key": str(named)}

    async def work(cloud: Cloud) -> str:
        return (await resolve.find(cloud, key, lambda: session.project(cloud), state="any")).name

    return {"key": run(context, work)}


def _entry(rule: str, about: dict[str, str], reason: str, owner: str | None, last: date) -> Acceptance:
    from keyadmin.audit.acceptance import Acceptance

    if not reason.strip():
        raise usage("--reason is empty", "say why it is accepted")
    named = about.get("key", ""), about.get("project", "")
    return Acceptance(rule, reason.strip(), *named, owner=(owner or "").strip(), until=last)


def _tell(session: Session, path: Path, entries: tuple[Acceptance, ...], replaced: bool, *, dry_run: bool) -> None:
    about = f"{', '.join(entry.rule for entry in entries)} of {entries[0].subject}"
    if dry_run:
        would(session, f"{'change' if replaced else 'add'} an entry in {path}: {about}, accepted until {entries[0].until}")
        return
    verb = "Changed in" if replaced else "Accepted in"
    session.console.note(f"{verb} {path}, until {entries[0].until}: {about}.")
    data = [{"rule": each.rule, "key": each.key or None, "project": each.project or None} | each.to_json() for each in entries]
    show_to_programs(session, {"file": str(path), "accepted": data, **session.mark})
