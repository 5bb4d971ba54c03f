"""The matrix: every pair of values in the default session, the full product in `nox -s matrix`.

The columns that need names and a port of their own run in a network namespace with nss_wrapper (Debian: libnss-wrapper); where
either cannot be had they are skipped with the reason.
"""

from __future__ import annotations

import ctypes.util
import glob
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from filelock import FileLock

from tests.local_google import matrix
from tests.local_google.client import GEMINI, PAYING, ROOT, TARGET, project, seed
from tests.local_google.matrix import CHARGED, OWN_NAMES, PROXIED, Row

FULL: Final = os.environ.get("KEYADMIN_TEST_MATRIX") == "full"
PRINTED: Final = os.environ.get("KEYADMIN_TEST_MATRIX_OUT")  # a file: the results as Markdown, for docs/reference/matrix.md
KEY: Final = re.compile(r"AIza[\w-]{30}|AQ\.[\w-]{15}")
IDENTITY: Final = ("oauth2", "sts", "iamcredentials", "openidconnect")
ROWS: Final = matrix.all_rows() if FULL else matrix.chosen()
FAULTY: Final = matrix.fault_rows()

ABREAST: Final = 4

Results = dict[int, dict[str, Any]]


def _keys(rows: Iterable[Row]) -> dict[str, Any]:
    """The world, with a key to turn for each row that rotates one."""
    account = f"keyadmin-gemini@{TARGET}.iam.gserviceaccount.com"
    gemini = {"apiTargets": [{"service": GEMINI}]}
    named = [f"turn-{row.id}" for row in rows if row.command == "rotate"]
    keys = [
        {"keyId": name, "displayName": name, "restrictions": gemini, "serviceAccountEmail": account}
        for name in ("old-key", *named)
    ]
    others = [each for each in seed()["projects"] if each["projectId"] != TARGET]
    on = next(each["services"] for each in others if each["projectId"] == PAYING)
    return {"projects": [*others, project(TARGET, 503, on, keys=keys, serviceAccounts=["keyadmin-gemini"])]}


def _run(rows: Sequence[Row], folder: Path, *, prefix: Sequence[str] = (), env: dict[str, str] | None = None) -> Results:
    """The rows in a process of their own."""
    fixed = ["--port-443"] if prefix else []
    asked = [json.dumps(_keys(rows))]
    asked += [
        json.dumps({"id": row.id, "kind": row.kind, "network": row.network, "arguments": row.arguments(), "faults": row.faults})
        for row in rows
    ]
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "tests.local_google.inside", str(folder), *fixed],
        cwd=ROOT,
        env=dict(os.environ) | (env or {}),
        input="\n".join(asked) + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(found) == len(rows), done.stderr[-3000:]
    return {each["id"]: each for each in found}


def _once(factory: pytest.TempPathFactory, name: str, compute: Callable[[Path], Results]) -> Results:
    """Run in one of the workers, for all of them."""
    shared = factory.getbasetemp().parent if os.environ.get("PYTEST_XDIST_WORKER") else factory.getbasetemp()
    path = shared / f"matrix-{name}.json"
    with FileLock(f"{path}.lock"):
        if not path.exists():
            path.write_text(json.dumps(compute(factory.mktemp(name))))
    return {int(number): found for number, found in json.loads(path.read_text()).items()}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The rows that go through the proxy."""
    rows = [row for row in ROWS if row.network in PROXIED]
    return _once(tmp_path_factory, "proxied", lambda folder: _run(rows, folder))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The rows with faults, side by side: most of their time is waiting."""

    def compute(folder: Path) -> Results:
        parts = [FAULTY[start::ABREAST] for start in range(ABREAST)]
        folders = [folder / str(number) for number in range(ABREAST)]
        for each in folders:
            each.mkdir()
        with ThreadPoolExecutor(ABREAST) as pool:
            found = list(pool.map(_run, parts, folders))
        return {number: result for part in found for number, result in part.items()}

    return _once(tmp_path_factory, "faulty", compute)


def _wrapper() -> str | None:
    named = os.environ.get("KEYADMIN_TEST_NSS_WRAPPER") or ctypes.util.find_library("nss_wrapper")
    return named or next(iter(glob.glob("/usr/lib/*/libnss_wrapper.so*")), None)


