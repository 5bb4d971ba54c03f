"""Every command that keyadmin prints is typed: it parses, it goes where this run went, and on a busy object it does no harm.

The world of a test has neighbours: other sites, other addresses, other keys of the name, other bindings. After the command the
trouble is gone and the neighbours are there.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from keyadmin.access.advice import filled
from keyadmin.audit.rules import rules
from keyadmin.cli.app import PROGRAM, ROOT
from keyadmin.cli.examples import EXAMPLES
from keyadmin.cli.lazy import CommandWithSubcommands, LazyGroup, group
from keyadmin.cli.printed import command_paths, use_table
from keyadmin.model.causes.table import entry
from keyadmin.model.problem import Cause

GEMINI = "generativelanguage.googleapis.com"
MAPS = "maps-backend.googleapis.com"
SHA1 = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"

FILLED = {
    "KEY": "web",
    "PROJECT": "demo-project",
    "ID": "demo-project",
    "SERVICE": MAPS,
    "SITE": "https://new.example/*",
    "ADDRESS": "198.51.100.9",
    "PACKAGE=SHA1": f"com.new.app={'0' * 40}",
    "com.new.app=SHA1": f"com.new.app={'0' * 40}",  # where the error names the package
    "BUNDLE_ID": "com.new",
    "NAME": "new-name",
    "NEW_NAME": "new-name",
    "SINK": "stdout",
    "PATH": ".",
}


def commands_in(text: str) -> Iterator[str]:
    """The commands of keyadmin in a text: from the program to the end of the command, as somebody copies it."""
    paths = "|".join(map(re.escape, sorted(command_paths(), key=len, reverse=True)))
    for found in re.finditer(rf"(?<![\w./-]){PROGRAM} (?:{paths})(?![\w-])", text):
        rest = re.split(
            r"    #|\n|\)|,|;|`|: | (?:or|and|then|puts|prints|sets|says|makes|shows|splits|brings|checks|removes|goes|to)\b",
            text[found.end() :],
        )[0]
        yield f"{found[0]}{rest}".rstrip(" .")


@pytest.fixture(scope="module", autouse=True)
def table() -> None:
    use_table({name: entry.target for name, entry in ROOT.entries.items()})


def parsed(line: str) -> None:
    """Fails where the command table does not take the line. Nothing runs."""
    parsed_words(shlex.split(line)[1:], line)


def parsed_words(words: list[str], line: str) -> None:
    """The same for the words after the program, of which the line is told."""
    node: Any = group(PROGRAM, ROOT)
    place = 0
    while words[place : place + 1] and words[place].startswith("--"):  # global options before the command
        place += 1 if words[place] in ("--sandbox", "--no-sandbox", "--quiet", "--verbose", "--no-color", "--version") else 2
    while isinstance(node, LazyGroup):
        if isinstance(node, CommandWithSubcommands) and not (words[place:] and words[place].isalpha()):
            break
        node = node.get_command(None, words[place])
        assert node is not None, line
        place += 1
    parser = node.make_parser(node.context_class(node, info_name="x", resilient_parsing=True))
    parser.parse_args(words[place:])  # unknown options and missing values are refused


PROSE = [
    *((f"rule {rule.id}", f"{rule.help} {rule.fix}") for rule in rules().values()),
    *((f"example {name}", line) for name, lines in EXAMPLES.items() for line in lines),
]


@pytest.mark.parametrize(("where", "text"), PROSE, ids=[where for where, _ in PROSE])
def test_commands_in_rules_and_examples_parse(where: str, text: str) -> None:
    for line in commands_in(text):
        parsed(line)


@pytest.mark.parametrize("cause", list(Cause))
def test_commands_of_every_cause_parse(cause: Cause) -> None:
    from keyadmin.cli import errors
    from keyadmin.cli.session import Session
    from keyadmin.model.problem import Problem

    problem = Problem(cause, "m", project="demo-project", service=MAPS, permission="apikeys.keys.create")
    _, fix = errors._why_and_fix(Session({}), problem)
    for step in fix:
        for line in commands_in(step):
            parsed(line)


VARIANTS = [(cause, variant) for cause in Cause for variant in entry(cause).variants]


@pytest.mark.parametrize(("cause", "variant"), VARIANTS, ids=[f"{cause.value}-{variant}" for cause, variant in VARIANTS])
@pytest.mark.parametrize("names", [{}, {"project": "demo-project", "service": MAPS, "permission": "apikeys.keys.create"}])
def test_commands_of_every_variant_parse(cause: Cause, variant: str, names: dict[str, str]) -> None:
    for step in filled(entry(cause).variants[variant].steps, names):
        for line in commands_in(step):
            parsed(line)


BUSY: dict[str, dict[str, Any]] = {
    "referrers": {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*", "https://b.example/*"]}},
    "ips": {"serverKeyRestrictions": {"allowedIps": ["192.0.2.1", "192.0.2.2"]}},
    "android": {
        "androidKeyRestrictions": {
            "allowedApplications": [{"packageName": name, "sha1Fingerprint": SHA1} for name in ("com.a.x", "com.b.x")]
        }
    },
    "ios": {"iosKeyRestrictions": {"allowedBundleIds": ["com.a", "com.b"]}},
    "targets": {"apiTargets": [{"service": GEMINI}, {"service": "translate.googleapis.com", "methods": ["Get*"]}]},
}
BLOCKED = {
    "referrers": "Requests from referer https://new.example are blocked.",
    "ips": "The provided API key has an IP address restriction. The originating IP address of the call is 198.51.100.9.",
    "android": "Requests from this Android client application com.new.app are blocked.",
    "ios": "Requests from this iOS client application com.new are blocked.",
    "targets": f"Requests to this API {MAPS} method maps.Get are blocked.",
}
REASONS = {
    "referrers": "API_KEY_HTTP_REFERRER_BLOCKED",
    "ips": "API_KEY_IP_ADDRESS_BLOCKED",
    "android": "API_KEY_ANDROID_APP_BLOCKED",
    "ios": "API_KEY_IOS_APP_BLOCKED",
    "targets": "API_KEY_SERVICE_BLOCKED",
}


def entries(restrictions: Any) -> list[str]:
    """Every entry of a key's restrictions, as JSON."""
    lists = [each for outer in restrictions.values() for each in (outer.values() if isinstance(outer, dict) else [outer])]
    return [json.dumps(entry, sort_keys=True) for each in lists for entry in each]


