"""The account of a schedule, set up by the printed script with the real gcloud: it can do its work, and needs all it has."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from keyadmin.handover.sinks.secret_manager import PERMISSIONS
from keyadmin.model.lineage import lineage_of
from keyadmin.rotation.policy import load
from keyadmin.rotation.schedule import RotationSchedule
from keyadmin.unattended.schedule import files_for
from keyadmin.unattended.schedule.identity import role_file
from keyadmin.unattended.schedule.install import parse_source
from keyadmin.unattended.schedule.plan import RunPlace
from tests.rotation.conftest import Ended, World, seed_of
from tests.sandbox.clients import Gcloud
from tests.sandbox.conftest import Running

SINK = 'sinks = ["secret-manager:projects/{project}/secrets/gemini-{lineage}"]\n'
SOURCE = parse_source(f"git:https://git.example/keyadmin.git@{'a' * 40}")
GEMINI = "generativelanguage.googleapis.com"


class Scheduled(World):
    """A world whose commands are run as an account."""

    account = ""

    def _order(self, argv: Sequence[str], kill: tuple[int, str] | None) -> dict[str, Any]:
        order = super()._order(argv, kill)
        order["argv"].remove("--sandbox")
        order["env"] |= {"KEYADMIN_SANDBOX_USER": self.account}
        return order

    def scheduled(self, command: Sequence[str]) -> Ended:
        """A printed command as it stands, with Google replaced by this sandbox."""
        assert command[:2] == ["keyadmin", "--no-sandbox"]
        return self.run(*command[2:])


@pytest.fixture
def scheduled(served: Running, tmp_path: Path) -> Iterator[Scheduled]:
    served.control("reset", {})
    made = Scheduled(served, tmp_path)
    yield made
    made.close()


def standard(seed: dict[str, Any]) -> dict[str, Any]:
    """The same keys as standard ones, the first of each project for Maps too: a migration splits that one."""
    for project in seed["projects"]:
        for key in project["keys"]:
            del key["serviceAccountEmail"]
        project["keys"][0]["restrictions"]["apiTargets"].append({"service": "maps-backend.googleapis.com"})
    return seed


def policy_in(folder: Path, where: str, more: str = SINK) -> Path:
    path = folder / "keyadmin.toml"
    path.write_text(f"[[rule]]\n{where}\n{more}")
    return path


def printed(engine: str, folder: Path, **plan: Any) -> tuple[RotationSchedule, Path]:
    """The files of an engine, for the policy in the folder."""
    policy = folder / "keyadmin.toml"
    made = RotationSchedule(install=SOURCE, policy_rules=load(policy).rules, policy_text=policy.read_text(), **plan)
    out = folder / engine
    for file in files_for(engine, made):
        path = out / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
    return made, out


def command_of(engine: str, out: Path, policy: Path) -> list[str]:
    """The words that the files of an engine run, the policy where it is here, the metrics left out."""
    if engine == "systemd":
        text = (out / "keyadmin-rotation.service").read_text()
        words = shlex.split(next(line for line in text.splitlines() if line.startswith("ExecStart=")).partition("=")[2])
    elif engine == "cron":
        text = (out / "rotate.sh").read_text()
        words = shlex.split(next(line for line in text.splitlines() if line.startswith("keyadmin ")).partition(">>")[0])
    elif engine == "github-actions":
        steps = yaml.safe_load((out / ".github/workflows/keyadmin-rotation.yml").read_text())["jobs"]["rotate"]["steps"]
        words = shlex.split(next(step["run"] for step in steps if step.get("name") == "Rotate"))
        words[words.index("$SHARD")] = "0/1"
    elif engine == "cloud-run":
        job = yaml.safe_load((out / "job.yaml").read_text())["spec"]["template"]["spec"]["template"]["spec"]
        words = ["keyadmin", *job["containers"][0]["args"]]
    else:
        documents = yaml.safe_load_all((out / "keyadmin-rotation.yaml").read_text())
        job = next(one for one in documents if one["kind"] == "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        words = ["keyadmin", *job["containers"][0]["args"]]
    words[0] = Path(words[0]).name
    words[words.index("--policy") + 1] = str(policy)
    if "--metrics" in words:
        del words[words.index("--metrics") : words.index("--metrics") + 2]
    return ["0/1" if word == "auto" else word for word in words]


def secrets_of(world: World, project: str) -> dict[str, list[str]]:
    """The states of every secret's versions, the newest first."""
    found = world.api(f"/v1/projects/{project}/secrets").get("secrets", [])
    names = [secret["name"] for secret in found]
    return {
        name.rpartition("/")[2]: [version["state"] for version in world.api(f"/v1/{name}/versions")["versions"]]
        for name in names
    }


