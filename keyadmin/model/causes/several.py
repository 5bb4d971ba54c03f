"""The errors in a text: one, or the several of a log, told apart and counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes import provenance, reading, wording
from keyadmin.model.causes.by_details import is_new
from keyadmin.model.causes.classify import classify
from keyadmin.model.causes.facts import Classification, ErrorFacts
from keyadmin.model.causes.plain_text import MAX_CHARACTERS, MAX_RECORDS, OWN, RECORD, plain
from keyadmin.model.causes.table import entry

MAX_LOOKED_INTO: Final = 200  # entries of a log in which something is: the first and the last of them
_TIME_LENGTH: Final = 32  # of a record's beginning, where its time stands
_NEAR: Final = 1_500
_PART_OF_TEXT: Final = f"only the first and the last {MAX_CHARACTERS // 2:,} characters"
_PART_OF_ENTRIES: Final = f"of its entries only the first and the last {MAX_LOOKED_INTO // 2} that may be an error"
_SENTENCE: Final = re.compile(r"message|desc = |error|failed|exception", re.IGNORECASE)


@dataclass(frozen=True)
class Occurrence:
    """One distinct error of a text. `count` = how often it stands there, `alone` = it is surely no part of another.

    `part` = what of the text was read, where that is not all of it: more errors may stand there.
    """

    facts: ErrorFacts
    found: Classification
    count: int = 1
    alone: bool = False
    part: str = ""

    @property
    def read(self) -> tuple[str | None, ...]:
        """What tells two unknown errors apart."""
        facts = self.facts
        return (self.found.vendor, facts.status or (str(facts.code) if facts.code else None), facts.reason, *facts.legacy[:1])

    @property
    def key(self) -> tuple[str | None, ...]:
        """What tells two errors apart."""
        found = self.found
        return (found.cause, found.permission, found.service, found.project, found.constraint, found.model)


def errors(text: str) -> list[Occurrence]:
    """The distinct errors in a pasted text of any size, oldest first by where each stands last. Never empty, never raises."""
    found, part = _read(text)
    part = _PART_OF_TEXT if len(text) > MAX_CHARACTERS else part
    return [replace(each, part=part) for each in found] if part else found


def _read(text: str) -> tuple[list[Occurrence], str]:
    """The errors, and what was read where that is not all."""
    whole = plain(text)
    records = [piece for record in whole.split(RECORD) for piece in reading.pieces(record)]
    whole = whole.replace(f"{RECORD} ", "").replace(OWN, "")
    if len(records) == 1:
        return [_decide(whole, whole)], ""
    around = reading.names_near(records)
    told, all_told = _telling(records)
    looked = [
        replace(_decide(record.replace(OWN, ""), whole, around), count=times, alone=OWN in record) for record, times in told
    ]
    states = {each.facts.status for each in looked if each.found.cause is not Cause.UNKNOWN}
    part = "" if all_told else _PART_OF_ENTRIES
    if states:
        return _merged(each for each in looked if each.found.cause is not Cause.UNKNOWN or _is_one(each, states)), part
    together = _decide(whole, whole)
    if together.found.cause is not Cause.UNKNOWN:
        return [together], part
    fullest = max(
        (*looked, together), key=lambda each: bool(each.facts.status) + bool(each.facts.reason) + bool(each.found.vendor)
    )
    return [fullest], part


def _telling(records: list[str]) -> tuple[list[tuple[str, int]], bool]:
    """The records that may say something of an error, each but for its time once, and how often it stands there.

    Of many the first and the last; then the second value is False.
    """
    found: dict[str, tuple[str, int]] = {}
    for record in records:
        key = record[_TIME_LENGTH:] if len(record) > 2 * _TIME_LENGTH else record
        found[key] = (record, found.pop(key, (record, 0))[1] + 1)  # the last place counts
    chosen = list(found.values())
    if len(chosen) > MAX_LOOKED_INTO:
        low = [wording.lowered(record) for record, _ in chosen]
        heads = ("reason", *(pattern.text.partition(" * ")[0] for pattern, _ in wording.present(low)))
        chosen = [each for each, text in zip(chosen, low, strict=True) if any(head in text for head in heads)]
    if len(chosen) > MAX_LOOKED_INTO:
        return chosen[: MAX_LOOKED_INTO // 2] + chosen[-MAX_LOOKED_INTO // 2 :], False
    return chosen, len(records) <= MAX_RECORDS


def _merged(found: Iterator[Occurrence]) -> list[Occurrence]:
    """Each distinct error once, where it stands last. One that names less is the same as one of its cause that names more."""
    out: list[Occurrence] = []
    for each in found:
        for place, known in enumerate(out):
            if _same(known, each):
                fuller = max((known, each), key=lambda one: sum(value is not None for value in one.key))
                out.append(replace(fuller, count=out.pop(place).count + each.count))
                break
        else:
            out.append(each)
    return out


def _is_one(each: Occurrence, states: set[str | None]) -> bool:
    """Whether a record of no known cause is an error all the same: another vendor's, or one of the form of Google's.

    One that has no more than the status of another error of the text (`states`) repeats that.
    """
    facts = each.facts
    if each.found.vendor is not None or facts.reason is not None:
        return True
    return facts.status is not None and facts.status not in states and _SENTENCE.search(facts.message) is not None


def _same(one: Occurrence, other: Occurrence) -> bool:
    if one.found.cause is Cause.UNKNOWN and other.found.cause is Cause.UNKNOWN:
        return one.read == other.read
    if one.alone or other.alone:
        return one.key == other.key
    return all(a == b or a is None or b is None for a, b in zip(one.key, other.key, strict=True))


def _decide(record: str, whole: str, around: str = "") -> Occurrence:
    """Details win over all else. Of several details the first that says most decides."""
    *details, other = ((facts, classify(_focused(facts))) for facts in reading.read(record, whole, around))
    known = [each for each in details if each[1].cause is not Cause.UNKNOWN]
    if known:
        return Occurrence(*min(known, key=lambda each: _weight(each[1].cause)))
    facts, found = other
    if new := next((each for each, _ in details if is_new(each)), None):
        facts = replace(facts, reason=new.reason, domain=new.domain, metadata=new.metadata)
        found = classify(facts)
    if found.cause is not Cause.UNKNOWN:
        return Occurrence(facts, found)
    facts = replace(facts, reason=details[0][0].reason, metadata=details[0][0].metadata) if details else facts
    return Occurrence(facts, Classification(Cause.UNKNOWN, vendor=provenance.origin(record, whole)[1]))


def _focused(facts: ErrorFacts) -> ErrorFacts:
    """Of a long text the part around the words that decide, so that names are those nearest to them."""
    if facts.reason is not None or len(facts.message) <= 2 * _NEAR:
        return facts
    match = wording.find(wording.lowered(facts.message), google=True)
    if match is None:
        return facts
    start = max(0, match.start - _NEAR // 2)
    part = facts.message[start : match.start + _NEAR]
    return replace(
        facts, message=part, around=facts.message[max(0, start - _NEAR) : start], status=reading.status_in(part) or facts.status
    )


def _weight(cause: Cause) -> int:
    known = entry(cause)
    return 2 if known.general else 1 if known.passing else 0
