"""What the sandbox holds without a seed: one organisation, one folder, and projects in the states that people meet."""

from __future__ import annotations

from typing import Any

from keyadmin.sandbox.clock import rfc3339
from keyadmin.sandbox.services.key_rows import DAY

OWNER = "user:owner@example.com"
_ON = ["apikeys.googleapis.com", "cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com", "iam.googleapis.com"]
_GEMINI = "generativelanguage.googleapis.com"


def default_seed(now: int) -> dict[str, Any]:
    """The seed as of a time (microseconds)."""

    def ago(days: int) -> str:
        return rfc3339(now - days * DAY)

    crowd = [
        {
            "keyId": f"worker-{number:03}",
            "displayName": f"worker {number:03}",
            "createTime": ago(30),
            "restrictions": {"apiTargets": [{"service": _GEMINI}]},
            "serviceAccountEmail": "workers@crowded-project.iam.gserviceaccount.com",
        }
        for number in range(296)
    ]
    return {
        "organizations": [
            {
                "name": "organizations/1000",
                "displayName": "example.com",
                "iam": {
                    "roles/resourcemanager.organizationAdmin": [OWNER],
                    "roles/resourcemanager.folderAdmin": [OWNER],
                    "roles/resourcemanager.projectCreator": [OWNER],
                    "roles/orgpolicy.policyAdmin": [OWNER],
                    "roles/cloudasset.viewer": [OWNER],
                },
            }
        ],
        "folders": [{"name": "folders/1001", "displayName": "Engineering", "parent": "organizations/1000"}],
        "projects": [
            {
                "projectId": "demo-project",
                "projectNumber": "100000000001",
                "displayName": "Demo project",
                "parent": "folders/1001",
                "createTime": ago(3),
                "iam": {"roles/owner": [OWNER]},
            },
            {
                "projectId": "old-maps-site",
                "projectNumber": "100000000002",
                "displayName": "Old maps site",
                "parent": "folders/1001",
                "createTime": ago(1900),
                "services": [*_ON, "maps-backend.googleapis.com", _GEMINI],
                "iam": {"roles/owner": [OWNER]},
                "keys": [
                    {"displayName": "Browser key (maps on the website)", "createTime": ago(1895), "lastUsed": ago(1)},
                ],
            },
            {
                "projectId": "crowded-project",
                "projectNumber": "100000000003",
                "displayName": "Crowded project",
                "parent": "folders/1001",
                "createTime": ago(400),
                "services": [*_ON, _GEMINI],
                "iam": {"roles/owner": [OWNER]},
                "keys": crowd,
            },
            {
                "projectId": "suspended-project",
                "projectNumber": "100000000004",
                "displayName": "Suspended project",
                "parent": "folders/1001",
                "createTime": ago(700),
                "state": "SUSPENDED",
                "services": [*_ON, _GEMINI],
                "iam": {"roles/owner": [OWNER]},
                "keys": [
                    {
                        "keyId": "chatbot",
                        "displayName": "chatbot",
                        "createTime": ago(200),
                        "restrictions": {"apiTargets": [{"service": _GEMINI}]},
                        "serviceAccountEmail": "chatbot@suspended-project.iam.gserviceaccount.com",
                    }
                ],
            },
            {
                "projectId": "somebody-elses",
                "projectNumber": "100000000005",
                "displayName": "Somebody else's",
                "createTime": ago(90),
                "services": [*_ON, _GEMINI],
                "iam": {"roles/owner": ["user:somebody@example.net"]},
            },
        ],
    }
