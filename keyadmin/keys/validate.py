"""What a person may write for a key: refused here, before any call, in words that say what is right.

Every function returns the value in the form that the API takes and raises `problem.usage` (exit code 2) otherwise.
Sources: the API Keys v2 discovery document (key id, display name, fingerprints, methods), the API's documented limits.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from keyadmin.keys import services
from keyadmin.model.key import ALL_APIS, AndroidApp, ApiTarget, Restrictions
from keyadmin.model.problem import usage
from keyadmin.model.secret import holds_key

MAX_NAME: Final = 63
MAX_CLIENTS: Final = 1200  # client restrictions of one key (reported in public threads)

_KEY_ID = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DNS = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_OWN_SERVICE = (".cloud.goog", ".appspot.com", ".run.app")  # services that a project publishes itself (Endpoints, API Gateway)
_METHOD = re.compile(r"(?:[A-Za-z0-9_.-]+\*?|\*)")
_PACKAGE = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+")
_SHA1 = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){19}")
_BUNDLE = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9.-]*@(?:[a-z0-9-]+\.)*gserviceaccount\.com")
_REFERRER = re.compile(
    r"(?:(?:https?://)|__[a-z][a-z0-9+.-]*_url__//)?"  # other schemes are written __scheme_url__// (Maps documentation)
    r"(?:\*|[*A-Za-z0-9_.-]*[A-Za-z0-9_*]|\[[0-9A-Fa-f:]+\])(?::(?:[0-9]{1,5}|\*))?(?:/[^\s?#]*)?"
)


def refuse_key_string(text: str) -> str:
    """`text`, unless it holds a key string: that is never taken as an argument, nor echoed."""
    if holds_key(text):
        raise usage(
            "a key string is not taken as an argument: it would stay in the shell's history and show in the process list",
            "pass it on standard input with -, or in a variable with --key-from-env VAR",
        )
    return text


def display_name(value: str) -> str:
    """A key's display name: 1 to 63 characters, no control characters."""
    refuse_key_string(value)
    if not value.strip():
        raise usage("the display name is empty: give the key a name that says who uses it")
    if len(value) > MAX_NAME:
        raise usage(f"the display name has {len(value)} characters: at most {MAX_NAME} are allowed")
    if not value.isprintable():
        raise usage("the display name has control characters: letters, digits, spaces and punctuation are allowed")
    return value


def key_id(value: str) -> str:
    """A chosen key id: `[a-z]([a-z0-9-]{0,61}[a-z0-9])?`, not UUID-like."""
    if not _KEY_ID.fullmatch(value):
        raise usage(
            f"{value!r} is not a key id: 1 to 63 lower-case letters, digits and hyphens, first a letter, last no hyphen",
            "leave --key-id out and keyadmin chooses one",
        )
    if _UUID.fullmatch(value):
        raise usage(f"the key id {value!r} looks like a UUID: the API keeps those for ids it chooses itself")
    return value


def looks_like_key_id(value: str) -> bool:
    """Whether `value` could be a key's id, chosen or a UUID."""
    return bool(_KEY_ID.fullmatch(value) or _UUID.fullmatch(value))


def service_account(value: str) -> str:
    """A service account's e-mail address."""
    if not _ACCOUNT.fullmatch(value):
        raise usage(f"{value!r} is not a service account: it reads like NAME@PROJECT.iam.gserviceaccount.com")
    return value


def annotation_map(pairs: Iterable[str]) -> dict[str, str]:
    """`K=V` pairs; an empty value is allowed, the same key twice is not."""
    out: dict[str, str] = {}
    for pair in pairs:
        refuse_key_string(pair)
        key, sign, value = pair.partition("=")
        if not sign or not key.strip() or key != key.strip():
            raise usage(f"{pair!r} is not an annotation: write KEY=VALUE, for instance team=search")
        if key in out:
            raise usage(f"the annotation {key!r} is given twice: one value a key")
        out[key] = value
    return out


def service(value: str, *, allow_unknown: bool = False) -> str:
    """A canonical service name such as `translate.googleapis.com`, in lower case.

    A name that keyadmin does not know is refused unless `allow_unknown` (its list may be older than the service).
    """
    name = value.strip().lower()
    if name in services.known():
        return name
    if name.endswith(_OWN_SERVICE) and _DNS.fullmatch(name):
        return name
    if allow_unknown and _DNS.fullmatch(name):
        return name
    meant = services.meant(name)
    fixes = [f"did you mean {' or '.join(meant)}?"] if meant else []
    if _DNS.fullmatch(name):
        fixes.append("if the service is newer than this keyadmin, add --allow-unknown-service")
    raise usage(
        f"unknown service {value!r}: an API target is a service's full name, such as generativelanguage.googleapis.com", *fixes
    )


def api_target(value: str, *, allow_unknown: bool = False) -> ApiTarget:
    """`SERVICE` or `SERVICE:METHOD,METHOD`; a method may end in `*`."""
    name, sign, rest = value.partition(":")
    methods = tuple(part.strip() for part in rest.split(",")) if sign else ()
    for method in methods:
        if not _METHOD.fullmatch(method):
            raise usage(
                f"{method!r} in --api-target {value!r} is not a method: write SERVICE:METHOD,METHOD; "
                "a * may stand at a method's end, as in translate.googleapis.com:Get*,TranslateText"
            )
    return ApiTarget(service(name, allow_unknown=allow_unknown), methods)


