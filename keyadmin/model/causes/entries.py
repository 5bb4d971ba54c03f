"""The entry of each cause: meaning, steps that mend it ({project}, {service}, {permission}, {feature} get names), source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from keyadmin.model.problem import Cause


@dataclass(frozen=True)
class CauseEntry:
    """What one cause means. `steps` are empty only where advice would be invented."""

    title: str
    explanation: str
    steps: tuple[str, ...]
    source: str


_CLOUD: Final = "https://cloud.google.com"
_GEMINI: Final = "https://ai.google.dev/gemini-api/docs"
_REASONS: Final = "https://cloud.google.com/apis/docs/error-reasons"

ENTRIES: Final[dict[Cause, CauseEntry]] = {
    Cause.MISSING_IAM_PERMISSION: CauseEntry(
        "A permission is missing",
        "The caller is known, but no role of theirs on the project (or on a folder or organisation above it) holds the "
        "permission that this call needs.",
        (
            "keyadmin doctor {project}{feature}    # names every missing permission and the smallest grant",
            "keyadmin doctor {project}{feature} --message    # the same as a message to send to an admin of the project",
        ),
        f"{_CLOUD}/iam/docs/permission-error-messages",
    ),
    Cause.PROJECT_NOT_FOUND_OR_NO_ACCESS: CauseEntry(
        "The project does not exist, or you cannot see it",
        "Google answers the same for a project that does not exist and for one that the caller may not see. A mistyped id, "
        "a deleted project, the wrong account and a missing resourcemanager.projects.get all look like this.",
        (
            "keyadmin projects list --all    # the projects that this account sees: compare the id letter by letter",
            "keyadmin doctor {project}    # who is calling, and what is missing",
            "ask an admin of the project for roles/browser, or for the message: keyadmin doctor {project} --message",
        ),
        f"{_CLOUD}/resource-manager/docs/creating-managing-projects",
    ),
    Cause.API_NOT_ENABLED: CauseEntry(
        "The API is off in the project",
        "The call was charged to a project in which this API is not enabled. After enabling, a few minutes may pass until "
        "every server knows.",
        (
            "keyadmin projects enable {service} --project {project}",
            "if it was enabled just now: wait a few minutes and try again",
        ),
        f"{_CLOUD}/service-usage/docs/enable-disable",
    ),
    Cause.QUOTA_PROJECT_NOT_SET: CauseEntry(
        "The call had no quota project",
        "User credentials carry no project of their own, so the call was charged to the project of gcloud itself, where the "
        "API is off. The project that you work on is not disabled: the call only has to name it.",
        (
            "add --quota-project {project} (or set KEYADMIN_QUOTA_PROJECT)",
            "gcloud auth application-default set-quota-project {project}    # for every client on this machine",
        ),
        f"{_CLOUD}/docs/quotas/set-quota-project",
    ),
    Cause.QUOTA_PROJECT_DENIED: CauseEntry(
        "The quota project may not be used",
        "The call names a project to be charged to (X-Goog-User-Project); the caller lacks serviceusage.services.use there.",
        (
            "name a quota project of your own: --quota-project PROJECT, or leave it out",
            "or be granted the use: gcloud projects add-iam-policy-binding {project} "
            "--member=user:YOUR_ADDRESS --role=roles/serviceusage.serviceUsageConsumer",
        ),
        f"{_CLOUD}/docs/quotas/set-quota-project",
    ),
    Cause.ENABLE_SERVICE_DENIED: CauseEntry(
        "You may not enable APIs in this project",
        "Enabling needs serviceusage.services.enable on the project. An admin enables the API once, or grants the permission.",
        (
            "ask an admin of the project to run: gcloud services enable {service} --project {project}",
            "keyadmin doctor {project} --for enable-api --message    # the smallest grant, as a message to send",
        ),
        f"{_CLOUD}/service-usage/docs/enable-disable",
    ),
    Cause.ORG_POLICY_BLOCKS_KEY_BINDING: CauseEntry(
        "The organisation forbids keys bound to service accounts",
        "The constraint iam.managed.disableServiceAccountApiKeyCreation is enforced here (as it is by default). A key "
        "restricted to generativelanguage.googleapis.com alone is allowed all the same.",
        (
            "restrict the key to the Gemini API alone: --api-target generativelanguage.googleapis.com (keyadmin's default)",
            "or ask an organisation policy admin for an exception from "
            "iam.managed.disableServiceAccountApiKeyCreation on {project}",
        ),
        f"{_CLOUD}/docs/authentication/api-keys",
    ),
    Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY: CauseEntry(
        "The organisation forbids service-account keys",
        "A constraint (iam.disableServiceAccountKeyCreation or its managed form) blocks the downloadable keys of service "
        "accounts. API keys are another matter: keyadmin needs no service-account key.",
        (
            "do without a key file: gcloud auth application-default login, impersonation "
            "(--impersonate-service-account), or workload identity federation",
            "or ask an organisation policy admin for an exception from iam.disableServiceAccountKeyCreation on {project}",
        ),
        f"{_CLOUD}/resource-manager/docs/organization-policy/restricting-service-accounts",
    ),
    Cause.PROJECT_QUOTA_EXCEEDED: CauseEntry(
        "No more projects may be created",
        "Each account may own only so many projects. Deleted projects count until they are purged, after about 30 days.",
        (
            "keyadmin projects list --all    # use one that exists, or delete one that nobody needs",
            "ask for more: https://support.google.com/code/contact/project_quota_increase",
        ),
        "https://support.google.com/cloud/answer/6330231",
    ),
    Cause.KEY_QUOTA_EXCEEDED: CauseEntry(
        "The project has no room for another key",
        "A project holds at most 300 API keys; deleted ones may count until they are purged, after 30 days.",
        (
            "keyadmin keys list --project {project} --all --sort createTime    # delete what nobody uses",
            "or create the key in another project",
        ),
        f"{_CLOUD}/api-keys/docs/quotas",
    ),
    Cause.RATE_LIMITED: CauseEntry(
        "Too many calls in a short time",
        "A quota per minute or per day is used up: that of the quota project, or of the key's project at the Gemini API.",
        (
            "wait a minute and try again (keyadmin does so by itself, within limits)",
            "charge another project: --quota-project PROJECT; or ask for more quota on the Quotas page of {project}",
        ),
        f"{_CLOUD}/docs/quotas/view-manage",
    ),
    Cause.CREDENTIALS_MISSING: CauseEntry(
        "No credentials were sent",
        "The call carried neither a token nor a key, or no credentials were found on this machine.",
        (
            "gcloud auth application-default login    # on a workstation",
            "for the Gemini API: set GEMINI_API_KEY (keyadmin env set)",
        ),
        f"{_CLOUD}/docs/authentication/provide-credentials-adc",
    ),
    Cause.CREDENTIALS_EXPIRED: CauseEntry(
        "The credentials are expired, revoked or not accepted",
        "The token sent is too old, was revoked, or is not an OAuth access token of an account in good standing.",
        (
            "gcloud auth application-default login    # or gcloud auth login for gcloud itself",
            "for a service account: check that it and its key still exist and that the clock is right",
        ),
        f"{_CLOUD}/docs/authentication/troubleshoot-adc",
    ),
    Cause.SCOPES_INSUFFICIENT: CauseEntry(
        "The token's scopes do not cover this call",
        "The credentials are good, but were issued for narrower OAuth scopes: usual on virtual machines with default scopes.",
        (
            "gcloud auth application-default login --scopes=https://www.googleapis.com/auth/cloud-platform",
            "on a virtual machine: stop it and set the access scope cloud-platform",
        ),
        f"{_CLOUD}/docs/authentication/troubleshoot-adc",
    ),
    Cause.API_KEY_INVALID: CauseEntry(
        "The API key is not valid",
        "No live key has this string: mistyped, cut off, quoted twice, deleted, or just created and not yet known everywhere.",
        (
            "keyadmin keys lookup -    # paste the key: tells the project it belongs to, if any",
            "compare what the program really reads: GOOGLE_API_KEY wins over GEMINI_API_KEY (keyadmin env show)",
            "a key created in the last five minutes: wait and try again",
        ),
        f"{_GEMINI}/troubleshooting",
    ),
    Cause.API_KEY_EXPIRED: CauseEntry(
        "The API key has expired",
        "The key is known but no longer accepted. It cannot be renewed: a new one takes its place.",
        (
            "keyadmin keys rotate KEY --project {project}    # a new key for the same consumers",
            "or keyadmin keys create --name NAME --project {project}",
        ),
        f"{_GEMINI}/troubleshooting",
    ),
    Cause.API_KEY_LEAKED: CauseEntry(
        "The key was reported as leaked and is blocked",
        "Google found this key in public and blocked it. It will not be unblocked.",
        (
            "keyadmin keys compromised KEY --project {project}    # replaces it and retires it at once",
            "keyadmin scan PATH    # find where it stood; remove it from the history too",
        ),
        f"{_GEMINI}/troubleshooting",
    ),
    Cause.STANDARD_KEY_REJECTED: CauseEntry(
        "The Gemini API no longer accepts standard keys",
        "Standard keys (AIza...) only name a project. Since 2026 the Gemini API wants auth keys, bound to a service account. "
        "The wording about OAuth tokens misleads: no OAuth is needed.",
        (
            "keyadmin keys migrate KEY --project {project}    # an auth key for the same consumers",
            "keyadmin keys list --all --all-projects --filter keyType=standard    # find the others",
        ),
        f"{_GEMINI}/api-key",
    ),
    Cause.API_KEY_SERVICE_BLOCKED: CauseEntry(
        "The key's restrictions do not include this API",
        "The key is valid, but its API restrictions leave out the service or method that was called.",
        (
            "keyadmin keys describe KEY --project {project}    # its targets",
            "keyadmin keys restrict KEY --project {project} --api-target {service}    # or use a key meant for this API",
        ),
        f"{_CLOUD}/docs/authentication/api-keys",
    ),
    Cause.API_KEY_REFERRER_BLOCKED: CauseEntry(
        "The key allows only certain web sites",
        "The key is restricted to browser referrers, and this call came from another site or (from a server) with none.",
        (
            "for calls from a server: keyadmin keys create a key without referrer restriction",
            "else add the site: keyadmin keys restrict KEY --project {project} --allowed-referrers SITE",
        ),
        f"{_CLOUD}/docs/authentication/api-keys",
    ),
    Cause.API_KEY_IP_BLOCKED: CauseEntry(
        "The key allows only certain IP addresses",
        "The call came from an address that the key's restriction does not list. Check IPv6 and the address that your "
        "network shows to the outside.",
        ("add the address: keyadmin keys restrict KEY --project {project} --allowed-ips ADDRESS",),
        f"{_CLOUD}/docs/authentication/api-keys",
    ),
    Cause.API_KEY_ANDROID_BLOCKED: CauseEntry(
        "The key allows only certain Android apps",
        "The package name or the SHA-1 of the signing certificate is not on the key's list, or the call did not send them.",
        ("add the app: keyadmin keys restrict KEY --project {project} --allowed-android PACKAGE=SHA1",),
        f"{_CLOUD}/docs/authentication/api-keys",
    ),
    Cause.API_KEY_IOS_BLOCKED: CauseEntry(
        "The key allows only certain iOS apps",
        "The bundle id is not on the key's list, or the call did not send it.",
        ("add the app: keyadmin keys restrict KEY --project {project} --allowed-ios BUNDLE_ID",),
        f"{_CLOUD}/docs/authentication/api-keys",
    ),
    Cause.CONSUMER_SUSPENDED: CauseEntry(
        "The project is suspended",
        "Google suspended the project (or the account behind it), for abuse, a leaked key or billing. Nothing in the project "
        "works until it is lifted.",
        (
            "look for Google's message to the project's owners, and appeal: "
            "https://console.cloud.google.com/appeal?project={project}",
            "keyadmin doctor {project}    # the project's state",
        ),
        f"{_CLOUD}/resource-manager/docs/project-suspension-guidelines",
    ),
    Cause.PROJECT_DENIED_ACCESS: CauseEntry(
        "The project was denied access to the Gemini API",
        "Google refuses this project at the Gemini API. No permission and no new key in the same project changes that.",
        ("write to Google's support, as the message says; the terms of use are the usual reason",),
        f"{_GEMINI}/troubleshooting",
    ),
    Cause.REGION_NOT_SUPPORTED: CauseEntry(
        "The Gemini API is not offered where the call came from",
        "The address that the call came from lies in a country or region without the Gemini API (or without its free tier).",
        (
            "call from a supported region: https://ai.google.dev/gemini-api/docs/available-regions",
            "check the outgoing address of the server, a proxy or a VPN",
        ),
        f"{_GEMINI}/available-regions",
    ),
    Cause.MULTIPLE_CREDENTIALS: CauseEntry(
        "The call carried more than one credential",
        "A key and a token (or a key in two places) were sent together, and the API takes only one. OpenAI-compatible clients "
        "send the key as a bearer token: with x-goog-api-key or ?key= beside it there are two.",
        ("send the key once: in the header x-goog-api-key alone, or as the bearer token alone on OpenAI-compatible routes",),
        _REASONS,
    ),
    Cause.API_KEYS_NOT_SUPPORTED_BY_API: CauseEntry(
        "This API does not take API keys",
        "The call has to say who is calling, and a standard key only names a project. It needs an OAuth token.",
        (
            "gcloud auth application-default login, and let the client use those credentials instead of the key",
            "for Gemini models with a key: call generativelanguage.googleapis.com, not aiplatform.googleapis.com",
        ),
        f"{_CLOUD}/docs/authentication/api-keys",
    ),
    Cause.BILLING_DISABLED: CauseEntry(
        "The project has no working billing account",
        "This API (or this much of it) needs a project with an open billing account.",
        (
            "link one: gcloud billing projects link {project} --billing-account=ACCOUNT_ID",
            "or on the page https://console.cloud.google.com/billing/linkedaccount?project={project}",
        ),
        f"{_CLOUD}/billing/docs/how-to/modify-project",
    ),
    Cause.NOT_FOUND: CauseEntry(
        "The thing asked for does not exist",
        "The name or id is wrong, it was deleted, or it is too new to be seen everywhere.",
        (
            "keyadmin keys list --project {project} --all    # or --deleted: deleted keys can be restored for 30 days",
            "created just now: wait a few seconds and try again",
        ),
        _REASONS,
    ),
    Cause.ALREADY_EXISTS: CauseEntry(
        "It exists already",
        "The id is taken. A deleted key keeps its id until it is purged (30 days); a project id is never free again.",
        ("use another id, or go on with what exists (keys create --if-absent)",),
        _REASONS,
    ),
    Cause.INVALID_ARGUMENT: CauseEntry(
        "The request is not well formed",
        "A value has the wrong form, or does not fit the others. The message names the field.",
        ("correct the value that the message names",),
        _REASONS,
    ),
    Cause.CONFLICT: CauseEntry(
        "Somebody changed it at the same time",
        "The thing changed between reading and writing (its etag no longer fits), so nothing was written.",
        ("run the command again: it reads the new state first",),
        _REASONS,
    ),
    Cause.SERVICE_UNAVAILABLE: CauseEntry(
        "The service did not answer",
        "A passing fault of the service or of the network on the way. It may or may not have done what was asked.",
        (
            "try again in a minute; keyadmin's creations may be repeated safely",
            "if it stays: https://status.cloud.google.com, and your proxy or firewall",
        ),
        _REASONS,
    ),
    Cause.NETWORK_UNREACHABLE: CauseEntry(
        "The network did not let the call through",
        "No answer of Google's came back: no connection, no reply in time, or a page of something on the way (a proxy, a "
        "firewall, a login page of a guest network). It says nothing about keys, permissions or projects.",
        (
            "keyadmin doctor --connection    # proxy, certificates, clock, and which hosts can be reached",
            "ask whoever runs the network to let *.googleapis.com through, port 443, HTTP/2 included",
        ),
        f"{_CLOUD}/vpc/docs/configure-private-google-access",
    ),
    Cause.REAUTHENTICATION_REQUIRED: CauseEntry(
        "Your organisation asks you to sign in again",
        "The session of this account is over: the organisation limits how long a login to Google Cloud lasts.",
        ("gcloud auth application-default login",),
        "https://support.google.com/a/answer/9368756",
    ),
    Cause.SERVICE_ACCOUNT_KEY_INVALID: CauseEntry(
        "The service account's key file is not accepted",
        "The key was deleted or disabled, the service account is gone, or the clock of this machine is wrong: a service "
        "account signs its requests with the time.",
        (
            "keyadmin doctor --connection    # which file it is, and how far the clock is off",
            "gcloud iam service-accounts keys list --iam-account ACCOUNT    # is the key's id still there?",
        ),
        f"{_CLOUD}/iam/docs/service-account-creds",
    ),
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED: CauseEntry(
        "Workload identity federation does not accept this machine",
        "The token of the outside identity provider could not be had, or Google's Security Token Service refused to exchange "
        "it: audience, issuer, attribute condition and subject have to agree with the pool's provider.",
        (
            "keyadmin doctor --connection    # which configuration file is in force, and where its token comes from",
            "gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool POOL --location global",
            "gcloud iam service-accounts add-iam-policy-binding ACCOUNT --role roles/iam.workloadIdentityUser "
            "--member PRINCIPAL    # where a service account is impersonated",
        ),
        f"{_CLOUD}/iam/docs/troubleshooting-workload-identity-federation",
    ),
    Cause.UNKNOWN: CauseEntry(
        "Not a known error",
        "The text names no cause that keyadmin knows, so it gives no advice.",
        (),
        "https://google.aip.dev/193",
    ),
}
