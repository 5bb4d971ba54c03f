"""Which kinds of sink there are: those of `sinks/`, and those that other packages bring (entry points `keyadmin.sinks`).

Adding a kind is one file in `sinks/` and one line here: docs/contributing/sink.md.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from keyadmin.handover import plugins
from keyadmin.handover.sink import Sink, SinkContext, SinkSpec
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

# kind: module and class. Imported when a sink of the kind is named.
_BUILT_IN: Final = {
    "env-file": "keyadmin.handover.sinks.env_file:EnvFileSink",
    "secret-manager": "keyadmin.handover.sinks.secret_manager:SecretManagerSink",
    "file": "keyadmin.handover.sinks.file:FileSink",
    "kubernetes": "keyadmin.handover.sinks.kubernetes:KubernetesSink",
    "github-actions": "keyadmin.handover.sinks.github_actions:GithubActionsSink",
    "vault": "keyadmin.handover.sinks.vault:VaultSink",
    "aws-secrets-manager": "keyadmin.handover.sinks.aws_secrets_manager:AwsSecretsManagerSink",
    "aws-ssm": "keyadmin.handover.sinks.aws_ssm:AwsSsmSink",
    "exec": "keyadmin.handover.sinks.exec:ExecSink",
    "stdout": "keyadmin.handover.sinks.stdout:StdoutSink",
}


def kinds() -> tuple[str, ...]:
    """The kinds that keyadmin ships, in the order of the documentation. Nothing of theirs is imported."""
    return tuple(_BUILT_IN)


def built_in() -> list[type[Sink]]:
    """The classes that keyadmin ships, in the order of the documentation."""
    return [_load(place) for place in _BUILT_IN.values()]


def patterns() -> list[str]:
    """How each kind is written. Those of other packages are named by their kind alone: nothing of theirs is imported."""
    return [*(sink.pattern for sink in built_in()), *(f"{each.name}:..." for each in plugins.entries())]


def sink_class(kind: str) -> type[Sink] | None:
    """The class of a kind; None where there is none. Raises Problem for a package whose sink cannot be loaded."""
    if place := _BUILT_IN.get(kind):
        return _load(place)
    found = [each for each in plugins.entries() if each.name == kind]
    return plugins.wrapped(found[0]) if found else None


def parse(text: str) -> SinkSpec:
    """Check a sink before any call is made. Raises usage() saying which there are."""
    kind, _, value = text.partition(":")
    sink = sink_class(kind)
    if sink is None:
        wrong = f"{text!r} is not a sink" if text else "a sink is missing"
        raise usage(f"{wrong}: write one of {', '.join(patterns())}")
    full = sink.parse(value)
    return SinkSpec(text if full == value else f"{kind}:{full}", full, sink)


def fingerprint(specs: Sequence[SinkSpec]) -> str:
    """A hash of the sink list (its order does not count), for annotations: the list itself is never written there.

    Of no sinks it is empty.
    """
    if not specs:
        return ""
    return hashlib.sha256("\n".join(sorted(spec.text for spec in specs)).encode()).hexdigest()[:16]


def build(specs: Sequence[SinkSpec], cloud: Cloud, *, flagged: bool, emit: Callable[[str], None]) -> list[Sink]:
    """The sinks, ready to be handed to.

    `flagged` = the sandbox was chosen by `--sandbox` on the command line: only then may a sandbox key leave the sandbox
    (contract 2). `emit` writes a line to stdout. Raises usage() for a sink that the sandbox does not allow.
    """
    context = SinkContext(cloud, emit)
    for spec in specs:
        if cloud.sandbox and spec.sink.outside and not flagged:
            raise usage(
                f"the sink {spec.text!r} writes outside the sandbox, which a variable alone does not allow",
                "add --sandbox to the command line if a sandbox key is really wanted there",
            )
    return [spec.sink(spec, context) for spec in specs]


def _load(place: str) -> type[Sink]:
    module, _, name = place.partition(":")
    found: type[Sink] = getattr(importlib.import_module(module), name)
    return found
