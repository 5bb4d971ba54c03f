"""create and clone: with exactly the permissions they need, and with any one taken away; typed, in words and in JSON."""

from __future__ import annotations

import re

import pytest

GEMINI = "generativelanguage.googleapis.com"
FIVE = (
    "resourcemanager.projects.get",
    "serviceusage.services.enable",
    "apikeys.keys.create",
    "iam.serviceAccounts.create",
    "iam.serviceAccountApiKeyBindings.create",
)
MAKER = "maker@example.com"
ACCOUNT = "keyadmin-gemini@demo-project.iam.gserviceaccount.com"
THREE = FIVE[:3]
ON = [GEMINI, "apikeys.googleapis.com", "iam.googleapis.com"]


def seeded(served, **more):
    served.control("seed", {"projects": [{"projectId": "demo-project"} | more]})


def test_the_main_job(keys, served):
    done = keys("create", "--name", "My app", "--format", "json")
    assert done.code == 0, done.err
    key = done.json
    assert key["displayName"] == "My app"
    assert key["project"] == "demo-project"
    assert key["keyType"] == "auth"
    assert key["serviceAccountEmail"] == ACCOUNT
    assert key["restrictions"] == {"apiTargets": [{"service": GEMINI}]}
    assert (key["restricted"], key["studioVisible"], key["ageDays"]) == ("gemini", True, 0)
    assert key["verification"] == "ok"
    assert key["sandbox"] is True
    assert re.fullmatch(r"projects/100000000001/locations/global/keys/my-app-[a-z0-9]{8}", key["name"])
    assert "keyString" not in key
    assert "SANDBOX-" not in done.out + done.err
    assert served.methods().count("CreateKey") == 1
    assert (
        served.methods().count("TestIamPermissions") == 2
    )  # on the project, and on its organisation: may constraints be read?
    listed = keys("list", "--format", "json").json
    assert [each["name"] for each in listed] == [key["name"]]


def test_in_words(keys):
    done = keys("create", "--name", "My app")
    assert done.code == 0
    assert "My app" in done.out
    assert re.search(r"Verification +ok", done.out)
    assert "keyadmin keys show" in done.err
    assert "AQ." not in done.out + done.err


def test_the_key_string_is_shown_only_when_asked(keys):
    done = keys("create", "--name", "My app", "--show", "--format", "json")
    string = done.json["keyString"]
    assert string.startswith("AQ.SANDBOX-")
    assert string not in done.err
    assert keys("verify", "-", stdin=string).code == 0
    assert keys("create", "--name", "Two", "--show").out.count("AQ.SANDBOX-") == 1


def test_exactly_the_five_permissions_suffice(keys, served):
    served.grant(MAKER, *FIVE)
    for name in ("first", "second"):  # the second finds everything there: APIs on, service account made
        done = keys("create", "--name", name, "--format", "json", user=MAKER)
        assert done.code == 0, done.err
        assert done.json["verification"] == "ok"
    denied = [
        each for each in served.control("requests") if each["principal"] == MAKER and each["status"] == "PERMISSION_DENIED"
    ]
    assert denied == []


@pytest.mark.parametrize("lost", FIVE)
def test_any_one_of_the_five_taken_away_is_said_before_anything_is_changed(keys, served, lost):
    served.grant(MAKER, *(each for each in FIVE if each != lost))
    done = keys("create", "--name", "x", "--format", "json", user=MAKER)
    assert done.code == 1
    assert done.error["cause"] == "missing-iam-permission"
    assert done.error["permission"] == lost
    assert done.error["project"] == "demo-project"
    assert lost in done.error["message"]
    assert done.error["fix"]
    assert done.out == ""
    assert not {"CreateKey", "EnableService", "BatchEnableServices", "CreateServiceAccount"} & set(served.methods(MAKER))


def test_all_that_is_missing_is_named_at_once(keys, served):
    served.grant(MAKER, FIVE[0])
    error = keys("create", "--name", "x", "--format", "json", user=MAKER).error
    assert all(name in error["message"] for name in FIVE[1:])


def test_three_permissions_suffice_for_a_standard_key(keys, served):
    served.grant(MAKER, *THREE)
    done = keys("create", "--name", "old kind", "--standard", "--format", "json", user=MAKER)
    assert done.code == 0, done.err
    assert (done.json["keyType"], done.json["verification"]) == ("standard", "skipped")
    assert "serviceAccountEmail" not in done.json
    assert "Not verified" in done.err


