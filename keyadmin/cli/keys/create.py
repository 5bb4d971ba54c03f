"""`keyadmin keys create`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from keyadmin.cli.keys import creation
from keyadmin.cli.keys.options import (
    AllowExposure,
    Android,
    Annotations,
    Async,
    EnableInQuotaProject,
    IfAbsent,
    Ios,
    Ips,
    KeyId,
    NoVerify,
    Referrers,
    ServiceAccount,
    ShowString,
    Targets,
    UnknownService,
    VerifyTimeout,
)
from keyadmin.cli.options import DryRun
from keyadmin.cli.rotation.options import To, specs_of
from keyadmin.cli.session import current
from keyadmin.keys import validate
from keyadmin.keys.provision import KeySpec
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import usage

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud


def create(
    context: typer.Context,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The display name, at most 63 characters.")],
    auth: Annotated[
        bool, typer.Option("--auth/--standard", help="Create an auth key, or a standard key, which the Gemini API rejects.")
    ] = True,
    service_account: ServiceAccount = None,
    key_id: KeyId = None,
    api_target: Targets = None,
    allowed_ips: Ips = None,
    allowed_referrers: Referrers = None,
    allowed_android: Android = None,
    allowed_ios: Ios = None,
    allow_unknown_service: UnknownService = False,
    annotation: Annotations = None,
    show: ShowString = False,
    no_verify: NoVerify = False,
    verify_timeout: VerifyTimeout = "5m",
    if_absent: IfAbsent = False,
    to: To = None,
    async_: Async = False,
    enable_in_quota_project: EnableInQuotaProject = False,
    allow_exposure: AllowExposure = False,
    dry_run: DryRun = False,
) -> int:
    """Create a key that works for the Gemini API.

    Checks the permissions, enables what is off, creates the key with its restrictions (the Gemini API alone unless
    --api-target says otherwise) and waits until it works, at most 5 minutes. An auth key is bound to the project's
    service account keyadmin-gemini, which is created if it does not exist. A working key is handed to the sinks of --to
    without being shown. (A sink is a place where a key is used: a .env file, a secret, a program.)
    """
    how = creation.How(show, async_, dry_run, tuple(specs_of(to)), enable_in_quota_project, allow_exposure)
    if service_account and not auth:
        raise usage("--service-account and --standard do not go together: a standard key has no service account")
    wish = KeySpec(
        project="",
        display_name=validate.display_name(name),
        key_type="auth" if auth else "standard",
        key_id=validate.key_id(key_id) if key_id is not None else None,
        restrictions=validate.restrictions(
            api_target or [GEMINI],
            ips=allowed_ips or (),
            referrers=allowed_referrers or (),
            android=allowed_android or (),
            ios=allowed_ios or (),
            allow_unknown=allow_unknown_service,
        ),
        annotations=validate.annotation_map(annotation or ()),
        service_account=validate.service_account(service_account) if service_account is not None else None,
        if_absent=if_absent,
        check=not no_verify,
        check_s=creation.verify_seconds(verify_timeout),
    )
    session = current(context)

    async def in_project(cloud: Cloud) -> KeySpec:
        return replace(wish, project=await session.project(cloud))

    return creation.make(context, in_project, how)
