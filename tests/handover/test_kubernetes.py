"""The sink kubernetes against a server of the tests: what it writes, what it leaves, what it refuses."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.handover.kubernetes import config
from keyadmin.handover.registry import fingerprint, parse
from keyadmin.handover.sinks import kubernetes as sink_module
from keyadmin.model.problem import Cause, Exit, Problem
from tests.handover.conftest import KEY, OTHER, kubeconfig
from tests.handover.servers.base import ServerFault
from tests.handover.servers.kubernetes import TOKEN, KubernetesServer
from tests.sinks import sink_of

WEB = "kubernetes:here/web/gemini"
EKS = "arn:aws:eks:eu-west-1:1:cluster/prod"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("here/web/gemini", ("here", "web", "gemini", "GEMINI_API_KEY", None)),
        ("web/gemini:KEY", ("", "web", "gemini", "KEY", None)),
        (f"{EKS}/web/gemini:a.key", (EKS, "web", "gemini", "a.key", None)),
        ("gke_p_c/web/gemini?restart=deployment/app", ("gke_p_c", "web", "gemini", "GEMINI_API_KEY", ("deployment", "app"))),
        ("web/a.b?restart=statefulset/db", ("", "web", "a.b", "GEMINI_API_KEY", ("statefulset", "db"))),
    ],
)
def test_places_are_read_from_the_right(text: str, parts: tuple[object, ...]) -> None:
    found = sink_module.parse(text)
    assert (found.context, found.namespace, found.secret, found.entry, found.restart) == parts
    assert sink_module.parse(found.written()) == found


@pytest.mark.parametrize(
    "text",
    [
        *("", "gemini", "here/", "/gemini", "web/Gemini", "web/gemini:a b", "web/gemini?restart=pod/x", "W/gemini"),
        *("web/gemini?restart=deployment/", f"web/{'a' * 300}", "web/gemini/", "web/gemini:../x"),
    ],
)
def test_what_is_not_a_place_is_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        sink_module.parse(text)
    assert caught.value.exit is Exit.USAGE


async def test_the_entry_is_written_and_everything_else_of_the_secret_left(cluster: KubernetesServer) -> None:
    cluster.put("web", "gemini", {"OTHER": "theirs"})
    sink = sink_of(WEB)
    assert await sink.read_back(KEY) is False
    assert (await sink.deliver(KEY)).changed
    assert cluster.value("web", "gemini") == KEY.reveal()
    assert cluster.value("web", "gemini", "OTHER") == "theirs"
    assert await sink.read_back(KEY) is True
    assert await sink.read_back(OTHER) is False
    assert not (await sink.deliver(KEY)).changed
    assert sum(line.startswith("PATCH") for line in cluster.requests) == 1


async def test_a_secret_that_is_not_there_is_made(cluster: KubernetesServer) -> None:
    await sink_of(WEB).preflight()
    assert (await sink_of(WEB).deliver(KEY)).changed
    assert cluster.value("web", "gemini") == KEY.reveal()


async def test_two_keys_in_one_secret_stay_beside_each_other(cluster: KubernetesServer) -> None:
    """An apply takes away what its manager applied before and leaves out now."""
    await sink_of(f"{WEB}:FIRST").deliver(KEY)
    await sink_of(f"{WEB}:SECOND").deliver(OTHER)
    await sink_of(f"{WEB}:FIRST").deliver(OTHER)
    assert {name: cluster.value("web", "gemini", name) for name in ("FIRST", "SECOND")} == {
        "FIRST": OTHER.reveal(),
        "SECOND": OTHER.reveal(),
    }


async def test_another_managers_entry_is_named_and_not_taken_over(cluster: KubernetesServer) -> None:
    cluster.put("web", "gemini", {"GEMINI_API_KEY": "theirs"}, manager="external-secrets")
    with pytest.raises(Problem, match="belongs to external-secrets") as caught:
        await sink_of(WEB).deliver(KEY)
    assert caught.value.cause is Cause.CONFLICT
    assert cluster.value("web", "gemini") == "theirs"
    assert all("force=true" not in line for line in cluster.requests)


async def test_a_secret_changed_meanwhile_is_read_again(cluster: KubernetesServer) -> None:
    cluster.put("web", "gemini", {"OTHER": "theirs"})
    moved = {"kind": "Status", "reason": "Conflict", "message": "the object has been modified"}
    cluster.faults.append(ServerFault("PATCH", 409, body=moved, times=2))
    assert (await sink_of(WEB).deliver(KEY)).changed
    assert sum(line.startswith("GET") for line in cluster.requests) == 3


async def test_one_that_changes_all_the_time_is_given_up(cluster: KubernetesServer) -> None:
    moved = {"kind": "Status", "reason": "Conflict", "message": "the object has been modified"}
    cluster.faults.append(ServerFault("PATCH", 409, body=moved, times=99))
    with pytest.raises(Problem, match="another writer"):
        await sink_of(WEB).deliver(KEY)


@pytest.mark.parametrize(
    ("more", "word"), [({"immutable": True}, "immutable"), ({"type": "kubernetes.io/tls"}, "kubernetes.io/tls")]
)
async def test_immutable_secrets_and_other_types_are_refused_before_anything(
    cluster: KubernetesServer, more: dict[str, Any], word: str
) -> None:
    cluster.put("web", "gemini", {"x": "y"}, **more)
    for act in (sink_of(WEB).preflight(), sink_of(WEB).deliver(KEY)):
        with pytest.raises(Problem, match=word):
            await act
    assert not any(line.startswith("PATCH") for line in cluster.requests)


@pytest.mark.parametrize("verb", ["get", "patch", "create"])
async def test_a_missing_permission_says_which_to_add(cluster: KubernetesServer, verb: str) -> None:
    cluster.denied.add(verb)
    with pytest.raises(Problem) as caught:
        await sink_of(WEB).deliver(KEY)
    assert caught.value.cause is Cause.MISSING_IAM_PERMISSION
    assert f"cannot {verb} resource" in caught.value.message
    assert any("--verb=get,create,patch --resource=secrets -n web" in line for line in caught.value.fix)


async def test_a_namespace_that_is_not_there_is_said(cluster: KubernetesServer) -> None:
    with pytest.raises(Problem, match='namespaces "nowhere" not found') as caught:
        await sink_of("kubernetes:here/nowhere/gemini").deliver(KEY)
    assert any("create namespace nowhere" in line for line in caught.value.fix)


@pytest.mark.parametrize("after", [False, True])
async def test_a_lost_answer_is_asked_again(cluster: KubernetesServer, after: bool) -> None:
    cluster.faults.append(ServerFault("PATCH", after=after))
    assert "gemini" in (await sink_of(WEB).deliver(KEY)).detail
    assert cluster.value("web", "gemini") == KEY.reveal()


async def test_a_workload_restarts_once_for_a_change(cluster: KubernetesServer) -> None:
    cluster.deploy("web", "app")
    sink = sink_of(f"{WEB}?restart=deployment/app")
    assert "deployment app restarts" in (await sink.deliver(KEY)).detail
    notes = cluster.workloads["web", "deployments", "app"]["spec"]["template"]["metadata"]["annotations"]
    assert "kubectl.kubernetes.io/restartedAt" in notes
    assert not (await sink.deliver(KEY)).changed
    assert sum("deployments" in line and line.startswith("PATCH") for line in cluster.requests) == 1


async def test_a_restart_that_failed_is_made_up_for(cluster: KubernetesServer) -> None:
    cluster.deploy("web", "app")
    cluster.denied.add("patch deployments")
    sink = sink_of(f"{WEB}?restart=deployment/app")
    with pytest.raises(
        Problem, match="the key is in the Secret web/gemini of the context here, but deployment app was not restarted"
    ):
        await sink.deliver(KEY)
    cluster.denied.clear()
    assert "restarts" in (await sink.deliver(KEY)).detail


async def test_a_context_is_taken_once_and_is_part_of_the_sink(cluster: KubernetesServer, tmp_path: Path) -> None:
    spec = parse("kubernetes:web/gemini")
    assert spec.text == "kubernetes:here/web/gemini:GEMINI_API_KEY"
    before = fingerprint([spec])
    kubeconfig(tmp_path / "kubeconfig", cluster.url, context="elsewhere")
    assert fingerprint([parse("kubernetes:web/gemini")]) != before


async def test_in_a_pod_the_service_account_is_used(
    cluster: KubernetesServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pod = tmp_path / "pod"
    pod.mkdir()
    (pod / "token").write_text(TOKEN)
    (pod / "ca.crt").write_text("")
    monkeypatch.setattr(config, "POD", pod)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    assert config.in_cluster()
    assert parse("kubernetes:web/gemini").text == "kubernetes:web/gemini:GEMINI_API_KEY"
    with pytest.raises(Problem):  # an empty authority verifies nobody
        await config.target("")


@pytest.mark.parametrize(
    ("user", "header"),
    [
        (f"token: {TOKEN}", f"Bearer {TOKEN}"),
        ("username: u, password: p", "Basic " + base64.b64encode(b"u:p").decode()),
    ],
)
async def test_credentials_of_a_kubeconfig(
    cluster: KubernetesServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: str, header: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "other", cluster.url, user)))
    found = await config.target("here")
    assert found.headers["Authorization"] == header
    assert TOKEN not in repr(found)


async def test_a_credentials_program_is_run_and_gets_no_key(
    cluster: KubernetesServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "plugin.py"
    answer = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": TOKEN}}
    program.write_text(
        f"import json, os, pathlib\npathlib.Path({str(tmp_path / 'env')!r}).write_text(repr(dict(os.environ)))\n"
        f"print({json.dumps(json.dumps(answer))})\n"
    )
    user = f"exec: {{apiVersion: client.authentication.k8s.io/v1, command: {sys.executable}, args: [{program}]}}"
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "other", cluster.url, user)))
    monkeypatch.setenv("GEMINI_API_KEY", KEY.reveal())
    assert (await sink_of(WEB).deliver(KEY)).changed
    assert KEY.reveal() not in (tmp_path / "env").read_text()
    assert "KUBERNETES_EXEC_INFO" in (tmp_path / "env").read_text()


@pytest.mark.parametrize(
    ("user", "word"),
    [
        ("exec: {command: /no/such/program}", "cannot be started"),
        (f"exec: {{command: {sys.executable}, args: ['-c', 'raise SystemExit(3)']}}", "exit code 3"),
        (f"exec: {{command: {sys.executable}, args: ['-c', 'print(1)']}}", "not an ExecCredential"),
        ("auth-provider: {name: gcp}", "auth-provider"),
    ],
)
async def test_credentials_that_cannot_be_had_are_said(
    cluster: KubernetesServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: str, word: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "other", cluster.url, user)))
    with pytest.raises(Problem, match=word) as caught:
        await sink_of(WEB).deliver(KEY)
    assert caught.value.exit is Exit.CREDENTIALS


async def test_a_cluster_that_refuses_the_token(
    cluster: KubernetesServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "other", cluster.url, "token: wrong")))
    with pytest.raises(Problem, match="answered 401") as caught:
        await sink_of(WEB).deliver(KEY)
    assert any("kubectl auth whoami" in line for line in caught.value.fix)


async def test_unverified_clusters_and_plain_http_elsewhere_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    kubeconfig(path, "https://cluster.invalid")
    document = yaml.safe_load(path.read_text())
    document["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(Problem, match="not verified"):
        await sink_of(WEB).deliver(KEY)
    kubeconfig(path, "http://cluster.invalid")
    with pytest.raises(Problem, match="is not https"):
        await sink_of(WEB).deliver(KEY)


async def test_something_else_than_kubernetes_is_told_apart(cluster: KubernetesServer) -> None:
    cluster.faults.append(ServerFault("GET", 403, body="<html><title>Blocked by the firewall</title></html>", times=9))
    with pytest.raises(Problem, match="something else than Kubernetes answered HTTP 403") as caught:
        await sink_of(WEB).deliver(KEY)
    assert caught.value.cause is Cause.NETWORK_UNREACHABLE


async def test_what_is_sent_is_what_kubernetes_describes(cluster: KubernetesServer) -> None:
    from kubernetes_validate import validate  # type: ignore[import-untyped]

    await sink_of(WEB).deliver(KEY)
    sent = next(body for line, body in zip(cluster.requests, cluster.bodies, strict=True) if line.startswith("PATCH"))
    validate(sent, "1.31", strict=True)


@pytest.mark.parametrize(
    ("files", "word"),
    [
        (["contexts: ["], "cannot be read"),
        (["- a\n"], "cannot be read"),
        (["{}"], "no kubeconfig has a current context"),
        ([], "no kubeconfig"),
    ],
)
def test_a_kubeconfig_that_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, files: list[str], word: str) -> None:
    paths = []
    for number, text in enumerate(files):
        paths.append(tmp_path / str(number))
        paths[-1].write_text(text)
    monkeypatch.setenv("KUBECONFIG", ":".join(map(str, paths or [tmp_path / "none"])))
    with pytest.raises(Problem, match=word) as caught:
        parse("kubernetes:web/gemini")
    assert caught.value.exit is Exit.USAGE


async def test_a_client_certificate_is_used_and_left_nowhere(
    cluster: KubernetesServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import trustme

    authority = trustme.CA()
    made = authority.issue_cert("me@example.com")
    certificate = base64.b64encode(made.cert_chain_pems[0].bytes()).decode()
    key = base64.b64encode(made.private_key_pem.bytes()).decode()
    roots = base64.b64encode(authority.cert_pem.bytes()).decode()
    user = f"client-certificate-data: {certificate}, client-key-data: {key}"
    path = kubeconfig(tmp_path / "other", "https://cluster.invalid", user)
    document = yaml.safe_load(path.read_text())
    document["clusters"][0]["cluster"]["certificate-authority-data"] = roots
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    found = await config.target("here")
    assert found.tls is not None
    assert "Authorization" not in found.headers
