"""What guards are asked for and what is to be written: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from keyadmin.guard.constraints import GuardRule
from keyadmin.guard.scope import GuardScope
from keyadmin.model.org_policy import CustomConstraint, NodePolicy

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class GuardRequest:
    """What is wanted. `creations_only` None = as constraints stand there, else on creation and change.

    `tags` = exceptions as (`ORGANIZATION/KEY`, `VALUE`); none = those that stand there stay.
    """

    rules: tuple[GuardRule, ...]
    enforce: bool = False
    tags: tuple[tuple[str, str], ...] = ()
    creations_only: bool | None = None
    deny_gemini: bool = False


@dataclass(frozen=True)
class GuardStep:
    """One write. `target` = what is to stand there (or goes), `before` = what was read there."""

    action: Action
    target: CustomConstraint | NodePolicy
    words: str
    before: CustomConstraint | NodePolicy | None = None

    @property
    def name(self) -> str:
        """The constraint's name."""
        return self.target.name if isinstance(self.target, CustomConstraint) else self.target.constraint


@dataclass(frozen=True)
class GuardPlan:
    """The writes, in their order; `standing` = what is as wanted already, `kept` = what is left alone and why.

    `binding` = whether iam.managed.disableServiceAccountApiKeyCreation is enforced here; None = not known.
    """

    scope: GuardScope
    request: GuardRequest | None
    steps: tuple[GuardStep, ...]
    standing: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    constraints: tuple[CustomConstraint, ...] = ()
