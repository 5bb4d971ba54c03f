"""The person's machine: files of others, locks, records of runs, git, programs, and what a scan finds and deletes."""

from __future__ import annotations

from tests.guards.guard import Guard

FILES = "tests/unit/test_files.py"
LOCKS = "tests/unit/test_lock_folder.py"
PROJECTS = "tests/unit/test_projects_rules.py"
TRUST = "tests/unit/test_local_trust.py"
SCAN = "tests/cli/keys/test_scan.py"
TREES = "tests/leaks/test_files.py"
GIT = "tests/leaks/test_git_runs_nothing.py"
_RUNS = "local/creations.py"

GUARDS = [
    Guard(
        "the lock folder is this user's",
        "local/locks.py",
        "if not stat.S_ISDIR(found.st_mode) or found.st_uid != user:",
        "if not stat.S_ISDIR(found.st_mode):",
        (f"{LOCKS}::test_that_of_another_user_is_refused",),
    ),
    Guard(
        "the lock folder is no link",
        "local/locks.py",
        "if not stat.S_ISDIR(found.st_mode) or found.st_uid != user:",
        "if found.st_uid != user:",
        (f"{LOCKS}::test_a_link_there_is_refused",),
    ),
    Guard(
        "an endless file is not read for ever",
        "local/files.py",
        "    if len(data) > most:\n",
        "    if False:\n",
        (f"{FILES}::test_an_endless_file_is_refused_and_not_read_for_ever",),
    ),
    Guard(
        "a policy of the world's is not read",
        "local/trust.py",
        "        if why := distrust(path, descriptor, found=found):\n",
        "        if why := '':\n",
        (f"{TRUST}::test_what_the_world_may_write_is_not_read",),
    ),
    Guard(
        "devices are not read",
        "local/trust.py",
        "if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):",
        "if False:",
        (f"{TRUST}::test_devices_are_not_read",),
    ),
    Guard(
        "a finished run is not taken over",
        _RUNS,
        "if record is None or record.finished or datetime.now(UTC) - record.began > TAKEN_OVER_FOR:",
        "if record is None or datetime.now(UTC) - record.began > TAKEN_OVER_FOR:",
        (f"{PROJECTS}::test_an_unfinished_run_is_taken_over_and_a_finished_one_is_not",),
    ),
    Guard(
        "an old run is not taken over",
        _RUNS,
        "if record is None or record.finished or datetime.now(UTC) - record.began > TAKEN_OVER_FOR:",
        "if record is None or record.finished:",
        (f"{PROJECTS}::test_old_runs_are_not_taken_over_and_older_ones_removed",),
    ),
    Guard(
        "a run at work is left to its process",
        _RUNS,
        "                held.enter_context(_free_lock(path))\n",
        "",
        (f"{PROJECTS}::test_a_run_at_work_is_left_to_its_process",),
    ),
    Guard(
        "another account's run is another run",
        _RUNS,
        "json.dumps([self._account, list(request)])",
        "json.dumps(list(request))",
        (f"{PROJECTS}::test_another_request_account_or_world_is_another_run",),
    ),
    Guard(
        "a project that was there before is nobody's own",
        _RUNS,
        "project_id in record.ids and created >= record.began - SKEW",
        "project_id in record.ids",
        (f"{PROJECTS}::test_only_what_was_made_since_is_ones_own",),
    ),
    Guard(
        "what is known to a scan as changed is kept",
        "leaks/revoke.py",
        "    if now.etag != shown.etag:\n",
        "    if False:\n",
        (f"{SCAN}::test_revoke_keeps_what_changed_since_it_was_shown",),
    ),
    Guard(
        "a deleted key is dead",
        "leaks/verdict.py",
        "        if gone is not None:\n",
        "        if False:\n",
        (f"{SCAN}::test_whose_key_how_restricted_and_whether_it_lives",),
    ),
    Guard(
        "links out of a tree are not followed",
        "leaks/finder.py",
        "elif entry.is_file(follow_symlinks=False):",
        "elif entry.is_file():",
        (f"{TREES}::test_what_is_passed_over",),
    ),
    Guard(
        "the last piece of a file is searched",
        "leaks/finder.py",
        "        yield from text.feed(piece, last=True)\n",
        "        text.feed(piece, last=True)\n",
        (f"{TREES}::test_what_is_passed_over",),
    ),
    Guard(
        "a git that lies in the scanned folder is not run",
        "local/git.py",
        "if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):",
        "if os.path.isfile(path) and os.access(path, os.X_OK):",
        (f"{GIT}::test_nor_a_git_that_lies_in_the_scanned_folder",),
    ),
    Guard(
        "variables of git do not count",
        "local/git.py",
        'if not name.upper().startswith(("GIT_", "SSH_ASKPASS"))',
        "if name",
        (f"{GIT}::test_variables_of_git_do_not_count",),
    ),
    Guard(
        "git's own folder is cleared away",
        "local/git.py",
        "        stack.callback(shutil.rmtree, folder, ignore_errors=True)\n",
        "",
        (f"{GIT}::test_nothing_stays_behind",),
    ),
]
