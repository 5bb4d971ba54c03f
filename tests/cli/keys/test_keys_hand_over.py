"""hand-over, and --to of create and clone: files, secrets, programs, stdout; what fails is said and can be done again."""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
import sys
from typing import Any

import pytest

from tests.waiting import until

GEMINI = "generativelanguage.googleapis.com"
SECRET = "secret-manager:projects/demo-project/secrets/gemini"
OUTSIDER = "outsider@example.com"
BODY = "0123456789abcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def on(served):
    """demo-project with a Gemini key `web`, and Secret Manager on."""
    services = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com", "secretmanager.googleapis.com"]
    account = "caller@demo-project.iam.gserviceaccount.com"
    key: dict[str, Any] = {"keyId": "web", "displayName": "Web", "serviceAccountEmail": account}
    key |= {"restrictions": {"apiTargets": [{"service": GEMINI}]}}
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": services, "keys": [key]}]})
    return served


@pytest.fixture
def string(keys, on):
    """The key string of `web`."""
    return keys("show", "web").out.strip()


def program(scratch, text: str) -> str:
    """The sink of a program of these lines of Python."""
    path = scratch / "program.py"
    path.write_text(text)
    return f"exec:{shlex.quote(sys.executable)} {shlex.quote(str(path))}"


def kept(scratch) -> str:
    """The sink of a program that writes what it is given to the file `taken`."""
    return program(scratch, f"import sys; open({str(scratch / 'taken')!r}, 'w').write(sys.stdin.read())")


def test_every_sink_gets_the_key_and_nothing_shows_it(keys, on, string, scratch) -> None:
    path = scratch / ".env"
    path.write_text("# mine\nA=1\nGEMINI_API_KEY=old\nB=2\n")
    done = keys("hand-over", "web", "--sandbox", "--to", f"env-file:{path}", "--to", SECRET, "--to", kept(scratch))
    assert done.code == 0, done.err
    assert path.read_text() == f"# mine\nA=1\nGEMINI_API_KEY={string}\nB=2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (scratch / "taken").read_text() == string + "\n"
    assert done.out == ""
    assert string not in done.err
    assert "env-file" in done.err
    assert "secrets/gemini" in done.err


def test_in_json_a_second_time_changes_nothing_that_can_be_read_back(keys, on, string, scratch) -> None:
    sinks = ["--to", f"env-file:{scratch / 'a.env'}:MY_KEY", "--to", SECRET]
    for status in ("done", "already"):
        done = keys("hand-over", "web", "--sandbox", *sinks, "--format", "json")
        assert done.code == 0
        assert [(one["status"], one["sandbox"]) for one in done.json] == [(status, True)] * 2
        assert string not in done.out + done.err
    assert (scratch / "a.env").read_text() == f"MY_KEY={string}\n"
    assert on.methods().count("AddSecretVersion") == 1


def test_stdout_is_the_key_alone(keys, on, string, scratch) -> None:
    done = keys("hand-over", "web", "--to", "stdout")
    assert (done.code, done.out) == (0, string + "\n")
    assert string not in done.err
    (row,) = keys("hand-over", "web", "--to", "stdout", "--format", "json").json
    assert (row["sink"], row["status"], row["keyString"]) == ("stdout", "done", string)
    done = keys("hand-over", "web", "--sandbox", "--to", "stdout", "--to", f"env-file:{scratch / 'x'}", "--format", "csv")
    assert done.out == string + "\n"


def test_the_permission_to_read_the_key_string_suffices(keys, on, string, scratch) -> None:
    on.grant(OUTSIDER, "apikeys.keys.getKeyString")
    done = keys("hand-over", "web", "--sandbox", "--to", f"env-file:{scratch / 'x'}", user=OUTSIDER)
    assert done.code == 0, done.err
    assert string in (scratch / "x").read_text()


def test_a_refused_secret_is_told_once_with_the_grant(keys, on) -> None:
    done = keys("hand-over", "web", "--to", "secret-manager:projects/their-project/secrets/gemini")
    assert done.code == 1
    assert done.err.count("secretmanager.versions.add") == 1
    grant, again = done.err.partition("What to do: ")[2], "hand it over: keyadmin keys hand-over web -p demo-project --to"
    assert "gcloud projects add-iam-policy-binding their-project" in grant.splitlines()[0]
    assert again in grant


