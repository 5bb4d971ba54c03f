"""Forms of causes that a reason of google.rpc.ErrorInfo decides alone: what it asks for is not what the cause mostly asks for.

The meanings are those that google/api/error_reason.proto documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import Turn, Variant, do, run


@dataclass(frozen=True)
class Form:
    """What one or several reasons are: the form `name` of `cause`."""

    cause: Cause
    name: str
    reasons: tuple[str, ...]
    variant: Variant


_ACCOUNTS: Final = (
    # https://support.google.com/a/answer/9197205
    Form(
        Cause.ACCOUNT_NOT_ELIGIBLE,
        "by-admin",
        ("USER_BLOCKED_BY_ADMIN",),
        Variant(
            (
                do(
                    "an administrator of the caller's Google Workspace switches the service on for that account: "
                    "https://admin.google.com/ac/appslist/additional (https://support.google.com/a/answer/9197205)"
                ),
                do("or call as a service account, or as an account of an organisation that has it on"),
            ),
            "The administrators of the caller's Google Workspace have this service switched off for their users. No role "
            "in a project changes that.",
            turn=Turn.ADMIN,
        ),
    ),
    Form(
        Cause.ACCOUNT_NOT_ELIGIBLE,
        "kind",
        ("ACCOUNT_TYPE_UNSUPPORTED",),
        Variant(
            (
                run("gcloud auth list", "which account calls? gcloud's and a program's may differ"),
                do(
                    "call as an account of another kind: a user instead of a service account (or the other way round), "
                    "one of a Workspace instead of a personal one; the service's page on authentication says which it "
                    "takes"
                ),
            ),
            "The service does not take accounts of this kind (personal, of a Workspace, a service account).",
        ),
    ),
    Form(
        Cause.CREDENTIALS_EXPIRED,
        "account-state",
        ("ACCOUNT_STATE_INVALID",),
        Variant(
            (
                run("gcloud iam service-accounts enable ACCOUNT", "a service account that was disabled: its administrator"),
                do(
                    "one that was deleted can be brought back for 30 days (gcloud iam service-accounts undelete, with its "
                    "number); a new one of the same name has none of its roles"
                ),
                do("a user's account: an administrator of the Workspace ends the suspension; then the user signs in again"),
            ),
            "The account that calls was disabled or deleted. Its tokens and keys are refused, and a new sign-in does not help.",
            turn=Turn.ADMIN,
        ),
    ),
    Form(
        Cause.CREDENTIALS_EXPIRED,
        "cookie",
        ("SESSION_COOKIE_INVALID",),
        Variant(
            (
                do("in a browser: sign out of Google and in again; a program that sends a browser's cookies needs new ones"),
                run("gcloud auth application-default login", "programs do better with a token than with cookies"),
            ),
            "The call came with the cookie of a Google session that is over or damaged.",
        ),
    ),
    Form(
        Cause.CREDENTIALS_EXPIRED,
        "kind",
        ("CREDENTIAL_TYPE_UNSUPPORTED",),
        Variant(
            (
                run(
                    'curl -H "Authorization: Bearer $(gcloud auth print-access-token)" URL',
                    "most APIs take an OAuth access token (ya29...); an ID token, a JWT of your own or an API key is none",
                ),
                do("an API key goes into the header x-goog-api-key, and only to APIs that take keys"),
                do("Cloud Run and IAP take an ID token instead (gcloud auth print-identity-token)"),
            ),
            "The service does not take credentials of this kind (or not in this header). Signing in again does not help.",
            "The API does not take this kind of credentials",
        ),
    ),
)

_KEYS: Final = (
    Form(
        Cause.API_KEY_REFERRER_BLOCKED,
        "origin",
        ("MISSING_ORIGIN",),
        Variant(
            (
                do(
                    "from a page: its Referrer-Policy (no-referrer), or an extension, holds the origin back; let at least "
                    "that be sent"
                ),
                do("from a program: send the header Origin with the site that the key allows"),
                run("keyadmin keys create --name NAME --project PROJECT", "or, from a server, a key without referrers"),
            ),
            "The call has no Origin header, and it is accepted only with one.",
        ),
    ),
    Form(
        Cause.API_KEY_ANDROID_BLOCKED,
        "header",
        ("CREDENTIAL_ANDROID_APP_INVALID",),
        Variant(
            (
                do(
                    "send X-Android-Package (the package name) and X-Android-Cert (the SHA-1 of the certificate that signs "
                    "this build, without colons) as they are; a client library that does it for you may need an update"
                ),
                run("keyadmin keys describe KEY --project PROJECT", "the apps that the key allows"),
            ),
            "What the call says of the Android app that it comes from is not valid.",
        ),
    ),
)

_PROJECTS: Final = (
    # https://cloud.google.com/sdk/gcloud/reference/beta/services/mcp/enable
    Form(
        Cause.API_NOT_ENABLED,
        "mcp",
        ("MCP_SERVER_DISABLED",),
        Variant(
            (
                run("gcloud beta services mcp enable SERVICE --project=PROJECT", "the API's MCP server, for agents"),
                run("keyadmin projects enable SERVICE --project PROJECT", "the API itself has to be on too"),
            ),
            "The MCP server of this API is off in the project: it is switched on apart from the API.",
            "The API's MCP server is off in the project",
        ),
    ),
    Form(
        Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS,
        "form",
        ("RESOURCE_PROJECT_INVALID",),
        Variant(
            (
                do(
                    "look at what the program really sends: the variable or setting that holds the project may be empty, a "
                    "placeholder, or a display name where an id belongs"
                ),
                run("keyadmin projects list --all", "the ids and numbers of the projects that this account sees"),
            ),
            "The request names no project, or not in the form of an id or number.",
        ),
    ),
    Form(
        Cause.NOT_FOUND,
        "service",
        ("SERVICE_NOT_VISIBLE", "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED"),
        Variant(
            (
                run(
                    "gcloud services list --available --project=PROJECT",
                    "the services that this project may use: compare the name letter by letter",
                ),
                do("it is not there: it has another name by now, was shut down, or is a preview that one has to apply for"),
            ),
            "There is no service of this name, or none that this project (or account) may see.",
        ),
    ),
)

_PLACES: Final = (
    # https://cloud.google.com/about/locations; pull request firezone #7711
    Form(
        Cause.REGION_NOT_SUPPORTED,
        "place",
        ("LOCATION_POLICY_VIOLATED",),
        Variant(
            (
                do("take another region: compare its name letter by letter with https://cloud.google.com/about/locations"),
                do("some regions (me-central2) are opened for a customer by Google's sales: https://cloud.google.com/contact"),
                run(
                    "gcloud org-policies describe gcp.resourceLocations --project=PROJECT --effective",
                    "whether the organisation allows the region",
                ),
            ),
            "The project may not use the region that the request names. It is not about where the call comes from.",
            "The project may not use this region",
        ),
    ),
    Form(
        Cause.REGION_NOT_SUPPORTED,
        "tax",
        ("LOCATION_TAX_POLICY_VIOLATED",),
        Variant(
            (
                do("take another region"),
                do(
                    "or whoever administers the billing account compares its address and tax status: "
                    "https://console.cloud.google.com/billing"
                ),
            ),
            "The billing account's address lies where tax rules forbid things in the region that the request names.",
            "Tax rules forbid this region to the billing account",
            Turn.BILLING,
        ),
    ),
)

_POLICIES: Final = (
    Form(
        Cause.ORG_POLICY_CONSTRAINT,
        "location",
        ("LOCATION_ORG_POLICY_VIOLATED",),
        Variant(
            (
                run(
                    "gcloud org-policies describe gcp.resourceLocations --project=PROJECT --effective",
                    "the places that are allowed",
                ),
                do("make it in one of those"),
                do("or an organisation policy admin (roles/orgpolicy.policyAdmin) adds the place for this project"),
            ),
            "The constraint gcp.resourceLocations allows this project other places only.",
        ),
    ),
    # https://cloud.google.com/assured-workloads/docs/restrict-tls-versions
    Form(
        Cause.ORG_POLICY_CONSTRAINT,
        "tls",
        ("TLS_ORG_POLICY_VIOLATED", "TLS_CIPHER_RESTRICTION_VIOLATED"),
        Variant(
            (
                do(
                    "let the client speak TLS 1.2 or 1.3 with a cipher suite of today: update it, its TLS library, or the "
                    "proxy in between"
                ),
                run("gcloud org-policies describe CONSTRAINT --project=PROJECT --effective", "what is allowed"),
            ),
            "The organisation refuses connections by old versions or ciphers of TLS.",
        ),
    ),
    # https://cloud.google.com/assured-workloads/docs/restrict-endpoint-usage
    Form(
        Cause.ORG_POLICY_CONSTRAINT,
        "endpoint",
        ("ENDPOINT_USAGE_RESTRICTION_VIOLATED",),
        Variant(
            (
                run(
                    "gcloud org-policies describe gcp.restrictEndpointUsage --project=PROJECT --effective",
                    "which endpoints are allowed",
                ),
                do("let the client call such a one: mostly the region's own (SERVICE.REGION.rep.googleapis.com)"),
            ),
            "The organisation does not allow this address of the API; another one of the same API may be allowed.",
        ),
    ),
    # https://cloud.google.com/resource-manager/docs/organization-restrictions/error-messages
    Form(
        Cause.ORG_POLICY_CONSTRAINT,
        "network",
        ("ORG_RESTRICTION_VIOLATION",),
        Variant(
            (
                do(
                    "whoever runs the company's proxy adds the organisation of the project to its header "
                    "X-Goog-Allowed-Resources"
                ),
                do("or call from another network, or use a project of an organisation that is allowed"),
            ),
            "The network that the call came from lets it reach certain organisations only (by the header "
            "X-Goog-Allowed-Resources), and that of this project is not one of them. No constraint and no role is involved.",
            "The network allows other organisations only",
        ),
    ),
    Form(
        Cause.INVALID_ARGUMENT,
        "network",
        ("ORG_RESTRICTION_HEADER_INVALID",),
        Variant(
            (
                do(
                    "whoever runs the company's proxy corrects the header X-Goog-Allowed-Resources: web-safe base64 of "
                    "JSON with `resources` and `options`, "
                    "https://cloud.google.com/resource-manager/docs/organization-restrictions/configure-organization-restrictions"
                ),
            ),
            "The header X-Goog-Allowed-Resources, which a company's proxy adds to each call, is malformed.",
            turn=Turn.ADMIN,
        ),
    ),
)

FORMS: Final = (*_ACCOUNTS, *_KEYS, *_PROJECTS, *_PLACES, *_POLICIES)
_NAMES: Final = {reason: form.name for form in FORMS for reason in form.reasons}


def form_of(reason: str) -> str | None:
    """The form that the reason decides."""
    return _NAMES.get(reason)


def reasons_of(cause: Cause) -> tuple[str, ...]:
    """The reasons that mean the cause in a form of their own."""
    return tuple(reason for form in FORMS if form.cause is cause for reason in form.reasons)


def forms_of(cause: Cause) -> dict[str, Variant]:
    """The forms of the cause that a reason decides."""
    return {form.name: form.variant for form in FORMS if form.cause is cause}
