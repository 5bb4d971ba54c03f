"""Which JSON document each command prints. A new command belongs into the table: a test walks all that there are.

The documents are dataclasses (`keyadmin/model/documents`). `docs/generate.py` makes a schema of each; CSV and `--fields` take
their columns and names from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

DOCUMENTS: Final = "keyadmin.model.documents"


@dataclass(frozen=True, slots=True)
class DocumentForms:
    """What a command prints: `module:NAME` of the whole document, of a line of JSON lines where that is not an element of it,
    and of a row of CSV where that is neither.

    `rows` = the member of the document whose elements are the rows. `version` is part of the schema's `$id`: it goes up with
    every change by which a program that reads the document could break.
    """

    whole: str
    line: str = ""
    row: str = ""
    rows: str = ""
    version: int = 1

    @property
    def whole_type(self) -> Any:
        """The document."""
        return _type(self.whole)

    @property
    def line_type(self) -> Any:
        """A line of JSON lines."""
        return _type(self.line) if self.line else _element(self.whole_type)

    @property
    def row_type(self) -> Any:
        """A row of CSV, and what `--fields` chooses from."""
        return _type(self.row) if self.row else _without_dry_run(self.line_type)


def _type(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"{DOCUMENTS}.{module}"), name)


def alternatives(kind: Any) -> tuple[Any, ...]:
    """What something of this type may be."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _without_dry_run(kind: Any) -> Any:
    from keyadmin.model.documents.common import DryRunJson

    several = alternatives(kind)
    return Union[tuple(each for each in several if each is not DryRunJson)] if len(several) > 1 else kind  # noqa: UP007


def _element(whole: Any) -> Any:
    return get_args(whole)[0] if get_origin(whole) is list else whole


_CHANGED_KEY: Final = DocumentForms("keys:ChangedKey", "keys:ChangedKeyLine")
_GUARDED: Final = DocumentForms("guard:GuardDone", row="guard:GuardStepJson", rows="steps")
_ROTATED: Final = DocumentForms("rotation:Rotated")

FORMS: Final[dict[str, DocumentForms]] = {
    "doctor": DocumentForms("around:Diagnoses", "around:DiagnosisLine", "around:DiagnosisJson"),
    "explain": DocumentForms("around:Explained", "around:ExplanationLine"),
    "audit": DocumentForms("audit:Report", "audit:ReportLine", rows="findings"),
    "audit accept": DocumentForms("audit:Accepted", row="audit:AcceptanceJson", rows="accepted"),
    "audit diff": DocumentForms("audit:Comparison", "audit:ComparisonLine", "audit:FindingChangeJson"),
    "audit fix": DocumentForms("fix:Fixed", "fix:FixLine", "fix:FixRow", rows="changes"),
    "audit undo": DocumentForms("fix:Undone", "fix:UndoneLine", "fix:UndoneRow"),
    "audit history": DocumentForms("audit:History"),
    "keys create": DocumentForms("keys:MadeKey"),
    "keys clone": DocumentForms("keys:MadeKey"),
    "keys list": DocumentForms("keys:KeyList", "keys:KeyListLine", "keys:ListedKeyJson"),
    "keys describe": DocumentForms("keys:DescribedKeys", "keys:DescribedKeyLine"),
    **dict.fromkeys((f"keys {verb}" for verb in ("restrict", "unrestrict", "rename", "annotate", "delete")), _CHANGED_KEY),
    "keys undelete": _CHANGED_KEY,
    "keys rotate": _ROTATED,
    "keys migrate": _ROTATED,
    "keys compromised": DocumentForms("rotation:LeakAnswered"),
    "keys usage": DocumentForms("keys:KeyUses"),
    "keys hand-over": DocumentForms("keys:Handed", "keys:HandedLine"),
    "keys show": DocumentForms("keys:KeyWithString"),
    "keys verify": DocumentForms("keys:Verified"),
    "keys lookup": DocumentForms("keys:KeyOwner"),
    "rotation init": DocumentForms("rotation:PolicyWritten"),
    "rotation plan": DocumentForms("rotation:Planned"),
    "rotation run": DocumentForms("rotation:RunOutcomes", "rotation:RunLine", "rotation:RunRow"),
    "rotation status": DocumentForms("rotation:Planned"),
    "rotation migrate": DocumentForms("rotation:MigrationOutcomes", "rotation:MigrationLine", "rotation:MigrationRow"),
    "rotation adopt": DocumentForms("rotation:Adopted", "rotation:AdoptedLine"),
    "rotation rollback": DocumentForms("rotation:RolledBack"),
    "rotation schedule": DocumentForms("rotation:ScheduleFiles", "rotation:ScheduleFileLine"),
    "audit schedule": DocumentForms("rotation:ScheduleFiles", "rotation:ScheduleFileLine"),
    "guard plan": DocumentForms("guard:GuardPlan", row="guard:GuardStepJson", rows="steps"),
    "guard apply": _GUARDED,
    "guard status": DocumentForms("guard:GuardStatus", row="guard:StandingPolicyJson", rows="policies"),
    "guard remove": _GUARDED,
    "projects list": DocumentForms("projects:ProjectList", "projects:ProjectListLine", "projects:ListedProjectJson"),
    "projects search": DocumentForms("projects:FoundProjects"),
    "projects describe": DocumentForms("projects:DescribedProject"),
    "projects import": DocumentForms("projects:ImportedProjects"),
    "projects forget": DocumentForms("projects:ForgottenProjects", "projects:ForgottenProjectLine"),
    "projects use": DocumentForms("projects:ChangedProject"),
    "projects default": DocumentForms("projects:MadeProjects", "projects:MadeProjectLine"),
    "projects create": DocumentForms("projects:MadeProjects", "projects:MadeProjectLine"),
    "projects rename": DocumentForms("projects:ChangedProject"),
    "projects enable": DocumentForms("projects:ApiStates", "projects:ApiStateLine"),
    "projects disable": DocumentForms("projects:ApiStates", "projects:ApiStateLine"),
    "projects delete": DocumentForms("projects:ChangedProject"),
    "projects undelete": DocumentForms("projects:ChangedProject"),
    "env show": DocumentForms("around:Variables"),
    "env set": DocumentForms("around:VariableChanged"),
    "env unset": DocumentForms("around:VariableChanged"),
    "env restore": DocumentForms("around:Restored", "around:RestoredLine"),
    "snippet": DocumentForms("around:Snippet"),
    "tokens create": DocumentForms("around:MadeToken"),
    "scan": DocumentForms("around:Leaks"),
    "sandbox serve": DocumentForms("around:Ready"),
    "sandbox seed": DocumentForms("around:SandboxTime"),
    "sandbox reset": DocumentForms("around:SandboxTime"),
    "sandbox env": DocumentForms("around:SandboxVariables"),
    "config get": DocumentForms("around:Setting"),
    "config set": DocumentForms("around:SettingChanged"),
    "config list": DocumentForms("around:Settings"),
    "completion": DocumentForms("around:CompletionScript"),
}
"""By the words that name a command."""