def test_a_dry_run_hands_nothing_over(keys, on, scratch) -> None:
    done = keys("hand-over", "web", "--sandbox", "--to", f"env-file:{scratch / 'x'}", "--to", SECRET, "--dry-run")
    assert done.code == 0
    assert "Dry run" in done.err
    assert not (scratch / "x").exists()
    assert not {"GetKeyString", "CreateSecret", "AddSecretVersion"} & set(on.methods())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--to", "nowhere"], "is not a sink"),
        (["--to", "env-file:"], "needs a path"),
        (["--to", "secret-manager:gemini"], "is not a secret"),
        (["--to", "exec:'open"], "cannot be split"),
        (["--to", "env-file:.env:1X"], "invalid variable name"),
    ],
)
@pytest.mark.parametrize("verb", [["hand-over", "web"], ["create", "--name", "x"], ["clone", "web"]], ids=lambda verb: verb[0])
def test_what_is_no_sink_is_refused_before_any_call(keys, served, verb, arguments, word) -> None:
    done = keys(*verb, "--sandbox", *arguments, "--format", "json")
    assert done.code == 2
    assert word in done.error["message"]
    assert done.out == ""
    assert served.methods() == []


def test_hand_over_needs_a_sink(keys) -> None:
    assert keys("hand-over", "web").code == 2


@pytest.mark.parametrize("verb", [["hand-over", "web"], ["create", "--name", "x"], ["clone", "web"]], ids=lambda verb: verb[0])
@pytest.mark.parametrize("sink", ["env-file:{}/x", "exec:touch {}/x"])
def test_a_sandbox_key_leaves_the_sandbox_only_with_the_flag(keys, on, scratch, verb, sink) -> None:
    before = len(on.methods())
    done = keys(*verb, "--to", sink.format(scratch), "--format", "json")  # KEYADMIN_SANDBOX alone
    assert done.code == 2
    assert any("--sandbox" in step for step in done.error["fix"])
    assert not (scratch / "x").exists()
    assert "CreateKey" not in on.methods()[before:]


@pytest.mark.parametrize("verb", ["hand-over", "rotate", "migrate", "compromised"])
def test_a_key_string_as_the_key_is_refused_and_not_echoed(keys, served, verb) -> None:
    secret = "AQ.SANDBOX-" + BODY
    done = keys(verb, secret, "--to", "stdout", "--format", "json")
    assert done.code == 2
    assert BODY not in done.out + done.err
    assert served.methods() == []


def test_create_hands_over_what_works(keys, on, scratch) -> None:
    path = scratch / ".env"
    done = keys("create", "--name", "x", "--key-id", "x", "--sandbox", "--to", f"env-file:{path}", "--to", SECRET)
    assert done.code == 0, done.err
    string = keys("show", "x").out.strip()
    assert path.read_text() == f"GEMINI_API_KEY={string}\n"
    assert string not in done.out + done.err
    methods = on.methods()
    assert methods.index("CreateKey") < methods.index("ListModels") < methods.index("AddSecretVersion")
    assert "keyadmin keys show" not in done.err


def test_create_in_json_tells_each_sink(keys, on, scratch) -> None:
    sinks = ["--to", f"env-file:{scratch / 'x'}", "--to", "exec:true"]
    done = keys("create", "--name", "x", "--sandbox", *sinks, "--format", "json")
    assert done.code == 0
    assert [one["status"] for one in done.json["handedOver"]] == ["done", "done"]
    assert done.json["verification"] == "ok"
    assert "keyString" not in done.json


def test_create_to_stdout(keys, on) -> None:
    done = keys("create", "--name", "x", "--key-id", "x", "--to", "stdout")
    assert done.code == 0
    assert done.out == keys("show", "x").out
    assert done.out.strip() not in done.err
    made = keys("create", "--name", "y", "--key-id", "y", "--to", "stdout", "--format", "json").json
    assert made["keyString"] == keys("show", "y").out.strip()
    assert keys("create", "--name", "z", "--to", "stdout", "--show").code == 2
    assert keys("create", "--name", "z", "--to", "stdout", "--async").code == 2


def test_a_dry_run_of_create_names_the_sinks(keys, on, scratch) -> None:
    done = keys("create", "--name", "x", "--sandbox", "--to", f"env-file:{scratch / 'x'}", "--dry-run", "--format", "json")
    assert done.json["steps"][-1] == f"hand it to env-file:{scratch / 'x'}"
    assert "CreateKey" not in on.methods()


def test_a_rejected_key_is_handed_to_nobody(keys, on, scratch) -> None:
    denied = {"method": "ListModels", "code": "PERMISSION_DENIED", "times": 9}
    on.control("faults", denied | {"message": "Your project has been denied access. Please contact support."})
    done = keys("create", "--name", "x", "--sandbox", "--to", f"env-file:{scratch / 'x'}", "--to", "stdout", "--format", "json")
    assert done.code == 3
    assert done.json["verification"] == "failed"
    assert "keyString" not in done.json
    assert "handedOver" not in done.json
    assert "handed to nobody" in done.error["message"]
    assert any("keys hand-over" in step for step in done.error["fix"])
    assert not (scratch / "x").exists()


