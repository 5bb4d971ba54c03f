"""Keys, their use, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.model.documents.common import ABSENT, CauseName, DryRunJson, FailureJson, Time
from keyadmin.model.key import Restricted
from keyadmin.model.secret import KeyType


@dataclass(kw_only=True)
class ApiTargetJson:
    """An API that a key may call; without methods, all of it."""

    service: str
    methods: list[str] = ABSENT


@dataclass(kw_only=True)
class ReferrersJson:
    """Web pages that may use a key."""

    allowedReferrers: list[str]


@dataclass(kw_only=True)
class AddressesJson:
    """Addresses that may use a key."""

    allowedIps: list[str]


@dataclass(kw_only=True)
class AndroidAppJson:
    """An Android application."""

    sha1Fingerprint: str
    packageName: str


@dataclass(kw_only=True)
class AndroidAppsJson:
    """Android applications that may use a key."""

    allowedApplications: list[AndroidAppJson]


@dataclass(kw_only=True)
class BundlesJson:
    """iOS applications that may use a key."""

    allowedBundleIds: list[str]


@dataclass(kw_only=True)
class RestrictionsJson:
    """Who may use a key, and for what, as the REST API writes it."""

    apiTargets: list[ApiTargetJson] = ABSENT
    browserKeyRestrictions: ReferrersJson = ABSENT
    serverKeyRestrictions: AddressesJson = ABSENT
    androidKeyRestrictions: AndroidAppsJson = ABSENT
    iosKeyRestrictions: BundlesJson = ABSENT


@dataclass(kw_only=True)
class HourJson:
    """The hour of the last use, by the clock of Cloud Monitoring."""

    from_: Time
    until: Time


@dataclass(kw_only=True)
class KeyJson:
    """A key: the REST Key, and what keyadmin knows of it."""

    name: str
    displayName: str
    project: str
    keyType: KeyType
    restricted: Restricted
    uid: str
    createTime: Time = ABSENT
    updateTime: Time = ABSENT
    deleteTime: Time = ABSENT
    annotations: dict[str, str] = ABSENT
    restrictions: RestrictionsJson = ABSENT
    serviceAccountEmail: str = ABSENT
    etag: str = ABSENT
    studioVisible: bool
    ageDays: int
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ListedKeyJson(KeyJson):
    """A key of a list; with --usage its use of six weeks. `lastUsed` null = none in that time."""

    lastUsed: HourJson | None = ABSENT
    calls: dict[str, int] = ABSENT
    checks: int = ABSENT
    lastUsedUnknown: FailureJson = ABSENT


@dataclass(kw_only=True)
class WatchEventJson:
    """What `keys list --watch` saw happen."""

    event: Literal["added", "changed", "removed"]
    key: WatchedKeyJson


@dataclass(kw_only=True)
class WatchedKeyJson(ListedKeyJson):
    """A key without its age, which alone is no change."""

    ageDays: int = ABSENT


@dataclass(kw_only=True)
class HandedOverJson:
    """What became of one sink."""

    sink: str
    status: Literal["done", "already", "failed"]
    detail: str
    cause: CauseName = ABSENT


@dataclass(kw_only=True)
class SinkJson(HandedOverJson):
    """The same, of `keys hand-over`. `keyString` is there for the sink stdout alone."""

    keyString: str = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ShownKeyJson(KeyJson):
    """A key after what was done with it. `keyString` is there only where it was asked for."""

    keyString: str = ABSENT
    verification: Literal["ok", "skipped", "failed", "unknown"] = ABSENT
    handedOver: list[HandedOverJson] = ABSENT


@dataclass(kw_only=True)
class UnreadKeyJson:
    """A key string of a key that may not be read itself."""

    name: str
    project: str
    keyString: str
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class StartedJson:
    """A change that was not waited for."""

    name: str
    operation: str
    done: bool
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class ChangedKeyJson(ShownKeyJson):
    """One of several keys that were changed."""

    status: Literal["done"]


@dataclass(kw_only=True)
class StartedChangeJson(StartedJson):
    """One of several changes that were not waited for."""

    status: Literal["started"]


@dataclass(kw_only=True)
class FailedChangeJson:
    """One of several keys that could not be changed."""

    name: str
    displayName: str
    project: str
    status: Literal["failed"]
    cause: CauseName
    message: str
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class KeyUseJson:
    """The use of a key over six weeks. `lastUsed` null = none."""

    name: str
    displayName: str
    project: str
    lastUsed: HourJson | None = ABSENT
    calls: dict[str, int] = ABSENT
    refused: int = ABSENT
    checks: int = ABSENT
    lastUsedUnknown: FailureJson = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class VerdictJson:
    """Whether the Gemini API takes a key, from this machine, now."""

    verification: Literal["ok", "failed", "unknown"]
    maskedKey: str
    name: str = ABSENT
    project: str = ABSENT
    cause: CauseName = ABSENT
    message: str = ABSENT
    sandbox: Literal[True] = ABSENT


@dataclass(kw_only=True)
class StringOwnerJson:
    """Whose a key string is."""

    parent: str
    project: str
    state: Literal["live", "deleted", "purged", "unknown"]
    name: str = ABSENT
    displayName: str = ABSENT
    keyType: KeyType = ABSENT
    restricted: Restricted = ABSENT
    sandbox: Literal[True] = ABSENT


KeyList = list[ListedKeyJson]
KeyListLine = ListedKeyJson | WatchEventJson
MadeKey = ShownKeyJson | StartedJson | DryRunJson
ChangedKey = ShownKeyJson | StartedJson | DryRunJson | list[ChangedKeyJson | StartedChangeJson | FailedChangeJson]
ChangedKeyLine = ShownKeyJson | StartedJson | DryRunJson | ChangedKeyJson | StartedChangeJson | FailedChangeJson
DescribedKeys = ShownKeyJson | list[KeyJson]
DescribedKeyLine = ShownKeyJson | KeyJson
KeyWithString = ShownKeyJson | UnreadKeyJson
KeyUses = list[KeyUseJson]
Handed = list[SinkJson] | DryRunJson
HandedLine = SinkJson | DryRunJson
Verified = VerdictJson
KeyOwner = StringOwnerJson
