"""`keyadmin keys clone`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.keys import creation
from keyadmin.cli.keys.options import (
    AllowExposure,
    EnableInQuotaProject,
    IfAbsent,
    KeyId,
    KeyName,
    NoVerify,
    ServiceAccount,
    ShowString,
    VerifyTimeout,
)
from keyadmin.cli.options import DryRun
from keyadmin.cli.rotation.options import To, specs_of
from keyadmin.cli.session import current
from keyadmin.cli.settings import ResolvedSetting, project_id
from keyadmin.cli.suggest import project_ids
from keyadmin.keys import clone as cloning
from keyadmin.keys import resolve, validate
from keyadmin.keys.provision import KeySpec
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def clone(
    context: typer.Context,
    key: KeyName,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="The new display name.")] = None,
    into: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="PROJECT",
            autocompletion=project_ids,
            help="Create the new key in this project; by default in the same one.",
        ),
    ] = None,
    auth: Annotated[
        bool | None, typer.Option("--auth/--standard", help="The new key's type; by default that of the old key.")
    ] = None,
    service_account: ServiceAccount = None,
    key_id: KeyId = None,
    show: ShowString = False,
    no_verify: NoVerify = False,
    verify_timeout: VerifyTimeout = "5m",
    if_absent: IfAbsent = False,
    to: To = None,
    enable_in_quota_project: EnableInQuotaProject = False,
    allow_exposure: AllowExposure = False,
    dry_run: DryRun = False,
) -> int:
    """Create a key with the restrictions and annotations of another key, in the same or another project.

    The old key is not changed. Annotations that keyadmin uses to track rotations are not copied.
    """
    how = creation.How(show, False, dry_run, tuple(specs_of(to)), enable_in_quota_project, allow_exposure)
    if service_account and auth is False:
        raise usage("--service-account and --standard do not go together: a standard key has no service account")
    session = current(context)
    asked = cloning.Changes(
        display_name=validate.display_name(name) if name is not None else None,
        project=project_id(ResolvedSetting(into, "--into")).value if into is not None else None,
        key_type=None if auth is None else ("auth" if auth else "standard"),
        key_id=validate.key_id(key_id) if key_id is not None else None,
        service_account=validate.service_account(service_account) if service_account is not None else None,
        if_absent=if_absent,
        check=not no_verify,
        check_s=creation.verify_seconds(verify_timeout),
    )

    async def of_original(cloud: Cloud) -> KeySpec:
        original = await resolve.find(cloud, key, partial(session.project, cloud), newest=session.observer)
        return cloning.wish(original, asked)

    return creation.make(context, of_original, how)