def _namespace() -> list[str]:
    """How to start something in a network namespace of its own; skips where that is not allowed."""
    if shutil.which("unshare") is None:
        pytest.skip("no network namespace: the program unshare is not there")
    way = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    tried = subprocess.run([*way, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no network namespace: {tried.stderr.strip()}")
    return way


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The rows with names and a port 443 of their own."""
    wrapper = _wrapper()
    if wrapper is None:
        pytest.skip("names cannot be answered to one process alone: libnss-wrapper is not installed")
    way = _namespace()
    rows = [*(row for row in ROWS if row.network in OWN_NAMES), *matrix.nameless_rows()]

    def compute(folder: Path) -> Results:
        env = {"LD_PRELOAD": wrapper, "NSS_WRAPPER_HOSTS": str(folder / "hosts"), "GRPC_DNS_RESOLVER": "native"}
        return _run(rows, folder, prefix=way, env=env)

    return _once(tmp_path_factory, "direct", compute)


def table(title: str, cells: dict[tuple[str, str], list[str]], across: Sequence[str], corner: str) -> str:
    """A Markdown table: `cells[(row, column)]` holds what came of each try; the same outcome stands once."""
    down = list(dict.fromkeys(row for row, _ in cells))
    lines = [f"## {title}", "", f"| {corner} | {' | '.join(across)} |", "| --- |" + " --- |" * len(across)]
    for row in down:
        shown = [", ".join(dict.fromkeys(cells.get((row, column), ["-"]))) for column in across]
        lines.append(f"| {row} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def outcome(found: dict[str, Any]) -> str:
    """`done`, or the cause that it ended with."""
    if found["code"] in (0, 3):
        return "done"
    cause = json.loads(found["err"].splitlines()[-1])["error"]["cause"]
    return f"{cause} ({found['code']})"


def page(results: Results) -> str:
    """All that was tried, in two tables."""
    named = matrix.nameless_rows()
    tried: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        tried.setdefault((row.kind, row.network), []).append(outcome(results[row.id]))
    faults: dict[tuple[str, str], list[str]] = {}
    for row in (*FAULTY, *named):
        fault, _, place = row.label.partition(" | ")
        faults.setdefault((fault, place), []).append(outcome(results[row.id]))
    longest = max(found["seconds"] for found in results.values())
    head = (
        "# What was tried on the production path\n\n"
        "Written by `nox -s matrix` from a run against the local Google of `tests/local_google`; nothing here has run against\n"
        "Google itself. What is behind it: [the production path](../production.md).\n\n"
        f"{len(ROWS)} command lines (create, list, verify, rotate and audit in each cell), {len(FAULTY) + len(named)} with a\n"
        f"fault; none took longer than {_bound(longest)} s. `done` = exit code 0 (an audit may find something: 3); else the\n"
        "cause and the exit code. In every one the wire log showed no key string in a URL or CONNECT line, no OAuth token\n"
        "beside a key check, and exactly the right `x-goog-user-project` on every call.\n\n"
    )
    first = table("Credentials and networks", tried, matrix.NETWORKS, "credentials")
    return head + first + "\n" + table("Faults and places", faults, list(matrix.WHERE), "fault")


def _bound(seconds: float) -> int:
    """Rounded up to a step that a busy machine does not change."""
    return next(step for step in (5, 15, 30, 60) if seconds <= step)


def judge(row: Row, found: dict[str, Any]) -> None:
    """Code, cause and words; a bound on time; and what the wire log proves."""
    assert found["code"] in ((0, 3) if row.command == "audit" and row.code == 0 else (row.code,)), (row, found["err"])
    if row.code:
        error = json.loads(found["err"].splitlines()[-1])["error"]
        assert error["cause"] == row.cause, (row, error)
        assert row.said in json.dumps(error), (row, error)
    elif row.command == "audit":
        assert json.loads(found["out"])["summary"]["errors"] == 0, (row, found["out"])
    assert "Traceback" not in found["err"]
    assert "unexpected" not in found["err"]
    assert found["seconds"] < 60
    prove(row, found["log"])


def prove(row: Row, log: list[dict[str, Any]]) -> None:
    """No key string in a URL or CONNECT line, no OAuth token beside a key check, one right quota project on every call."""
    assert log, row
    for entry in log:
        headers = entry["headers"]
        assert not KEY.search(entry["line"]), entry
        if entry["protocol"] == "connect":
            assert not KEY.search(json.dumps(headers)), entry
        elif entry["host"] == GEMINI:
            assert "x-goog-api-key" in headers, entry
            assert "authorization" not in headers, entry
            assert "x-goog-user-project" not in headers, entry
        elif entry["protocol"] != "metadata" and entry["host"].partition(".")[0] not in IDENTITY:
            assert headers["authorization"].startswith("Bearer "), entry
            assert headers.get("x-goog-user-project") == CHARGED.get(row.kind), (row, entry)
            assert "x-goog-user-project" not in entry["repeated"], entry
            assert "authorization" not in entry["repeated"], entry


def _named(row: Row) -> str:
    return f"{row.kind}-{row.network}-{row.command}"


def test_every_pair_of_values_is_tried() -> None:
    """Counted, not believed."""
    assert matrix.pairs(matrix.chosen()) == matrix.pairs(matrix.all_rows())
    assert {row.label for row in FAULTY} >= {f"{fault} | {place}" for fault in ("hang", "GOAWAY") for place in matrix.WHERE}


@pytest.mark.parametrize("row", [row for row in ROWS if row.network in PROXIED], ids=_named)
def test_credentials_networks_and_commands(row: Row, proxied: Results) -> None:
    judge(row, proxied[row.id])


@pytest.mark.parametrize("row", [row for row in ROWS if row.network in OWN_NAMES], ids=_named)
def test_the_same_without_a_proxy(row: Row, direct: Results) -> None:
    judge(row, direct[row.id])
    assert not [entry for entry in direct[row.id]["log"] if entry["protocol"] == "connect"]


@pytest.mark.parametrize("row", FAULTY, ids=lambda row: row.label)
def test_faults(row: Row, faulty: Results) -> None:
    judge(row, faulty[row.id])


@pytest.mark.parametrize("row", matrix.nameless_rows(), ids=lambda row: row.label)
def test_names_that_are_not_found(row: Row, direct: Results) -> None:
    found = direct[row.id]
    assert found["code"] == row.code, found["err"]
    assert json.loads(found["err"].splitlines()[-1])["error"]["cause"] == "network-unreachable"
    assert found["seconds"] < 60


@pytest.mark.skipif(not PRINTED, reason="the page is written by nox -s matrix")
def test_the_page_of_the_docs_is_written(proxied: Results, faulty: Results, direct: Results) -> None:
    """Last, when everything above was judged."""
    assert PRINTED is not None
    Path(PRINTED).write_text(page(proxied | faulty | direct), "utf-8")