def test_what_is_there_already_needs_no_permission_to_be_made(keys, served):
    seeded(served, services=ON, serviceAccounts=["keyadmin-gemini"])
    seen = ("serviceusage.services.get", "iam.serviceAccounts.get")
    needed = [each for each in FIVE if each not in ("serviceusage.services.enable", "iam.serviceAccounts.create")]
    served.grant(MAKER, *needed, *seen)
    done = keys("create", "--name", "x", "--format", "json", user=MAKER)
    assert done.code == 0, done.err
    assert done.json["serviceAccountEmail"] == ACCOUNT


def test_no_access_and_no_project_look_alike(keys):
    for project in ("somebody-elses", "no-such-project"):
        done = keys("create", "--name", "x", "-p", project, "--format", "json")
        assert done.code == 1
        assert done.error["cause"] == "project-not-found-or-no-access"
        assert done.error["fix"]


def test_a_project_by_its_number(keys):
    key = keys("create", "--name", "x", "-p", "100000000001", "--format", "json").json
    assert (key["project"], key["serviceAccountEmail"]) == ("demo-project", ACCOUNT)


def test_a_service_account_of_ones_own(keys, served):
    seeded(served, serviceAccounts=["mine"])
    mine = "mine@demo-project.iam.gserviceaccount.com"
    done = keys("create", "--name", "x", "--service-account", mine, "--format", "json")
    assert done.json["serviceAccountEmail"] == mine
    assert "CreateServiceAccount" not in served.methods()
    assert keys("create", "--name", "x", "--service-account", "owner@example.com").code == 2
    assert keys("create", "--name", "x", "--standard", "--service-account", mine).code == 2
    absent = keys("create", "--name", "x", "--service-account", mine.replace("mine", "yours"), "--format", "json")
    assert absent.code == 1
    assert absent.error["cause"] == "not-found"
    assert "--service-account" in absent.error["fix"][0]


def test_restrictions_go_with_the_call_that_makes_the_key(keys, served):
    done = keys("create", "--name", "x", "--allowed-ips", "192.0.2.0/24", "--annotation", "team=a", "--format", "json")
    assert done.json["restrictions"] == {
        "serverKeyRestrictions": {"allowedIps": ["192.0.2.0/24"]},
        "apiTargets": [{"service": GEMINI}],
    }
    assert done.json["annotations"] == {"team": "a"}
    assert done.json["verification"] == "skipped"
    assert "UpdateKey" not in served.methods()


def test_gemini_is_not_switched_on_for_a_key_that_is_not_for_it(keys, served):
    done = keys("create", "--name", "x", "--standard", "--api-target", "translate.googleapis.com", "--format", "json")
    assert (done.json["restricted"], done.json["verification"]) == ("other", "skipped")
    plan = keys("create", "--name", "y", "--dry-run", "--format", "json").json["steps"]
    assert f"enable {GEMINI}" in plan
    assert "enable apikeys.googleapis.com" not in plan


def test_the_organisation_policy_forbids_other_auth_keys(keys):
    done = keys("create", "--name", "x", "--api-target", "translate.googleapis.com", "--format", "json")
    assert done.code == 1
    assert done.error["cause"] == "org-policy-blocks-key-binding"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--name", "x" * 64],
        ["--name", ""],
        ["--name", "x", "--key-id", "Bad_Id"],
        ["--name", "x", "--key-id", "b7ff1f9f-8275-410a-94dd-3855ee9b5dd2"],
        ["--name", "x", "--api-target", "nosuch.googleapis.com"],
        ["--name", "x", "--allowed-ips", "1.2.3"],
        ["--name", "x", "--allowed-referrers", "a b"],
        ["--name", "x", "--allowed-android", "com.example=1234"],
        ["--name", "x", "--allowed-ios", "a b"],
        ["--name", "x", "--allowed-ips", "192.0.2.1", "--allowed-referrers", "example.com"],
        ["--name", "x", "--annotation", "nonsense"],
        ["--name", "x", "--verify-timeout", "10m"],
        ["--name", "x", "--verify-timeout", "soon"],
        ["--name", "x", "--show", "--async"],
        ["--name", "x", "--no-such-option"],
        [],
    ],
)
def test_wrong_usage_is_refused_before_any_call(keys, served, wrong):
    done = keys("create", *wrong, "--format", "json")
    assert done.code == 2
    assert done.error["cause"] == "invalid-argument"
    assert served.methods() == []


def test_a_chosen_id_cannot_be_used_twice(keys):
    assert keys("create", "--name", "x", "--key-id", "web", "--format", "json").json["name"].endswith("/keys/web")
    again = keys("create", "--name", "y", "--key-id", "web", "--format", "json")
    assert again.code == 1
    assert again.error["cause"] == "already-exists"
    assert any("--if-absent" in step for step in again.error["fix"])


