"""doctor's short form: what a refusal for want of a permission ends with."""

from __future__ import annotations

from typing import Final

from keyadmin.access.permissions import DEFAULT, FEATURES, feature_named
from keyadmin.access.power import highest, is_own, lowest_place, most, place_of, service_of
from keyadmin.access.roles import candidates, cover
from keyadmin.data import predefined_roles
from keyadmin.model.command_line import complete

_TO: Final = "--member=user:ADDRESS"
_ONE_RESOURCE: Final = "or grants the same on the one resource that is named above"
_WHOSE: Final = (
    "ADDRESS = the account that the program really uses: its credentials file's client_email, the machine's, or gcloud's "
    "(`gcloud auth list`); of a service account --member=serviceAccount:ADDRESS"
)
# Roles that Google's pages name for a permission, where the one that is smallest by number is made for another purpose.
_CUSTOMARY: Final = {
    "storage.buckets.get": "roles/storage.bucketViewer",
    "compute.subnetworks.use": "roles/compute.networkUser",
    "compute.instances.get": "roles/compute.viewer",
    "compute.machineTypes.get": "roles/compute.viewer",
    "compute.instances.create": "roles/compute.instanceAdmin.v1",
    "run.routes.invoke": "roles/run.invoker",
    "cloudtasks.tasks.create": "roles/cloudtasks.enqueuer",
    "cloudtasks.queues.create": "roles/cloudtasks.queueAdmin",
    "compute.projects.get": "roles/compute.viewer",
    "billing.resourceAssociations.create": "roles/billing.user",
    "billing.resourceAssociations.delete": "roles/billing.admin",
    "billing.accounts.get": "roles/billing.viewer",
    "billing.accounts.list": "roles/billing.viewer",
    "billing.accounts.getIamPolicy": "roles/billing.viewer",
    "compute.instances.list": "roles/compute.viewer",
    "compute.forwardingRules.create": "roles/compute.loadBalancerAdmin",
    "dataproc.clusters.create": "roles/dataproc.editor",
    "aiplatform.locations.get": "roles/aiplatform.viewer",
    "aiplatform.locations.list": "roles/aiplatform.viewer",
    "firebase.projects.get": "roles/firebase.viewer",
    "appengine.applications.get": "roles/appengine.appViewer",
}
# What else helps, by the beginning of the permission. https://cloud.google.com/bigquery/docs/running-jobs,
# https://cloud.google.com/storage/docs/access-control/using-iam-permissions
_MORE: Final = {
    "bigquery.jobs.": "or run it in a project of your own, which is charged then, whoever owns the data: bq "
    "--project_id=MINE, bigquery.Client(project=...), --billing-project",
    "storage.": "or for one bucket: `gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=user:ADDRESS "
    "--role=ROLE`; what writes and deletes too (a backup) needs roles/storage.objectAdmin",
    "secretmanager.": "or for one secret: `gcloud secrets add-iam-policy-binding SECRET --project=PROJECT "
    "--member=user:ADDRESS --role=ROLE`",
    "compute.": "who creates or changes machines needs more of that kind: roles/compute.instanceAdmin.v1 has them all; "
    "Terraform calls as the account of its credentials, which need not be gcloud's",
    "run.": "or for one service: `gcloud run services add-iam-policy-binding SERVICE --project=PROJECT --region=REGION "
    "--member=user:ADDRESS --role=ROLE`",
    "artifactregistry.": "or for one repository; the account that pulls is often one that works for you: a cluster's nodes', "
    "Cloud Run's service-NUMBER@serverless-robot-prod, a build's NUMBER-compute@developer",
}


def option(permission: str | None, wanted: str | None = None) -> str:
    """` --for FEATURE`: `wanted`, what the person was about, if it needs the permission; else the smallest that does.

    Empty where doctor's default needs it.
    """
    if wanted is not None and wanted != DEFAULT and permission in (None, *feature_named(wanted).permissions):
        return f" --for {wanted}"
    if permission is None or permission in FEATURES[DEFAULT].permissions:
        return ""
    needing = [feature for feature in FEATURES.values() if permission in feature.permissions]
    return f" --for {min(needing, key=lambda feature: len(feature.permissions)).name}" if needing else ""


def looked_for(permission: str) -> bool:
    """Whether doctor looks for the permission: one of keyadmin's own features needs it."""
    return any(permission in feature.permissions for feature in FEATURES.values())


