"""Whose key it is, as far as that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OwnerSource = Literal["label", "log", "policy", "unknown"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a key belongs to: `who` = names, none where it is unknown; `reason` = how that is known, or why it is not."""

    who: tuple[str, ...]
    source: OwnerSource
    reason: str

    @property
    def words(self) -> str:
        """For people: who it is, else `unknown`."""
        return ", ".join(self.who) or "unknown"
