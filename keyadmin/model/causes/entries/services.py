"""Causes: an API is off in the project that is charged, or no project is."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Turn, Variant, do, google_says, run, says

API_NOT_ENABLED: Final = CauseEntry(
    Cause.API_NOT_ENABLED,
    "The API is off in the project",
    "The call was charged to a project in which this API is not enabled. After enabling, a few minutes may pass until "
    "every server knows.",
    (
        run("keyadmin projects enable SERVICE --project PROJECT"),
        do("if it was enabled just now: wait a few minutes and try again"),
        do("if you do not know that project: the key, the credentials file or the quota project belongs to it; use your own"),
    ),
    f"{CLOUD}/service-usage/docs/enable-disable",
    variants={
        # Calls that are charged to a project can switch nothing on there while its Service Usage API is off.
        "service-usage": Variant(
            (
                run("gcloud services enable SERVICE --project=PROJECT", "gcloud's own calls are charged to another project"),
                do("or leave out --quota-project, or name a project with that API on: --quota-project ANOTHER_PROJECT"),
                do("if it was enabled just now: wait a few minutes and try again"),
            )
        ),
        # https://developers.google.com/maps/legacy
        "maps": Variant(
            (
                run(
                    "keyadmin projects enable SERVICE --project PROJECT",
                    "in the key's project. The map: maps-backend, places: places (new) or places-backend, addresses: "
                    "geocoding-backend, ways: routes or directions-backend; each ends in .googleapis.com",
                ),
                do(
                    "it cannot be enabled: the old Places, Directions and Distance Matrix APIs are closed to new projects; "
                    "call Places (New) and Routes in their place (https://developers.google.com/maps/legacy)"
                ),
                do("the project needs billing, and the key's API restrictions have to list the API; then wait a few minutes"),
            ),
            "A product of Google Maps is not enabled in the project of the key: each has an API of its own.",
        ),
        # https://github.com/googleapis/google-auth-library-python
        "reauth": Variant(
            (
                do(
                    "nobody can enable this API: an old client asks for it in place of signing in again; update it "
                    "(google-auth, gcloud, gsutil)"
                ),
                run("gcloud auth application-default login", "then sign in again (gcloud auth login for gcloud itself)"),
            ),
            "The organisation wants a new sign-in, and an old client library asks for it in a way that only Google's own "
            "projects may.",
        ),
        "private": Variant(
            (
                do("nobody can enable this API: the tool that called it takes it for yours; update the tool"),
                do("it stays: sign in to the tool as a person in place of a service account, and tell its maker"),
            ),
            "It is a private API of Google's, which only Google's own projects have. The tool called it on behalf of yours.",
        ),
        # https://developers.google.com/apps-script/api/how-tos/enable
        "user-setting": Variant(
            (
                do("the person who calls switches it on for their account: https://script.google.com/home/usersettings"),
                do("then wait a few minutes; the Apps Script API has to be on in the OAuth client's project too"),
            ),
            "The Apps Script API has a switch of its own for each account, besides the one of the project.",
        ),
        **forms_of(Cause.API_NOT_ENABLED),
    },
    reasons=("SERVICE_DISABLED", *reasons_of(Cause.API_NOT_ENABLED)),
    legacy=("accessNotConfigured",),
    codes=("ai/api-not-enabled",),
    patterns=(
        *says(
            46,
            "has not been used in project * before or it is disabled",
            "it is disabled. enable it by visiting",
            "api has not been used in project",
            "has not enabled the api",
            "api is not enabled for project",
            "api is not enabled on project",
            "api [ * ] not enabled on project [",
            "calling a legacy api, which is not enabled for your project",
            "legacyapinotactivatedmaperror",
            "cloud firestore api is not enabled",
            "is not enabled for consumer",
            "has not enabled the apps script api",
            ".googleapis.com) has not been enabled on the project",
            "api project is not authorized to use this api",
            "the webpage is not allowed to use the",  # Maps, of directions and the like
            "places_api_access_not_configured",
            ".googleapis.com`) to be enabled in your",
            "apinotactivatedmaperror",
            "#api-not-activated-map-error",
            "accessnotconfigured",
            "service_disabled",
        ),
        *google_says(46, "the api * is disabled in project", "not enabled on project", "has not activated the * api"),
        *google_says(46, "is not enabled. this operation may not succeed", "failed to ensure api * is enabled"),
        *says(46, "permission_denied: api * is not enabled for the project"),
        *google_says(46, "data transfer service is not enabled for", "api not enabled", "access not configured"),
    ),
    spreading=True,
    key_alive=True,
)

QUOTA_PROJECT_NOT_SET: Final = CauseEntry(
    Cause.QUOTA_PROJECT_NOT_SET,
    "The call had no quota project",
    "User credentials carry no project of their own, so the call was charged to the project of Google's own client (gcloud, "
    "Cloud Shell), where the API is off. The project that you work on is not disabled: the call only has to name it.",
    (
        run(
            "gcloud auth application-default set-quota-project PROJECT",
            "PROJECT = one of yours that has the API on; for every program on this machine that uses these credentials",
        ),
        run("gcloud services enable SERVICE --project PROJECT", "where the API is not on there yet"),
        do(
            "for one tool only: keyadmin --quota-project PROJECT (KEYADMIN_QUOTA_PROJECT); Terraform: "
            "user_project_override = true and billing_project in the provider; a client library: its quota_project "
            "option; curl: x-goog-user-project"
        ),
    ),
    f"{CLOUD}/docs/quotas/set-quota-project",
    variants={
        # https://cloud.google.com/storage/docs/using-requester-pays
        "requester-pays": Variant(
            (
                run(
                    "gcloud storage cp gs://BUCKET/OBJECT . --billing-project=PROJECT",
                    "PROJECT = one of yours, which is charged (gsutil -u PROJECT; client libraries: user_project)",
                ),
                do(
                    "you need serviceusage.services.use there (roles/serviceusage.serviceUsageConsumer), and billing "
                    "has to be on"
                ),
            ),
            "Whoever reads this bucket pays for it: the call has to name a project of the caller's.",
        )
    },
    patterns=says(
        40,
        "requester pays bucket but no user project provided",
        "requires a quota project",
        "cannot find a quota project",
        "quota project is disabled. you might receive",
        "to insert into application default credentials (adc) as a quota project",
        "without a quota project",
        "end user credentials from the google cloud sdk * which are not supported",
        "authenticated using end user credentials from",
        "user credentials * quota project, which is not set",
        "quota project, which is not set by default",
    ),
)

ENABLE_SERVICE_DENIED: Final = CauseEntry(
    Cause.ENABLE_SERVICE_DENIED,
    "You may not enable APIs in this project",
    "Enabling needs serviceusage.services.enable on the project. An admin enables the API once, or grants the permission.",
    (
        run("gcloud services enable SERVICE --project PROJECT", "what an admin of the project runs"),
        run("keyadmin doctor PROJECT --for enable-api --message", "the smallest grant, as a message to send"),
        do("a service that is closed to new customers (sourcerepo ...) can be enabled by nobody: leave it out"),
    ),
    f"{CLOUD}/service-usage/docs/enable-disable",
    Turn.ADMIN,
    patterns=says(
        42,
        "permission denied to enable service",
        "permission denied to enable the service",
        "permission to enable apis for project",
        "do not have permission to enable the firebase",
        "do not have permission to enable api",
        "error enabling service * the caller does not have permission",
        "access service [ * :enable] (or it may not exist): the caller does not have permission",
    ),
    of_new_projects=True,
)

QUOTA_PROJECT_DENIED: Final = CauseEntry(
    Cause.QUOTA_PROJECT_DENIED,
    "The quota project may not be used",
    "The call names a project to be charged to (X-Goog-User-Project); the caller lacks serviceusage.services.use there.",
    (
        run(
            "gcloud auth application-default set-quota-project ANOTHER_PROJECT",
            "name a quota project of your own (keyadmin: --quota-project); `gcloud config unset billing/quota_project` for "
            "gcloud",
        ),
        run(
            "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS "
            "--role=roles/serviceusage.serviceUsageConsumer --condition=None",
            "or an admin of that project grants the use",
        ),
    ),
    f"{CLOUD}/docs/quotas/set-quota-project",
    variants={
        # https://cloud.google.com/build/docs/iam-roles-permissions
        "builds": Variant(
            (
                run(
                    "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS "
                    "--role=roles/serviceusage.serviceUsageConsumer --condition=None",
                    "an admin of the project, for the account that submits (--member=serviceAccount:ADDRESS), and likewise "
                    "roles/storage.admin",
                ),
                do("or submit with a bucket of your own: --gcs-source-staging-dir=gs://BUCKET/source (and --gcs-log-dir)"),
                do("an organisation policy may forbid the bucket's place: name a region that is allowed (--region)"),
            ),
            "The account that submits the build may not use the project's bucket PROJECT_cloudbuild (which may not exist yet).",
        ),
    },
    reasons=("USER_PROJECT_DENIED",),
    patterns=says(
        41,
        "does not have required permission to use project",
        "does not have serviceusage.services.use access",
        "as the quota project because the account in adc does not have",
        "as a quota project because the account in adc does not have",
        "user_project_denied",
        "userprojectaccessdenied",
    ),
)

ENTRIES: Final = (
    API_NOT_ENABLED,
    QUOTA_PROJECT_NOT_SET,
    ENABLE_SERVICE_DENIED,
    QUOTA_PROJECT_DENIED,
)
