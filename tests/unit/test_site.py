"""The documentation as a site: built strictly, nothing of it loaded from elsewhere, pictures and recordings made by scripts."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def _shown(folder: str) -> set[str]:
    """The pictures that pages show, by name."""
    texts = [page.read_text("utf-8") for page in DOCS.rglob("*.md")]
    return {name for text in texts for name in re.findall(rf"!\[[^\]]+\]\((?:\.\./)?{folder}/([\w-]+)\.\w+\)", text)}


def test_every_picture_is_taken_by_the_script_and_shown_with_words() -> None:
    script = (DOCS / "pictures.py").read_text("utf-8")
    there = {file.stem for file in (DOCS / "pictures").iterdir()}
    assert there == _shown("pictures")
    assert all(f'"{name}":' in script for name in there)
    assert sum(file.stat().st_size for file in (DOCS / "pictures").iterdir()) < 1_500_000


def test_every_recording_is_a_scene_of_the_script_and_shown() -> None:
    scenes = script("recordings").SCENES | script("fix_walk").SCENES
    assert {file.stem for file in (DOCS / "recordings").iterdir()} == set(scenes) == _shown("recordings")
    for name, lines in scenes.items():
        text = (DOCS / "recordings" / f"{name}.svg").read_text("utf-8")
        assert text.count('class="p k"') == len(lines)
        assert not re.search(r"<script|https?://(?!www\.w3\.org)[^<]*\.(js|css|woff)", text)
        assert not re.search(r"/tmp/|/home/|/work/|Traceback", text)


def test_a_recording_says_what_a_terminal_shows() -> None:
    recordings = script("recordings")
    lines = recordings.recorded(("printf '1 %%\\r2 %%\\n\\033[1mbold\\033[0m <b>\\n'",))
    assert lines[1] == "2 %"
    picture = recordings.picture(lines, "a title")
    assert '<tspan class="k">bold</tspan> &lt;b&gt;' in picture


def test_the_site_is_built_strictly_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed: the extra `docs`")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(
        words, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"<(script|img|iframe)[^>]*\ssrc=\"?(https?:)?//", text), page.name
        assert not re.search(r"<link[^>]*rel=\"?stylesheet\"?[^>]*href=\"?(https?:)?//", text), page.name
