"""Random sequences of calls give the same answers through gRPC and REST, but for what the protobuf lacks.

Each sequence is played twice, on two equal projects: once by protobuf messages, once by HTTP requests put together from the
published HTTP rules of each method. `SEQUENCES=10000 pytest tests/sandbox/test_doors_agree.py` looks longer.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyadmin.sandbox.api import Method
from keyadmin.sandbox.messages.published import message_class, pool
from keyadmin.sandbox.registry import apis

from .conftest import Running, start

SEQUENCES = int(os.environ.get("SEQUENCES", "1000"))
PROJECTS = apis()["google.cloud.resourcemanager.v3.Projects"]  # whose IAM methods are meant: other APIs have them too
METHODS = {method.name: method for api in [*apis().values(), PROJECTS] for method in api.methods.values() if method.response}
assert error_details_pb2  # registers the details of errors
GEMINI = "generativelanguage.googleapis.com"

# Steps: (method, request). In every text {P} is the project, {S} a service account, {K} the last key's name, {STRING} its
# key string, {OP} the last operation, {TOKEN} the last page token.
_KEYS = "projects/{P}/locations/global"
_KEY_NAME = st.sampled_from(
    ["{K}", "{K}", "{K}", f"{_KEYS}/keys/one", f"{_KEYS}/keys/two", f"{_KEYS}/keys/missing", "nonsense"]
)
_DISPLAY = st.sampled_from(["a", "é", "x" * 63, "x" * 64, ""])
_CLIENTS = st.sampled_from(
    [
        {"serverKeyRestrictions": {"allowedIps": ["203.0.113.7", "2001:db8::/32"]}},
        {"serverKeyRestrictions": {"allowedIps": ["nonsense"]}},
        {"browserKeyRestrictions": {"allowedReferrers": ["*.example.com"]}},
        {"iosKeyRestrictions": {}},
        {"androidKeyRestrictions": {"allowedApplications": [{"sha1Fingerprint": "ab" * 20, "packageName": "com.example"}]}},
        {"apiTargets": [{"service": GEMINI, "methods": ["GET", "x"]}, {"service": "a.googleapis.com"}]},
        {"apiTargets": [{}]},
        {},
    ]
)
_KEY = st.fixed_dictionaries(
    {},
    optional={
        "displayName": _DISPLAY,
        "restrictions": _CLIENTS,
        "annotations": st.sampled_from([{}, {"a": "b"}, {"é": ""}]),
        "etag": st.just('W/"stale"'),
    },
)
_MASK = st.sampled_from(
    ["displayName", "restrictions", "annotations", "restrictions.apiTargets", "displayName,annotations", "name", "*", "x.y"]
)
_PAGE = {"pageSize": st.sampled_from([0, 1, 2, 300, 1000, -1]), "pageToken": st.sampled_from(["{TOKEN}", "nonsense"])}


def _step(method: str, fixed: dict[str, Any], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Any]]:
    strategies = {name: value if isinstance(value, st.SearchStrategy) else st.just(value) for name, value in fixed.items()}
    return st.tuples(st.just(method), st.fixed_dictionaries(strategies, optional=optional))


_PROJECT = st.sampled_from(["projects/{P}", "projects/{P}", "projects/{P}", "projects/no-such-project", "nonsense"])
_SERVICE = st.sampled_from([GEMINI, "apikeys.googleapis.com", "no-such-service.googleapis.com"])
_ROLE = st.sampled_from(["roles/viewer", "roles/editor", "roles/noSuchRole"])
_MEMBER = st.sampled_from(["user:a@example.com", "serviceAccount:{S}", "nobody", "allUsers"])
_PERMISSION = st.sampled_from(
    ["apikeys.keys.list", "resourcemanager.projects.get", "resourcemanager.projects.create", "x", "*"]
)


def _binding(role: str, member: str) -> dict[str, Any]:
    return {"role": role, "members": [member]}


_ACCOUNT = st.sampled_from(
    ["projects/{P}/serviceAccounts/{S}", "projects/-/serviceAccounts/{S}", "projects/{P}/serviceAccounts/x@y.z"]
)
_SECRET = st.sampled_from(["projects/{P}/secrets/one", "projects/{P}/secrets/two"])
_VERSION = st.sampled_from([f"projects/{{P}}/secrets/one/versions/{version}" for version in ("1", "2", "latest", "x")])
KEY_STEP = st.one_of(
    _step("CreateKey", {"parent": _KEYS, "key": _KEY}, keyId=st.sampled_from(["one", "two", "NO"])),
    _step("ListKeys", {"parent": _KEYS}, showDeleted=st.booleans(), **_PAGE),
    _step("GetKey", {"name": _KEY_NAME}),
    _step("GetKeyString", {"name": _KEY_NAME}),
    _step("UpdateKey", {"key": st.tuples(_KEY, _KEY_NAME).map(lambda pair: pair[0] | {"name": pair[1]})}, updateMask=_MASK),
    _step("DeleteKey", {"name": _KEY_NAME}, etag=st.just('W/"stale"')),
    _step("UndeleteKey", {"name": _KEY_NAME}),
    _step("LookupKey", {"keyString": st.sampled_from(["{STRING}", "AQ.SANDBOX-unknown"])}),
    _step("GetOperation", {"name": st.sampled_from(["{OP}", "operations/akmf.p7-1-x", "nonsense"])}),
)
PROJECT_STEP = st.one_of(
    _step("GetProject", {"name": _PROJECT}),
    _step("UpdateProject", {"project": {"name": "projects/{P}", "displayName": "New name"}}, updateMask=_MASK),
    _step("GetIamPolicy", {"resource": _PROJECT}),
    _step(
        "SetIamPolicy",
        {
            "resource": "projects/{P}",
            "policy": st.tuples(_ROLE, _MEMBER).map(
                lambda pair: {"bindings": [{"role": "roles/owner", "members": ["user:owner@example.com"]}, _binding(*pair)]}
            ),
        },
    ),
    _step("TestIamPermissions", {"resource": _PROJECT, "permissions": st.lists(_PERMISSION, max_size=3)}),
    _step("SearchProjects", {"query": "id:{P}"}, pageSize=st.sampled_from([0, 1, 5000])),
    _step("EnableService", {"name": _SERVICE.map(lambda service: f"projects/{{P}}/services/{service}")}),
    _step("DisableService", {"name": _SERVICE.map(lambda service: f"projects/{{P}}/services/{service}")}),
    _step("GetService", {"name": _SERVICE.map(lambda service: f"projects/{{P}}/services/{service}")}),
    _step("ListServices", {"parent": "projects/{P}"}, filter=st.sampled_from(["state:ENABLED", "state:x"]), **_PAGE),
    _step("BatchEnableServices", {"parent": "projects/{P}", "serviceIds": st.lists(_SERVICE, max_size=3)}),
)
ACCOUNT_STEP = st.one_of(
    _step(
        "CreateServiceAccount",
        {"name": "projects/{P}", "accountId": st.sampled_from(["robot-one", "x"])},
        serviceAccount=st.just({"displayName": "Robot"}),
    ),
    _step("GetServiceAccount", {"name": _ACCOUNT}),
    _step("ListServiceAccounts", {"name": "projects/{P}"}, pageSize=st.sampled_from([1, 100])),
    _step("DeleteServiceAccount", {"name": _ACCOUNT}),
)
SECRET_STEP = st.one_of(
    _step("CreateSecret", {"parent": "projects/{P}", "secretId": "one", "secret": {"replication": {"automatic": {}}}}),
    _step("AddSecretVersion", {"parent": _SECRET, "payload": {"data": "aGk="}}),
    _step("AccessSecretVersion", {"name": _VERSION}),
    _step("DisableSecretVersion", {"name": _VERSION}),
    _step("DestroySecretVersion", {"name": _VERSION}),
    _step("EnableSecretVersion", {"name": _VERSION}),
    _step("ListSecretVersions", {"parent": _SECRET}, pageSize=st.sampled_from([1, 100])),
    _step("GetSecret", {"name": _SECRET}),
    _step("DeleteSecret", {"name": _SECRET}),
    _step("ListSecrets", {"parent": "projects/{P}"}),
)
A_KEY = ("CreateKey", {"parent": _KEYS, "key": {"displayName": "first"}, "keyId": "one"})
DELETED = ("DeleteKey", {"name": f"{_KEYS}/keys/one"})
AN_ACCOUNT = ("CreateServiceAccount", {"name": "projects/{P}", "accountId": "robot-one"})
A_SECRET = ("CreateSecret", {"parent": "projects/{P}", "secretId": "one", "secret": {"replication": {"automatic": {}}}})
A_VERSION = ("AddSecretVersion", {"parent": "projects/{P}/secrets/one", "payload": {"data": "aGk="}})


def _sequence(first: list[Any], step: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.tuples(st.sampled_from([first, first, []]), st.lists(step, min_size=2, max_size=12)).map(
        lambda two: two[0] + two[1]
    )


SEQUENCE = st.one_of(
    _sequence([A_KEY], KEY_STEP),
    _sequence([A_KEY, DELETED], KEY_STEP),
    _sequence([AN_ACCOUNT], ACCOUNT_STEP),
    _sequence([A_SECRET, A_VERSION], SECRET_STEP),
    _sequence([], PROJECT_STEP),
    _sequence([], st.one_of(KEY_STEP, PROJECT_STEP, ACCOUNT_STEP, SECRET_STEP)),
)


class Side:
    """One project, spoken to through one transport."""

    def __init__(self, project: str, number: str) -> None:
        self.project = project
        self.number = number
        self.last = {"{K}": f"projects/{project}/locations/global/keys/none", "{STRING}": "AQ.x", "{OP}": "operations/x"}
        self.last |= {"{TOKEN}": "", "{P}": project, "{S}": f"robot-one@{project}.iam.gserviceaccount.com"}

    def filled(self, value: Any) -> Any:
        """A request with this side's own names in it."""
        if isinstance(value, dict):
            return {name: self.filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, str):
            for mark, text in self.last.items():
                value = value.replace(mark, text)
        return value

    def remember(self, answer: Any) -> None:
        name = str(answer.get("name", ""))
        if name.startswith("operations/"):
            self.last["{OP}"] = name
        response = answer.get("response", answer)
        if "keyString" in response:
            self.last["{STRING}"] = response["keyString"]
        if "/keys/" in str(response.get("name", "")):
            self.last["{K}"] = response["name"]
        self.last["{TOKEN}"] = answer.get("nextPageToken", "")

    def plain(self, value: Any, name: str = "") -> Any:
        """An answer without what differs from one project to the next."""
        if isinstance(value, dict):
            return {key: self.plain(item, key) for key, item in sorted(value.items())}
        if isinstance(value, list):
            return [self.plain(item) for item in value]
        if name in _RANDOM or name.endswith("Time"):
            return f"<{name}>"
        if isinstance(value, str):
            text = value.replace(self.project, "<project>").replace(self.number, "<number>")
            text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>", text)
            text = re.sub(r"Account deleted: [0-9]+", "Account deleted: <unique id>", text)
            return re.sub(r"operations/(\w+)\.[\w.-]*<?[\w.<>-]*", r"operations/\1", text)
        return value


