"""What a sink is: a place that a key is handed to. The kinds are in `sinks/`, one file each; `registry.py` finds them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from keyadmin.model.secret import KeyString

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


@dataclass(frozen=True)
class Delivery:
    """How a hand-over went: whether anything changed, and words for people (never the key)."""

    changed: bool
    detail: str


@dataclass(frozen=True)
class SinkNeeds:
    """What an account needs to hand over to a sink.

    `permissions` and `apis` are Google's, in `project` (None: in the key's own project, or not known yet); `words` say what
    else: a token with a scope, a policy of another system.
    """

    project: str | None = None
    permissions: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class SinkContext:
    """What sinks may be given: the cloud that the key is in, and what writes a line to stdout."""

    cloud: Cloud
    emit: Callable[[str], None]


@dataclass(frozen=True)
class SinkSpec:
    """A sink as written: `text`, and what stands behind the colon. `sink` = the class of its kind."""

    text: str
    value: str
    sink: type[Sink]

    @property
    def kind(self) -> str:
        """The word before the colon."""
        return self.sink.kind

    @property
    def shown(self) -> str:
        """For people: the text, and for a kind of another package that package."""
        return f"{self.text} (by {self.sink.brought_by})" if self.sink.brought_by else self.text

    @property
    def place(self) -> str | None:
        """What it occupies, the same for all ways of writing it; None = nothing that another key could take."""
        return self.sink.place(self.value)


class Sink(ABC):
    """A place that a key is handed to. The class answers what can be known of a sink from its text alone."""

    kind: ClassVar[str]
    """The word before the colon."""
    pattern: ClassVar[str]
    """How it is written: `env-file:PATH[:VAR]`."""
    local: ClassVar[bool] = False
    """Whether it belongs to this machine: another machine cannot hand over to it."""
    outside: ClassVar[bool] = True
    """Whether it writes outside the cloud that the key is in (a file, a program): the sandbox guards these."""
    prints: ClassVar[bool] = False
    """Whether it writes the key string to stdout."""
    disables_older: ClassVar[bool] = False
    """Whether `disable_older` does anything."""
    reads_back: ClassVar[str] = "yes"
    """For people: whether what was handed over can be read again, and how."""
    old_versions: ClassVar[str] = "replaced"
    """For people: what becomes of the key that was there before."""
    beware: ClassVar[str] = ""
    """For people: what a plan has to say of it, such as a grace that must be long enough."""
    brought_by: ClassVar[str] = ""
    """The package that brings the kind, with its version; empty for keyadmin's own."""
    tested_against: ClassVar[str] = ""
    """For people: what its tests hand over to."""

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        self.spec = spec.text
        """As written."""

    @classmethod
    @abstractmethod
    def parse(cls, value: str) -> str:
        """What stands behind the colon, checked before any call and written in full. Raises usage() saying what is right.

        What the machine adds (the context of a kubeconfig) is added here, once: it is part of the sink from then on.
        """

    @classmethod
    def place(cls, value: str) -> str | None:
        """What the sink occupies, so that two keys are not given one place; None = nothing."""
        return f"{cls.kind}:{value}"

    @classmethod
    def below(cls, value: str, folder: Path) -> str:
        """The value as it reads in a policy file that lies in `folder`."""
        return value

    @classmethod
    def needs(cls, value: str) -> SinkNeeds:
        """What an account needs for it. `value` may hold placeholders such as `{project}`."""
        return SinkNeeds()

    @classmethod
    def writes_below(cls, value: str) -> Path | None:
        """The folder that it writes into, where that is known from the text: a schedule has to allow it."""
        return None

    async def preflight(self) -> None:  # noqa: B027 - a kind may have nothing to look at
        """Look whether a hand-over can work, as far as that shows without a key. Raises Problem; changes nothing."""

    async def preflight_retiring(self) -> None:  # noqa: B027 - a kind may keep no older versions
        """Look, without changing anything, whether what is done with older versions would be refused. Raises Problem."""

    @abstractmethod
    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Hand the key over; may be repeated. `key_id` = the key's id, for places that name versions.

        Raises Problem where it was not handed over.
        """

    @abstractmethod
    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the sink has this key now; None where it cannot be read back."""

    async def disable_older(self, key: KeyString) -> int | None:
        """Disable the versions behind the newest, provided the newest is this key; how many, None = not readable."""
        return None
