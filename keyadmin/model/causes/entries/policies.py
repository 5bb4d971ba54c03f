"""Causes: what an organisation forbids."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Turn, Variant, do, google_says, run, says


def _exception(constraint: str) -> str:
    """What excepts PROJECT from a constraint that is inherited.

    set-policy takes managed and older constraints; `resource-manager org-policies disable-enforce` refuses managed ones, and
    `org-policies delete` finds nothing that the project only inherits.
    """
    policy = rf"name: projects/PROJECT/policies/{constraint}\nspec:\n  rules:\n  - enforce: false\n"
    return f"printf '{policy}' > exception.yaml && gcloud org-policies set-policy exception.yaml"


ORG_POLICY_BLOCKS_KEY_BINDING: Final = CauseEntry(
    Cause.ORG_POLICY_BLOCKS_KEY_BINDING,
    "The organisation forbids keys bound to service accounts",
    "The constraint iam.managed.disableServiceAccountApiKeyCreation is enforced here (as it is by default). A key "
    "restricted to generativelanguage.googleapis.com alone is allowed all the same.",
    (
        run(
            "keyadmin keys create --name NAME --project PROJECT --api-target generativelanguage.googleapis.com",
            "restricted to the Gemini API alone (keyadmin's default) the key is allowed",
        ),
        run(
            _exception("iam.managed.disableServiceAccountApiKeyCreation"),
            "or an organisation policy admin (roles/orgpolicy.policyAdmin, granted at the organisation) makes an exception "
            "for PROJECT; it takes up to 15 minutes",
        ),
    ),
    f"{CLOUD}/docs/authentication/api-keys",
    Turn.ADMIN,
)

ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY: Final = CauseEntry(
    Cause.ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY,
    "The organisation forbids service-account keys",
    "A constraint (iam.disableServiceAccountKeyCreation or its managed form) blocks the downloadable keys of service "
    "accounts. New organisations have it by default. API keys are another matter: keyadmin needs no service-account key.",
    (
        do(
            "do without a key file: gcloud auth application-default login, impersonation (--impersonate-service-account), "
            "or workload identity federation"
        ),
        run(
            "gcloud org-policies describe CONSTRAINT --project=PROJECT --effective",
            "what is enforced there: of iam.disableServiceAccountKeyCreation and "
            "iam.managed.disableServiceAccountKeyCreation it may be either, or both",
        ),
        run(
            _exception("CONSTRAINT"),
            "or an organisation policy admin (roles/orgpolicy.policyAdmin, granted at the organisation) makes an exception "
            "for PROJECT; being owner is not enough, and it takes up to 15 minutes",
        ),
    ),
    f"{CLOUD}/resource-manager/docs/organization-policy/restricting-service-accounts",
    Turn.ADMIN,
    patterns=says(
        10,
        "key creation is not allowed on this service account",
        "service account key creation is disabled",
        "blocks service accounts key creation",
    ),
)

ORG_POLICY_CONSTRAINT: Final = CauseEntry(
    Cause.ORG_POLICY_CONSTRAINT,
    "An organisation policy forbids it",
    "A constraint of the organisation's policies is enforced on this project. Permissions do not matter: an owner meets "
    "it too, and trying again changes nothing.",
    (
        run("gcloud org-policies describe CONSTRAINT --project=PROJECT --effective", "what is enforced there"),
        do("change the request so that it keeps to the constraint (the message says what is allowed)"),
        do(
            "or an organisation policy admin (roles/orgpolicy.policyAdmin, granted at the organisation) makes an "
            "exception for the project: https://console.cloud.google.com/iam-admin/orgpolicies?project=PROJECT; it takes "
            "up to 15 minutes"
        ),
    ),
    f"{CLOUD}/resource-manager/docs/organization-policy/org-policy-constraints",
    Turn.ADMIN,
    variants={
        "members": Variant(
            (
                do("grant it to an identity of the organisation's own domain instead"),
                run(
                    "gcloud org-policies describe iam.allowedPolicyMemberDomains --project=PROJECT --effective",
                    "which customers (Workspace ids) are permitted",
                ),
                do(
                    "or an organisation policy admin (roles/orgpolicy.policyAdmin) permits that domain, or lifts "
                    "iam.allowedPolicyMemberDomains for this project: allUsers and Google's service agents are refused by "
                    "it too"
                ),
            ),
            "The constraint iam.allowedPolicyMemberDomains lets only members of permitted domains into policies; the "
            "member to be granted (allUsers included) is not one of them.",
        ),
        # https://cloud.google.com/storage/docs/public-access-prevention
        "public": Variant(
            (
                run(
                    "gcloud storage sign-url gs://BUCKET/OBJECT --duration=10m --impersonate-service-account=ACCOUNT",
                    "without making it public: a link that is valid for a while",
                ),
                run(
                    "gcloud storage buckets update gs://BUCKET --no-public-access-prevention",
                    "only if all the world may read it, and it is the bucket's own setting",
                ),
                run(
                    "gcloud org-policies describe storage.publicAccessPrevention --project=PROJECT --effective",
                    "enforced there: an organisation policy admin makes an exception",
                ),
            ),
            "Nothing in this bucket may be public: public access prevention is on, for the bucket or by the constraint "
            "storage.publicAccessPrevention.",
            "Public access is prevented",
        ),
        "service-usage": Variant(
            (
                run("gcloud org-policies describe gcp.restrictServiceUsage --project=PROJECT --effective", "what is allowed"),
                do("an organisation policy admin allows SERVICE in gcp.restrictServiceUsage for this project"),
            ),
            "The constraint gcp.restrictServiceUsage keeps this service out of the project, although it may be enabled.",
        ),
        **forms_of(Cause.ORG_POLICY_CONSTRAINT),
    },
    reasons=(
        *("CUSTOM_ORG_POLICY_VIOLATION", "ORG_POLICY_VIOLATION", "RESOURCE_USAGE_RESTRICTION_VIOLATED"),
        *reasons_of(Cause.ORG_POLICY_CONSTRAINT),
    ),
    patterns=says(
        12,
        "do not belong to a permitted customer",
        "is not in permitted organization",
        "domain restriction organization policy",
        "domain restriction organisation policy",
        "operation denied by org policy",
        "operation denied by custom org polic",
        "disallowed by organization's constraints",
        "violates organization policy constraint",
        "violates constraint constraints/",
        "due to an organization policy",
        "blocked by organization policy",
        "blocked by your organization's policy",
        "organization policy * prevents",
        "violates location constraint",
        "org policy * violated",
        "organization policy constraint",
        "violated one or more org policies",
        "service account creation is not allowed on this project",
        "public access prevention is enforced",
        "organization policy check failure",
        "'domain restricted sharing' organization policy",
        "access denied by organization restriction",
    ),
)

VPC_SERVICE_CONTROLS: Final = CauseEntry(
    Cause.VPC_SERVICE_CONTROLS,
    "A VPC Service Controls perimeter blocks the call",
    "The project lies in a service perimeter of its organisation, and this caller, network or target is not let through. No "
    "permission is missing, and roles do not help: the same call from inside the perimeter works.",
    (
        do(
            "send the identifier in the message (vpcServiceControlsUniqueIdentifier) to the organisation's security or "
            "network admins: they look it up in the VPC Service Controls troubleshooter, "
            "https://console.cloud.google.com/security/service-perimeter/troubleshoot-landing"
        ),
        do("they allow it with an ingress or egress rule, or an access level, for this account, network and service"),
        do("meanwhile: call from a network inside the perimeter (a VM of it, the company's VPN)"),
    ),
    f"{CLOUD}/vpc-service-controls/docs/troubleshooting",
    Turn.ADMIN,
    reasons=("SECURITY_POLICY_VIOLATED", "VPC_SERVICE_CONTROLS", "NETWORK_NOT_IN_SAME_SERVICE_PERIMETER"),
    patterns=says(
        5,
        "request is prohibited by organization's policy",
        "vpcservicecontrolsuniqueidentifier",
        "vpc service controls: request",
        "vpc_service_controls",
        "violates vpc service controls",
        "vpc service controls policy",
        "resources_not_in_same_service_perimeter",
        "no_matching_access_level",
        "requests restricted by vpcsc",
        "blocked by vpc service controls",
        "network_not_in_same_service_perimeter",
        "service_not_allowed_from_vpc",
        "vpcservicecontrolauditmetadata",
    ),
)

REGION_NOT_SUPPORTED: Final = CauseEntry(
    Cause.REGION_NOT_SUPPORTED,
    "Not offered where the call came from",
    "The address that the call came from lies in a country or region without this API, or without its free tier.",
    (
        do(
            "with billing on the project the API works in more countries than the free tier does: set up billing in AI "
            "Studio, https://aistudio.google.com/projects"
        ),
        do("see whether the country is on the list: https://ai.google.dev/gemini-api/docs/available-regions"),
        do(
            "check where the call really leaves from: a server, a proxy, a VPN, an edge function (Cloudflare, Vercel) elsewhere"
        ),
    ),
    "https://ai.google.dev/gemini-api/docs/available-regions",
    variants=forms_of(Cause.REGION_NOT_SUPPORTED),
    reasons=reasons_of(Cause.REGION_NOT_SUPPORTED),
    patterns=(
        *says(
            19,
            "user location is not supported",
            "location is not supported for the api use",
            "location is not supported by google",
            "free tier is not available in your country",
            "free tier is not available in your region",
            "image generation is not available in your country",
            "not supported in your country for the api use",
            "location_policy_violated",
        ),
        *google_says(
            35,
            "is not available in your country",
            "not available in your region",
            "isn't available in your country",
            "isn't currently supported in your country",
            "isn't currently available in your country",
            "not supported in your country",
            "not currently available in your country",
            "unsupported_user_location",
        ),
    ),
)

ENTRIES: Final = (
    ORG_POLICY_BLOCKS_KEY_BINDING,
    ORG_POLICY_BLOCKS_SERVICE_ACCOUNT_KEY,
    ORG_POLICY_CONSTRAINT,
    VPC_SERVICE_CONTROLS,
    REGION_NOT_SUPPORTED,
)
