"""`rotation schedule`, as typed: files printed or written, and what is told beside them."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import socket
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin import __version__
from keyadmin.model.problem import Exit, Problem
from keyadmin.unattended.schedule.install import CHOICES, as_running

Cli = Callable[..., Any]
RULE = '[[rule]]\nname = "the rule"\nprojects = ["{}"]\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands are typed in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMIT = "0123456789" * 4
FROM = ("--install-from", f"git:https://git.example/keyadmin.git@{COMMIT}")


def schedule(cli: Cli, engine: str, *words: str) -> Any:
    """Typed with how it is installed where that is asked for: the tests run a keyadmin of a folder of this machine."""
    source = FROM if engine in ("cloud-run", "kubernetes", "github-actions") and "--install-from" not in words else ()
    return cli("rotation", "schedule", engine, "-p", "my-project", *source, *words)


def test_files_are_written_scripts_can_be_run_and_a_second_time_changes_nothing(cli: Cli, here: Path) -> None:
    first = schedule(cli, "github-actions", "--output", "out")
    assert first.code == 0, first.err
    assert "There is no policy file keyadmin.toml yet" in first.err
    names = sorted(str(path.relative_to(here / "out")) for path in (here / "out").rglob("*") if path.is_file())
    assert ".github/workflows/keyadmin-rotation.yml" in names
    assert (here / "out" / "setup.sh").stat().st_mode & 0o777 == 0o755
    assert (here / "out" / "keyadmin-rotation-role.yaml").stat().st_mode & 0o777 == 0o644
    assert schedule(cli, "github-actions", "--output", "out").code == 0
    refused = schedule(cli, "github-actions", "--tasks", "2", "--output", "out")
    assert refused.code == 1
    assert "is there already and differs" in refused.err


def test_files_are_data(cli: Cli, here: Path) -> None:
    printed = schedule(cli, "systemd", "--format", "json")
    assert {"path", "content"} == set(json.loads(printed.out)[0])
    shown = schedule(cli, "systemd")
    assert "# ==> keyadmin-rotation.service" in shown.out
    assert not list(here.glob("*.sh"))


def test_projects_by_pattern_are_left_to_the_person(cli: Cli, here: Path) -> None:
    (here / "keyadmin.toml").write_text(RULE.format("web-*") + "sinks = []\n")
    done = schedule(cli, "cron")
    assert "setup.sh cannot know which projects web-* are" in done.err
    assert 'PROJECTS=""' in done.out


@pytest.mark.parametrize("machine", ["elsewhere-1", None])
def test_sinks_of_a_machine_are_not_for_containers(cli: Cli, here: Path, machine: str | None) -> None:
    name = machine or socket.gethostname()
    (here / "keyadmin.toml").write_text(RULE.format("my-shop") + f'sinks = ["env-file:/srv/.env"]\nmachine = "{name}"\n')
    for engine in ("cloud-run", "kubernetes", "github-actions"):
        done = schedule(cli, engine, "--quiet")
        assert done.code == 0
        assert f"the rule: its env-file and exec sinks belong to the machine {name}; {engine} leaves its keys alone" in done.err
    for engine in ("systemd", "cron"):
        told = schedule(cli, engine).err
        assert ("install the files there" in told) is (machine is not None)


@pytest.mark.parametrize(
    ("engine", "words", "mend"),
    [
        ("systemd", ["--tasks", "2"], "cloud-run, kubernetes or github-actions"),
        ("cron", ["--tasks", "2"], "cloud-run, kubernetes or github-actions"),
        ("cloud-run", ["--tasks", "1000", "--every", "hourly"], "take at most"),
        ("github-actions", ["--tasks", "257"], "--tasks 256"),
        ("at", [], "use one of: systemd"),
        ("cron", ["--every", "yearly"], "use one of hourly"),
        ("cloud-run", ["--region", "here"], "europe-west1"),
    ],
)
def test_what_an_engine_cannot_do_is_usage_with_the_mend(
    cli: Cli, here: Path, engine: str, words: list[str], mend: str
) -> None:
    done = schedule(cli, engine, *words)
    assert done.code == 2
    assert mend in done.err
    assert not done.out


def test_a_wrong_policy_is_told_before_anything_is_printed(cli: Cli, here: Path) -> None:
    (here / "keyadmin.toml").write_text("[[rule]]\nprojects = [1]\n")
    done = schedule(cli, "cron")
    assert done.code == 2
    assert "keyadmin.toml, line 2" in done.err
    assert not done.out


# ---- how it is installed -----------------------------------------------------------------------------------------------------

SHARED = ("cloud-run", "kubernetes", "github-actions")


def _added(said: str) -> list[str]:
    """The options that the message says to add."""
    return shlex.split(next(line for line in said.splitlines() if "and add:" in line).partition("and add:")[2])


@pytest.mark.parametrize("engine", SHARED)
def test_from_a_folder_of_this_machine_nobody_else_can_install_it(cli: Cli, here: Path, engine: str) -> None:
    done = cli("rotation", "schedule", engine, "-p", "my-project")
    assert done.code == 2
    assert "a folder of this machine" in done.err
    for choice in ("wheel:PATH", "git:REPOSITORY@COMMIT", "index:NAME==VERSION"):
        assert f"--install-from {choice}" in done.err
    wheel = f"keyadmin-{__version__}-py3-none-any.whl"
    assert f"pip wheel --no-deps --wheel-dir deploy {Path(__file__).parents[3]}" in done.err
    (here / "deploy").mkdir()
    (here / "deploy" / wheel).write_bytes(b"as pip made it")
    again = cli("rotation", "schedule", engine, "-p", "my-project", *_added(done.err))
    assert again.code == 0, again.err
    name = "Dockerfile" if engine != "github-actions" else ".github/workflows/keyadmin-rotation.yml"
    assert wheel in (here / "deploy" / name).read_text()
    assert not done.out


@pytest.mark.parametrize("engine", ["systemd", "cron"])
def test_one_machine_runs_the_program_that_is_installed_there(cli: Cli, here: Path, engine: str) -> None:
    done = schedule(cli, engine)
    assert done.code == 0, done.err
    program = str(Path(sysconfig.get_path("scripts")) / "keyadmin")
    assert f"KEYADMIN={program}" in done.out
    line = f"ExecStart={program} --no-sandbox" if engine == "systemd" else f"{program} --no-sandbox"
    assert line in done.out
    assert "pip install" not in done.out
    refused = schedule(cli, engine, "--install-from", FROM[1])
    assert refused.code == 2
    assert "is installed on its machine" in refused.err


@pytest.mark.parametrize("engine", SHARED)
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (FROM, f"keyadmin @ git+https://git.example/keyadmin.git@{COMMIT}"),
        (("--install-from", "index:our-keyadmin==1.2.3", "--hash", f"sha256:{'b' * 64}"), f"--hash=sha256:{'b' * 64}"),
        (("--install-from", "wheel:dist/keyadmin-1-py3-none-any.whl", "--hash", f"sha256:{'c' * 64}"), f"{'c' * 64}  "),
    ],
    ids=["git", "index", "wheel"],
)
def test_what_is_printed_installs_what_was_named(cli: Cli, here: Path, engine: str, words: tuple[str, ...], shown: str) -> None:
    done = schedule(cli, engine, *words)
    assert done.code == 0, done.err
    assert shown in done.out
    for line in done.out.splitlines():
        if "pip install" in line:
            words_of = shlex.split(line.partition("pip install")[2].removesuffix("\\"))
            assert not [word for word in words_of if re.match(r"(our-)?keyadmin\b(?!-1-py3| @ git)", word)], line
    if engine == "github-actions":
        (text,) = [each for each in done.out.split("# ==> ") if each.startswith(".github/")]
        steps = yaml.safe_load(text.partition("\n")[2])["jobs"]["rotate"]["steps"]
        (step,) = [each for each in steps if each.get("name") == "Install"]
        assert shown in step["run"]


def test_a_wheel_that_is_here_is_told_by_its_hash_and_copied(cli: Cli, here: Path) -> None:
    wheel = here / "keyadmin-9-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    digest = hashlib.sha256(b"a wheel").hexdigest()
    done = schedule(cli, "kubernetes", "--install-from", "wheel:keyadmin-9-py3-none-any.whl")
    assert f"echo '{digest}  /tmp/keyadmin-9-py3-none-any.whl' | sha256sum --check -" in done.out
    assert f"[ -r ./keyadmin-9-py3-none-any.whl ] || cp -- {wheel} ./" in done.out
    other = schedule(cli, "kubernetes", "--install-from", f"wheel:{wheel}", "--hash", f"sha256:{'0' * 64}")
    assert other.code == 2
    assert digest in other.err


@pytest.mark.parametrize(
    "words",
    [
        ("keyadmin",),
        ("index:keyadmin",),
        ("index:keyadmin==1",),
        ("index:keyadmin==1; rm -rf /", "--hash", f"sha256:{'b' * 64}"),
        ("index:keyadmin==1", "--hash", "sha256:short"),
        ("git:https://git.example/keyadmin.git@main",),
        ("git:https://git.example/keyadmin.git@abc1234",),
        (f"git:https://me:secret@git.example/keyadmin.git@{COMMIT}",),
        (f"git:file:///srv/keyadmin@{COMMIT}",),
        (f"git:https://git.example/$(id)@{COMMIT}",),
        ("wheel:missing-1-py3-none-any.whl",),
        ("wheel:a b.whl", "--hash", f"sha256:{'b' * 64}"),
        ("wheel:x.whl'; id #", "--hash", f"sha256:{'b' * 64}"),
        ("folder:.",),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("engine", SHARED)
def test_what_is_not_pinned_or_could_be_read_as_something_else_is_refused(
    cli: Cli, here: Path, engine: str, words: tuple[str, ...]
) -> None:
    done = schedule(cli, engine, "--install-from", *words)
    assert done.code == 2, done.out[:200]
    assert not done.out


@pytest.mark.parametrize("wheel", ["/srv/x.whl", "../x.whl"])
def test_a_workflow_finds_its_wheel_in_its_repository_only(cli: Cli, here: Path, wheel: str) -> None:
    done = schedule(cli, "github-actions", "--install-from", f"wheel:{wheel}", "--hash", f"sha256:{'b' * 64}")
    assert done.code == 2


URL = "https://git.example/keyadmin.git"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"url": URL, "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": COMMIT}}, ("git", URL, COMMIT)),
        ({"url": "file:///x.whl", "archive_info": {"hashes": {"sha256": "d" * 64}}}, ("wheel", "/x.whl", "")),
        ({"url": "file:///x.whl", "archive_info": {"hash": f"sha256={'d' * 64}"}}, ("wheel", "/x.whl", "")),
        ({"url": "file:///srv/keyadmin", "dir_info": {"editable": True}}, None),
        ({"url": "file:///srv/keyadmin", "dir_info": {}}, None),
        ({"url": "file:///srv/keyadmin", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}, None),
        ({"url": "https://files.example/keyadmin-1.whl", "archive_info": {}}, None),
        ({"url": URL}, None),
        ([], None),
    ],
)
def test_where_nothing_is_said_it_is_installed_as_this_one(told: Any, expected: tuple[str, ...] | None) -> None:
    if expected is None:
        with pytest.raises(Problem) as caught:
            as_running(json.dumps(told))
        assert caught.value.exit is Exit.USAGE
        assert caught.value.fix == CHOICES
    else:
        source = as_running(json.dumps(told))
        assert (source.kind, source.what, source.pin) == expected


# ---- whatever stands in a path is text ---------------------------------------------------------------------------------


def test_a_unit_file_takes_any_folder_for_a_path(cli: Cli, here: Path) -> None:
    (here / "keyadmin.toml").write_text(
        RULE.format("my-shop") + f"""sinks = ['env-file:/srv/50% "off" $HOME/.env']\nmachine = "{socket.gethostname()}"\n"""
    )
    done = schedule(cli, "systemd")
    assert done.code == 0, done.err
    (line,) = [each for each in done.out.splitlines() if each.startswith("ReadWritePaths=")]
    assert line == r'ReadWritePaths=/var/lib/keyadmin "-/srv/50%% \"off\" $HOME"'


@pytest.mark.parametrize("sign", ["\\n", "\\u0007", "\\u2028"])
def test_a_path_that_would_go_on_as_another_line_is_refused(cli: Cli, here: Path, sign: str) -> None:
    sinks = f'sinks = ["env-file:/srv/a{sign}ExecStart=/bin/sh/.env"]\nmachine = "{socket.gethostname()}"\n'
    (here / "keyadmin.toml").write_text(RULE.format("my-shop") + sinks)
    done = schedule(cli, "systemd")
    assert done.code == 2
    assert "control character" in done.err


@pytest.mark.parametrize("text", ["# a\u2028b\n", "# \u0085x\n", "# plain\r\n", '# "quoted" %s {{x}}: - |\n', "\n\n# tail\n\n"])
def test_a_manifest_holds_the_policy_as_it_is(cli: Cli, here: Path, text: str) -> None:
    policy = text + RULE.format("my-shop") + "sinks = []\n"
    (here / "keyadmin.toml").write_bytes(policy.encode())
    done = schedule(cli, "kubernetes", "--format", "json")
    assert done.code == 0, done.err
    (manifest,) = [each["content"] for each in json.loads(done.out) if each["path"] == "keyadmin-rotation.yaml"]
    (held,) = [each["data"] for each in yaml.safe_load_all(manifest) if each["kind"] == "ConfigMap"]
    assert held["keyadmin.toml"].rstrip("\n") == policy.replace("\r\n", "\n").rstrip("\n")


def test_nothing_that_is_documented_or_shipped_installs_keyadmin_by_its_bare_name() -> None:
    """Nobody owns that name in the public index: whoever took it would run code on all these machines."""
    root = Path(__file__).parents[3]
    files = [root / "README.md", *(root / "docs").rglob("*.md"), *(root / "keyadmin").rglob("templates/**/*")]
    bare = re.compile(r"(?:pip|pipx|uv(?: pip| tool)?) install (?:-\S+ )*[\"']?keyadmin(?![\w.-]|[\"']? @ )")
    wrong = [
        f"{path.name}: {line.strip()}"
        for path in filter(Path.is_file, files)
        for line in path.read_text("utf-8", errors="replace").splitlines()
        if bare.search(line)
    ]
    assert wrong == []
    assert bare.search("pip install keyadmin==1")
    assert bare.search('RUN pip install --no-cache-dir "keyadmin"')
