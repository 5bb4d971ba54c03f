"""The policy file, `keyadmin.toml`: which keys are rotated, when, and where they are handed to."""

from __future__ import annotations

import fnmatch
import re
import socket
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from keyadmin.handover.registry import parse, sink_class
from keyadmin.handover.sink import SinkSpec
from keyadmin.local.trust import read_trusted
from keyadmin.model import duration
from keyadmin.model.command_line import typed
from keyadmin.model.leaned_on import TOML_LINE
from keyadmin.model.lineage import Lineage
from keyadmin.model.problem import Cause, Exit, Problem, usage
from keyadmin.model.project_ref import REFERENCE
from keyadmin.rotation.decide import RotationTerms
from keyadmin.rotation.settings import (
    AUDIT_TABLE,
    EVERYWHERE,
    PLACES,
    SCHEMA_VERSION,
    SETTINGS,
    VERSION_NAME,
    check_version,
    named,
)

DEFAULT_FILE: Final = "keyadmin.toml"

_PLACEHOLDERS: Final = ("project", "lineage", "name")
_SAMPLES: Final = {"project": "my-project", "lineage": "abcdefghij", "name": "web"}  # as they are filled in


@dataclass(frozen=True)
class PolicyRule:
    """One `[[rule]]`: selectors, terms and sinks. Patterns know `*` and `?`; an empty selector takes everything."""

    name: str
    projects: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    key_type: Literal["any", "auth", "standard"] = "any"
    adopted: bool = False
    older_than: timedelta | None = None
    max_age: timedelta | None = timedelta(days=90)
    grace: timedelta = timedelta(hours=24)
    sinks: tuple[str, ...] = ()
    machine: str | None = None
    new_type: Literal["keep", "auth"] = "keep"
    policy: str | None = None
    """The policy file as it was named on the command line; None = the one that lies in the folder, or none."""
    folder: Path = Path()
    """Where the policy file is: relative paths of its sinks begin there, wherever the command is run."""

    def selects(self, lineage: Lineage, now: datetime) -> bool:
        """Whether a lineage of a project that the rule looks at is meant. A rotation under way does not change the answer."""
        key = lineage.subject
        names = (key.display_name, key.key_id, lineage.newest.key.key_id, lineage.founder_id or "", lineage.id)
        if self.keys and not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.keys for name in names):
            return False
        if self.adopted and not lineage.adopted:
            return False
        if self.key_type != "any" and key.key_type != self.key_type:
            return False
        if any(key.annotations.get(name) != value for name, value in self.annotations.items()):
            return False
        if self.older_than is None:
            return True
        return key.create_time is not None and now - key.create_time > self.older_than

    def terms(self) -> RotationTerms:
        """When its keys are rotated."""
        return RotationTerms(max_age=self.max_age, grace=self.grace, migrate=self.new_type == "auth")

    def specs(self, lineage: Lineage) -> list[SinkSpec]:
        """The sinks of one lineage, `{project}`, `{lineage}` and `{name}` filled in.

        A key without a name that can stand there goes by its lineage, which is the same for all generations.
        """
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", lineage.subject.display_name).strip("-")
        values = {"project": lineage.project, "lineage": lineage.id, "name": name or lineage.id}
        return [self._from_here(parse(_filled(sink, values))) for sink in self.sinks]

    def _from_here(self, spec: SinkSpec) -> SinkSpec:
        return replace(spec, value=spec.sink.below(spec.value, self.folder))

    @property
    def here(self) -> bool:
        """Whether this machine may hand over to its sinks."""
        return self.machine in (None, socket.gethostname())


NO_RULE: Final = PolicyRule("none", max_age=None)
"""What stands in a rule's place where there is no policy."""


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], text)


@dataclass(frozen=True)
class RotationPolicy:
    """A policy file, checked."""

    path: Path
    rules: tuple[PolicyRule, ...]


def load(path: Path, *, found: bool = False) -> RotationPolicy:
    """Read and check a policy file. Raises Problem (exit 2) with file, line and what to write instead.

    `found` = nobody named it: then others must not have been able to write it (`keyadmin.local.trust`).
    """
    try:
        text = read_trusted(path, found=found)
    except FileNotFoundError:
        raise Problem(
            Cause.INVALID_ARGUMENT,
            f"there is no policy file {path}",
            fix=(f"write a commented one: {typed('rotation init')}", "or name yours: --policy FILE"),
            exit_code=Exit.USAGE,
        ) from None
    read = parse_policy(path, text)
    return read if found else replace(read, rules=tuple(replace(rule, policy=str(path)) for rule in read.rules))


