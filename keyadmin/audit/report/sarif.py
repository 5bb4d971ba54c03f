"""A report as SARIF 2.1.0, in the subset that GitHub's code scanning reads.

A key is no file. Code scanning takes only results with a place in a file, given by a path without a scheme (GitHub
documentation, SARIF support for code scanning), so each result's place is the key's full resource name, relative to a base
that is declared to be Google Cloud and no folder; the logical location says the same in SARIF's own terms.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from keyadmin.audit.acceptance import Acceptance
from keyadmin.audit.model import Finding, Severity, Unseen
from keyadmin.audit.report.format import ReportFormat
from keyadmin.audit.result import AuditReport
from keyadmin.audit.rule import AuditRule
from keyadmin.audit.rules import rules
from keyadmin.model.key_codec import format_time

Json = dict[str, Any]

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
BASE: Final = "GOOGLE_CLOUD"
MOST_RESULTS: Final = 25_000
"""Results of one run that GitHub takes; of these it shows the 5,000 worst (its documentation)."""

LEVELS: Final = {Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note", Severity.INFO: "note"}
# GitHub calls 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low; what is worth knowing alone is no security result.
SCORES: Final = {Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}
_RESULTS: Final = '"results": []'
_ENCODE: Final = json.JSONEncoder().encode
_AT_ONCE: Final = 400
_NOWHERE: Final = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}


def document(report: AuditReport) -> Json:
    """The SARIF log, ready to be written as JSON, without its results."""
    run: Json = {
        "tool": {
            "driver": {
                "name": "keyadmin",
                "version": report.version,
                "semanticVersion": report.version,
                "rules": [_rule(rules()[rule]) for rule in report.rules],
            }
        },
        "automationDetails": {"id": f"keyadmin-audit/{_category(report.where)}/"},
        "originalUriBaseIds": {BASE: {"description": {"text": "Resource names in Google Cloud. They are not files."}}},
        "invocations": [_invocation(report)],
        "results": [],
        "properties": {
            "summary": report.summary(),
            "inventory": report.source,
            "known": report.known.to_json(),
            "notes": [*report.notes, *report.unknown],
            **({"sandbox": True} if report.sandbox else {}),
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: AuditRule) -> Json:
    secure = rule.severity in SCORES
    score = {"security-severity": SCORES[rule.severity]} if secure else {}
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.help},
        "help": {
            "text": f"{rule.help}\n\n{rule.fix}\n\n{rule.source}",
            "markdown": f"{rule.help}\n\n**What to do.** {rule.fix}\n\n[Source]({rule.source})",
        },
        "helpUri": rule.source,
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": ["api-keys", "google-cloud", *(["security"] if secure else [])],
            "precision": "very-high",
            **score,
        },
    }


def _invocation(report: AuditReport) -> Json:
    return {
        "executionSuccessful": not report.errors,
        "endTimeUtc": format_time(report.now),
        "toolExecutionNotifications": [_notification(error) for error in report.errors],
    }


def _notification(error: Unseen) -> Json:
    name = f"//cloudresourcemanager.googleapis.com/projects/{error.project}"
    return {
        "level": "error",
        "message": {"text": plain(f"Project {error.project} could not be checked: {error.message}")},
        "locations": [{"logicalLocations": [{"name": error.project, "fullyQualifiedName": name, "kind": "resource"}]}],
        "properties": {"cause": error.cause},
    }


def _result(finding: Finding, place: int) -> Json:
    mark = fingerprint(finding)
    name = resource(finding)
    who = f"Key {finding.label!r} of project" if finding.key else "Project"
    return {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": LEVELS[finding.severity],
        "message": {"text": plain(f"{who} {finding.project}: {finding.message}. What to do: {finding.fix}")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(name.removeprefix("//")), "uriBaseId": BASE},
                    "region": dict(_NOWHERE),
                },
                "logicalLocations": [
                    {"name": name.rpartition("/")[2], "fullyQualifiedName": name, "kind": "resource"},
                ],
            }
        ],
        # Code scanning goes by the first of the two alone (its documentation).
        "partialFingerprints": {"primaryLocationLineHash": f"{mark}:1", "keyadminFinding/v1": mark},
        "properties": {
            "severity": finding.severity.word,
            "project": finding.project,
            "keyName": finding.key.display_name if finding.key else None,
            "fix": finding.fix,
            **({"notRead": list(finding.not_read)} if finding.not_read else {}),
        },
    }


def _judged(finding: Finding, report: AuditReport) -> Json:
    """What is accepted, and what is new: of all results or of none, as SARIF wants it (3.27.23, 3.27.24)."""
    out: Json = {}
    if report.accepted:
        out["suppressions"] = [] if finding.accepted is None else [_suppression(finding.accepted)]
    if finding.new is not None:
        out["baselineState"] = "new" if finding.new else "unchanged"
    return out


def _suppression(accepted: Acceptance) -> Json:
    return {
        "kind": "external",
        "status": "accepted",
        "justification": accepted.reason,
        "properties": {name: value for name, value in accepted.to_json().items() if name != "reason"},
    }


def resource(finding: Finding) -> str:
    """The full resource name of what a finding is about."""
    if finding.key is None:
        return f"//cloudresourcemanager.googleapis.com/projects/{finding.project}"
    return f"//apikeys.googleapis.com/{finding.key.name}"


def fingerprint(finding: Finding) -> str:
    """The same for the same rule and key in every run, whatever its age, display name or severity."""
    return hashlib.sha256(f"{finding.rule}\n{resource(finding)}".encode()).hexdigest()[:32]


def plain(text: str) -> str:
    """`text` without what a SARIF message takes for a link or a placeholder; display names are written by others."""
    return text.translate(_PLAIN)


_PLAIN: Final = str.maketrans({"[": "(", "]": ")", "{": "(", "}": ")"})


def _category(where: str) -> str:
    """Runs of one category follow each other in code scanning: the scope as one path segment."""
    return re.sub(r"[^a-z0-9.-]+", "-", where.lower()).strip("-")


def _pieces(report: AuditReport) -> Iterator[str]:
    """Some hundred results at once: all of them together would take more memory than all else."""
    before, _, after = json.dumps(document(report)).partition(_RESULTS)
    places = {rule: place for place, rule in enumerate(report.rules)}
    left, between = iter(report.findings), before + _RESULTS[:-1]
    while batch := list(islice(left, _AT_ONCE)):
        results = (_result(finding, places[finding.rule]) | _judged(finding, report) for finding in batch)
        yield between + ", ".join(map(_ENCODE, results))
        between = ", "
    yield ("" if between == ", " else between) + f"]{after}\n"


def _warning(report: AuditReport) -> str | None:
    if len(report.findings) <= MOST_RESULTS:
        return None
    return f"code scanning takes {MOST_RESULTS} results of a run: {len(report.findings)} are in this one"


FORMAT: Final = ReportFormat(_pieces, _warning)
