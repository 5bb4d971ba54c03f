"""Breaks each guard of the table on purpose, in a copy, and sees that the tests that are named for it fail.

`python -m tests.rotation.guards.prove [WORD...]`: all guards, or those in whose file or words a WORD stands. Exit code 1
where a guard may be broken unnoticed. `--list` prints the table as Markdown instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.rotation.guards.copy import Copy, Ran
from tests.rotation.guards.guard import Guard
from tests.rotation.guards.table import GUARDS, PROBES

AT_ONCE = max(2, os.cpu_count() or 2)
TIMEOUT_S = 100.0  # for the tests of one guard


def unnoticed(copy: Copy, guard: Guard) -> str | None:
    """Why a guard is not proven: None where every test that is named for it fails by an assertion of its own."""
    try:
        with copy.broken(guard):
            ran = copy.run(guard.tests, TIMEOUT_S)
    except ValueError as error:
        return str(error)
    except subprocess.TimeoutExpired:
        return "its tests did not end"
    return next((why for test in guard.tests if (why := _not_failing(ran, test))), None)


def _not_failing(ran: Ran, test: str) -> str | None:
    cases = ran.of(test)
    if not cases:
        return f"{test} did not run: {ran.output[-500:]}"
    for case in cases:
        if case.error is not None or (case.failure is not None and not case.asserted):
            return f"{case.node} breaks down instead of failing: {(case.error or case.failure or '')[:300]}"
    return None if any(case.asserted for case in cases) else f"{test} does not notice"


def failing_unbroken(copy: Copy, guards: Sequence[Guard]) -> list[str]:
    """The named tests that do not pass as long as nothing is broken."""
    tests = list(dict.fromkeys(test for guard in guards for test in guard.tests))
    ran = copy.run(tests, len(tests) * TIMEOUT_S)
    failing = [case.node for case in ran.cases if case.failure is not None or case.error is not None]
    return failing + [test for test in tests if not ran.of(test)]


def prove(guards: Sequence[Guard], folder: Path) -> list[str]:
    """Break each of the guards; what is not as it should be, a line each."""
    copies: SimpleQueue[Copy] = SimpleQueue()
    for number in range(AT_ONCE):
        copies.put(Copy(folder / str(number)))
    copy = copies.get()
    wrong = [f"{test} fails although nothing is broken" for test in failing_unbroken(copy, [*PROBES, *guards])]
    wrong += [f"{probe.protects}: {why}" for probe in PROBES if (why := unnoticed(copy, probe))]
    copies.put(copy)
    if wrong:
        return wrong
    said = threading.Lock()

    def one(guard: Guard) -> str | None:
        copy = copies.get()
        begun = time.monotonic()
        try:
            why = unnoticed(copy, guard)
        finally:
            copies.put(copy)
        line = f"{guard.file}: {guard.protects}" + (f": {why}" if why else "")
        with said:
            print(f"{'WRONG' if why else 'ok'}  {time.monotonic() - begun:4.1f} s  {line}", flush=True)
        return line if why else None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [line for line in pool.map(one, guards) if line]


def listed(guards: Sequence[Guard]) -> str:
    """The table as Markdown."""
    rows = ["| guard | in | test |", "|---|---|---|"]
    for guard in guards:
        tests = ", ".join(test.removeprefix("tests/").replace(".py::", ": ") for test in guard.tests)
        rows.append(f"| {guard.protects} | {guard.file} | {tests} |")
    return "\n".join(rows)


def main(words: Sequence[str]) -> int:
    """The program. The exit code."""
    if "--list" in words:
        print(listed(GUARDS))
        return 0
    guards = [guard for guard in GUARDS if not words or any(word in f"{guard.file} {guard.protects}" for word in words)]
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keyadmin-guards-") as folder:
        wrong = prove(guards, Path(folder))
    for line in wrong:
        print(f"WRONG: {line}")
    print(f"{len(guards)} guards, {len(wrong)} wrong, {time.monotonic() - begun:.0f} s")
    return 1 if wrong or not guards else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
