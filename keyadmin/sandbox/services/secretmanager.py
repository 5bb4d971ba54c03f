"""Secret Manager v1: the rules of google.cloud.secretmanager.v1.SecretManagerService."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyadmin.sandbox.cloud import LocalCloud

TABLES = ""
APIS = ()


def put_secret(cloud: LocalCloud, project: str, secret: str, values: list[str]) -> None:
    """Make a secret with versions, within the caller's transaction."""
