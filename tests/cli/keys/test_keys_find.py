"""list, describe, show, lookup: typed, in words and in JSON."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

GEMINI = "generativelanguage.googleapis.com"


def project(name, keys, **more):
    return {
        "projects": [
            {
                "projectId": name,
                "services": [GEMINI, "apikeys.googleapis.com"],
                "iam": {"roles/owner": ["user:owner@example.com"]},
                "keys": keys,
            }
            | more
        ]
    }


def gemini(key_id, name=None, **more):
    return {"keyId": key_id, "displayName": name or key_id, "restrictions": {"apiTargets": [{"service": GEMINI}]}} | more


def other(key_id, **more):
    return gemini(key_id, **more) | {"restrictions": {"apiTargets": [{"service": "translate.googleapis.com"}]}}


def test_an_empty_list(keys):
    assert keys("list", "--format", "json").json == []
    assert "No keys" in keys("list").err
    assert keys("list", "--format", "csv").out.count("\n") == 1


def test_the_list_is_what_ai_studio_shows(keys, served):
    served.control("seed", project("many-keys", [gemini(f"k{n:03}") for n in range(104)] + [other("t1"), other("t2")]))
    done = keys("list", "-p", "many-keys", "--format", "json", "--quiet")
    assert done.code == 0
    assert len(done.json) == 100
    assert all(each["studioVisible"] for each in done.json)
    assert "6 keys are hidden" in done.err
    assert "--all" in done.err
    everything = keys("list", "-p", "many-keys", "--format", "json", "--all")
    assert len(everything.json) == 106
    assert "hidden" not in everything.err
    assert len(keys("list", "-p", "many-keys", "--limit", "7", "--format", "json").json) == 7
    assert len(keys("list", "-p", "many-keys", "--all", "--limit", "105", "--format", "json").json) == 105
    assert keys("list", "--limit", "0").code == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--limit", "7"], ["6 keys are hidden", "93 more keys are not shown: --limit is 7."]),
        (["--limit", "99"], ["6 keys are hidden", "1 more key is not shown: --limit is 99."]),
        (["--limit", "100"], ["6 keys are hidden"]),
        (["--all", "--limit", "105"], ["1 more key is not shown: --limit is 105."]),
        (["--all", "--limit", "106"], []),
        (["--all", "--filter", "keyId=k001", "--limit", "1"], []),
    ],
)
def test_what_the_limit_leaves_out_is_told(keys, served, options: list[str], told: list[str]):
    served.control("seed", project("many-keys", [gemini(f"k{n:03}") for n in range(104)] + [other("t1"), other("t2")]))
    done = keys("list", "-p", "many-keys", "--format", "json", "--quiet", *options)
    notes = done.err.splitlines()[1:]  # the first is the sandbox's
    assert [note.startswith(words) for note, words in zip(notes, told, strict=True)] == [True] * len(told)


def test_filter_and_sort(keys, served):
    old = {"createTime": "2020-01-01T00:00:00Z"}
    served.control("seed", project("some-keys", [gemini("b", **old), gemini("a", annotations={"team": "x"}), other("c")]))

    def ids(*arguments):
        return [
            each["name"].rsplit("/", 1)[1]
            for each in keys("list", "-p", "some-keys", "--format", "json", "--all", *arguments).json
        ]

    assert ids("--sort", "displayName") == ["a", "b", "c"]
    assert ids("--sort", "~displayName") == ["c", "b", "a"]
    assert ids("--filter", "age>90d") == ["b"]
    assert ids("--filter", "annotations.team:* OR apiTarget:translate", "--sort", "keyId") == ["a", "c"]
    for wrong in (["--filter", "colour=red"], ["--filter", "a=("], ["--sort", "colour"]):
        before = len(served.methods())
        assert keys("list", *wrong).code == 2
        assert len(served.methods()) == before


def test_all_projects(keys, served):
    served.control("seed", project("alpha-project", [gemini("one")]))
    served.control("seed", project("beta-project", [gemini("two"), other("three")]))
    done = keys("list", "--all-projects", "--filter", "project=(alpha-project beta-project)", "--format", "json")
    assert done.code == 0
    assert [(each["project"], each["displayName"]) for each in done.json] == [("alpha-project", "one"), ("beta-project", "two")]
    assert "1 key is hidden" in done.err
    assert "alpha-project" in keys("list", "--all-projects").out
    assert keys("list", "--all-projects", "-p", "alpha-project").code == 2


def test_all_projects_says_which_could_not_be_listed(keys, served):
    served.control("seed", project("alpha-project", [gemini("one")]))
    served.grant("half@example.com", "resourcemanager.projects.get", "apikeys.keys.list", project="alpha-project")
    served.grant("half@example.com", "resourcemanager.projects.get", project="demo-project")
    done = keys("list", "--all-projects", "--format", "json", user="half@example.com")
    assert done.code == 3
    assert [each["project"] for each in done.json] == ["alpha-project"]
    assert done.error["project"] == "demo-project"
    assert done.error["permission"] == "apikeys.keys.list"


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "yaml", "markdown"])
def test_every_format_lists_the_key(keys, served, form):
    served.control("seed", project("some-keys", [gemini("one", "The one")]))
    assert "The one" in keys("list", "-p", "some-keys", "--format", form).out
    assert "The one" in keys("describe", "one", "-p", "some-keys", "--format", form).out


def test_the_json_form_of_a_key(keys, served):
    served.control(
        "seed",
        project("some-keys", [gemini("one", serviceAccountEmail="a@some-keys.iam.gserviceaccount.com")], projectNumber="77"),
    )
    found = keys("describe", "one", "-p", "some-keys", "--format", "json").json
    assert found["name"] == "projects/77/locations/global/keys/one"
    assert (found["project"], found["keyType"], found["restricted"], found["studioVisible"]) == (
        "some-keys",
        "auth",
        "gemini",
        True,
    )
    assert found["sandbox"] is True
    assert found["ageDays"] == 0
    assert "keyString" not in found
    assert found == keys("list", "-p", "some-keys", "--format", "json").json[0]


def test_a_key_has_many_names(keys, served):
    served.control(
        "seed",
        project(
            "some-keys", [gemini("one", "The one"), gemini("b7ff1f9f-8275-410a-94dd-3855ee9b5dd2", "uuid")], projectNumber="77"
        ),
    )
    for name in ("one", "The one", "projects/77/locations/global/keys/one", "projects/some-keys/locations/global/keys/one",
                 "//apikeys.googleapis.com/projects/77/locations/global/keys/one"):  # fmt: skip
        done = keys("describe", name, "-p", "some-keys", "--format", "json")
        assert done.json["displayName"] == "The one", name
        assert done.json["project"] == "some-keys", name
    assert keys("describe", "one", "-p", "77", "--format", "json").json["project"] == "some-keys"
    assert keys("describe", "b7ff1f9f-8275-410a-94dd-3855ee9b5dd2", "-p", "some-keys").code == 0


def test_a_full_name_needs_no_project_and_an_id_no_list(keys, served):
    served.control("seed", project("some-keys", [gemini("one", "The one")]))
    served.grant("getter@example.com", "apikeys.keys.get", project="some-keys")
    assert keys("describe", "projects/some-keys/locations/global/keys/one", user="getter@example.com").code == 0
    assert keys("describe", "one", "-p", "some-keys", user="getter@example.com").code == 0
    denied = keys("describe", "The one", "-p", "some-keys", "--format", "json", user="getter@example.com")
    assert denied.code == 1
    assert denied.error["permission"] == "apikeys.keys.list"
    served.grant("lister@example.com", "apikeys.keys.list", project="some-keys")
    assert keys("describe", "one", "-p", "some-keys", user="lister@example.com").code == 0


def test_an_ambiguous_name_lists_the_candidates(keys, served):
    served.control("seed", project("some-keys", [gemini("one", "Same"), gemini("two", "Same")]))
    done = keys("describe", "Same", "-p", "some-keys", "--format", "json")
    assert done.code == 1
    assert "one" in done.err
    assert "two" in done.err
    assert done.error["cause"] == "invalid-argument"


def test_what_is_not_there(keys):
    for name in ("nosuch", "No such", "projects/demo-project/locations/global/keys/nosuch"):
        done = keys("describe", name, "--format", "json")
        assert done.code == 1
        assert done.error["cause"] == "not-found"
    unknown = keys("list", "-p", "nosuch-project", "--format", "json")
    assert unknown.code == 1
    assert unknown.error["cause"] == "project-not-found-or-no-access"
    assert unknown.error["project"] == "nosuch-project"
    assert unknown.error["fix"]
    for name in ("web", "Web", "projects/nosuch-project/locations/global/keys/web"):
        assert (
            keys("describe", name, "-p", "nosuch-project", "--format", "json").error["cause"]
            == "project-not-found-or-no-access"
        )


def test_show_prints_the_key_string_alone(keys, served):
    served.control("seed", project("some-keys", [gemini("one")]))
    done = keys("show", "one", "-p", "some-keys")
    assert done.out.strip().startswith("AIzaSANDBOX")
    assert len(done.out.split()) == 1
    assert keys("show", "one", "-p", "some-keys", "--format", "json").json["keyString"] == done.out.strip()
    served.grant("reader@example.com", "apikeys.keys.get", "apikeys.keys.list", project="some-keys")
    denied = keys("show", "one", "-p", "some-keys", "--format", "json", user="reader@example.com")
    assert denied.error["permission"] == "apikeys.keys.getKeyString"


def test_lookup(keys, served):
    served.control("seed", project("some-keys", [gemini("one")], projectNumber="77"))
    string = keys("show", "one", "-p", "some-keys").out.strip()
    done = keys("lookup", "-", "--format", "json", stdin=string)
    assert done.json == {
        "parent": "projects/77/locations/global",
        "project": "some-keys",
        "state": "live",
        "name": "projects/77/locations/global/keys/one",
        "displayName": "one",
        "keyType": "standard",
        "restricted": "gemini",
        "sandbox": True,
    }
    done = keys("lookup", "--key-from-env", "K", env={"K": string})
    assert done.code == 0
    assert string not in done.out + done.err
    assert string[-4:] in done.out


def test_a_key_string_is_no_argument(keys, served):
    secret = "AQ.SANDBOX-" + "x" * 30
    before = len(served.methods())
    for command in (
        ["describe", secret],
        ["lookup", secret],
        ["verify", secret],
        ["undelete", secret],
        ["create", "--name", secret],
        ["rename", "web", secret],
    ):
        done = keys(*command)
        assert done.code == 2
        assert "xxxx" not in done.out + done.err
        assert "--key-from-env" in done.err
    assert len(served.methods()) == before


def test_a_real_key_is_never_sent_to_the_sandbox(keys, served):
    real = "AIza" + "x" * 35
    before = len(served.methods())
    for command in ("lookup", "verify", "undelete"):
        done = keys(command, "-", "--format", "json", stdin=real)
        assert done.code == 3
        assert done.error["cause"] == "unknown"
        assert real not in done.out + done.err
    assert len(served.methods()) == before


@pytest.mark.parametrize("command", [("keys", "verify"), ("keys", "lookup"), ("keys", "undelete"), ("tokens", "create")])
def test_a_sandbox_key_is_never_sent_to_google(cli, command):
    done = cli(*command, "-", "--no-sandbox", "--format", "json", stdin="AQ.SANDBOX-" + "x" * 30)
    assert done.code == 3
    assert done.error["cause"] == "unknown"


def test_watch_shows_what_changes(keys, served, home):
    served.control("seed", project("some-keys", [gemini("one")]))
    watching = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "keyadmin",
            "keys",
            "list",
            "-p",
            "some-keys",
            "--watch",
            "--interval",
            "1s",
            "--format",
            "jsonl",
        ],
        env=home | {"KEYADMIN_SANDBOX": served.rest},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert watching.stdout is not None
        first = json.loads(watching.stdout.readline())
        assert (first["event"], first["key"]["displayName"]) == ("added", "one")
        assert keys("rename", "one", "uno", "-p", "some-keys").code == 0
        second = json.loads(watching.stdout.readline())
        assert (second["event"], second["key"]["displayName"]) == ("changed", "uno")
        assert keys("delete", "one", "-p", "some-keys", "--yes").code == 0
        assert json.loads(watching.stdout.readline())["event"] == "removed"
        watching.send_signal(2)
        assert watching.wait(timeout=60) == 130
    finally:
        watching.kill()
        watching.communicate()


def test_watch_takes_no_single_document(keys):
    assert keys("list", "--watch", "--format", "json").code == 2
    assert keys("list", "--watch", "--interval", "0s").code == 2


def test_ages_are_by_the_servers_clock(keys, served):
    made = keys("create", "--name", "x", "--key-id", "x", "--format", "json").json
    assert made["ageDays"] == 0
    served.control("clock", {"advance": "31d"})
    listed = keys("list", "--all", "--filter", "age>30d", "--format", "json")
    assert [key["ageDays"] for key in listed.json] == [31]
    assert keys("describe", "x", "--format", "json").json["ageDays"] == 31
    assert keys("show", "x", "--format", "json").json["ageDays"] == 31
    assert keys("restrict", "x", "--format", "json").json["ageDays"] == 31
    young = keys("create", "--name", "y", "--format", "json").json
    assert young["ageDays"] == 0
    assert keys("list", "--all", "--filter", "age<1d", "--format", "json").json[0]["name"] == young["name"]
    days = [line.split()[-1] for line in keys("list").out.splitlines()[1:]]
    assert sorted(days) == ["0", "31"]
