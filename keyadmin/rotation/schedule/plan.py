"""What every schedule has in common: the account that rotates, its role, and how it is made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from keyadmin import __version__
from keyadmin.access.permissions import FEATURES
from keyadmin.problem import usage

ROLE_ID: Final = "keyadminRotation"
ACCOUNT_ID: Final = "keyadmin-rotation"
TIMES: Final = {"hourly": "23 * * * *", "daily": "23 4 * * *", "weekly": "23 4 * * 1"}  # off the full hour, when everybody runs

# Beyond rotating itself: reading the use of the old key, and the secrets that keys are handed to.
_USE: Final = ("monitoring.timeSeries.list",)
_SECRETS: Final = (
    *("secretmanager.secrets.create", "secretmanager.secrets.get"),
    *(
        "secretmanager.versions.access",
        "secretmanager.versions.add",
        "secretmanager.versions.disable",
        "secretmanager.versions.list",
    ),
)


@dataclass(frozen=True)
class ScheduleFile:
    """A file to be written; `path` is relative."""

    path: str
    content: str


@dataclass(frozen=True)
class Plan:
    """What the schedule is for. `tasks` = how many tasks share the projects, where the engine can."""

    project: str
    policy: str = "keyadmin.toml"
    every: str = "daily"
    tasks: int = 1
    migrate: bool = False
    region: str = "europe-west1"

    def __post_init__(self) -> None:
        if self.every not in TIMES:
            raise usage(f"--every {self.every}: use one of {', '.join(TIMES)}")
        if not 1 <= self.tasks <= 10_000:
            raise usage(f"--tasks {self.tasks}: from 1 to 10,000")
        if not re.fullmatch(r"[a-z0-9.:-]+", self.project):
            raise usage(f"{self.project!r} is no project id")

    @property
    def cron(self) -> str:
        """The time in cron's five fields."""
        return TIMES[self.every]

    @property
    def account(self) -> str:
        """The service account that rotates."""
        return f"{ACCOUNT_ID}@{self.project}.iam.gserviceaccount.com"

    @property
    def permissions(self) -> tuple[str, ...]:
        """All that the account needs in a project whose keys it rotates."""
        feature = FEATURES["migrate" if self.migrate else "rotate"]
        return tuple(sorted({*feature.permissions, *_USE, *_SECRETS, "resourcemanager.projects.get"}))

    def command(self, policy: str, *more: str) -> list[str]:
        """The words of the scheduled command."""
        verb = ["migrate", "--yes"] if self.migrate else ["run"]
        return ["keyadmin", "--no-sandbox", "--format", "jsonl", "rotation", *verb, "--policy", policy, *more]


def identity(plan: Plan) -> list[ScheduleFile]:
    """The custom role of exactly the permissions, and the commands that make the account and bind it."""
    role = "\n".join(
        [
            "title: keyadmin rotation",
            "description: Rotates API keys with keyadmin; nothing else.",
            "stage: GA",
            "includedPermissions:",
            *(f"- {permission}" for permission in plan.permissions),
            "",
        ]
    )
    setup = f"""#!/bin/sh
# Makes the account that rotates and gives it a role of exactly the permissions it needs.
# The role is made in each project whose keys are rotated: add them to PROJECTS.
set -eu
PROJECTS="{plan.project}"

gcloud iam service-accounts describe {plan.account} --project={plan.project} >/dev/null 2>&1 ||
  gcloud iam service-accounts create {ACCOUNT_ID} --project={plan.project} --display-name="keyadmin rotation"

for project in $PROJECTS; do
  gcloud iam roles create {ROLE_ID} --project="$project" --file=keyadmin-rotation-role.yaml ||
    gcloud iam roles update {ROLE_ID} --project="$project" --file=keyadmin-rotation-role.yaml
  gcloud projects add-iam-policy-binding "$project" --condition=None \\
    --member=serviceAccount:{plan.account} --role="projects/$project/roles/{ROLE_ID}"
done
"""
    return [ScheduleFile("keyadmin-rotation-role.yaml", role), ScheduleFile("setup.sh", setup)]


def dockerfile() -> ScheduleFile:
    """An image with this version of keyadmin and nothing running as root."""
    content = f"""FROM python:3.12-slim
RUN pip install --no-cache-dir keyadmin=={__version__}
USER 65532:65532
ENV HOME=/tmp
ENTRYPOINT ["keyadmin"]
"""
    return ScheduleFile("Dockerfile", content)
