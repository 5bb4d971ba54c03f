"""Arguments and options that several `keys` commands take."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from keyadmin.cli.suggest import key_names, services

KeyName = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        autocompletion=key_names,
        help="The key: its id, its full name, or its display name.",
    ),
]
KeyNames = Annotated[
    list[str],
    typer.Argument(
        metavar="KEY",
        autocompletion=key_names,
        help="Keys: their ids, full names, or display names.",
    ),
]
KeyOrString = Annotated[
    str | None,
    typer.Argument(
        metavar="KEY|-",
        autocompletion=key_names,
        help="The key: its id, full name or display name; - reads a key string from stdin.",
    ),
]
Targets = Annotated[
    list[str] | None,
    typer.Option(
        "--api-target",
        metavar="SERVICE[:METHOD,..]",
        autocompletion=services,
        help="An API the key may call; may be repeated.",
    ),
]
Ips = Annotated[
    list[str] | None, typer.Option("--allowed-ips", metavar="IP,..", help="Addresses or networks that may use the key.")
]
Referrers = Annotated[
    list[str] | None, typer.Option("--allowed-referrers", metavar="URL,..", help="Web sites that may use the key.")
]
Android = Annotated[
    list[str] | None, typer.Option("--allowed-android", metavar="PKG=SHA1,..", help="Android apps that may use the key.")
]
Ios = Annotated[list[str] | None, typer.Option("--allowed-ios", metavar="BUNDLE,..", help="iOS apps that may use the key.")]
UnknownService = Annotated[
    bool, typer.Option("--allow-unknown-service", help="Accept API targets that keyadmin does not know.")
]
Annotations = Annotated[list[str] | None, typer.Option("--annotation", metavar="K=V", help="An annotation; may be repeated.")]
ServiceAccount = Annotated[
    str | None,
    typer.Option("--service-account", metavar="EMAIL", help="Bind the key to this service account instead of keyadmin-gemini."),
]
KeyId = Annotated[str | None, typer.Option("--key-id", metavar="ID", help="The new key's id; by default keyadmin chooses one.")]
Force = Annotated[bool, typer.Option("--force", help="Go ahead even if the key was used in the last 7 days.")]
Async = Annotated[bool, typer.Option("--async", help="Do not wait for the operation; print its name.")]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Do not check that the key works.")]
EnableInQuotaProject = Annotated[
    bool,
    typer.Option(
        "--enable-in-quota-project",
        help="Also enable APIs that are off in the quota project, to which calls are charged.",
    ),
]
VerifyTimeout = Annotated[
    str, typer.Option("--verify-timeout", metavar="DURATION", help="How long to wait for the key to work, at most 5m.")
]
ShowString = Annotated[bool, typer.Option("--show", help="Print the key string too.")]
IfAbsent = Annotated[
    bool, typer.Option("--if-absent", help="If a key with the same --key-id, or else the same name, exists, return that one.")
]
AllowExposure = Annotated[
    bool,
    typer.Option(
        "--allow-exposure", help="Switch the Gemini API on even though keys without API restrictions can then call it."
    ),
]


def _added(kind: str, metavar: str, what: str, complete: Any = None) -> Any:
    return typer.Option(
        f"--add-{kind}",
        metavar=metavar,
        autocompletion=complete,
        help=f"Allow {what} too; may be repeated.",
    )


def _removed(kind: str, metavar: str, what: str, complete: Any = None) -> Any:
    return typer.Option(
        f"--remove-{kind}",
        metavar=metavar,
        autocompletion=complete,
        help=f"No longer allow {what}; may be repeated.",
    )


AddTargets = Annotated[list[str] | None, _added("api-target", "SERVICE[:METHOD,..]", "this API", services)]
RemoveTargets = Annotated[list[str] | None, _removed("api-target", "SERVICE[:METHOD,..]", "this API", services)]
AddIps = Annotated[list[str] | None, _added("ips", "IP,..", "these addresses or networks")]
RemoveIps = Annotated[list[str] | None, _removed("ips", "IP,..", "these addresses or networks")]
AddReferrers = Annotated[list[str] | None, _added("referrers", "URL,..", "these web sites")]
RemoveReferrers = Annotated[list[str] | None, _removed("referrers", "URL,..", "these web sites")]
AddAndroid = Annotated[list[str] | None, _added("android", "PKG=SHA1,..", "these Android apps")]
RemoveAndroid = Annotated[list[str] | None, _removed("android", "PKG=SHA1,..", "these Android apps")]
AddIos = Annotated[list[str] | None, _added("ios", "BUNDLE,..", "these iOS apps")]
RemoveIos = Annotated[list[str] | None, _removed("ios", "BUNDLE,..", "these iOS apps")]
