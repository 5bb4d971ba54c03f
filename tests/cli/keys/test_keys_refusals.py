"""What a refused command tells to type next is about that command, not about another one that takes the same permission."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

MEMBER = "helper@example.com"


@pytest.mark.parametrize(
    ("words", "feature"),
    [
        (("restrict", "mine", "--yes"), "restrict"),
        (("unrestrict", "mine", "--yes"), "restrict"),
        (("rename", "mine", "Ours"), "rename"),
        (("delete", "mine", "--yes"), "delete"),
        (("undelete", "mine"), "undelete"),
        (("show", "mine"), "show"),
        (("list",), "list"),
    ],
)
def test_the_doctor_is_asked_about_the_command_that_was_refused(
    served: Any, keys: Callable[..., Any], words: tuple[str, ...], feature: str
) -> None:
    served.control("seed", {"projects": [{"projectId": "demo-project", "keys": [{"keyId": "mine", "displayName": "Mine"}]}]})
    served.grant(MEMBER, "resourcemanager.projects.get")
    done = keys(*words, "--format", "json", user=MEMBER)
    assert done.code == 1
    assert done.error["cause"] == "missing-iam-permission"
    assert done.error["fix"][0].startswith(f"keyadmin doctor demo-project --for {feature} ")
