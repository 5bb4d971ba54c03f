"""tokens create: an ephemeral token for the Live API, by key name, stdin and variable; its times by the server's clock."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest

from keyadmin.model.key_codec import parse_time

GEMINI = "generativelanguage.googleapis.com"
TOKEN = re.compile(r"auth_tokens/[0-9a-f]{64}")
MAKER = "maker@example.com"


@pytest.fixture
def tokens(cli, served):
    """`tokens("create", "web")` runs `keyadmin tokens create web` against the server, where the key `web` works."""
    account = "caller@demo-project.iam.gserviceaccount.com"
    target = {"apiTargets": [{"service": GEMINI}]}
    methods = {"apiTargets": [{"service": GEMINI, "methods": ["google.ai.generativelanguage.v1alpha.AuthTokenService.*"]}]}
    keys = [
        {"keyId": "web", "displayName": "Web", "serviceAccountEmail": account, "restrictions": target},
        {"keyId": "tokens-only", "serviceAccountEmail": account, "restrictions": methods},
        {"keyId": "old", "restrictions": target},
    ]
    services = [GEMINI, "apikeys.googleapis.com"]
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": services, "keys": keys}]})

    def run(*arguments, group="tokens", user="owner@example.com", env=None, **options):
        chosen = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": user} | (env or {})
        return cli(group, *arguments, env=chosen, **options)

    return run


def now(served) -> datetime:
    moment = parse_time(served.control("")["now"])
    assert moment is not None
    return moment


def test_in_words_the_token_is_all_of_stdout(tokens, served) -> None:
    done = tokens("create", "web")
    assert done.code == 0, done.err
    assert TOKEN.fullmatch(done.out.strip())
    assert done.out.strip() not in done.err
    assert "1 session begun before" in done.err
    assert served.methods().count("CreateToken") == 1


@pytest.mark.parametrize("moved", ["0s", "40d"])
def test_in_json_with_times_by_the_servers_clock(tokens, served, moved) -> None:
    served.control("clock", {"advance": moved})
    string = tokens("show", "web", group="keys").out.strip()
    ways = [
        tokens("create", "web", "--uses", "3", "--expire", "2h", "--session-start", "10m", "--format", "json"),
        tokens("create", "-", "--uses", "0", "--expire", "19h", "--format", "json", stdin=string + "\n"),
        tokens("create", "--key-from-env", "K", "--format", "json", env={"K": string}),
    ]
    terms = [(3, 120, 10), (0, 1140, 1), (1, 30, 1)]
    for done, (uses, expires, starts) in zip(ways, terms, strict=True):
        assert done.code == 0, done.err
        assert done.json["sandbox"] is True
        assert TOKEN.fullmatch(done.json["name"])
        assert done.json["uses"] == uses
        for field, minutes in (("expireTime", expires), ("newSessionExpireTime", starts)):
            moment = parse_time(done.json[field])
            assert moment is not None
            off = moment - now(served) - timedelta(minutes=minutes)
            assert abs(off) < timedelta(seconds=30)
        assert string not in done.out + done.err


def test_a_service_that_refuses(tokens, served) -> None:
    served.control("faults", {"method": "CreateToken", "code": "RESOURCE_EXHAUSTED", "times": 1})
    done = tokens("create", "web", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "rate-limited"
    assert done.out == ""


def test_one_permission_suffices(tokens, served) -> None:
    served.grant(MAKER, "apikeys.keys.getKeyString")
    assert tokens("create", "web", user=MAKER).code == 0
    served.grant("reader@example.com", "apikeys.keys.get", "resourcemanager.projects.get")
    refused = tokens("create", "web", "--format", "json", user="reader@example.com")
    assert refused.code == 1
    assert refused.error["cause"] == "missing-iam-permission"
    assert refused.error["permission"] == "apikeys.keys.getKeyString"


def test_a_key_restricted_to_making_tokens_makes_them(tokens) -> None:
    string = tokens("show", "tokens-only", group="keys").out.strip()
    assert TOKEN.fullmatch(tokens("create", "-", stdin=string).out.strip())


def test_a_key_that_is_rejected(tokens, served) -> None:
    for arguments, options in ((["old"], {}), (["-"], {"stdin": tokens("show", "old", group="keys").out})):
        done = tokens("create", *arguments, "--format", "json", **options)
        assert done.code == 1
        assert done.out == ""
        assert done.error["cause"] == "standard-key-rejected"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--uses", "-1"], "--uses"),
        (["--uses", "many"], "--uses"),
        (["--expire", "20h"], "--expire"),
        (["--expire", "0s"], "--expire"),
        (["--expire", "soon"], "is not a duration"),
        (["--session-start", "25h"], "--session-start"),
        (["--expire", "1m", "--session-start", "2m"], "later than --expire"),
        (["--key-from-env", "K"], "were given"),
    ],
)
def test_wrong_usage_is_found_before_any_call(tokens, served, arguments, word) -> None:
    done = tokens("create", "web", *arguments, "--format", "json", env={"K": "x"})
    assert done.code == 2
    assert word in done.error["message"]
    assert "CreateToken" not in served.methods()


def test_key_strings_are_not_arguments_and_real_ones_not_sent(tokens, served) -> None:
    before = served.methods()
    real = "AQ." + "Ab8RN6J" + "k" * 40
    done = tokens("create", real)
    assert done.code == 2
    assert "k" * 20 not in done.err
    done = tokens("create", "-", "--format", "json", stdin=real)
    assert done.code == 3
    assert done.error["cause"] == "unknown"
    assert served.methods() == before
    assert tokens("create").code == 2


def test_a_dry_run_makes_none(tokens, served) -> None:
    assert tokens("create", "web", "--dry-run").code == 0
    assert "CreateToken" not in served.methods()


def test_a_token_is_masked_like_a_key(tokens) -> None:
    from keyadmin.model.secret import redact

    token = tokens("create", "web").out.strip()
    assert token[20:] not in redact(json.dumps({"name": token}))
