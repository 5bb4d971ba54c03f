"""Organisation policies: nothing of others is touched, nobody is refused unawares, what is refused is said beforehand."""

from __future__ import annotations

from typing import Final

from tests.guards.guard import Guard

APPLY: Final = "tests/cli/guard/test_guard_apply.py"
BAD: Final = "tests/cli/guard/test_guard_bad_input.py"
LIVED: Final = "tests/cli/guard/test_guard_lived_with.py"
REHEARSE: Final = "tests/cli/guard/test_guard_rehearse.py"
RULES: Final = "tests/unit/test_guard_constraints.py"

GUARDS: Final = (
    Guard(
        "a first apply enforces nothing",
        "guard/plan.py",
        "wanted = NodePolicy(scope.node, name, spec, None) if request.enforce else NodePolicy(scope.node, name, kept, spec)",
        "wanted = NodePolicy(scope.node, name, spec, None)",
        (f"{APPLY}::test_a_first_apply_sets_dry_runs_and_refuses_nobody",),
    ),
    Guard(
        "enforcing asks",
        "cli/guard/apply.py",
        "    confirm(session, _question(found), yes=yes)\n",
        "    pass\n",
        (f"{APPLY}::test_enforcing_shows_the_rehearsal_asks_and_refuses_in_googles_form",),
    ),
    Guard(
        "enforcing rehearses",
        "cli/guard/apply.py",
        "looks = rehearse or (enforce and bool(found.steps))",
        "looks = rehearse",
        (f"{APPLY}::test_enforcing_shows_the_rehearsal_asks_and_refuses_in_googles_form",),
    ),
    Guard(
        "apply --dry-run changes nothing",
        "cli/guard/apply.py",
        "    if dry_run:\n",
        "    if False:\n",
        (f"{APPLY}::test_dry_run_changes_nothing",),
    ),
    Guard(
        "remove --dry-run changes nothing",
        "cli/guard/remove.py",
        "    if dry_run or not found.steps:\n",
        "    if not found.steps:\n",
        (f"{APPLY}::test_it_is_taken_away_again_and_nothing_of_others_is_touched",),
    ),
    Guard(
        "another's constraint of the name is left alone",
        "guard/plan.py",
        "    if not constraints.is_own_constraint(found):\n        raise",
        "    if False:\n        raise",
        (f"{BAD}::test_anothers_constraint_has_the_name",),
    ),
    Guard(
        "another's policy in the place is left alone",
        "guard/plan.py",
        "    if found is not None and not constraints.is_own(found):\n",
        "    if False:\n",
        (f"{BAD}::test_anothers_policy_is_in_the_place",),
    ),
    Guard(
        "remove takes only what is exactly keyadmin's",
        "guard/plan.py",
        "        if constraints.is_own(policy):\n",
        "        if True:\n",
        (f"{APPLY}::test_a_policy_that_is_not_exactly_keyadmins_stays",),
    ),
    Guard(
        "a constraint that a policy elsewhere names stays",
        "guard/plan.py",
        "        if each.name in left:\n",
        "        if False:\n",
        (f"{APPLY}::test_it_is_taken_away_again_and_nothing_of_others_is_touched",),
    ),
    Guard(
        "where policies elsewhere are not known constraints stay",
        "guard/elsewhere.py",
        'return dict.fromkeys(names, f"whether a policy elsewhere names it is not known ({problem.message})")',
        "return {}",
        (f"{APPLY}::test_where_policies_elsewhere_may_not_be_searched_constraints_stay",),
    ),
    Guard(
        "twenty constraints are the most",
        "guard/plan.py",
        "    if new and count + new > constraints.MOST:\n",
        "    if False:\n",
        (f"{BAD}::test_twenty_constraints_are_there_already",),
    ),
    Guard(
        "permissions are tested before anything is written",
        "guard/permissions.py",
        "        if missing:\n",
        "        if False:\n",
        (f"{BAD}::test_without_permission_place_and_permission_are_named",),
    ),
    Guard(
        "a tag is a tag",
        "guard/constraints.py",
        "found = _TAG.fullmatch(text)",
        "found = _TAG.match(text)",
        (f"{BAD}::test_a_malformed_tag",),
    ),
    Guard(
        "an organisation does without Gemini only by its folders",
        "guard/plan.py",
        '    if request.deny_gemini and scope.node.startswith("organizations/"):\n',
        "    if False:\n",
        (f"{APPLY}::test_gemini_is_kept_out_of_a_folder_beside_what_is_inherited",),
    ),
    Guard(
        "Gemini is denied beside what is inherited",
        "guard/constraints.py",
        "return PolicySpec((SpecRule(denied=(GEMINI,)),), inherits=True)",
        "return PolicySpec((SpecRule(denied=(GEMINI,)),))",
        (f"{APPLY}::test_gemini_is_kept_out_of_a_folder_beside_what_is_inherited",),
    ),
    Guard(
        "what enforces does not go back to a dry run",
        "guard/plan.py",
        "        enforced_so = not request.enforce and same(kept, spec)\n",
        "        enforced_so = False\n",
        (f"{APPLY}::test_the_same_command_again_writes_nothing",),
    ),
    Guard(
        "exceptions stay unless others are named",
        "guard/plan.py",
        "return constraints.enforcing(request.tags or constraints.excepted(there))",
        "return constraints.enforcing(request.tags)",
        (f"{APPLY}::test_an_exception_by_tag_passes",),
    ),
    Guard(
        "other writes at the place are waited for",
        "guard/execute.py",
        'return problem.status == "ABORTED" and problem.cause is Cause.CONFLICT and CHANGED not in problem.notes',
        "return False",
        (f"{BAD}::test_other_writes_at_the_same_place_are_waited_for",),
    ),
    Guard(
        "what has no value is unknown",
        "access/cel.py",
        "        except errors:\n            return None\n",
        "        except errors:\n            return False\n",
        (f"{RULES}::test_what_has_no_value_is_unknown_and_not_guessed",),
    ),
    Guard(
        "a preview that may not be asked stops no rehearsal",
        "guard/preview.py",
        "        if problem.exit is Exit.CREDENTIALS:",
        "        if problem.exit is not Exit.CREDENTIALS:",
        (f"{REHEARSE}::test_a_preview_that_may_not_be_asked_is_said_once",),
    ),
    Guard(
        "nothing is prepared for a key that a constraint refuses",
        "keys/provision.py",
        "            await allowed(cloud, wish, ground)  # nothing is prepared for a key that a constraint refuses\n",
        "            pass\n",
        (f"{LIVED}::test_nothing_is_prepared_for_a_key_that_is_refused",),
    ),
    Guard(
        "a refusal by a constraint is not taken for use of the key",
        "keys/change.py",
        "            if problem.cause is Cause.ORG_POLICY_CONSTRAINT:\n",
        "            if False:\n",
        (f"{LIVED}::test_a_refusal_is_not_taken_for_use_of_the_key",),
    ),
    Guard(
        "nobody is asked about what a constraint refuses",
        "cli/keys/key_change.py",
        "            await allowed(cloud, changes[0])  # nobody is asked about what a constraint refuses\n",
        "            pass\n",
        (f"{LIVED}::test_nobody_is_asked_about_what_a_constraint_refuses",),
    ),
    Guard(
        "a rotation whose notes are refused makes nothing",
        "rotation/create.py",
        "    job.unknown = await allowed(job)  # a successor whose notes are refused would be left half made\n",
        "",
        (f"{LIVED}::test_a_rotation_that_meets_one_on_its_way_says_so",),
    ),
    Guard(
        "nobody is asked about a rotation that a constraint refuses",
        "rotation/rotate.py",
        "    if decision.action is Action.CREATE and not foresight:\n",
        "    if False:\n",
        (f"{LIVED}::test_nobody_is_asked_about_what_a_constraint_refuses",),
    ),
)
