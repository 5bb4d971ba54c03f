"""The sinks aws-secrets-manager and aws-ssm against moto's server, through boto3."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from keyadmin.handover.registry import parse
from keyadmin.model.problem import Cause, Exit, Problem
from tests.handover.conftest import KEY, OTHER
from tests.sinks import sink_of

boto3 = pytest.importorskip("boto3")
moto_server = pytest.importorskip("moto.server")

REGION = "eu-central-1"
SECRET = f"aws-secrets-manager:{REGION}/apps/web"
PARAMETER = f"aws-ssm:{REGION}/apps/web"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    yield f"http://{host}:{port}"
    made.stop()


@pytest.fixture(autouse=True)
def amazon(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A new account for each test."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"{server}/moto-api/reset", method="POST"), timeout=20).close()
    return boto3


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def test_what_is_not_a_place_is_refused() -> None:
    for text in (
        *("aws-secrets-manager:", "aws-secrets-manager:web", "aws-secrets-manager:nowhere/web", f"{SECRET}:a b"),
        *(f"aws-secrets-manager:{REGION}/a b", "aws-ssm:eu/x", f"aws-ssm:{REGION}/a//b", f"aws-ssm:{REGION}/"),
    ):
        with pytest.raises(Problem) as caught:
            parse(text)
        assert caught.value.exit is Exit.USAGE, text


async def test_a_secret_is_made_and_its_versions_move(amazon: Any) -> None:
    sink = sink_of(SECRET)
    assert await sink.read_back(KEY) is False
    assert "ka-abc-1-" in (await sink.deliver(KEY, key_id="ka-abc-1")).detail
    assert await sink.read_back(KEY) is True
    assert not (await sink.deliver(KEY, key_id="ka-abc-1")).changed
    await sink.deliver(OTHER, key_id="ka-abc-2")
    secrets = client("secretsmanager")
    assert secrets.get_secret_value(SecretId="apps/web")["SecretString"] == OTHER.reveal()
    assert secrets.get_secret_value(SecretId="apps/web", VersionStage="AWSPREVIOUS")["SecretString"] == KEY.reveal()


async def test_the_same_version_again_is_the_same(amazon: Any) -> None:
    """As after a lost answer: the token is made of the key's id and of what is written."""
    await sink_of(SECRET).deliver(KEY, key_id="ka-abc-1")
    await sink_of(SECRET).deliver(OTHER, key_id="ka-abc-2")
    before = client("secretsmanager").list_secret_version_ids(SecretId="apps/web")["Versions"]
    await sink_of(SECRET).deliver(OTHER, key_id="ka-abc-2")
    assert len(client("secretsmanager").list_secret_version_ids(SecretId="apps/web")["Versions"]) == len(before)


async def test_a_former_key_becomes_the_current_one_again(amazon: Any) -> None:
    """As in a rollback: with the id of a version that is there PutSecretValue would move nothing."""
    sink = sink_of(SECRET)
    for key, key_id in ((KEY, "k-1"), (OTHER, "k-2"), (KEY, "k-1"), (OTHER, "k-2")):
        assert (await sink.deliver(key, key_id=key_id)).changed
        assert await sink.read_back(key) is True


async def test_a_field_is_written_and_the_others_kept(amazon: Any) -> None:
    client("secretsmanager").create_secret(Name="apps/web", SecretString=json.dumps({"other": "theirs"}))
    sink = sink_of(f"{SECRET}:gemini")
    await sink.deliver(KEY, key_id="k")
    stored = json.loads(client("secretsmanager").get_secret_value(SecretId="apps/web")["SecretString"])
    assert stored == {"other": "theirs", "gemini": KEY.reveal()}
    assert await sink.read_back(KEY) is True


async def test_a_secret_without_fields_is_not_overwritten(amazon: Any) -> None:
    client("secretsmanager").create_secret(Name="apps/web", SecretString="plain text")
    with pytest.raises(Problem, match="not a JSON object") as caught:
        await sink_of(f"{SECRET}:gemini").deliver(KEY, key_id="k")
    assert caught.value.cause is Cause.CONFLICT
    assert client("secretsmanager").get_secret_value(SecretId="apps/web")["SecretString"] == "plain text"


async def test_a_parameter_is_made_and_overwritten(amazon: Any) -> None:
    sink = sink_of(PARAMETER)
    assert await sink.read_back(KEY) is False
    assert "version 1" in (await sink.deliver(KEY)).detail
    assert not (await sink.deliver(KEY)).changed
    assert "version 2" in (await sink.deliver(OTHER)).detail
    found = client("ssm").get_parameter(Name="/apps/web", WithDecryption=True)["Parameter"]
    assert (found["Value"], found["Type"]) == (OTHER.reveal(), "SecureString")


async def test_a_parameter_keeps_its_kms_key(amazon: Any) -> None:
    client("ssm").put_parameter(Name="/apps/web", Value="old", Type="SecureString", KeyId="alias/ours")
    await sink_of(PARAMETER).deliver(KEY)
    assert client("ssm").describe_parameters()["Parameters"][0]["KeyId"] == "alias/ours"


async def test_a_parameter_in_the_clear_is_refused(amazon: Any) -> None:
    client("ssm").put_parameter(Name="/apps/web", Value="old", Type="String")
    with pytest.raises(Problem, match="keeps in the clear"):
        await sink_of(PARAMETER).deliver(KEY)
    assert client("ssm").get_parameter(Name="/apps/web")["Parameter"]["Value"] == "old"


@pytest.mark.parametrize("sink", [SECRET, PARAMETER])
async def test_missing_credentials_are_said(monkeypatch: pytest.MonkeyPatch, sink: str) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Problem, match="gets no credentials") as caught:
        await sink_of(sink).deliver(KEY)
    assert caught.value.exit is Exit.CREDENTIALS


@pytest.mark.parametrize(
    ("code", "cause", "word"),
    [
        ("AccessDeniedException", Cause.MISSING_IAM_PERMISSION, "secretsmanager:"),
        ("ExpiredTokenException", Cause.CREDENTIALS_EXPIRED, "aws sso login"),
        ("ThrottlingException", Cause.RATE_LIMITED, "ten minutes"),
        ("ParameterMaxVersionLimitExceeded", Cause.CONFLICT, "label"),
    ],
)
def test_refusals_say_what_to_add(code: str, cause: Cause, word: str) -> None:
    from botocore.exceptions import ClientError

    from keyadmin.handover import aws

    error = ClientError({"Error": {"Code": code, "Message": f"no {KEY.reveal()}"}}, "PutSecretValue")
    problem = aws.refusal(error, "it was not written", "secretsmanager:PutSecretValue")
    assert problem.cause is cause
    assert word in " ".join(problem.fix)
    assert KEY.reveal() not in problem.message


@pytest.mark.parametrize("sink", [SECRET, PARAMETER])
async def test_nothing_that_boto_logs_holds_the_key(caplog: pytest.LogCaptureFixture, sink: str) -> None:
    with caplog.at_level(logging.DEBUG):
        await sink_of(sink).deliver(KEY, key_id="k")
        await sink_of(sink).read_back(KEY)
    assert KEY.reveal() not in caplog.text
