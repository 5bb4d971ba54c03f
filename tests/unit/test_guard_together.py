"""Google's preview takes a single constraint: keyadmin's together refuse what any of them refuses."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import pytest

from keyadmin.access.cel import KeyCondition
from keyadmin.guard.constraints import LONGEST, RULES, together
from keyadmin.model.key import ALL_APIS, GEMINI, ApiTarget, Key, Restrictions

MAPS = "maps-backend.googleapis.com"
TARGETS = [(), (GEMINI,), (MAPS,), (GEMINI, MAPS), (ALL_APIS,), (ALL_APIS, GEMINI)]
CLIENTS: list[dict[str, Any]] = [
    {},
    {"ips": ("0.0.0.0/0",)},
    {"ips": ("203.0.113.7",)},
    {"referrers": ("https://a.example/*", "*")},
    {"referrers": ("https://a.example/*",)},
]
ACCOUNTS = [None, "robot@demo-project.iam.gserviceaccount.com"]
KEYS = [
    Key(
        name="projects/1/locations/global/keys/k",
        restrictions=Restrictions(targets=tuple(ApiTarget(name) for name in targets), **clients),
        service_account_email=account,
    )
    for targets, clients, account in product(TARGETS, CLIENTS, ACCOUNTS)
]


@pytest.mark.parametrize("options", [each for count in (1, 2, 3, 4) for each in combinations(RULES, count)], ids=" ".join)
def test_together_they_refuse_what_any_of_them_refuses(options: tuple[str, ...]) -> None:
    rules = [RULES[option] for option in options]
    condition = together(rules)
    assert len(condition) <= LONGEST
    joined, alone = KeyCondition(condition), [KeyCondition(rule.condition) for rule in rules]
    for key in KEYS:
        assert joined.holds(key) is any(each.holds(key) for each in alone), key.restrictions
