"""scan: whose key, how restricted, alive, dead or unknown; --revoke, --history, --allow, --offline; the pre-commit hook."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.webhook import receiving

GEMINI = "generativelanguage.googleapis.com"
REAL = "AQ." + "Ab8RN6J" + "q7Zt2LmVx0Rk9sWc4HyBn1Jf6Gd3Ep8Ua5Io-TvX_"


@pytest.fixture
def scan(cli, served):
    """`scan(PATH, ...)` runs `keyadmin scan PATH ...` against the server."""

    def run(*arguments, user="owner@example.com", env=None, **options):
        chosen = {"KEYADMIN_SANDBOX": served.rest, "KEYADMIN_SANDBOX_USER": user} | (env or {})
        return cli("scan", *(str(argument) for argument in arguments), env=chosen, **options)

    return run


@pytest.fixture
def strings(keys, served) -> dict[str, str]:
    """The key strings of keys in several states, by key id."""
    account = "caller@demo-project.iam.gserviceaccount.com"
    target = {"apiTargets": [{"service": GEMINI}]}
    made: list[dict[str, Any]] = [
        {"keyId": "web", "displayName": "Web", "serviceAccountEmail": account, "restrictions": target},
        {"keyId": "open", "displayName": "Open"},
        {"keyId": "gone", "displayName": "Gone", "serviceAccountEmail": account, "restrictions": target},
    ]
    services = [GEMINI, "apikeys.googleapis.com"]
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": services, "keys": made}]})
    found = {key["keyId"]: keys("show", key["keyId"]).out.strip() for key in made}
    assert keys("delete", "gone", "--yes", "--force").code == 0
    return found


def git(repository: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", *words]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout


def test_whose_key_how_restricted_and_whether_it_lives(scan, strings, scratch) -> None:
    (scratch / "src").mkdir()
    (scratch / "src" / "a.py").write_text(f"one\nKEY = '{strings['web']}'\n")
    (scratch / "src" / "b.py").write_text(f"KEY = '{strings['open']}'\nAGAIN = '{strings['web']}'\n")
    (scratch / "src" / "c.env").write_text(f"A={strings['gone']}\nB={REAL}\n")
    (scratch / "src" / "d.bin").write_bytes(b"\0" + strings["web"].encode())
    done = scan(scratch / "src", "--format", "json")
    assert done.code == 3
    found = {one["maskedKey"][-4:]: one for one in done.json}
    web, exposed, gone = (found[strings[name][-4:]] for name in ("web", "open", "gone"))
    assert (web["life"], web["project"], web["restricted"], web["displayName"]) == ("alive", "demo-project", "gemini", "Web")
    assert web["name"].endswith("/keys/web")
    places = [(Path(place["path"]).name, place["line"]) for place in web["places"]]
    assert sorted(places) == [("a.py", 2), ("b.py", 2)]
    assert (exposed["life"], exposed["restricted"]) == ("alive", "none")
    assert (gone["life"], gone["reason"][:7]) == ("dead", "deleted")
    foreign = found[REAL[-4:]]
    assert foreign["life"] == "unknown"
    assert "not sent to the sandbox" in foreign["reason"]
    assert "project" not in foreign
    assert all(one["sandbox"] for one in done.json)
    for string in (*strings.values(), REAL):
        assert string not in done.out + done.err
        assert string[11:30] not in done.out + done.err


def test_in_words(scan, strings, scratch) -> None:
    (scratch / "a").mkdir()
    (scratch / "a" / "x.py").write_text(f"K = '{strings['web']}'\n")
    done = scan(scratch / "a")
    assert done.code == 3
    (line,) = done.out.splitlines()[1:]
    for word in ("x.py:1", "AQ.SANDBOX-...", "alive", "demo-project", "gemini", "sha256:"):
        assert word in line
    assert strings["web"] not in done.out + done.err
    assert "1 file, 1 key string" in done.err


@pytest.mark.parametrize(("text", "code"), [("nothing here\n", 0), ("{gone}\n", 0), (REAL + "\n", 1), (REAL + "\n{web}\n", 3)])
def test_exit_codes(scan, strings, scratch, text, code) -> None:
    (scratch / "x").write_text(text.format(**strings))
    done = scan(scratch / "x", "--format", "json")
    assert done.code == code
    assert len(done.json) == text.count("\n") - (text == "nothing here\n")


def test_without_permission_the_gemini_api_tells_what_it_can(scan, keys, served, strings, scratch) -> None:
    (scratch / "x").write_text("\n".join(strings.values()))
    lives = {one["maskedKey"][-4:]: one for one in scan(scratch / "x", "--format", "json", user="nobody@example.com").json}
    assert {name: lives[string[-4:]]["life"] for name, string in strings.items()} == {
        "web": "alive",
        "gone": "dead",
        "open": "unknown",  # a standard key, which the Gemini API rejects: it may work for others
    }
    assert all("name" not in one for one in lives.values())
    served.grant("looker@example.com", "apikeys.keys.lookup")
    done = scan(scratch / "x", "--format", "json", user="looker@example.com")
    assert done.code == 3
    assert {one["project"] for one in done.json} == {"100000000001"}
    assert served.methods("looker@example.com").count("LookupKey") == 3


def test_a_service_that_does_not_answer_leaves_it_unknown(scan, served, strings, scratch) -> None:
    (scratch / "x").write_text(strings["web"])
    served.control("faults", {"method": "LookupKey", "code": "PERMISSION_DENIED", "times": 1})
    served.control("faults", {"method": "ListModels", "code": "RESOURCE_EXHAUSTED", "times": 9})
    done = scan(scratch / "x", "--format", "json")
    assert done.code == 1
    assert [one["life"] for one in done.json] == ["unknown"]


def test_without_credentials_what_was_found_is_shown(cli, scratch) -> None:
    (scratch / "x").write_text(REAL)
    done = cli("scan", str(scratch / "x"), "--format", "json", env={"GCE_METADATA_HOST": "127.0.0.1:9", "NO_GCE_CHECK": "true"})
    assert done.code == 4
    assert [one["life"] for one in done.json] == ["unknown"]
    assert done.error["cause"] == "credentials-missing"
    assert REAL not in done.out + done.err


def test_revoke(scan, keys, served, strings, scratch) -> None:
    (scratch / "x").write_text("\n".join([*strings.values(), REAL]))
    asked = scan(scratch / "x", "--revoke", "--format", "json")
    assert asked.code == 2
    assert "--yes" in asked.err
    planned = scan(scratch / "x", "--revoke", "--dry-run", "--format", "json")
    assert planned.code == 3
    assert "Dry run" in planned.err
    assert [key["name"].rpartition("/")[2] for key in keys("list", "--all", "--format", "json").json] == ["open", "web"]
    declined = scan(scratch / "x", "--revoke", terminal=True, stdin="n\n")
    assert declined.code == 1
    assert "alive" in declined.out  # what is asked about is shown first
    assert "DeleteKey" not in served.methods()[served.methods().index("LookupKey") :]
    done = scan(scratch / "x", "--revoke", "--yes", "--format", "json")
    assert done.code == 3
    assert [one.get("revoked", False) for one in done.json] == [True, True, False, False]
    assert keys("list", "--all", "--format", "json").json == []
    assert scan(scratch / "x").code == 1  # all dead but the one that cannot be judged here
    assert keys("undelete", "web").code == 0


def test_revoke_warns_of_a_key_that_may_be_where_it_belongs(scan, keys, strings, scratch) -> None:
    (scratch / "r").mkdir()
    git(scratch / "r", "init", "-q")
    (scratch / "r" / ".gitignore").write_text(".env\n")
    (scratch / "r" / ".env").write_text(f"{strings['web']}\n")
    planned = scan(scratch / "r", "--revoke", "--dry-run")
    assert "web lies in files alone that git ignores" in planned.err
    assert scan(scratch / "r", "--revoke", "--yes", "--ignore-gitignored").code == 0
    assert len(keys("list", "--all", "--format", "json").json) == 2


def test_an_env_file_that_git_does_not_ignore_is_to_be_ignored_first(scan, keys, strings, scratch) -> None:
    repository = scratch / "r"
    repository.mkdir()
    git(repository, "init", "-q")
    handed = keys("hand-over", "web", "--sandbox", "--to", f"env-file:{repository}/.env:KEY")
    assert f"git does not ignore {repository}/.env: add it to .gitignore" in handed.err
    done = scan(repository, "--format", "json")
    (found,) = done.json
    assert done.code == 3
    assert found["fix"][0].startswith(f"let git ignore {repository}/.env")
    assert f"keys compromised {found['name']} --to env-file:{repository}/.env:KEY" in found["fix"][1]
    (repository / "a.py").write_text(f"K = '{strings['web']}'\n")
    assert "ignore" not in scan(repository, "--format", "json").json[0]["fix"][0], "it leaked into a file that git may take"
    (elsewhere,) = scan(repository / "a.py", "--format", "json").json
    assert elsewhere["fix"][0].endswith(f"keys compromised {found['name']} --to SINK"), "nothing deletes what nobody replaced"


def test_what_it_says_works_as_printed_in_a_sandbox_that_a_variable_chose(scan, keys, strings, scratch) -> None:
    file = scratch / "s.env"
    assert keys("hand-over", "web", "--sandbox", "--to", f"env-file:{file}:KEY").code == 0
    (found,) = scan(scratch, "--format", "json").json
    command = found["fix"][-1].rpartition(": ")[2]
    assert command.endswith(f"--to env-file:{file}:KEY --sandbox")
    done = keys(*shlex.split(command)[2:], "--yes")
    assert done.code == 0, done.err
    assert strings["web"] not in file.read_text()


def test_of_a_key_in_a_page_it_says_what_protects_it_there(scan, served, keys, scratch) -> None:
    made = {
        "keyId": "map",
        "displayName": "Store",
        "restrictions": {"apiTargets": [{"service": "maps-backend.googleapis.com"}]},
    }
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": [GEMINI], "keys": [made]}]})
    (scratch / "page.html").write_text(keys("show", "map").out)

    def steps() -> list[str]:
        (found,) = scan(scratch, "--format", "json").json
        return [step.rpartition(": ")[2].replace(found["name"], "NAME") for step in found["fix"]]

    def typed(line: str) -> int:
        name = "projects/demo-project/locations/global/keys/map"
        return keys(*shlex.split(line.replace("NAME", name).replace("SITE", "'https://a.example/*'"))[2:]).code

    assert steps() == ["keyadmin keys restrict NAME --allowed-referrers SITE", "keyadmin keys clone NAME"]
    assert [typed(line) for line in steps()] == [0, 0]
    assert steps() == ["keyadmin keys clone NAME"]


def test_revoke_keeps_what_changed_since_it_was_shown(scan, keys, served, strings, scratch, monkeypatch) -> None:
    from keyadmin.cli import scan as command

    (scratch / "x").write_text(f"{strings['web']}\n{strings['open']}\n")
    asked = command.confirm  # type: ignore[attr-defined]

    def meanwhile(*words, **options) -> None:
        assert keys("annotate", "web", "owner=me").code == 0
        asked(*words, **options)

    monkeypatch.setattr(command, "confirm", meanwhile)
    done = scan(scratch / "x", "--revoke", "--yes", "--format", "json")
    assert done.code == 3
    assert sorted(one.get("revoked", False) for one in done.json) == [False, True]
    assert "web was changed since it was shown" in done.error["message"]
    assert [key["name"].rpartition("/")[2] for key in keys("list", "--all", "--format", "json").json] == ["web"]


def test_revoke_what_may_not_be_deleted(scan, keys, served, strings, scratch) -> None:
    (scratch / "x").write_text(f"{strings['web']}\n{strings['open']}\n")
    served.control("faults", {"method": "DeleteKey", "code": "PERMISSION_DENIED", "times": 1})
    done = scan(scratch / "x", "--revoke", "--yes", "--format", "json")
    assert done.code == 3
    assert sorted(one.get("revoked", False) for one in done.json) == [False, True]
    assert "still work" in done.error["message"]
    assert len(keys("list", "--all", "--format", "json").json) == 1


def test_history(scan, strings, scratch) -> None:
    repository = scratch / "repository"
    repository.mkdir()
    git(repository, "init", "-q")
    (repository / "a.py").write_text(f"K = '{strings['web']}'\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "1")
    (repository / "a.py").write_text("K = read()\n")
    git(repository, "commit", "-qam", "2")
    assert scan(repository).code == 0
    done = scan(repository, "--history", "--format", "json")
    assert done.code == 3
    first = git(repository, "rev-list", "--max-parents=0", "HEAD").strip()
    assert done.json[0]["places"] == [{"path": "a.py", "line": 1, "commit": first}]
    (scratch / "elsewhere").mkdir()
    nowhere = scan(scratch / "elsewhere", repository, "--history", "--format", "json")
    assert (nowhere.code, len(nowhere.json)) == (3, 1)  # the other path is searched all the same
    assert "elsewhere is not in a git repository" in nowhere.err
    assert scan(scratch / "elsewhere", "--history").code == 1


def test_the_allow_list(scan, strings, scratch) -> None:
    (scratch / "src").mkdir()
    (scratch / "src" / "x").write_text(f"{strings['web']}\n{strings['open']} # keyadmin:allow\n")
    (found,) = scan(scratch / "src", "--format", "json").json
    (scratch / "allow").write_text(f"{found['fingerprint']}  # the demo's key\n")
    done = scan(scratch / "src", "--allow", scratch / "allow", "--format", "json")
    assert (done.code, done.json) == (0, [])
    (scratch / "allow").write_text("*/src/*\n")
    assert scan(scratch / "src", "--allow", scratch / "allow").code == 0
    (scratch / "allow").write_text(strings["web"])
    refused = scan(scratch / "src", "--allow", scratch / "allow")
    assert refused.code == 2
    assert strings["web"] not in refused.err
    assert scan(scratch / "src", "--allow", scratch / "none").code == 1


def test_offline_asks_nobody(scan, served, strings, scratch) -> None:
    (scratch / "x").write_text(f"{strings['gone']}\n{REAL}\n")
    before = len(served.methods())
    done = scan(scratch / "x", "--offline", "--format", "json")
    assert done.code == 3
    assert [one["life"] for one in done.json] == ["unknown", "unknown"]
    assert len(served.methods()) == before
    assert scan(scratch / "x", "--offline", "--revoke", "--yes").code == 2


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["/no/such/path"], 1), (["{}", "--revoked"], 2)])
def test_wrong_usage(scan, scratch, arguments, code) -> None:
    done = scan(*(argument.format(scratch) for argument in arguments), "--format", "json")
    assert done.code == code
    assert done.out == ""
    assert "Traceback" not in done.err


def test_a_webhook_is_told_where_key_strings_lie_and_not_what_they_are(scan, strings, scratch) -> None:
    (scratch / "a.py").write_text(f"KEY = '{strings['web']}'\n")
    (scratch / "clean").mkdir()
    with receiving() as hook:
        words = ("--sandbox", "--notify", "webhook-from-env:HOOK")
        assert scan(scratch / "clean", *words, env={"HOOK": hook.address}).code == 0
        assert hook.calls == [], "there was nothing to tell"
        assert scan(scratch / "a.py", *words, env={"HOOK": hook.address}).code == 3
    told = hook.json
    assert (told["about"], told["summary"]["alive"], told["summary"]["exitCode"]) == ("keyadmin scan", 1, 3)
    assert told["events"][0]["places"][0]["path"].endswith("a.py")
    assert strings["web"] not in hook.calls[0][1].decode()
