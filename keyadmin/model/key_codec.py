"""Keys and restrictions to and from the REST JSON form: the only place that knows its field names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from keyadmin.model.key import AndroidApp, ApiTarget, Key, Restrictions
from keyadmin.model.secret import KeyString

Json = dict[str, Any]


def parse_time(value: str | None) -> datetime | None:
    """An RFC 3339 time, up to nanoseconds (cut to microseconds), as an aware UTC datetime. Raises ValueError."""
    if not value:
        return None
    moment = datetime.fromisoformat(value)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError(f"{value} is beyond the year 9999") from None


def format_time(value: datetime) -> str:
    """RFC 3339 with microseconds and `Z`, as the services write it."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def restrictions_from_json(data: Mapping[str, Any] | None) -> Restrictions:
    """`Restrictions` from the REST object; unknown fields are passed over."""
    data = data or {}

    def kind(name: str, member: str) -> list[Any] | None:
        return list(data[name].get(member, ())) if name in data else None

    referrers = kind("browserKeyRestrictions", "allowedReferrers")
    ips = kind("serverKeyRestrictions", "allowedIps")
    android = kind("androidKeyRestrictions", "allowedApplications")
    ios = kind("iosKeyRestrictions", "allowedBundleIds")
    return Restrictions(
        referrers=None if referrers is None else tuple(referrers),
        ips=None if ips is None else tuple(ips),
        android=None
        if android is None
        else tuple(AndroidApp(app.get("sha1Fingerprint", ""), app.get("packageName", "")) for app in android),
        ios=None if ios is None else tuple(ios),
        targets=tuple(
            ApiTarget(target.get("service", ""), tuple(target.get("methods", ()))) for target in data.get("apiTargets", ())
        ),
    )


def restrictions_to_json(value: Restrictions) -> Json:
    """The REST object; absent kinds are left out."""
    out: Json = {}
    if value.referrers is not None:
        out["browserKeyRestrictions"] = {"allowedReferrers": list(value.referrers)}
    if value.ips is not None:
        out["serverKeyRestrictions"] = {"allowedIps": list(value.ips)}
    if value.android is not None:
        out["androidKeyRestrictions"] = {
            "allowedApplications": [{"sha1Fingerprint": app.sha1, "packageName": app.package} for app in value.android]
        }
    if value.ios is not None:
        out["iosKeyRestrictions"] = {"allowedBundleIds": list(value.ios)}
    if value.targets:
        out["apiTargets"] = [
            {"service": target.service} | ({"methods": list(target.methods)} if target.methods else {})
            for target in value.targets
        ]
    return out


def key_from_json(data: Mapping[str, Any], project: str = "") -> Key:
    """A `Key` from the REST Key. `project` = the id it was asked by, where known."""
    name = str(data.get("name", ""))
    return Key(
        name=name,
        uid=data.get("uid", ""),
        display_name=data.get("displayName", ""),
        project=project or (name.split("/")[1] if name.startswith("projects/") else ""),
        create_time=parse_time(data.get("createTime")),
        update_time=parse_time(data.get("updateTime")),
        delete_time=parse_time(data.get("deleteTime")),
        restrictions=restrictions_from_json(data.get("restrictions")),
        annotations=dict(data.get("annotations", {})),
        etag=data.get("etag", ""),
        service_account_email=data.get("serviceAccountEmail") or None,
        key_string=KeyString(data["keyString"]) if data.get("keyString") else None,
    )


def key_to_json(key: Key) -> Json:
    """The REST Key without its key string: what may be shown or sent."""
    out: Json = {"name": key.name, "uid": key.uid, "displayName": key.display_name}
    for field, moment in (("createTime", key.create_time), ("updateTime", key.update_time), ("deleteTime", key.delete_time)):
        if moment is not None:
            out[field] = format_time(moment)
    if key.annotations:
        out["annotations"] = dict(key.annotations)
    if restrictions := restrictions_to_json(key.restrictions):
        out["restrictions"] = restrictions
    if key.service_account_email:
        out["serviceAccountEmail"] = key.service_account_email
    if key.etag:
        out["etag"] = key.etag
    return out
