"""The constraints and policies of a plan for those who apply them their own way: YAML for gcloud, or Terraform.

Forms: `gcloud org-policies set-custom-constraint FILE` and `set-policy FILE`; the resources of Google's Terraform provider
`google_org_policy_custom_constraint` and `google_org_policy_policy`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, Literal

from keyadmin.guard.constraints import SERVICE_USAGE, denying_gemini, enforcing, excepted
from keyadmin.guard.model import GuardPlan
from keyadmin.model.org_policy import (
    CustomConstraint,
    NodePolicy,
    PolicySpec,
    SpecRule,
    constraint_to_json,
    policy_to_json,
)
from keyadmin.model.problem import usage

Form = Literal["gcloud", "terraform"]
FORMS: Final[tuple[Form, ...]] = ("gcloud", "terraform")


def form(name: str | None) -> Form | None:
    """The form that is named. Raises usage()."""
    for known in FORMS:
        if name == known:
            return known
    if name is None:
        return None
    raise usage(f"--as: {name!r} is not a form", f"use one of: {', '.join(FORMS)}")


def text(kind: Form, plan: GuardPlan) -> str:
    """All that the plan is about, whether it stands already or not; policies in dry run unless the plan enforces."""
    wanted = policies(plan)
    if kind == "gcloud":
        return _gcloud(plan.constraints, wanted)
    return "\n\n".join([*map(_terraform_constraint, plan.constraints), *map(_terraform_policy, wanted)]) + "\n"


def policies(plan: GuardPlan) -> list[NodePolicy]:
    """The policies as they are to stand on the node."""
    request = plan.request
    assert request is not None
    planned = {step.name: step.target for step in plan.steps if isinstance(step.target, NodePolicy)}
    out = []
    for name in [*(each.name for each in plan.constraints), *([SERVICE_USAGE] if request.deny_gemini else [])]:
        step = planned.get(name)
        tags = request.tags or (excepted(step.dry_run or step.spec) if step is not None else ())
        spec = denying_gemini() if name == SERVICE_USAGE else enforcing(tags)
        node = plan.scope.node
        out.append(NodePolicy(node, name, spec) if request.enforce else NodePolicy(node, name, dry_run=spec))
    return out


def _gcloud(wanted: tuple[CustomConstraint, ...], there: list[NodePolicy]) -> str:
    import yaml

    parts = []
    for constraint in wanted:
        file = f"{constraint.name}.yaml"
        head = f"# gcloud org-policies set-custom-constraint {file}\n"
        parts.append(head + yaml.safe_dump(constraint_to_json(constraint), sort_keys=False, width=120))
    for policy in there:
        mask = "policy.dry_run_spec" if policy.dry_run is not None else "policy.spec"
        head = f"# gcloud org-policies set-policy policy-{policy.constraint}.yaml --update-mask={mask}\n"
        parts.append(head + yaml.safe_dump(policy_to_json(policy), sort_keys=False, width=120))
    note = "# One document a file: each is named in the command above it; one command after another, not at once.\n"
    return note + "---\n".join(parts)


def _terraform_constraint(constraint: CustomConstraint) -> str:
    lines = [
        f'resource "google_org_policy_custom_constraint" "{_label(constraint.name)}" {{',
        f"  name           = {_hcl(constraint.name)}",
        f"  parent         = {_hcl(constraint.organization)}",
        f"  display_name   = {_hcl(constraint.display_name)}",
        f"  description    = {_hcl(constraint.description)}",
        f"  action_type    = {_hcl('DENY' if constraint.denies else 'ALLOW')}",
        f"  condition      = {_hcl(constraint.condition)}",
        f"  method_types   = {_hcl(list(constraint.methods))}",
        f"  resource_types = {_hcl(list(constraint.types))}",
        "}",
    ]
    return "\n".join(lines)


def _terraform_policy(policy: NodePolicy) -> str:
    label = _label(policy.constraint)
    own = policy.constraint.startswith("custom.")
    named = f"google_org_policy_custom_constraint.{label}.name" if own else ""
    name = f'"{policy.node}/policies/${{{named}}}"' if own else _hcl(f"{policy.node}/policies/{policy.constraint}")
    block, spec = ("dry_run_spec", policy.dry_run) if policy.dry_run is not None else ("spec", policy.spec)
    assert spec is not None
    lines = [f'resource "google_org_policy_policy" "{label}" {{', f"  name   = {name}", f"  parent = {_hcl(policy.node)}", ""]
    return "\n".join([*lines, *_terraform_spec(block, spec), "}"])


def _terraform_spec(block: str, spec: PolicySpec) -> list[str]:
    lines = [f"  {block} {{"]
    if spec.inherits:
        lines.append("    inherit_from_parent = true")
    for rule in spec.rules:
        lines += ["    rules {", *_terraform_rule(rule), "    }"]
    return [*lines, "  }"]


def _terraform_rule(rule: SpecRule) -> list[str]:
    if rule.enforce is None:
        return ["      values {", f"        denied_values = {_hcl(list(rule.denied))}", "      }"]
    lines = [f'      enforce = "{str(rule.enforce).upper()}"']
    if rule.condition:
        lines += ["      condition {", f"        expression = {_hcl(rule.condition)}", "      }"]
    return lines


def _label(name: str) -> str:
    """`custom.keyadminGeminiAlone` -> `keyadmin_gemini_alone`."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removeprefix("custom.")).lower()
    return re.sub(r"[^a-z0-9_]", "_", plain)


def _hcl(value: Any) -> str:
    """A JSON string is an HCL string but for `${` and `%{`, which would begin a template."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")
