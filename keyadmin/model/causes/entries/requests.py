"""Causes: the request itself is not well formed."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import ERROR_REASONS, CauseEntry, Variant, do, google_says, run, says

INVALID_ARGUMENT: Final = CauseEntry(
    Cause.INVALID_ARGUMENT,
    "The request is not well formed",
    "A value has the wrong form, or does not fit the others. The message names the field, where Google says it.",
    (
        do("correct the value that the message names"),
        do("a program or proxy that is not yours made the request: change that setting there, update it, or tell its maker"),
    ),
    ERROR_REASONS,
    variants={
        "empty": Variant(
            (
                do("the program sends no user's message: add at least one with text (a system instruction alone is none)"),
                do("a program that is not yours: write something before you send, start a new conversation, or update it"),
            ),
            "The request holds no contents: there is nothing that the model could answer.",
        ),
        # https://ai.google.dev/gemini-api/docs/models
        "not-of-model": Variant(
            (
                do("take a newer model (gemini-flash-latest): older ones, and models for images or speech, lack it"),
                do("or leave out what the message names (the system prompt, JSON mode, tools, thinking)"),
            ),
            "This model does not have what the request asks for.",
        ),
        # https://ai.google.dev/gemini-api/docs/interactions
        "old-client": Variant(
            (
                do(
                    "update the client library (google-genai 2.0.0 or later) or the program that calls: it sends what the "
                    "API no longer takes"
                ),
                do("a program that is not yours and has no newer version: tell its maker"),
            ),
            "The program speaks an older form of the API, which was switched off. Key, quota and project are fine.",
        ),
        # https://cloud.google.com/resource-manager/docs/organization-policy/using-constraints
        "managed": Variant(
            (
                do(
                    "managed constraints (iam.managed...) are known to version 2 of the API alone: "
                    "google_org_policy_policy in Terraform, gcloud org-policies set-policy; the name there is without "
                    "constraints/"
                ),
                run(
                    "gcloud org-policies list --project=PROJECT --show-unset", "the constraints that there are, by their names"
                ),
            ),
            "The constraint's name is not of the form that this version of the API takes.",
        ),
        # https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
        "scopes": Variant(
            (
                do(
                    "name the scopes when the credentials are made "
                    "(scopes=['https://www.googleapis.com/auth/cloud-platform']): a token without any cannot be issued"
                ),
                do("compare the service account's address in service_account_impersonation_url letter by letter"),
            ),
            "The token of the service account that is impersonated was asked for in a wrong form, mostly without scopes.",
        ),
        # https://cloud.google.com/secret-manager/docs/access-secret-version
        "secret": Variant(
            (do("ask for a version of the secret: projects/PROJECT/secrets/SECRET/versions/latest"),),
            "The name is that of a secret; only a version of it has a value.",
        ),
        # https://cloud.google.com/resource-manager/docs/organization-policy/restricting-domains
        "placeholder": Variant(
            (
                run("gcloud organizations list", "shows the DIRECTORY_CUSTOMER_ID (C0...) that belongs there"),
                do(
                    "put the real value in place of the example's; principal sets: "
                    "principalSet://iam.googleapis.com/organizations/NUMBER"
                ),
            ),
            "A value in the policy is not one that Google knows; often it is still the example's.",
        ),
        # https://firebase.google.com/docs/projects/locations
        "fixed-location": Variant(
            (
                do(
                    "take the location that the message names: that of a project is fixed once its App Engine app (or "
                    "default bucket) is there; set the same as default location in Firebase"
                ),
                do("another location takes another project"),
            ),
            "The project's location is fixed, and another was asked for.",
        ),
        "unnamed": Variant(
            (
                do(
                    "take out what is optional, one after the other, until it passes: tools and function declarations, "
                    "response schema, thinking and safety settings, a large maxOutputTokens, files and their MIME types"
                ),
                do(
                    "compare model and version of the API: a field of the newest models is refused by older ones, and "
                    "v1 by v1beta"
                ),
            ),
            "Something in the request does not fit, and the message does not say what.",
        ),
        "unsaid": Variant(
            (
                do(
                    "compare field by field with the API's reference: ids in their own form (digits alone, full resource "
                    "names), required ones, times; an old client library sends what is no longer taken"
                ),
                do("print the error's details: they often name the field (Python error.details, gcloud --log-http)"),
            ),
            "Something in the request does not fit, and the message does not say what.",
        ),
        # https://ai.google.dev/gemini-api/docs/tokens
        "tokens": Variant(
            (
                do("send less: begin a new conversation (or compress this one), fewer files; large ones by the Files API"),
                do("or take a model with a larger window: https://ai.google.dev/gemini-api/docs/models"),
            ),
            "The prompt, with all that goes with it (history, files, tools), is larger than the model takes.",
        ),
        # https://ai.google.dev/gemini-api/docs/function-calling
        "schema": Variant(
            (
                do(
                    "take from the declarations what Gemini does not know ($schema, additionalProperties, const, "
                    "propertyNames, examples ...); each OBJECT needs properties, and `required` names only those"
                ),
                do(
                    "a tool or MCP server that is not yours makes them: switch it off (the number in "
                    "function_declarations[N] says which), or update the program or proxy that calls Gemini; tell its "
                    "maker"
                ),
                do("your own program: google-genai takes full JSON Schema as parameters_json_schema (response_json_schema)"),
            ),
            "A function's declaration, or the schema of the answer, holds what the Gemini API does not take. The message "
            "names the place.",
        ),
        # https://cloud.google.com/storage/docs/uniform-bucket-level-access
        "uniform": Variant(
            (
                do("send no ACL: leave out predefinedAcl, acl, make_public() and `gsutil -a`; a role on the bucket decides"),
                run(
                    "gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=allUsers "
                    "--role=roles/storage.objectViewer",
                    "only if everybody may read all of it",
                ),
            ),
            "The bucket knows no access lists for single objects: uniform bucket-level access is on.",
        ),
        # https://ai.google.dev/gemini-api/docs/thought-signatures
        "thought": Variant(
            (
                do("send back each thought signature unchanged, in the part it came in, with the function call it belongs to"),
                do(
                    "a program or proxy that is not yours drops or mixes them: update it, start a new conversation, or do "
                    "not change the model in the middle"
                ),
            ),
            "Gemini 3 wants the signatures of its thoughts back with the history, and one is missing or was changed.",
        ),
        "turns": Variant(
            (
                do(
                    "the history must hold, right after the model's turn with N function calls, one turn with N function "
                    "responses; a user's turn comes before the calls"
                ),
                do(
                    "a program that is not yours cuts or orders the history so: start a new conversation, let it keep more "
                    "of it (its memory or window), or update it"
                ),
            ),
            "The turns of the conversation are not in the order that the Gemini API demands.",
        ),
        **forms_of(Cause.INVALID_ARGUMENT),
    },
    reasons=("SYSTEM_PARAMETER_UNSUPPORTED", "INVALID_CUSTOM_CONSTRAINT", *reasons_of(Cause.INVALID_ARGUMENT)),
    legacy=(
        *(
            "badRequest",
            "invalid",
            "invalidArgument",
            "invalidRequest",
            "invalidParameter",
            "parseError",
            "invalidHeader",
            "invalidQuery",
            "invalidAltValue",
        ),
        *("badContent", "unknownApi", "tooManyParts", "unsupportedMediaProtocol", "unsupportedOutputFormat", "sslRequired"),
        *("invalidPageToken", "invalidFilters", "missingRequiredParameter", "unexpectedParameter", "unexpectedPart"),
        "incompatibleParameters",
        *("httpMethodNotAllowed", "uploadTooLarge", "batchSizeTooLarge", "requestedRangeNotSatisfiable", "wrongUrlForUpload"),
    ),
    codes=("invalid_request", "parameter_unknown", "out_of_range", "websocket-1007", "ai/no-project-id"),
    patterns=(
        *says(
            66,  # the Gemini API's own
            "please use a valid role: user, model",
            "multiturn requests alternate between user and model",
            "multiturn requests end with a user role",
            "multiturn requests ends with a user role",
            "generatecontentrequest proto is invalid",
            "requests ending with a model turn are not supported",
            "restricted harmblockthreshold setting",
            "embedcontentrequest.",
            "generatecontentrequest.contents[",
            "realtime_input.media_chunks is deprecated",
            "interactions api schema is no longer supported",
            "embedcontentsrequest.",
            "contents is not specified",
            "function calling is not enabled for",
            "json mode is not supported for this model",
            "developer instruction is not enabled for",
            "please ensure that function call turn",
            "please ensure that function response turn",
            "number of function response parts",
            "missing a `thought_signature`",
            "missing a thought_signature",
            "thinking is not supported for this model",
            "cached content is too small",
            "cannot extract voices from a non-audio request",
            "invalid frame payload data) precondition check failed",
            "location must equal * app engine",
        ),
        *google_says(
            66,
            "unsupported mime type",
            "request payload size exceeds the limit",
            "token count exceeds the maximum number of tokens",
            "cannot find field",
            "thinking_budget",
            "thinking budget",
        ),
        *says(66, "request contains an invalid argument", "invalid json payload received"),
        # other services'
        *says(
            66,
            "project ids must start with a lowercase letter",
            "invalid value for field 'resource.",
            "missing the 'address', 'components'",
            "input jwk is not in a valid json format",
            "missing oidc web single sign-on config",
            "points must be written in order",
            "sync input too long. for audio longer than",
        ),
        *google_says(66, "the incoming request contained invalid data", "document pages exceed the limit"),
        *google_says(
            66,
            "your use case is currently not supported",
            "provided filter is not valid",
            "unsupported input file format",
            "unable to parse range:",
        ),
        *google_says(
            66, "log entry with size * exceeds maximum size", '"status":"invalid_request"', '"status" : "invalid_request"'
        ),
        # pages of Google's web servers
        *says(
            66,
            "error 400 (bad request)!!1",
            "error 405 (method not allowed)!!1",
            "error 411 (length required)!!1",
            "error 413 (request entity too large)!!1",
            "that's an error. * your client has issued a malformed or illegal request",
            "that's an error. * request is malformed. it should not be retried",
            "that's an error. * your client issued a request that was too large",
            "that's an error. * requests require a * content-length",
        ),
        *google_says(66, "uniform bucket-level access", "must be set to your string-based project id"),
        *google_says(66, "input token count * exceeds the maximum", "generatecontentrequest.", "invalid_argument"),
    ),
    general=True,
)

ENTRIES: Final = (INVALID_ARGUMENT,)
