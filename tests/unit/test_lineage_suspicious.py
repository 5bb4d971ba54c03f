"""What is believed of a lineage after a leak: the thief may have written the claims on its keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from keyadmin.model.lineage import VOID, State, claims
from tests.unit.test_rotation_decide import NOW, L, founder, generation, lineage


def test_after_a_leak_no_claim_takes_a_key_that_lives_out_of_the_count() -> None:
    back = founder(annotations=claims(L, 1, None, State.RETIRED) | {VOID: "2"})
    second = generation(2, State.GRACE, published=timedelta(days=3))
    suspected = replace(lineage(back, second), suspicious=True)
    assert (suspected.newest.generation, suspected.voided) == (2, ())
    ended = replace(lineage(back, replace(second, delete_time=NOW)), suspicious=True)
    assert ended.newest.generation == 1, "what is deleted may well have been rolled back from"
