"""Two steps of one plan, and what is foreseen of it: what a dry run of `audit fix` says is what the run ends with."""

from __future__ import annotations

from tests.guards.guard import Guard

FORESEEN = "tests/cli/fix/test_fix_foreseen.py"
PLAN = "tests/cli/fix/test_fix_plan.py"
POLICIES = "tests/cli/fix/test_fix_policy.py"
TWO = "tests/cli/fix/test_fix_two_steps.py"

GUARDS = [
    Guard(
        "a key is not replaced before it is contained",
        "audit/fix/recompute.py",
        "    if first is not None and first.not_made:",
        "    if False:",
        ("tests/unit/test_fix_rules.py::test_a_key_is_replaced_as_its_first_step_left_it",),
    ),
    Guard(
        "the second step is pinned to what the first wrote",
        "audit/fix/recompute.py",
        "    etag = change.etag if first is None or first.record is None else first.record.etag",
        "    etag = live.etag",
        ("tests/unit/test_fix_rules.py::test_a_key_is_replaced_as_its_first_step_left_it",),
    ),
    Guard(
        "what a killed run read late is not taken for its own",
        "audit/fix/recompute.py",
        "    return fingerprint(replace(live, restrictions=first.before)) == first.fingerprint",
        "    return True",
        ("tests/unit/test_fix_rules.py::test_a_key_is_replaced_as_its_first_step_left_it",),
    ),
    Guard(
        "a rotation that was only written down is none that is under way",
        "audit/fix/recompute.py",
        "    if begun and (ours or live.delete_time is not None):",
        "    if begun:",
        ("tests/unit/test_fix_rules.py::test_a_rotation_is_gone_on_with_by_the_mark_of_its_run",),
    ),
    Guard(
        "a key is contained in an earlier wave",
        "audit/fix/plan_file.py",
        "        if first.wave >= then.wave:",
        "        if False:",
        (f"{TWO}::test_a_key_that_stands_twice_otherwise_is_refused",),
    ),
    Guard(
        "a plan puts what replaces a key into a later wave",
        "audit/fix/waves.py",
        "wave=max(wave, contained.get(each.name, 0) + 1) if",
        "wave=wave if",
        (f"{TWO}::test_contained_then_migrated_then_both_gone_back",),
    ),
    Guard(
        "an undo leaves a key that has a successor to the rollback",
        "audit/fix/undo.py",
        "    return any(one.newest.key.name != change.name for one in holding)",
        "    return False",
        (f"{TWO}::test_contained_then_migrated_then_both_gone_back",),
    ),
    Guard(
        "a rotation that would be refused is not begun",
        "audit/fix/execute.py",
        "if found.change.kind in ROTATING and (against := await _foreseen(work, found)) is not None:",
        "if found.change.kind in ROTATING and (against := None) is not None:",
        ("tests/cli/fix/test_fix_rotation.py::test_a_migration_that_would_be_refused_is_not_begun",),
    ),
    Guard(
        "what is under way is not tried twice by one run",
        "audit/fix/run.py",
        " and each not in under_way]",
        "]",
        (f"{FORESEEN}::test_a_dry_run_of_two_steps_ends_as_the_run_does[under_way]",),
    ),
    Guard(
        "a dry run looks at what is under way",
        "audit/fix/foresee.py",
        "    todo = [*waiting(plan, record), *left_to_do(plan, record)]",
        "    todo = left_to_do(plan, record)",
        (f"{FORESEEN}::test_a_dry_run_of_two_steps_ends_as_the_run_does[under_way]",),
    ),
    Guard(
        "a dry run foresees no second step behind a first that is refused",
        "audit/fix/foresee.py",
        '        looking.would[change.name] = out.status in ("done", "already")',
        "        looking.would[change.name] = True",
        (f"{FORESEEN}::test_a_dry_run_of_two_steps_ends_as_the_run_does[no_first_step]",),
    ),
    Guard(
        "a dry run asks the rotation's own preflight",
        "audit/fix/foresee.py",
        "    found = await looking.rotations.foreseen(target, permissions=looking.permissions)",
        "    found: FixOutcome | tuple[str, ...] = ()",
        (
            f"{FORESEEN}::test_a_dry_run_of_two_steps_ends_as_the_run_does[may_not_make]",
            f"{FORESEEN}::test_a_dry_run_of_two_steps_ends_as_the_run_does[may_not_hand_over]",
        ),
    ),
    Guard(
        "a dry run asks the organisation's constraints",
        "audit/fix/foresee.py",
        "        found = await by_policy(looking.cloud, target.key, target.after, wanted(target))",
        '        found: Problem | str = ""',
        (
            f"{POLICIES}::test_a_change_that_a_constraint_refuses_is_said_beforehand_and_skipped",
            f"{FORESEEN}::test_what_a_constraint_refuses_is_said_before_the_plan_is_written_and_before_the_question",
        ),
    ),
    Guard(
        "what reads cannot tell is said to be unknown",
        "audit/fix/foresee.py",
        "unknown=(*([told] if told else []), *_not_told(having)))",
        "unknown=())",
        (f"{FORESEEN}::test_what_could_not_be_read_is_said_to_be_unknown",),
    ),
    Guard(
        "permissions that cannot be read are unknown",
        "audit/fix/refusals.py",
        "    if not isinstance(having, Problem):\n        return ()\n    return (",
        "    if not isinstance(having, Problem):\n        return ()\n    return () or tuple() and (",
        (f"{FORESEEN}::test_what_could_not_be_read_is_said_to_be_unknown",),
    ),
    Guard(
        "a permission that is missing is told beforehand",
        "audit/fix/refusals.py",
        "    return may_not(key, missing[0], _VERBS[missing[0]]) if missing else None",
        "    return None",
        (
            f"{POLICIES}::test_one_who_may_not_delete_is_told_by_the_dry_run",
            f"{FORESEEN}::test_what_is_not_permitted_is_said_before_the_question_but_not_in_a_plan_for_others",
        ),
    ),
    Guard(
        "a change that a constraint forbids is not tried",
        "audit/fix/run.py",
        "        return FixRefused(found.change, told.message, told.cause) if isinstance(told, Problem) else found",
        "        return found",
        (f"{POLICIES}::test_a_change_that_a_constraint_refuses_is_said_beforehand_and_skipped",),
    ),
    Guard(
        "an undo asks the organisation's constraints",
        "audit/fix/undo.py",
        "    told = await by_policy(cloud, found.key, found.before, _putting_back(found.key))",
        '    told: Problem | str = ""',
        (
            f"{POLICIES}::test_an_undo_says_what_a_policy_refuses_now",
            f"{FORESEEN}::test_an_undo_says_before_its_question_what_it_would_leave_and_what_is_not_known",
        ),
    ),
    Guard(
        "sinks come from the policy's own rule",
        "audit/fix/rotations.py",
        "        found = next((one for one in self.chosen if lineage_holds(one.lineage, change.name)), None)",
        "        found = next(iter(self.chosen), None)",
        ("tests/cli/fix/test_fix_rotation.py::test_sinks_come_from_the_policy_and_never_from_the_plan",),
    ),
    Guard(
        "a plan is not written over that of a run",
        "cli/audit/fix_files.py",
        "    if (journal := journal_of(path)).exists():",
        "    if (journal := path) is None:",
        (f"{PLAN}::test_a_plan_is_not_written_over_that_of_a_run",),
    ),
    Guard(
        "clients that let everybody in are none",
        "audit/fix/clients.py",
        "    if lets_everybody_in(wanted):",
        "    if False:",
        (f"{PLAN}::test_a_bad_row_of_clients_is_refused_with_its_place",),
    ),
    Guard(
        "an undo tells beforehand that it may not bring a key back",
        "audit/fix/undo.py",
        "    if UNDELETING not in having:",
        "    if False:",
        (f"{FORESEEN}::test_an_undo_by_one_who_may_not_bring_keys_back_is_foreseen",),
    ),
]
