"""Whose key it is, as far as that can be found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OwnerSource = Literal["label", "log", "policy", "unknown"]


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a key belongs to: `who` = accounts, none where it is unknown; `reason` = how that is known, or why it is not."""

    who: tuple[str, ...]
    source: OwnerSource
    reason: str
