"""Proxies and certificate authorities from the environment, the same for both doors."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cloud import network
from keyadmin.cloud.connect import Target, Url, connect
from keyadmin.model.problem import Cause, Problem

NAME = "projects/p1/locations/global/keys/k1"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("form", ["http://{}", "{}"])
async def test_both_doors_and_the_token_go_through_the_proxy(
    variable: str,
    form: str,
    proxy: Any,
    monkeypatch: pytest.MonkeyPatch,
    user_credentials: Callable[..., None],
    target: Target,
    double: Any,
) -> None:
    running, address = proxy
    monkeypatch.setenv(variable, form.format(address))
    user_credentials(quota_project_id="paying-project")
    async with connect(replace(target, endpoints=None)) as cloud:
        assert cloud.caller.kind == "user"
        assert cloud.caller.quota_project == "paying-project"
        await cloud.keys.get(NAME)
        await cloud.keys.key_string(NAME)
    assert sorted(running.asked) == ["apikeys.googleapis.com:443", "apikeys.googleapis.com:443", "oauth2.googleapis.com:443"]
    signed = [seen for seen in double.seen if seen.what != "POST /token"]
    assert [seen.door for seen in signed] == ["rest", "grpc"]
    for seen in signed:
        assert seen.headers["authorization"] == "Bearer token-1"
        assert seen.headers["x-goog-user-project"] == "paying-project"


async def test_the_proxy_is_given_its_password_by_both_doors(
    proxy: Any, monkeypatch: pytest.MonkeyPatch, user_credentials: Callable[..., None], target: Target, double: Any
) -> None:
    running, address = proxy
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{address}")
    user_credentials()
    async with connect(replace(target, endpoints=None)) as cloud:
        await cloud.keys.get(NAME)
        await cloud.keys.key_string(NAME)
    assert running.authorization == ["Basic bWU6c2VjcmV0"] * 3


async def test_loopback_never_goes_through_a_proxy(proxy: Any, monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    running, address = proxy
    async with connect(target) as cloud:
        await cloud.keys.get(NAME)  # the token is there now; its fetching is google.auth's own affair
        for variable in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "grpc_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, f"http://{address}")
        await cloud.keys.get(NAME)
        await cloud.keys.key_string(NAME)
    assert running.asked == []


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert network.proxy_for("apikeys.googleapis.com") == "http://proxy.example:3128"
    monkeypatch.setenv("NO_PROXY", "example.com,.googleapis.com")
    assert network.proxy_for("apikeys.googleapis.com") is None


@pytest.mark.parametrize("proxy", ["https://proxy.example:3128", "socks5://proxy.example:1080"])
def test_a_proxy_that_grpc_cannot_use_is_refused_in_words(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(Problem) as caught:
        network.proxy_for("apikeys.googleapis.com")
    assert caught.value.cause is Cause.NETWORK_UNREACHABLE
    assert caught.value.message.startswith("HTTPS_PROXY names a ")
    assert "HTTPS_PROXY" in caught.value.fix[0]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "x.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback_hosts(host: str) -> None:
    assert network.is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "169.254.169.254", "apikeys.googleapis.com", "", "0"]
)
def test_other_hosts(host: str) -> None:
    assert not network.is_loopback(host)


@pytest.mark.parametrize("variable", network.CA_VARIABLES)
async def test_any_of_the_variables_makes_both_doors_trust_the_companys_ca(
    variable: str, double: Any, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv(variable, str(double.ca_file))
    async with connect(target) as cloud:
        await cloud.keys.get(NAME)
        await cloud.keys.key_string(NAME)


async def test_a_folder_of_certificates_serves_too(
    double: Any, target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "certs"
    folder.mkdir()
    (folder / "company.crt").write_bytes(double.ca_file.read_bytes())
    (folder / "README").write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder))
    roots = network.trusted_roots()
    assert roots.file is None
    assert len(network.ssl_context(roots).get_ca_certs()) == 1


@pytest.mark.parametrize("content", [None, "no certificate in here"])
async def test_a_ca_file_that_is_none_is_named(content: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with pytest.raises(Problem) as caught:
        async with connect(Target()):
            pass
    assert str(path) in caught.value.message
    assert "REQUESTS_CA_BUNDLE" in caught.value.fix[0]


def test_without_a_variable_the_systems_own_authorities_serve_both_doors() -> None:
    roots = network.trusted_roots()
    context = network.ssl_context(roots)
    assert roots.pem.count(b"-----BEGIN CERTIFICATE-----") >= len(context.get_ca_certs()) > 10
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("address", ["http://10.0.0.1:8085", "http://example.com:80", "https://127.0.0.1:1", "ftp://localhost"])
async def test_a_sandbox_elsewhere_is_refused_before_any_call(address: str) -> None:
    with pytest.raises(Problem) as caught:
        async with asyncio.timeout(50), connect(Target(sandbox=Url(address))):
            pass
    assert caught.value.exit == 2
    assert address in caught.value.message
