"""`rotation run` on a schedule: what its files say, what its account may do, which command they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from keyadmin.access.permissions import API_KEYS, FEATURES, GET_PROJECT, IAM, RESOURCE_MANAGER, SERVICE_USAGE
from keyadmin.handover.registry import sink_class
from keyadmin.handover.sink import Sink, SinkNeeds
from keyadmin.handover.sinks.secret_manager import SecretManagerSink
from keyadmin.model.problem import usage
from keyadmin.rotation.policy import PolicyRule, is_pattern, template
from keyadmin.rotation.shard import MOST, check_sinks
from keyadmin.unattended.schedule.plan import AccountNeeds, JobWords, RunPlace, SchedulePlan, once
from keyadmin.unattended.schedule.template import ScheduleFile, fill

# The use of the old key. Without it the service is asked to check when the key is deleted, which is coarser: 7 days back.
USE: Final = ("monitoring.timeSeries.list",)
BELOW: Final = "resourcemanager.folders.list"
_PACKAGE: Final = "keyadmin.rotation"


@dataclass(frozen=True, kw_only=True)
class RotationSchedule(SchedulePlan):
    """Rotations by a policy. `rules` = its rules, empty where there is no such file yet."""

    job = "rotation"
    account_id = "keyadmin-rotation"
    role_id = "keyadminRotation"
    script = "rotate.sh"
    log = "rotation.jsonl"
    policy_name = "keyadmin-policy"
    policy_file = "keyadmin.toml"
    words: ClassVar[JobWords] = JobWords(
        title="Rotate API keys",
        does="rotates",
        done="rotated",
        its_keys="the policy's keys",
        work="the rotation of API keys",
        failed="failed",
        three="a lineage or a project failed",
        three_short="something failed",
        see="rotation status",
        makes_up="does what is due",
        writes="What env-file sinks write. Programs of exec sinks run under all these restrictions too.",
        description="Rotates API keys with keyadmin; nothing else.",
        policy_advice="keyadmin rotation init",
    )

    migrate: bool = False
    policy_rules: tuple[PolicyRule, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.tasks <= MOST:
            raise usage(f"--tasks {self.tasks}: from 1 to {MOST:,}")
        if printing := [text for text, sink in self._sink_classes() if sink.prints]:
            raise usage(
                f"the sink {printing[0]} would leave keys in the logs of the schedule", "hand over to secret-manager instead"
            )
        if self.tasks > 1:
            check_sinks({name: [rule for rule in self.policy_rules if name in rule.projects] for name in self.projects})

    @property
    def uses_policy(self) -> bool:
        """Always: there is no rotation without one."""
        return True

    @property
    def migrates(self) -> bool:
        """Whether runs make auth keys of standard ones."""
        return self.migrate or any(rule.new_type == "auth" for rule in self.policy_rules)

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects whose keys are rotated, as far as the policy names them; without a policy the account's own."""
        if not self.policy_rules:
            return (self.project,)
        return once(name for rule in self.policy_rules for name in rule.projects if not is_pattern(name))

    @property
    def patterns(self) -> tuple[str, ...]:
        """Projects that the policy selects by `*` and `?`."""
        return once(name for rule in self.policy_rules for name in rule.projects if is_pattern(name))

    @property
    def folders(self) -> tuple[str, ...]:
        """The numbers of the folders that the policy looks below."""
        return once(name.partition("/")[2] for rule in self.policy_rules for name in rule.folders)

    @property
    def organizations(self) -> tuple[str, ...]:
        """The numbers of the organisations that the policy looks below."""
        return once(name.partition("/")[2] for rule in self.policy_rules for name in rule.organizations)

    @property
    def sinks(self) -> tuple[str, ...]:
        """The sinks of the policy, placeholders as they are."""
        return once(sink for rule in self.policy_rules for sink in rule.sinks)

    def _sink_classes(self) -> list[tuple[str, type[Sink]]]:
        found = ((text, sink_class(text.partition(":")[0])) for text in self.sinks)
        return [(text, sink) for text, sink in found if sink is not None]

    @property
    def sink_needs(self) -> tuple[SinkNeeds, ...]:
        """What the sinks need; Secret Manager's where there is no policy yet, as the one of `rotation init` uses it."""
        if not self.policy_rules:
            return (SecretManagerSink.needs(""),)
        return tuple(sink.needs(text.partition(":")[2]) for text, sink in self._sink_classes())

    @property
    def sink_permissions(self) -> tuple[str, ...]:
        """The permissions of Google Cloud that the sinks need."""
        return tuple(sorted({name for needs in self.sink_needs for name in needs.permissions}))

    @property
    def sink_projects(self) -> tuple[str, ...]:
        """Projects that keys are handed to and whose own keys are not rotated."""
        found = (needs.project for needs in self.sink_needs)
        return once(name for name in found if name is not None and name not in self.projects)

    @property
    def writable(self) -> tuple[str, ...]:
        """The folders on this machine that the sinks write into, as far as they are named in full."""
        found = (sink.writes_below(text.partition(":")[2]) for text, sink in self._sink_classes())
        return once(str(folder) for folder in found if folder is not None)

    @property
    def elsewhere(self) -> tuple[PolicyRule, ...]:
        """Rules whose sinks belong to one machine (env-file, exec)."""
        return tuple(rule for rule in self.policy_rules if rule.machine is not None)

    @property
    def needs(self) -> AccountNeeds:
        """All that the account needs in a project whose keys it rotates, and the APIs that it calls."""
        searches = bool(self.patterns or self.folders or self.organizations)  # these projects are looked for
        needed = {*FEATURES["migrate" if self.migrates else "rotate"].permissions, *USE, *self.sink_permissions}
        needed |= {GET_PROJECT} if searches else set()
        needed |= {BELOW} if self.folders or self.organizations else set()
        apis = {API_KEYS, "monitoring.googleapis.com", *(api for needs in self.sink_needs for api in needs.apis)}
        apis |= {SERVICE_USAGE, IAM} if self.migrates else set()
        apis |= {RESOURCE_MANAGER} if self.migrates or searches else set()
        return AccountNeeds(
            *(tuple(sorted(needed)), tuple(sorted(apis)), self.projects, self.folders, self.organizations, self.patterns),
            secret_projects=self.sink_projects,
            secret_permissions=self.sink_permissions,
            hands_over=True,
        )

    def command(self, place: RunPlace) -> list[str]:
        """`rotation run`, or `rotation migrate`."""
        verb = ["migrate", "--yes"] if self.migrate else ["run"]
        words = [place.program, "--no-sandbox", "--quiet", "--format", "jsonl", "rotation", *verb, "--policy", place.policy]
        words += self.notice_words
        words += ["--metrics", f"{place.state}/rotation.prom"] if place.state else []
        return [*words, *(["--shard", "auto"] if place.shared else [])]

    def policy_template(self) -> str:
        """The one of `rotation init`."""
        return template(self.project, "MACHINE")

    def rules(self) -> ScheduleFile:
        """On what `--metrics` writes."""
        return fill("keyadmin-rotation.rules.yaml", self.values(), package=_PACKAGE)

    def workflow(self, values: dict[str, object]) -> ScheduleFile:
        """A job a share of the projects."""
        return fill("keyadmin-rotation.yml", values, ".github/workflows/keyadmin-rotation.yml", _PACKAGE)
