"""What can be seen of a cause in a project, by checks that change nothing: which of the steps is true already.

Asked are the project, its API, the permission and, where a key is at hand, the Gemini API itself. What cannot be found out is
`unknown` with the reason.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from keyadmin.access.doctor import diagnose
from keyadmin.access.permissions import FEATURES
from keyadmin.model.cause import Cause
from keyadmin.model.causes.facts import Classification
from keyadmin.model.causes.table import ENTRIES
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import Problem, or_problem
from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

T = TypeVar("T")
Status = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True)
class Seen:
    """One thing that was looked at: `what` is true (`ok`), is not (`failed`), or could not be found out."""

    what: str
    status: Status
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """`{"check", "status", "detail"?}`."""
        return {"check": self.what, "status": self.status} | ({"detail": self.detail} if self.detail else {})


async def look(cloud: Cloud, found: Classification, project: str, key: KeyString | None) -> list[Seen]:
    """Look at what the cause is about, in `project`; `key` = the one that programs on this machine use. Changes nothing."""
    seen = [await _project(cloud, project)]
    if found.service is not None:
        seen.append(await _api(cloud, project, found.service))
    if found.permission is not None:
        seen.append(await _permission(cloud, project, found.permission))
    if key is not None and found.service in (None, GEMINI):
        seen.append(await _key(cloud, key))
    if key is not None and found.model is not None:
        seen.append(await _model(cloud, key, found.model))
    if key is None and (found.model is not None or found.cause in _OF_A_KEY):
        what = "which models the key may use" if found.model is not None else "whether the Gemini API takes the key"
        seen.append(Seen(what, "unknown", "set GEMINI_API_KEY to the key that the program uses, and look again"))
    return seen


_OF_A_KEY: Final = frozenset({cause for cause, known in ENTRIES.items() if known.key_dead or known.of_standard_keys})


async def _asked(call: Awaitable[T]) -> T | Problem:
    return await or_problem(call)


async def _project(cloud: Cloud, project: str) -> Seen:
    answer = await _asked(cloud.projects.get(project))
    if isinstance(answer, Problem):
        return Seen(f"{project} can be seen by you", "failed", answer.message)
    return Seen(f"{project} exists and is active", "ok" if answer.state == "ACTIVE" else "failed", answer.state)


async def _api(cloud: Cloud, project: str, service: str) -> Seen:
    what = f"{service} is on in {project}"
    answer = await _asked(cloud.services.states(project, [service]))
    if isinstance(answer, Problem):
        return Seen(what, "unknown", answer.message)
    return Seen(what, "ok" if answer.get(service) == "ENABLED" else "failed")


async def _permission(cloud: Cloud, project: str, permission: str) -> Seen:
    what = f"you hold {permission} on {project}"
    feature = next((each for each in FEATURES.values() if permission in each.permissions), None)
    if feature is not None:
        checks = (await diagnose(cloud, [project], feature))[0].checks
        status = next((check.status for check in checks if check.permission == permission), "unknown")
        return Seen(what, "ok" if status == "ok" else "failed" if status in ("missing", "failed") else "unknown")
    answer = await _asked(cloud.projects.test_permissions(project, [permission]))
    if isinstance(answer, Problem):
        return Seen(what, "unknown", answer.message)
    return Seen(what, "ok" if permission in answer else "failed")


async def _key(cloud: Cloud, key: KeyString) -> Seen:
    what = f"the Gemini API takes the key {key.masked}"
    answer = await _asked(cloud.gemini.check(key))
    if not isinstance(answer, Problem):
        return Seen(what, "ok")
    unheard = answer.cause in (Cause.NETWORK_UNREACHABLE, Cause.UNKNOWN)
    return Seen(what, "unknown" if unheard else "failed", f"{answer.cause.value}: {answer.message}")


async def _model(cloud: Cloud, key: KeyString, model: str) -> Seen:
    what = f"the key {key.masked} may use the model {model}"
    names: Sequence[str] | Problem = await _asked(cloud.gemini.models(key))
    if isinstance(names, Problem):
        return Seen(what, "unknown", names.message)
    near = [name for name in names if name.split("-")[0] == model.split("-")[0]]
    return Seen(what, "ok") if model in names else Seen(what, "failed", f"it may use {', '.join(near[:12]) or 'none like it'}")