_RANDOM = {"etag", "uid", "keyString", "nextPageToken", "uniqueId", "oauth2ClientId"}


def over_grpc(channel: grpc.Channel, method: Method, request: Any) -> tuple[str, Any]:
    """(code, answer or error) of a call by messages."""
    assert isinstance(method.request, str)
    assert method.response is not None
    data = json_format.ParseDict(request, message_class(method.request)(), descriptor_pool=pool()).SerializeToString()
    call = channel.unary_unary(f"/{method.api.name}/{method.name}").future(data, timeout=60)
    if call.exception() is None:
        return "OK", json_format.MessageToDict(message_class(method.response).FromString(call.result()), descriptor_pool=pool())
    status = status_pb2.Status.FromString(dict(call.trailing_metadata())["grpc-status-details-bin"])
    error = json_format.MessageToDict(status)
    return call.code().name, {"message": error["message"], "details": error.get("details", [])}


def over_rest(connection: http.client.HTTPConnection, method: Method, request: Any) -> tuple[str, Any]:
    """(code, answer or error) of a call by HTTP, the request laid out as its HTTP rule says."""
    http_method, target, body = laid_out(method, request)
    connection.request(http_method, target, body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    data = json.loads(reply.read())
    if reply.status == 200:
        assert method.response is not None
        message = json_format.ParseDict(
            data, message_class(method.response)(), ignore_unknown_fields=True, descriptor_pool=pool()
        )
        return "OK", json_format.MessageToDict(message)
    error = data["error"]
    return error["status"], {"message": error["message"], "details": error.get("details", [])}


def laid_out(method: Method, request: Any) -> tuple[str, str, bytes | None]:
    """HTTP method, target and body of a request (google/api/http.proto)."""
    rest = json.loads(json.dumps(request))
    http_method, _, template = method.routes[0].partition(" ")

    def fill(found: re.Match[str]) -> str:
        *parents, last = found[1].split(".")
        holder = rest
        for part in parents:
            holder = holder[part]
        return quote(str(holder.pop(last, "")), safe="/@")

    path = re.sub(r"\{([\w.]+)(?:=[^}]*)?\}", fill, template)
    body = None
    if method.body == "*":
        body, rest = json.dumps(rest).encode(), {}
    elif method.body:
        body = json.dumps(rest.pop(method.body, {})).encode()
    query = [(name, str(item).lower() if isinstance(item, bool) else item) for name, item in rest.items()]
    return http_method, path + (f"?{urlencode(query, doseq=True)}" if query else ""), body


@pytest.fixture(scope="module")
def transports() -> Iterator[tuple[grpc.Channel, http.client.HTTPConnection, Running]]:
    running = start()
    connection = http.client.HTTPConnection(urlsplit(running.rest).netloc, timeout=60)
    with grpc.insecure_channel(running.grpc) as channel:
        yield channel, connection, running
    connection.close()
    running.stop()


_counter = itertools.count()


def _sides(running: Running) -> tuple[Side, Side]:
    """Two equal projects that nobody used yet; made in batches."""
    number = next(_counter)
    if number % 200 == 0:
        owner = {"roles/owner": ["user:owner@example.com"]}
        projects = [
            {"projectId": f"{transport}-{n:07}", "projectNumber": str(start_ + n), "iam": owner, "parent": "folders/1001"}
            for transport, start_ in (("gside", 310_000_000_000), ("rside", 320_000_000_000))
            for n in range(number, number + 200)
        ]
        running.control("seed", {"projects": projects})
    return (
        Side(f"gside-{number:07}", str(310_000_000_000 + number)),
        Side(f"rside-{number:07}", str(320_000_000_000 + number)),
    )


# What the two ways of writing a request make different, not the answers: a path that fits no route of HTTP.
_NO_ROUTE = "Method not found"


def _named() -> set[str]:
    """The methods that the steps call."""
    return set(re.findall(r'_step\(\s*"(\w+)"', Path(__file__).read_text()))


OK: set[str] = set()  # the methods that answered something


@settings(
    max_examples=SEQUENCES,
    deadline=None,
    database=None,
    derandomize="SEQUENCES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(steps=SEQUENCE)
def _the_same_answers(
    transports: tuple[grpc.Channel, http.client.HTTPConnection, Running], steps: list[tuple[str, dict[str, Any]]]
) -> None:
    channel, connection, running = transports
    by_grpc, by_rest = _sides(running)
    for name, request in steps:
        method = METHODS[name]
        grpc_answer = over_grpc(channel, method, by_grpc.filled(request))
        rest_answer = over_rest(connection, method, by_rest.filled(request))
        if rest_answer[0] == "UNIMPLEMENTED" and str(rest_answer[1]["message"]).startswith(_NO_ROUTE):
            assert grpc_answer[0] != "OK"
            continue
        by_grpc.remember(grpc_answer[1])
        by_rest.remember(rest_answer[1])
        assert by_grpc.plain(list(grpc_answer)) == by_rest.plain(list(rest_answer)), (name, request)
        if grpc_answer[0] == "OK":
            OK.add(name)


def test_the_same_answers(transports: tuple[grpc.Channel, http.client.HTTPConnection, Running]) -> None:
    _the_same_answers(transports)
    if SEQUENCES >= 1000:  # the sequences mean something: every method answered at least once
        assert {name for name in _named() if name not in OK} == set()
