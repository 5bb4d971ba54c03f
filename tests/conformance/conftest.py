"""Other people's programs against the sandbox; what a machine does not have is skipped with its reason."""

from __future__ import annotations

from tests.sandbox.conftest import sandbox, shared_sandbox, start_sandbox

__all__ = ["sandbox", "shared_sandbox", "start_sandbox"]
