"""Each recipe of docs/contributing, followed word by word: the throw-away thing works everywhere."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.architecture.recipes import RECIPES, ROOT, blocks, follow, served, typed

NAMES = sorted(path.stem for path in RECIPES.glob("*.md") if path.stem != "README")


def test_every_recipe_is_listed_and_has_a_test() -> None:
    listed = (RECIPES / "README.md").read_text()
    for name in NAMES:
        assert f"({name}.md)" in listed
        assert f"test_{name.replace('-', '_')}" in globals(), f"no test follows {name}.md"


@pytest.mark.parametrize("name", NAMES)
def test_what_recipes_show_passes_the_linter(name: str, tmp_path: Path) -> None:
    pytest.importorskip("ruff", reason="ruff is not installed")
    copy = follow(name, tmp_path)
    words = [sys.executable, "-m", "ruff", "check", "-q", "--config", str(ROOT / "pyproject.toml")]
    words += [path for path, _, _ in blocks(name)]
    done = subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_sink(tmp_path: Path) -> None:
    copy = follow("sink", tmp_path)
    file = copy / "taken"
    made = typed(copy, "--sandbox", "keys", "create", "--name", "web", "--to", f"shout:{file}", "--format", "json")
    assert made.returncode == 0, made.stderr
    first = file.read_text()
    assert first.startswith("AQ.SANDBOX-")
    rotated = typed(copy, "--sandbox", "keys", "rotate", "web", "--to", f"shout:{file}", "--yes", "--format", "json")
    assert rotated.returncode == 0, rotated.stderr
    assert file.read_text().startswith(first)
    assert len(file.read_text().splitlines()) == 2
    wrong = typed(copy, "--sandbox", "keys", "hand-over", "web", "--to", "nowhere")
    assert "shout:PATH" in wrong.stderr
    rule = f'[[rule]]\nprojects = ["demo-project"]\nmachine = "{socket.gethostname()}"\nsinks = ["shout:{file}"]\n'
    (copy / "keyadmin.toml").write_text(rule)
    planned = typed(copy, "--sandbox", "rotation", "plan", "--policy", "keyadmin.toml", "--format", "json")
    assert planned.returncode == 0, planned.stderr


def test_audit_rule(tmp_path: Path) -> None:
    copy = follow("audit-rule", tmp_path)
    assert typed(copy, "--sandbox", "keys", "create", "--name", "x").returncode == 0
    found = typed(copy, "--sandbox", "audit", "-p", "demo-project", "--rule", "short-name", "--format", "json")
    assert found.returncode == 0, found.stderr
    (finding,) = json.loads(found.stdout)["findings"]
    assert (finding["rule"], finding["severity"], finding["keyName"]) == ("short-name", "low", "x")
    assert " keys rename " in finding["fix"], "the rule's own way is what is to be typed"
    sarif = json.loads(typed(copy, "--sandbox", "audit", "-p", "demo-project", "--format", "sarif").stdout)
    assert "short-name" in [rule["id"] for rule in sarif["runs"][0]["tool"]["driver"]["rules"]]


def test_cause(tmp_path: Path) -> None:
    copy = follow("cause", tmp_path)
    by_words = typed(copy, "explain", "Error 403: The API key is on loan.", "--format", "json")
    assert (by_words.returncode, json.loads(by_words.stdout)["cause"]) == (0, "key-on-loan"), by_words.stderr
    detail = (
        '{"error": {"code": 403, "details": [{"reason": "API_KEY_ON_LOAN", "metadata": {"consumer": "projects/my-project"}}]}}'
    )
    by_reason = json.loads(typed(copy, "explain", detail, "--format", "json").stdout)
    assert by_reason["cause"] == "key-on-loan"
    assert by_reason["fix"][0].endswith(" keys list --project my-project    # take another one")


def test_report_format(tmp_path: Path) -> None:
    copy = follow("report-format", tmp_path)
    by_option = typed(copy, "--sandbox", "audit", "--format", "lines")
    assert by_option.stdout.startswith("high "), by_option.stderr
    typed(copy, "--sandbox", "audit", "--output", "report.lines")
    assert (copy / "report.lines").read_text() == by_option.stdout


def test_command(tmp_path: Path) -> None:
    copy = follow("command", tmp_path)
    assert typed(copy, "--sandbox", "keys", "count", "-p", "demo-project").stdout == "0\n"
    assert json.loads(typed(copy, "--sandbox", "keys", "count", "--format", "json").stdout) == {"keys": 0, "sandbox": True}
    assert "Count the keys of a project." in typed(copy, "keys", "--help").stdout
    assert "keyadmin keys count -p my-project" in typed(copy, "keys", "count", "--help").stdout


def test_sandbox_service(tmp_path: Path) -> None:
    copy = follow("sandbox-service", tmp_path)
    with served(copy) as rest:
        path = f"{rest}/v1/projects/demo-project/locations/global/recommenders"
        with urllib.request.urlopen(path, timeout=60) as answer:
            found = json.loads(answer.read())
        assert found["recommenders"][0]["name"].endswith("/locations/global/recommenders/keys")
        stranger = urllib.request.Request(path, headers={"Authorization": "Bearer stranger@example.com"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(stranger, timeout=60)
        assert caught.value.code == 403
