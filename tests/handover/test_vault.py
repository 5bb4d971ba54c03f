"""The sink vault against a server of the tests: check-and-set, other fields kept, logins, refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyadmin.handover import vault
from keyadmin.handover.kubernetes import config
from keyadmin.handover.registry import parse
from keyadmin.model.problem import Cause, Exit, Problem
from tests.handover.conftest import KEY, OTHER
from tests.handover.servers.base import ServerFault
from tests.handover.servers.vault import TOKEN, VaultServer
from tests.sinks import sink_of

WEB = "vault:secret/apps/web"
NAME = "secret/apps/web"


@pytest.mark.parametrize(
    "text", ["", "secret", "secret/", "/x", "a//b", "a/../b", "secret/web?x=1", "secret/web:a b", "secret/a%2Fb", "a/b c"]
)
def test_what_is_not_a_secret_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(f"vault:{text}")
    assert caught.value.exit is Exit.USAGE


async def test_the_field_is_written_and_the_others_kept(safe: VaultServer) -> None:
    safe.put(NAME, other="theirs", GEMINI_API_KEY="old")
    sink = sink_of(WEB)
    assert await sink.read_back(KEY) is False
    assert "version 2" in (await sink.deliver(KEY)).detail
    assert safe.fields(NAME) == {"other": "theirs", "GEMINI_API_KEY": KEY.reveal()}
    assert await sink.read_back(KEY) is True
    assert not (await sink.deliver(KEY)).changed
    assert len(safe.versions[NAME]) == 2


async def test_a_secret_that_is_not_there_is_made(safe: VaultServer) -> None:
    await sink_of(WEB).preflight()
    assert (await sink_of(f"{WEB}:gemini").deliver(KEY)).changed
    assert safe.fields(NAME) == {"gemini": KEY.reveal()}


async def test_one_whose_newest_version_was_deleted_gets_the_next(safe: VaultServer) -> None:
    safe.put(NAME, other="theirs")
    safe.delete(NAME)
    assert "version 2" in (await sink_of(WEB).deliver(KEY)).detail


async def test_mounts_with_a_slash_are_found(safe: VaultServer) -> None:
    await sink_of("vault:team/kv/deep/web").deliver(KEY)
    assert safe.fields("team/kv/deep/web") == {"GEMINI_API_KEY": KEY.reveal()}


async def test_where_mounts_may_not_be_asked_the_first_part_is_one(safe: VaultServer) -> None:
    safe.denied.add("mounts")
    assert (await sink_of(WEB).deliver(KEY)).changed
    assert safe.fields(NAME) == {"GEMINI_API_KEY": KEY.reveal()}


async def test_engines_without_versions_are_refused(safe: VaultServer) -> None:
    with pytest.raises(Problem, match="not a KV engine of version 2"):
        await sink_of("vault:old/web").preflight()


async def test_a_mount_alone_is_no_secret(safe: VaultServer) -> None:
    with pytest.raises(Problem, match="no secret in it") as caught:
        await sink_of("vault:team/kv").deliver(KEY)
    assert caught.value.exit is Exit.USAGE


async def test_what_others_write_in_between_is_kept(safe: VaultServer) -> None:
    safe.put(NAME, other="theirs")
    safe.other_writes = 2
    await sink_of(WEB).deliver(KEY)
    assert safe.fields(NAME) == {"other": "theirs", "theirs": "2", "GEMINI_API_KEY": KEY.reveal()}


async def test_somebody_who_writes_all_the_time_is_said(safe: VaultServer) -> None:
    safe.other_writes = 99
    with pytest.raises(Problem, match="changed by somebody else each time") as caught:
        await sink_of(WEB).deliver(KEY)
    assert caught.value.cause is Cause.CONFLICT


async def test_engines_that_demand_check_and_set_are_satisfied(safe: VaultServer) -> None:
    safe.cas_required = True
    assert (await sink_of(WEB).deliver(KEY)).changed


async def test_without_reading_a_patch_keeps_the_others(safe: VaultServer) -> None:
    safe.put(NAME, other="theirs")
    safe.denied.add("read")
    delivery = await sink_of(WEB).deliver(KEY)
    assert "cannot be read back" in delivery.detail
    assert safe.fields(NAME) == {"other": "theirs", "GEMINI_API_KEY": KEY.reveal()}
    assert await sink_of(WEB).read_back(KEY) is None


@pytest.mark.parametrize("capability", ["create", "update"])
async def test_a_policy_that_lacks_something_is_told_what(safe: VaultServer, capability: str) -> None:
    if capability == "update":
        safe.put(NAME, other="theirs")
    safe.denied.add(capability)
    with pytest.raises(Problem, match="permission denied") as caught:
        await sink_of(WEB).deliver(KEY)
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert 'path "secret/data/apps/web"' in caught.value.fix[0]


@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_answer_is_asked_again_and_written_once(safe: VaultServer, after: bool) -> None:
    safe.faults.append(ServerFault("POST", after=after))
    await sink_of(WEB).deliver(KEY)
    assert safe.fields(NAME) == {"GEMINI_API_KEY": KEY.reveal()}
    assert len(safe.versions[NAME]) == 1


async def test_a_sealed_vault_is_said(safe: VaultServer) -> None:
    safe.faults.append(ServerFault("GET", 503, body={"errors": ["Vault is sealed"]}, times=99))
    with pytest.raises(Problem, match="Vault is sealed") as caught:
        await sink_of(WEB).deliver(KEY)
    assert "unseal" in caught.value.fix[0]


async def test_a_page_in_between_is_not_vault(safe: VaultServer) -> None:
    safe.faults.append(ServerFault("GET", 403, body="<html>Forbidden by proxy</html>", times=99))
    with pytest.raises(Problem) as caught:
        await sink_of(WEB).deliver(KEY)
    assert caught.value.cause is Cause.NETWORK_UNREACHABLE


async def test_approle_and_the_pods_role_log_in(safe: VaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("VAULT_ROLE_ID", "role")
    monkeypatch.setenv("VAULT_SECRET_ID", "secret")
    assert (await sink_of(WEB).deliver(KEY)).changed
    monkeypatch.setenv("VAULT_SECRET_ID", "wrong")
    with pytest.raises(Problem, match="login by AppRole was refused"):
        await sink_of(WEB).deliver(OTHER)
    monkeypatch.delenv("VAULT_ROLE_ID")
    monkeypatch.setenv("VAULT_KUBERNETES_ROLE", "keyadmin")
    monkeypatch.setattr(config, "POD", tmp_path)
    monkeypatch.setattr(vault, "POD", tmp_path)
    (tmp_path / "token").write_text("pod-token")
    assert (await sink_of(WEB).deliver(OTHER)).changed


async def test_openbao_and_the_token_file_are_known(safe: VaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VAULT_ADDR")
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("BAO_ADDR", safe.url)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".vault-token").write_text(f"{TOKEN}\n")
    assert (await sink_of(WEB).deliver(KEY)).changed


async def test_namespaces_are_sent_along(safe: VaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_NAMESPACE", "team-a")
    await sink_of(WEB).deliver(KEY)
    assert {headers.get("X-Vault-Namespace") for headers in safe.headers} == {"team-a"}


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("VAULT_ADDR", "", "does not know where Vault is"),
        ("VAULT_ADDR", "vault.example.com", "not an http"),
        ("VAULT_ADDR", "http://vault.invalid:8200", "is not https"),
        ("VAULT_TOKEN", "", "gets no token"),
        ("VAULT_SKIP_VERIFY", "true", "anybody could answer"),
        ("VAULT_CACERT", "/no/such/file", "cannot be read"),
    ],
)
async def test_settings_that_do_not_work_are_said(
    safe: VaultServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str, word: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Problem, match=word):
        await sink_of(WEB).deliver(KEY)
    assert not safe.versions
