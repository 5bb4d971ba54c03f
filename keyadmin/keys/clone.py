"""A new key like another one."""

from __future__ import annotations

from dataclasses import dataclass

from keyadmin.keys import preflight, verify
from keyadmin.keys.provision import KeySpec
from keyadmin.keys.validate import MAX_NAME
from keyadmin.model.key import Key
from keyadmin.model.secret import KeyType


@dataclass(frozen=True)
class Changes:
    """What the new key does not take over from the old one; None = it does."""

    display_name: str | None = None
    project: str | None = None
    key_type: KeyType | None = None
    key_id: str | None = None
    service_account: str | None = None
    if_absent: bool = False
    check: bool = True
    check_s: float = verify.PROPAGATION_S


def wish(original: Key, changes: Changes) -> KeySpec:
    """The wish for a copy of `original`. Its service account is kept within the project; elsewhere keyadmin's own is used."""
    key_type: KeyType = changes.key_type or ("auth" if changes.service_account else original.key_type)
    elsewhere = changes.project is not None and changes.project not in (original.project, original.project_number)
    account = changes.service_account
    if account is None and not elsewhere and original.service_account_email != preflight.account_email(original.project):
        account = original.service_account_email
    return KeySpec(
        project=changes.project or original.project,
        display_name=changes.display_name or copy_name(original.display_name, elsewhere=elsewhere),
        key_type=key_type,
        key_id=changes.key_id,
        restrictions=original.restrictions,
        annotations=original.foreign_annotations,
        service_account=account if key_type == "auth" else None,
        if_absent=changes.if_absent,
        check=changes.check,
        check_s=changes.check_s,
    )


def copy_name(name: str, *, elsewhere: bool) -> str:
    """The copy's display name: the same in another project, `Copy of ...` in the same one, so that names stay unique."""
    name = name or "key"
    return name if elsewhere else f"Copy of {name}"[:MAX_NAME]