@pytest.mark.parametrize("kind", list(BUSY))
def test_advice_on_a_blocked_key_adds_and_keeps(cli: Callable[..., Any], served: Any, kind: str) -> None:
    """What took sites down: 'add the site' replaced the list. Typed word for word, unasked, it adds."""
    key = {"keyId": "web", "displayName": "web", "restrictions": BUSY[kind], "lastUsed": served.control("")["now"]}
    namesake = {"keyId": "web-2", "displayName": "web"}
    served.seed(
        projects=[
            {
                "projectId": "demo-project",
                "services": ["apikeys.googleapis.com", "monitoring.googleapis.com"],
                "keys": [key, namesake],
            }
        ]
    )
    env = {"KEYADMIN_SANDBOX": served.rest}
    error = {
        "error": {
            "code": 403,
            "message": BLOCKED[kind],
            "status": "PERMISSION_DENIED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": REASONS[kind],
                    "domain": "googleapis.com",
                    "metadata": {"service": MAPS, "consumer": "projects/100000000001"},
                }
            ],
        }
    }
    said = cli("explain", json.dumps(error), "--format", "json", env=env).json
    lines = [line for step in said["fix"] for line in commands_in(step) if "keys restrict" in line]
    assert lines, said
    for line in lines:
        for name, value in FILLED.items():
            line = re.sub(rf"(?<![\w=]){re.escape(name)}(?![\w=])", value, line)
        done = cli(*shlex.split(line)[1:], "--format", "json", env=env)
        assert done.code == 0, (line, done.err)
    after = cli("keys", "describe", "web", "--format", "json", env=env).json["restrictions"]
    assert set(entries(BUSY[kind])) < set(entries(after)), "the neighbours are there, and one more"


