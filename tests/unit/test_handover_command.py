"""The exec sink, and how sinks are written."""

from __future__ import annotations

import asyncio
import base64
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from keyadmin.handover.registry import fingerprint, parse
from keyadmin.handover.sinks import exec as handover
from keyadmin.handover.sinks.env_file import variable
from keyadmin.model.problem import Exit, Problem
from keyadmin.model.secret import KeyString
from tests.sinks import sink_of

KEY = KeyString("AQ.SANDBOX-" + "a" * 42)


def _program(tmp_path: Path, text: str) -> str:
    path = tmp_path / "program.py"
    path.write_text(text)
    return f"{sys.executable} {path}"


async def test_the_key_comes_on_stdin_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY.reveal())
    monkeypatch.setenv("KEPT", "yes")
    command = _program(
        tmp_path,
        "import os, sys, pathlib\n"
        "here = pathlib.Path(__file__).parent\n"
        "(here / 'stdin').write_text(sys.stdin.read())\n"
        "seen = pathlib.Path('/proc/self/cmdline').read_text() + repr(dict(os.environ))\n"
        "(here / 'seen').write_text(seen)\n",
    )
    delivery = await sink_of(f"exec:{command}").deliver(KEY)
    assert delivery.changed
    assert (tmp_path / "stdin").read_text() == KEY.reveal() + "\n"
    seen = (tmp_path / "seen").read_text()
    assert KEY.reveal() not in seen
    assert "KEPT" in seen


ECHOES = {
    "plain": "key",
    "base64": "base64.b64encode(key.encode()).decode()",
    "base64 of more": "base64.b64encode(b'key=' + key.encode()).decode()",
    "hexadecimal": "key.encode().hex()",
    "folded": "'\\n'.join(key[at : at + 7] for at in range(0, len(key), 7))",
    "letter by letter": "' '.join(key)",
    "reversed": "key[::-1]",
    "reversed base64": "base64.b64encode(key.encode()).decode()[::-1]",
    "in capitals": "key.upper()",
    "half of it": "key[:30]",
    "percent": "''.join('%%%02x' % ord(each) for each in key)",
}


@pytest.mark.parametrize("form", ECHOES.values(), ids=ECHOES)
async def test_what_a_failing_program_prints_is_not_told_but_with_verbose_and_masked(
    tmp_path: Path, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = KeyString("AQ.SANDBOX-" + "q7Zt2LmVx0Rk9sWc4HyBn1Jf6Gd3Ep8Ua5IoTvXzDl")
    command = _program(tmp_path, f"import base64, sys; key = sys.stdin.read().strip(); print('no:', {form}); sys.exit(7)")
    with caplog.at_level("DEBUG", logger="keyadmin"), pytest.raises(Problem) as caught:
        await sink_of(f"exec:{command}").deliver(key)
    printed = caught.value.message.partition("it printed ")[2]
    assert int(printed.removesuffix(" bytes").replace(",", "")) > 30
    assert "no:" not in caught.value.message
    assert "no:" in caplog.text
    packed = re.sub(r"[^0-9a-z]", "", caplog.text.partition("no:")[2].lower())
    shown = {key.reveal().lower(), key.reveal().encode().hex(), base64.b64encode(key.reveal().encode()).decode().lower()}
    for secret in shown:
        pieces = [re.sub(r"[^0-9a-z]", "", secret)[at : at + 8] for at in range(12, len(secret) - 8)]
        assert not any(piece in packed or piece[::-1] in packed for piece in pieces)


async def test_how_a_program_ended_that_a_signal_ended(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"was ended by SIGKILL; it printed 0 bytes"):
        await sink_of("exec:" + _program(tmp_path, "import os; os.kill(os.getpid(), 9)")).deliver(KEY)


async def test_another_exit_code_is_not_handed_over(tmp_path: Path) -> None:
    command = _program(tmp_path, "import sys; print('cannot store', sys.stdin.read()); sys.exit(7)")
    with pytest.raises(Problem) as caught:
        await sink_of(f"exec:{command}").deliver(KEY)
    assert "exit code 7" in caught.value.message
    assert any("--verbose" in step for step in caught.value.fix)
    assert KEY.reveal() not in caught.value.message


async def test_a_program_that_is_not_there() -> None:
    with pytest.raises(Problem, match="cannot be started"):
        await sink_of("exec:no-such-program-anywhere --x").deliver(KEY)


async def test_a_program_that_does_not_read_is_judged_by_its_exit_code(tmp_path: Path) -> None:
    assert (await sink_of("exec:" + _program(tmp_path, "pass")).deliver(KEY)).changed


async def test_a_program_that_hangs_is_stopped_and_has_not_taken_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "TIMEOUT_S", 1.0)
    started: list[int] = []
    start = asyncio.create_subprocess_exec

    async def noted(*words: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*words, **options)
        started.append(process.pid)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    with pytest.raises(Problem, match="did not end within 1 s and was stopped"):
        await sink_of("exec:" + _program(tmp_path, "import time; time.sleep(20)")).deliver(KEY)
    assert [psutil.pid_exists(pid) for pid in started] == [False]


