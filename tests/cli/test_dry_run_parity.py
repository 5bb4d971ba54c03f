"""A dry run is the plan: where reads can tell, it ends with the code and the words of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GEMINI = "generativelanguage.googleapis.com"
READER = "reader@example.com"
CAN_READ = (
    "resourcemanager.projects.get",
    "apikeys.keys.get",
    "apikeys.keys.list",
    "serviceusage.services.get",
    "serviceusage.services.list",
)

LINES: dict[str, tuple[str, ...]] = {
    "undelete": ("keys", "undelete", "gone"),
    "undelete what is not deleted": ("keys", "undelete", "web"),
    "hand over": ("keys", "hand-over", "web", "--to", "stdout"),
    "clone": ("keys", "clone", "web", "--no-verify"),
    "delete project": ("projects", "delete", "demo-project", "--yes"),
    "rename project": ("projects", "rename", "demo-project", "Another name"),
    "enable": ("projects", "enable", "demo-project", "vision.googleapis.com"),
    "disable": ("projects", "disable", "demo-project", "translate.googleapis.com", "--yes"),
    "undelete project": ("projects", "undelete", "demo-project"),
    "token": ("tokens", "create", "web"),
    "apply": ("doctor", "demo-project", "--apply", "--member", "user:new@example.com", "--yes"),
}


@pytest.fixture
def world(served: Any) -> Any:
    """A project with a key, a deleted one, and somebody who may read and nothing else."""
    account = "robot@demo-project.iam.gserviceaccount.com"
    targets = {"apiTargets": [{"service": GEMINI}]}
    web = {"keyId": "web", "displayName": "web", "serviceAccountEmail": account, "restrictions": targets}
    keys = [web, {"keyId": "gone", "deleteTime": "2026-11-20T00:00:00Z"}]
    services = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com", "translate.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": keys}])
    served.grant(READER, *CAN_READ)
    return served


@pytest.mark.parametrize("name", list(LINES))
def test_without_the_permission_both_are_refused_alike(cli: Callable[..., Any], world: Any, name: str, tmp_path: Path) -> None:
    env = {"KEYADMIN_SANDBOX": world.rest, "KEYADMIN_SANDBOX_USER": READER}
    dry = cli(*LINES[name], "--dry-run", "--format", "json", env=env)
    real = cli(*LINES[name], "--format", "json", env=env)
    assert real.code != 0, name
    assert (dry.code, dry.error) == (real.code, real.error), (dry.err, real.err)


@pytest.mark.parametrize("name", [name for name in LINES if name not in ("undelete what is not deleted", "undelete project")])
def test_with_the_permission_both_go_through_and_the_dry_one_changes_nothing(
    cli: Callable[..., Any], world: Any, name: str
) -> None:
    env = {"KEYADMIN_SANDBOX": world.rest}
    started = len(world.methods())
    dry = cli(*LINES[name], "--dry-run", env=env)
    assert dry.code in (0, 3), dry.err
    changing = ("Create", "Update", "Delete", "Undelete", "Enable", "Disable", "SetIam", "BatchEnable")
    assert not [method for method in world.methods()[started:] if method.startswith(changing)]
    assert cli(*LINES[name], env=env).code == 0