def rotated(world: World, project: str) -> bool:
    """Whether each founder is deleted, its successor works, and the secret holds that one."""
    keys = world.keys(project)
    old = [key for key in keys if "/keys/web-" in key["name"]]
    new = [key for key in keys if "/keys/ka-" in key["name"]]
    states = [state for versions in secrets_of(world, project).values() for state in versions]
    return (
        bool(new)
        and len(old) == len(new)
        and all("deleteTime" in key for key in old)
        and all("deleteTime" not in key and world.works(world.string(key["name"])) for key in new)
        and states.count("ENABLED") == len(new)
    )


def setup(world: World, out: Path) -> subprocess.CompletedProcess[str]:
    """Run the printed setup.sh with the real gcloud."""
    gcloud = Gcloud(world.sandbox, world.folder / "gcloud")
    return subprocess.run(["sh", str(out / "setup.sh")], env=gcloud.environment, capture_output=True, text=True, timeout=300)


ENGINES = ("systemd", "cron", "cloud-run", "kubernetes", "github-actions")


@pytest.mark.parametrize("migrate", [False, True], ids=["run", "migrate"])
def test_set_up_as_printed_every_engine_takes_a_rotation_to_its_end(scheduled: Scheduled, migrate: bool) -> None:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed")
    home = {"projectId": "ops-home", "iam": {"roles/owner": ["user:owner@example.com"]}}
    seed = seed_of(["shop-one"], keys=len(ENGINES))
    seed = standard(seed) if migrate else seed
    scheduled.sandbox.control("seed", {"projects": [home, *seed["projects"]]})
    policy = policy_in(scheduled.folder, 'projects = ["shop-one"]')
    files = {engine: printed(engine, scheduled.folder, project="ops-home", migrate=migrate) for engine in ENGINES}
    assert len({(out / "setup.sh").read_text() for _, out in files.values()}) == 1, "one account and role for all"
    plan, out = files["cron"]
    done = setup(scheduled, out)
    assert done.returncode == 0, done.stderr
    role = scheduled.api(f"/v1/projects/shop-one/roles/{RotationSchedule.role_id}")
    assert role["includedPermissions"] == list(plan.needs.permissions)
    scheduled.account = plan.account
    for _ in range(2):
        for number, engine in enumerate(ENGINES):  # a key for each
            words = [*command_of(engine, files[engine][1], policy), "--only", f"web-{number}"]
            ended = scheduled.scheduled(words)
            assert ended.code == 0, ended.stderr
        scheduled.sandbox.control("clock", {"advance": "25h"})
    if not migrate:
        assert rotated(scheduled, "shop-one")
        return
    old = {key["name"].rpartition("/")[2]: key for key in scheduled.keys("shop-one") if "serviceAccountEmail" not in key}
    assert len(old) == len(ENGINES)
    split = old.pop("web-0")
    assert split["restrictions"]["apiTargets"] == [{"service": "maps-backend.googleapis.com"}]
    assert all("deleteTime" in key for key in old.values())


def test_a_deleted_role_is_brought_back_and_what_is_missing_is_said(scheduled: Scheduled) -> None:
    gcloud = Gcloud(scheduled.sandbox, scheduled.folder / "gcloud")
    scheduled.sandbox.control("seed", seed_of(["shop-one"]))
    policy_in(scheduled.folder, 'projects = ["shop-one"]')
    plan, out = printed("systemd", scheduled.folder, project="shop-one")
    assert setup(scheduled, out).returncode == 0
    again = setup(scheduled, out)
    assert again.returncode == 0, again.stderr
    assert gcloud("iam", "roles", "delete", RotationSchedule.role_id, "--project=shop-one").returncode == 0
    assert setup(scheduled, out).returncode == 0
    assert "deleted" not in scheduled.api(f"/v1/projects/shop-one/roles/{RotationSchedule.role_id}")
    script = (out / "setup.sh").read_text()
    (out / "setup.sh").write_text(script.replace('PROJECTS="shop-one"', 'PROJECTS="shop-one no-such-shop"'))
    absent = setup(scheduled, out)
    assert absent.returncode == 1
    assert "setup.sh: project no-such-shop: it does not exist or you may not see it" in absent.stderr
    (out / "setup.sh").write_text(script)
    (out / role_file("rotation")).unlink()
    assert f"{role_file('rotation')} is not beside this script" in setup(scheduled, out).stderr
    assert plan.account in script


