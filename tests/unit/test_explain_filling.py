"""explain(): the names that a text gives stand in its steps, so that the commands can be typed."""

from __future__ import annotations

import json

import pytest

from keyadmin.access.explain import explain
from keyadmin.access.shortform import grant

ROBOT = "deploy@demo-shop-1.iam.gserviceaccount.com"
NO_TOKEN = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
BLOCKED = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "googleapis.com"}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (
            f"ERROR: (gcloud.storage.ls) PERMISSION_DENIED: Failed to impersonate [{ROBOT}]. {NO_TOKEN}",
            f"gcloud iam service-accounts add-iam-policy-binding {ROBOT} --member=user:ADDRESS",
        ),
        (
            f"google-github-actions/auth failed with: failed to generate Google Cloud access token for {ROBOT}: {NO_TOKEN}",
            f"gcloud iam service-accounts add-iam-policy-binding {ROBOT} --role=roles/iam.workloadIdentityUser",
        ),
        (
            f"principal://iam.googleapis.com/projects/482913570011/locations/global/workloadIdentityPools/gh-pool/subject/"
            f"repo:acme/shop:ref:refs/heads/main {NO_TOKEN}",
            "principalSet://iam.googleapis.com/projects/482913570011/locations/global/workloadIdentityPools/gh-pool/"
            "attribute.repository/acme/shop",
        ),
        (
            'invalid_target: The target service indicated by the "audience" parameters is invalid. '
            "//iam.googleapis.com/projects/482913570011/locations/global/workloadIdentityPools/gh-pool/providers/gh-oidc",
            "providers describe gh-oidc --workload-identity-pool=gh-pool --location=global",
        ),
        (
            json.dumps({"error": {"details": [BLOCKED | {"reason": "ACCOUNT_STATE_INVALID", "metadata": {"email": ROBOT}}]}}),
            f"gcloud iam service-accounts enable {ROBOT}",
        ),
        (
            'ResponseError: code=403, message=Required "container.clusters.get" permission(s) for "projects/demo-shop-1". This '
            f"command is authenticated as {ROBOT} which is the active account",
            f"--member=serviceAccount:{ROBOT} --role=roles/container.clusterViewer",
        ),
        (
            f"AccessDeniedException: 403 {ROBOT} does not have storage.objects.list access to gs://demo-files. Permission "
            "'storage.objects.list' denied",
            f"gcloud storage buckets add-iam-policy-binding gs://demo-files --member=serviceAccount:{ROBOT}",
        ),
    ],
)
def test_accounts_pools_and_buckets(text: str, first: str) -> None:
    assert first in explain(text).fix[0]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Requests from this Android client application com.example.shop are blocked.", "--add-android com.example.shop=SHA1"),
        ("Requests from this iOS client application com.example.Shop are blocked.", "--add-ios com.example.Shop"),
        (
            "This IP, site or mobile application is not authorized to use this API key. Request received from IP address "
            "203.0.113.7, with empty referer",
            "--add-ips 203.0.113.7 ",
        ),
        (
            "This IP, site or mobile application is not authorized to use this API key. Request received from IP address "
            "203.0.113.7, with referer: https://shop.example/cart",
            "--add-referrers 'https://shop.example/*'",
        ),
    ],
)
def test_whom_a_key_shut_out(message: str, words: str) -> None:
    assert any(words in step for step in explain(message).fix), explain(message).fix


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("account", f"Failed to impersonate [$(rm -rf x)@gserviceaccount.com]. {NO_TOKEN}"),
        ("app", "Requests from this Android client application com.example;reboot are blocked."),
        ("site", "Requests from referer https://a.example/$(reboot) are blocked."),
    ],
)
def test_what_is_no_name_stays_out_of_commands(name: str, text: str) -> None:
    assert not any(word in step for step in explain(text).fix for word in ("rm -rf", "reboot"))


@pytest.mark.parametrize(
    ("permission", "command"),
    [
        ("resourcemanager.projects.create", "gcloud organizations add-iam-policy-binding ORGANIZATION_ID"),
        ("orgpolicy.policies.update", "gcloud organizations add-iam-policy-binding ORGANIZATION_ID"),
        ("billing.accounts.get", "gcloud billing accounts add-iam-policy-binding BILLING_ACCOUNT"),
        ("compute.instances.list", "gcloud projects add-iam-policy-binding demo-shop-1"),
    ],
)
def test_a_grant_is_made_where_the_role_can_be_granted(permission: str, command: str) -> None:
    lines = grant(permission, "demo-shop-1")
    assert command in lines[0]
    assert ("gcloud projects" in " ".join(lines)) is command.startswith("gcloud projects")


def test_a_service_whose_roles_are_in_beta_gets_one_of_them() -> None:
    assert "roles/documentai.apiUser" in grant("documentai.processors.processOnline", "demo-shop-1")[0]


def test_the_project_that_was_worked_on_is_one_to_be_charged() -> None:
    words = "The apikeys.googleapis.com API requires a quota project, which is not set by default."
    found = explain(f"GET https://apikeys.googleapis.com/v2/projects/demo-shop-1/locations/global/keys: 403 {words}")
    assert found.fix[0].startswith("gcloud auth application-default set-quota-project demo-shop-1")
    nobodys = explain(f"GET https://apikeys.googleapis.com/v2/projects/764086051850/locations/global/keys: 403 {words}")
    assert nobodys.fix[0].startswith("gcloud auth application-default set-quota-project PROJECT")
