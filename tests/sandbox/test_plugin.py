"""The pytest plugin, used as somebody else would: in a project of its own, by its entry point, with Google's client alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import until

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parents[2] / "docs" / "sandbox.md"


def _example() -> str:
    """The example in the documentation."""
    found = re.search(r"```python\n(# test_keys\.py\n.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_documented_example_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_keys=_example())
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(passed=_example().count("def test_"))


def test_the_guides_examples_pass(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the person's own environment says."""
    for name in ("GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    guide = (DOCS.parent / "guides" / "pytest.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(# (test_\w+)\.py\n.*?)```", guide, re.DOTALL)
    pytester.makepyfile(**{name: text for text, name in blocks})
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=guide.count("\ndef test_"))


def test_the_documented_example_uses_googles_client_alone() -> None:
    assert "keyadmin." not in _example().replace("keyadmin_sandbox.", "")
    assert "import keyadmin" not in _example()


def test_each_test_gets_a_fresh_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import grpc
        import pytest
        from google.api_core.exceptions import ServiceUnavailable, TooManyRequests
        from google.cloud import api_keys_v2
        from google.cloud.api_keys_v2.services.api_keys.transports import ApiKeysGrpcTransport

        PARENT = "projects/demo-project/locations/global"


        def client(sandbox):
            return api_keys_v2.ApiKeysClient(transport=ApiKeysGrpcTransport(channel=grpc.insecure_channel(sandbox.grpc)))


        @pytest.mark.parametrize("number", range(3))
        def test_fresh(keyadmin_sandbox, number):
            assert keyadmin_sandbox.requests() == []
            keys = client(keyadmin_sandbox)
            assert list(keys.list_keys(parent=PARENT)) == []
            made = keys.create_key(parent=PARENT, key=api_keys_v2.Key(display_name="x"), key_id="same").result(timeout=60)
            assert keyadmin_sandbox.clock("31d") > keyadmin_sandbox.clock("-31d")
            keyadmin_sandbox.clock("400d")
            keyadmin_sandbox.latency(1)
            keyadmin_sandbox.propagation(key="30s")
            keyadmin_sandbox.quota("ListKeys", 1)
            keys.list_keys(parent=PARENT)
            with pytest.raises(TooManyRequests):
                keys.list_keys(parent=PARENT, retry=None)
            keyadmin_sandbox.faults("GetKey", times=5, message="gone fishing")
            with pytest.raises(ServiceUnavailable, match="gone fishing"):
                keys.get_key(name=made.name, retry=None)
            keyadmin_sandbox.clear_faults()
            keys.get_key(name=made.name)


        def test_seed(keyadmin_sandbox):
            keyadmin_sandbox.seed({"projects": [{"projectId": "my-project", "iam": {"roles/owner": ["user:me@example.com"]}}]})
            me = [("authorization", "Bearer me@example.com")]
            assert list(client(keyadmin_sandbox).list_keys(parent="projects/my-project/locations/global", metadata=me)) == []
            assert [call["principal"] for call in keyadmin_sandbox.requests()] == ["me@example.com"]
            with pytest.raises(ValueError, match="projectId: is missing"):
                keyadmin_sandbox.seed({"projects": [{}]})


        def test_another_server_when_one_was_killed(keyadmin_sandbox):
            keyadmin_sandbox._process.kill()
            keyadmin_sandbox._process.wait()


        def test_it_is_there_again(keyadmin_sandbox):
            assert keyadmin_sandbox.rest.startswith("http://127.0.0.1:")
            assert list(client(keyadmin_sandbox).list_keys(parent=PARENT)) == []
        """
    )
    pytester.runpytest_subprocess("-q", "-p", "no:randomly").assert_outcomes(passed=6)


def test_it_is_listed_among_the_fixtures(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--fixtures")
    result.stdout.fnmatch_lines(["keyadmin_sandbox -- *pytest_plugin.py*", "*A fresh keyadmin sandbox*"])


def test_importing_it_is_cheap() -> None:
    """It is loaded by every pytest run of whoever has keyadmin installed."""
    code = (
        "import pytest, sys; before = set(sys.modules); import keyadmin.sandbox.pytest_plugin\n"
        "print(sorted(set(sys.modules) - before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "['keyadmin', 'keyadmin.sandbox', 'keyadmin.sandbox.pytest_plugin']"


def test_the_server_ends_with_a_killed_pytest(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os, signal

        def test_killed(keyadmin_sandbox):
            open("pid", "w").write(str(keyadmin_sandbox._process.pid))
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    pytester.runpytest_subprocess("-q")
    pid = int((pytester.path / "pid").read_text())

    def ended() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # its parent is gone: not everywhere is it waited for
        except psutil.NoSuchProcess:
            return True

    until(ended, "the server ends")
