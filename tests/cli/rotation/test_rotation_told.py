"""What notices and metrics are never given, whole files, programs that fail: nothing of it fails a rotation."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request

import psutil
import pytest

from keyadmin.unattended import destinations
from tests.cli.rotation.conftest import World, rule
from tests.waiting import until

KEY = "AIza" + "B" * 35


def due(world: World, name: str = "web") -> None:
    """One project with a key that is due."""
    world.seed("shop-a", {"displayName": name})
    world.policy(rule("shop-a", sinks="sinks = []\n"))


def test_a_key_string_in_the_services_own_words_goes_nowhere(world: World) -> None:
    """`world` looks at all that is printed."""
    due(world)
    fault = {"method": "ListModels", "code": "PERMISSION_DENIED", "times": 9, "message": f"{KEY} was reported as leaked."}
    world.sandbox.control("faults", fault)
    taken = world.folder / "events"
    for words in (["--format", "json"], ["--format", "jsonl"], [], ["--verbose"]):
        done = world.rotation("run", "--notify", f"exec:tee {taken}", *words)
        assert done.code == 3, done.err
        assert "reported as leaked" in done.out + done.err
        assert "reported as leaked" in taken.read_text()
        assert KEY not in taken.read_text()


def test_a_key_string_that_somebody_took_for_a_name_is_in_no_event(world: World) -> None:
    due(world, KEY)
    taken = world.folder / "events"
    done = world.rotation("run", "--notify", f"exec:tee {taken}", "--format", "jsonl")
    assert done.code == 0, done.err
    assert KEY not in taken.read_text()


def test_a_notices_program_inherits_no_key(world: World) -> None:
    due(world)
    seen = world.folder / "seen"
    env = {"MY_KEY": KEY, "KEPT": "yes"}
    assert world.rotation("run", "--notify", f"exec:sh -c 'env > {seen}'", env=env).code == 0
    assert "KEPT=yes" in seen.read_text()
    assert KEY not in seen.read_text()


def test_without_an_event_the_program_is_not_run(world: World) -> None:
    world.seed("shop-a", {"createTime": world.ago(1)})
    world.policy(rule("shop-a"))
    assert world.rotation("run", "--notify", f"exec:touch {world.folder / 'ran'}").code == 0
    assert not (world.folder / "ran").exists()


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/no/such/program", "cannot be started: No such file or directory"),
        ("sleep 60", "did not end within 0.3 s and was stopped"),
        ("false", "ended with exit code 1"),
        ("sh -c 'echo no pager; exit 9'", "ended with exit code 9: no pager"),
    ],
)
def test_a_program_that_does_not_take_the_notice_is_a_warning(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str, why: str
) -> None:
    if "sleep" in command:  # a busy machine needs its time to start the others
        monkeypatch.setattr(destinations, "TIMEOUT_S", 0.3)
    due(world)
    done = world.rotation("run", "--notify", f"exec:{command}", "--format", "json")
    assert done.code == 0, done.err
    assert done.json[0]["state"] == "grace"
    assert f"the notice was not taken: {command.partition(' ')[0]} {why}" in done.err


def test_the_notices_program_is_over_when_it_ends_whatever_it_leaves_running(world: World) -> None:
    due(world)
    pid = world.folder / "pid"
    done = world.rotation("run", "--notify", f"exec:sh -c 'sleep 60 & echo $! > {pid}'")
    left = psutil.Process(int(pid.read_text()))
    assert left.is_running(), "it was not waited for"
    left.kill()
    assert "notice" not in done.err


def test_a_notice_that_is_no_command_line_is_told_as_that(world: World) -> None:
    due(world)
    done = world.rotation("run", "--notify", "exec:'mail me")
    assert done.code == 2
    assert "the command of --notify cannot be split into words" in done.err


def test_who_reads_the_metrics_reads_them_whole(world: World) -> None:
    """A file that was opened before is the old one; the new one has the mode that an exporter of another user needs."""
    due(world)
    path = world.folder / "keyadmin.prom"
    path.write_text("old\n")
    path.chmod(0o600)
    with path.open() as reader:
        assert world.rotation("run", "--metrics", str(path)).code == 0
        assert reader.read() == "old\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert "keyadmin_rotation_due 0\n" in path.read_text()


def test_names_are_escaped_and_ages_are_by_the_servers_clock(world: World) -> None:
    world.advance("-400d")
    world.seed("shop-a", {"displayName": 'my "own" \\ key', "createTime": world.ago(2)})
    world.policy(rule("shop-a"))
    assert world.rotation("run", "--metrics", str(world.folder / "m")).code == 0
    (line,) = re.findall(r"^keyadmin_key_age_seconds\{.*", (world.folder / "m").read_text(), re.MULTILINE)
    assert r'name="my \"own\" \\ key"' in line
    assert 2 * 86400 <= int(line.rpartition(" ")[2]) < 2 * 86400 + 600


def test_an_old_key_that_is_used_on_is_counted(world: World) -> None:
    """Nothing fails, and it would never go: whoever looks at the metrics alone has to see it."""
    due(world)
    world.policy(rule("shop-a"))
    metrics = world.folder / "m"

    def kept() -> str:
        assert world.rotation("run", "--metrics", str(metrics)).code == 0
        (line,) = re.findall(r"^keyadmin_rotation_kept .*", metrics.read_text(), re.MULTILINE)
        return line

    assert kept() == "keyadmin_rotation_kept 0", "grace"
    assert not re.search(r"age_seconds\{.*\} -", metrics.read_text()), "no key is younger than nothing"
    world.advance("30h")
    url = f"{world.sandbox.rest}/v1beta/models/gemini-2.5-flash:generateContent"
    headers = {"Content-Type": "application/json", "x-goog-api-key": world.string("shop-a", "web-0")}
    asked = urllib.request.Request(url, b'{"contents": [{"parts": [{"text": "hello"}]}]}', headers)
    with urllib.request.urlopen(asked, timeout=60):
        assert kept() == "keyadmin_rotation_kept 1"
    world.advance("60h")
    assert kept() == "keyadmin_rotation_kept 0", "retired"


def test_events_are_told_as_they_happen_and_once(world: World) -> None:
    due(world)
    taken = world.folder / "events"
    done = world.rotation("run", "--notify", f"exec:tee {taken}", "--format", "jsonl")
    told = [json.loads(line) for line in taken.read_text().splitlines()]
    assert [json.loads(line) for line in done.out.splitlines()] == told
    assert [event["step"] for event in told] == ["create", "verify", "publish", "mark", "grace"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_tells_what_it_did(world: World, home: dict[str, str], number: int) -> None:
    """SIGTERM is how engines end a run: at a time limit, at an eviction, when they are stopped."""
    due(world)
    world.sandbox.control("latency", {"ms": 60_000, "method": "AddSecretVersion"})
    world.policy(rule("shop-a"))
    taken = world.folder / "events"
    process = subprocess.Popen(
        [sys.executable, "-m", "keyadmin", "--sandbox", "rotation", "run", "--notify", f"exec:tee {taken}", "--format", "json"],
        env=home | {"KEYADMIN_SANDBOX": world.sandbox.rest},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: "CreateSecret" in world.writes(), "it hands over", process=process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "Left unfinished: rotations were under way" in err
    assert "interrupted" in json.loads(err.splitlines()[-1])["error"]["message"]
    told = [json.loads(line) for line in taken.read_text().splitlines()]
    assert [(event["step"], event["status"]) for event in told] == [("create", "done"), ("verify", "done"), ("run", "failed")]
    world.sandbox.control("latency", {"ms": None, "method": "AddSecretVersion"})
    assert world.rotation("run", "--format", "json").json[0]["state"] == "grace"
