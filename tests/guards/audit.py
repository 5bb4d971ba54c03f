"""The audit: what it calls wrong, what it leaves alone, and that the unknown is never called right."""

from __future__ import annotations

from tests.guards.guard import Guard

RULES = "tests/unit/test_audit_rules.py"
FIND = "tests/cli/audit/test_audit_find.py"
TROUBLE = "tests/cli/audit/test_audit_trouble.py"
OUTPUT = "tests/cli/audit/test_audit_output.py"
DECIDE = "tests/unit/test_rotation_decide.py"
_RULES = "audit/rules"
_SCAN = "audit/scan.py"

GUARDS = [
    Guard(
        "words of others in annotations are not repeated",
        "model/lineage.py",
        "return value if value in _CAUSES else None",
        "return value",
        (f"{DECIDE}::test_a_cause_that_nobody_wrote_is_none", f"{RULES}::test_words_of_others_in_annotations_are_not_repeated"),
    ),
    Guard(
        "where the API's state is unknown no key is called exposed",
        f"{_RULES}/gemini_exposed_key.py",
        "    if facts.gemini:\n",
        "    if facts.gemini is not False:\n",
        (f"{RULES}::test_where_the_api_state_is_unknown_neither_is_said",),
    ),
    Guard(
        "where the API's state is unknown no key is called harmless",
        f"{_RULES}/unrestricted_key.py",
        "if facts.gemini is False:",
        "if not facts.gemini:",
        (f"{RULES}::test_where_the_api_state_is_unknown_neither_is_said",),
    ),
    Guard(
        "a standard key for Gemini is high",
        f"{_RULES}/standard_key.py",
        '        if kind in ("gemini", "mixed"):\n',
        "        if False:\n",
        (f"{RULES}::test_standard_keys",),
    ),
    Guard(
        "auth keys are no standard keys",
        f"{_RULES}/standard_key.py",
        'if key.key_type != "standard":',
        "if False:",
        (f"{RULES}::test_standard_keys",),
    ),
    Guard(
        "networks that add up to everything let everybody in",
        f"{_RULES}/open_client_restriction.py",
        'return next((f"its networks add up to {each}" for each in sums if each.prefixlen == 0), "")',
        'return ""',
        (f"{RULES}::test_client_restrictions_that_let_everybody_in",),
    ),
    Guard(
        "a network of everything lets everybody in",
        f"{_RULES}/open_client_restriction.py",
        "        if network.prefixlen == 0:\n",
        "        if False:\n",
        (f"{RULES}::test_client_restrictions_that_let_everybody_in",),
    ),
    Guard(
        "what is as old as the limit is not too old",
        f"{_RULES}/key_too_old.py",
        "key.create_time < limit",
        "key.create_time <= limit",
        (f"{RULES}::test_age_is_counted_to_the_second_by_the_time_given",),
    ),
    Guard(
        "where use is unknown nothing is called unused",
        f"{_RULES}/unused_key.py",
        "    if facts.used is None:\n        return\n    limit = facts.now - UNUSED_AFTER\n    for key in facts.live:\n"
        "        use = facts.used.get(key.uid)\n",
        "    limit = facts.now - UNUSED_AFTER\n    for key in facts.live:\n        use = (facts.used or {}).get(key.uid)\n",
        (f"{RULES}::test_where_use_is_unknown_nothing_is_called_unused",),
    ),
    Guard(
        "a young key is not unused",
        f"{_RULES}/unused_key.py",
        "key.create_time is not None and key.create_time <= limit and (",
        "(",
        (f"{RULES}::test_unused_keys",),
    ),
    Guard(
        "what lives counts towards the limit of keys",
        f"{_RULES}/too_many_keys.py",
        "if len(facts.live) > NEARLY:",
        "if len(facts.keys) > NEARLY:",
        (f"{RULES}::test_too_many_keys_counts_live_ones",),
    ),
    Guard(
        "a purged key cannot be brought back",
        f"{_RULES}/deleted_key_recoverable.py",
        "key.delete_time is not None and facts.now < key.delete_time + RETENTION",
        "key.delete_time is not None",
        (f"{RULES}::test_deleted_keys",),
    ),
    Guard(
        "a client restriction is seen",
        f"{_RULES}/no_client_restriction.py",
        "if key.restrictions.client_kind is None:",
        "if True:",
        (f"{RULES}::test_no_client_restriction",),
    ),
    Guard(
        "a rotation that goes on is not overdue",
        f"{_RULES}/rotation_overdue.py",
        "if since is None or facts.now - since <= OVERDUE:",
        "if since is None:",
        (f"{RULES}::test_overdue",),
    ),
    Guard(
        "what is stuck is told once",
        f"{_RULES}/rotation_overdue.py",
        "            continue  # what is stuck is told as such\n",
        "            pass\n",
        (f"{RULES}::test_a_rotation_whose_last_run_stopped_is_stuck",),
    ),
    Guard(
        "a lineage that a stop was noted of is stuck",
        f"{_RULES}/rotation_stuck.py",
        "elif newest.state is State.STUCK or (newest.cause and decision.action is not Action.REST):",
        "elif False:",
        (f"{RULES}::test_a_rotation_whose_last_run_stopped_is_stuck",),
    ),
    Guard(
        "a project that cannot be listed is unknown",
        _SCAN,
        "unseen=_unseen(candidate.project, problem), failure=_no_credentials(problem)",
        "unseen=None, failure=None",
        (f"{TROUBLE}::test_the_threshold_none_does_not_make_the_unknown_right",),
    ),
    Guard(
        "an unknown state of an API is an error",
        _SCAN,
        "unseen = _unseen(facts.project, dark, _STATE_UNKNOWN) if dark is not None and any(open_keys(facts)) else None",
        "unseen = None",
        (f"{TROUBLE}::test_an_unknown_api_state_is_an_error_and_the_other_findings_stay",),
    ),
    Guard(
        "ages go by the server's clock",
        _SCAN,
        "self._now = self._cloud.now() + timedelta(seconds=1)",
        "self._now = datetime.now().astimezone()",
        (f"{FIND}::test_ages_go_by_the_servers_clock",),
    ),
]
