"""Time and memory of a program of its own.

The kernel counts to a process's peak (ru_maxrss) what its parent held when it was started. So programs are started by a
small one, and those that measure themselves read VmHWM, which begins anew with each program (proc_pid_status(5)).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# In a program that measures itself: its peak in MB.
PEAK = "int(__import__('re').search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024"
_SMALL = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024]), file=sys.stderr)
"""


@dataclass(frozen=True)
class Measured:
    """One run: wall seconds, peak memory in MB, standard output."""

    seconds: float
    megabytes: float
    out: str


def measured(command: Sequence[str], env: Mapping[str, str]) -> Measured:
    """Run a program, which must succeed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _SMALL, *command], env=env, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - began
    code, megabytes = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return Measured(seconds, megabytes, done.stdout)
