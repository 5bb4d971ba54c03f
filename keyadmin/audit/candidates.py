"""What there is to audit, as it is known before a project is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from keyadmin.audit.model import Source
from keyadmin.model.key import Key


@dataclass(frozen=True)
class Candidate:
    """A project to audit. `keys` None = they are to be listed; `gemini` None = not known whether the Gemini API is on;
    `apis` = of others, whether they are on, as far as that is known.
    """

    project: str
    keys: tuple[Key, ...] | None = None
    gemini: bool | None = None
    apis: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What there is. `notes` = what is to be known of how it was found out; `deleted` = whether deleted keys are seen."""

    candidates: list[Candidate]
    source: Source
    notes: tuple[str, ...] = ()
    deleted: bool = True