def parse_policy(path: Path, text: str) -> RotationPolicy:
    """Check the text of a policy file; `path` = its place, where relative paths of sinks begin. Raises Problem (exit 2)."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(TOML_LINE, str(error))
        line = int(found[1]) if found else len(text.splitlines())  # the other place it names is the end
        raise _wrong(path, line, f"is no TOML: {error}", "see https://toml.io") from None
    except RecursionError:
        raise _wrong(path, None, "is nested too deeply", "see https://toml.io") from None
    return _Reader(path, text).policy(data)


def _wrong(path: Path, line: int | None, what: str, mend: str) -> Problem:
    where = f"{path}, line {line}" if line else str(path)
    return Problem(Cause.INVALID_ARGUMENT, f"{where}: {what}", fix=(mend,), exit_code=Exit.USAGE)


def of_options(places: Mapping[str, tuple[str, ...]], sinks: Sequence[str]) -> RotationPolicy:
    """A policy of one rule, from a command line: `places` = projects, folders, organizations. Raises usage()."""
    for sink in sinks:
        _check_sink(sink)
    for project in places.get("projects", ()):
        if not _may_name_projects(project):
            raise usage(
                f"--projects: {project!r} is neither a project's id or number nor a pattern", typed("projects list", all_=True)
            )
    rule = PolicyRule("command line", sinks=tuple(sinks), machine=socket.gethostname() if any(map(_local, sinks)) else None)
    return RotationPolicy(Path(DEFAULT_FILE), (replace(rule, **places),))  # type: ignore[arg-type]


def _check_sink(text: str) -> None:
    """Raises usage() for a sink of an unknown kind, and for an unknown placeholder."""
    unknown = [found for found in re.findall(r"\{(\w*)\}", text) if found not in _PLACEHOLDERS]
    if unknown:
        message = f"unknown placeholder {{{unknown[0]}}} in {text!r}"
        raise usage(message, "the placeholders are {project}, {lineage} and {name}")
    try:
        parse(_filled(text, _SAMPLES))
    except Problem as problem:
        raise usage(problem.message, f"see {typed('keys hand-over', help=True)}") from None


def _local(sink: str) -> bool:
    kind = sink_class(sink.partition(":")[0])
    return kind is not None and kind.local


class _Reader:
    """Checks a parsed policy and names the line of what is wrong, which TOML parsers do not keep."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()

    def policy(self, data: Mapping[str, Any]) -> RotationPolicy:
        check_version(self._path, data)
        for name in data:
            if name not in (VERSION_NAME, "defaults", "rule", AUDIT_TABLE):
                raise self._error(
                    None, name, f"unknown table {name!r}", "the tables are [defaults], [[rule]] and [[audit.accept]]"
                )
        defaults = data.get("defaults", {})
        if not isinstance(defaults, dict):
            raise self._error(None, "defaults", "[defaults] is not a table", "write [defaults] on a line of its own")
        base = self._values(defaults, None, allowed=EVERYWHERE)
        rules = data.get("rule", [])
        if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
            raise self._error(None, "rule", "there is no rule", "add at least one [[rule]] with selectors and sinks")
        return RotationPolicy(self._path, tuple(self._rule(rule, index, base) for index, rule in enumerate(rules)))

    def _rule(self, data: Mapping[str, Any], index: int, base: Mapping[str, Any]) -> PolicyRule:
        said = self._values(data, index, allowed=SETTINGS.keys())
        rule = replace(PolicyRule(f"rule {index + 1}", folder=self._path.parent), **{**base, **said})
        if not any(getattr(rule, place) for place in PLACES):
            raise self._error(
                index, None, "the rule does not say where to look", 'add projects = ["ID"], folders or organizations'
            )
        if "sinks" not in data and "sinks" not in base:
            mend = "add sinks = [...]; write sinks = [] if consumers take the new key themselves"
            raise self._error(index, None, "the rule does not say where the new key goes", mend)
        if rule.machine is None and any(map(_local, rule.sinks)):
            mend = f'add machine = "{socket.gethostname()}" (or the name of the machine that has them)'
            raise self._error(index, "sinks", "its sinks belong to one machine", mend)
        return rule

    def _values(self, data: Mapping[str, Any], index: int | None, allowed: Collection[str]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, value in data.items():
            if name not in allowed:
                raise self._error(index, name, f"unknown setting {name!r}", _known(name, allowed))
            out[{"type": "key_type"}.get(name, name.replace("-", "_"))] = self._value(index, name, value)
        return out

    def _value(self, index: int | None, name: str, value: Any) -> Any:
        if name in named("texts"):
            if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
                raise self._error(index, name, f"{name} is not a list of texts", f'write {name} = ["...", "..."]')
            for item in value:
                self._checked_item(index, name, item)
            return tuple(value)
        if name in named("duration"):
            try:
                return duration.parse(value if isinstance(value, str) else "")
            except Problem:
                raise self._error(
                    index, name, f"{value!r} is not a duration", f'write {name} = "90d", "12h" or "30m"'
                ) from None
        if choices := SETTINGS[name].choices:
            if value not in choices:
                raise self._error(index, name, f"{value!r} is no {name}", f"write one of {', '.join(choices)}")
            return value
        return self._single(index, name, value)

    def _single(self, index: int | None, name: str, value: Any) -> Any:
        if name == "adopted":
            if not isinstance(value, bool):
                raise self._error(index, name, f"{value!r} is neither true nor false", "write adopted = true")
            return value
        if name == "annotations":
            if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
                raise self._error(index, name, "annotations is not a table of texts", 'write annotations = { team = "web" }')
            return dict(value)
        if not isinstance(value, str) or not value:
            raise self._error(index, name, f"{name} is not a text", f'write {name} = "..."')
        return value

    def _checked_item(self, index: int | None, name: str, item: str) -> None:
        if name == "sinks":
            try:
                _check_sink(item)
            except Problem as problem:
                raise self._error(index, name, problem.message, problem.fix[0]) from None
        if name == "projects" and not _may_name_projects(item):
            raise self._error(
                index, name, f"{item!r} is neither a project's id or number nor a pattern", typed("projects list", all_=True)
            )
        if name in ("folders", "organizations") and not re.fullmatch(SETTINGS[name].item or "", item):
            raise self._error(index, name, f"{item!r} is none of the {name}", f'write {name} = ["{name}/123456789"]')

    def _error(self, index: int | None, name: str | None, what: str, mend: str) -> Problem:
        return _wrong(self._path, self._line(index, name), what, mend)

    def _line(self, index: int | None, name: str | None) -> int | None:
        """The line of a setting in the n-th rule (None = outside of rules), else of the rule itself."""
        rules = [number for number, line in enumerate(self._lines) if re.match(r"\s*\[\[\s*rule\s*\]\]", line)]
        if index is not None and index >= len(rules):
            return None
        start = rules[index] if index is not None else 0
        end = next((number for number in rules if number > start), len(self._lines)) if index is not None else len(self._lines)
        if name is not None:
            for number in range(start, end):
                if re.match(rf"\s*(\[+\s*)?[\"']?{re.escape(name)}[\"']?\s*(=|\.|\])", self._lines[number]):
                    return number + 1
        return start + 1 if index is not None else None


def is_pattern(text: str) -> bool:
    """Whether it stands for several projects."""
    return any(sign in text for sign in "*?[")


def _may_name_projects(text: str) -> bool:
    """Whether it is a project's id or number, or a pattern of ids."""
    return REFERENCE.fullmatch(re.sub(r"[*?]|\[[^\]]*\]", "x", text)) is not None


def _known(name: str, allowed: Collection[str]) -> str:
    """What to write instead of an unknown setting."""
    from difflib import get_close_matches

    near = get_close_matches(name.replace("_", "-"), sorted(allowed), 1)
    return f"did you mean {near[0]}?" if near else f"the settings here are {', '.join(sorted(allowed))}"


def template(project: str | None, machine: str) -> str:
    """A commented policy file for `rotation init`."""
    return f'''# keyadmin rotation policy. Check it with: keyadmin rotation plan
# Durations: 90d, 12h, 30m, 0s.

{VERSION_NAME} = {SCHEMA_VERSION}

[defaults]
max-age = "90d"        # a key that is older is due (CIS Google Cloud benchmark 1.15)
grace = "24h"          # how long the predecessor still works after its successor was handed over

[[rule]]
name = "Gemini keys"
projects = ["{project or "my-project"}"]    # ids; * and ? are allowed
# folders = ["folders/123"]        # all projects below
# organizations = ["organizations/123"]
# keys = ["web-*"]                 # display names, lineages, or ids (the founding key's counts for its successors)
# adopted = true                   # only keys that `keyadmin rotation adopt` was told of
# annotations = {{ team = "web" }}   # only keys with these annotations
# type = "auth"                    # any (default), auth or standard
# older-than = "30d"               # only keys older than this
# new-type = "auth"                # make auth keys of standard ones (default: keep)

# Where the new key goes. {{project}}, {{lineage}} and {{name}} stand for the key's own; two keys never share a sink.
sinks = ["secret-manager:projects/{{project}}/secrets/gemini-{{lineage}}"]

# Files and programs belong to one machine; only that machine rotates such keys:
# sinks = ["env-file:/srv/app/.env:GEMINI_API_KEY", "exec:systemctl --user reload app"]
# machine = "{machine}"
'''


def rule_for(rules: Sequence[PolicyRule], lineage: Lineage, now: datetime) -> PolicyRule | None:
    """The first rule that selects a lineage."""
    return next((rule for rule in rules if rule.selects(lineage, now)), None)
