"""What every schedule has in common: where, how often, with which command, for whom, and in which words."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

from keyadmin import __version__
from keyadmin.model.problem import usage
from keyadmin.unattended.schedule.install import InstallSource, as_running
from keyadmin.unattended.schedule.template import ScheduleFile

MOST_AT_ONCE: Final = 10  # tasks side by side; they share one quota
STATE: Final = "@STATE@"  # in words of a command: the folder that a machine keeps what it remembers in
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")


class Times(NamedTuple):
    """When a schedule runs: the five fields of cron, systemd's OnCalendar and RandomizedDelaySec, the interval in seconds."""

    cron: str
    calendar: str
    spread: str
    seconds: int


# Off the full hour, when everybody runs.
TIMES: Final = {
    "hourly": Times("23 * * * *", "*-*-* *:23:00 UTC", "5min", 3_600),
    "daily": Times("23 4 * * *", "*-*-* 04:23:00 UTC", "30min", 86_400),
    "weekly": Times("23 4 * * 1", "Mon *-*-* 04:23:00 UTC", "30min", 604_800),
}


@dataclass(frozen=True)
class JobWords:
    """What the files say of the work. `three` = what exit code 3 means; `see` = the command of keyadmin that shows more."""

    title: str
    does: str
    done: str
    its_keys: str
    work: str
    failed: str
    three: str
    three_short: str
    see: str
    makes_up: str
    writes: str
    description: str
    policy_advice: str


@dataclass(frozen=True)
class AccountNeeds:
    """What the account of a schedule may do, and where. `patterns` = projects that are known by pattern only.

    `secret_projects` = where it gets `secret_permissions` alone.
    """

    permissions: tuple[str, ...]
    apis: tuple[str, ...]
    projects: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    secret_projects: tuple[str, ...] = ()
    secret_permissions: tuple[str, ...] = ()
    hands_over: bool = False
    """Whether the work has to do with secrets at all."""


class RunPlace(NamedTuple):
    """Where a scheduled command runs. `state` = the folder that it may keep things in, empty where there is none.

    `policy` = where the policy is; `shared` = one of several tasks runs it; `history` = where reports are kept.
    """

    policy: str
    program: str = "keyadmin"
    state: str = ""
    shared: bool = False
    history: str = ""


