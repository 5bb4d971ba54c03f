"""Sharing the projects out among several tasks that know nothing of each other."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keyadmin.handover.registry import sink_class
from keyadmin.model.problem import usage
from keyadmin.rotation.policy import PolicyRule

MOST: Final = 10_000  # tasks of a Cloud Run job


@dataclass(frozen=True)
class Shard:
    """The part of the projects that one of several tasks looks after."""

    index: int
    count: int

    def has(self, project: str) -> bool:
        """By the project's id and the count alone: no project moves when others come and go.

        When the count goes from N to N+1 one project in N+1 moves, to the new part; none between the others.
        """
        return _bucket(int.from_bytes(hashlib.sha256(project.encode()).digest()[:8], "big"), self.count) == self.index


def _bucket(key: int, count: int) -> int:
    """Jump consistent hash (Lamping and Veach, 2014, https://arxiv.org/abs/1406.2294)."""
    found, jump = -1, 0
    while jump < count:
        found = jump
        key = (key * 2862933555777941757 + 1) % 2**64
        jump = int((found + 1) * (2**31 / ((key >> 33) + 1)))
    return found


def shard(text: str, env: Mapping[str, str] | None = None) -> Shard:
    """`I/N` with I from 0, or `auto`: from Cloud Run's or Kubernetes' variables. Raises usage()."""
    env = os.environ if env is None else env
    said = _auto(env) if text == "auto" else text
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", said)
    if match is None or not int(match[1]) < int(match[2]) <= MOST:
        where = f" (from the variables: {said!r})" if text == "auto" else ""
        raise usage(f"--shard {text!r}{where} is not a shard", f"write I/N with I from 0 to N-1 and N up to {MOST:,}, or auto")
    return Shard(int(match[1]), int(match[2]))


# Cloud Run jobs set both (https://cloud.google.com/run/docs/container-contract#jobs-env-vars). Kubernetes tells an indexed pod
# its index only (https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode).
_VARIABLES: Final = (("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"), ("JOB_COMPLETION_INDEX", "JOB_COMPLETION_COUNT"))


def _auto(env: Mapping[str, str]) -> str:
    for index, count in _VARIABLES:
        if index in env:
            if count not in env:
                raise usage(
                    f"--shard auto: {index} is set and {count} is not: how many tasks there are is unknown",
                    f"set {count} to their number, as keyadmin rotation schedule does",
                )
            return f"{env[index]}/{env[count]}"
    indices = " nor ".join(index for index, _ in _VARIABLES)
    raise usage(
        f"--shard auto: neither {indices} is set", "it is for Cloud Run jobs and indexed Jobs; elsewhere write --shard 0/4"
    )


def check_sinks(by_project: Mapping[str, Sequence[PolicyRule]]) -> None:
    """Raises usage() for a sink that keys of two projects would share: these may be in two parts, and neither would see it."""
    if found := shared_sink(by_project):
        sink, owner, project = found
        raise usage(
            f"with --shard, the sink {sink} may be shared by keys of {owner} and {project} without any task seeing it",
            "put {project} or {lineage} into it, or give each project a rule and a sink of its own",
        )


def shared_sink(by_project: Mapping[str, Sequence[PolicyRule]]) -> tuple[str, str, str] | None:
    """A sink that keys of two projects may share, with these; None where whoever looks at one project sees all of a sink."""
    owners: dict[str, str] = {}
    for project, rules in by_project.items():
        for sink in {sink for rule in rules for sink in rule.sinks if _occupies(sink) and "{lineage}" not in sink}:
            owner = owners.setdefault(sink.replace("{project}", project), project)
            if owner != project:
                return sink, owner, project
    return None


def _occupies(sink: str) -> bool:
    """Whether two keys cannot both be there."""
    kind, _, value = sink.partition(":")
    found = sink_class(kind)
    return found is not None and found.place(value) is not None
