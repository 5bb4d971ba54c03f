"""Forms of a missing permission with steps of their own: of deployments, service agents, services with their own words."""

from __future__ import annotations

from typing import Final

from keyadmin.model.causes.entry import Variant, do, run

# https://cloud.google.com/pubsub/docs/access-control
PUBSUB: Final = Variant(
    (
        run(
            "gcloud pubsub topics add-iam-policy-binding TOPIC --member=user:ADDRESS --role=roles/pubsub.publisher",
            "to publish; for a service account --member=serviceAccount:ADDRESS",
        ),
        run(
            "gcloud pubsub subscriptions add-iam-policy-binding SUBSCRIPTION --member=user:ADDRESS "
            "--role=roles/pubsub.subscriber",
            "to receive; a program that looks whether it exists needs roles/pubsub.viewer too, one that makes it "
            "roles/pubsub.editor",
        ),
        do(
            "which account calls: that of the credentials file, of the machine, or Google's own (Gmail's watch: "
            "gmail-api-push@system.gserviceaccount.com; Cloud Storage: gcloud storage service-agent)"
        ),
    ),
    "Pub/Sub refuses the account that calls: it has no role on this topic or subscription (which may not exist).",
)

# https://cloud.google.com/sql/docs/mysql/roles-and-permissions
CLOUDSQL: Final = Variant(
    (
        run(
            "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS --role=roles/cloudsql.client "
            "--condition=None",
            "an admin of the instance's project; for a service account --member=serviceAccount:ADDRESS",
        ),
        do("compare the instance's name, PROJECT:REGION:INSTANCE, letter by letter: a wrong one is answered the same"),
        do("on a VM or a GKE node: its scopes have to hold cloud-platform (or sqlservice.admin)"),
    ),
    "Cloud SQL does not let this account connect to the instance (which may not exist).",
)

# https://firebase.google.com/docs/cloud-messaging/send/v1-api
FCM: Final = Variant(
    (
        run(
            "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS "
            "--role=roles/firebasecloudmessaging.admin --condition=None",
            "PROJECT = the app's Firebase project; for a service account --member=serviceAccount:ADDRESS",
        ),
        do("or use the credentials of the app's own project: a token of one project cannot be sent to by another's"),
    ),
    "The account that sends may not send to apps of this Firebase project.",
)

# https://cloud.google.com/iam/docs/service-agents, https://cloud.google.com/eventarc/docs/troubleshooting
AGENT: Final = Variant(
    (
        do("the API was enabled a moment ago: wait some minutes and deploy again; Google sets its agents up meanwhile"),
        run(
            "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS --role=ROLE --condition=None",
            "an admin of the project, for the agent that the message names (--member=serviceAccount:ADDRESS), with the "
            "role that it names; Eventarc: service-NUMBER@gcp-sa-eventarc.iam.gserviceaccount.com, "
            "roles/eventarc.serviceAgent; Composer: roles/composer.ServiceAgentV2Ext; machines and clusters: "
            "NUMBER@cloudservices.gserviceaccount.com, roles/editor",
        ),
        do("it printed gcloud commands: an owner of the project runs them as they stand, then you deploy again"),
    ),
    "An account of Google's own that works in your project (a service agent) lacks its role: it is new, or the role was "
    "taken away.",
)

# https://cloud.google.com/run/docs/reference/iam/roles#additional-configuration
DEPLOY: Final = Variant(
    (
        run(
            "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS --role=roles/run.admin --condition=None",
            "an admin of the project, for whoever deploys (functions: roles/cloudfunctions.admin); in a build that is "
            "the build's account: --member=serviceAccount:NUMBER-compute@developer.gserviceaccount.com",
        ),
        run(
            "gcloud iam service-accounts add-iam-policy-binding ACCOUNT --member=user:ADDRESS "
            "--role=roles/iam.serviceAccountUser",
            "on the account that the service runs as (NUMBER-compute@developer.gserviceaccount.com where none is named)",
        ),
        do("from source: roles/cloudbuild.builds.editor and roles/artifactregistry.writer too"),
        run("gcloud auth list", "is the account that deploys the one you think?"),
    ),
    "Deploying takes several roles, and the message does not say which one is missing.",
)

# https://cloud.google.com/billing/docs/how-to/grant-access-to-billing
BILLING_ACCOUNT: Final = Variant(
    (
        run(
            "gcloud billing accounts add-iam-policy-binding BILLING_ACCOUNT --member=user:ADDRESS --role=roles/billing.user",
            "an administrator of the billing account runs it (to link projects; roles/billing.viewer to see it); "
            "for a service account --member=serviceAccount:ADDRESS",
        ),
        run("gcloud auth list", "first see which account calls: Terraform's credentials may be others than gcloud's"),
    ),
    "What is missing is a role on the billing account itself: roles on a project do not reach it.",
)