def grant(
    permission: str,
    project: str | None,
    secret: str | None = None,
    bucket: str | None = None,
    *,
    named: str | None = None,
    member: str | None = None,
) -> tuple[str, ...]:
    """What an admin does about a permission that doctor does not look for: of secrets, folders, metrics.

    Empty for those that it looks for, and for those that no known role holds. `secret`, `bucket` = those it names; `named`
    = the role that the text says to grant, taken if it holds the permission; `member` = who lacks it, where the text says so.
    """
    if looked_for(permission):
        return ()
    role = (named if named and _holds(named, permission) else None) or _CUSTOMARY.get(permission) or _smallest(permission)
    if role is None:
        return ()
    if (above := _above_projects(permission, role)) is not None:
        return above
    command = complete(
        f"`gcloud projects add-iam-policy-binding PROJECT {_TO} --role={role} --condition=None`", project=project
    )
    more = next((note for start, note in _MORE.items() if permission.startswith(start)), _ONE_RESOURCE)
    note = complete(more, project=project, secret=secret, bucket=bucket, role=role)
    whose = () if member is not None else (_WHOSE,)
    if permission in ("storage.buckets.create", "storage.buckets.list"):  # no bucket can grant these
        return (f"an admin of the project runs: {command}", *whose)
    kind = _known_one(permission, secret, bucket)
    if kind is not None:  # known, so the smaller grant comes first
        of_it = note.removeprefix(f"or for one {kind}: ")
        return (f"an admin of the project runs: {of_it}", f"or for all {kind}s of the project: {command}", *whose)
    return (f"an admin of the project runs: {command}", note, *whose)


def _known_one(permission: str, secret: str | None, bucket: str | None) -> str | None:
    """The kind of the one resource that the error names, and that can have a grant of its own."""
    if secret is not None and permission.startswith("secretmanager."):
        return "secret"
    of_one = permission.startswith(("storage.objects.", "storage.folders.", "storage.managedFolders."))
    return "bucket" if bucket is not None and (of_one or permission == "storage.buckets.get") else None


def _above_projects(permission: str, role: str) -> tuple[str, ...] | None:
    """The grant of a permission that projects do not have, or of a role that they do not take."""
    if permission.startswith(("billing.accounts.", "billing.resourceAssociations.")):
        return (  # https://cloud.google.com/billing/docs/how-to/grant-access-to-billing
            "an administrator of the billing account runs: gcloud billing accounts add-iam-policy-binding BILLING_ACCOUNT "
            f"{_TO} --role={role}",
            "roles on a project do not reach it; first see which account calls: Terraform's may be another than gcloud's",
        )
    place = highest([lowest_place(role), place_of(permission)])
    if place == "project":
        return None
    of_folder = place == "folder"
    return (
        f"an admin of the organisation runs: gcloud organizations add-iam-policy-binding ORGANIZATION_ID {_TO} --role={role} "
        "--condition=None",
        *(
            ["or for one folder: gcloud resource-manager folders add-iam-policy-binding FOLDER_ID, likewise"]
            if of_folder
            else []
        ),
        "a project cannot grant it: being owner of one is not enough",
    )


def role_named(text: str) -> str | None:
    """The predefined role of this name (`roles/...`) or title."""
    roles = predefined_roles()
    if text in roles.titles:
        return text
    return next((name for name, title in roles.titles.items() if title.casefold() == text.casefold()), None)


def _holds(role: str, permission: str) -> bool:
    return any(each.name == role and permission in each.permissions for each in candidates())


def _smallest(permission: str) -> str | None:
    found = cover([permission])
    service = service_of(permission)
    if not any(is_own(role, service) for role in found.roles) and (beta := _own_in_beta(permission)) is not None:
        return beta
    if found.uncovered:  # letters may be large or small in an error
        exact = {name.lower(): name for role in candidates() for name in role.permissions}.get(permission.lower())
        found = cover([exact]) if exact else found
    return None if found.basic or found.uncovered else found.roles[0]


def _own_in_beta(permission: str) -> str | None:
    """The smallest role of the permission's own service that is in beta: some services have no others."""
    data = predefined_roles()
    own = [
        role
        for role, held in data.permissions.items()
        if permission in held and data.stages[role] == "BETA" and is_own(role, service_of(permission))
    ]
    return min(own, key=lambda role: (most(data.permissions[role]), len(data.permissions[role]), role), default=None)


def lines(permission: str | None) -> tuple[str, ...]:
    """The smallest role for the permission; where it is not known which one is missing, what an auth key takes."""
    if permission is None:
        five = ", ".join(FEATURES[DEFAULT].permissions)
        return (f"to create an auth key five permissions are needed ({five}); custom roles from before 2026 lack the last two",)
    found = cover([permission])
    if found.basic or found.uncovered:
        return ()
    return (f"the smallest predefined role that holds {permission}: {found.roles[0]}",)
