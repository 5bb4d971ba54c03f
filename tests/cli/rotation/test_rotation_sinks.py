"""Sinks that cannot take a key, or that somebody changed: the lineage stops or goes on, and says which."""

from __future__ import annotations

import os
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.cli.rotation.conftest import World, rule

JSON = {"Content-Type": "application/json"}


def to_file(path: Path | str) -> str:
    return f'sinks = ["env-file:{path}"]\nmachine = "{socket.gethostname()}"\n'


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_an_env_file_that_is_a_pipe_or_a_device_is_neither_read_nor_replaced(world: World) -> None:
    """Reading a device such as /dev/full never ends; renaming a file over it would take it away."""
    pipe = world.folder / "pipe"
    os.mkfifo(pipe)
    world.seed("shop-a", {})
    world.policy(rule("shop-a", sinks=to_file(pipe)))
    done = world.rotation("run", "--metrics", str(pipe), "--format", "json")
    assert done.code == 3
    assert done.json[0]["message"] == f"{pipe} is not a regular file"
    assert f"{pipe} is not a regular file" in done.err
    assert pipe.is_fifo()


def test_a_newest_version_that_somebody_disabled_gets_a_new_one(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    url = f"{world.sandbox.rest}/v1/projects/shop-a/secrets/web-0/versions/1:disable"
    with urllib.request.urlopen(urllib.request.Request(url, b"{}", JSON), timeout=60):
        world.advance("25h")
    done = world.rotation("run", "--format", "json")
    assert done.code == 0, done.err
    assert done.json[0]["state"] == "grace", "handed over again, and grace begins anew"
    assert world.secret("shop-a", "web-0") == world.string("shop-a", world.newest("shop-a"))
    world.advance("25h")
    assert world.rotation("run", "--format", "json").json[0]["state"] == "retired"


def test_a_key_whose_service_account_is_disabled_is_what_is_refused_not_the_caller(world: World) -> None:
    """401 is what callers without credentials get: they are sent to sign in, which mends nothing here."""
    world.seed("shop-a", {})
    world.policy(rule("shop-a"))
    assert world.rotation("run").code == 0
    world.advance("25h")
    account = "app@shop-a.iam.gserviceaccount.com"
    url = f"{world.sandbox.rest}/v1/projects/shop-a/serviceAccounts/{account}"
    with urllib.request.urlopen(urllib.request.Request(f"{url}:disable", b"{}", JSON), timeout=60):
        done = world.rotation("run", "--format", "json")
    assert done.code == 3, done.err
    assert done.json[0]["cause"] == "api-key-invalid"
    assert "service account" in done.json[0]["message"]
    newest = world.newest("shop-a")
    assert done.json[0]["fix"][0].replace(" --sandbox", "").startswith(f"keyadmin keys describe {newest} "), (
        "it names the account"
    )
    assert "gcloud auth" not in done.err
    checked = world.type("keys", "verify", newest, "-p", "shop-a", "--format", "json")
    assert (checked.code, checked.json["cause"]) == (3, "api-key-invalid")
    with urllib.request.urlopen(urllib.request.Request(f"{url}:enable", b"{}", JSON), timeout=60):
        assert world.rotation("run", "--format", "json").json[0]["state"] == "retired"


@pytest.mark.parametrize("beside", [True, False])
def test_a_sink_that_cannot_be_read_back_is_said_to_be_believed(world: World, beside: bool) -> None:
    """Before the old key goes it matters whether somebody looked."""
    world.seed("shop-a", {})
    sinks = ["exec:cat", *([f"env-file:{world.folder / 'env'}"] if beside else [])]
    listed = ", ".join(f'"{sink}"' for sink in sinks)
    world.policy(rule("shop-a", sinks=f'sinks = [{listed}]\nmachine = "{socket.gethostname()}"\n'))
    assert world.rotation("run").code == 0
    world.advance("25h")
    (done,) = world.rotation("run", "--format", "json").json
    (said,) = [step for step in done["steps"] if step["step"] == "read back"]
    assert said["status"] == ("done" if beside else "skipped")
    assert said["detail"].endswith("exec:cat cannot be read back and has to be believed")
    assert done["state"] == "retired"


def test_a_program_that_failed_is_not_told_as_unknown(world: World) -> None:
    """Its own words are not noted on the key: status says that the run has them, and how to see them."""
    world.seed("shop-a", {})
    world.policy(rule("shop-a", sinks=f'sinks = ["exec:false"]\nmachine = "{socket.gethostname()}"\n'))
    assert world.rotation("run").code == 3
    (row,) = world.rotation("status", "--format", "json").json
    assert row["cause"] == "unknown"
    assert row["why"].endswith("the last run stopped, for a reason of no known kind")
    assert row["fix"][0].startswith("try again, and see the whole message: keyadmin rotation run --only ")


def test_a_plan_says_what_to_beware_of_at_a_sink(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a", sinks='sinks = ["github-actions:acme/web"]\n'))
    done = world.rotation("plan")
    assert "runs that are queued keep the old key: the grace has to be longer" in done.err


def test_a_schedule_names_what_its_sinks_need(world: World) -> None:
    world.seed("shop-a", {})
    world.policy(rule("shop-a", sinks='sinks = ["github-actions:acme/web", "vault:secret/web"]\n'))
    words = ("--install-from", "git:https://example.com/keyadmin@" + "a" * 40, "-p", "ops-home")
    done = world.rotation("schedule", "kubernetes", *words)
    assert done.code == 0, done.err
    assert "repository permission Secrets: read and write" in done.err
    assert 'path "secret/data/web"' in done.err