def test_advice_of_the_audit_on_a_busy_project(cli: Callable[..., Any], served: Any) -> None:
    """Every fix of an audit that needs no value from the person is typed; what it found is gone, and no entry besides."""
    account = "keyadmin-gemini@demo-project.iam.gserviceaccount.com"
    young = {"createTime": served.control("")["now"]}  # an old one without use is to be deleted
    keys: list[dict[str, Any]] = [
        {
            "keyId": "wide",
            **young,
            "restrictions": {
                "serverKeyRestrictions": {"allowedIps": ["192.0.2.1", "0.0.0.0/0", "192.0.2.2"]},
                "apiTargets": [{"service": MAPS}],
            },
        },
        {
            "keyId": "star",
            **young,
            "restrictions": {
                "browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*", "*"]},
                "apiTargets": [{"service": MAPS}],
            },
        },
        {
            "keyId": "mixed",
            **young,
            "serviceAccountEmail": account,
            "restrictions": {"apiTargets": [{"service": GEMINI}, {"service": "translate.googleapis.com", "methods": ["Get*"]}]},
        },
        {"keyId": "gone", "deleteTime": "2026-11-20T00:00:00Z"},
        {"keyId": "neighbour", "restrictions": {"apiTargets": [{"service": MAPS}], **BUSY["referrers"]}},
    ]
    services = [GEMINI, MAPS, "translate.googleapis.com", "apikeys.googleapis.com", "monitoring.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": keys}])
    env = {"KEYADMIN_SANDBOX": served.rest}
    asked = ("audit", "--rule", "open-client-restriction", "--rule", "mixed-targets", "--rule", "deleted-key-recoverable")
    report = cli(*asked, "-p", "demo-project", "--format", "json", env=env).json
    assert len(report["findings"]) == 4
    for finding in report["findings"]:
        (line,) = commands_in(finding["fix"])
        done = cli(*shlex.split(line)[1:], env=env)
        assert done.code == 0, (line, done.err)
    again = cli(*asked, "-p", "demo-project", "--format", "json", env=env).json
    assert [each["rule"] for each in again["findings"]] == ["deleted-key-recoverable"], "it is shown, and stays deleted"
    now = {
        each["name"].rpartition("/")[2]: each.get("restrictions", {})
        for each in cli("keys", "list", "--all", "--format", "json", env=env).json
    }
    assert now["wide"]["serverKeyRestrictions"]["allowedIps"] == ["192.0.2.1", "192.0.2.2"]
    assert now["star"]["browserKeyRestrictions"]["allowedReferrers"] == ["https://a.example/*"]
    assert now["mixed"]["apiTargets"] == [{"service": "translate.googleapis.com", "methods": ["Get*"]}]
    assert sorted(entries(now["neighbour"])) == sorted(entries(keys[-1]["restrictions"]))


def test_the_audit_advises_the_same_whichever_rules_were_named(cli: Callable[..., Any], served: Any) -> None:
    now = served.control("")["now"]
    keys = [{"keyId": "old", "createTime": "2020-01-01T00:00:00Z", "lastUsed": now}]
    services = [GEMINI, "apikeys.googleapis.com", "monitoring.googleapis.com"]
    served.seed(projects=[{"projectId": "demo-project", "services": services, "keys": keys}])
    env = {"KEYADMIN_SANDBOX": served.rest}

    def fixes(*options: str) -> set[str]:
        found = cli("audit", "-p", "demo-project", "--format", "json", *options, env=env).json["findings"]
        return {each["fix"] for each in found if each["rule"] == "gemini-exposed-key"}

    assert fixes() == fixes("--rule", "gemini-exposed-key") == {"keyadmin keys restrict old -p demo-project --to-used"}


def test_every_hint_of_a_first_hour_can_be_typed_as_it_stands(cli: Callable[..., Any]) -> None:
    """The README's first command, and what it says next: with --sandbox, or it fails for want of credentials."""
    typed: set[str] = set()
    waiting = ["keys list", "keys create --name first --key-id first", "projects list", "keys describe nosuch", "doctor"]
    waiting += [
        "keys restrict first --allowed-ips 192.0.2.1",
        "keys delete first --yes --force",
        "keys undelete first",
        "audit",
    ]
    waiting += [
        "projects enable demo-project",
        "keys usage first",
        "projects describe demo-project",
        "keys create --name second",
    ]
    while waiting:
        line = waiting.pop(0)
        words = shlex.split(line) if "--sandbox" in line else ["--sandbox", *shlex.split(line)]
        done = cli(*words)
        typed.add(line)
        assert done.code != 4, line
        assert "went wrong" not in done.err, (line, done.err)
        for hint in commands_in(f"{done.err}\n"):
            assert "--sandbox" in hint, (line, hint)
            parsed(hint)
            follow = " ".join(shlex.split(hint)[1:])
            dangerous = re.search(r"\b(?:[A-Z]{2,}|sandbox serve|ID)\b", follow)
            if not dangerous and follow not in typed and len(typed) < 40:
                waiting.append(follow)
    assert len(typed) > 13


