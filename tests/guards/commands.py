"""The commands: what they ask, print and end with."""

from __future__ import annotations

from tests.guards.files import MEND, MIGRATE, NOTICES, ROTATE, RUN, SCOPE
from tests.guards.guard import Guard

GUARDS = [
    Guard(
        "a sink that is not allowed is told before anything is done",
        "rotation/run.py",
        "        build(one.chosen.specs, cloud, flagged=options.flagged, emit=options.write_line)\n",
        "        pass\n",
        (f"{SCOPE}::test_a_sink_that_is_not_allowed_is_told_before_any_lineage_is_touched",),
    ),
    Guard(
        "a failed lineage: exit 3",
        "cli/rotation/run_output.py",
        'rotations failed", failed)',
        'rotations failed")',
        (f"{RUN}::test_a_failure_stops_its_lineage_alone_and_shows_in_status",),
    ),
    Guard(
        "an unreadable project: exit 3",
        "cli/rotation/view.py",
        "*(problem for _, problem in problems), *found.errors.values()]",
        "*(problem for _, problem in problems)]",
        (f"{RUN}::test_a_project_that_cannot_be_read_stops_nothing_else",),
    ),
    Guard(
        "metrics that cannot be written are a warning",
        "cli/rotation/run_output.py",
        "            except Problem as problem:\n                self._session.console.warning",
        "            except ZeroDivisionError as problem:\n                self._session.console.warning",
        (f"{NOTICES}::test_a_notice_that_fails_is_a_warning",),
    ),
    Guard(
        "a run that could not begin is an event",
        "cli/rotation/run_output.py",
        'emit(Event.failure(session.now(), "run", problem))',
        "pass",
        (f"{NOTICES}::test_a_run_that_ends_before_it_began_is_an_event_too",),
    ),
    Guard(
        "what could not be checked is an event",
        "rotation/run.py",
        'options.emit(Event.failure(cloud.now(), "look", problem, place, "" if " " in place else place))',
        "pass",
        (f"{NOTICES}::test_what_could_not_be_looked_at_is_an_event_too",),
    ),
    Guard(
        "an event per step",
        "cli/rotation/run_output.py",
        'if self._session.format == "jsonl":',
        "if False:",
        (f"{NOTICES}::test_every_step_is_an_event",),
    ),
    Guard(
        "a migration asks",
        "cli/rotation/migrate.py",
        '        confirm(session, question.format(what="all selected keys"), yes=False)\n',
        "        pass\n",
        (f"{MIGRATE}::test_it_asks_first",),
    ),
    Guard(
        "migrate --dry-run changes nothing",
        "cli/rotation/migrate.py",
        "    if dry_run:\n        return _show",
        "    if False:\n        return _show",
        (f"{MIGRATE}::test_the_plan_says_which_whose_where_and_what_is_missing",),
    ),
    Guard(
        "adopt --dry-run changes nothing",
        "cli/rotation/adopt.py",
        "None if dry_run else await execute_adopt(",
        "await execute_adopt(",
        (f"{MEND}::test_adopt_marks_keys_by_name_or_by_the_policy",),
    ),
    Guard(
        "a rollback asks",
        "cli/rotation/confirmed.py",
        '    confirm(current(context), f"{capital(show(made))}?", yes=False)\n',
        "    show(made)\n",
        (f"{SCOPE}::test_a_rollback_that_was_declined_changes_nothing",),
    ),
    Guard(
        "rollback --dry-run changes nothing",
        "cli/rotation/rollback.py",
        "    if dry_run:\n        would(session, show",
        "    if False:\n        would(session, show",
        (f"{MEND}::test_rollback_takes_the_sinks_from_the_policy",),
    ),
    Guard(
        "a rollback is for the machine that has the sinks",
        "rotation/rollback.py",
        "if not chosen.rule.here:",
        "if False:",
        (f"{MEND}::test_rollback_is_for_the_machine_that_has_the_sinks",),
    ),
    Guard(
        "status: exit 3 where one is stuck",
        "cli/rotation/status.py",
        "return ended(session, found.selection, what, stuck)",
        "return ended(session, found.selection, what)",
        (f"{RUN}::test_a_failure_stops_its_lineage_alone_and_shows_in_status",),
    ),
    Guard(
        "run --dry-run changes nothing",
        "cli/rotation/run.py",
        "    if dry_run:\n",
        "    if False:\n",
        (f"{RUN}::test_dry_run_limit_only_and_ages",),
    ),
    Guard(
        "an emergency asks",
        "cli/rotation/run.py",
        "    if emergency and not yes:\n",
        "    if False:\n",
        (f"{RUN}::test_emergency_asks_and_leaves_no_old_key",),
    ),
    Guard(
        "keys rotate asks",
        "cli/keys/rotate.py",
        "    if not (yes or dry_run or session.interactive):\n",
        "    if False:\n",
        (f"{ROTATE}::test_they_ask_and_can_be_planned",),
    ),
    Guard(
        "keys rotate: a sink that is not allowed is told first",
        "rotation/rotate.py",
        "    build(specs, cloud, flagged=told.flagged, emit=told.write_line)\n",
        "",
        (f"{ROTATE}::test_a_sandbox_key_leaves_the_sandbox_only_with_the_flag",),
    ),
]
