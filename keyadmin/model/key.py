"""API keys as keyadmin handles them: plain values, independent of protobuf and JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

from keyadmin.model.secret import KeyString, KeyType

GEMINI = "generativelanguage.googleapis.com"
ALL_APIS = "cloudapis.googleapis.com"  # as a target it means every API (API Keys documentation)
OWN_ANNOTATIONS = "keyadmin-"  # how the names of all begin that keyadmin writes

Restricted = Literal["gemini", "other", "mixed", "none"]
Bearer = Literal["page", "android", "ios"]

# APIs that only a page or an app calls, with a key that everybody can read there (Maps Platform documentation).
BORNE: Final[Mapping[str, Bearer]] = {
    "maps-backend.googleapis.com": "page",  # Maps JavaScript API
    "maps-embed-backend.googleapis.com": "page",
    "maps-android-backend.googleapis.com": "android",
    "maps-ios-backend.googleapis.com": "ios",
}
_RESTRICTED_TO: Final[Mapping[str, Bearer]] = {"referrers": "page", "android": "android", "ios": "ios"}
_SERVER: Final = re.compile(r"server|back[ -]?end", re.IGNORECASE)
# As Google's console and Firebase name the keys that they make ("Browser key (auto created by Firebase)"), and as people do.
_NAMED: Final[tuple[tuple[Bearer, re.Pattern[str]], ...]] = (
    ("page", re.compile(r"(?<![a-z])(?:browser|web[ -]?(?:site|page)s?|javascript|referrers?)(?![a-z])", re.IGNORECASE)),
    ("android", re.compile(r"(?<![a-z])android(?![a-z])", re.IGNORECASE)),
    ("ios", re.compile(r"(?<![a-z])(?:ios|iphone|ipad)(?![a-z])", re.IGNORECASE)),
)


@dataclass(frozen=True, slots=True)
class ApiTarget:
    """One API a key may call; no methods = all of them."""

    service: str
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AndroidApp:
    """An Android application: SHA-1 of its signing certificate as 40 upper-case hex digits, and its package name."""

    sha1: str
    package: str


@dataclass(frozen=True)
class Restrictions:
    """Who may use a key and for what. At most one of the four client kinds is set; `None` = that kind is absent.

    An empty tuple is kept apart from `None`: the API stores e.g. `androidKeyRestrictions: {}` (recorded traffic).
    """

    referrers: tuple[str, ...] | None = None
    ips: tuple[str, ...] | None = None
    android: tuple[AndroidApp, ...] | None = None
    ios: tuple[str, ...] | None = None
    targets: tuple[ApiTarget, ...] = ()

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.referrers, self.ips, self.android, self.ios, self.targets))

    @property
    def client_kind(self) -> Literal["referrers", "ips", "android", "ios"] | None:
        """The kind of client restriction, if any."""
        for kind in ("referrers", "ips", "android", "ios"):
            if getattr(self, kind) is not None:
                return kind
        return None

    @cached_property
    def services(self) -> frozenset[str]:
        """The target services; empty = every API."""
        names = frozenset(target.service for target in self.targets)
        return frozenset() if ALL_APIS in names else names

    @cached_property
    def restricted(self) -> Restricted:
        """To Gemini alone, to other APIs, to both, or to nothing."""
        names = self.services
        if not names:
            return "none"
        if names == {GEMINI}:
            return "gemini"
        return "mixed" if GEMINI in names else "other"


def bearer_of(services: Iterable[str]) -> Bearer | None:
    """What calls these APIs with a key of its own: a page, where one of them is for pages, else an app."""
    found = {BORNE[service] for service in services if service in BORNE}
    return next((each for each, _ in _NAMED if each in found), None)


GEMINI_ONLY = Restrictions(targets=(ApiTarget(GEMINI),))


@dataclass(frozen=True, slots=True)
class Key:
    """An API key. `name` is as the service gives it (with the project number); times are aware, UTC."""

    name: str
    uid: str = ""
    display_name: str = ""
    project: str = ""  # the project's id where known, else its number
    create_time: datetime | None = None
    update_time: datetime | None = None
    delete_time: datetime | None = None
    restrictions: Restrictions = Restrictions()
    annotations: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    service_account_email: str | None = None
    key_string: KeyString | None = None

    @property
    def key_id(self) -> str:
        """The last segment of the name."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def foreign_annotations(self) -> dict[str, str]:
        """What a copy or a successor takes over: all annotations but keyadmin's own, which hold for one key only."""
        return {name: value for name, value in self.annotations.items() if not name.startswith(OWN_ANNOTATIONS)}

    @property
    def project_number(self) -> str:
        """The project segment of the name."""
        return self.name.split("/")[1] if self.name.startswith("projects/") else ""

    @property
    def key_type(self) -> KeyType:
        """Auth keys are bound to a service account; standard keys only name a project."""
        return "auth" if self.service_account_email else "standard"

    @property
    def restricted(self) -> Restricted:
        """See `Restrictions.restricted`."""
        return self.restrictions.restricted

    @property
    def borne_by(self) -> Bearer | None:
        """What bears it for everybody to read, as its clients say, else its APIs, else its name; None = nothing says so."""
        if self.key_type != "standard":
            return None
        if (kind := self.restrictions.client_kind) is not None:
            return _RESTRICTED_TO.get(kind)
        if (bearer := bearer_of(self.restrictions.services)) is not None:
            return bearer
        if _SERVER.search(self.display_name):
            return None
        return next((each for each, words in _NAMED if words.search(self.display_name)), None)

    @property
    def public(self) -> bool:
        """Whether a page or an app bears it: its successor is published with these, and cannot be handed to a sink."""
        return self.borne_by is not None

    @property
    def studio_visible(self) -> bool:
        """Whether AI Studio shows it: no API restriction, or the Generative Language API alone (the page, Limitations)."""
        return self.restricted in ("gemini", "none")

    def age_days(self, now: datetime) -> int:
        """Whole days from creation to `now` (by the server's clock); 0 where the time of creation is unknown."""
        if self.create_time is None:
            return 0
        return max(0, (now - self.create_time).days)
