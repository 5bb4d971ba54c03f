"""No false alarm in big packages as people have them. Those that are not there are skipped: `KEYADMIN_TEST_PACKAGES` names
more folders that hold some (a node_modules, a folder of unpacked wheels), apart by the path separator."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

from keyadmin.leaks import finder

PYTHON = (
    "django numpy pandas scipy sklearn matplotlib sympy botocore sqlalchemy twisted networkx bokeh babel nltk plotly "
    "jupyterlab notebook ansible googleapiclient google/genai google/cloud pydantic hypothesis mypy aiohttp"
)
NODE = (
    "react-dom next typescript webpack @angular/core vue lodash rxjs firebase three d3 antd monaco-editor eslint core-js "
    "aws-sdk googleapis moment chart.js @babel/core"
)
PACKAGES = [*PYTHON.split(), *NODE.split()]
MORE = os.environ.get("KEYADMIN_TEST_PACKAGES", "").split(os.pathsep)
FOLDERS = [
    Path(sysconfig.get_path("purelib")),
    *map(Path, filter(None, os.environ.get("KEYADMIN_TEST_PACKAGES", "").split(os.pathsep))),
]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_false_alarm(name: str) -> None:
    found = [path for folder in FOLDERS for path in (folder / name, *folder.glob(f"*/{name}")) if path.is_dir()]
    if not found:
        pytest.skip(f"{name} is not installed")
    hits = finder.find(found, workers=1).hits
    assert [(hit.path, hit.line, hit.key.masked) for hit in hits] == []
