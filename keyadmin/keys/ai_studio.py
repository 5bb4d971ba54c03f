"""What AI Studio's API Keys page would show of a set of keys, and how much of it that hides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from keyadmin.model.key import Key

LIMIT: Final = 100  # "display a maximum of 100 keys and 50 projects" (Using Gemini API keys, Limitations)


@dataclass(frozen=True)
class Shown:
    """The keys that are shown, and how many are not: for their restriction, for the page's limit, and for the person's own."""

    keys: list[Key]
    other_apis: int = 0
    over_limit: int = 0
    past_own: int = 0

    def cut(self, limit: int) -> Shown:
        """At most `limit` of them."""
        return replace(self, keys=self.keys[:limit], past_own=max(0, len(self.keys) - limit))

    @property
    def notes(self) -> list[str]:
        """What to say about those that are not shown."""
        said = [self.note] if self.note else []
        if self.past_own:
            kind = "1 more key is" if self.past_own == 1 else f"{self.past_own} more keys are"
            said.append(f"{kind} not shown: --limit is {len(self.keys)}")
        return said

    @property
    def note(self) -> str | None:
        """What to say about those that AI Studio would hide; None if there are none."""
        reasons = []
        if self.other_apis:
            reasons.append(f"{self.other_apis} restricted to other APIs than the Gemini API alone")
        if self.over_limit:
            reasons.append(f"{self.over_limit} past the first {LIMIT}")
        if not reasons:
            return None
        count = self.other_apis + self.over_limit
        kind = "1 key is" if count == 1 else f"{count} keys are"
        return f"{kind} hidden, as in AI Studio: {', '.join(reasons)}; --all lifts limit and filter"


def shown(keys: Iterable[Key], limit: int = LIMIT) -> Shown:
    """The page's view: no API restriction or the Generative Language API alone, at most `limit` keys in all."""
    listed = list(keys)
    visible = [key for key in listed if key.studio_visible]
    return Shown(visible[:limit], len(listed) - len(visible), max(0, len(visible) - limit))
