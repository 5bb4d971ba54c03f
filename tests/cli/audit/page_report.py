"""A report of made-up keys, for tests of the HTML page: accepted and new findings, owners, errors, names of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from keyadmin.audit.acceptance import Acceptance
from keyadmin.audit.judgement import FixStep, KeyJudgement, in_order
from keyadmin.audit.model import Finding, Unseen, Use
from keyadmin.audit.owner import Owner
from keyadmin.audit.report.html import FORMAT
from keyadmin.audit.result import AuditReport
from keyadmin.audit.rules import rules
from keyadmin.model.key import GEMINI, GEMINI_ONLY, ApiTarget, Key, Restrictions

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
NASTY = "</script><script>document.title='taken'</script><img src=x onerror=1>\u202e<!--"
MAPS = Restrictions(targets=(ApiTarget("maps-backend.googleapis.com"),), referrers=("*.example.com/*",))
ACCEPTED = Acceptance("key-too-old", "the kiosks cannot be updated", owner="ann@example.com", until=date(2027, 3, 1))
OPEN, OLD, UNUSED = "gemini-exposed-key", "key-too-old", "unused-key"


def judged(number: int, *found: str, project: str = "", name: str | None = None, age: int = 0, **more: object) -> KeyJudgement:
    """One key with findings of these rules."""
    project = project or f"shop-{number % 7:05d}"
    key = Key(
        f"projects/{500000000000 + number % 7}/locations/global/keys/0a1b2c3d-{number:012d}",
        uid=f"uid-{number}",
        display_name=f"key {number}" if name is None else name,
        project=project,
        create_time=NOW - timedelta(days=age or 10 + number % 900),
        restrictions=(Restrictions(), GEMINI_ONLY, MAPS)[number % 3],
        service_account_email="robot@example.iam.gserviceaccount.com" if number % 2 else None,
    )
    steps = (
        FixStep("contain", f"keyadmin keys restrict {key.key_id} --to-used -p {project}", "it can call every API", ("use",)),
        FixStep("replace", f"keyadmin keys rotate {key.key_id} --to SINK -p {project}", f"{project} has it since long"),
    )
    findings = tuple(_finding(rule, key) for rule in found)
    return replace(KeyJudgement(project, key, findings, steps), **more)  # type: ignore[arg-type]


def _finding(rule: str, key: Key) -> Finding:
    age = key.age_days(NOW)
    message = f"the key is {age} days old; the limit is 90 days" if rule == OLD else f"{rule} in {key.project}"
    return Finding(rule, rules()[rule].severity, key.project, key, message, "")


def marked(judgement: KeyJudgement, rule: str, *, accepted: bool = False, new: bool = False) -> KeyJudgement:
    """The same with one finding accepted, or new."""
    changed = (
        replace(each, accepted=ACCEPTED if accepted else None, new=new) if each.rule == rule else replace(each, new=False)
        for each in judgement.findings
    )
    return replace(judgement, findings=tuple(changed))


def few() -> list[KeyJudgement]:
    """Seven keys and a project, of every kind that the page tells apart."""
    used = Use(NOW - timedelta(days=2), frozenset({GEMINI}))
    ann, nobody = Owner(("ann@example.com",), "label", "label of the project"), Owner((), "unknown", "logs may not be read")
    many = ("standard-key", "mixed-targets", OLD, UNUSED, "no-client-restriction")
    project = Finding("too-many-keys", rules()["too-many-keys"].severity, "shop-full", None, "290 of 300 keys", "")
    return [
        marked(judged(1, OPEN, OLD, name=NASTY, use=used, owner=ann), OPEN, new=True),
        marked(judged(2, OPEN, project="web-one", name="a map", owner=ann), "none"),
        marked(judged(3, OLD, UNUSED, name="", not_read=("use",), owner=nobody), "none"),
        marked(judged(4, OLD, name="kiosk", owner=nobody), OLD, accepted=True),
        marked(judged(5, OLD, OPEN, name="half accepted"), OLD, accepted=True),
        marked(judged(6, UNUSED, age=900), "none"),
        marked(judged(7, *many, name="five things"), OLD, new=True),
        KeyJudgement("shop-full", None, (project,), (FixStep("review", "keyadmin keys list -p shop-full", "see them"),)),
    ]


def report(judgements: list[KeyJudgement], *, errors: int = 0, compared: bool = True) -> AuditReport:
    """The report of these keys."""
    ordered = tuple(in_order(judgements))
    return AuditReport(
        findings=tuple(finding for each in ordered for finding in each.findings),
        errors=tuple(Unseen(f"shut-{n:05d}", "missing-iam-permission", f"not allowed in shut-{n:05d}") for n in range(errors)),
        projects=9,
        keys=len(judgements),
        rules=tuple(rules()),
        source="asset",
        where="organizations/77",
        now=NOW,
        notes=("the inventory lags by hours",),
        version="0.0",
        judgements=ordered,
        compared=compared,
    )


def written(made: AuditReport, file: Path) -> str:
    """The address of its page."""
    file.write_text("".join(FORMAT.pieces(made)), "utf-8")
    return file.as_uri()
