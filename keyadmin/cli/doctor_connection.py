"""`keyadmin doctor --connection`: what is in force between this machine and Google, and whether it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from keyadmin.cli.render import show_document
from keyadmin.cli.runner import run, run_alone
from keyadmin.cli.session import Session
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import Cause, Exit, Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.connection import ConnectionReport


def show_connection(context: typer.Context, session: Session) -> int:
    """Print the report. Exit code 4 = no usable credentials, 3 = something cannot be reached, 0 = all is well."""
    if session.sandbox is not None:
        text = "The sandbox is on this machine: no credentials, proxy or certificates are involved."
        show_document(session, _of_sandbox(context, session), text)
        return Exit.OK
    from keyadmin.cloud.connection import inspect

    found = run_alone(context, inspect(session.target(), session.observer.note))
    project = session.settings.project.value if session.settings.project else None
    data = to_json(found, project)
    show_document(session, data, _table(found, data))
    if found.problem is not None:
        return found.problem.exit if found.problem.exit is Exit.CREDENTIALS else Exit.FOUND
    return Exit.OK if all(host.reached for host in found.hosts) else Exit.FOUND


def to_json(found: ConnectionReport, project: str | None) -> dict[str, Any]:
    """The contract's object. `project` = whose keys are meant: the Gemini API charges the project of the key."""
    from keyadmin.cloud.connection import CALLED

    caller = found.caller
    hosts: list[dict[str, Any]] = []
    for host in found.hosts:
        each: dict[str, Any] = {"host": host.host, "reached": host.reached}
        each |= {"ms": host.ms} if host.ms is not None else {}
        hosts.append(each | ({"reason": host.reason} if host.reason else {}))
    return {
        "credentials": found.credentials,
        "account": caller.principal if caller else None,
        "quotaProject": caller.quota_project if caller else None,
        "scopes": found.scopes,
        "universe": "googleapis.com",
        "proxy": found.proxy,
        "ca": found.ca,
        "clockSkewSeconds": found.skew_s,
        "hosts": hosts,
        "charged": [{"api": api, "project": found.charged_to} for api in CALLED] + [{"api": GEMINI, "project": project}],
    }


def _table(found: ConnectionReport, data: dict[str, Any]) -> str:
    """For people: what is in force, then the hosts."""
    proxy, ca, caller = found.proxy, found.ca, found.caller
    skew = "not known" if found.skew_s is None else f"{found.skew_s:+.0f} s (the servers' clock against this one)"
    payer = found.charged_to or "gcloud's own project, as none is named" if caller else "not known"
    if caller is not None and caller.kind == "access-token" and not found.charged_to:
        payer = "not known: name one with --quota-project"
    lines = [
        ("Credentials", _sources(found)),
        ("Account", data["account"] or "not known"),
        ("Quota project", data["quotaProject"] or "none"),
        ("Charged", payer),
        ("Scopes", ", ".join(found.scopes or ()) or "not known"),
        ("Proxy", proxy.get("error") or f"{proxy['url']} ({proxy['from']})" if proxy else "none"),
        ("Certificates", ca.get("error") or f"{ca['file']} ({ca['from']})"),
        ("Clock", skew),
    ]
    text = [f"{title:14} {value}" for title, value in lines]
    if found.problem is not None:
        text += ["", f"Problem: {found.problem.message}", *(f"  What to do: {step}" for step in found.problem.fix)]
    if found.hosts:
        width = max(len(host.host) for host in found.hosts)
        text += ["", *(f"{h.host:{width}}  {f'{h.ms} ms' if h.reached else f'not reached: {h.reason}'}" for h in found.hosts)]
    return "\n".join(text)


def _sources(found: ConnectionReport) -> str:
    known = {name: value for name, value in found.credentials.items() if name not in ("problem", "cause")}
    if not known:
        return "none"
    more = ", ".join(f"{name} {value}" for name, value in known.items() if name not in ("kind", "source", "variable", "file"))
    return f"{known['kind']}, from {known['source']}" + (f" ({more})" if more else "")


def _of_sandbox(context: typer.Context, session: Session) -> dict[str, Any]:
    async def ask(cloud: Cloud) -> dict[str, Any]:
        caller = cloud.caller
        project = await session.project(cloud)
        answer = await or_problem(cloud.projects.get(project))
        unheard = isinstance(answer, Problem) and answer.cause in (Cause.SERVICE_UNAVAILABLE, Cause.NETWORK_UNREACHABLE)
        host: dict[str, Any] = {"host": str(session.sandbox), "reached": not unheard}
        host |= {"reason": answer.message} if unheard and isinstance(answer, Problem) else {}
        return {
            "credentials": {"kind": "sandbox", "source": "KEYADMIN_SANDBOX_USER, or its default"},
            "account": caller.principal,
            "quotaProject": caller.quota_project,
            "scopes": None,
            "universe": "googleapis.com",
            "proxy": None,
            "ca": {},
            "clockSkewSeconds": None,
            "hosts": [host],
            "charged": [{"api": GEMINI, "project": project}],
            **session.mark,
        }

    return run(context, ask)
