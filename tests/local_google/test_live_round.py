"""The round of `nox -s live`, played against the local Google: it records, masks, compares and cleans up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.local_google.client import PAYING, PERSON, ROOT, TARGET, LocalGoogle, project, seed, user_with_quota


def test_a_round_is_recorded_masked_and_compared(google: LocalGoogle, env: dict[str, str], tmp_path: Path) -> None:
    google.reset(projects=[*seed()["projects"], project("real-one", 987654321, seed()["projects"][1]["services"])])
    file = tmp_path / "recording.json"
    variables = env | user_with_quota(google, tmp_path) | {"KEYADMIN_LIVE_YES": "1", "KEYADMIN_QUOTA_PROJECT": PAYING}
    command = [sys.executable, "-m", "tests.live.record", "real-one", str(file)]
    declined = subprocess.run(
        command, cwd=ROOT, env=variables | {"KEYADMIN_LIVE_YES": ""}, capture_output=True, text=True, check=False, input=""
    )
    assert declined.returncode == 1
    assert "costs nothing" in declined.stdout
    assert google.log() == []
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, input="")
    assert done.returncode == 0, done.stderr
    (sequence,) = json.loads(file.read_text())
    assert sequence["source"] == "keyadmin-live"
    steps = sequence["steps"]
    assert {"host", "method", "path", "body", "status", "reply", "qheaders"} == set(steps[0])
    assert {"apikeys", "iam", "cloudresourcemanager", "serviceusage", "orgpolicy", "generativelanguage"} == {
        step["host"] for step in steps
    }
    assert {200, 400, 404, 409} <= {step["status"] for step in steps}
    text = file.read_text()
    for secret in ("real-one", "987654321", PERSON, "ya29", TARGET):
        assert secret not in text
    assert not re.search(r"AIza[\w-]{30}|AQ\.[\w-]{15}", text + done.stdout)
    assert "${keyString}" in text
    # The fronts hand over to a sandbox: it answers as the other one does.
    assert "The sandbox answers the same." in done.stdout, done.stdout
    keys = google.sandbox("GET", "/v2/projects/real-one/locations/global/keys").get("keys", [])
    accounts = google.sandbox("GET", "/v1/projects/real-one/serviceAccounts").get("accounts", [])
    assert keys == []
    assert accounts == []
