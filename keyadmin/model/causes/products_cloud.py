"""Services of Google Cloud that refuse for a state of the thing itself: no role and no key changes it."""

from __future__ import annotations

from typing import Final

from keyadmin.model.causes.product import Product

CLOUD: Final = (
    # https://developers.google.com/workspace/chat/configure-chat-api
    Product(
        "Google Chat (the app)",
        "turn the Chat API on and configure the app (name, avatar, visibility): "
        "https://console.cloud.google.com/apis/api/chat.googleapis.com/hangouts-chat",
        ("google chat app not found",),
    ),
    # https://cloud.google.com/storage/docs/authentication/hmackeys
    Product(
        "Cloud Storage's HMAC key",
        "compare access id and secret (gcloud storage hmac list), the host storage.googleapis.com, and the region auto in "
        "the signature; S3's clients since 2025: switch their extra checksums off (when_required)",
        ("check your google secret key",),
    ),
    # https://ai.google.dev/gemini-api/docs/files
    Product(
        "the file (Gemini's Files API)",
        "it is still being worked on: ask for it (files.get) until its state is ACTIVE, then use it; FAILED: upload it again",
        ("not in an active state and usage is not allowed",),
    ),
    Product(
        "the version of the secret or key",
        "it is switched off: gcloud secrets versions enable (gcloud kms keys versions enable); one that was destroyed is "
        "gone: add a new version and use that",
        ("is in disabled state", "is in destroyed state", "is not enabled, current state is"),
        ("secret version", "cryptokeyversions"),
    ),
    # https://cloud.google.com/service-usage/docs/enable-disable
    Product(
        "the services that need it",
        "disable these first, or all together: gcloud services disable SERVICE --force",
        ("is depended on by the following active service",),
    ),
    Product(
        "the database (Firestore)",
        "it is in Datastore mode: use the client of Datastore, or make a database in native mode (gcloud firestore databases "
        "create)",
        ("is not available for firestore in datastore mode",),
    ),
    # https://cloud.google.com/iap/docs/using-tcp-forwarding
    Product(
        "the VM's firewall",
        "let 35.235.240.0/20 in to the port (22 for SSH), and see that the machine runs and something listens there",
        ("failed to connect to backend",),
        ("4003", "start-iap-tunnel"),
    ),
    # https://cloud.google.com/kubernetes-engine/docs/concepts/autopilot-security
    Product(
        "GKE Autopilot",
        "its Warden refuses what Autopilot does not allow (privileged containers, host paths ...): change the manifest, "
        "or use a Standard cluster",
        ("gke warden rejected", "warden-validating"),
    ),
    Product(
        "the bucket (Cloud Storage)",
        "it still holds objects (older versions count): delete them first; gcloud storage rm --recursive gs://BUCKET "
        "deletes the bucket with all that is in it",
        ("bucket you tried to delete is not empty",),
        ("gcloud", "gsutil", "google", "gs://"),
    ),
    Product(
        "the project's liens",
        "a lien keeps it from being deleted: gcloud alpha resource-manager liens list --project=PROJECT shows who set it and "
        "why; who may (resourcemanager.projects.updateLiens) deletes the lien first",
        ("lien to prevent deletion was placed",),
    ),
)
