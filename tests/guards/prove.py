"""Breaks each guard of the table on purpose, in a copy, and sees that the tests that are named for it fail.

`python -m tests.guards.prove [WORD...]`: all guards, or those in whose file or words a WORD stands. Exit code 1
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

from tests.guards.copy import Copy, Ran
from tests.guards.guard import Guard
from tests.guards.table import GUARDS, PROBES

AT_ONCE = max(2, os.cpu_count() or 2)
TIMEOUT_S = 100.0  # for the tests of one guard


def unnoticed(copy: Copy, guards: Sequence[Guard]) -> list[str | None]:
    """Why each of the guards, which are broken at once, is not proven.

    None where every test that is named for it fails by an assertion of its own.
    """
    tests = list(dict.fromkeys(test for guard in guards for test in guard.tests))
    try:
        with copy.broken(guards):
            ran = copy.run(tests, TIMEOUT_S)
    except ValueError as error:
        return [str(error)] * len(guards)
    except subprocess.TimeoutExpired:
        return ["its tests did not end"] * len(guards)
    return [next((why for test in guard.tests if (why := _not_failing(ran, test))), None) for guard in guards]


def together(guards: Sequence[Guard]) -> list[list[Guard]]:
    """What is broken at once: the guards of a group, and each other one alone."""
    out: dict[object, list[Guard]] = {}
    for guard in guards:
        out.setdefault(guard.group or guard, []).append(guard)
    return list(out.values())


def _not_failing(ran: Ran, test: str) -> str | None:
    cases = ran.of(test)
    if not cases:
        return f"{test} did not run: {ran.output[-500:]}"
    for case in cases:
        if case.error is not None or (case.failure is not None and not case.asserted):
            return f"{case.node} breaks down instead of failing: {(case.error or case.failure or '')[:300]}"
    return None if any(case.asserted for case in cases) else f"{test} does not notice"


def failing_unbroken(copies: Sequence[Copy], guards: Sequence[Guard]) -> list[str]:
    """The named tests that do not pass as long as nothing is broken, each copy taking a part of them."""
    tests = sorted({test for guard in guards for test in guard.tests})
    size = -(-len(tests) // len(copies))
    parts = [tests[start : start + size] for start in range(0, len(tests), size)]
    with ThreadPoolExecutor(len(copies)) as pool:
        return [line for found in pool.map(_failing, copies, parts) for line in found]


def _failing(copy: Copy, tests: Sequence[str]) -> list[str]:
    ran = copy.run(tests, len(tests) * TIMEOUT_S)
    failing = [case.node for case in ran.cases if case.failure is not None or case.error is not None]
    return failing + [test for test in tests if not ran.of(test)]


def prove(guards: Sequence[Guard], folder: Path, probes: Sequence[Guard] = PROBES, at_once: int = AT_ONCE) -> list[str]:
    """Break each of the guards, and the probes first; what is not as it should be, a line each."""
    copies = [Copy(folder / str(number)) for number in range(at_once)]
    try:
        wrong = [f"{test} fails although nothing is broken" for test in failing_unbroken(copies, [*probes, *guards])]
        wrong += [f"{probe.protects}: {why}" for probe in probes for why in unnoticed(copies[0], [probe]) if why]
        return wrong or _each(guards, copies)
    finally:
        for copy in copies:
            copy.close()


def _each(guards: Sequence[Guard], all_copies: Sequence[Copy]) -> list[str]:
    copies: SimpleQueue[Copy] = SimpleQueue()
    for copy in all_copies:
        copies.put(copy)
    said = threading.Lock()

    def some(guards: list[Guard]) -> list[str]:
        copy = copies.get()
        begun = time.monotonic()
        try:
            reasons = unnoticed(copy, guards)
        finally:
            copies.put(copy)
        taken = (time.monotonic() - begun) / len(guards)
        lines = [
            f"{guard.file}: {guard.protects}" + (f": {why}" if why else "") for guard, why in zip(guards, reasons, strict=True)
        ]
        with said:
            for line, why in zip(lines, reasons, strict=True):
                print(f"{'WRONG' if why else 'ok'}  {taken:4.1f} s  {line}", flush=True)
        return [line for line, why in zip(lines, reasons, strict=True) if why]

    with ThreadPoolExecutor(len(all_copies)) as pool:
        return [line for lines in pool.map(some, together(guards)) for line in lines]


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
