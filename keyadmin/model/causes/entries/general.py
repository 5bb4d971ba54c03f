"""Causes that say little more than a status does, the network's, and `unknown`."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries.of_reasons import forms_of, reasons_of
from keyadmin.model.causes.entry import ERROR_REASONS, CauseEntry, Turn, Variant, do, google_says, run, says

NOT_FOUND: Final = CauseEntry(
    Cause.NOT_FOUND,
    "The thing asked for does not exist",
    "The name or id is wrong, it was deleted, or it is too new to be seen everywhere.",
    (
        do("compare the name in the message letter by letter with what exists, region and project included"),
        do("created just now: wait a few seconds and try again"),
        do("Gemini: a model's name that is wrong or no longer offered is answered so too; see the list of models"),
    ),
    ERROR_REASONS,
    variants={
        # https://ai.google.dev/gemini-api/docs/files
        "file": Variant(
            (
                do(
                    "files are kept for 48 hours, caches for as long as was asked (an hour): upload it again, or make "
                    "the cache again"
                ),
                do(
                    "use a key of the same project as for the upload: where keys take turns, all of one project; Vertex AI's "
                    "files are others"
                ),
                do("a large file: wait until its state is ACTIVE before it is used"),
            ),
            "The file (or cache) is gone, or was uploaded with a key of another project: both are answered the same.",
        ),
        # https://ai.google.dev/gemini-api/docs/live-session
        "session": Variant(
            (
                do("begin a new session; a handle to resume one is good for two hours: delete the stored one"),
                do("a session ends after 10 to 15 minutes: resume it with the newest handle that the server sent"),
            ),
            "The session of the Live API is over.",
        ),
        # https://cloud.google.com/about/locations
        "location": Variant(
            (
                do(
                    "compare the region's name letter by letter, and see that the service is offered there: "
                    "https://cloud.google.com/about/locations; take one where it is"
                ),
                run("gcloud auth list", "the name is right and the service is there: does the account that calls have a role?"),
            ),
            "The service is not offered in this region, the region's name is wrong, or the caller may not use it there: "
            "all three are answered the same.",
        ),
        # https://cloud.google.com/iam/docs/troubleshoot-policies
        "account": Variant(
            (
                run(
                    "gcloud iam service-accounts list --project=PROJECT", "is it there, letter by letter, and in which project?"
                ),
                do(
                    "created just now: wait a minute; deleted less than 30 days ago: gcloud iam service-accounts undelete, "
                    "by its unique id (the audit log has it)"
                ),
                do("a default account (NUMBER-compute@developer, PROJECT@appspot) that was deleted: name another one"),
            ),
            "The account that is named does not exist (any more).",
            "There is no such account",
        ),
        # https://cloud.google.com/appengine/docs/standard/troubleshooting
        "app-engine": Variant(
            (
                run("gcloud app create --project=PROJECT", "asks for the region, which cannot be changed later"),
                do("or name the project that has the app: --project"),
            ),
            "The project has no App Engine application yet.",
            "There is no App Engine application",
        ),
        # A page of Google's web servers: the host knows no such path.
        "page": Variant(
            (
                do(
                    "compare the address that is called with the API's reference: host, version, path. Gemini: "
                    "https://generativelanguage.googleapis.com/v1beta/models/MODEL:generateContent (as a base address for "
                    "OpenAI's clients https://generativelanguage.googleapis.com/v1beta/openai/)"
                ),
                do("a program that takes a base address: without the path that it adds itself, and without a slash twice"),
            ),
            "Nothing answers under this address: a page of Google's servers says so, not the API.",
            "There is no such address",
        ),
        # https://cloud.google.com/resource-manager/docs/organization-policy/org-policy-constraints
        "constraint": Variant(
            (
                run(
                    "gcloud org-policies list --project=PROJECT --show-unset",
                    "the constraints that there are: is the name one of them?",
                ),
                do("compare the organisation's, folder's or project's number too"),
            ),
            "There is no such constraint, or no such organisation, folder or project.",
        ),
        "key": Variant(
            (
                run("keyadmin keys list --project PROJECT --all", "or --deleted: deleted keys can be restored for 30 days"),
                do("created just now: wait a few seconds and try again"),
            )
        ),
        **forms_of(Cause.NOT_FOUND),
    },
    reasons=reasons_of(Cause.NOT_FOUND),
    legacy=(
        *("notFound", "playlistNotFound", "videoNotFound", "channelNotFound", "commentNotFound", "commentThreadNotFound"),
        *("playlistItemNotFound", "subscriptionNotFound", "liveBroadcastNotFound", "liveStreamNotFound", "captionNotFound"),
    ),
    codes=(
        *("not_found", "storage/object-not-found", "storage/bucket-not-found"),
        "messaging/registration-token-not-registered",
    ),
    patterns=(
        *says(64, "permission to access the file * or it may not exist", "cachedcontent not found"),
        *says(64, "bidigeneratecontent session not found"),
        *says(58, "permission denied on 'locations/ * (or it may not exist)"),
        *google_says(64, "<code>playlistid</code> parameter cannot be found", "parameter cannot be found"),
        *says(64, "requested entity was not found", "requested entity not found", 'key "projects/ * not found'),
        *says(64, "the resource 'projects/ * was not found", "bucketnotfoundexception", "the specified bucket does not exist"),
        *google_says(64, "not found: dataset", "not found: table", "was not found in location", "name unknown: repository"),
        *google_says(64, "not found or permission denied", "not found (or permission denied)", "resource not found"),
        *says(
            64,
            "was not found on this server. * that's all we know",
            "not found; gaia id not found for email",
            "no designtimeagent found for project",
            "does not contain an app engine application",
            "reserved range: ' * not found for consumer project",
            "secret [projects/ * not found or has no versions",
            "does not exist for project * to add a cloud datastore",
            "the cloud sql instance does not exist",
            "repository metadata * does not exist",
        ),
        *google_says(
            64, 'repository " * not found', "no such object: ", "resource not found: ", "error 400: user * does not exist"
        ),
        *google_says(64, "error 400: group * does not exist", "check if the source object and target bucket exist"),
        *google_says(68, "cannot find service [", "code=nosuchbucket", "image 'gcr.io/ * not found", ".pkg.dev/ * not found"),
        *google_says(64, "service account * does not exist", "service account * doesn't exist"),
    ),
    hides_existence=True,
    general=True,
)

ALREADY_EXISTS: Final = CauseEntry(
    Cause.ALREADY_EXISTS,
    "It exists already",
    "The id is taken. A deleted key keeps its id until it is purged (30 days); a project id is never free again.",
    (do("use another id, or continue with what exists (keyadmin keys create --name NAME --if-absent; terraform import)"),),
    ERROR_REASONS,
    variants={
        # https://cloud.google.com/resource-manager/docs/creating-managing-projects
        "project": Variant(
            (
                run(
                    "keyadmin projects create ID --name NAME",
                    "with another id: those of all of Google's customers, deleted ones too, are taken for good",
                ),
                run("keyadmin projects list --all", "or is it one of yours? then go on with it"),
            ),
            "A project of this id exists already, maybe somebody else's.",
        ),
        # https://cloud.google.com/iam/docs/creating-custom-roles
        "deleted": Variant(
            (
                do("restore it and change it: gcloud iam roles undelete ROLE_ID (--project or --organization), roles update"),
                do("or take another id: the old one is kept for 37 days"),
            ),
            "The id belongs to a role that was deleted and is not purged yet.",
        ),
    },
    legacy=("alreadyExists", "duplicate"),
    patterns=(
        *says(
            60,
            "serviceexception: 409 bucket * already exists",
            "is the subject of a conflict: * already exist",
            "the resource 'projects/ * already exists",
            "document already exists: projects/",
            "already exists within project projects/",
            "existing role with that role_id",
            "already contains an app engine application",
        ),
        *google_says(60, "409 already exists:", "already exists: job", "already exists: dataset", "already exists: table"),
        *google_says(60, "requested bucket name is not available", "the requested identifier already exists"),
        *google_says(60, "resource already exists in the project", "entity already exists."),
        *google_says(
            60,
            "you already own this bucket",
            "named bucket succeeded and you already own it",
            "requested entity already exists",
            "there is already a project with id",
            "already in use by another project",
            "alreadyexists: 409",
            "error 409 * already exists",
            "already_exists",
        ),
    ),
    general=True,
)


CONFLICT: Final = CauseEntry(
    Cause.CONFLICT,
    "Somebody changed it at the same time",
    "The thing changed between reading and writing (its etag no longer fits), so nothing was written.",
    (
        do("run the command again: it reads the new state first"),
        do(
            "Terraform, Pulumi and the like hold an older state: refresh it (terraform apply -refresh-only, pulumi "
            "refresh), then apply; let only one of them write the policy"
        ),
    ),
    ERROR_REASONS,
    legacy=("conditionNotMet", "conflict"),
    patterns=(
        *says(
            61,
            "retry the whole read-modify-write",
            "at least one of the pre-conditions you specified did not hold",
            "could not serialize access to table",
            "aborted due to concurrent update against table",
            "transaction was aborted. it was wounded",
            "operation failed because another operation was already in progress",
        ),
        *google_says(
            61,
            "concurrent policy changes",
            "concurrent modification",
            "etag mismatch",
            "etag does not match",
            "there were concurrent",
            "precondition failed * if-match",
        ),
    ),
    passing=True,
    general=True,
)

SERVICE_UNAVAILABLE: Final = CauseEntry(
    Cause.SERVICE_UNAVAILABLE,
    "The service did not answer",
    "A passing fault of the service. It may or may not have done what was asked.",
    (
        do("try again in a minute; keyadmin's creations may be repeated safely"),
        do("if it stays: https://status.cloud.google.com (Gemini: https://aistudio.google.com/status)"),
    ),
    ERROR_REASONS,
    Turn.GOOGLE,
    variants={
        "stock": Variant(
            (do("take another zone or region, another type of machine, or try again later: no quota and no permission helps"),),
            "The zone has no machine of that kind left just now.",
        ),
        "console": Variant(
            (
                do("load the page again in some minutes; Google's own state: https://status.cloud.google.com"),
                run(
                    "keyadmin keys list --project PROJECT",
                    "shows the keys without the page, and says so where a permission is missing",
                ),
            ),
            "The Cloud Console could not show the keys. They work as before.",
        ),
        # https://ai.google.dev/gemini-api/docs/live-session
        "live": Variant(
            (
                do("connect again and resume the session with the last handle; some such closes are faults of Google's"),
                do(
                    "it comes each time: the model does not support what the session asks for (a tool, a modality, a voice): "
                    "leave it out, or take another model of the Live API"
                ),
                do("if it stays: https://aistudio.google.com/status"),
            ),
            "The Live API closed the session with an error of its own.",
        ),
        # https://ai.google.dev/gemini-api/docs/troubleshooting
        "model": Variant(
            (
                do("try again, with a pause that doubles: most such answers pass"),
                do(
                    "it stays with this request: shorten the prompt or the answer asked for, simplify schema and tools, "
                    "stream the answer, or take another model"
                ),
                do("it stays with every request: https://aistudio.google.com/status"),
            ),
            "The model (or what is before it) failed at Google, or did not finish in time. Key and quota are not at fault.",
        ),
        "not-running": Variant(
            (do("start the program that is to listen there, or correct the address"),),
            "Nothing listens there, so nothing was asked and nothing was done.",
        ),
    },
    reasons=("RESOURCE_AVAILABILITY",),
    legacy=(
        "backendError",
        "internalError",
        "backendNotConnected",
        "notReady",
        "tableUnavailable",
        "jobBackendError",
        "jobInternalError",
    ),
    codes=("internal_error", "internal_failure", "service_unavailable", "websocket-1011", "websocket-1013"),
    patterns=(
        *says(
            45,
            "zone_resource_pool_exhausted",
            "gce_stockout",
            "does not have enough resources available to fulfill",
            "(state:stockout",
            "accelerator(s) is currently unavailable in the",
            "scale.up.error.out.of.resources",
        ),
        *google_says(45, "machine type temporarily unavailable"),
        *says(
            67,
            "server encountered a temporary error and could not complete your request",
            "error 500 (server error)!!1",
            "error 502 (server error)!!1",
            "error 503 (server error)!!1",
            "error 503 (service unavailable)!!1",
        ),
        *google_says(67, "operation is not implemented, or supported, or enabled"),
        *says(67, "failed to load api keys"),
        *google_says(
            67,
            "the service is currently unavailable",
            "service unavailable",
            "internal error encountered",
            "an internal error has occurred",
            "internal error occurred",
            "gaxioserror: internal_failure",  # the token endpoint's
            "deadline exceeded",
            "deadline expired before operation could complete",
            "internal server error",
            "bad gateway",
            "gateway timeout",
        ),
    ),
    passing=True,
    spreading=True,
    unanswered=True,
)

UNKNOWN: Final = CauseEntry(
    Cause.UNKNOWN,
    "Not a known error",
    "The text names no cause that keyadmin knows, so it gives no advice.",
    (),
    "https://google.aip.dev/193",
    patterns=(
        *says(10, "access was blocked due to an organization policy"),  # context-aware access, no constraint
        # a full Drive is no quota of a project's
        *says(12, "storagequotaexceeded", "drive storage quota has been exceeded", "exceeded their drive storage quota"),
        *says(12, "downloadquotaexceeded", "download quota for this file has been exceeded"),
        *says(87, "while reading 'google-dockercfg"),  # kubelet looks for attributes that need not be there
    ),
    general=True,
)

ENTRIES: Final = (
    NOT_FOUND,
    ALREADY_EXISTS,
    CONFLICT,
    SERVICE_UNAVAILABLE,
    UNKNOWN,
)
