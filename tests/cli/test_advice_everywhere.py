"""Each place where keyadmin puts a command together has a case, which prints the command and types it.

A new call of `typed` or `gcloud` fails the first test until PRINTED_BY says which case of tests/cli/printed_cases.py prints it,
TYPED_IN which test reads or follows it, or UNTYPED why none can.
"""

from __future__ import annotations

import inspect
import shlex
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from keyadmin.cli.app import ROOT
from keyadmin.cli.printed import use_table
from keyadmin.model import command_line
from tests.architecture.printed import site_of, sites
from tests.cli.printed_cases import AUTH, CASES, Case
from tests.cli.printed_sites import PRINTED_BY, TYPED_IN, UNTYPED
from tests.cli.test_advice import parsed
from tests.cli.test_advice_typed import ASKED, Neighbours, filled_in, world

Printed = list[tuple[str, str]]
"""Places and the commands that were put together there."""


@contextmanager
def watched() -> Iterator[Printed]:
    """Every command that is put together meanwhile, with the place in the code."""
    found: Printed = []

    def kept(text: str) -> str:
        here = inspect.currentframe()
        assert here is not None and here.f_back is not None and here.f_back.f_back is not None  # noqa: PT018
        if (site := site_of(here.f_back.f_back)) is not None:
            found.append((site.name, text))
        return text

    def spy_typed(path: str, *arguments: str, **options: Any) -> str:
        return _kept(_typed(path, *arguments, **options))  # type: ignore[name-defined] # noqa: F821 (of the other module)

    def spy_gcloud(path: str, *arguments: str, **options: Any) -> str:
        return _kept(_gcloud(path, *arguments, **options))  # type: ignore[name-defined] # noqa: F821

    real = {"typed": command_line.typed.__code__, "gcloud": command_line.gcloud.__code__}
    inside = vars(command_line)
    inside["_kept"] = kept
    for name, spy in (("typed", spy_typed), ("gcloud", spy_gcloud)):
        inside[f"_{name}"] = types.FunctionType(real[name], inside)
        getattr(command_line, name).__code__ = spy.__code__  # modules hold the function itself
    try:
        yield found
    finally:
        for name, code in real.items():
            getattr(command_line, name).__code__ = code
            del inside[f"_{name}"]
        del inside["_kept"]


def ready(case: Case, served: Any, folder: Path) -> None:
    """The world of a case."""
    now = served.control("")["now"]
    web = {"keyId": "web", "displayName": "site", **AUTH, **case.web}
    web = {name: now if value == "now" else value for name, value in web.items() if value is not None}
    seed = world(web, *case.keys)
    seed["projects"] += case.projects
    served.seed(**seed)
    role = "organizations/1000/roles/maker"
    makes = [
        "resourcemanager.projects.get",
        "serviceusage.services.enable",
        "apikeys.keys.create",
        "iam.serviceAccounts.create",
    ]
    makes += ["iam.serviceAccountApiKeyBindings.create"]
    served.seed(customRoles={role: makes}, projects=[{"projectId": "demo-project", "iam": {role: ["user:maker@example.com"]}}])
    for name, text in case.files.items():
        (folder / name).write_text(text)


def plain(text: str) -> str:
    """Without the line ends of the terminal."""
    return " ".join(text.split())


def run_case(cli: Callable[..., Any], served: Any, folder: Path, case: Case) -> tuple[Printed, dict[str, str], Any]:
    """Type the case's line: what was put together and printed, the environment, and how it ended."""
    ready(case, served, folder)
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": case.user, "COLUMNS": "4000", "SHELL": "/bin/bash"}
    env |= ({"KEYADMIN_PROJECT": case.project} if case.project else {}) | case.env
    owner = env | {"KEYADMIN_SANDBOX_USER": "owner@example.com"}
    (folder / "leak.txt").write_text(cli("keys", "show", "other", "-p", "demo-project", env=owner).out)
    for line in case.before:
        done = cli(*shlex.split(line.format(successor=successor(served))), "--sandbox", env=owner)
        assert done.code in (0, 3), (line, done.err)
    for fault in case.faults:
        served.control("faults", fault)
    with watched() as found:
        words = shlex.split(case.words.format(port=served.rest.rpartition(":")[2], successor=successor(served)))
        done = cli(
            *words, *([] if "--no-sandbox" in words else ["--sandbox"]), env=env, stdin=case.stdin, terminal=case.terminal
        )
    assert "Traceback" not in done.err
    shown = plain(f"{done.out}\n{done.err}")
    served.control("faults", method="DELETE")
    return [(site, text) for site, text in dict.fromkeys(found) if plain(text) in shown], owner, done


