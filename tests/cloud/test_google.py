"""What Google is sent, proved against a TLS server with a CA of its own, for REST and gRPC alike."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cloud.connect import Target, connect
from keyadmin.model.problem import Cause, Exit, Problem
from keyadmin.model.secret import KeyString

NAME = "projects/p1/locations/global/keys/k1"
REST = f"GET /v2/{NAME}"


async def both(cloud: Any) -> None:
    """One call through each door."""
    await cloud.keys.get(NAME)
    await cloud.keys.key_string(NAME)


async def test_credentials_and_quota_project_go_through_both_doors(double: Any, target: Target, key_rpc: str) -> None:
    async with connect(replace(target, quota_project="paying-project")) as cloud:
        await both(cloud)
        assert cloud.caller.principal == "robot@their-project.iam.gserviceaccount.com"
        assert cloud.caller.kind == "service-account"
        assert cloud.caller.quota_project == "paying-project"
        assert cloud.caller.credentials_project == "their-project"
    for seen in (*double.calls(REST), *double.calls(key_rpc)):
        assert seen.headers["authorization"] == "Bearer token-1"
        assert seen.headers["x-goog-user-project"] == "paying-project"
    assert [seen.door for seen in double.seen if seen.door == "grpc"] == ["grpc"]


async def test_no_quota_project_is_sent_unless_named(double: Any, target: Target) -> None:
    async with connect(target) as cloud:
        await both(cloud)
    assert all("x-goog-user-project" not in seen.headers for seen in double.seen)


async def test_each_call_can_be_charged_to_its_own_project(double: Any, target: Target) -> None:
    async with connect(replace(target, charge_each=True, quota_project="paying-project")) as cloud:
        await both(cloud)
    charged = [seen.headers["x-goog-user-project"] for seen in double.seen if "/token" not in seen.what]
    assert charged == ["p1", "p1"]


async def test_a_token_about_to_expire_is_renewed_before_the_next_call(double: Any, target: Target, key_rpc: str) -> None:
    double.token_life = 60  # google.auth renews some minutes before the end
    async with connect(target) as cloud:
        await both(cloud)
    assert double.calls(REST)[0].headers["authorization"] == "Bearer token-1"
    assert double.calls(key_rpc)[0].headers["authorization"] == "Bearer token-2"


async def test_a_lasting_token_is_fetched_once_for_many_calls(double: Any, target: Target) -> None:
    async with connect(target) as cloud:
        await asyncio.gather(*(both(cloud) for _ in range(20)))
    assert double.issued == ["token-1"]


async def test_a_refused_token_is_renewed_once_and_the_call_repeated(double: Any, target: Target, key_rpc: str) -> None:
    async with connect(target) as cloud:
        await cloud.keys.get(NAME)
        double.revoked.add("token-1")
        await cloud.keys.get(NAME)
        double.revoked.add("token-2")
        await cloud.keys.key_string(NAME)
    assert [seen.headers["authorization"] for seen in double.calls(REST)] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
    ]
    assert [seen.headers["authorization"] for seen in double.calls(key_rpc)] == ["Bearer token-2", "Bearer token-3"]


async def test_many_refusals_of_one_token_fetch_one_new_token(double: Any, target: Target) -> None:
    """Refusals come in one after another, the later ones when the new token is there already."""
    async with connect(target) as cloud:
        await cloud.keys.get(NAME)
        double.revoked.add("token-1")
        access = cloud._runner.access
        for _ in range(256):
            assert await access.renew("Bearer token-1")
        await asyncio.gather(*(access.renew("Bearer token-1") for _ in range(256)))
        await asyncio.gather(*(cloud.keys.get(NAME) for _ in range(20)))
    assert double.issued == ["token-1", "token-2"]


async def test_a_token_refused_again_is_not_renewed_for_ever(double: Any, target: Target) -> None:
    double.revoked.update(f"token-{n}" for n in range(10))
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.get(NAME)
    assert caught.value.status == "UNAUTHENTICATED"
    assert len(double.calls(REST)) == 2


async def test_a_checked_key_travels_in_a_header_and_alone(double: Any, target: Target) -> None:
    key = KeyString("AIza" + "x" * 35)
    async with connect(target, credentials=False) as cloud:
        await cloud.gemini.check(key)
    (seen,) = double.seen
    assert seen.what == "GET /v1beta/models"
    assert seen.query == {"pageSize": "1"}
    assert seen.headers["x-goog-api-key"] == key.reveal()
    assert "authorization" not in seen.headers


async def test_without_credentials_nothing_is_signed(target: Target, double: Any) -> None:
    async with connect(target, credentials=False) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.get(NAME)
        with pytest.raises(Problem):
            _ = cloud.caller
    assert caught.value.cause is Cause.CREDENTIALS_MISSING
    assert double.seen == []


async def test_missing_credentials_are_said_at_once_with_the_way_out() -> None:
    with pytest.raises(Problem) as caught:
        async with connect(Target()):
            pass
    assert caught.value.cause is Cause.CREDENTIALS_MISSING
    assert caught.value.exit is Exit.CREDENTIALS
    login, sandbox = caught.value.fix
    assert login == "gcloud auth application-default login"
    assert "--sandbox" in sandbox


async def test_a_credentials_file_that_is_none_names_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text("{}")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(Problem) as caught:
        async with connect(Target()):
            pass
    assert caught.value.cause is Cause.CREDENTIALS_MISSING
    assert str(path) in caught.value.message


async def test_credentials_that_are_refused_are_expired(double: Any, target: Target) -> None:
    double.script["POST /token"].append((400, {"error": "invalid_grant", "error_description": "Bad Request"}))
    async with connect(target) as cloud:
        with pytest.raises(Problem) as caught:
            await cloud.keys.get(NAME)
    assert caught.value.cause is Cause.SERVICE_ACCOUNT_KEY_INVALID
    assert caught.value.exit is Exit.CREDENTIALS
    assert "invalid_grant" in caught.value.message
    assert caught.value.unsent


async def test_an_unknown_certificate_authority_is_refused_by_both_doors(
    double: Any, another_double: Any, target: Target, key_rpc: str
) -> None:
    async with connect(replace(target, endpoints=another_double.endpoints)) as cloud:
        for attempt in (cloud.keys.get(NAME), cloud.keys.key_string(NAME)):
            with pytest.raises(Problem) as caught:
                await attempt
            assert caught.value.cause is Cause.NETWORK_UNREACHABLE
            assert "could not be reached" in caught.value.message
            assert "SSL_CERT_FILE" in caught.value.fix[0]
    assert double.issued == ["token-1"]
    assert another_double.seen == []


async def test_nothing_is_sent_in_plaintext(target: Target, tmp_path: Path) -> None:
    received = bytearray()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(4096))
        writer.close()

    assert target.endpoints is not None
    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    plain = replace(target, endpoints=replace(target.endpoints, rest=f"https://localhost:{port}", grpc=f"localhost:{port}"))
    async with connect(plain) as cloud:
        for attempt in (cloud.keys.get(NAME), cloud.keys.key_string(NAME)):
            with pytest.raises(Problem):
                await attempt
    server.close()
    assert received.startswith(b"\x16\x03")  # a TLS ClientHello
    assert b"authorization" not in received
    assert b"token-" not in received


async def test_a_server_that_is_not_there_is_said_soon(target: Target) -> None:
    assert target.endpoints is not None
    gone = replace(target, endpoints=replace(target.endpoints, rest="https://localhost:9", grpc="localhost:9"))
    async with asyncio.timeout(50), connect(gone) as cloud:
        for attempt in (cloud.keys.get(NAME), cloud.keys.key_string(NAME)):
            with pytest.raises(Problem) as caught:
                await attempt
            assert caught.value.cause is Cause.NETWORK_UNREACHABLE
            assert caught.value.message.startswith("apikeys.googleapis.com could not be reached")


async def test_the_log_variable_of_googles_libraries_is_disarmed(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    import os

    monkeypatch.setenv("GOOGLE_SDK_PYTHON_LOGGING_SCOPE", "google")
    async with connect(target):
        assert "GOOGLE_SDK_PYTHON_LOGGING_SCOPE" not in os.environ


async def test_a_persons_address_is_asked_for_when_it_is_wanted(
    double: Any, target: Target, user_credentials: Any, proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_credentials()
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy[1]}")  # for the token; the rest is on loopback
    double.script["GET /v1/userinfo"] += [(200, {"email": "me@example.com"}), (403, {})]
    async with connect(target) as cloud:
        assert cloud.caller.principal is None
        assert (await cloud.identify()).principal == "me@example.com"
        assert (await cloud.identify()).principal is None
    assert double.calls("GET /v1/userinfo")[0].headers["authorization"] == "Bearer token-1"