def test_folders_and_secrets_elsewhere_get_what_they_need_and_no_more(scheduled: Scheduled) -> None:
    seed = seed_of(["team-one", "team-two"])
    for project in seed["projects"]:
        project["parent"] = "folders/2000"
    vault = {
        "projectId": "the-vault",
        "services": ["secretmanager.googleapis.com"],
        "iam": {"roles/owner": ["user:owner@example.com"]},
    }
    home = {"projectId": "ops-home", "iam": {"roles/owner": ["user:owner@example.com"]}}
    organization = {
        "name": "organizations/1000",
        "iam": {"roles/iam.organizationRoleAdmin": ["user:owner@example.com"]},
    }
    folder = {
        "name": "folders/2000",
        "displayName": "Teams",
        "parent": "organizations/1000",
        "iam": {"roles/resourcemanager.folderAdmin": ["user:owner@example.com"]},
    }
    scheduled.sandbox.control("seed", {"organizations": [organization], "folders": [folder], **seed})
    scheduled.sandbox.control("seed", {"projects": [home, vault]})
    sinks = 'sinks = ["secret-manager:projects/the-vault/secrets/{project}-{lineage}"]\n'
    policy = policy_in(scheduled.folder, 'folders = ["folders/2000"]', sinks)
    plan, out = printed("systemd", scheduled.folder, project="ops-home")
    refused = setup(scheduled, out)
    assert refused.returncode == 1
    assert "ORGANIZATION is empty" in refused.stderr
    script = (out / "setup.sh").read_text()
    (out / "setup.sh").write_text(script.replace('ORGANIZATION=""', 'ORGANIZATION="1000"', 1))
    done = setup(scheduled, out)
    assert done.returncode == 0, done.stderr
    scheduled.account = plan.account
    for _ in range(2):
        ended = scheduled.scheduled(command_of("systemd", out, policy))
        assert ended.code == 0, ended.stderr
        scheduled.sandbox.control("clock", {"advance": "25h"})
    assert len(secrets_of(scheduled, "the-vault")) == 2
    for name in ("team-one", "team-two"):
        assert sorted("deleteTime" in key for key in scheduled.keys(name)) == [False, True]


@dataclass
class Lacking:
    """A project whose role lacks one permission, and what came of a rotation there."""

    permission: str
    project: str
    policy: Path
    ended: list[Ended]

    @property
    def events(self) -> str:
        return "\n".join(one.stdout for one in self.ended)


def with_secret(world: World, project: str) -> None:
    """The second key is in its secret already; the first one's secret is not there yet."""
    key = world.keys(project)[1]
    secret = {f"gemini-{lineage_of(key['uid'])}": [world.string(key["name"])]}
    world.sandbox.control("seed", {"projects": [{"projectId": project, "secrets": secret}]})


def without_each(world: Scheduled, where: str, *, migrate: bool) -> list[Lacking]:
    """A whole rotation in one project per permission that the role lacks (and one that lacks none)."""
    policy = policy_in(world.folder, where.format("x"))
    plan = RotationSchedule(project="ops-home", migrate=migrate, policy_rules=load(policy).rules)
    cases = []
    for number, lacking in enumerate(["", *plan.needs.permissions]):
        project = f"lack-{number:03}"
        seed = seed_of([project], keys=2)
        seed = standard(seed) if migrate else seed
        held = [name for name in plan.needs.permissions if name != lacking]
        seed["projects"][0]["iam"][f"projects/{project}/roles/{RotationSchedule.role_id}"] = [f"serviceAccount:{plan.account}"]
        seed["customRoles"] = {f"projects/{project}/roles/{RotationSchedule.role_id}": held}
        folder = world.folder / project
        folder.mkdir()
        world.sandbox.control("seed", seed)
        with_secret(world, project)
        cases.append(Lacking(lacking, project, policy_in(folder, where.format(project)), []))
    world.account = plan.account
    for _ in range(2):
        words = [plan.command(RunPlace(str(case.policy)))[2:] for case in cases]
        for case, ended in zip(cases, world.run_all([(one, None) for one in words]), strict=True):
            case.ended.append(ended)
        world.sandbox.control("clock", {"advance": "25h"})
    return cases


