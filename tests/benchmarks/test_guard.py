"""The rehearsal at scale: 50,000 keys against all constraints, beside the reading."""

from __future__ import annotations

import time

import pytest

from keyadmin.guard.constraints import RULES
from keyadmin.guard.rehearse import judge
from keyadmin.model.key import GEMINI, ApiTarget, Key, Restrictions

pytestmark = pytest.mark.benchmark

KEYS, CPU_S = 50_000, 3.0


def fleet(*, alike: bool) -> list[Key]:
    """Keys of 10,000 projects: of a few shapes, or no two with the same sites and service account."""
    shapes = [
        Restrictions(),
        Restrictions(targets=(ApiTarget(GEMINI),)),
        Restrictions(targets=(ApiTarget(GEMINI), ApiTarget("maps-backend.googleapis.com"))),
        Restrictions(targets=(ApiTarget("maps-backend.googleapis.com"),), referrers=("*",)),
    ]
    out = []
    for number in range(KEYS):
        own = Restrictions(
            targets=(ApiTarget(GEMINI),), referrers=(f"https://site{number}.example/*", f"https://www{number}.example/*")
        )
        account = f"robot@p{number // 5}.iam.gserviceaccount.com" if number % 2 else None
        name = f"projects/{number // 5}/locations/global/keys/k{number}"
        out.append(Key(name, restrictions=shapes[number % 4] if alike else own, service_account_email=account))
    return out


@pytest.mark.parametrize("alike", [True, False], ids=["a few shapes", "no two alike"])
def test_fifty_thousand_keys_are_rehearsed(alike: bool) -> None:
    keys, rules = fleet(alike=alike), [rule.constraint("organizations/1") for rule in RULES.values()]
    judge(keys[:10], rules)  # imports
    began = time.process_time()
    found = judge(keys, rules)
    spent = time.process_time() - began
    print(f"{KEYS} keys: {spent:.2f} s CPU")
    assert found.keys == KEYS
    assert found.refused
    assert spent < CPU_S