def test_if_absent_gives_back_what_is_there(keys, served):
    first = keys("create", "--name", "x", "--key-id", "web", "--format", "json").json
    for arguments in (["--name", "other", "--key-id", "web"], ["--name", "x"]):
        done = keys("create", *arguments, "--if-absent", "--format", "json")
        assert done.code == 0
        assert done.json["name"] == first["name"]
        assert done.json["displayName"] == "x"
        assert done.json["verification"] == "skipped"
        assert "already" in done.err
    assert served.methods().count("CreateKey") == 1
    assert keys("create", "--name", "new", "--if-absent", "--format", "json").json["name"] != first["name"]
    assert keys("delete", "web", "--yes").code == 0
    gone = keys("create", "--name", "x", "--key-id", "web", "--if-absent", "--format", "json")
    assert gone.error["cause"] == "already-exists"
    assert any("undelete" in step for step in gone.error["fix"])


def test_if_absent_with_show(keys):
    shown = keys("create", "--name", "x", "--show", "--format", "json").json["keyString"]
    assert keys("create", "--name", "x", "--if-absent", "--show", "--format", "json").json["keyString"] == shown


def test_a_dry_run_changes_nothing(keys, served):
    done = keys("create", "--name", "x", "--dry-run", "--format", "json")
    assert done.code == 0
    assert done.json["dryRun"] is True
    assert [step.split()[0] for step in done.json["steps"]] == ["enable", "enable", "enable", "make", "create", "verify"]
    assert not {"CreateKey", "EnableService", "BatchEnableServices", "CreateServiceAccount"} & set(served.methods())
    served.grant(MAKER, *FIVE[1:])
    assert keys("create", "--name", "x", "--dry-run", user=MAKER).code == 1


def test_clone(keys, served):
    made = keys("create", "--name", "x", "--allowed-ips", "192.0.2.1", "--annotation", "a=b", "--format", "json").json
    copy = keys("clone", "x", "--format", "json").json
    assert copy["name"] != made["name"]
    assert copy["displayName"] == "Copy of x"
    for field in ("restrictions", "annotations", "serviceAccountEmail", "keyType"):
        assert copy[field] == made[field]
    served.control("seed", {"projects": [{"projectId": "other-project", "iam": {"roles/owner": ["user:owner@example.com"]}}]})
    elsewhere = keys("clone", "x", "--into", "other-project", "--name", "there", "--key-id", "there", "--format", "json").json
    assert elsewhere["project"] == "other-project"
    assert elsewhere["serviceAccountEmail"] == "keyadmin-gemini@other-project.iam.gserviceaccount.com"
    assert elsewhere["restrictions"] == made["restrictions"]
    assert keys("describe", "there", "-p", "other-project").code == 0
    assert keys("clone", "x", "--dry-run").code == 0
    assert keys("clone", "nosuch").code == 1


def test_clone_makes_an_auth_key_of_a_standard_one(keys):
    keys("create", "--name", "old", "--standard")
    copy = keys("clone", "old", "--auth", "--format", "json").json
    assert (copy["keyType"], copy["verification"]) == ("auth", "ok")


def test_verify(keys, served):
    keys("create", "--name", "x", "--key-id", "web")
    done = keys("verify", "web", "--format", "json")
    assert done.code == 0
    assert done.json["verification"] == "ok"
    assert done.json["name"].endswith("/keys/web")
    string = keys("show", "web").out.strip()
    for arguments, options in ((["-"], {"stdin": string + "\n"}), (["--key-from-env", "K"], {"env": {"K": string}})):
        done = keys("verify", *arguments, **options)
        assert done.code == 0
        assert "works for the Gemini API" in done.out
        assert string not in done.out + done.err
    assert keys("delete", "web", "--yes", "--force").code == 0
    done = keys("verify", "-", "--format", "json", stdin=string)
    assert done.code == 3
    assert done.json["verification"] == "failed"
    assert done.json["cause"] == done.error["cause"]
    assert keys("verify", "-", "--key-from-env", "K", env={"K": string}).code == 2
    assert keys("verify", "web", "--key-from-env", "K", env={"K": string}).code == 2
    assert keys("verify", "--key-from-env", "UNSET").code == 2
    assert keys("verify").code == 2


def test_a_standard_key_is_rejected_with_its_cause(keys):
    keys("create", "--name", "old", "--standard")
    done = keys("verify", "old", "--format", "json")
    assert done.code == 3
    assert done.error["cause"] == "standard-key-rejected"