def test_the_other_global_options_are_carried_too(cli: Callable[..., Any], served: Any) -> None:
    line = ("keys", "describe", "nosuch", "--quota-project", "demo-project", "--format", "json")
    done = cli(*line, env={"KEYADMIN_SANDBOX": served.rest})
    assert done.code == 1
    assert all("--quota-project demo-project" in step for step in done.error["fix"] if "keyadmin" in step), done.error
    plain = cli("keys", "describe", "nosuch", "--format", "json", env={"KEYADMIN_SANDBOX": served.rest})
    assert not any("--sandbox" in step for step in plain.error["fix"]), "the variable stays in force by itself"


def test_it_begins_with_the_program_as_it_was_called(home: dict[str, str], tmp_path: Path) -> None:
    """`keyadmin` where that is what runs; else the path: another keyadmin on the PATH may be another version."""
    import sys

    mine = Path(sys.executable).parent / "keyadmin"
    line = ("--sandbox", "keys", "describe", "nosuch")
    here = subprocess.run([str(mine), *line], env=home | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False)
    assert f"{mine} keys list" in here.stderr
    on_path = subprocess.run(
        [str(mine), *line], env=home | {"PATH": f"{mine.parent}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert re.search(r"(?<![\w/])keyadmin keys list", on_path.stderr)
    module = subprocess.run(
        [sys.executable, "-m", "keyadmin", *line],
        env=home | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "-m keyadmin keys list" in module.stderr


GCLOUD = shutil.which("gcloud")


def gcloud_lines() -> list[str]:
    """The commands of gcloud that remedies print, for roles of a project, a folder and an organisation."""
    from keyadmin.access.permissions import FEATURES
    from keyadmin.access.remedy import remedy

    found = [
        command
        for feature in FEATURES.values()
        for command in remedy(feature, "demo-project", "user:new@example.com", feature.permissions).commands
    ]
    found += remedy(
        FEATURES["list"], "demo-project", "user:new@example.com", ["orgpolicy.policy.set", "resourcemanager.projects.create"]
    ).commands
    return list(dict.fromkeys(found))


def test_gcloud_s_commands_are_whole() -> None:
    lines = gcloud_lines()
    assert any(
        line.startswith("gcloud organizations add-iam-policy-binding ORGANIZATION ") and "policyAdmin" in line for line in lines
    )
    for line in lines:
        words = shlex.split(line)
        assert words[0] == "gcloud"
        assert not [word for word in words if word.startswith("--") and "=" not in word]


@pytest.mark.skipif(GCLOUD is None, reason="gcloud is not here")
def test_gcloud_takes_the_grants_and_keeps_the_other_bindings(
    cli: Callable[..., Any], served: Any, home: dict[str, str]
) -> None:
    """In the sandbox, on a policy with other bindings: the member can do it afterwards, and nobody lost anything."""
    import sys

    served.seed(
        projects=[
            {
                "projectId": "demo-project",
                "services": ["apikeys.googleapis.com", GEMINI],
                "iam": {"roles/viewer": ["user:zoe@example.com"]},
            }
        ]
    )
    env = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": "new@example.com"}
    before = cli("doctor", "demo-project", "--for", "list", "--format", "json", env=env).json[0]
    command = next(each for each in before["remedy"]["commands"] if "--role=roles/" in each)
    ready = Path(home["HOME"]) / "ready.json"
    ready.write_text(json.dumps({"rest": served.rest, "grpc": "127.0.0.1:1", "pid": 1}))
    lines = cli("sandbox", "env", "--ready-file", str(ready)).out
    script = f"{lines}\n{command} --quiet --format=none"
    done = subprocess.run(["bash", "-c", script], env=home, capture_output=True, text=True, timeout=120, check=False)
    if "CLOUDSDK" not in lines:
        pytest.skip("the sandbox says nothing of gcloud's settings")
    assert done.returncode == 0, done.stderr
    assert cli("doctor", "demo-project", "--for", "list", "--format", "json", env=env).json[0]["ready"]
    assert sys.executable
    zoe = cli("doctor", "demo-project", "--for", "list", env=env | {"KEYADMIN_SANDBOX_USER": "zoe@example.com"})
    assert "not held" not in zoe.out