@dataclass(frozen=True, kw_only=True)
class SchedulePlan(ABC):
    """What the schedule is for.

    `project` = where the account lives; `tasks` = how many share the projects, where the engine can; `policy_text` = the
    policy, empty where there is no such file yet. Raises usage() for what cannot stand in the files or would go wrong in every
    run.
    """

    job: ClassVar[str]
    """`rotation`, `audit`: how files, units and jobs are called."""
    words: ClassVar[JobWords]
    account_id: ClassVar[str]
    role_id: ClassVar[str]
    script: ClassVar[str]
    log: ClassVar[str]
    policy_name: ClassVar[str]
    policy_file: ClassVar[str]
    memory: ClassVar[str] = "1Gi"

    project: str
    policy: str = "keyadmin.toml"
    every: str = "daily"
    tasks: int = 1
    region: str = "europe-west1"
    policy_text: str = ""
    install: InstallSource | None = None
    """How the image or the workflow installs keyadmin; None = as the running one was, where others can."""
    program: str = "keyadmin"
    """The keyadmin that systemd and cron run: its path (systemd takes no other), or its name on the PATH."""
    notify: tuple[str, ...] = ()
    """Variables that hold the addresses of webhooks."""
    webhook_secret: str | None = None
    """The variable by whose value notices are signed."""

    def __post_init__(self) -> None:
        if self.every not in TIMES:
            raise usage(f"--every {self.every}: use one of {', '.join(TIMES)}")
        if not re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", self.project):
            raise usage(f"{self.project!r} is not a project id", "write the id of the project that the account lives in")
        if not re.fullmatch(r"[a-z]+-[a-z]+[0-9]+", self.region):
            raise usage(f"--region {self.region!r} is not a region", "write one such as europe-west1")
        if not re.fullmatch(r"[\w./+-]+", self.policy):
            raise usage(f"--policy {self.policy!r}: letters, digits and . / + - _ only", "name the policy file so")
        for name in self.variables:
            if not _VARIABLE.fullmatch(name):
                raise usage(f"the variable {name!r}: capital letters, digits and _ only", "call it NOTICE_WEBHOOK, say")

    @property
    def times(self) -> Times:
        """When it runs."""
        return TIMES[self.every]

    @property
    def stale_s(self) -> int:
        """After so many seconds without a run something is wrong: two intervals, and an hour for the run itself."""
        return 2 * self.times.seconds + 3_600

    @property
    def account(self) -> str:
        """The service account. Domain-scoped ids (`example.com:p`) are turned round."""
        domain, _, name = self.project.rpartition(":")
        return f"{self.account_id}@{f'{name}.{domain}' if domain else self.project}.iam.gserviceaccount.com"

    @property
    def source(self) -> InstallSource:
        """How it is installed. Raises usage() with the choices where that does not follow from the running one."""
        return self.install or as_running()

    @property
    def image(self) -> str:
        """The container image, of this version and source."""
        home = f"{self.region}-docker.pkg.dev/{self.project.replace(':', '/')}"
        return f"{home}/keyadmin/keyadmin:{__version__}-{self.source.tag}"

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that a run needs: addresses of webhooks, and the secret that signs."""
        return once([*self.notify, *([self.webhook_secret] if self.webhook_secret else [])])

    @property
    def notice_words(self) -> list[str]:
        """The options that tell others of a run."""
        words = [word for name in self.notify for word in ("--notify", f"webhook-from-env:{name}")]
        return [*words, *(["--webhook-secret-from-env", self.webhook_secret] if self.webhook_secret else [])]

    @property
    @abstractmethod
    def uses_policy(self) -> bool:
        """Whether the files hand the policy file on."""

    @property
    def writable(self) -> tuple[str, ...]:
        """Folders of this machine, beside its own, that a run writes into."""
        return ()

    @property
    def history(self) -> bool:
        """Whether runs keep something that the next one reads."""
        return False

    @property
    @abstractmethod
    def needs(self) -> AccountNeeds:
        """What the account may do."""

    @abstractmethod
    def command(self, place: RunPlace) -> list[str]:
        """The words of the scheduled command."""

    @abstractmethod
    def policy_template(self) -> str:
        """What is handed on where there is no policy file yet."""

    @abstractmethod
    def rules(self) -> ScheduleFile:
        """Alerts for Prometheus, on the metrics of a run."""

    @abstractmethod
    def workflow(self, values: dict[str, object]) -> ScheduleFile:
        """The workflow for GitHub Actions, filled in with what every workflow has."""

    def values(self) -> dict[str, object]:
        """What stands in the files of every engine."""
        words = self.words
        work = words.work
        return {
            "JOB": self.job,
            "JOB_UPPER": self.job.upper(),
            "JOB_CAPITAL": self.job.capitalize(),
            "TITLE": words.title,
            "DOES": words.does,
            "DONE": words.done,
            "ITS_KEYS": words.its_keys,
            "THE_WORK": work,
            "THE_WORK_CAPITAL": f"{work[:1].upper()}{work[1:]}",
            "FAILED": words.failed,
            "THREE": words.three,
            "THREE_SHORT": words.three_short,
            "SEE": words.see,
            "MAKES_UP": words.makes_up,
            "WRITES": words.writes,
            "POLICY_ADVICE": words.policy_advice,
            "PROJECT": self.project,
            "REGION": self.region,
            "ACCOUNT": self.account,
            "ACCOUNT_ID": self.account_id,
            "EVERY": self.every,
            "CRON": self.times.cron,
            "CALENDAR": self.times.calendar,
            "SPREAD": self.times.spread,
            "STALE_S": self.stale_s,
            "POLICY": self.policy if self.uses_policy else "",
            "POLICY_NAME": self.policy_name,
            "POLICY_FILE": self.policy_file,
            "SCRIPT": self.script,
            "LOG": self.log,
            "MEMORY": self.memory,
            "NOTICE_VARIABLES": " ".join(self.variables),
        }

    def only_one_task(self, engine: str) -> None:
        """Raises usage() where several tasks are wanted of an engine that has one machine."""
        if self.tasks > 1:
            raise usage(
                f"--tasks {self.tasks}: {engine} runs on one machine, which needs no sharing",
                "leave --tasks out, or take cloud-run, kubernetes or github-actions",
            )


def once(names: Iterable[str]) -> tuple[str, ...]:
    """Each of them once, in their order."""
    return tuple(dict.fromkeys(names))
