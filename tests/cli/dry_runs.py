"""Which commands take --dry-run, what is typed of each, and in which states a dry run is compared with the run.

A new command with --dry-run belongs into LINES; what is tested elsewhere, or cannot be, into ELSEWHERE or SENSELESS.
"""

from __future__ import annotations

from typing import Final

STATES: Final = ("used", "unused", "use unknown", "changed in between", "no permission", "too many")

LINES: Final[dict[str, tuple[str, ...]]] = {
    "doctor": ("demo-project", "--apply", "--member", "user:new@example.com", "--yes"),
    "keys create": ("--name", "new", "--key-id", "new", "--no-verify"),
    "keys clone": ("web", "--no-verify"),
    "keys restrict": ("web", "--allowed-ips", "192.0.2.1", "--yes"),
    "keys unrestrict": ("web", "--yes"),
    "keys rename": ("web", "other"),
    "keys annotate": ("web", "a=b"),
    "keys delete": ("web", "--yes"),
    "keys undelete": ("gone",),
    "keys migrate": ("old", "--yes", "--allow-exposure"),
    "keys hand-over": ("web", "--to", "stdout"),
    "audit fix": ("--projects", "demo-project", "--rule", "unused-key", "--unused-for", "90d", "--observe", "0s", "--yes"),
    "audit undo": ("plan.json", "--yes"),
    "audit accept": ("web", "--rule", "key-too-old", "--reason", "kiosk", "--until", "90d"),
    "rotation init": (),
    "rotation migrate": ("--yes",),
    "rotation schedule": ("systemd", "--output", "units"),
    "audit schedule": ("systemd", "--output", "units"),
    "projects import": ("demo-project",),
    "projects forget": ("demo-project", "--yes"),
    "projects use": ("demo-project",),
    "projects default": ("--yes",),
    "projects create": ("new-project", "--parent", "organizations/1000"),
    "projects rename": ("demo-project", "Another name"),
    "projects enable": ("demo-project", "vision.googleapis.com"),
    "projects disable": ("demo-project", "translate.googleapis.com", "--yes"),
    "projects delete": ("demo-project", "--yes"),
    "projects undelete": ("stopped-project",),
    "env set": ("web", "--file", "start.env", "--shell", "dotenv"),
    "env unset": ("--file", "start.env", "--shell", "dotenv"),
    "env restore": ("start.env",),
    "tokens create": ("web",),
    "scan": (".", "--revoke", "--yes"),
    "sandbox seed": ("seed.json",),
    "sandbox reset": ("--yes",),
    "config set": ("format", "json"),
    "completion": ("bash", "--install"),
}
"""What is typed of each command; the test's world has what the words name."""

_KEYS_BEFORE: Final = "tests/cli/keys/test_keys_before.py::test_a_dry_run_ends_as_the_run_does"
_ROTATIONS: Final = "tests/cli/rotation/test_rotation_dry_runs.py::test_a_dry_run_ends_as_the_run_does"
_UNPERMITTED: Final = "tests/cli/rotation/test_rotation_dry_refusals.py::test_without_a_permission_on_keys"
_ROLLBACK: Final = "tests/cli/rotation/test_rotation_dry_refusals.py::test_a_rollback"
_ADOPTION: Final = "tests/cli/rotation/test_rotation_dry_refusals.py::test_an_adoption"

_GUARD: Final = "tests/cli/guard/test_guard_dry_runs.py::test"

ELSEWHERE: Final[dict[tuple[str, str], str]] = {
    **{
        (f"keys {verb}", state): _KEYS_BEFORE
        for verb in ("restrict", "unrestrict", "rename", "annotate", "delete")
        for state in ("used", "unused", "use unknown", "no permission")
    },
    **{
        (command, state): _UNPERMITTED if state == "no permission" else _ROTATIONS
        for command in ("rotation run", "keys rotate", "keys compromised")
        for state in STATES
    },
    ("rotation rollback", "no permission"): _ROLLBACK,
    ("rotation rollback", "used"): f"{_ROLLBACK}_to_a_key_while_the_newer_one_is_used",
    ("rotation rollback", "unused"): _ROLLBACK,
    ("rotation rollback", "use unknown"): f"{_ROLLBACK}_to_a_key_while_the_newer_one_is_used",
    ("rotation rollback", "changed in between"): f"{_ROLLBACK}_of_what_somebody_changed",
    ("rotation adopt", "no permission"): _ADOPTION,
    ("rotation adopt", "unused"): _ADOPTION,
    ("rotation adopt", "changed in between"): f"{_ADOPTION}_of_what_somebody_changed",
    **{("guard apply", state): f"{_GUARD}_apply" for state in ("changed in between", "no permission", "too many")},
    **{("guard remove", state): f"{_GUARD}_remove" for state in ("changed in between", "no permission")},
}
"""Where a state of a command is tested already."""

_LOCAL: Final = (
    *("audit accept", "audit schedule", "rotation init", "rotation schedule"),
    *("config set", "completion", "env unset", "env restore"),
)
_NO_USE: Final = (
    "doctor",
    "guard apply",
    "guard remove",
    "keys create",
    "sandbox seed",
    "sandbox reset",
    "rotation adopt",
    *(f"projects {verb}" for verb in ("import", "forget", "use", "default", "create", "rename", "undelete")),
    *_LOCAL,
)
SENSELESS: Final[dict[tuple[str, str], str]] = {
    **{
        (command, state): "nothing that is used is changed or read"
        for command in _NO_USE
        for state in ("used", "unused", "use unknown")
        if (command, state) not in ELSEWHERE
    },
    **{
        (command, "too many"): "it makes nothing of which there can be too many"
        for command in (
            *(f"keys {verb}" for verb in ("restrict", "unrestrict", "rename", "annotate", "delete", "hand-over")),
            *(f"projects {verb}" for verb in ("import", "forget", "use", "default", "create", "rename", "undelete")),
            *(f"projects {verb}" for verb in ("enable", "disable", "delete")),
            *(
                "audit fix",
                "audit undo",
                "doctor",
                "tokens create",
                "scan",
                "sandbox seed",
                "sandbox reset",
                "env set",
                "rotation rollback",
            ),
            *("rotation adopt", "guard remove", *_LOCAL),
        )
    },
    **{
        (command, state): "a plan leaves such keys alone, and what is not as it was planned: tests of plans"
        for command in ("audit fix", "audit undo")
        for state in ("used", "use unknown", "changed in between")
    },
    ("keys clone", "use unknown"): "its use is not asked for",
    ("keys undelete", "use unknown"): "its use is not asked for",
    ("keys hand-over", "use unknown"): "its use is not asked for",
    ("tokens create", "use unknown"): "its use is not asked for",
    ("scan", "use unknown"): "a leaked key goes, used or not",
    ("projects forget", "no permission"): "a list of the user's own",
    ("sandbox seed", "no permission"): "the sandbox's controls ask for none",
    ("sandbox reset", "no permission"): "the sandbox's controls ask for none",
    ("sandbox reset", "changed in between"): "it goes back to the start from anywhere",
}
"""States that do not come about, and why."""

CASES: Final = [
    (command, state)
    for command in LINES
    for state in STATES
    if (command, state) not in ELSEWHERE and (command, state) not in SENSELESS
]
