"""Networks that do not answer: the first word within three seconds, from Ctrl-C to the end one. Against the local Google."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.local_google.client import KINDS, TARGET, LocalGoogle, environment

CASES = [
    ("user with quota project", {"kind": "hang", "host": "oauth2.googleapis.com"}, ("keys", "list")),
    ("workload identity (file)", {"kind": "hang", "host": "sts.googleapis.com"}, ("keys", "list")),
    ("user with quota project", {"kind": "hang", "host": "apikeys.googleapis.com"}, ("keys", "list")),
    ("user with quota project", {"kind": "hang", "host": "serviceusage.googleapis.com"}, ("keys", "create", "--name", "x")),
    ("user with quota project", {"kind": "connect-hang", "host": "*"}, ("keys", "list")),
]


@pytest.mark.benchmark
def test_first_word_and_ctrl_c(tmp_path: Path) -> None:
    google = LocalGoogle(tmp_path)
    try:
        for number, (kind, fault, arguments) in enumerate(CASES):
            word, end = _measured(google, tmp_path / str(number), kind, fault, arguments)
            print(f"{fault['kind']} {fault['host']}: first word after {word:.2f} s, Ctrl-C to the end {end:.2f} s")
            assert word <= 3.0
            assert end <= 1.0
    finally:
        google.stop()


def _measured(
    google: LocalGoogle, home: Path, kind: str, fault: dict[str, Any], arguments: tuple[str, ...]
) -> tuple[float, float]:
    home.mkdir()
    google.reset()
    env = environment(google, home) | KINDS[kind](google, home)
    google.faults(fault)
    began = time.monotonic()
    command = [sys.executable, "-m", "keyadmin", *arguments, "-p", TARGET]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Waiting for an")
    word = time.monotonic() - began
    process.send_signal(signal.SIGINT)
    process.wait(60)
    assert process.returncode == 130
    return word, time.monotonic() - began - word
