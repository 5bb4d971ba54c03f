"""The way to Google: tokens, repeats, proxies, certificates, and which keys go where."""

from __future__ import annotations

from tests.guards.guard import Guard

ERRORS = "tests/cloud/test_errors.py"
GOOGLE = "tests/cloud/test_google.py"
RETRY = "tests/cloud/test_retry.py"
NETWORK = "tests/cloud/test_network.py"
FIND = "tests/cli/keys/test_keys_find.py"
_ACCESS = "cloud/google_access.py"
_CALLS = "cloud/calls.py"
_KEYS = "cloud/apikeys.py"

GUARDS = [
    Guard(
        "many refusals of one token fetch one",
        _ACCESS,
        'if self._signed().get("authorization") == refused:',
        "if True:",
        (f"{GOOGLE}::test_many_refusals_of_one_token_fetch_one_new_token",),
    ),
    Guard(
        "a token is fetched once for many calls",
        _ACCESS,
        "            async with self._lock:\n                if not self._fresh():\n                    await self._refresh()",
        "            await self._refresh()",
        (f"{GOOGLE}::test_a_lasting_token_is_fetched_once_for_many_calls",),
    ),
    Guard(
        "a token about to expire is renewed",
        _ACCESS,
        "return bool(self._credentials.token_state is TokenState.FRESH)",
        "return bool(self._credentials.token_state is not TokenState.INVALID)",
        (f"{GOOGLE}::test_a_token_about_to_expire_is_renewed_before_the_next_call",),
    ),
    Guard(
        "an impersonated account brings no quota project of the person's along",
        _ACCESS,
        'quota_project=os.environ.get("GOOGLE_CLOUD_QUOTA_PROJECT") or None,',
        "quota_project=loaded.caller.quota_project,",
        ("tests/local_google/test_charged.py::test_an_impersonated_account_brings_no_quota_project_of_the_persons",),
    ),
    Guard(
        "a token that is refused again is not renewed for ever",
        _CALLS,
        "if not history.renewed and await",
        "if await",
        (f"{GOOGLE}::test_a_token_refused_again_is_not_renewed_for_ever",),
    ),
    Guard(
        "no quota project is sent unless named",
        _CALLS,
        '        if charged:\n            headers["x-goog-user-project"] = charged\n',
        '        headers["x-goog-user-project"] = charged or "other"\n',
        (f"{GOOGLE}::test_no_quota_project_is_sent_unless_named",),
    ),
    Guard(
        "each call is charged to its project where that was asked for",
        _CALLS,
        "if (self._charge_each or call.charged) and call.project:",
        "if False:",
        (f"{GOOGLE}::test_each_call_can_be_charged_to_its_own_project",),
    ),
    Guard(
        "what must not be repeated is not",
        _CALLS,
        "elif not failure.worth_repeating(self._call) or (",
        "elif (",
        (f"{RETRY}::test_other_failures_are_final",),
    ),
    Guard(
        "a listing that goes round in circles is ended",
        _CALLS,
        "            if circles:\n",
        "            if False:\n",
        (f"{RETRY}::test_a_listing_that_goes_round_in_circles_is_ended",),
    ),
    Guard(
        "somebody else's key of the same id is not ours",
        _KEYS,
        "if found.delete_time is not None or not _agrees(found, wanted):",
        "if False:",
        (f"{RETRY}::test_somebody_elses_key_of_the_same_id_is_not_taken_for_ours",),
    ),
    Guard(
        "an id that is taken at the first try is taken",
        _CALLS,
        "if history.lost and on_repeat is not None",
        "if on_repeat is not None",
        (f"{RETRY}::test_an_id_taken_at_the_first_try_is_taken",),
    ),
    Guard(
        "what the service says is masked where it is read",
        "cloud/errors.py",
        "facts = replace(facts, message=redact(facts.message))",
        "facts = replace(facts)",
        (f"{ERRORS}::test_key_strings_in_messages_and_links_are_masked",),
    ),
    Guard(
        "the links that the service names are masked where they are read",
        "cloud/errors.py",
        "notes=[redact(link) for link in facts.links],",
        "notes=[*facts.links],",
        (f"{ERRORS}::test_key_strings_in_messages_and_links_are_masked",),
    ),
    Guard(
        "a sandbox key is not sent to Google, nor a real one to the sandbox",
        "cloud/sandbox_key_guard.py",
        "    if key.sandbox == sandbox:\n",
        "    if True:\n",
        (f"{FIND}::test_a_real_key_is_never_sent_to_the_sandbox", f"{FIND}::test_a_sandbox_key_is_never_sent_to_google"),
    ),
    Guard(
        "loopback goes through no proxy",
        "cloud/network.py",
        'if bare == "localhost" or bare.endswith(".localhost"):',
        'if bare.endswith(".localhost"):',
        (f"{NETWORK}::test_loopback_hosts",),
    ),
    Guard(
        "a name that begins like loopback is elsewhere",
        "cloud/network.py",
        "        return ipaddress.ip_address(bare).is_loopback\n",
        '        return bare.startswith("127.") or ipaddress.ip_address(bare).is_loopback\n',
        (f"{NETWORK}::test_other_hosts",),
    ),
    Guard(
        "a file without certificates is refused",
        "cloud/network.py",
        "    if not pem:\n",
        "    if False:\n",
        (f"{NETWORK}::test_a_ca_file_that_is_none_is_named",),
    ),
]
