"""What can be seen of a cause in a project, by checks that change nothing: which of the steps is true already.

Asked are the project, its API, the permission and, where a key is at hand, the Gemini API itself. What cannot be found out is
`unknown` with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from keyadmin.access.doctor import diagnose
from keyadmin.access.permissions import FEATURES
from keyadmin.access.probe import its_project
from keyadmin.model.cause import Cause
from keyadmin.model.causes.facts import Classification
from keyadmin.model.causes.table import ENTRIES, entry
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import Exit, Problem, or_problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud
    from keyadmin.cloud.projects import Project

Status = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True)
class Seen:
    """One thing that was looked at: `what` is true (`ok`), is not (`failed`), or could not be found out.

    `project` = the one that it is about; `steps` = the numbers of the steps that are done where it is true.
    """

    what: str
    status: Status
    detail: str = ""
    project: str | None = None
    steps: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """`{"check", "status", "detail"?, "project"?, "steps"?}`."""
        more = {"detail": self.detail, "project": self.project, "steps": list(self.steps)}
        return {"check": self.what, "status": self.status} | {name: value for name, value in more.items() if value}


@dataclass(frozen=True)
class Looked:
    """What was seen in `project`; `named` = the project of the text, where that is another. `signed_in` = with credentials."""

    seen: tuple[Seen, ...] = ()
    project: str = ""
    named: str | None = None
    signed_in: bool = True

    @property
    def done(self) -> frozenset[int]:
        """The numbers of the steps that are done already."""
        return frozenset(number for each in self.seen if each.status == "ok" for number in each.steps)


async def look(
    cloud: Cloud, found: Classification, fix: Sequence[str], project: str, key: KeyString | None, wanting: str = ""
) -> Looked:
    """Look at what the cause and its steps (`fix`) are about, in `project`. Changes nothing.

    `key` = the one that programs on this machine use. `wanting` = why nothing can be asked that takes credentials.
    """
    answer = Problem(Cause.CREDENTIALS_MISSING, wanting) if wanting else await or_problem(its_project(cloud, project))
    ids = {project} if isinstance(answer, Problem) else {project, answer.project_id, answer.number}
    named = found.project if found.project not in (None, *ids) else None
    seen = [_project(answer, project)]
    if found.service is not None:
        seen.append(await _api(cloud, project, found.service, wanting))
    if found.permission is not None:
        seen.append(await _permission(cloud, project, found.permission, wanting))
    steps = [_done_by(each.what, found, fix) if named is None else () for each in seen]
    seen = [replace(each, project=project, steps=numbers) for each, numbers in zip(seen, steps, strict=True)]
    if key is not None and found.service in (None, GEMINI):
        seen.append(await _key(cloud, key))
    if key is not None and found.model is not None:
        seen.append(await _model(cloud, key, found.model))
    if key is None and (found.model is not None or found.cause in _OF_A_KEY):
        what = "which models the key may use" if found.model is not None else "whether the Gemini API takes the key"
        seen.append(Seen(what, "unknown", "set GEMINI_API_KEY to the key that the program uses, and look again"))
    return Looked(tuple(seen), project, named)


_OF_A_KEY: Final = frozenset({cause for cause, known in ENTRIES.items() if known.key_dead or known.of_standard_keys})
# Steps that are about having a permission on a project or something in it. Of a service account's own the check says nothing.
_GRANTS: Final = (
    r"gcloud (?!iam |billing |organizations )[\w -]*add-iam-policy-binding |doctor \S+.* --message|"
    r"smallest predefined role that"
)


def _done_by(what: str, found: Classification, fix: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the steps that have nothing left to do where `what` is true."""
    if found.service is not None and what.startswith(f"{found.service} is on"):
        about = rf"(?<![\w-])(?:projects|services) enable {re.escape(found.service)}(?![\w.])"
    elif what.startswith("you hold"):
        if found.member is not None:  # who need not be the caller
            return ()
        about = _GRANTS
    else:
        about = r"(?<![\w-])projects undelete "
    return tuple(number for number, line in enumerate(fix, 1) if re.search(about, line))


def _project(answer: Project | Problem, project: str) -> Seen:
    what = f"{project} exists and is active"
    if not isinstance(answer, Problem):
        return Seen(what, "ok" if answer.state == "ACTIVE" else "failed", answer.state)
    if answer.cause is Cause.CONSUMER_SUSPENDED:
        return Seen(what, "failed", "it is suspended by Google: nothing in it works")
    return _unasked(what, answer) if _unheard(answer) else Seen(what, "failed", answer.message)


def _unheard(problem: Problem) -> bool:
    """Whether the answer says nothing of what was asked: nobody answered, or not to the caller."""
    return problem.exit is Exit.CREDENTIALS or entry(problem.cause).unanswered or problem.cause is Cause.UNKNOWN


def _unasked(what: str, problem: Problem) -> Seen:
    return Seen(what, "unknown", problem.message)


async def _api(cloud: Cloud, project: str, service: str, wanting: str) -> Seen:
    what = f"{service} is on in {project}"
    if wanting:
        return Seen(what, "unknown", wanting)
    answer = await or_problem(cloud.services.states(project, [service]))
    if isinstance(answer, Problem):
        return _unasked(what, answer)
    return Seen(what, "ok" if answer.get(service) == "ENABLED" else "failed")


async def _permission(cloud: Cloud, project: str, permission: str, wanting: str) -> Seen:
    what = f"you hold {permission} on {project}"
    if wanting:
        return Seen(what, "unknown", wanting)
    feature = next((each for each in FEATURES.values() if permission in each.permissions), None)
    if feature is not None:
        found = await or_problem(diagnose(cloud, [project], feature))
        if isinstance(found, Problem):
            return _unasked(what, found)
        status = next((check.status for check in found[0].checks if check.permission == permission), "unknown")
        return Seen(what, "ok" if status == "ok" else "failed" if status in ("missing", "failed") else "unknown")
    answer = await or_problem(cloud.projects.test_permissions(project, [permission]))
    if isinstance(answer, Problem):
        return _unasked(what, answer)
    return Seen(what, "ok" if permission in answer else "failed")


async def _key(cloud: Cloud, key: KeyString) -> Seen:
    what = f"the Gemini API takes the key {key.masked}"
    answer = await or_problem(cloud.gemini.check(key))
    if not isinstance(answer, Problem):
        return Seen(what, "ok")
    unheard = answer.cause in (Cause.NETWORK_UNREACHABLE, Cause.UNKNOWN)
    return Seen(what, "unknown" if unheard else "failed", f"{answer.cause.value}: {answer.message}")


async def _model(cloud: Cloud, key: KeyString, model: str) -> Seen:
    what = f"the key {key.masked} may use the model {model}"
    names: Sequence[str] | Problem = await or_problem(cloud.gemini.models(key))
    if isinstance(names, Problem):
        return _unasked(what, names)
    near = [name for name in names if name.split("-")[0] == model.split("-")[0]]
    return Seen(what, "ok") if model in names else Seen(what, "failed", f"it may use {', '.join(near[:12]) or 'none like it'}")
