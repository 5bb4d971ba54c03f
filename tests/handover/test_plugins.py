"""Sinks and rules of other packages: the documented example, built and installed; and packages that misbehave."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyadmin.handover import plugins
from keyadmin.handover.registry import build, parse, patterns
from keyadmin.model.problem import Exit, Problem
from tests.handover.conftest import KEY
from tests.sinks import sink_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "contributing" / "example-plugin"


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example package of the documentation, built into a wheel and unpacked as installers do."""
    source = tmp_path_factory.mktemp("example") / "source"
    shutil.copytree(EXAMPLE, source)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    site = source.parent / "site"
    zipfile.ZipFile(wheel).extractall(site)
    return site


Typed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def typed(example: Path, tmp_path: Path) -> Typed:
    """Types `keyadmin --sandbox ...` where the example is installed."""

    def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
        home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_DATA_HOME": str(tmp_path / "d")}
        return subprocess.run(
            [sys.executable, "-m", "keyadmin", "--sandbox", *words],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{example}:{ROOT}"} | home | env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    return run


def test_the_example_s_sink_takes_keys(typed: Typed, tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.mkdir()
    made = typed("keys", "create", "--name", "web", "--to", f"drop-box:{box}", "--format", "json")
    assert made.returncode == 0, made.stderr
    key = (box / "current").read_text()
    assert key.startswith("AQ.SANDBOX-")
    assert key not in made.stdout + made.stderr
    rotated = typed("keys", "rotate", "web", "--to", f"drop-box:{box}", "--grace", "0s", "--yes", "--format", "json")
    assert rotated.returncode == 0, rotated.stderr
    assert (box / "current").read_text() not in ("", key)


def test_the_example_s_rule_is_applied(typed: Typed) -> None:
    found = typed("audit", "-p", "demo-project", "--rule", "unnamed-key", "--format", "json")
    assert json.loads(found.stdout)["summary"]["byRule"] == {"unnamed-key": 0}, found.stderr


@pytest.mark.parametrize("how", ["option", "variable"])
def test_no_plugins_leaves_them_out(typed: Typed, how: str, tmp_path: Path) -> None:
    words, env = (["--no-plugins"], {}) if how == "option" else ([], {"KEYADMIN_NO_PLUGINS": "1"})
    done = typed(*words, "keys", "create", "--name", "web", "--to", f"drop-box:{tmp_path}", **env)
    assert done.returncode == 2
    assert "is not a sink" in done.stderr
    assert "drop-box" not in done.stderr.split("write one of")[1]
    assert typed(*words, "audit", "--rule", "unnamed-key", **env).returncode == 2


Installed = Callable[[str], None]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Installs a package with the sink `odd`, of this code; `Sink` and its friends are imported already."""

    def install(code: str) -> None:
        site = tmp_path / "site"
        info = site / "odd_sink-2.1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-sink\nVersion: 2.1\n")
        (info / "entry_points.txt").write_text("[keyadmin.sinks]\nodd = odd_sink:OddSink\n")
        (site / "odd_sink.py").write_text(BASE + textwrap.dedent(code))
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")
        monkeypatch.delitem(sys.modules, "odd_sink", raising=False)

    return install


BASE = """
import os, sys, time
from keyadmin.handover.sink import Delivery, Sink
class Base(Sink):
    kind, pattern = "odd", "odd:X"
    @classmethod
    def parse(cls, value): return value
    async def deliver(self, key, *, key_id=""): return Delivery(True, "taken")
    async def read_back(self, key): return None
"""


async def test_one_that_prints_the_key_prints_it_to_nobody(installed: Installed, capfd: pytest.CaptureFixture[str]) -> None:
    installed("""
    class OddSink(Base):
        async def deliver(self, key, *, key_id=""):
            print(key.reveal())
            print(key.reveal(), file=sys.stderr)
            os.write(1, key.reveal().encode())
            os.system("echo " + key.reveal())
            return Delivery(True, "took " + key.reveal())
    """)
    delivery = await sink_of("odd:x").deliver(KEY)
    out, err = capfd.readouterr()
    assert KEY.reveal() not in out + err + delivery.detail
    assert delivery.changed


async def test_one_that_raises_the_key_is_masked(installed: Installed) -> None:
    installed("""
    class OddSink(Base):
        async def deliver(self, key, *, key_id=""):
            raise RuntimeError("no " + key.reveal())
    """)
    with pytest.raises(Problem, match=r"RuntimeError: no AQ\.SANDBOX-") as caught:
        await sink_of("odd:x").deliver(KEY)
    assert KEY.reveal() not in caught.value.message
    assert "odd-sink 2.1" in caught.value.message


async def test_one_that_hangs_is_ended(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    installed("""
    class OddSink(Base):
        async def deliver(self, key, *, key_id=""):
            while True: time.sleep(1)
    """)
    monkeypatch.setattr(plugins.PluginSink, "timeout_s", 3.0)
    with pytest.raises(Problem, match="did not end within 3 s"):
        await sink_of("odd:x").deliver(KEY)


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), 9)", "sys.exit(3)"])
async def test_one_that_ends_the_process_has_not_taken_the_key(installed: Installed, end: str) -> None:
    installed(f"""
    class OddSink(Base):
        async def deliver(self, key, *, key_id=""):
            {end}
    """)
    with pytest.raises(Problem, match=r"odd-sink 2\.1"):
        await sink_of("odd:x").deliver(KEY)


@pytest.mark.parametrize(
    "code",
    [
        "raise ImportError('gone')",
        "OddSink = 3",
        "class OddSink(Base):\n    kind = 'other'",
        "class OddSink(Base):\n    @classmethod\n    def parse(cls, value): raise ZeroDivisionError(value)",
    ],
)
def test_one_that_cannot_be_used_is_named_with_its_version(installed: Installed, code: str) -> None:
    installed(code)
    with pytest.raises(Problem, match=r"package odd-sink 2\.1") as caught:
        parse("odd:x")
    assert caught.value.exit is Exit.USAGE
    assert "--no-plugins" in caught.value.fix[0]


def test_what_it_prints_when_it_is_imported_is_no_data(installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
    installed("print('hello')\nclass OddSink(Base): pass")
    spec = parse("odd:x")
    assert capsys.readouterr().out == ""
    assert spec.shown == "odd:x (by odd-sink 2.1)"
    assert "odd:..." in patterns()


def test_a_sandbox_key_leaves_with_the_flag_alone(installed: Installed) -> None:
    installed("class OddSink(Base):\n    outside = False")
    cloud: Any = type("Cloud", (), {"sandbox": True})
    with pytest.raises(Problem, match="writes outside the sandbox"):
        build([parse("odd:x")], cloud, flagged=False, emit=print)
