"""`audit` on a schedule: what its files say, what its account may do, which command they run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from keyadmin.access.permissions import FEATURES, GET_PROJECT, MONITORING, RESOURCE_MANAGER
from keyadmin.model.problem import usage
from keyadmin.unattended.schedule.plan import AccountNeeds, JobWords, RunPlace, SchedulePlan
from keyadmin.unattended.schedule.template import ScheduleFile, fill

# Beside what doctor says an audit takes: the use of keys, without which unused ones are not found.
USE: Final = "monitoring.timeSeries.list"
BELOW: Final = "resourcemanager.folders.list"
INVENTORY: Final = "cloudasset.googleapis.com"
_PACKAGE: Final = "keyadmin.audit"


@dataclass(frozen=True, kw_only=True)
class AuditSchedule(SchedulePlan):
    """Audits of projects, or of all below a folder or an organisation (by number)."""

    job = "audit"
    account_id = "keyadmin-audit"
    role_id = "keyadminAudit"
    script = "audit.sh"
    log = "audit.log"
    policy_name = "keyadmin-audit-policy"
    policy_file = "audit.toml"
    memory = "2Gi"
    words: ClassVar[JobWords] = JobWords(
        title="Audit API keys",
        does="audits",
        done="audited",
        its_keys="the keys",
        work="the audit of API keys",
        failed="found something or failed",
        three="findings at the threshold, or a project that could not be checked",
        three_short="findings, or a project that could not be checked",
        see="audit",
        makes_up="finds the same",
        writes="What it writes: kept reports and metrics.",
        description="Reads what an audit of API keys needs; changes nothing.",
        policy_advice="print these files again without --policy",
    )

    projects: tuple[str, ...] = ()
    folder: str = ""
    organization: str = ""
    fail_on: str = "high"
    max_age: str = "90d"
    anomaly: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for option, number in (("--folder", self.folder), ("--organization", self.organization)):
            if number and not re.fullmatch(r"[0-9]{1,20}", number):
                raise usage(f"{option} {number}: a schedule is for a number; nobody is asked for a name", f"{option} NUMBER")
        for name in self.projects:
            if not re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", name):
                raise usage(f"{name!r} is not a project id", "write the ids of the projects")

    @property
    def uses_policy(self) -> bool:
        """Where there is one: it says which findings are accepted."""
        return bool(self.policy_text)

    @property
    def history(self) -> bool:
        """Reports are kept, and each is compared with the one before."""
        return True

    @property
    def needs(self) -> AccountNeeds:
        """What `doctor --for audit` says, what finding projects takes, and the inventory where it is searched."""
        feature = FEATURES["audit"]
        below = bool(self.folder or self.organization)
        more = {GET_PROJECT, BELOW, *(each.name for each in feature.optional if each.above)} if below else set()
        apis = {*feature.apis, MONITORING, *({RESOURCE_MANAGER, INVENTORY} if below else ())}
        return AccountNeeds(
            tuple(sorted({*feature.permissions, USE, *more})),
            tuple(sorted(apis)),
            self.projects if not below else (),
            (self.folder,) if self.folder else (),
            (self.organization,) if self.organization else (),
        )

    def command(self, place: RunPlace) -> list[str]:
        """`audit`, which keeps its report and says what is new in it."""
        words = [place.program, "--no-sandbox", "--quiet", "audit", *self._scope()]
        words += ["--keep", place.history, "--diff", "--fail-on", self.fail_on, "--max-age", self.max_age]
        words += ["--anomaly", f"{self.anomaly:g}"] if self.anomaly is not None else []
        words += ["--policy", place.policy] if self.uses_policy else []
        words += self.notice_words
        return [*words, *(["--metrics", f"{place.state}/audit.prom"] if place.state else [])]

    def _scope(self) -> list[str]:
        if self.folder:
            return ["--folder", self.folder]
        return ["--organization", self.organization] if self.organization else ["--projects", ",".join(self.projects)]

    def policy_template(self) -> str:
        """Nothing: an audit goes without a policy."""
        return ""

    def rules(self) -> ScheduleFile:
        """On what `--metrics` writes."""
        return fill("keyadmin-audit.rules.yaml", self.values(), package=_PACKAGE)

    def workflow(self, values: dict[str, object]) -> ScheduleFile:
        """One job, whose alerts go to code scanning and whose reports are kept as an artifact."""
        return fill("keyadmin-audit.yml", values, ".github/workflows/keyadmin-audit.yml", _PACKAGE)
