"""The options of `audit fix` and `audit undo`, and what they come to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from keyadmin.audit.fix.change import UNUSED_FOR
from keyadmin.audit.fix.waves import SHARES, share
from keyadmin.cli.suggest import key_names
from keyadmin.cloud.usage import KEPT
from keyadmin.model import duration
from keyadmin.model.problem import Problem, usage

if TYPE_CHECKING:
    from keyadmin.audit.fix.facts import FixRequest
    from keyadmin.cli.session import Session
    from keyadmin.rotation.policy import RotationPolicy

OBSERVE: Final = "45m"
SEVERITIES: Final = ("low", "medium", "high")
_PLANNING: Final = ("rule", "min_severity", "key", "clients", "unused_for", "inventory", "max_age", "pause")


def _severities(incomplete: str) -> list[str]:
    return [name for name in SEVERITIES if name.startswith(incomplete)]


MinSeverity = Annotated[
    str | None,
    typer.Option(
        "--min-severity",
        metavar="low|medium|high",
        autocompletion=_severities,
        help="Only keys with findings of this severity or worse.",
    ),
]
FixKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY",
        autocompletion=key_names,
        help="Only this key, even if its use is unknown: full name, id or name; may be repeated.",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="PLAN", help="Write the plan to a file, and change nothing.")]
Apply = Annotated[Path | None, typer.Option("--apply", metavar="PLAN", help="Carry out whatever in this plan is not done yet.")]
WaveShare = Annotated[
    str | None,
    typer.Option("--wave", metavar="N%", help="How much the first wave changes: 10%; then 30%, 60% and all of it."),
]
OnlyWave = Annotated[bool, typer.Option("--only", help="Only the next wave; the same command continues later.")]
Pause = Annotated[str | None, typer.Option("--pause", metavar="DURATION", help="How long to wait between two waves.")]
Observe = Annotated[
    str,
    typer.Option(
        "--observe", metavar="DURATION", help="How long each wave is watched for harm before the next; 0s = not at all."
    ),
]
UnusedFor = Annotated[
    str | None, typer.Option("--unused-for", metavar="DURATION", help="Delete keys that were not used for this long: 90d.")
]
Clients = Annotated[
    Path | None,
    typer.Option(
        "--clients", metavar="FILE", help="CSV of the clients of each key: key,kind,entries. Usage data does not show them."
    ),
]
StaleOk = Annotated[bool, typer.Option("--stale-ok", help="Apply a plan that is older than seven days.")]
AcceptHarm = Annotated[
    bool, typer.Option("--accept-harm", help="Continue after a wave that did harm: the refused calls are unwanted.")
]
UndoKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="KEY",
        autocompletion=key_names,
        help="Only this key of the run: full name, id or name; may be repeated.",
    ),
]


@dataclass(frozen=True)
class Planning:
    """The options that a plan is made by, as they were typed."""

    rule: list[str] | None = None
    min_severity: str | None = None
    key: list[str] | None = None
    clients: Path | None = None
    unused_for: str | None = None
    inventory: str | None = None
    max_age: str | None = None
    pause: str | None = None

    def refuse_beside_apply(self) -> None:
        """Raises usage() where one of them stands beside `--apply`: the plan was made by them."""
        given = [f"--{name.replace('_', '-')}" for name in _PLANNING if getattr(self, name)]
        if given:
            verb = "belongs" if len(given) == 1 else "belong"
            raise usage(
                f"{' and '.join(given)} {verb} to making a plan, and --apply carries one out",
                "leave it out, or make a new plan without --apply",
            )

    def request(self, session: Session, policy: str | None, wave: str | None) -> FixRequest:
        """What is to be planned. Raises usage(), and Problem (exit 2) for a bad file of clients or policy."""
        from keyadmin.audit.fix.clients import read_clients
        from keyadmin.audit.fix.decide import FixTerms
        from keyadmin.audit.fix.facts import FixRequest
        from keyadmin.audit.model import Severity

        if self.min_severity is not None and self.min_severity not in SEVERITIES:
            raise usage(f"--min-severity: {self.min_severity!r} is not a severity here", f"use one of: {', '.join(SEVERITIES)}")
        return FixRequest(
            terms=FixTerms(unused_for=self._unused_for()),
            first=share(wave) if wave is not None else SHARES[0],
            pause=duration.parse(self.pause) if self.pause is not None else timedelta(),
            least=Severity[(self.min_severity or "info").upper()],
            keys=tuple(self.key or ()),
            clients=read_clients(self.clients) if self.clients is not None else None,
            policy=policy_if_any(session, policy),
        )

    def _unused_for(self) -> timedelta:
        span = duration.parse(self.unused_for) if self.unused_for is not None else UNUSED_FOR
        if span < timedelta(days=7):
            raise usage(
                f"--unused-for {self.unused_for}: whoever used a key in the last 7 d may use it again tomorrow",
                "write 7d or more",
            )
        return span

    def beyond_kept(self) -> bool:
        """Whether keys are asked about that were not used for longer than use is kept."""
        return self._unused_for() > KEPT


def policy_if_any(session: Session, named: str | None) -> RotationPolicy | None:
    """The policy with sinks; None where there is none, or one that only accepts findings. Raises Problem (exit 2)."""
    import tomllib

    from keyadmin.cli.rotation.scope_options import is_there, the_policy
    from keyadmin.local.files import read_text
    from keyadmin.rotation.policy import DEFAULT_FILE

    if not is_there(named):
        return None
    with suppress(tomllib.TOMLDecodeError, Problem):  # told by who reads it
        data = tomllib.loads(read_text(Path(named or DEFAULT_FILE)))
        if "rule" not in data and "audit" in data:
            return None
    return the_policy(session, named)


def observed(text: str) -> timedelta:
    """How long waves are observed. Raises usage() for a time in which nothing can show."""
    span = duration.parse(text)
    if timedelta() < span < timedelta(minutes=1):
        raise usage(f"--observe {text}: calls show after up to 30 minutes", "write 45m, or 0s to leave it out")
    return span
