"""What `keyadmin guard` prints: a plan, what came of it."""

from __future__ import annotations

from typing import Any

from keyadmin.cli.session import Session
from keyadmin.guard.constraints import DENYING
from keyadmin.guard.execute import GuardResult
from keyadmin.guard.model import GuardPlan
from keyadmin.model.org_policy import CustomConstraint


def plan_lines(plan: GuardPlan, would: str = "would") -> list[str]:
    """A plan for people."""
    lines = [f"Guards of {plan.scope.words} (constraints belong to {plan.scope.organization}):", ""]
    lines += [f"  {would} {step.words}" for step in plan.steps] or ["  nothing to write"]
    lines += [f"  stands: {text}" for text in plan.standing]
    lines += [f"  left alone: {text}" for text in plan.kept]
    return lines


def plan_json(session: Session, plan: GuardPlan) -> dict[str, Any]:
    """A plan for programs."""
    request = plan.request
    out: dict[str, Any] = {"scope": plan.scope.node, "organization": plan.scope.organization}
    if request is not None:
        out["mode"] = "enforced" if request.enforce else "dry-run"
    out["steps"] = [
        {
            "action": step.action,
            "kind": "constraint" if isinstance(step.target, CustomConstraint) else "policy",
            "constraint": step.name,
            "node": step.target.organization if isinstance(step.target, CustomConstraint) else step.target.node,
            "words": step.words,
        }
        for step in plan.steps
    ]
    return out | {"standing": list(plan.standing), "leftAlone": list(plan.kept), "notes": list(plan.notes)} | session.mark


def result_json(session: Session, result: GuardResult) -> dict[str, Any]:
    """What came of it."""
    out = plan_json(session, result.plan)
    done = set(map(id, result.done))
    for shown, step in zip(out["steps"], result.plan.steps, strict=True):
        shown["status"] = "done" if id(step) in done else "not-done"
    return out | {"seen": result.seen, "notes": [*out["notes"], *result.notes]}


def done_lines(result: GuardResult) -> list[str]:
    """What came of it, for people."""
    return [f"done: {step.words}" for step in result.done] + list(result.notes)


def tell(session: Session, plan: GuardPlan) -> None:
    """What is to be known beside the plan: what is not known, and what two other constraints mean."""
    for note in plan.notes:
        session.console.warning(note)
    request = plan.request
    if request is not None and request.deny_gemini:
        session.console.warning(DENYING)
