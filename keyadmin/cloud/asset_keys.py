"""Keys in Cloud Asset Inventory: pages of tens of thousands, of which only what audits need is read from the JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from keyadmin.cloud.calls import ListPage
from keyadmin.model.key import Key, Restrictions
from keyadmin.model.key_codec import parse_time, restrictions_from_json

_NAME: Final = "//apikeys.googleapis.com/"
_NONE: Final[dict[str, str]] = {}
_OPEN: Final = Restrictions()


class _Resource(msgspec.Struct, rename="camel"):
    """The key itself, as the API Keys API shows it."""

    name: str = ""
    uid: str = ""
    display_name: str = ""
    create_time: str = ""
    delete_time: str = ""
    restrictions: msgspec.Raw = msgspec.Raw(b"")
    annotations: dict[str, str] | None = None
    service_account_email: str = ""


class _Version(msgspec.Struct):
    resource: _Resource = msgspec.field(default_factory=_Resource)


class _Result(msgspec.Struct, rename="camel"):
    name: str = ""
    project: str = ""
    versioned_resources: list[_Version] = []

    @property
    def resource(self) -> _Resource:
        return self.versioned_resources[0].resource if self.versioned_resources else _Resource()


class _Named(msgspec.Struct):
    name: str = ""
    project: str = ""


class _NamedList(msgspec.Struct, rename="camel"):
    results: list[_Named] = []
    next_page_token: str = ""


class _Data(msgspec.Struct):
    data: _Resource = msgspec.field(default_factory=_Resource)


class _Listed(msgspec.Struct):
    name: str = ""
    ancestors: list[str] = []
    asset: _Data = msgspec.field(name="resource", default_factory=_Data)

    @property
    def project(self) -> str:
        return self.ancestors[0] if self.ancestors else ""

    @property
    def resource(self) -> _Resource:
        return self.asset.data


class _Found(msgspec.Struct, rename="camel"):
    results: list[_Result] = []
    next_page_token: str = ""


class _List(msgspec.Struct, rename="camel"):
    assets: list[_Listed] = []
    next_page_token: str = ""


class KeyAsset(NamedTuple):
    """A key as the inventory knows it; `key` None = it shows the name alone. `number` = of the project.

    Without etag and time of the last change: what is to be changed is read anew.
    """

    number: str
    key: Key | None


def numbers(body: bytes, ending: str) -> ListPage[str]:
    """The numbers of the projects of a page's resources whose names end so. Raises ValueError."""
    page = _decoded(_NAMED, body)
    return ListPage(
        [each.project.rpartition("/")[2] for each in page.results if each.name.endswith(ending)], page.next_page_token
    )


class KeyReader:
    """Reads pages. Restrictions that many keys share are one object; `ids` = the ids of projects by number, where known."""

    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = ids
        self._restrictions: dict[bytes, Restrictions] = {b"": _OPEN}

    def searched(self, body: bytes) -> ListPage[KeyAsset]:
        """A page of searchAllResources. Raises ValueError."""
        page = _decoded(_SEARCHED, body)
        return ListPage(list(map(self._asset, page.results)), page.next_page_token)

    def listed(self, body: bytes) -> ListPage[KeyAsset]:
        """A page of assets.list with resources. Raises ValueError."""
        page = _decoded(_LISTED, body)
        return ListPage(list(map(self._asset, page.assets)), page.next_page_token)

    def _asset(self, found: _Result | _Listed) -> KeyAsset:
        data = found.resource
        number = found.project.rpartition("/")[2] or found.name.removeprefix(_NAME).split("/")[1]
        if not (data.uid and data.create_time):
            return KeyAsset(number, None)
        key = Key(
            name=data.name,
            uid=data.uid,
            display_name=data.display_name,
            project=self._ids.get(number, number),
            create_time=parse_time(data.create_time),
            delete_time=parse_time(data.delete_time),
            restrictions=self._shared(bytes(data.restrictions)),
            annotations=data.annotations or _NONE,
            service_account_email=data.service_account_email or None,
        )
        return KeyAsset(number, key)

    def _shared(self, raw: bytes) -> Restrictions:
        known = self._restrictions.get(raw)
        if known is None:
            self._restrictions[raw] = known = restrictions_from_json(json.loads(raw))
        return known


_NAMED: Final = msgspec.json.Decoder(_NamedList)
_SEARCHED: Final = msgspec.json.Decoder(_Found)
_LISTED: Final = msgspec.json.Decoder(_List)


def _decoded(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
