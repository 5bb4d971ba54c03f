"""Causes: what the caller may not do, and in which project."""

from __future__ import annotations

from typing import Final

from keyadmin.model.cause import Cause
from keyadmin.model.causes.entries import permission_forms
from keyadmin.model.causes.entry import CLOUD, CauseEntry, Turn, Variant, do, google_says, run, says

# Of the service account, not of a project: doctor cannot help. https://cloud.google.com/iam/docs/service-account-impersonation
_ACT_AS: Final = Variant(
    (
        run(
            "gcloud iam service-accounts add-iam-policy-binding ACCOUNT --member=user:ADDRESS "
            "--role=roles/iam.serviceAccountTokenCreator",
            "whoever administers the service account runs it",
        ),
        do("or leave out the impersonation: --impersonate-service-account, KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT"),
        do(
            "from GitHub Actions or another workload identity pool the role is roles/iam.workloadIdentityUser, for the "
            "pool's principalSet:// member: "
            "https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines"
        ),
    ),
    "Nobody has let the caller act as this service account. That is a role on the service account itself, not on a "
    "project; a service account that does not exist is answered the same.",
)

MISSING_IAM_PERMISSION: Final = CauseEntry(
    Cause.MISSING_IAM_PERMISSION,
    "A permission is missing",
    "The caller is known, but no role of theirs on the project (or on a folder or organisation above it) holds the "
    "permission that this call needs.",
    (
        run("keyadmin doctor PROJECT", "names every missing permission and the smallest grant"),
        run("keyadmin doctor PROJECT --message", "the same as a message to send to an admin of the project"),
    ),
    f"{CLOUD}/iam/docs/permission-error-messages",
    Turn.ADMIN,
    variants={
        "act-as": _ACT_AS,
        "foreign": Variant(
            (
                run(
                    "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS --role=ROLE --condition=None",
                    "an admin of the project grants the smallest predefined role that holds PERMISSION; for a service "
                    "account --member=serviceAccount:ADDRESS",
                ),
                do("or the same role on the one resource that the message names"),
                run("gcloud auth list", "first see that the account that calls is the one you think"),
            )
        ),
        # https://cloud.google.com/artifact-registry/docs/integrate-gke
        "nodes": Variant(
            (
                do(
                    "first see that the image is there, with this tag, and its name letter by letter: a wrong one is "
                    "answered the same"
                ),
                run(
                    "gcloud artifacts repositories add-iam-policy-binding REPOSITORY --location=LOCATION "
                    "--member=user:ADDRESS --role=roles/artifactregistry.reader",
                    "who administers the image's project runs it, for the account of the cluster's nodes: "
                    "--member=serviceAccount:NUMBER-compute@developer.gserviceaccount.com, or the node pool's own",
                ),
                do("outside Google Cloud: an imagePullSecret of a service account's key, or workload identity federation"),
                do("the nodes' access scopes have to hold cloud-platform (or devstorage.read_only)"),
            ),
            "The cluster's nodes may not pull this image (which may not exist). What you are signed in as plays no part in it.",
        ),
        # https://cloud.google.com/functions/docs/troubleshooting
        "build-account": Variant(
            (
                run(
                    "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS "
                    "--role=roles/cloudbuild.builds.builder --condition=None",
                    "an admin of the project, for the account that builds: "
                    "--member=serviceAccount:NUMBER-compute@developer.gserviceaccount.com (or the one that is set for "
                    "builds)",
                ),
                do(
                    "the organisation forbids the default accounts their roles: set an account of your own for builds "
                    "(--build-service-account)"
                ),
            ),
            "The account that builds for you lacks its role: new projects do not give the default one any.",
        ),
        "registry": Variant(
            (
                run("gcloud auth configure-docker HOST", "HOST = the image's, such as us-docker.pkg.dev; then try again"),
                do(
                    "it is refused still: an admin of the project grants the account that pulls or pushes (a cluster's nodes "
                    "have one) roles/artifactregistry.reader, to push roles/artifactregistry.writer"
                ),
            ),
            "The registry knows the caller not at all, or not as one who may pull (push) this image.",
        ),
        # https://cloud.google.com/iam/docs/service-accounts-actas
        "act-as-user": Variant(
            (
                run(
                    "gcloud iam service-accounts add-iam-policy-binding ACCOUNT --member=user:ADDRESS "
                    "--role=roles/iam.serviceAccountUser",
                    "whoever administers the service account ACCOUNT (the message names it) runs it, for whoever deploys",
                ),
                do(
                    "the default account (NUMBER-compute@developer, PROJECT@appspot) is used where none is named: name "
                    "another with --service-account, or create it again if it was deleted"
                ),
            ),
            "Whoever deploys something that runs as a service account must be allowed to use that account. That is a role on "
            "the service account; one that does not exist is answered the same.",
        ),
        "pubsub": permission_forms.PUBSUB,
        "cloudsql": permission_forms.CLOUDSQL,
        "fcm": permission_forms.FCM,
        # https://cloud.google.com/run/docs/deploying#other-projects
        "image": Variant(
            (
                run(
                    "gcloud artifacts repositories add-iam-policy-binding REPOSITORY --location=LOCATION "
                    "--member=user:ADDRESS --role=roles/artifactregistry.reader",
                    "whoever administers the image's project runs it, for the account that the message names",
                ),
                do("first see that the image is there, with this tag: a wrong name is answered the same"),
            ),
            "Cloud Run's own account may not read the image (which may not exist).",
        ),
        # https://cloud.google.com/run/docs/securing/managing-access
        "invoker": Variant(
            (
                run(
                    "gcloud run services add-iam-policy-binding CLOUD_RUN_SERVICE --region=REGION --member=user:ADDRESS "
                    "--role=roles/run.invoker",
                    "whoever administers the service runs it; for a service account --member=serviceAccount:ADDRESS",
                ),
                run(
                    'curl -H "Authorization: Bearer $(gcloud auth print-identity-token)" URL',
                    "a call without an ID token is refused with the same page; its audience is the service's URL",
                ),
                do("everybody may call it: that role for --member=allUsers"),
            ),
            "Cloud Run (or the function) does not let this caller in: without the role, or without an ID token.",
        ),
        "named-role": Variant(
            (
                run(
                    "gcloud projects add-iam-policy-binding PROJECT --member=user:ADDRESS --role=ROLE --condition=None",
                    "an admin of the project gives the account that the message names the role that it names (Storage Object "
                    "Viewer = roles/storage.objectViewer); for a service account --member=serviceAccount:ADDRESS",
                ),
                do("or on the one bucket or resource that is named; then try again after a minute"),
            ),
            "An account that works for you (of the build, of the service) lacks a role. The message names both.",
        ),
        "agent": permission_forms.AGENT,
        # https://cloud.google.com/bigquery/docs/external-data-cloud-storage
        "external": Variant(
            (
                run(
                    "gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=user:ADDRESS "
                    "--role=roles/storage.objectViewer",
                    "for the account that queries (dbt's, the connection's); a service account: "
                    "--member=serviceAccount:ADDRESS",
                ),
                do("a table on a Google Sheet: share the sheet with that account, and sign in with the scope .../auth/drive"),
            ),
            "BigQuery may not read the files behind the table: it reads them as the account that queries.",
        ),
        "deploy": permission_forms.DEPLOY,
        "billing-account": permission_forms.BILLING_ACCOUNT,
        # https://ai.google.dev/gemini-api/docs/troubleshoot-ai-studio
        "studio": Variant(
            (
                do("try a private window without extensions, VPN and other accounts signed in; then sign out and in again"),
                run(
                    "keyadmin doctor PROJECT",
                    "the project that is chosen in AI Studio: is it active, its APIs on, your roles there?",
                ),
                do(
                    "it stays: choose (or import) another project of yours in AI Studio; is the account allowed to use it "
                    "(age, country, a Workspace whose admin turned AI Studio off)?"
                ),
            ),
            "AI Studio's page was refused what it asked for, and does not say why: the browser's session, the chosen "
            "project or the account.",
        ),
        "gemini": Variant(
            (
                run("keyadmin keys verify --key-from-env GEMINI_API_KEY", "does the key itself work?"),
                do(
                    "it works: the file, cache or tuned model belongs to another project than the key, or the model (a "
                    "preview) is not open to this project: try a stable one"
                ),
                do(
                    "signed in with an account (Gemini CLI, Code Assist): sign in again, see that the account may use the "
                    "product, and set GOOGLE_CLOUD_PROJECT to a project of yours where you have "
                    "roles/cloudaicompanion.user; or use a key"
                ),
            ),
            "The Gemini API, or Gemini Code Assist, refuses this caller and does not say why.",
        ),
        "unnamed": Variant(
            (
                run("gcloud auth list", "is the account that calls the one you think? gcloud's and a program's may differ"),
                do(
                    "the message does not name the permission: an admin finds it in the audit log of the project "
                    "(https://console.cloud.google.com/logs/query?project=PROJECT), filter: protoPayload.status.code=7, "
                    "field authorizationInfo.permission"
                ),
                run("keyadmin doctor PROJECT", "where it is about API keys: what is missing, and the smallest grant"),
            )
        ),
    },
    reasons=("IAM_PERMISSION_DENIED",),
    patterns=(
        *says(
            60,
            "permission denied on resource",
            "permissions denied on",
            "permission denied to get service",
            "permission denied to list services",
            "permission denied to disable service",
            "do not have permission to create a key",
            # AI Studio's button in other languages, by the words that any form of the sentence has
            "プロジェクト * キー * 権限",
            "没有权限在此项目中创建密钥",
            "没有在此项目中创建密钥的权限",
            "無權在這項專案中建立金鑰",
            "프로젝트 * 키 * 권한이 없",
            "no tienes permiso para crear una clave",
            "no tienes permisos para crear una clave",
            "não tem permissão para criar uma chave",
            "n'êtes pas autorisé à créer une clé",
            "n'avez pas l'autorisation de créer une clé",
            "keine berechtigung * schlüssel * projekt",
            "nicht berechtigt * schlüssel * projekt",
            "разрешения на создание ключа",
            "нет разрешения * ключ * проект",
            "tidak memiliki izin untuk membuat kunci",
            "bu projede anahtar oluşturma izniniz yok",
            "non hai l'autorizzazione per creare una chiave",
            *("berechtigt * projekt * schlüssel", "berechtigung * projekt * schlüssel", "l'autorisation * créer une clé"),
            *("autorização para criar uma chave", "autorización para crear", "permiso para crear claves", "專案 * 金鑰 * 權限"),
            *("權限 * 專案 * 金鑰", "项目 * 密钥 * 权限", "权限 * 项目 * 密钥", "quyền tạo khoá", "quyền tạo khóa"),
            *("uprawnień do tworzenia klucza", "uprawnień do utworzenia klucza", "toestemming om een * sleutel", "สิทธิ์สร้างคีย์"),
            *("إذن لإنشاء مفتاح", "إذن إنشاء مفتاح", "कुंजी बनाने की अनुमति", "дозволу на створення ключа", "הרשאה ליצור מפתח"),
            *("oprávnění k vytvoření klíče", "behörighet att skapa en * nyckel", "toestemming om een sleutel"),
            "iam_permission_denied",
            "the caller does not have permission",
            "does not have permission to act as service account",
            "do not have permission to act as service",
            "not authorized to act as service account",
            "does not have access to service account",
            "user not authorized to perform this action",
            "must have permission to read the image",
            "the request was not authorized to invoke this service",
            "is unable to publish to cloud pub/sub topics",
            "permission denied on secret: ",
            "permissions verification for controller service account failed",
            "service agent extension role is missing",
            "service agent extension role might be missing",
            "does not have required permissions set",
            "permissions error fetching application",
            "do not have permission to act as '",
            "ask a project owner to grant you the",
            "the client is not authorized to make this request",
            "service account is missing required permissions",
            "does not have * access to the google cloud",
            "googleapi: error 403: user is not authorized",
            "is required to perform this operation on service account",
        ),
        # a registry's answer to who may not pull or push; "and you may have invalid credentials" follows
        *says(32, "you don't have the needed permissions to perform this operation", 'denied: permission denied for "'),
        *says(
            60,
            "you need additional access to the project",
            "missing or blocked permissions:",
            "permission denied on cloud kms key",
            "please grant cloud kms cryptokey",
            "service agents are being provisioned",
            "requires finegrainedget permission",
            "does not have permission to write logs",
            "missing iam roles in the following service accounts",
            "is missing role roles/",
            "cannot act as service account",
            "failed to write a file to temp location 'gs://",
            "permissions are missing for the default service account",
            "missing permission on the build service account",
            "user does not have permission to access data protected by policy tag",
            "error while connecting [4033:",
            "must have permissions on the image",
            "permission denied for all log views",
        ),
        *google_says(69, "failed to generate api key"),
        *says(69, "failed to generate api key:", "failed to generate content: permission denied"),
        *says(61, "missing or insufficient permissions"),
        *google_says(58, "insufficient permission to", "insufficient permissions"),
        *google_says(
            60,
            "permission ' * denied",
            'permission " * denied',
            "permission ` * denied",
            "required ' * permission",
            "does not have permission to",
            "user does not have permission",
            "user is not authorized.",
            "caller is missing permission",
            "following required permissions",
            "unable to get project iam policy, permission denied",
            "failed to modify the iam policy",
            "insufficient iam permissions",
            "has encrypter/decrypter permissions",
            "service account has encrypter/decrypter",
            "permission to check or bind iam policies",
            "permission to retrieve the iam policy",
            "permission to update the iam policy",
            "permission denied while accessing artifact registry",
            "lacks permission",
            "missing necessary permission",
            "missing permission",
            "missing required permission",
            "you must have permission",
            "you must grant * permission to",
            "permission denied while using the",
            "permission denied while globbing file pattern",
            "caller does not have required permission to use this resource",
            "service agent * does not have required permissions",
            "is missing required permissions:",
            "not authorized to requested resource",
            "the user is forbidden from accessing the bucket",
            "you need permissions for this action",
            "additional permissions required",
            "policy update access denied",
        ),
    ),
    hides_existence=True,
    of_new_projects=True,
)


ENTRIES: Final = (MISSING_IAM_PERMISSION,)
