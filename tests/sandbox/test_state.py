"""The state file: nothing acknowledged is lost, nobody else's file is touched, several processes share it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Running, start
from .wire import KEYS, create, send

SEED = {
    "projects": [{"projectId": f"writer-{n}", "iam": {"roles/owner": ["user:owner@example.com"]}} for n in range(4)],
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_what_was_made_is_there_after_a_restart(start_sandbox: Callable[..., Running], state: Path) -> None:
    first = start_sandbox(state=str(state))
    key = create(first, "kept")
    first.control("clock", {"advance": "5d"})
    first.stop()
    assert state.stat().st_mode & 0o777 == 0o600
    second = start_sandbox(state=str(state))
    kept = send(second, "GET", f"{KEYS}/kept").data
    assert kept["uid"] == key["uid"]
    assert create(second, "later")["createTime"] > kept["createTime"]
    second.control("reset", {})
    assert send(second, "GET", KEYS).data == {"keys": []}


def test_kill_9_loses_no_acknowledged_change(state: Path, tmp_path: Path) -> None:
    """Several writers over both kinds of call; the server is killed in the midst of them; three times over."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED))
    made: set[str] = set()
    gone: set[str] = set()
    for round_ in range(3):
        running = start(state=str(state), **({"seed": str(seed)} if round_ == 0 else {}))
        enough = threading.Event()

        def write(project: str, round_: int = round_, running: Running = running, enough: threading.Event = enough) -> None:
            path = f"/v2/projects/{project}/locations/global/keys"
            for number in range(1000):
                key_id = f"r{round_}-{number}"
                try:
                    if send(running, "POST", f"{path}?keyId={key_id}", {"displayName": key_id}).status == 200:
                        made.add(f"{path}/{key_id}")
                    if number % 3 == 2 and send(running, "DELETE", f"{path}/{key_id}").status == 200:
                        gone.add(f"{path}/{key_id}")
                except OSError:
                    return
                if len(made) > 60 * (round_ + 1):
                    enough.set()

        threads = [threading.Thread(target=write, args=(f"writer-{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(timeout=180)
        for thread in threads:
            thread.join(timeout=180)
    running = start(state=str(state))
    try:
        answers = {path: send(running, "GET", path) for path in made}
        assert {path for path, answer in answers.items() if answer.status != 200} == set()
        assert {path for path in gone if "deleteTime" not in answers[path].data} == set()
    finally:
        running.stop()
    with sqlite3.connect(state) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


_EMBEDDED = """
import asyncio, sys, aiohttp
from pathlib import Path
from keyadmin.sandbox.embedded import embedded

async def main(state, name, count):
    async with embedded(Path(state)) as endpoints:
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(endpoints.rest_socket))) as session:
            print("ready", flush=True)
            url = "http://sandbox/v2/projects/demo-project/locations/global/keys"
            for number in range(count):
                async with session.post(f"{url}?keyId={name}-{number}", json={}) as answer:
                    if answer.status == 200:
                        print(f"{name}-{number}", flush=True)
                    else:
                        print((await answer.text()), file=sys.stderr)
            async with session.get(url) as answer:
                print(len((await answer.json())["keys"]), flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def _embedded(state: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _EMBEDDED, str(state), name, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_embedded_sandboxes_share_one_state_at_once(state: Path) -> None:
    """Four processes start on a state that is not there yet and write side by side; each sees what the others did."""
    processes = [_embedded(state, f"p{n}", 20) for n in range(4)]
    outputs = [process.communicate(timeout=180) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], outputs
    assert max(int(out.split()[-1]) for out, _ in outputs) == 80
    assert all(len(out.split()) == 22 for out, _ in outputs)
    assert state.stat().st_mode & 0o777 == 0o600


def test_embedded_processes_killed_while_writing_lose_nothing(state: Path, start_sandbox: Callable[..., Running]) -> None:
    processes = [_embedded(state, f"p{n}", 90) for n in range(3)]  # a project holds 300 keys
    acknowledged: list[str] = []
    for process in processes:
        assert process.stdout is not None
        acknowledged += [process.stdout.readline().strip() for _ in range(6)][1:]
    for process in processes:
        process.kill()
        rest, _ = process.communicate(timeout=180)
        acknowledged += [word for word in rest.split() if word.startswith("p")]  # no count of one that was done
    running = start_sandbox(state=str(state))
    there = {key["name"].rpartition("/")[2] for key in send(running, "GET", KEYS).data["keys"]}
    assert set(acknowledged) - there == set()


# Who may use the file


def _refused(**options: Any) -> str:
    """The exception that `serve` ends with, as `Kind: message`."""
    from .conftest import _CODE

    process = subprocess.run(
        [sys.executable, "-c", _CODE, json.dumps(options)], capture_output=True, text=True, timeout=180, check=False
    )
    assert process.returncode != 0
    assert process.stdout == ""
    return process.stderr.strip().splitlines()[-1]


def test_a_served_state_is_locked_and_the_error_names_pid_and_url(start_sandbox: Callable[..., Running], state: Path) -> None:
    running = start_sandbox(state=str(state))
    said = _refused(state=str(state))
    for word in ("StateLocked", str(state), f"pid {running.process.pid}", running.rest):
        assert word in said
    other = _embedded(state, "p", 1)
    _, errors = other.communicate(timeout=180)
    assert f"pid {running.process.pid}" in errors.splitlines()[-1]
    running.process.kill()
    running.process.wait(timeout=180)
    start_sandbox(state=str(state))  # the kernel gave the lock back


def test_serve_does_not_take_what_an_embedded_sandbox_uses(state: Path) -> None:
    process = _embedded(state, "p", 100_000)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    said = _refused(state=str(state))
    process.kill()
    process.communicate(timeout=180)
    assert "StateLocked" in said
    assert "embedded sandbox" in said


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (x)")
        database.execute("INSERT INTO mine VALUES ('precious')")
    database.close()


def _other_version(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA application_id=1801812321")
        database.execute("CREATE TABLE meta (x)")
        database.execute("PRAGMA user_version=99")
    database.close()


def _damaged(path: Path) -> None:
    running = start(state=str(path))
    running.stop()
    data = bytearray(path.read_bytes())
    data[100:4096] = os.urandom(3996)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("my diary\n" * 40), "does not begin as an SQLite file"),
        (lambda path: path.write_bytes(b"SQLite format 3\0"), "cannot be read as a sandbox state"),
        (_foreign, "of another program"),
        (_other_version, "its layout has version 99"),
        (_damaged, "cannot be read as a sandbox state"),
    ],
    ids=["text", "cut short", "foreign", "version", "damaged"],
)
def test_what_is_no_state_is_refused_and_left_as_it_was(state: Path, make: Callable[[Path], None], words: str) -> None:
    make(state)
    before = state.read_bytes()
    said = _refused(state=str(state))
    assert "keyadmin.sandbox.state.store." in said
    assert str(state) in said
    assert words in said
    assert state.read_bytes() == before


def test_a_state_whose_making_was_cut_short_is_made_anew(start_sandbox: Callable[..., Running], state: Path) -> None:
    database = sqlite3.connect(state, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")  # as far as a process killed at its very start comes
    database.close()
    assert send(start_sandbox(state=str(state)), "GET", KEYS).status == 200


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "line 1, column 2"),
        ("[]", "expected an object"),
        (
            '{"projects": [{"projectId": "a-project", "keys": [{}, {"createTime": "yesterday"}]}]}',
            "projects[0].keys[1].createTime",
        ),
        ("\xff", "not UTF-8"),
    ],
)
def test_a_bad_seed_names_file_and_place_and_is_left_as_it_was(tmp_path: Path, state: Path, text: str, place: str) -> None:
    seed = tmp_path / "seed.json"
    seed.write_bytes(text.encode("latin-1"))
    said = _refused(seed=str(seed), state=str(state))
    assert "BadSeed" in said
    assert str(seed) in said
    assert place in said
    assert seed.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("transport", ["rest_port", "grpc_port"])
def test_a_port_in_use_is_said_plainly(transport: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ready = tmp_path / "ready.json"
        said = _refused(**{transport: port}, ready_file=str(ready))
    assert "CannotListen" in said
    assert str(port) in said
    assert "in use" in said
    assert not ready.exists()


def test_a_call_that_is_slowed_does_not_keep_the_server(tmp_path: Path) -> None:
    running = start(ready_file=str(tmp_path / "ready.json"))
    running.control("latency", {"ms": 600_000, "method": "ListKeys"})
    with socket.create_connection(("127.0.0.1", int(running.rest.rpartition(":")[2]))) as caller:
        path = b"/v2/projects/demo-project/locations/global/keys"
        caller.sendall(b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer owner@example.com\r\n\r\n" % path)
        running.control("requests")  # by now the other call has been read
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(timeout=20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_cleanly(number: int, state: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    running = start(state=str(state), ready_file=str(ready))
    create(running, "k")
    info = json.loads(ready.read_text())
    assert info == {"rest": running.rest, "grpc": running.grpc, "pid": running.process.pid}
    running.process.send_signal(number)
    assert running.process.wait(timeout=180) == 0
    assert not state.with_name("state.db-wal").exists()  # folded into the file


def test_only_loopback_is_listened_on(start_sandbox: Callable[..., Running]) -> None:
    import psutil

    running = start_sandbox()
    listening = [
        c.laddr.ip.removeprefix("::ffff:")
        for c in psutil.Process(running.process.pid).net_connections()
        if c.status == "LISTEN"
    ]
    assert set(listening) == {"127.0.0.1"}
    assert len(listening) == 2


def test_a_long_temporary_folder_is_no_obstacle(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths of sockets have at most 104 to 108 bytes."""
    import asyncio
    import tempfile

    from keyadmin.sandbox.embedded import embedded

    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))

    async def look() -> None:
        async with embedded(state) as endpoints:
            assert endpoints.rest_socket is not None
            assert endpoints.rest_socket.exists()
            assert await endpoints.grpc_target()

    asyncio.run(look())


def test_embedded_sockets_lie_in_a_folder_of_the_users_own(state: Path) -> None:
    import asyncio

    from keyadmin.sandbox.embedded import embedded

    async def look() -> None:
        async with embedded(state) as endpoints:
            assert endpoints.rest_socket is not None
            folder = endpoints.rest_socket.parent
            assert folder.stat().st_mode & 0o777 == 0o700
            assert (await endpoints.grpc_target()).startswith(f"unix:{folder}")
        assert not folder.exists()

    asyncio.run(look())


def _link(lock: Path, diary: Path) -> None:
    lock.symlink_to(diary)


def _hard_link(lock: Path, diary: Path) -> None:
    lock.hardlink_to(diary)


def _own_words(lock: Path, diary: Path) -> None:
    lock.write_text("my diary")


@pytest.mark.parametrize("make", [_link, _hard_link, _own_words, lambda lock, diary: lock.mkdir()])
def test_a_lock_that_is_something_else_is_refused_and_left_as_it_was(state: Path, make: Callable[[Path, Path], None]) -> None:
    """It would be emptied: `serve` writes its address into it."""
    diary = state.parent / "diary"
    diary.write_text("my diary")
    lock = state.with_name(f"{state.name}.lock")
    make(lock, diary)
    said = _refused(state=str(state))
    assert f"remove {lock}" in said
    assert diary.read_text() == "my diary"
    assert not lock.is_file() or lock.read_text() == "my diary"
    asked = _embedded(state, "p", 1)
    assert str(lock) in asked.communicate(timeout=60)[1]
    assert diary.read_text() == "my diary"


@pytest.mark.parametrize("place", ["text", "page"])
def test_a_state_that_is_damaged_later_is_named_by_every_call(
    start_sandbox: Callable[..., Running], state: Path, place: str
) -> None:
    start_sandbox(state=str(state)).stop()
    data = bytearray(state.read_bytes())
    if place == "text":
        data = data.replace(b"demo-project", b"\xff\xfe" * 6)
    else:
        for at in range(4096 * 12, len(data), 4096):  # behind the schema
            data[at : at + 64] = b"\xa5" * 64
    state.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "keyadmin", "--sandbox", "projects", "list", "--all", "--format", "json"],
        env=os.environ | {"KEYADMIN_SANDBOX_STATE": str(state), "HOME": str(state.parent)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert str(state) in done.stderr
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