def ip_range(value: str) -> str:
    """An IPv4 or IPv6 address, or a network in CIDR notation, in canonical form."""
    try:
        if "/" in value:
            return str(ipaddress.ip_network(value, strict=True))
        address = ipaddress.ip_address(value)
    except ValueError:
        fixes = [f"did you mean {each}?" for each in _networks(value)]
        raise usage(
            f"{value!r} is not an IP address or network: write 192.0.2.7, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/64", *fixes
        ) from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise usage(f"{value!r} names a network interface: leave out %{address.scope_id}")
    return str(address)


def _networks(value: str) -> Iterator[object]:
    """The network in which an address with bits behind the prefix is; none for what is no network at all."""
    with contextlib.suppress(ValueError):
        yield ipaddress.ip_network(value, strict=False)


def referrer(value: str) -> str:
    """An HTTP referrer pattern: `https://www.example.com/*`, `*.example.com/*`, `localhost:8080/*`."""
    if _REFERRER.fullmatch(value):
        return value
    scheme, sign, rest = value.partition("://")
    fixes = []
    if sign and re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme) and scheme not in ("http", "https"):
        fixes.append(f"schemes other than http and https are written __{scheme}_url__//{rest}")
    if re.search(r"[?#]", value):
        fixes.append("leave out the query and the fragment: they are ignored")
    raise usage(
        f"{value!r} is not a referrer: write a host with an optional scheme, port and path, such as https://www.example.com/*, "
        "*.example.com/* or localhost:8080/*",
        *fixes,
    )


def android_app(value: str) -> AndroidApp:
    """`PACKAGE=SHA1`; the fingerprint with or without colons."""
    package, sign, sha1 = value.partition("=")
    if not sign or not _PACKAGE.fullmatch(package):
        raise usage(f"{value!r} is not an Android app: write PACKAGE=SHA1, for instance com.example.app=DA:39:A3:...")
    if not _SHA1.fullmatch(sha1):
        raise usage(
            f"{sha1!r} is not a SHA-1 fingerprint: 40 hexadecimal digits, with or without colons between pairs",
            "keytool -list -v -keystore KEYSTORE shows the fingerprint of the signing certificate",
        )
    return AndroidApp(sha1.replace(":", "").upper(), package)


def ios_bundle(value: str) -> str:
    """An iOS bundle id: letters, digits, hyphens and dots."""
    if not _BUNDLE.fullmatch(value):
        raise usage(f"{value!r} is not an iOS bundle id: letters, digits, hyphens and single dots, such as com.example.app")
    return value


def _parts(values: Iterable[str]) -> list[str]:
    """Options may be repeated and hold several values behind commas; repeats are dropped, the order is kept."""
    parts = [part.strip() for value in values for part in value.split(",")]
    return list(dict.fromkeys(parts))


def restrictions(
    targets: Sequence[str] = (),
    *,
    ips: Sequence[str] = (),
    referrers: Sequence[str] = (),
    android: Sequence[str] = (),
    ios: Sequence[str] = (),
    allow_unknown: bool = False,
) -> Restrictions:
    """The restrictions that a command's options ask for. At most one kind of client, at most 1,200 entries."""
    given = {"--allowed-ips": ips, "--allowed-referrers": referrers, "--allowed-android": android, "--allowed-ios": ios}
    used = [option for option, values in given.items() if values]
    if len(used) > 1:
        raise usage(
            f"{' and '.join(used)} do not go together: a key is restricted to one kind of client", "make a key for each"
        )
    for option in used:
        if (count := len(_parts(given[option]))) > MAX_CLIENTS:
            raise usage(f"{option} has {count} entries: a key takes at most {MAX_CLIENTS}")
    return Restrictions(
        referrers=tuple(referrer(part) for part in _parts(referrers)) or None,
        ips=tuple(dict.fromkeys(ip_range(part) for part in _parts(ips))) or None,
        android=tuple(dict.fromkeys(android_app(part) for part in _parts(android))) or None,
        ios=tuple(ios_bundle(part) for part in _parts(ios)) or None,
        targets=api_targets(targets, allow_unknown=allow_unknown),
    )


def api_targets(values: Iterable[str], *, allow_unknown: bool = False) -> tuple[ApiTarget, ...]:
    """`--api-target` values; the same service twice is one target with both lists of methods."""
    methods: dict[str, list[str]] = {}
    whole: set[str] = set()
    for value in values:
        target = api_target(value, allow_unknown=allow_unknown)
        methods.setdefault(target.service, []).extend(target.methods)
        if not target.methods:
            whole.add(target.service)
    for name in whole:
        if methods[name]:
            raise usage(f"--api-target {name} is given with and without methods: with none, all are allowed")
    if ALL_APIS in methods and len(methods) > 1:
        raise usage(f"{ALL_APIS} means every API: leave out the other targets, or leave it out")
    return tuple(ApiTarget(name, tuple(dict.fromkeys(listed))) for name, listed in methods.items())
