"""What is decided: when to rotate, when to wait, what is stuck."""

from __future__ import annotations

from tests.guards.files import DECIDE, FORGED, LINEAGE, MEND, MIGRATE, RUN, STEPS, TAMPERED
from tests.guards.guard import Guard

GUARDS = [
    Guard(
        "a rollback that was begun is finished",
        "rotation/decide.py",
        "        if terms.back_to == newest.key.key_id:\n",
        "        if False:\n",
        (f"{TAMPERED}::test_a_typed_rollback_finishes_it",),
    ),
    Guard(
        "the newest key deleted by hand: stuck",
        "rotation/decide.py",
        "if not newest.live:",
        "if False:",
        (f"{MEND}::test_a_lineage_tampered_with_is_stuck_until_somebody_goes_a_way_out[delete_successor-0]",),
    ),
    Guard(
        "annotations removed or changed: stuck",
        "rotation/decide.py",
        "if newest.generation > 1 and newest.state is None:",
        "if False:",
        (f"{MEND}::test_a_lineage_tampered_with_is_stuck_until_somebody_goes_a_way_out[remove_annotations-0]",),
    ),
    Guard(
        "a retired key restored after the rotation was complete: stuck",
        "rotation/decide.py",
        "if newest.state is State.RETIRED:\n        return older",
        "if newest.state is State.RETIRED:\n        return []",
        (f"{MEND}::test_a_lineage_tampered_with_is_stuck_until_somebody_goes_a_way_out[restore_predecessor-0]",),
    ),
    Guard(
        "an older retired key restored during a rotation: stuck",
        "rotation/decide.py",
        "return [member for member in older if named is not None and member.generation < named.generation]",
        "return []",
        (f"{DECIDE}::test_what_was_changed_by_hand_is_stuck_with_a_way_out",),
    ),
    Guard(
        "what adopting named as the predecessor is believed",
        "rotation/decide.py",
        "named = next((m for m in lineage.counted if m.key.key_id == newest.predecessor_id), lineage.predecessor)",
        "named = lineage.predecessor",
        (f"{MEND}::test_the_oldest_generation_brought_back_by_hand_is_retired_after_adopting_the_newest",),
    ),
    Guard(
        "a publication without its time: stuck",
        "rotation/decide.py",
        '"does not say when it was published" if newest.state is State.GRACE else None',
        "None",
        (f"{MEND}::test_a_lineage_tampered_with_is_stuck_until_somebody_goes_a_way_out[forge_publication-0]",),
    ),
    Guard(
        "a publication before the key was made: stuck",
        "rotation/decide.py",
        "newest.published < newest.key.create_time - CLOCKS:",
        "False:",
        (f"{FORGED}::test_in_grace_both_ways_out_lead_on[published_before_it_was_made-0]",),
    ),
    Guard(
        "a publication in the future: stuck",
        "rotation/decide.py",
        "if newest.published > now + CLOCKS else None",
        "if False else None",
        (f"{FORGED}::test_in_grace_both_ways_out_lead_on[published_in_the_future-0]",),
    ),
    Guard(
        "a standard key in the place of an auth key: stuck",
        "rotation/decide.py",
        'if old.key.key_type == "auth" and newest.key.key_type == "standard":',
        "if False:",
        (f"{FORGED}::test_a_key_made_by_hand_under_the_successors_id_replaces_nothing",),
    ),
    Guard(
        "a successor for every API in the place of a restricted key: stuck",
        "rotation/decide.py",
        "if old.key.restrictions.services and not newest.key.restrictions.services:",
        "if False:",
        (f"{FORGED}::test_in_grace_both_ways_out_lead_on[without_restrictions-0]",),
    ),
    Guard(
        "what was not marked published is published",
        "rotation/decide.py",
        "newest.published is None or newest.state not in",
        "newest.state not in",
        (f"{DECIDE}::test_the_way_of_a_rotation",),
    ),
    Guard(
        "stuck in grace goes on with the grace period",
        "rotation/decide.py",
        "(State.GRACE, State.STUCK)",
        "(State.GRACE,)",
        (f"{DECIDE}::test_the_way_of_a_rotation",),
    ),
    Guard(
        "other sinks than before are given the key before the old one goes",
        "rotation/decide.py",
        "if sinks and newest.sinks != sinks:",
        "if False:",
        (f"{STEPS}::test_a_new_sink_has_the_key_before_the_predecessor_goes",),
    ),
    Guard(
        "what a split left to other APIs is not deleted",
        "rotation/decide.py",
        " and not split_off(member, newest)",
        "",
        (f"{LINEAGE}::test_a_mixed_key_is_split_and_what_it_keeps_may_be_used_on",),
    ),
    Guard(
        "keys for other APIs alone are not migrated",
        "rotation/decide.py",
        'key.key_type == "standard" and key.restricted != "other"',
        'key.key_type == "standard"',
        (f"{MIGRATE}::test_the_plan_says_which_whose_where_and_what_is_missing",),
    ),
    Guard(
        "after a rollback no rotation begins by itself",
        "rotation/decide.py",
        "if newest.void_up_to:",
        "if False:",
        (f"{LINEAGE}::test_after_a_rollback_the_next_rotation_waits_until_it_is_asked_for",),
    ),
    Guard(
        "a key below the age is not rotated",
        "rotation/decide.py",
        "if now >= due:",
        "if True:",
        (f"{RUN}::test_plan_says_what_run_would_do_and_why_and_changes_nothing",),
    ),
    Guard(
        "the predecessor works through the grace period",
        "rotation/decide.py",
        "if older and grace and now < ends:",
        "if False:",
        (f"{RUN}::test_run_goes_as_far_as_it_can_each_time",),
    ),
    Guard(
        "an emergency knows no grace",
        "rotation/decide.py",
        "timedelta() if terms.emergency else terms.grace",
        "terms.grace",
        (f"{LINEAGE}::test_an_emergency_of_all_keys_replaces_each_once",),
    ),
]
