"""What is read off keys and their annotations."""

from __future__ import annotations

from tests.guards.files import DECIDE, MEND, OVERTAKEN, STEPS, STOPPED
from tests.guards.guard import Guard

GUARDS = [
    Guard(
        "a successor's id is a function of lineage and generation",
        "model/lineage.py",
        'return f"ka-{lineage}-{generation}"',
        "return f\"ka-{lineage}-{generation}{__import__('os').urandom(1)[0]}\"",
        (
            f"{DECIDE}::test_the_lineage_is_the_first_ten_characters_of_the_base32_sha256_of_the_uid",
            f"{OVERTAKEN}::test_two_runs_at_once_publish_once",
        ),
    ),
    Guard(
        "only whole ids of the form ka-LINEAGE-N are successors",
        "model/lineage.py",
        "_SUCCESSOR.fullmatch(key_id)",
        "_SUCCESSOR.search(key_id)",
        (f"{DECIDE}::test_other_ids_are_founders",),
    ),
    Guard(
        "the state counts only where the key id agrees",
        "model/lineage.py",
        'self.key.annotations.get(STATE, "") if self.claimed else ""',
        'self.key.annotations.get(STATE, "")',
        (f"{DECIDE}::test_annotations_count_only_where_the_key_id_agrees",),
    ),
    Guard(
        "a state that is none of ours is no state",
        "model/lineage.py",
        "return _STATES.get(value)",
        "return _STATES.get(value, State.RETIRED)",
        (
            f"{STOPPED}::test_what_was_tampered_with_is_not_written_over_where_another_look_fails",
            f"{DECIDE}::test_what_was_changed_by_hand_is_stuck_with_a_way_out",
        ),
    ),
    Guard(
        "the time of publication counts only where the key id agrees",
        "model/lineage.py",
        "parse_time(self.key.annotations.get(PUBLISHED)) if self.claimed else None",
        "parse_time(self.key.annotations.get(PUBLISHED))",
        (f"{DECIDE}::test_annotations_count_only_where_the_key_id_agrees",),
    ),
    Guard(
        "a time of publication that is none is unknown, not a crash",
        "model/lineage.py",
        "except ValueError:\n            return None",
        "except KeyError:\n            return None",
        (f"{MEND}::test_a_lineage_tampered_with_is_stuck_until_somebody_goes_a_way_out[garble_publication-0]",),
    ),
    Guard(
        "a rollback's mark counts only where the key id agrees",
        "model/lineage.py",
        'self.key.annotations.get(annotation, "") if self.claimed else ""',
        'self.key.annotations.get(annotation, "")',
        (f"{DECIDE}::test_annotations_count_only_where_the_key_id_agrees",),
    ),
    Guard(
        "a claim to another lineage is no claim",
        "model/lineage.py",
        "key.annotations.get(LINEAGE) == lineage and ",
        "",
        (f"{DECIDE}::test_annotations_count_only_where_the_key_id_agrees",),
    ),
    Guard(
        "a claim to another generation is no claim",
        "model/lineage.py",
        " and key.annotations.get(GENERATION) == str(generation)",
        "",
        (
            f"{DECIDE}::test_annotations_count_only_where_the_key_id_agrees",
            f"{MEND}::test_a_lineage_tampered_with_is_stuck_until_somebody_goes_a_way_out[rename_generation-0]",
        ),
    ),
    Guard(
        "an id that a rollback gave up is not used again",
        "model/lineage.py",
        "max(self.generation, self.void_up_to, self._number(HIGHEST))",
        "max(self.generation, self._number(HIGHEST))",
        (f"{DECIDE}::test_no_generation_is_used_twice",),
    ),
    Guard(
        "an id whose key was deleted manually and purged is not used again",
        "model/lineage.py",
        "max(self.generation, self.void_up_to, self._number(HIGHEST))",
        "max(self.generation, self.void_up_to)",
        (f"{STOPPED}::test_the_id_of_a_key_deleted_by_hand_is_not_used_again_when_it_is_purged",),
    ),
    Guard(
        "the ids of deleted generations are not used again",
        "model/lineage.py",
        "max(member.highest for member in self.members) + 1",
        "max((member.highest for member in self.members if member.live), default=1) + 1",
        (f"{DECIDE}::test_no_generation_is_used_twice",),
    ),
    Guard(
        "what was rolled back from counts no more",
        "model/lineage.py",
        "keeper.generation < member.generation <= keeper.void_up_to",
        "False",
        (f"{DECIDE}::test_a_rollback_takes_later_generations_out_of_the_count",),
    ),
    Guard(
        "the working key lives",
        "model/lineage.py",
        "if member.live and (member.complete or member.published))",
        "if member.complete or member.published)",
        (f"{DECIDE}::test_the_working_key_lives_and_was_published",),
    ),
    Guard(
        "a rule selects by the key that is being replaced",
        "model/lineage.py",
        "self.newest.key if self.newest.complete or self.predecessor is None else self.predecessor.key",
        "self.newest.key",
        (f"{DECIDE}::test_what_a_rule_selected_stays_selected_while_it_is_rotated",),
    ),
    Guard(
        "the founder's id is believed only where the key id agrees",
        "model/lineage.py",
        "for member in reversed(self.members) if member.claimed)",
        "for member in reversed(self.members))",
        (f"{DECIDE}::test_a_founders_id_selects_its_lineage_after_the_founder_is_purged",),
    ),
    Guard(
        "a cause goes when its step succeeds",
        "model/lineage.py",
        "out.pop(CAUSE, None)",
        "pass",
        (f"{STEPS}::test_a_key_that_is_not_known_everywhere_is_handed_to_nobody",),
    ),
    Guard(
        "a successor does not inherit its predecessor's claims",
        "model/key.py",
        "if not name.startswith(OWN_ANNOTATIONS)",
        "if name",
        (f"{DECIDE}::test_other_peoples_annotations_are_carried_over_and_keyadmins_are_not",),
    ),
    Guard(
        "generations are in their order, whatever that of the listing",
        "model/lineage.py",
        "tuple(sorted(found, key=lambda member: member.generation))",
        "tuple(found)",
        (f"{DECIDE}::test_generations_are_in_their_order_whatever_that_of_the_listing",),
    ),
]
