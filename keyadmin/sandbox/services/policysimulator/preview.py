"""What custom constraints say of the keys that are there, with policies as they would be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from keyadmin.sandbox.api import Call
from keyadmin.sandbox.services.orgpolicy import fields
from keyadmin.sandbox.services.orgpolicy.enforcement import violates
from keyadmin.sandbox.services.orgpolicy.fields import KEY

Json = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """The violations, and how many resources were looked at."""

    violations: list[Json]
    counts: Json


def of(call: Call, organization: str, customs: Json, policies: dict[tuple[str, str], Json]) -> Found:
    """Live keys below the organisation that violate one of the constraints where its policy is enforced."""
    violations: list[Json] = []
    scanned = unenforced = noncompliant = 0
    rows = call.store.all("SELECT project, rest FROM keys WHERE deleted IS NULL ORDER BY project, key_id")
    for project, text in rows:
        chain = call.world.hierarchy.chain(project)
        if chain[-1] != organization:
            continue
        scanned += 1
        enforced = [name for name in customs if call.world.org_policies.rule_over(chain, name, policies).get("enforce")]
        unenforced += not enforced
        doc = json.loads(text)
        broken = [
            name for name in enforced if KEY in customs[name]["resourceTypes"] and violates(fields.KEY, customs[name], doc)
        ]
        noncompliant += bool(broken)
        violations += [_violation(organization, chain, doc, name, customs[name]) for name in broken]
    compliant = scanned - unenforced - noncompliant
    counts = {"scanned": scanned, "noncompliant": noncompliant, "compliant": compliant, "unenforced": unenforced}
    return Found(violations, counts)


def _violation(organization: str, chain: tuple[str, ...], doc: Json, name: str, custom: Json) -> Json:
    return {
        "resource": {"resource": f"//apikeys.googleapis.com/{doc['name']}", "assetType": KEY, "ancestors": list(chain)},
        "customConstraint": {"name": f"{organization}/customConstraints/{name}"} | custom,
    }
