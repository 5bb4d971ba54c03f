"""As of when an audit knows what it says, and what it did not look at: "nothing found" claims no more than that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from keyadmin.audit.model import Source
from keyadmin.model.key_codec import format_time

UseRead = Literal["all", "some", "none"]

LAG: Final = "minutes to hours"
"""How far Cloud Asset Inventory is behind (its documentation: most changes within minutes, some after hours)."""
USE_DELAY: Final = timedelta(minutes=30)
"""How long Cloud Monitoring may take to show a call (recorded metric descriptor: up to 1,800 seconds)."""
USE_WINDOW: Final = timedelta(weeks=6)
DENY_POLICIES: Final = "deny policies"


@dataclass(frozen=True)
class AsOf:
    """`source` = where the keys are from; `now` = the server's time when the audit began; `use` = in how many of the projects
    with keys their use was read; `deleted` = whether keys that were deleted are seen there.
    """

    source: Source
    now: datetime
    use: UseRead = "none"
    deleted: bool = True

    @property
    def use_until(self) -> datetime | None:
        """Up to when calls are seen, a full hour; None where no use was read."""
        if self.use == "none":
            return None
        return (self.now.astimezone(UTC) - USE_DELAY).replace(minute=0, second=0, microsecond=0)

    @property
    def not_looked_at(self) -> list[str]:
        """What may change the picture and was not looked at."""
        use = {"all": [], "some": ["the use of some keys"], "none": ["the use of keys"]}[self.use]
        return [*use, *([] if self.deleted else ["deleted keys"]), DENY_POLICIES]

    def words(self) -> str:
        """The same in one line."""
        keys = f"as the inventory shows them, {LAG} late" if self.source == "asset" else f"as of {_minute(self.now)}"
        until = "" if self.use_until is None else f"; their use until {_minute(self.use_until)}"
        return f"keys {keys}{until}; not read: {', '.join(self.not_looked_at)}"

    def nothing(self) -> str:
        """What is said where nothing was found: no more than is known."""
        if self.source == "asset":
            return f"Nothing found in the inventory, which lags by {LAG}."
        return f"Nothing found as of {_minute(self.now)}."

    def to_json(self) -> dict[str, Any]:
        """`keys.asOf` is null where the inventory does not say it, `use.until` where no use was read."""
        by_inventory = self.source == "asset"
        return {
            "keys": {
                "source": self.source,
                "asOf": None if by_inventory else format_time(self.now),
                "lag": LAG if by_inventory else None,
            },
            "use": {
                "read": self.use,
                "until": None if self.use_until is None else format_time(self.use_until),
                "window": f"{USE_WINDOW.days}d",
            },
            "notLookedAt": self.not_looked_at,
        }


def _minute(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
