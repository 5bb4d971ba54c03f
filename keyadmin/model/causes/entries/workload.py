"""Causes: an identity of another system is not let in by Google."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Turn, Variant, do, google_says, run, says

WORKLOAD_IDENTITY_MISCONFIGURED: Final = CauseEntry(
    Cause.WORKLOAD_IDENTITY_MISCONFIGURED,
    "Workload identity federation is not set up for this caller",
    "The identity of another system (GitHub, AWS, Kubernetes ...) was not exchanged for Google's: the provider does not "
    "exist, expects another audience, or turned the token down by its attribute condition.",
    (
        run(
            "gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool=POOL --location=global "
            "--project=PROJECT",
            "is it there and enabled, and what are its issuer, audiences and attribute condition?",
        ),
        do(
            "name the provider in full, with the project's number: "
            "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
        ),
        do("an attribute condition: compare it with the token's claims (repository, owner, branch, letter by letter)"),
    ),
    f"{CLOUD}/iam/docs/troubleshooting-workload-identity-federation",
    Turn.ADMIN,
    variants={
        "act-as": Variant(
            (
                run(
                    "gcloud iam service-accounts add-iam-policy-binding ACCOUNT --role=roles/iam.workloadIdentityUser "
                    "--member=principalSet://iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/"
                    "attribute.repository/OWNER/REPO",
                    "whoever administers the service account ACCOUNT runs it",
                ),
                do(
                    "compare the member with the caller, letter by letter: the pool's project NUMBER (not its id), the "
                    "pool, the attribute and its value; the attribute must be mapped in the provider"
                ),
                do(
                    "or leave out the service account and grant the roles to the principalSet itself (direct federation); "
                    "a new binding takes some minutes"
                ),
            ),
            "The token was exchanged, but nobody has let this identity of the pool act as the service account: it lacks "
            "roles/iam.workloadIdentityUser there (or the service account does not exist).",
        ),
        "gke": Variant(
            (
                run(
                    "gcloud iam service-accounts add-iam-policy-binding ACCOUNT --role=roles/iam.workloadIdentityUser "
                    "--member=serviceAccount:PROJECT.svc.id.goog[NAMESPACE/KUBERNETES_ACCOUNT]",
                    "whoever administers the service account ACCOUNT runs it",
                ),
                do(
                    "the Kubernetes service account of the pod bears the annotation iam.gke.io/gcp-service-account with that "
                    "ACCOUNT, letter by letter, and the pod names it (serviceAccountName)"
                ),
                do("a new binding takes some minutes; then restart the pod"),
            ),
            "The pod's Kubernetes service account may not act as the service account of its annotation (which may not exist).",
        ),
        # https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
        "source": Variant(
            (
                do(
                    "look into the file that GOOGLE_APPLICATION_CREDENTIALS names: the file, address, environment or "
                    "program of its credential_source has to be there where the program runs"
                ),
                do(
                    "AWS: run it where a role is attached, or set AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                    "AWS_SESSION_TOKEN; a program as source needs GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"
                ),
                run(
                    "gcloud iam workload-identity-pools create-cred-config projects/NUMBER/locations/global/"
                    "workloadIdentityPools/POOL/providers/PROVIDER --output-file=FILE",
                    "creates that file again (with --aws, --azure, --credential-source-file or --executable-command)",
                ),
            ),
            "The program could not get the other system's own token, which it wants to exchange. Google was not asked yet.",
        ),
        "stale": Variant(
            (
                do("let the program read a new token of the other system each time (a projected token that is renewed)"),
                do("set the clocks of both: a token may be neither too old nor of the future"),
            ),
            "The other system's token is too old for Google.",
        ),
        "unfilled": Variant(
            (
                do(
                    "write the expression in full, ${{ secrets.NAME }} or ${{ vars.NAME }}, and see that the value is "
                    "there: secrets are empty in runs for forks and by Dependabot"
                ),
                do(
                    "or write the provider's full name into the workflow (which is not secret): "
                    "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
                ),
            ),
            "The provider's name was not filled in: the text shows the expression in its place.",
        ),
        # https://cloud.google.com/iam/docs/troubleshooting-workforce-identity-federation
        "mapping": Variant(
            (
                run(
                    "gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool=POOL "
                    "--location=global",
                    "attributeMapping and attributeCondition; a workforce pool: gcloud iam workforce-pools providers describe",
                ),
                do(
                    "compare them with the token or assertion: google.subject needs a value of at most 127 bytes "
                    "(assertion.sub.extract(...) shortens it), other attributes one text, google.groups a short list"
                ),
                do(
                    "SAML: the identity provider's address for answers, audience (entity id) and certificate have to be "
                    "those of the pool's provider, and NameID must be sent"
                ),
            ),
            "What the identity provider says of the caller does not fit the provider's settings in the pool.",
            "The identity provider's answer does not fit the pool",
        ),
        # https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
        "no-pool": Variant(
            (
                run("gcloud iam workload-identity-pools list --location=global --project=PROJECT", "the pools that there are"),
                do(
                    "PROJECT.svc.id.goog is made with the project's first GKE cluster that has Workload Identity Federation: "
                    "make the cluster first, then the binding (Terraform: depends_on)"
                ),
                do("another name: compare it letter by letter; a deleted pool can be restored for 30 days"),
            ),
            "The pool that the member belongs to does not exist (yet).",
            "There is no such pool",
        ),
        "no-token": Variant(
            (
                do(
                    "give the job (or the workflow) `permissions:` with `id-token: write` and `contents: read`; where a "
                    "reusable workflow is called, the calling job too"
                ),
                do("a pull request from a fork, or by Dependabot, never gets such a token: run the job for it elsewhere"),
            ),
            "GitHub gave the job no identity token: it may not ask for one. Google was not asked yet.",
        ),
    },
    codes=("invalid_target",),
    patterns=(
        *says(
            14,
            'target service indicated by the "audience" parameters',
            "target service indicated by the audience parameters",
            'invalid value for "audience"',
            "the given credential is rejected by the attribute condition",
            "rejected by the attribute condition",
            "identity pool does not exist",
            "the audience in id token",
            "error connecting to the given credential's issuer",
            "the issuer in id token",
            "does not match the expected audience",
            "unable to acquire impersonated credentials * workloadidentitypools",
            "failed to generate google cloud federated token",
            "failed to generate google cloud access token",
            "oidc/get-token-error",
            "the size of mapped attribute",
            "size of the entire mapped attributes exceeds",
            "mapped attribute google.groups exceeds",
            "the mapped attribute ' * must be of type",
            "obtain a value for google.subject from the given credential",
            "the attribute condition must reference",
            "unable to retrieve identity pool subject token",
            "failed to generate google cloud id token",
            'must specify exactly one of "workload_identity_provider"',
            "unable to generate access token; iam returned",
            "actions_id_token_request_token",
            "actions_id_token_request_url",
            "unable to fetch identitybindingtoken",
            "unable to verify the id token signature",
            "signing key not found in jwks",
            "received invalid aws response",
            "obtain the subject token for",
            "subjecttokenexception",
            "is stale to sign-in",
            "oauth2/google/externalaccount: ",
            "google_external_account_allow_executables",
            "failed to generate google cloud oauth 2.0 access token",
            "failed to generate google cloud openid connect id token",
        ),
        *google_says(
            54,
            "credential_source",
            "subject_token",
            "unable to determine aws r",
            "unable to determine the aws ",
            "unable to retrieve aws ",
            "executable response",
            "the executable returned",
            "awsexternalaccountcredential",
            "identitypoolcredentials",
            "externalaccountcredential",
        ),
        *google_says(
            14,
            "set to the correct acs url",
            "does not match rp callback url",
            "verify the signature in samlresponse",
            "should contain the saml rp entity id",
            "missing or empty nameid",
            "invalid value for * subject_token_type",
        ),
        *google_says(14, "attribute condition * rejected", "unauthorized_client * attribute condition"),
    ),
    credentials=True,
)

ENTRIES: Final = (WORKLOAD_IDENTITY_MISCONFIGURED,)
