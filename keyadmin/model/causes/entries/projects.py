"""Causes: the state of a project, its APIs, its billing, who is charged."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import CLOUD, GEMINI_DOCS, CauseEntry, Turn, Variant, do, google_says, run, says

PROJECT_NOT_FOUND_OR_NO_ACCESS: Final = CauseEntry(
    Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
    "The project does not exist, or you cannot see it",
    "Google answers the same for a project that does not exist and for one that the caller may not see. A mistyped id, "
    "a deleted project, the wrong account and a missing resourcemanager.projects.get all look like this.",
    (
        run("keyadmin projects list --all", "the projects that this account sees: compare the id letter by letter"),
        run("keyadmin doctor PROJECT", "who is calling, and what is missing"),
        run("keyadmin doctor PROJECT --message", "a message for an admin of the project, with the roles to grant"),
    ),
    f"{CLOUD}/resource-manager/docs/creating-managing-projects",
    variants={
        "placeholder": Variant(
            (
                do(
                    "the name is still a placeholder or a variable that nobody filled in: write the id of your project "
                    "into that setting, manifest or environment variable (GOOGLE_CLOUD_PROJECT)"
                ),
                run("keyadmin projects list --all", "the projects that this account sees"),
                run(
                    "keyadmin doctor PROJECT",
                    "the name was only hidden in what you pasted: who is calling, and what is missing",
                ),
            ),
            "The call was for a project of no real name, as far as the text shows it.",
        ),
        # https://cloud.google.com/resource-manager/docs/creating-managing-projects#restoring_a_project
        "deleted": Variant(
            (
                run("keyadmin projects undelete PROJECT", "within 30 days, by an owner: all is there again"),
                do(
                    "not yours, or gone for good: put in keys and credentials of another project; a program's own are its "
                    "maker's"
                ),
                run(
                    "gcloud auth list",
                    "old credentials, or their quota project, may still name it: sign in again, with a project that exists",
                ),
                run("keyadmin projects list --all", "the projects that this account sees"),
            ),
            "The project of this key or of these credentials was deleted.",
        ),
        "code-assist": Variant(
            (
                run(
                    "export GOOGLE_CLOUD_PROJECT=PROJECT", "the id of a project of yours; or unset it, with a personal account"
                ),
                do("a program in between has a setting of its own for the project: fill it in there, or leave it empty"),
                run("keyadmin projects list --all", "the projects that this account sees"),
            )
        ),
        **forms_of(Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS),
    },
    reasons=("CONSUMER_INVALID", *reasons_of(Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS)),
    patterns=says(
        48,
        "permission 'resourcemanager.projects.get' denied",
        "permission resourcemanager.projects.get",
        "resourcemanager.projects.get access to",
        "permission denied on resource project",
        "access projects instance [ * (or it may not exist): the caller does not have permission",
        "access project [ * (or it may not exist): the caller does not have permission",
        "do not appear to have access to project [ * or it does not exist",
        "unknown project id",
        "project not found or deleted",
        "project * not found or permission denied",
        "project * not found or deleted",
        "is not found and cannot be used for api calls",
        "project * has been deleted",
        "failed to find project",
        "lookup error: project not found",
        "404 project projects/ * not found",
        "error 404: the project * could not be found",
        "invalid project selection, please verify project",
        "failed to get firebase project",
        "the user does not have permission to access project ",
        "make sure the project exists and your account has permission to access it",
    ),
    hides_existence=True,
    of_new_projects=True,
)

CONSUMER_SUSPENDED: Final = CauseEntry(
    Cause.CONSUMER_SUSPENDED,
    "The project is suspended",
    "Google suspended the project (or the account behind it), for abuse, a leaked key or billing. Nothing in the project "
    "works until it is lifted.",
    (
        do(
            "look for Google's message to the project's owners, and appeal: "
            "https://console.cloud.google.com/appeal?project=PROJECT"
        ),
        run("keyadmin doctor PROJECT", "the project's state"),
        do("a new key in the same project is suspended too; another project is another consumer"),
    ),
    f"{CLOUD}/resource-manager/docs/project-suspension-guidelines",
    Turn.GOOGLE,
    variants={
        "account": Variant(
            (
                do(
                    "write to the address that the message names (gemini-code-assist-user-feedback@google.com), from "
                    "that account"
                ),
                do("signing in through other programs than Google's own is the usual reason: leave that off"),
                run(
                    "keyadmin keys create --name NAME --project PROJECT", "a Gemini API key (GEMINI_API_KEY) is another way in"
                ),
            ),
            "Google shut this account out of Gemini by signing in (Gemini CLI, Code Assist, Antigravity), for a breach "
            "of its terms. No project is at fault.",
            "The account is shut out",
        )
    },
    reasons=("GCP_SUSPENDED", "TOS_VIOLATION", "ACCOUNT_RESTRICTED"),
    patterns=says(
        45,
        "consumer * has been suspended",
        "consumer * is suspended",
        "project * has been suspended",
        "consumer_suspended",
        "has disabled the use of apis from this api project",
        "disabled in this account for violation of terms of",
        "due to user being blocked for violating terms",
        "projectdeniedmaperror",
        "#project-denied-map-error",
        "tosviolationmaperror",
        "#tos-violation-map-error",
        "refererdeniedmaperror",
        "#referer-denied-map-error",
    ),
)

PROJECT_DENIED_ACCESS: Final = CauseEntry(
    Cause.PROJECT_DENIED_ACCESS,
    "The project was denied access to the Gemini API",
    "Google refuses this project at the Gemini API. No permission and no new key in the same project changes that.",
    (
        do("write to Google's support, as the message says; the terms of use are the usual reason"),
        run(
            "keyadmin keys create --name NAME --project ANOTHER_PROJECT", "meanwhile a key of another project, if you have one"
        ),
    ),
    f"{GEMINI_DOCS}/troubleshooting",
    Turn.GOOGLE,
    patterns=says(20, "project has been denied access"),
)

PROJECT_NOT_ACTIVE: Final = CauseEntry(
    Cause.PROJECT_NOT_ACTIVE,
    "The project is not active",
    "The project was asked to be deleted. It can be restored for 30 days; until then its APIs and keys do not work.",
    (
        run("keyadmin projects undelete PROJECT", "within 30 days, by an owner"),
        run("keyadmin projects list --all", "or use another project"),
        do("the key came with a program: the project is its maker's; put in a key (and OAuth client) of a project of your own"),
    ),
    f"{CLOUD}/resource-manager/docs/creating-managing-projects#restoring_a_project",
    Turn.ADMIN,
    patterns=(
        *says(20, "deletedapiprojectmaperror", "#deleted-api-project-map-error"),
        *says(39, "cannot delete an inactive project", "lifecycle state is delete_requested"),
        *google_says(
            39,
            "project * is pending deletion",
            "project is pending deletion",
            "project * is not active",
            "project is not active",
            "project is inactive",
            "project * is inactive",
            "project * is marked for deletion",
            "project has been scheduled for deletion",
            "project * is scheduled for deletion",
            "project * has been scheduled for deletion",
            "project must be in active state",
            "delete_requested",
            "consumer is inactive",
        ),
    ),
)

PROJECT_QUOTA_EXCEEDED: Final = CauseEntry(
    Cause.PROJECT_QUOTA_EXCEEDED,
    "No more projects may be created",
    "Each account may own a limited number of projects. Deleted ones count until they are purged, after about 30 days.",
    (
        run("keyadmin projects list --all", "use one that exists, or delete one that nobody needs"),
        do("ask for more: https://support.google.com/code/contact/project_quota_increase"),
    ),
    "https://support.google.com/cloud/answer/6330231",
    patterns=says(
        30,
        "exceeded your allotted project quota",
        "projects created quota exceeded",
        "exceeded your project quota",
        "reached your project quota",
        "have 0 projects remaining in your quota",
    ),
)

TERMS_NOT_ACCEPTED: Final = CauseEntry(
    Cause.TERMS_NOT_ACCEPTED,
    "The terms of service were not accepted",
    "Google asks the account (not the project) to accept the terms once, in a browser; until then calls like this are refused.",
    (
        do("sign in as the account that calls and accept: https://console.cloud.google.com/terms/cloud"),
        do("all terms of Google's APIs: https://console.developers.google.com/terms/universal; Firebase: its console, once"),
        do("a service account cannot accept: let a person do it who owns the project, or is an admin of the organisation"),
    ),
    f"{CLOUD}/terms",
    reasons=("TOS_NOT_ACCEPTED", "TERMS_OF_SERVICE_NOT_ACCEPTED"),
    patterns=says(
        38,
        "callers must accept terms of service",
        "must accept the terms of service",
        "must first accept the terms of service",
        "must accept terms of service",
        "has not accepted the required terms of service",
        "have not accepted the terms of service",
        "has not accepted the terms of service",
        "terms of service not accepted",
        "terms of service have not been accepted",
        "must agree to the terms of service",
        "tos_not_accepted",
        "tos not accepted",
        "terms of service is not accepted",
        "terms of service are not accepted",
        "accept the firebase terms",
    ),
)

ENTRIES: Final = (
    PROJECT_NOT_FOUND_OR_NO_ACCESS,
    CONSUMER_SUSPENDED,
    PROJECT_DENIED_ACCESS,
    PROJECT_NOT_ACTIVE,
    PROJECT_QUOTA_EXCEEDED,
    TERMS_NOT_ACCEPTED,
)
