"""What every schedule has in common: where, how often, by which policy, with which command."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from keyadmin import __version__
from keyadmin.handover.registry import sink_class
from keyadmin.handover.sink import Sink, SinkNeeds
from keyadmin.handover.sinks.secret_manager import SecretManagerSink
from keyadmin.model.problem import usage
from keyadmin.rotation.policy import PolicyRule, is_pattern
from keyadmin.rotation.schedule.install import InstallSource, as_running
from keyadmin.rotation.shard import MOST, check_sinks

ACCOUNT_ID: Final = "keyadmin-rotation"
MOST_AT_ONCE: Final = 10  # tasks side by side; they share one quota


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
class SchedulePlan:
    """What the schedule is for.

    `tasks` = how many share the projects, where the engine can; `rules` and `policy_text` = the policy, empty where there is
    no such file yet. Raises usage() for what cannot stand in the files or would go wrong in every run.
    """

    project: str
    policy: str = "keyadmin.toml"
    every: str = "daily"
    tasks: int = 1
    migrate: bool = False
    region: str = "europe-west1"
    rules: tuple[PolicyRule, ...] = ()
    policy_text: str = ""
    install: InstallSource | None = None
    """How the image or the workflow installs keyadmin; None = as the running one was, where others can."""
    program: str = "keyadmin"
    """The keyadmin that systemd and cron run: its path (systemd takes no other), or its name on the PATH."""

    def __post_init__(self) -> None:
        if self.every not in TIMES:
            raise usage(f"--every {self.every}: use one of {', '.join(TIMES)}")
        if not 1 <= self.tasks <= MOST:
            raise usage(f"--tasks {self.tasks}: from 1 to {MOST:,}")
        if not re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", self.project):
            raise usage(f"{self.project!r} is not a project id", "write the id of the project that the account lives in")
        if not re.fullmatch(r"[a-z]+-[a-z]+[0-9]+", self.region):
            raise usage(f"--region {self.region!r} is not a region", "write one such as europe-west1")
        if not re.fullmatch(r"[\w./+-]+", self.policy):
            raise usage(f"--policy {self.policy!r}: letters, digits and . / + - _ only", "name the policy file so")
        if printing := [text for text, sink in self._sink_classes() if sink.prints]:
            raise usage(
                f"the sink {printing[0]} would leave keys in the logs of the schedule", "hand over to secret-manager instead"
            )
        if self.tasks > 1:
            check_sinks({name: [rule for rule in self.rules if name in rule.projects] for name in self.projects})

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
        """The service account that rotates. Domain-scoped ids (`example.com:p`) are turned round."""
        domain, _, name = self.project.rpartition(":")
        return f"{ACCOUNT_ID}@{f'{name}.{domain}' if domain else self.project}.iam.gserviceaccount.com"

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
    def migrates(self) -> bool:
        """Whether runs make auth keys of standard ones."""
        return self.migrate or any(rule.new_type == "auth" for rule in self.rules)

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects whose keys are rotated, as far as the policy names them; without a policy the account's own."""
        if not self.rules:
            return (self.project,)
        return _once(name for rule in self.rules for name in rule.projects if not is_pattern(name))

    @property
    def patterns(self) -> tuple[str, ...]:
        """Projects that the policy selects by `*` and `?`."""
        return _once(name for rule in self.rules for name in rule.projects if is_pattern(name))

    @property
    def folders(self) -> tuple[str, ...]:
        """The numbers of the folders that the policy looks below."""
        return _once(name.partition("/")[2] for rule in self.rules for name in rule.folders)

    @property
    def organizations(self) -> tuple[str, ...]:
        """The numbers of the organisations that the policy looks below."""
        return _once(name.partition("/")[2] for rule in self.rules for name in rule.organizations)

    @property
    def sinks(self) -> tuple[str, ...]:
        """The sinks of the policy, placeholders as they are."""
        return _once(sink for rule in self.rules for sink in rule.sinks)

    def _sink_classes(self) -> list[tuple[str, type[Sink]]]:
        found = ((text, sink_class(text.partition(":")[0])) for text in self.sinks)
        return [(text, sink) for text, sink in found if sink is not None]

    @property
    def sink_needs(self) -> tuple[SinkNeeds, ...]:
        """What the sinks need; Secret Manager's where there is no policy yet, as the one of `rotation init` uses it."""
        if not self.rules:
            return (SecretManagerSink.needs(""),)
        return tuple(sink.needs(text.partition(":")[2]) for text, sink in self._sink_classes())

    @property
    def sink_permissions(self) -> tuple[str, ...]:
        """The permissions of Google Cloud that the sinks need."""
        return tuple(sorted({name for needs in self.sink_needs for name in needs.permissions}))

    @property
    def sink_apis(self) -> tuple[str, ...]:
        """The APIs that handing over calls."""
        return tuple(sorted({name for needs in self.sink_needs for name in needs.apis}))

    @property
    def sink_projects(self) -> tuple[str, ...]:
        """Projects that keys are handed to and whose own keys are not rotated."""
        found = (needs.project for needs in self.sink_needs)
        return _once(name for name in found if name is not None and name not in self.projects)

    @property
    def writable(self) -> tuple[str, ...]:
        """The folders on this machine that the sinks write into, as far as they are named in full."""
        found = (sink.writes_below(text.partition(":")[2]) for text, sink in self._sink_classes())
        return _once(str(folder) for folder in found if folder is not None)

    @property
    def elsewhere(self) -> tuple[PolicyRule, ...]:
        """Rules whose sinks belong to one machine (env-file, exec)."""
        return tuple(rule for rule in self.rules if rule.machine is not None)

    def command(self, policy: str, *more: str, program: str = "keyadmin") -> list[str]:
        """The words of the scheduled command."""
        verb = ["migrate", "--yes"] if self.migrate else ["run"]
        return [program, "--no-sandbox", "--quiet", "--format", "jsonl", "rotation", *verb, "--policy", policy, *more]

    def only_one_task(self, engine: str) -> None:
        """Raises usage() where several tasks are wanted of an engine that has one machine."""
        if self.tasks > 1:
            raise usage(
                f"--tasks {self.tasks}: {engine} runs on one machine, which needs no sharing",
                "leave --tasks out, or take cloud-run, kubernetes or github-actions",
            )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
