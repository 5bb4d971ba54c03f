"""The keys of a report as compact JSON, row by row: what many keys share is in tables, written behind the rows.

`data.js` reads it. A key's own id and its project's stand in shared texts as two private characters, so that the same command
about 50,000 keys is one text.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import Any, Final, Generic, TypeVar

from keyadmin.audit.acceptance import Acceptance
from keyadmin.audit.judgement import FixStep, KeyJudgement
from keyadmin.audit.model import Finding
from keyadmin.audit.owner import Owner
from keyadmin.audit.result import AuditReport
from keyadmin.audit.rules import rules
from keyadmin.model.key import Key

T = TypeVar("T", bound=Hashable)

KEY, PROJECT = "\ue000", "\ue001"
_SHORTEST: Final = 6  # characters of an id that is put in by reference: a shorter one stands in other words too
_AT_ONCE: Final = 500  # rows of one piece
_KINDS: Final = {"contain": 0, "replace": 1, "delete": 2, "review": 3}
_TARGETS: Final = {"gemini": 0, "other": 1, "mixed": 2, "none": 3}
_CLIENTS: Final = {None: 0, "referrers": 1, "ips": 2, "android": 3, "ios": 4}
_AUTH, _DELETED, _CLIENT, _NO_KEY = 4, 8, 16, -1
_UNKNOWN, _NONE = -1, 0


class Interned(Generic[T]):
    """Values, each once, and the place of each."""

    def __init__(self) -> None:
        self._places: dict[T, int] = {}

    def of(self, value: T) -> int:
        """Its place, a new one where it was not there."""
        return self._places.setdefault(value, len(self._places))

    def __iter__(self) -> Iterator[T]:
        """In the order of their places."""
        return iter(self._places)


class Tables:
    """What the rows refer to."""

    def __init__(self, names: Iterable[str]) -> None:
        self.rules: Interned[str] = Interned()
        for rule in names:
            self.rules.of(rule)
        self.strings: Interned[str] = Interned()
        self.projects: Interned[tuple[str, str]] = Interned()
        self.owners: Interned[tuple[str, str, str]] = Interned()
        self.accepted: Interned[tuple[str, str, str]] = Interned()
        self.shapes: Interned[tuple[Any, ...]] = Interned()

    def row(self, judged: KeyJudgement) -> list[Any]:
        """`[id, name, project, created, kind, shape, owner, use]`; the project's number is that of its keys."""
        key = judged.key
        key_id = key.key_id if key else ""
        return [
            key_id,
            key.display_name if key else "",
            self.projects.of((judged.project, key.project_number if key else "")),
            int(key.create_time.timestamp()) if key and key.create_time else 0,
            _kind(key),
            self.shapes.of(self._shape(judged, key_id)),
            _UNKNOWN if judged.owner is None else self._owner(judged.owner),
            self._use(judged),
        ]

    def to_json(self) -> dict[str, Any]:
        """The tables as `data.js` reads them."""
        known = rules()
        return {
            "rules": [[rule, known[rule].title, known[rule].severity.word] for rule in self.rules],
            "strings": list(self.strings),
            "projects": list(self.projects),
            "owners": list(self.owners),
            "accepted": list(self.accepted),
            "shapes": list(self.shapes),
        }

    def _shape(self, judged: KeyJudgement, key_id: str) -> tuple[Any, ...]:
        names = key_id, judged.project
        findings = tuple([self._finding(each, names) for each in judged.findings])
        steps = tuple([self._step(each, names) for each in judged.steps])
        return findings, steps, tuple(map(self.strings.of, judged.not_read))

    def _finding(self, finding: Finding, names: tuple[str, str]) -> tuple[int, ...]:
        accepted = -1 if finding.accepted is None else self._acceptance(finding.accepted)
        message = self.strings.of(_shared(finding.message, *names))
        return self.rules.of(finding.rule), int(finding.severity), message, accepted, int(finding.new is True)

    def _step(self, step: FixStep, names: tuple[str, str]) -> tuple[Any, ...]:
        why = self.strings.of(_shared(step.why, *names)) if step.why else -1
        command = self.strings.of(_shared(step.command, *names))
        return _KINDS[step.kind], command, why, tuple(map(self.strings.of, step.not_read))

    def _owner(self, owner: Owner) -> int:
        return self.owners.of((", ".join(owner.who), owner.source, owner.reason))

    def _acceptance(self, accepted: Acceptance) -> int:
        until = accepted.until.isoformat() if accepted.until else ""
        return self.accepted.of((accepted.reason, accepted.owner, until))

    def _use(self, judged: KeyJudgement) -> int | list[int]:
        if "use" in judged.not_read:
            return _UNKNOWN
        if judged.use is None:
            return _NONE
        return [int(judged.use.last.timestamp()), *map(self.strings.of, sorted(judged.use.services))]


def _shared(text: str, key_id: str, project: str) -> str:
    """A text without the names of its key and project."""
    if KEY in text or PROJECT in text:  # written by somebody: no name has them
        text = text.replace(KEY, "?").replace(PROJECT, "?")
    if len(key_id) >= _SHORTEST:
        text = text.replace(key_id, KEY)
    return text.replace(project, PROJECT) if len(project) >= _SHORTEST else text


def _kind(key: Key | None) -> int:
    """What a key is, as one number."""
    if key is None:
        return _NO_KEY
    kind = _TARGETS[key.restricted] + _CLIENT * _CLIENTS[key.restrictions.client_kind]
    return kind + (_AUTH if key.key_type == "auth" else 0) + (0 if key.delete_time is None else _DELETED)


def pieces(report: AuditReport) -> Iterator[str]:
    """The document, piece by piece; it may stand in a script element as it is."""
    tables = Tables(report.rules)
    new = report.new is not None
    head = {"now": int(report.now.timestamp()), "maxAge": int(report.max_age.total_seconds()), "baseline": new}
    yield f'{_dumped(head)[:-1]},"rows":['
    left, between = iter(report.judgements), ""
    while some := [tables.row(judged) for judged in islice(left, _AT_ONCE)]:
        yield between + _dumped(some)[1:-1]
        between = ",\n"
    yield "]"
    for name, table in tables.to_json().items():
        yield f',\n"{name}":{_dumped(table)}'
    yield f',"trend":{_dumped(_trend(report))}}}'


def _trend(report: AuditReport) -> list[list[int]]:
    """`[time, high, medium, low, info]` of earlier audits and this one; nothing where there was none."""
    if not report.trend:
        return []
    points = [*report.trend, (report.now, report.by_severity)]
    words = tuple(report.by_severity)
    return [[int(time.timestamp()), *(counts.get(word, 0) for word in words)] for time, counts in points]


def _dumped(value: Any) -> str:
    """JSON in ASCII, so that no character of others hides in it, and without what could end the element or begin a comment."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
