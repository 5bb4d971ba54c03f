"""What each cause means and what mends it: the one place that advice comes from.

`problem_of` turns a Finding into the Problem that is shown; `advice` completes keyadmin's own Problems. The entries
themselves are in `model/causes/entries.py`.
"""

from __future__ import annotations

from typing import Final

from keyadmin.model.causes.classify import Classification, ErrorFacts, classify
from keyadmin.model.causes.entries import ENTRIES, CauseEntry
from keyadmin.model.problem import Cause, Problem
from keyadmin.model.secret import redact

__all__ = ["CauseEntry", "advice", "entry", "fix_lines", "problem_from", "problem_of"]

ACT_AS: Final = "iam.serviceAccounts.getAccessToken"
# Of the service account, not of a project: doctor cannot help. https://cloud.google.com/iam/docs/service-account-impersonation
TO_ACT_AS: Final = (
    "whoever administers the service account runs: gcloud iam service-accounts add-iam-policy-binding ACCOUNT "
    "--member=user:YOUR_ADDRESS --role=roles/iam.serviceAccountTokenCreator",
    "or leave out --impersonate-service-account (KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT)",
)
_UNNAMED: Final = {"project": "PROJECT", "service": "SERVICE", "permission": "PERMISSION"}


def entry(cause: Cause) -> CauseEntry:
    """The catalogue's entry for a cause. Every cause has one."""
    return ENTRIES[cause]


def fix_lines(
    cause: Cause,
    *,
    permission: str | None = None,
    service: str | None = None,
    project: str | None = None,
    feature: str | None = None,
) -> tuple[str, ...]:
    """The steps that mend a cause, with the names that are known put in; PROJECT, SERVICE, PERMISSION stand for the others.

    `feature` = which of access/permissions.py the person was about, where that is known.
    """
    names = {"project": project, "service": service, "permission": permission}
    filled = {name: value or _UNNAMED[name] for name, value in names.items()} | {"feature": ""}
    if cause is not Cause.MISSING_IAM_PERMISSION:
        return tuple(step.format_map(filled) for step in ENTRIES[cause].steps)
    if permission == ACT_AS:
        return TO_ACT_AS
    from keyadmin.access import shortform  # reads the role data, which only a refusal needs

    if permission is not None and (granting := shortform.grant(permission, project)):
        return granting
    filled["feature"] = shortform.option(permission, feature)
    return (*(step.format_map(filled) for step in ENTRIES[cause].steps), *shortform.lines(permission))


def advice(problem: Problem, feature: str | None = None) -> tuple[str, ...]:
    """What to type next: the problem's own words, else the catalogue's for its cause. `feature` as in `fix_lines`."""
    if problem.fix:
        return problem.fix
    return fix_lines(
        problem.cause, permission=problem.permission, service=problem.service, project=problem.project, feature=feature
    )


def problem_of(finding: Classification, message: str, status: str | None = None) -> Problem:
    """The Problem to raise for a Finding. Key strings in the message are masked."""
    fix = finding.fix or fix_lines(
        finding.cause, permission=finding.permission, service=finding.service, project=finding.project
    )
    return Problem(
        finding.cause,
        redact(message) or ENTRIES[finding.cause].title,
        status=status,
        permission=finding.permission,
        service=finding.service,
        project=finding.project,
        fix=fix,
    )


def problem_from(facts: ErrorFacts) -> Problem:
    """Classified and turned into a Problem in one step."""
    return problem_of(classify(facts), facts.message, facts.status)