def test_a_key_that_is_given_back_is_handed_over_too(keys, on, string, scratch) -> None:
    arguments = ["--name", "Web", "--key-id", "web", "--if-absent", "--sandbox", "--to", f"env-file:{scratch / 'x'}"]
    done = keys("create", *arguments)
    assert done.code == 0, done.err
    assert (scratch / "x").read_text() == f"GEMINI_API_KEY={string}\n"
    assert "CreateKey" not in on.methods()


@pytest.mark.parametrize("verb", [["create", "--name", "x"], ["clone", "web", "--name", "x"]], ids=["create", "clone"])
def test_a_sink_that_fails_after_the_key_was_made(keys, on, scratch, verb) -> None:
    sinks = [program(scratch, "import sys; sys.exit(7)"), f"env-file:{scratch / 'x'}"]
    done = keys(*verb, "--key-id", "new", "--sandbox", *(part for sink in sinks for part in ("--to", sink)), "--format", "json")
    assert done.code == 1
    assert [one["status"] for one in done.json["handedOver"]] == ["failed", "done"]
    assert "new was made, but it was not handed to" in done.error["message"]
    (again,) = [step for step in done.error["fix"] if "hand-over" in step]
    command = shlex.split(again.partition(": ")[2])
    assert command[:6] == ["keyadmin", "keys", "hand-over", "new", "-p", "demo-project"]
    assert command[7::2] == sinks[:1]
    assert command[-1] == "--sandbox"
    (scratch / "program.py").write_text("")
    assert keys(*command[2:]).code == 0
    string = keys("show", "new").out.strip()
    assert string not in done.out + done.err


def test_what_a_failing_program_says_is_masked(keys, on, string, scratch) -> None:
    sink = program(scratch, "import sys; print('I will not keep', sys.stdin.read()); sys.exit(1)")
    done = keys("hand-over", "web", "--sandbox", "--to", sink, "--verbose")
    assert done.code == 1
    assert "I will not keep AQ.SANDBOX-..." in done.err
    assert string not in done.err


def test_files_that_cannot_be_written_are_left_as_they_are(keys, on, scratch) -> None:
    (scratch / "real").write_text("A=1\n")
    (scratch / "link").symlink_to(scratch / "real")
    (scratch / "binary").write_bytes(b"\xff\xfe=1\n")
    (scratch / "folder").mkdir()
    for name, word in (("link", "symbolic link"), ("binary", "not UTF-8"), ("folder", "is not a regular file")):
        done = keys("hand-over", "web", "--sandbox", "--to", f"env-file:{scratch / name}")
        assert done.code == 1
        assert word in done.err
        assert "Traceback" not in done.err
    assert (scratch / "real").read_text() == "A=1\n"
    assert (scratch / "binary").read_bytes() == b"\xff\xfe=1\n"
    assert sorted(path.name for path in scratch.iterdir() if path.name.startswith(".")) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(keys, on, scratch) -> None:
    (scratch / "closed").mkdir(mode=0o500)
    done = keys("hand-over", "web", "--sandbox", "--to", f"env-file:{scratch / 'closed' / 'x'}")
    assert done.code == 1
    assert "cannot be written" in done.err


def test_another_projects_secret_without_access(keys, on) -> None:
    on.control("seed", {"projects": [{"projectId": "their-project", "services": ["secretmanager.googleapis.com"]}]})
    sink = "secret-manager:projects/their-project/secrets/s"
    done = keys("hand-over", "web", "--to", sink, "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "missing-iam-permission"
    assert done.error["permission"].startswith("secretmanager.")
    assert "their-project" in done.error["message"]
    assert "AddSecretVersion" not in [
        each["method"].rpartition(".")[2] for each in on.control("requests") if each["status"] == "OK"
    ]


def test_secret_manager_that_is_off(keys, served) -> None:
    services = [GEMINI, "apikeys.googleapis.com"]
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": services, "keys": [{"keyId": "web"}]}]})
    done = keys("hand-over", "web", "--to", SECRET, "--quota-project", "demo-project", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "api-not-enabled"
    assert done.error["service"] == "secretmanager.googleapis.com"
    assert any("hand-over web" in step for step in done.error["fix"])


def test_ctrl_c_while_a_program_takes_its_time(on, home, scratch) -> None:
    sink = program(scratch, f"import time; open({str(scratch / 'begun')!r}, 'w').close(); time.sleep(60)")
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "keys", "create", "--name", "x", "--key-id", "slow", "--sandbox", "--to", sink],
        env=home | {"KEYADMIN_SANDBOX": on.rest},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until((scratch / "begun").exists, "the program has the key", process=process)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "keyadmin keys hand-over slow -p demo-project --to" in err
    assert "Traceback" not in err


def test_clone_hands_over(keys, on, scratch) -> None:
    done = keys("clone", "web", "--key-id", "copy", "--sandbox", "--to", f"env-file:{scratch / 'x'}", "--format", "json")
    assert done.code == 0, done.err
    assert (scratch / "x").read_text() == f"GEMINI_API_KEY={keys('show', 'copy').out}"