def check(world: Scheduled, cases: Sequence[Lacking], degraded: dict[str, tuple[str, ...]]) -> None:
    """Without none all is well; without one the run fails with 3 and names it, or says what is not done."""
    whole, *others = cases
    assert [one.code for one in whole.ended] == [0, 0], whole.ended[0].stderr
    # The role reads no constraints of the organisation: that they are not known is said, and stops nothing.
    skipped = [line for line in whole.events.splitlines() if '"status": "skipped"' in line]
    assert all('"step": "constraints"' in line for line in skipped), skipped
    for case in others:
        said = case.events + "".join(one.stderr for one in case.ended)
        if case.permission in degraded:
            assert all(words in said for words in degraded[case.permission]), (case.permission, said)
        else:
            assert 3 in [one.code for one in case.ended], (case.permission, said)
            assert case.permission in said, (case.permission, said)


# What goes on without a permission, and the words that tell of it.
DEGRADED = {
    "monitoring.timeSeries.list": ("unknown (Permission monitoring.timeSeries.list denied",),
    "secretmanager.versions.access": (
        "it cannot be read back: secretmanager.versions.access is missing",
        "its newest version cannot be read, so the older ones are left alone",
    ),
}


def test_a_rotation_fails_or_says_so_without_any_one_permission(scheduled: Scheduled) -> None:
    cases = without_each(scheduled, 'projects = ["{}"]', migrate=False)
    check(scheduled, cases, DEGRADED)
    assert rotated(scheduled, cases[0].project)


def test_a_migration_fails_or_says_so_without_any_one_permission(scheduled: Scheduled) -> None:
    check(scheduled, without_each(scheduled, 'projects = ["{}"]', migrate=True), DEGRADED)


def test_projects_by_pattern_are_not_found_without_the_permission_to_see_them(scheduled: Scheduled) -> None:
    cases = without_each(scheduled, 'projects = ["{}*"]', migrate=False)
    check(
        scheduled,
        [case for case in cases if case.permission in ("", "resourcemanager.projects.get")],
        {"resourcemanager.projects.get": ("it finds no project that you may see",)},
    )


def test_what_is_below_a_folder_is_not_found_without_the_permission_to_list_folders(scheduled: Scheduled) -> None:
    policy = policy_in(scheduled.folder, 'folders = ["folders/2000"]')
    plan = RotationSchedule(project="ops-home", policy_rules=load(policy).rules)
    scheduled.account = plan.account
    seed = seed_of(["deep-shop"])
    seed["projects"][0]["parent"] = "folders/2001"
    role, member = f"organizations/1000/roles/{RotationSchedule.role_id}", f"serviceAccount:{plan.account}"
    top = {"name": "folders/2000", "displayName": "Top", "parent": "organizations/1000", "iam": {role: [member]}}
    inner = {"name": "folders/2001", "displayName": "Inner", "parent": "folders/2000"}
    ends = {}
    for lacking in ("", "resourcemanager.folders.list", "resourcemanager.projects.get"):
        held = [name for name in plan.needs.permissions if name != lacking]
        scheduled.sandbox.control("reset", {})
        scheduled.sandbox.control("seed", {"folders": [top, inner], "customRoles": {role: held}, **seed})
        ends[lacking] = scheduled.scheduled(plan.command(RunPlace(str(policy))))
    assert ends.pop("").code == 0
    for lacking, ended in ends.items():
        assert ended.code in (1, 3), lacking
        assert lacking in ended.stderr or "it finds no project that you may see" in ended.stderr, (lacking, ended.stderr)


def test_secrets_are_left_out_of_the_role_where_no_key_goes_there(tmp_path: Path) -> None:
    policy = policy_in(tmp_path, 'projects = ["shop-one"]', "sinks = []\n")
    assert not set(PERMISSIONS) & set(RotationSchedule(project="ops-home", policy_rules=load(policy).rules).needs.permissions)