def successor(served: Any) -> str:
    """The id of the newest successor, if there is one."""
    found = [
        name for name, key in Neighbours(served.rest).keys("demo-project").items() if "/ka-" in name and not key["deleteTime"]
    ]
    return found[-1].rpartition("/")[2] if found else ""


def test_each_place_that_prints_a_command_has_a_case() -> None:
    places = {site.name for site in sites()}
    missing = sorted(places - {*PRINTED_BY, *TYPED_IN, *UNTYPED})
    assert not missing, (
        "these commands are printed and typed by no test: add a line to tests/cli/printed_cases.py that makes keyadmin print "
        f"them, and the place to PRINTED_BY of tests/cli/printed_sites.py, or TYPED_IN where a test follows it: {missing}"
    )
    assert not sorted({*PRINTED_BY, *TYPED_IN, *UNTYPED} - places), "these places are gone"
    assert not sorted({*PRINTED_BY.values()} - {*CASES}), "there are no such cases"
    assert all(UNTYPED.values()), "why not?"


@pytest.mark.parametrize("place", sorted(set(TYPED_IN.values())))
def test_what_is_typed_elsewhere_is_there(place: str) -> None:
    path, _, name = place.partition("::")
    assert f"def {name}(" in Path(__file__).parents[2].joinpath(path).read_text()


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_printed_can_be_typed_and_takes_nothing_away(
    cli: Callable[..., Any], served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    printed, env, done = run_case(cli, served, tmp_path, case)
    expected = {site for site, by in PRINTED_BY.items() if by == name}
    assert expected <= {site for site, _ in printed}, (expected, printed, done)
    around = Neighbours(served.rest)
    before = around.standing("web")
    for _, line in printed:
        type_it(cli, env, case, line)
    if case.again:
        again = cli(*shlex.split(case.again), "--sandbox", env=env)
        assert again.code == 0, (again.out, again.err)
    after = around.standing("web")
    kept = [
        place for place in before if not (case.about and f"projects/100000000001/locations/global/keys/{case.about}" in place)
    ]
    assert {place: after.get(place) for place in kept} == {place: before[place] for place in kept}


def type_it(cli: Callable[..., Any], env: dict[str, str], case: Case, line: str) -> None:
    """A command as it was printed. gcloud's are whole; they run in doctor/test_doctor_typed.py, where gcloud is."""
    if line.startswith("gcloud "):
        assert all("=" in word for word in shlex.split(line) if word.startswith("--")), line
        return
    words = filled_in(line.replace("...", ""), **case.names)  # ID... = one or more
    if words[:2] == ["sandbox", "serve"]:
        parsed(line)
        return
    sandbox = [] if "--sandbox" in words else ["--sandbox"]
    if words[:3] == ["audit", "fix", "--apply"]:  # nobody waits to see what comes of each wave
        sandbox += ["--observe", "0s"]
    done = cli(*words, *sandbox, env=env | {"KEYADMIN_PROJECT": "demo-project"}, stdin="API key expired")
    if done.code == 2 and ASKED in done.err:
        done = cli(*words, *sandbox, "--yes", env=env, stdin="")
    assert done.code in (0, 1, 3), (line, done.err)
    assert "went wrong" not in done.err, (line, done.err)


use_table({each: entry.target for each, entry in ROOT.entries.items()})
