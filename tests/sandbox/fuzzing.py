"""Random requests for every method that the sandbox has, right and wrong ones mixed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote as percent

from hypothesis import strategies as st

from keyadmin.sandbox.api import Method
from keyadmin.sandbox.messages.published import message_class
from keyadmin.sandbox.messages.shape import Field, Shape
from keyadmin.sandbox.registry import apis

METHODS: list[Method] = [method for api in apis().values() for method in api.methods.values()]

# What requests name: things that exist in the default seed, things that do not, and things that are no names at all.
NAMES = [
    *(
        "projects/demo-project",
        "projects/100000000001",
        "projects/old-maps-site",
        "projects/crowded-project",
        "projects/nowhere",
    ),
    *("projects/-", "organizations/1000", "folders/1001", "folders/9", "projects/demo-project/locations/global"),
    *("projects/demo-project/locations/mars", "projects/crowded-project/locations/global/keys/worker-000", "operations/x"),
    *(
        "projects/crowded-project/locations/global/keys/worker-000/keyString",
        "projects/demo-project/services/a.b",
        "*",
        "-",
        "",
    ),
    *("projects/demo-project/serviceAccounts/x@demo-project.iam.gserviceaccount.com", "projects/demo-project/secrets/s"),
    *("projects/demo-project/secrets/s/versions/latest", "projects//locations/global", "a/b/c", "models/gemini-2.5-flash"),
    *("workers@crowded-project.iam.gserviceaccount.com", "organizations/1000/roles/x", "roles/owner", "demo-project", "1000"),
]
_TEXT = st.one_of(
    st.sampled_from(NAMES), st.text(max_size=20), st.sampled_from(["A" * 5000, "\x00", "\ud800", "‮", "%", "é" * 63])
)


def quote(text: str, safe: str = "") -> str:
    """Percent-encoded, lone surrogates too."""
    return percent(text, safe=safe, errors="surrogatepass")


_NAME = st.text(max_size=6) | st.just("\ud800")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAME, inner, max_size=4),
    max_leaves=12,
)
_SCALARS: dict[str, Any] = {
    "bool": st.booleans() | st.sampled_from(["true", "false", 1]),
    "double": st.floats() | st.integers() | st.just("1e400"),
    "bytes": st.sampled_from(["aGk=", "aGk", "!!", ""]),
    "timestamp": st.sampled_from(
        ["2026-01-01T00:00:00Z", "2026-01-01", "9999-12-31T23:59:59.999999999Z", "0000-00-00T00:00:00Z"]
    ),
    "duration": st.sampled_from(["1s", "1.5s", "-1s", "x", "999999999999999s"]),
    "mask": st.sampled_from(
        ["*", "display_name", "displayName,restrictions", "restrictions.api_targets", ",", "a.b.c", "name", "."]
    ),
    "any": _JSON,
}


def scalar(field: Field, depth: int) -> st.SearchStrategy[Any]:
    """A value for one field, mostly of its kind."""
    if field.message is not None:
        right: Any = st.just({}) if depth > 4 else st.deferred(lambda: message(field.message, depth + 1))  # type: ignore[arg-type]
    elif field.kind == "enum":
        right = st.sampled_from([*field.numbers, 0, 1, 99, "NO_SUCH_VALUE"]) if field.numbers else st.just(0)
    elif field.kind in _SCALARS:
        right = _SCALARS[field.kind]
    elif field.kind == "string":
        right = _TEXT
    else:
        right = st.sampled_from([0, 1, 2, -1, 2**31, 2**63, "5", 1.5, 10**400])
    return st.one_of(right, right, right, right, right, _JSON) if depth < 3 else right


def message(shape: Shape, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """A JSON object for a message: some of its fields, in either spelling, now and then one that it does not have."""
    fields = {}
    for name, field in shape.fields.items():
        value = scalar(field, depth)
        if field.is_map:
            value = st.dictionaries(_NAME, value, max_size=3)
        elif field.repeated:
            value = st.lists(value, max_size=3)
        fields[name] = value
    if not fields:
        return st.just({})

    def pick(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({name: fields[name] for name in names})

    return st.lists(st.sampled_from(sorted(fields)), max_size=5, unique=True).flatmap(pick)


@st.composite
def path(draw: st.DrawFn, template: str) -> str:
    """A path for a route, its variables filled with names that may or may not fit."""
    out, rest = "", template
    while "{" in rest:
        head, _, tail = rest.partition("{")
        variable, _, rest = tail.partition("}")
        pattern = variable.partition("=")[2] or "*"
        kind = draw(st.integers(0, 3))
        if kind == 0:
            value = draw(_TEXT)
        else:
            pieces = [
                "demo-project",
                "crowded-project",
                "100000000001",
                "global",
                "worker-000",
                "nowhere",
                "-",
                "%",
                "a:b",
                "1000",
            ]
            value = "/".join(draw(st.sampled_from(pieces)) if part in ("*", "**") else part for part in pattern.split("/"))
        out += head + quote(value, safe="/" if draw(st.booleans()) else "/:@")
    return out + rest


@st.composite
def rest_request(draw: st.DrawFn) -> tuple[str, str, bytes, dict[str, str]]:
    """(HTTP method, path with query, body, headers)."""
    method = draw(st.sampled_from(METHODS))
    http, _, template = draw(st.sampled_from(method.routes)).partition(" ")
    target = draw(path(template))
    shape = method.shape()
    names = st.sampled_from(
        [*sorted(shape.fields), "alt", "$alt", "fields", "prettyPrint", "key", "key.name", "a.b", "$unique"]
    )
    values = _TEXT | st.sampled_from(["json", "json;enum-encoding=int", "media", "1", "-1", "true", "a(b/c),d", "((((", "*/*"])
    query = draw(st.lists(st.tuples(names, values), max_size=4))
    if query:
        target += "?" + "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
    inner = shape.fields[method.body].message if method.body not in ("", "*") else shape
    assert inner is not None
    body = draw(st.one_of(*[message(inner).map(dump)] * 4, _JSON.map(dump), st.binary(max_size=40)))
    headers = {
        "Content-Type": draw(st.sampled_from(["application/json", "application/json; charset=UTF-8", "text/plain", "x"]))
    }
    if draw(st.integers(0, 9)) == 0:
        headers |= draw(
            st.sampled_from(
                [
                    {"Authorization": "Bearer nobody@example.net"},
                    {"Authorization": "Bearer ya29.token"},
                    {"Authorization": "Basic eDp5"},
                    {"X-Goog-User-Project": "demo-project"},
                    {"X-Goog-User-Project": "\u00e9"},
                    {"x-goog-api-key": "AQ.x"},
                    {"x-http-method-override": "GET"},
                    {"Content-Encoding": "gzip"},
                ]
            )
        )
    return http, target, body, headers


def dump(value: Any) -> bytes:
    """JSON text with lone surrogates, NaN and huge numbers as other programs might send them."""
    return json.dumps(value, ensure_ascii=True).encode()


@st.composite
def grpc_request(draw: st.DrawFn) -> tuple[str, bytes]:
    """(path of the method, message bytes): a message of the right class, that message damaged, or noise."""
    from google.protobuf import json_format

    method = draw(st.sampled_from([method for method in METHODS if method.response is not None]))
    assert isinstance(method.request, str)
    kind = draw(st.integers(0, 9))
    data = b""
    if kind < 9:
        try:
            built = json_format.ParseDict(
                draw(message(method.shape())), message_class(method.request)(), ignore_unknown_fields=True
            )
            data = built.SerializeToString()
        except (json_format.ParseError, ValueError, TypeError, OverflowError, SystemError):  # SystemError: upb, lone surrogates
            data = draw(st.binary(max_size=60))
    if kind >= 7:
        noise = draw(st.binary(max_size=12))
        where = draw(st.integers(0, len(data)))
        data = data[:where] + noise + data[where + draw(st.integers(0, 3)) :]
    return f"/{method.api.name}/{method.name}", data
