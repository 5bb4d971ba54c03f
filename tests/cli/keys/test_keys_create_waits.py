"""create while it waits: propagation, lost answers, a full project, Ctrl-C; what is known then, and what is said of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time

from tests.waiting import until

GEMINI = "generativelanguage.googleapis.com"
FIVE = (
    "resourcemanager.projects.get",
    "serviceusage.services.enable",
    "apikeys.keys.create",
    "iam.serviceAccounts.create",
    "iam.serviceAccountApiKeyBindings.create",
)
MAKER = "maker@example.com"
ACCOUNT = "keyadmin-gemini@demo-project.iam.gserviceaccount.com"
THREE = FIVE[:3]
ON = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com"]


def seeded(served, **more):
    served.control("seed", {"projects": [{"projectId": "demo-project"} | more]})


def test_propagation_is_waited_out(keys, served):
    served.control("propagation", {"key": "2s", "serviceAccount": "2s"})
    began = time.monotonic()
    done = keys("create", "--name", "x", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["verification"] == "ok"
    assert time.monotonic() - began >= 2


def test_the_countdown_is_visible_at_a_terminal(keys, served):
    served.control("propagation", {"key": "10m"})

    def move_on() -> None:
        until(lambda: "ListModels" in served.methods(), "the key was turned down once")
        served.control("clock", {"advance": "11m"})

    moving = threading.Thread(target=move_on)
    moving.start()
    done = keys("create", "--name", "x", terminal=True)
    moving.join()
    assert done.code == 0, done.err
    assert re.search(r"Waiting until the key is known everywhere: 4 min 5\d s left", done.err)


def test_a_key_made_but_rejected_is_exit_code_3(keys, served):
    served.control("propagation", {"key": "10m"})
    done = keys("create", "--name", "x", "--verify-timeout", "1s", "--format", "json")
    assert done.code == 3
    assert done.json["verification"] == "failed"
    assert done.error["cause"] == "api-key-invalid"
    assert any("keys verify" in step for step in done.error["fix"])
    assert len(keys("list", "--format", "json").json) == 1


def test_the_answer_to_create_may_be_lost(keys, served):
    served.control("faults", {"method": "CreateKey", "code": "UNAVAILABLE", "times": 1, "when": "after"})
    done = keys("create", "--name", "x", "--format", "json")
    assert done.code == 0, done.err
    assert done.json["verification"] == "ok"
    assert len(keys("list", "--format", "json").json) == 1


def test_a_lost_answer_with_five_permissions_leaves_no_doubt_about_the_key(keys, served):
    served.grant(MAKER, *FIVE)
    served.control("faults", {"method": "CreateKey", "code": "UNAVAILABLE", "times": 1, "when": "after"})
    done = keys("create", "--name", "x", "--key-id", "web", "--format", "json", user=MAKER)
    assert done.code == 1
    assert done.error["cause"] == "already-exists"
    assert "earlier try" in done.err
    served.control("faults", {"method": "CreateKey", "code": "UNAVAILABLE", "times": 1, "when": "after"})
    done = keys("create", "--name", "mine", "--format", "json", user=MAKER)
    assert done.code == 1
    assert done.error["cause"] == "service-unavailable"
    name = next(each["name"] for each in keys("list", "--format", "json").json if each["displayName"] == "mine")
    assert f"the key {name.rsplit('/', 1)[1]} was made" in done.error["message"]


def test_no_verify(keys, served):
    done = keys("create", "--name", "x", "--no-verify", "--format", "json")
    assert done.json["verification"] == "skipped"
    assert "ListModels" not in served.methods()


def test_async(keys, served):
    done = keys("create", "--name", "x", "--async", "--format", "json")
    assert done.code == 0
    assert done.json["operation"].startswith("operations/")
    assert done.json["done"] is False
    assert keys("describe", done.json["name"]).code == 0
    assert "GetOperation" not in served.methods()[served.methods().index("CreateKey") :]


def test_a_full_project(keys):
    for number in range(4):
        assert keys("create", "--name", f"x{number}", "-p", "crowded-project", "--no-verify").code == 0
    done = keys("create", "--name", "one too many", "-p", "crowded-project", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "key-quota-exceeded"


def test_ctrl_c_says_what_was_half_made(served, home):
    served.control("propagation", {"key": "10m"})
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "keys", "create", "--name", "x", "--key-id", "web"],
        env=home | {"KEYADMIN_SANDBOX": served.rest},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: "ListModels" in served.methods(), "the key is being verified", process=process)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "keys/web was made and not verified" in err
    assert "keyadmin keys verify web -p demo-project" in err
    assert "Traceback" not in err
