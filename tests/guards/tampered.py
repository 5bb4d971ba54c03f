"""Claims on keys, which whoever may change a key may write: nothing is handed over or deleted for them alone."""

from __future__ import annotations

from tests.guards.files import SUSPICIOUS, TAMPERED
from tests.guards.guard import Guard

GUARDS = [
    Guard(
        "no run finishes a rollback",
        "rotation/decide.py",
        "        return _in_question(lineage)\n",
        "        return Decision(Action.UNDO, '')\n",
        (f"{TAMPERED}::test_a_forged_rollback_hands_nothing_back_and_deletes_nothing",),
    ),
    Guard(
        "a claim on a deleted key voids nothing that lives",
        "model/lineage.py",
        "(not member.live or (keeper.live and not self.suspicious))",
        "(not member.live or not self.suspicious)",
        (f"{TAMPERED}::test_a_claim_on_a_deleted_key_voids_nothing_that_lives",),
    ),
    Guard(
        "a leaked key's lineage is read with suspicion",
        "model/lineage.py",
        "(not member.live or (keeper.live and not self.suspicious))",
        "(not member.live or keeper.live)",
        (f"{SUSPICIOUS}::test_after_a_leak_no_claim_takes_a_key_that_lives_out_of_the_count",),
    ),
    Guard(
        "a rollback whose mark was taken away is not turned into a rotation",
        "rotation/engine.py",
        "    if job.terms.back_to and decision.action not in",
        "    if False and decision.action not in",
        (f"{TAMPERED}::test_a_rollback_whose_mark_is_taken_away_does_not_end_the_rotation_instead",),
    ),
    Guard(
        "grace counts from when the successor was made, too",
        "rotation/decide.py",
        "max(newest.published, newest.key.create_time or newest.published) + grace",
        "newest.published + grace",
        (f"{TAMPERED}::test_the_old_key_works_for_the_grace_period_of_when_its_successor_was_made",),
    ),
    Guard(
        "a sink without read-back gets the key once more before the old one goes",
        "rotation/retire.py",
        "    if blind_too and again:\n",
        "    if False:\n",
        (f"{TAMPERED}::test_a_sink_without_read_back_has_the_key_once_more_before_the_old_one_goes",),
    ),
    Guard(
        "a sink without read-back gets the key once a run",
        "rotation/retire.py",
        "[sink for sink in blind if (newest.key.key_id, sink.spec) not in job.handed]",
        "list(blind)",
        (f"{TAMPERED}::test_in_one_run_a_sink_without_read_back_has_the_key_once",),
    ),
    Guard(
        "the grace of a leaked key is that of its first successor",
        "rotation/leaked.py",
        "min(made, default=now) + grace",
        "max(made, default=now) + grace",
        (f"{TAMPERED}::test_a_successor_that_somebody_opened_is_not_handed_over_in_a_leaks_place",),
    ),
    Guard(
        "what somebody opened does not replace a leaked key",
        "rotation/leaked.py",
        "if not after or not replaces(newest, leaked):",
        "if not after:",
        (f"{TAMPERED}::test_a_successor_that_somebody_opened_is_not_handed_over_in_a_leaks_place",),
    ),
    Guard(
        "after a leak the leaked key alone goes",
        "rotation/retire.py",
        "    if not job.leaked:\n        return live_older",
        "    if True:\n        return live_older",
        (f"{TAMPERED}::test_a_leak_in_the_middle_of_a_rotation_deletes_the_leaked_key_alone",),
    ),
    Guard(
        "a rotation that a leak came into goes on",
        "rotation/retire.py",
        "    elif newest.predecessor_id != left[-1].key.key_id:\n",
        "    elif False:\n",
        (f"{TAMPERED}::test_a_leak_in_the_middle_of_a_rotation_deletes_the_leaked_key_alone",),
    ),
    Guard(
        "no number keeps a leaked key from being replaced",
        "rotation/create.py",
        "return claimed if claimed <= LAST or not job.leaked else",
        "return min(claimed, LAST) if True else",
        (f"{TAMPERED}::test_no_claim_keeps_a_leaked_key_from_being_replaced",),
    ),
    Guard(
        "a leaked key's successor says again whose it is",
        "rotation/publish.py",
        "    if not job.leaked:\n        return known\n",
        "    if True:\n        return known\n",
        (f"{TAMPERED}::test_a_leaked_key_goes_when_the_grace_of_its_first_successor_is_over",),
    ),
    Guard(
        "what a run put into the sinks and could not mark is taken back",
        "rotation/publish.py",
        "    if ours in job.lineage.in_question and not job.delivered:\n",
        "    if ours in job.lineage.in_question:\n",
        (f"{TAMPERED}::test_a_rollback_that_is_forged_while_a_key_is_handed_over_deletes_nothing",),
    ),
    Guard(
        "adopting the newer key takes the claim back",
        "rotation/adopt.py",
        "        await _take_back(job, key.key_id)\n",
        "        pass\n",
        (f"{TAMPERED}::test_the_newer_key_is_kept_by_adopting_it",),
    ),
    Guard(
        "adopting keeps what was deleted rolled back from",
        "rotation/adopt.py",
        "({VOID: str(still)} if still else {})",
        "{}",
        (f"{TAMPERED}::test_adopting_leaves_what_was_deleted_rolled_back_from",),
    ),
    Guard(
        "a key that rests because of a claim is overdue when it is over age",
        "rotation/decide.py",
        "return Decision(Action.REST, why, ways_out=(way,), overdue=over)",
        "return Decision(Action.REST, why, ways_out=(way,))",
        (f"{TAMPERED}::test_a_key_that_rests_because_of_a_claim_is_named_and_overdue",),
    ),
]
