"""doctor's short form: what a refusal for want of a permission ends with."""

from __future__ import annotations

from keyadmin.access.permissions import DEFAULT, FEATURES
from keyadmin.access.roles import cover


def option(permission: str | None, wanted: str | None = None) -> str:
    """` --for FEATURE`: `wanted`, what the person was about, if it needs the permission; else the smallest that does.

    Empty where doctor's default needs it.
    """
    if wanted is not None and wanted != DEFAULT and permission in (None, *FEATURES[wanted].permissions):
        return f" --for {wanted}"
    if permission is None or permission in FEATURES[DEFAULT].permissions:
        return ""
    needing = [feature for feature in FEATURES.values() if permission in feature.permissions]
    return f" --for {min(needing, key=lambda feature: len(feature.permissions)).name}" if needing else ""


def looked_for(permission: str) -> bool:
    """Whether doctor looks for the permission: one of keyadmin's own features needs it."""
    return any(permission in feature.permissions for feature in FEATURES.values())


def grant(permission: str, project: str | None) -> tuple[str, ...]:
    """What an admin does about a permission that doctor does not look for: of secrets, folders, metrics.

    Empty for those that it looks for, and for those that no known role holds.
    """
    if looked_for(permission):
        return ()
    found = cover([permission])
    if found.basic or found.uncovered:
        return ()
    role = found.roles[0]
    if permission.startswith(("resourcemanager.folders.", "resourcemanager.organizations.")):
        return (f"an admin grants {role} on the folder or organisation",)
    home = project or "PROJECT"
    command = f"gcloud projects add-iam-policy-binding {home} --member=user:ADDRESS --role={role} --condition=None"
    return (f"an admin of the project runs: {command}", "or grants the same on the one resource that is named above")


def lines(permission: str | None) -> tuple[str, ...]:
    """The smallest role for the permission; where it is not known which one is missing, what an auth key takes."""
    if permission is None:
        five = ", ".join(FEATURES[DEFAULT].permissions)
        return (f"to create an auth key five permissions are needed ({five}); custom roles from before 2026 lack the last two",)
    found = cover([permission])
    if found.basic or found.uncovered:
        return ()
    return (f"the smallest predefined role that holds {permission}: {found.roles[0]}",)