@pytest.mark.parametrize("key", ["client", "standard"])
def test_what_to_do_about_a_rejected_key_names_it_and_its_project(keys, served, key):
    locked = {"serverKeyRestrictions": {"allowedIps": ["192.0.2.1"]}, "apiTargets": [{"service": GEMINI}]}
    account = "own@demo-project.iam.gserviceaccount.com"
    both = [
        {"keyId": "client", "displayName": "c", "restrictions": locked, "serviceAccountEmail": account},
        {"keyId": "standard", "displayName": "s"},
    ]
    served.control(
        "seed", {"projects": [{"projectId": "demo-project", "services": ON, "serviceAccounts": ["own"], "keys": both}]}
    )
    done = keys("verify", key, "--format", "json")
    assert (done.code, done.error["project"]) == (3, "demo-project")
    assert f"{key} --project demo-project" in done.error["fix"][0]


def test_verify_of_a_key_for_other_apis_does_not_open_gemini_to_it(keys, served):
    maps = {
        "keyId": "map",
        "displayName": "store map",
        "restrictions": {"apiTargets": [{"service": "maps-backend.googleapis.com"}]},
    }
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": ON, "keys": [maps]}]})
    done = keys("verify", "store map", "--wait", "5m")  # waiting does not mend it
    assert done.code == 3
    assert done.out.startswith("Key map (AIzaSANDBOX...")
    assert "is alive, but not for the Gemini API: it is restricted to maps-backend.googleapis.com." in done.out
    assert "Error" not in done.err
    assert "nothing, if the key is not meant for the Gemini API" in done.err
    assert "add-api-target" not in done.err
    told = keys("verify", "store map", "--format", "json")
    assert (told.code, told.json["verification"], told.error["cause"]) == (3, "failed", "api-key-service-blocked")
    assert told.error["message"].startswith("key map is alive, but not for the Gemini API")
    assert "Error:" not in told.err


def test_verify_of_a_string_for_other_apis_says_that_it_is_alive(keys, served):
    maps = {"keyId": "map", "displayName": "m", "restrictions": {"apiTargets": [{"service": "maps-backend.googleapis.com"}]}}
    served.control("seed", {"projects": [{"projectId": "demo-project", "services": ON, "keys": [maps]}]})
    string = keys("show", "map").out
    done = keys("verify", "-", stdin=string)
    assert done.code == 3
    assert "is alive, but not for the Gemini API: its API restrictions leave out" in done.out
    assert "Error" not in done.err
    assert "nothing, if the key is not meant for the Gemini API" in done.err
    assert keys("delete", "map", "--yes").code == 0
    gone = keys("verify", "map")
    assert gone.code == 3
    assert "alive" not in gone.out + gone.err


def test_switching_gemini_on_beside_unrestricted_keys_is_warned_of(keys, served):
    seeded(served, services=ON[1:], keys=[{"keyId": "maps", "displayName": "Maps"}])
    for arguments in (["--dry-run"], ["--allow-exposure"]):
        done = keys("create", "--name", "x", *arguments, "--quiet")
        assert done.code == 0
        assert "Warning" in done.err
        assert "keys restrict maps -p demo-project" in done.err
    assert "Warning" not in keys("create", "--name", "y").err


def test_a_suspended_project_leaves_nothing_half_made(keys):
    done = keys("create", "--name", "x", "-p", "suspended-project", "--format", "json")
    assert done.code == 1
    assert "unfinished" not in done.err
    assert (done.error["cause"], done.error["project"]) == ("consumer-suspended", "suspended-project")
    assert "suspended" in done.error["fix"][-1]


def test_no_key_string_appears_unasked(typed, served):
    """A series of commands with --verbose and Google's own logging switched on: the key's string is in none of their output."""
    env = {"KEYADMIN_SANDBOX": served.rest, "GOOGLE_SDK_PYTHON_LOGGING_SCOPE": "google", "GRPC_VERBOSITY": "DEBUG"}
    created = typed("keys", "create", "--name", "x", "--key-id", "web", "--verbose", env=env)
    string = typed("keys", "show", "web", env=env).out.strip()
    assert string.startswith("AQ.SANDBOX-")
    outcomes = [created] + [
        typed("keys", *words, "--verbose", env=env | {"K": string})
        for words in (
            ["list", "--format", "json"],
            ["verify", "web"],
            ["verify", "--key-from-env", "K"],
            ["lookup", "--key-from-env", "K"],
            ["restrict", "web", "--allowed-ips", "192.0.2.1"],
            ["delete", "web", "--yes", "--force"],
            ["verify", "--key-from-env", "K", "--format", "json"],
            ["undelete", "--key-from-env", "K"],
        )
    ]
    assert [each.code for each in outcomes] == [0, 0, 0, 0, 0, 0, 0, 3, 0]
    for each in outcomes:
        assert string not in each.out + each.err
        assert string[11:30] not in each.out + each.err
