"""Causes: nobody pays for it, or not for so much."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entry import CLOUD, GEMINI_DOCS, CauseEntry, Turn, Variant, do, google_says, run, says

BILLING_DISABLED: Final = CauseEntry(
    Cause.BILLING_DISABLED,
    "The project has no working billing account",
    "This API (or this much of it) needs a project with an open billing account: none is linked, or it was closed.",
    (
        run("gcloud billing projects link PROJECT --billing-account=ACCOUNT_ID", "whoever may use the billing account"),
        do("or on the page https://console.cloud.google.com/billing/linkedaccount?project=PROJECT"),
        do("linked just now: wait a few minutes; a closed account: pay what is open, or reopen it on the billing page"),
    ),
    f"{CLOUD}/billing/docs/how-to/modify-project",
    Turn.BILLING,
    variants={
        "key": Variant(
            (
                run(
                    "gcloud billing projects link PROJECT --billing-account=ACCOUNT_ID",
                    "the key's project: whoever may use the billing account",
                ),
                do(
                    "or on the page https://console.cloud.google.com/billing/linkedaccount?project=PROJECT; then wait a "
                    "few minutes"
                ),
                do("the key came with a program: the project is its maker's; put in a key of a project of your own"),
            ),
        ),
    },
    reasons=("BILLING_DISABLED", "UREQ_PROJECT_BILLING_NOT_FOUND", "UREQ_PROJECT_BILLING_NOT_OPEN"),
    legacy=("billingNotEnabled", "accountDisabled"),
    patterns=(
        *says(
            44,
            "billing must be enabled",
            "billing is not enabled for project",
            "requires billing to be enabled",
            "billing to be enabled on project",
            "billing account for the owning project is disabled",
            "has billing disabled",
            "billing_disabled",
            "billing account for project * is not found",
            "billing account for project * is not open",
            "absent billing account",
            "user project billing account not in good standing",
            "closed billing account",
            "billing has been disabled",
            "does not have billing enabled",
            "is not associated with a billing account",
            "please check billing account associated",
            "billing account is disabled",
            "delinquent billing",
            "enable billing on the google cloud project",
            "to use this api, please enable billing",
            "you must enable billing",
            "billing has not been enabled for this project",
            "billing is disabled for this project",
            "billing-not-enabled",
            "billing_not_enabled",
            "billing account not configured",
            "billingnotenabledmaperror",
            "#billing-not-enabled-map-error",
            "must be on the blaze (pay-as-you-go) plan",
            "requires the pay-as-you-go (blaze) billing plan",
            "the account for bucket * has been disabled",
            "requires the blaze plan",
            "is not on the blaze plan",
            "utm_source=maps_js&utm_medium=degraded&utm_campaign=billing",
            "clientbillingnotenabledmaperror",
            "requires a valid linked billing account",
            "need to attach a billing account",
            "please add a billing account",
            "is not allowed in the free tier",
            "are not allowed in the free tier",
        ),
        *google_says(
            44,
            "billing has not been enabled",
            "billing is not enabled",
            "billing is disabled for",
            "billing is not configured",
            "billing not enabled",
        ),
    ),
)

NO_FREE_TIER: Final = CauseEntry(
    Cause.NO_FREE_TIER,
    "This model has no free tier",
    'The limit of the project\'s free tier is 0 for this model (in this country): waiting never helps, and "retry in ... s" '
    "misleads. The project is on the free tier.",
    (
        do("use a model that the free tier includes: https://ai.google.dev/gemini-api/docs/pricing"),
        do(
            "or set up billing for the key's project: https://aistudio.google.com/projects (a subscription to Gemini is not "
            "that)"
        ),
        run("keyadmin keys lookup -", "paste the key: which project it belongs to, where billing has to be"),
    ),
    f"{GEMINI_DOCS}/rate-limits",
    Turn.BILLING,
    patterns=says(
        9,
        "free_tier * limit: 0,",
        "free_tier * limit: 0 ",
        "freetier limit exceeded for model * limit=0",
        "only accessible to billed users",
        "doesn't have a free quota tier",
        "does not have a free quota tier",
    ),
)

CREDITS_DEPLETED: Final = CauseEntry(
    Cause.CREDITS_DEPLETED,
    "The prepaid credits are used up",
    "The billing account of the key's project is prepaid, and nothing is left of it. All projects of that account stop.",
    (
        do("whoever pays buys credits or switches on auto-reload: https://aistudio.google.com/projects, the project, Billing"),
        run("keyadmin keys lookup -", "paste the key: which project it belongs to; it may be another one than you think"),
        do(
            "the page shows credits all the same: wait up to an hour; then ask billing support: "
            "https://support.google.com/cloud/contact/cloud_platform_billing"
        ),
    ),
    f"{GEMINI_DOCS}/billing",
    Turn.BILLING,
    codes=("payment_required",),
    patterns=(
        *says(
            8,
            "prepayment credits are depleted",
            "prepaid credits are depleted",
            "prepaid credits have been depleted",
            "your credits are depleted",
            "prepay credits",
        ),
        *google_says(56, "payment_required", "credits are depleted", "out of credits"),
    ),
)

SPENDING_CAP_REACHED: Final = CauseEntry(
    Cause.SPENDING_CAP_REACHED,
    "A spending cap is reached",
    "The project's own monthly cap, or that of its billing account (which stops all projects of the account), is used up. "
    "It starts again with the month.",
    (
        do("whoever pays raises the project's cap: https://aistudio.google.com/spend"),
        do(
            "the billing account's cap goes with the tier: $250, $2,000, $20,000 a month and more; ask for the next tier on "
            "https://aistudio.google.com/projects"
        ),
    ),
    f"{GEMINI_DOCS}/billing",
    Turn.BILLING,
    patterns=(
        *says(7, "monthly spending cap", "exceeded its spending cap", "exceeded its monthly spend", "ai.studio/spend"),
        *google_says(55, "spending cap", "spend cap", "spending limit"),
    ),
)

ENTRIES: Final = (
    BILLING_DISABLED,
    NO_FREE_TIER,
    CREDITS_DEPLETED,
    SPENDING_CAP_REACHED,
)
