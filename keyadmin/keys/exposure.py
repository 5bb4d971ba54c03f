"""Switching the Gemini API on beside keys without API restriction: whoever has one can call Gemini then, at the project's cost.

Facts 2: such keys stand in web pages by the thousand. So it is asked about first, and refused where nobody can be asked.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from keyadmin.model.command_line import typed
from keyadmin.model.key import GEMINI
from keyadmin.model.problem import Cause, Exit, Problem, or_problem

if TYPE_CHECKING:
    from keyadmin.cloud.connect import Cloud

OPTION: Final = "--allow-exposure"


@dataclass(eq=False)
class GeminiExposure(Problem):
    """Nothing was changed yet: the Gemini API may be switched on beside these keys, if that is wanted, and all begun anew."""

    keys: tuple[str, ...] = ()


def words(project: str, keys: Collection[str]) -> str:
    """What switching Gemini on means for the project's unrestricted keys, in a sentence."""
    count = len(keys)
    said = "1 key without API restriction" if count == 1 else f"{count} keys without API restriction"
    named = ", ".join(list(keys)[:3]) + (", ..." if count > 3 else "")
    return f"switching the Gemini API on lets {said} of project {project} call it ({named})"


def warning(project: str, keys: Collection[str]) -> str:
    """The same with what to do about it."""
    return f"{words(project, keys)}; restrict them: {_restrict(project, keys)}"


def refusal(project: str, keys: Collection[str]) -> GeminiExposure:
    """What nobody agreed to yet: exit code 2, as for a confirmation that is needed."""
    return GeminiExposure(
        Cause.INVALID_ARGUMENT,
        f"{words(project, keys)}; nothing was changed",
        project=project,
        fix=(
            f"restrict them first, to what they are for: {_restrict(project, keys)}",
            f"or agree to it: add {OPTION} (--yes does not)",
        ),
        exit_code=Exit.USAGE,
        keys=tuple(keys),
    )


def require(project: str, keys: Collection[str], allowed: Collection[str] | None) -> None:
    """Raises GeminiExposure unless all of the keys were agreed to; None = whichever they are."""
    if keys and allowed is not None and not set(keys) <= set(allowed):
        raise refusal(project, keys)


async def beside(cloud: Cloud, project: str) -> tuple[str, ...]:
    """The keys without API restriction of a project in which the Gemini API is off; none where that cannot be read."""
    states = await or_problem(cloud.services.states(project, [GEMINI]))
    if isinstance(states, Problem) or states.get(GEMINI) == "ENABLED":
        return ()
    try:
        return tuple([key.key_id async for key in cloud.keys.list(project) if key.restricted == "none"])
    except Problem:
        return ()


def _restrict(project: str, keys: Collection[str]) -> str:
    return typed("keys restrict", next(iter(keys)), project=project, api_target="SERVICE")
