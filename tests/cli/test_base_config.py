"""`config get|set|list`, the files behind it, and the list of imported projects."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from keyadmin.local.config import Config
from keyadmin.local.imports import Imports
from keyadmin.model.problem import Cause, Problem


def test_a_setting_is_kept_and_its_source_named(cli, config_home: Path) -> None:
    assert cli("config", "set", "project", "my-project").code == 0
    assert cli("config", "get", "project").out == "my-project\n"
    listed = {each["name"]: each for each in cli("config", "list", "--format", "json").json}
    assert listed["project"] == {"name": "project", "value": "my-project", "source": str(config_home / "config.json")}
    assert listed["format"]["source"] == "--format"
    assert listed["quota-project"] == {"name": "quota-project", "value": None, "source": None}


def test_a_setting_is_the_default_of_its_option(cli) -> None:
    cli("config", "set", "format", "json")
    assert cli("config", "get", "format").json["value"] == "json"
    assert cli("config", "get", "format", "--format", "table").out == "table\n"
    assert cli("config", "get", "format", env={"KEYADMIN_FORMAT": "yaml"}).out.startswith("name: format")


def test_an_empty_value_removes(cli) -> None:
    cli("config", "set", "project", "my-project")
    cli("config", "set", "project", "")
    assert cli("config", "get", "project", "--format", "json").json == {"name": "project", "value": None, "source": None}


def test_a_setting_that_a_variable_outranks_is_said(cli) -> None:
    done = cli("config", "set", "project", "my-project", env={"GOOGLE_CLOUD_PROJECT": "other-project"})
    assert done.code == 0
    assert "Warning: GOOGLE_CLOUD_PROJECT outranks the stored setting; it says other-project" in done.err
    assert "Warning" not in cli("config", "set", "project", "my-project").err


def test_the_sandbox_and_google_never_share_settings(cli) -> None:
    cli("config", "set", "project", "for-google")
    cli("--sandbox", "config", "set", "project", "for-sandbox")
    assert cli("config", "get", "project").out == "for-google\n"
    assert cli("config", "get", "project", "--sandbox").out == "for-sandbox\n"


@pytest.mark.parametrize(
    "command", ["config set project my-project", "--sandbox projects import demo-project", "--sandbox projects create my-shop"]
)
def test_a_home_that_cannot_be_written_is_named(cli, config_home: Path, command: str) -> None:
    config_home.parent.mkdir()
    config_home.symlink_to("nowhere")  # root, too, can make no folder of that name: as on a read-only file system
    done = cli(*command.split())
    assert done.code == 1
    assert f"Error: {config_home}" in done.err
    assert "cannot be written: File exists" in done.err
    assert f"What to do: see that {config_home}" in done.err


def test_the_files_are_the_owners_alone(cli, config_home: Path) -> None:
    cli("config", "set", "project", "my-project")
    assert stat.S_IMODE(config_home.stat().st_mode) == 0o700
    assert stat.S_IMODE((config_home / "config.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "line",
    [
        ("set", "projet", "x"),
        ("get", "projet"),
        ("set", "project", "a b"),
        ("set", "format", "toml"),
        ("set", "quota-project", "a b"),
    ],
    ids=" ".join,
)
def test_wrong_settings_are_refused_and_nothing_is_written(cli, config_home: Path, line) -> None:
    done = cli("config", *line)
    assert done.code == 2
    assert not (config_home / "config.json").exists()


def test_a_mistyped_setting_is_answered_with_the_near_one(cli) -> None:
    assert "did you mean 'project'?" in cli("config", "get", "projet").err


@pytest.mark.parametrize("content", ["{", "[]", '{"project": 5}', "\xff"])
def test_a_damaged_file_is_named_and_left_as_it_was(cli, config_home: Path, content: str) -> None:
    path = config_home / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text(content, "latin-1")
    for line in (("get", "project"), ("set", "project", "my-project")):
        done = cli("config", *line)
        assert done.code == 1
        assert str(path) in done.err
        assert path.read_text("latin-1") == content


def test_an_unwritable_place_is_said_plainly(cli, home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = cli("config", "set", "project", "my-project", env={"XDG_CONFIG_HOME": str(tmp_path / "file")})
    assert done.code == 1
    assert "cannot be" in done.err
    assert "Traceback" not in done.err


ADD_MANY = """
import sys
from pathlib import Path
from keyadmin.local import locks
from keyadmin.local.imports import Imports
locks.LOCK_TIMEOUT_S = 170  # a person waits ten seconds; here every process wants the lock all the time
for name in sys.argv[2:]:
    Imports("a@example.com", sandbox=False, directory=Path(sys.argv[1])).add([name])
"""


def test_imports_of_several_processes_at_once_are_all_kept(tmp_path: Path) -> None:
    shares = [[f"project-{worker}-{number}" for number in range(10)] for worker in range(4)]
    workers = [subprocess.Popen([sys.executable, "-c", ADD_MANY, str(tmp_path), *share]) for share in shares]
    assert [worker.wait(180) for worker in workers] == [0] * 4
    assert sorted(Imports("a@example.com", sandbox=False, directory=tmp_path).ids()) == sorted(
        name for share in shares for name in share
    )


def test_each_account_and_each_world_has_its_own_imports(tmp_path: Path) -> None:
    mine = Imports("a@example.com", sandbox=False, directory=tmp_path)
    assert mine.add(["one", "two", "one"]) == ["one", "two"]
    assert mine.add(["two", "three"]) == ["three"]
    assert mine.remove(["two", "never"]) == ["two"]
    assert mine.ids() == ["one", "three"]
    assert Imports("b@example.com", sandbox=False, directory=tmp_path).ids() == []
    assert Imports("a@example.com", sandbox=True, directory=tmp_path).ids() == []
    assert Imports(None, sandbox=False, directory=tmp_path).ids() == []


@pytest.mark.parametrize("content", ["[", "[]", '{"a": "b"}', '{"a": [1]}'])
def test_a_damaged_import_list_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "imports.json").write_text(content)
    with pytest.raises(Problem) as caught:
        Imports("a", sandbox=False, directory=tmp_path).ids()
    assert str(tmp_path / "imports.json") in caught.value.message


def test_waiting_for_a_lock_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr("keyadmin.local.locks.LOCK_TIMEOUT_S", 0.05)
    config = Config(sandbox=False, directory=tmp_path)
    with FileLock(f"{config.path}.lock"), pytest.raises(Problem) as caught:
        config.set("project", "x")
    assert caught.value.cause is Cause.CONFLICT


def test_the_file_is_json_that_other_tools_can_read(cli, config_home: Path) -> None:
    cli("config", "set", "project", "my-project")
    assert json.loads((config_home / "config.json").read_text()) == {"project": "my-project"}