LEFT_RUNNING = (  # it leaves a program running that holds its stdout, as who restarts a service may
    "import subprocess, sys, time\n"
    "print('begun', flush=True)\n"
    "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "(__import__('pathlib').Path(__file__).parent / 'left').write_text(str(left.pid))\n"
)


@pytest.fixture
def left_running(tmp_path: Path) -> Iterator[str]:
    """The beginning of a program; what it leaves running is ended."""
    yield LEFT_RUNNING
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):  # it was stopped before it left any
        psutil.Process(int((tmp_path / "left").read_text())).kill()


async def test_a_program_is_over_when_it_ends_whatever_it_leaves_running(tmp_path: Path, left_running: str) -> None:
    async with asyncio.timeout(30):
        assert (await sink_of("exec:" + _program(tmp_path, left_running)).deliver(KEY)).changed


async def test_what_it_said_before_it_failed_is_told_whatever_it_leaves_running(tmp_path: Path, left_running: str) -> None:
    async with asyncio.timeout(30):
        with pytest.raises(Problem, match="exit code 5; it printed 6 bytes"):
            await sink_of("exec:" + _program(tmp_path, f"{left_running}sys.exit(5)")).deliver(KEY)


async def test_stopping_a_program_waits_for_nothing_that_it_left_running(
    tmp_path: Path, left_running: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "TIMEOUT_S", 3.0)
    async with asyncio.timeout(30):
        with pytest.raises(Problem, match="was stopped"):
            await sink_of("exec:" + _program(tmp_path, f"{left_running}time.sleep(60)")).deliver(KEY)


async def test_of_much_that_a_program_says_the_end_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    command = _program(tmp_path, "import sys; print('x' * 3_000_000); print('the end'); sys.exit(5)")
    with caplog.at_level("DEBUG", logger="keyadmin"), pytest.raises(Problem, match="it printed 3,000,009 bytes"):
        await sink_of(f"exec:{command}").deliver(KEY)
    assert "the end" in caplog.text
    assert len(caplog.text) < 1_000


async def test_no_shell_runs_it(tmp_path: Path) -> None:
    command = _program(tmp_path, "import sys; sys.exit(0 if sys.argv[1:] == ['$HOME', ';', 'ls'] else 9)")
    assert (await sink_of(f"exec:{command} '$HOME' ';' ls").deliver(KEY)).changed


@pytest.mark.parametrize(
    "text",
    ["", "nowhere:x", "env-file:", "env-file:.env:1X", "exec:", "exec:  ", "exec:'x", "secret-manager:s", "stdout:x",
     "secret-manager:projects/p/secrets/a b"],
)  # fmt: skip
def test_what_is_no_sink_is_refused_before_any_call(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(text)
    assert caught.value.exit is Exit.USAGE


def test_paths_and_variables() -> None:
    assert variable(".env") == (Path(".env"), "GEMINI_API_KEY")
    assert variable("a/b.env:MY_KEY") == (Path("a/b.env"), "MY_KEY")
    assert variable("C:\\x\\.env") == (Path("C:\\x\\.env"), "GEMINI_API_KEY")


def test_the_fingerprint_does_not_depend_on_the_order_and_tells_lists_apart() -> None:
    one, two = parse("stdout"), parse("env-file:.env")
    assert fingerprint([one, two]) == fingerprint([two, one]) != fingerprint([one])
    assert ".env" not in fingerprint([two])
