"""Projects: what Google would not take is refused before any call, and nothing is deleted or opened unasked."""

from __future__ import annotations

from tests.guards.guard import Guard

CHANGE = "tests/cli/projects/test_projects_change.py"
CREATE = "tests/cli/projects/test_projects_create.py"
_NAMES = "projects/names.py"

GUARDS = [
    Guard(
        "a name has 4 to 30 characters",
        _NAMES,
        "    if not SHORTEST_NAME <= len(text) <= LONGEST_NAME:\n",
        "    if False:\n",
        (f"{CHANGE}::test_a_name_that_google_would_not_take",),
    ),
    Guard(
        "a name is of plain letters",
        _NAMES,
        "    if not _NAME.fullmatch(text):\n",
        "    if False:\n",
        (f"{CHANGE}::test_a_name_that_google_would_not_take",),
    ),
    Guard(
        "an id is one that Google takes",
        _NAMES,
        "    if not _ID.fullmatch(text):\n",
        "    if False:\n",
        (f"{CREATE}::test_nonsense_is_refused_before_anything_is_made",),
    ),
    Guard(
        "what is being deleted is not deleted again",
        "projects/change.py",
        '    if found.state != "ACTIVE":\n        raise Problem(\n            Cause.CONFLICT,',
        "    if False:\n        raise Problem(\n            Cause.CONFLICT,",
        (f"{CHANGE}::test_delete_and_undelete_twice",),
    ),
    Guard(
        "Gemini is not switched on beside open keys unasked",
        "projects/apis.py",
        "    if not on or GEMINI not in todo:\n",
        "    if True:\n",
        ("tests/cli/keys/test_keys_before.py::test_projects_enable_asks_too",),
    ),
    Guard(
        "a run that left something is gone on with",
        "projects/create.py",
        "    if all(each.problem is None for each in outcomes):\n",
        "    if True:\n",
        (f"{CREATE}::test_one_that_fails_leaves_the_others_and_a_second_run_finishes_the_rest",),
    ),
]
