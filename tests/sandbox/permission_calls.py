"""A call for each permission that the sandbox asks for: the permission, the verb, the path, the body.

`{...}` stands for what the module's world holds. Sources: the methods' pages of Google's references name the permissions.
"""

from __future__ import annotations

from typing import Any, Final

ORG: Final = "organizations/1000"
FOLDER: Final = "folders/2000"
HOME: Final = "folders/2001"
P: Final = "projects/p-one"
KEYS: Final = f"/v2/{P}/locations/global/keys"
ROBOT: Final = "robot-one@p-one.iam.gserviceaccount.com"
ACCOUNT: Final = f"/v1/{P}/serviceAccounts/{ROBOT}"
SECRET: Final = f"/v1/{P}/secrets/s"
POOL: Final = f"/v1/{P}/locations/global/workloadIdentityPools"
DENY: Final = "/v2/policies/cloudresourcemanager.googleapis.com%2Forganizations%2F1000/denypolicies"
CONSTRAINT: Final = f"/v2/{ORG}/customConstraints"
KEY_CREATION: Final = "iam.managed.disableServiceAccountApiKeyCreation"
ON: Final = f"/v1/{P}/services/translate.googleapis.com"

Row = tuple[str, str, str, Any]

API_KEYS: Final[tuple[Row, ...]] = (
    ("apikeys.keys.create", "POST", KEYS, {}),
    ("apikeys.keys.list", "GET", KEYS, None),
    ("apikeys.keys.get", "GET", f"{KEYS}/web", None),
    ("apikeys.keys.getKeyString", "GET", f"{KEYS}/web/keyString", None),
    ("apikeys.keys.update", "PATCH", f"{KEYS}/web?updateMask=displayName", {"displayName": "x"}),
    ("apikeys.keys.delete", "DELETE", f"{KEYS}/web", None),
    ("apikeys.keys.undelete", "POST", f"{KEYS}/gone:undelete", {}),
    ("apikeys.keys.lookup", "GET", "/v2/keys:lookupKey?keyString={string}", None),
    ("iam.serviceAccountApiKeyBindings.create", "POST", KEYS, {"serviceAccountEmail": ROBOT}),
)
SERVICES: Final[tuple[Row, ...]] = (
    ("serviceusage.services.get", "GET", ON, None),
    ("serviceusage.services.get:batch", "GET", f"/v1/{P}/services:batchGet?names={ON[4:]}", None),
    ("serviceusage.services.list", "GET", f"/v1/{P}/services", None),
    ("serviceusage.services.enable", "POST", f"{ON}:enable", {}),
    ("serviceusage.services.enable:identity", "POST", f"/v1beta1{ON[3:]}:generateServiceIdentity", {}),
    ("serviceusage.services.disable", "POST", f"{ON}:disable", {}),
)
SECRETS: Final[tuple[Row, ...]] = (
    ("secretmanager.secrets.create", "POST", f"/v1/{P}/secrets?secretId=t", {"replication": {"automatic": {}}}),
    ("secretmanager.secrets.list", "GET", f"/v1/{P}/secrets", None),
    ("secretmanager.secrets.get", "GET", SECRET, None),
    ("secretmanager.secrets.update", "PATCH", f"{SECRET}?updateMask=labels", {"labels": {"a": "b"}}),
    ("secretmanager.secrets.delete", "DELETE", SECRET, None),
    ("secretmanager.secrets.getIamPolicy", "GET", f"{SECRET}:getIamPolicy", None),
    ("secretmanager.secrets.setIamPolicy", "POST", f"{SECRET}:setIamPolicy", {"policy": {}}),
    ("secretmanager.versions.add", "POST", f"{SECRET}:addVersion", {"payload": {"data": "eA=="}}),
    ("secretmanager.versions.access", "GET", f"{SECRET}/versions/1:access", None),
    ("secretmanager.versions.get", "GET", f"{SECRET}/versions/1", None),
    ("secretmanager.versions.list", "GET", f"{SECRET}/versions", None),
    ("secretmanager.versions.enable", "POST", f"{SECRET}/versions/1:enable", {}),
    ("secretmanager.versions.disable", "POST", f"{SECRET}/versions/1:disable", {}),
    ("secretmanager.versions.destroy", "POST", f"{SECRET}/versions/1:destroy", {}),
    ("secretmanager.locations.list", "GET", f"/v1/{P}/locations", None),
    ("secretmanager.locations.get", "GET", f"/v1/{P}/locations/us-east1", None),
)
PROJECTS: Final[tuple[Row, ...]] = (
    ("resourcemanager.projects.get", "GET", f"/v3/{P}", None),
    ("resourcemanager.projects.list", "GET", f"/v3/projects?parent={FOLDER}", None),
    ("resourcemanager.projects.create", "POST", "/v3/projects", {"projectId": "p-three", "parent": FOLDER}),
    ("resourcemanager.projects.update", "PATCH", f"/v3/{P}?updateMask=displayName", {"displayName": "Another"}),
    ("resourcemanager.projects.move", "POST", f"/v3/{P}:move", {"destinationParent": HOME}),
    ("resourcemanager.projects.delete", "DELETE", f"/v3/{P}", None),
    ("resourcemanager.projects.undelete", "POST", "/v3/projects/p-gone:undelete", {}),
    ("resourcemanager.projects.getIamPolicy", "POST", f"/v3/{P}:getIamPolicy", {}),
    ("resourcemanager.projects.setIamPolicy", "POST", f"/v3/{P}:setIamPolicy", {"policy": {}}),
    ("resourcemanager.folders.get", "GET", f"/v3/{FOLDER}", None),
    ("resourcemanager.folders.get:move", "POST", f"/v3/{FOLDER}:move", {"destinationParent": HOME}),
    ("resourcemanager.folders.list", "GET", f"/v3/folders?parent={ORG}", None),
    ("resourcemanager.folders.create", "POST", "/v3/folders", {"displayName": "new", "parent": ORG}),
    ("resourcemanager.folders.update", "PATCH", f"/v3/{FOLDER}?updateMask=displayName", {"displayName": "other"}),
    ("resourcemanager.folders.move", "POST", f"/v3/{FOLDER}:move", {"destinationParent": HOME}),
    ("resourcemanager.folders.delete", "DELETE", "/v3/folders/2002", None),
    ("resourcemanager.folders.undelete", "POST", "/v3/folders/2003:undelete", {}),
    ("resourcemanager.organizations.get", "GET", f"/v3/{ORG}", None),
)
TAGS: Final[tuple[Row, ...]] = (
    ("resourcemanager.tagKeys.create", "POST", "/v3/tagKeys", {"parent": ORG, "shortName": "other"}),
    ("resourcemanager.tagKeys.list", "GET", f"/v3/tagKeys?parent={ORG}", None),
    ("resourcemanager.tagKeys.get", "GET", "/v3/{tag_key}", None),
    ("resourcemanager.tagKeys.get:namespaced", "GET", "/v3/tagKeys/namespaced?name=1000/stage", None),
    ("resourcemanager.tagKeys.update", "PATCH", "/v3/{tag_key}?updateMask=description", {"description": "x"}),
    ("resourcemanager.tagKeys.delete", "DELETE", "/v3/{tag_key}", None),
    ("resourcemanager.tagValues.create", "POST", "/v3/tagValues", {"parent": "{tag_key}", "shortName": "b"}),
    ("resourcemanager.tagValues.list", "GET", "/v3/tagValues?parent={tag_key}", None),
    ("resourcemanager.tagValues.get", "GET", "/v3/{tag_value}", None),
    ("resourcemanager.tagValues.get:namespaced", "GET", "/v3/tagValues/namespaced?name=1000/stage/a", None),
    ("resourcemanager.tagValues.update", "PATCH", "/v3/{tag_value}?updateMask=description", {"description": "x"}),
    ("resourcemanager.tagValues.delete", "DELETE", "/v3/{tag_value}", None),
    (
        "resourcemanager.hierarchyNodes.createTagBinding",
        "POST",
        "/v3/tagBindings",
        {"parent": f"//cloudresourcemanager.googleapis.com/{P}", "tagValue": "{tag_value}"},
    ),
    (
        "resourcemanager.tagValueBindings.create",
        "POST",
        "/v3/tagBindings",
        {"parent": f"//cloudresourcemanager.googleapis.com/{P}", "tagValue": "{tag_value}"},
    ),
    (
        "resourcemanager.hierarchyNodes.listTagBindings",
        "GET",
        f"/v3/tagBindings?parent=//cloudresourcemanager.googleapis.com/{P}",
        None,
    ),
    (
        "resourcemanager.hierarchyNodes.listEffectiveTags",
        "GET",
        f"/v3/effectiveTags?parent=//cloudresourcemanager.googleapis.com/{P}",
        None,
    ),
)
IAM: Final[tuple[Row, ...]] = (
    ("iam.serviceAccounts.create", "POST", f"/v1/{P}/serviceAccounts", {"accountId": "another-one"}),
    ("iam.serviceAccounts.list", "GET", f"/v1/{P}/serviceAccounts", None),
    ("iam.serviceAccounts.get", "GET", ACCOUNT, None),
    (
        "iam.serviceAccounts.update",
        "PATCH",
        ACCOUNT,
        {"serviceAccount": {"displayName": "x"}, "updateMask": "displayName"},
    ),
    ("iam.serviceAccounts.delete", "DELETE", ACCOUNT, None),
    ("iam.serviceAccounts.undelete", "POST", f"/v1/{P}/serviceAccounts/{{gone_account}}:undelete", {}),
    ("iam.serviceAccounts.enable", "POST", f"{ACCOUNT}:enable", {}),
    ("iam.serviceAccounts.disable", "POST", f"{ACCOUNT}:disable", {}),
    ("iam.serviceAccounts.getIamPolicy", "POST", f"{ACCOUNT}:getIamPolicy", {}),
    ("iam.serviceAccounts.setIamPolicy", "POST", f"{ACCOUNT}:setIamPolicy", {"policy": {}}),
    ("iam.serviceAccountKeys.create", "POST", f"{ACCOUNT}/keys", {}),
    ("iam.serviceAccountKeys.list", "GET", f"{ACCOUNT}/keys", None),
    ("iam.serviceAccountKeys.get", "GET", "/v1/{account_key}", None),
    ("iam.serviceAccountKeys.delete", "DELETE", "/v1/{account_key}", None),
    ("iam.serviceAccountKeys.disable", "POST", "/v1/{account_key}:disable", {}),
    ("iam.serviceAccountKeys.enable", "POST", "/v1/{account_key}:enable", {}),
    ("iam.roles.list", "GET", f"/v1/{ORG}/roles", None),
    ("iam.roles.get", "GET", f"/v1/{ORG}/roles/reader", None),
    ("iam.roles.create", "POST", f"/v1/{ORG}/roles", {"roleId": "another", "role": {"title": "Another"}}),
    ("iam.roles.update", "PATCH", f"/v1/{ORG}/roles/reader?updateMask=title", {"title": "x"}),
    ("iam.roles.delete", "DELETE", f"/v1/{ORG}/roles/reader", None),
    ("iam.denypolicies.create", "POST", f"{DENY}?policyId=other", {"rules": []}),
    ("iam.denypolicies.list", "GET", DENY, None),
    ("iam.denypolicies.get", "GET", f"{DENY}/first", None),
    ("iam.denypolicies.update", "PUT", f"{DENY}/first", {"displayName": "x"}),
    ("iam.denypolicies.delete", "DELETE", f"{DENY}/first", None),
    ("iam.workloadIdentityPools.create", "POST", f"{POOL}?workloadIdentityPoolId=another", {}),
    ("iam.workloadIdentityPools.list", "GET", POOL, None),
    ("iam.workloadIdentityPools.get", "GET", f"{POOL}/pool-one", None),
    ("iam.workloadIdentityPools.delete", "DELETE", f"{POOL}/pool-one", None),
    (
        "iam.serviceAccounts.getAccessToken",
        "POST",
        f"/v1/projects/-/serviceAccounts/{ROBOT}:generateAccessToken",
        {"scope": ["https://www.googleapis.com/auth/cloud-platform"]},
    ),
)
POLICIES: Final[tuple[Row, ...]] = (
    ("orgpolicy.constraints.list", "GET", f"/v2/{P}/constraints", None),
    ("orgpolicy.customConstraints.create", "POST", CONSTRAINT, {"name": f"{CONSTRAINT[4:]}/custom.other"}),
    ("orgpolicy.customConstraints.list", "GET", CONSTRAINT, None),
    ("orgpolicy.customConstraints.get", "GET", f"{CONSTRAINT}/custom.first", None),
    ("orgpolicy.customConstraints.update", "PATCH", f"{CONSTRAINT}/custom.first", {"displayName": "x"}),
    ("orgpolicy.customConstraints.delete", "DELETE", f"{CONSTRAINT}/custom.first", None),
    ("orgpolicy.policy.get", "GET", f"/v2/{P}/policies/{KEY_CREATION}", None),
    ("orgpolicy.policy.get:effective", "GET", f"/v2/{P}/policies/{KEY_CREATION}:getEffectivePolicy", None),
    ("orgpolicy.policies.list", "GET", f"/v2/{P}/policies", None),
    (
        "orgpolicy.policies.create",
        "POST",
        "/v2/projects/p-two/policies",
        {"name": f"projects/p-two/policies/{KEY_CREATION}", "spec": {"rules": [{"enforce": False}]}},
    ),
    ("orgpolicy.policies.update", "PATCH", f"/v2/{P}/policies/{KEY_CREATION}", {"spec": {"rules": [{"enforce": False}]}}),
    ("orgpolicy.policies.delete", "DELETE", f"/v2/{P}/policies/{KEY_CREATION}", None),
)
OTHERS: Final[tuple[Row, ...]] = (
    ("cloudasset.assets.searchAllResources", "GET", f"/v1/{ORG}:searchAllResources", None),
    ("cloudasset.assets.searchAllIamPolicies", "GET", f"/v1/{ORG}:searchAllIamPolicies", None),
    (
        "monitoring.timeSeries.list",
        "GET",
        f"/v3/{P}/timeSeries?filter=metric.type%3D%22x%22&interval.endTime=2026-01-01T00:00:00Z",
        None,
    ),
    ("logging.logEntries.list", "POST", "/v2/entries:list", {"resourceNames": [P]}),
)
ROWS: Final = (*API_KEYS, *SERVICES, *SECRETS, *PROJECTS, *TAGS, *IAM, *POLICIES, *OTHERS)
ALL: Final = sorted({permission.partition(":")[0] for permission, *_ in ROWS})
