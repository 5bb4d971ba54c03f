"""Keys: what is written is what was shown, and what would shut somebody out or open something is asked about first."""

from __future__ import annotations

from tests.guards.guard import Guard

BETWEEN = "tests/cli/keys/test_keys_between.py"
CHANGES = "tests/cloud/test_key_changes.py"
CREATE = "tests/cli/keys/test_keys_create.py"
BEFORE = "tests/cli/keys/test_keys_before.py"
RULES = "tests/unit/test_keys_rules.py"
VALIDATE = "tests/unit/test_keys_validate.py"
CHARGED = "tests/local_google/test_charged.py"
_CHANGE = "keys/change.py"
_CHECKS = "keys/validate.py"

GUARDS = [
    Guard(
        "a key that changed is not restricted, renamed or annotated as it was",
        _CHANGE,
        "cloud.keys.update(key.name, fields, wanted, etag, usage_check)",
        "cloud.keys.update(key.name, fields, wanted, None, usage_check)",
        (
            f"{BETWEEN}::test_one_key_that_changed_is_a_conflict_and_left_alone[restrict]",
            f"{BETWEEN}::test_one_key_that_changed_is_a_conflict_and_left_alone[unrestrict]",
        ),
    ),
    Guard(
        "a key that changed is not deleted",
        _CHANGE,
        "cloud.keys.delete(key.name, etag, usage_check)",
        "cloud.keys.delete(key.name, None, usage_check)",
        (f"{BETWEEN}::test_one_key_that_changed_is_a_conflict_and_left_alone[delete]",),
    ),
    Guard(
        "a conflict is not overwritten at the second try",
        _CHANGE,
        "(now.etag != key.etag and not change.merges)",
        "False",
        (f"{BETWEEN}::test_one_key_that_changed_is_a_conflict_and_left_alone[restrict]",),
    ),
    Guard(
        "what merges is made again on what is there",
        _CHANGE,
        "            key = now\n",
        "            key = replace(now, annotations=key.annotations)\n",
        (f"{CHANGES}::test_what_is_merged_holds_for_what_is_there",),
    ),
    Guard(
        "annotations that are not named are kept",
        _CHANGE,
        "return kept | dict(add)",
        "return dict(add)",
        (f"{RULES}::test_annotations_are_cleared_removed_and_added_in_this_order",),
    ),
    Guard(
        "clients stay where the APIs are opened",
        _CHANGE,
        "return replace(old, targets=())",
        "return Restrictions()",
        (f"{RULES}::test_unrestricting_takes_off_one_part_or_both",),
    ),
    Guard(
        "use is checked unless forced, on restricting",
        _CHANGE,
        'usage_check: Literal["CHECK"] | None = "CHECK" if change.usage_check else None',
        'usage_check: Literal["CHECK"] | None = None',
        ("tests/cli/keys/test_keys_change.py::test_restrict_sends_the_check_of_use_unless_forced",),
    ),
    Guard(
        "what is not known of a key is not touched",
        _CHANGE,
        "        frozenset(paths(new)),\n",
        '        frozenset({"restrictions"}),\n',
        ("tests/cli/keys/test_keys_change.py::test_what_is_not_known_is_not_touched",),
    ),
    Guard(
        "an entry that would go is asked about",
        _CHANGE,
        'will no longer be allowed to use it" if lost else ""',
        'will no longer be allowed to use it" if False else ""',
        ("tests/cli/keys/test_keys_restrict.py::test_the_first_restriction_does_not_ask_and_one_that_drops_an_entry_does",),
    ),
    Guard(
        "opening a key is asked about",
        _CHANGE,
        'asks=f"{opened}, Gemini included where it is on" if part != "clients" else opened,',
        'asks="",',
        ("tests/cli/keys/test_keys_restrict.py::test_unrestrict_asks",),
    ),
    Guard(
        "deleting is asked about",
        _CHANGE,
        'asks="whoever uses it will be shut out"',
        'asks=""',
        ("tests/cli/keys/test_keys_change.py::test_delete_needs_yes_or_a_terminal",),
    ),
    Guard(
        "adding to a list is not taken for narrowing",
        _CHANGE,
        "usage_check=not force and not edit.widens",
        "usage_check=not force",
        ("tests/cli/test_advice.py::test_advice_on_a_blocked_key_adds_and_keeps",),
    ),
    Guard(
        "--to-used keeps the use of a week, or the check looks",
        "keys/to_used.py",
        "safe = window.span >= YOUNGEST and not window.without & answered.keys()",
        "safe = True",
        ("tests/cli/keys/test_keys_to_used.py::test_to_used_by_less_than_all_use_of_a_week_takes_force",),
    ),
    Guard(
        "the last entry of a list is not taken away",
        "keys/restriction_edit.py",
        "        if not left:\n",
        "        if False:\n",
        ("tests/cli/keys/test_keys_restrict.py::test_an_entry_is_taken_away_and_the_last_one_never",),
    ),
    Guard(
        "nothing is enabled in a project that is not active",
        "keys/preflight.py",
        "        raise Problem(\n            Cause.PROJECT_NOT_ACTIVE,",
        "        Problem(\n            Cause.PROJECT_NOT_ACTIVE,",
        (f"{BEFORE}::test_a_project_that_is_being_deleted_is_said_to_be_one",),
    ),
    Guard(
        "missing permissions are said before anything is changed",
        "keys/preflight.py",
        "        if not self.missing:\n",
        "        if True:\n",
        (f"{CREATE}::test_all_that_is_missing_is_named_at_once",),
    ),
    Guard(
        "Gemini is not switched on for a key that is not for it",
        "keys/preflight.py",
        'gemini = () if restrictions.restricted == "other" else (GEMINI,)',
        "gemini = (GEMINI,)",
        (f"{CREATE}::test_gemini_is_not_switched_on_for_a_key_that_is_not_for_it",),
    ),
    Guard(
        "open keys are not exposed to Gemini unasked",
        "keys/provision.py",
        "        exposure.require(ground.project, ground.exposed, wish.exposing)\n",
        "",
        (f"{BEFORE}::test_gemini_is_not_switched_on_beside_open_keys_unasked",),
    ),
    Guard(
        "an id that belongs to a deleted key is taken",
        "keys/provision.py",
        "        if key.delete_time is not None:\n            raise refusals.taken",
        "        if False:\n            raise refusals.taken",
        (f"{CREATE}::test_if_absent_gives_back_what_is_there",),
    ),
    Guard(
        "nothing is switched on in another project that is charged unless allowed",
        "keys/quota_project.py",
        "    if not allowed and not await _same(cloud, found, target):\n",
        "    if False:\n",
        (f"{CHARGED}::test_one_message_names_all_with_one_command_and_nothing_is_changed",),
    ),
    Guard(
        "a project that pays for itself is opened unasked",
        "keys/quota_project.py",
        "    if found.project == target:\n        return True\n",
        "",
        (f"{CHARGED}::test_a_fresh_project_that_is_its_own_quota_project_is_opened",),
    ),
    Guard(
        "a closed Service Usage API is left to gcloud",
        "keys/quota_project.py",
        "    if found.closed:\n",
        "    if False:\n",
        (f"{CHARGED}::test_a_closed_service_usage_api_is_left_to_gcloud",),
    ),
    Guard(
        "an address with host bits is refused",
        _CHECKS,
        "ipaddress.ip_network(value, strict=True)",
        "ipaddress.ip_network(value, strict=False)",
        (f"{VALIDATE}::test_host_bits_are_refused_with_the_network_meant",),
    ),
    Guard(
        "a network interface is no address",
        _CHECKS,
        "if isinstance(address, ipaddress.IPv6Address) and address.scope_id:",
        "if False:",
        (f"{VALIDATE}::test_bad_ip_ranges",),
    ),
    Guard(
        "a method that is none is refused",
        _CHECKS,
        "        if not _METHOD.fullmatch(method):\n",
        "        if False:\n",
        (f"{VALIDATE}::test_bad_methods",),
    ),
    Guard(
        "two kinds of clients are refused",
        _CHECKS,
        "    if len(used) > 1:\n",
        "    if False:\n",
        (f"{VALIDATE}::test_two_client_kinds_are_refused",),
    ),
    Guard(
        "too many clients are refused",
        _CHECKS,
        "> MAX_CLIENTS",
        "> 10**9",
        (f"{VALIDATE}::test_too_many_clients",),
    ),
    Guard(
        "a key string is no name",
        _CHECKS,
        "    if holds_key(",
        "    if False and holds_key(",
        (f"{VALIDATE}::test_a_key_string_is_refused_and_not_echoed",),
    ),
    Guard(
        "a name that means several keys means none",
        "keys/resolve.py",
        "    if len(matches) > 1:\n",
        "    if False:\n",
        (f"{RULES}::test_an_ambiguous_name_lists_the_candidates",),
    ),
]
