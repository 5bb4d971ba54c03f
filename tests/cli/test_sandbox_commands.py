"""`sandbox serve|seed|reset|env`: what a person and a script rely on, and bad input said plainly."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli.sandbox import plain_words
from keyadmin.model.problem import Problem
from tests.waiting import until


@dataclass
class Served:
    """A served sandbox in a process of its own."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    @property
    def rest(self) -> str:
        return str(self.ready["rest"])

    def get(self, path: str) -> Any:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.rest + path, timeout=60) as answer:
            return json.load(answer)

    def projects(self) -> set[str]:
        """The ids of all projects that the owner sees."""
        return {each["projectId"] for each in self.get("/v3/projects:search?pageSize=500")["projects"]}

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def serve(home: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start `sandbox serve` with some options, and wait until it says that it is ready."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Served:
        file = tmp_path / f"ready-{len(started)}"
        process = subprocess.Popen(
            [sys.executable, "-m", "keyadmin", "sandbox", "serve", "--ready-file", str(file), *options],
            env=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        until(file.exists, "the sandbox is ready", process=process)
        return Served(process, json.loads(file.read_text()))

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def seed_file(tmp_path: Path) -> Callable[[Any], str]:
    """Write a seed file and give its name."""

    def write(data: Any) -> str:
        path = tmp_path / "seed.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return str(path)

    return write


EXTRA = {"projects": [{"projectId": "extra-project", "iam": {"roles/owner": ["user:owner@example.com"]}}]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_when_it_is_ready_and_stops_cleanly(serve, number: int) -> None:
    served = serve()
    assert set(served.ready) == {"rest", "grpc", "pid"}
    assert served.ready["pid"] == served.process.pid
    described = served.get("/_sandbox")
    assert (described["rest"], described["grpc"]) == (served.rest, served.ready["grpc"])
    code, out, err = served.stop(number)
    assert (code, json.loads(out)) == (0, served.ready)
    assert "sandbox" in err
    assert "Traceback" not in err


def test_commands_run_against_the_server_that_the_variable_names(serve, cli, seed_file) -> None:
    served = serve()
    env = {"KEYADMIN_SANDBOX": served.rest}
    before = served.projects()
    done = cli("sandbox", "seed", seed_file(EXTRA), env=env)
    assert (done.code, done.out) == (0, "")
    assert served.rest in done.err
    assert served.projects() == before | {"extra-project"}
    assert cli("sandbox", "reset", "--yes", env=env).code == 0
    assert served.projects() == before


def test_serve_begins_with_a_seed_of_choice_and_keeps_its_state(serve, seed_file, tmp_path: Path) -> None:
    state = tmp_path / "served.db"
    first = serve("--state", str(state), "--seed", seed_file(EXTRA))
    assert first.projects() == {"extra-project"}
    first.stop()
    assert serve("--state", str(state)).projects() == {"extra-project"}


def test_a_locked_state_is_said_with_pid_and_url(serve, typed, home, tmp_path: Path) -> None:
    state = tmp_path / "served.db"
    served = serve("--state", str(state))
    for done in (
        typed("sandbox", "serve", "--state", str(state)),
        typed("sandbox", "reset", "--yes", env={"KEYADMIN_SANDBOX_STATE": str(state)}),
    ):
        assert done.code == 1
        assert str(served.ready["pid"]) in done.err
        assert served.rest in done.err
        assert "Traceback" not in done.err


def test_a_port_in_use_is_said(typed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for option in ("--rest-port", "--grpc-port"):
            done = typed("sandbox", "serve", option, port, "--format", "json")
            assert (done.code, done.out) == (1, "")
            assert done.error["cause"] == "conflict"
            assert done.error["message"] == f"{option} {port} is in use: another program listens on 127.0.0.1:{port}"
            assert done.error["fix"][0].startswith("take any free port: ")
            assert done.error["fix"][0].endswith(f"keyadmin sandbox serve {option} 0")
            assert f"KEYADMIN_SANDBOX=http://127.0.0.1:{port}" in done.err or option == "--grpc-port"
            for strange in ("add_port", "attempting to bind", "Traceback"):
                assert strange not in done.err


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_a_port_that_may_not_be_taken_is_told_from_one_in_use(transport: str) -> None:
    from keyadmin.sandbox.server import CannotListen

    with pytest.raises(Problem) as caught, plain_words():
        raise CannotListen(transport, "127.0.0.1", 80, PermissionError(errno.EACCES, "Permission denied"))
    assert caught.value.message == f"--{transport}-port 80: this user may not listen on 127.0.0.1:80"
    assert caught.value.fix == (f"give a port from 1024 on, or any free one: keyadmin sandbox serve --{transport}-port 0",)


async def test_an_address_of_another_machine_is_told_from_a_port_in_use() -> None:
    from keyadmin.sandbox.cloud import LocalCloud
    from keyadmin.sandbox.server import Server

    server = Server(LocalCloud(None, alone=True))
    try:
        with pytest.raises(Problem) as caught, plain_words():
            await server.open_tcp("203.0.113.1", 0, 18232)  # of no machine, by RFC 5737
    finally:
        await server.close()
    assert "cannot listen on 203.0.113.1:18232: Cannot assign requested address" in caught.value.message


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{", "line 1, column 2"),
        ("[]", "expected an object"),
        ({"projects": [{"projectId": "fine-project"}, {"projectId": "x", "colour": "red"}]}, "projects[1]"),
        ({"prjects": []}, "prjects"),
    ],
)
def test_a_bad_seed_is_named_with_its_place_and_changes_nothing(serve, cli, typed, seed_file, content, place: str) -> None:
    file = seed_file(content)
    served = serve()
    before = served.projects()
    for done in (
        cli("sandbox", "seed", file, env={"KEYADMIN_SANDBOX": served.rest}),
        cli("sandbox", "seed", file),
        typed("sandbox", "serve", "--seed", file),
    ):
        assert done.code == 1
        assert file in done.err
        assert place in done.err
        assert "Traceback" not in done.err
    assert served.projects() == before


def test_a_file_that_is_no_state_is_left_as_it_was(typed, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("my notes, 100 bytes of them or more, so that no reader of SQLite files takes it for an empty one ...\n")
    before = other.read_bytes()
    for done in (
        typed("sandbox", "serve", "--state", str(other)),
        typed("sandbox", "reset", "--yes", env={"KEYADMIN_SANDBOX_STATE": str(other)}),
    ):
        assert done.code == 1
        assert str(other) in done.err
        assert "Traceback" not in done.err
    assert other.read_bytes() == before


@pytest.mark.parametrize(
    "options",
    [("--latency", "slow"), ("--latency", "-1"), ("--rest-port", "70000"), ("--rest-port", "8080", "--grpc-port", "8080")],
    ids=" ".join,
)
def test_wrong_options_are_wrong_usage(cli, options) -> None:
    assert cli("sandbox", "serve", *options).code == 2


@pytest.mark.parametrize("place", ["missing/served.db", "."])
def test_a_state_that_cannot_be_opened_is_said(typed, tmp_path: Path, place: str) -> None:
    done = typed("sandbox", "serve", "--state", str(tmp_path / place))
    assert done.code == 1
    assert "Traceback" not in done.err
    assert "unexpected" not in done.err
    assert str(tmp_path / place) in done.err


@pytest.mark.parametrize("place", [".", "a-file/x.db"])
def test_an_embedded_state_that_cannot_be_opened_is_said(cli, tmp_path: Path, place: str) -> None:
    (tmp_path / "a-file").write_text("mine")
    done = cli("--sandbox", "keys", "list", "--format", "json", env={"KEYADMIN_SANDBOX_STATE": str(tmp_path / place)})
    assert done.code == 1
    assert "unexpected" not in done.err
    assert str(tmp_path / place) in done.error["message"]
    assert "KEYADMIN_SANDBOX_STATE" in done.error["fix"][0]


def test_a_seed_that_is_not_there_is_said(cli, tmp_path: Path) -> None:
    done = cli("sandbox", "seed", str(tmp_path / "none.json"))
    assert done.code == 1
    assert "none.json" in done.err


def test_no_server_at_the_url_is_said(cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = cli("sandbox", "reset", "--yes", "--format", "json", env={"KEYADMIN_SANDBOX": f"http://127.0.0.1:{port}"})
    assert done.code == 1
    assert done.error["cause"] == "service-unavailable"
    assert str(port) in done.err


def test_reset_asks_first(cli) -> None:
    assert cli("sandbox", "reset").code == 2
    assert cli("sandbox", "reset", terminal=True, stdin="n\n").code == 1
    assert cli("sandbox", "reset", terminal=True, stdin="y\n").code == 0
    assert "would throw away" in cli("sandbox", "reset", "--dry-run").err


def test_the_embedded_sandbox_is_seeded_and_reset(cli, seed_file, home) -> None:
    assert cli("sandbox", "seed", seed_file(EXTRA)).code == 0
    state = Path(home["KEYADMIN_SANDBOX_STATE"])
    assert state.stat().st_mode & 0o777 == 0o600
    assert b"extra-project" in b"".join(path.read_bytes() for path in state.parent.glob("sandbox.db*"))
    assert cli("sandbox", "reset", "--yes").code == 0


def test_sandbox_commands_mean_the_sandbox_without_being_told(cli, seed_file) -> None:
    assert "sandbox" in cli("sandbox", "seed", seed_file(EXTRA), "--quiet").err
    assert cli("--no-sandbox", "sandbox", "reset", "--yes").code == 2


def test_env_sets_what_programs_need(cli, serve, tmp_path: Path) -> None:
    served = serve()
    ready = tmp_path / "ready-0"
    script = cli("sandbox", "env", "--ready-file", str(ready), "-p", "my-project").out
    shown = subprocess.run(
        ["bash", "-c", f"{script}\nenv -0"],
        env={"PATH": os.environ["PATH"], "HTTPS_PROXY": "http://proxy:1"},
        capture_output=True,
        check=True,
    ).stdout.decode()
    variables = dict(line.split("=", 1) for line in shown.split("\0") if "=" in line)
    assert variables["KEYADMIN_SANDBOX"] == served.rest
    assert variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_APIKEYS"] == f"{served.rest}/"
    assert variables["CLOUDSDK_AUTH_ACCESS_TOKEN"] == "owner@example.com"
    assert variables["CLOUDSDK_CORE_PROJECT"] == variables["GOOGLE_CLOUD_PROJECT"] == "my-project"
    assert variables["GOOGLE_GEMINI_BASE_URL"] == served.rest
    assert "HTTPS_PROXY" not in variables
    assert served.ready["grpc"] in script
    by_url = cli("sandbox", "env", "-p", "my-project", env={"KEYADMIN_SANDBOX": served.rest})
    assert by_url.out == script
    as_json = cli("sandbox", "env", "--format", "json", "-p", "my-project", env={"KEYADMIN_SANDBOX": served.rest}).json
    assert as_json.items() <= variables.items()


def test_env_can_be_undone_and_speaks_other_shells(cli, serve) -> None:
    env = {"KEYADMIN_SANDBOX": serve().rest, "KEYADMIN_SANDBOX_USER": "o'neil@example.com"}
    assert "\nunset KEYADMIN_SANDBOX_USER\n" in cli("sandbox", "env", "--unset", env=env).out
    assert "set -gx KEYADMIN_SANDBOX_USER 'o\\'neil@example.com'\n" in cli("sandbox", "env", "--shell", "fish", env=env).out
    assert "$Env:KEYADMIN_SANDBOX_USER = 'o''neil@example.com'\n" in cli("sandbox", "env", "--shell", "powershell", env=env).out
    assert "export KEYADMIN_SANDBOX_USER='o'\"'\"'neil@example.com'\n" in cli("sandbox", "env", env=env).out


def test_env_of_the_embedded_sandbox_is_for_keyadmin_alone(cli) -> None:
    done = cli("sandbox", "env")
    assert done.out == "export KEYADMIN_SANDBOX=1\n"
    assert "sandbox serve" in done.err


@pytest.mark.parametrize("content", [None, "{", "[]", '{"rest": "http://192.0.2.1:80", "grpc": "x"}', '{"rest": 5}'])
def test_env_refuses_what_is_no_ready_file(cli, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ready"
    if content is not None:
        path.write_text(content)
    done = cli("sandbox", "env", "--ready-file", str(path))
    assert done.code == (2 if content is None else 1)
    assert str(path) in done.err
    assert done.out == ""


def test_ctrl_c_in_the_middle_of_a_call_ends_with_130(home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "keyadmin", "sandbox", "reset", "--yes", "--format", "json"],
            env=home | {"KEYADMIN_SANDBOX": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(60)
            assert connection.recv(100).startswith(b"POST /_sandbox/reset")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "Interrupted." in err
    assert "Traceback" not in err
    assert json.loads(err.splitlines()[-1])["error"]["message"] == "interrupted"


def test_a_ready_file_that_cannot_be_written_is_named(typed, tmp_path: Path) -> None:
    file = tmp_path / "no-such-folder" / "ready.json"
    done = typed("sandbox", "serve", "--ready-file", str(file), "--format", "json")
    assert (done.code, done.out) == (1, "")
    assert done.error["message"] == f"{file}: No such file or directory"
