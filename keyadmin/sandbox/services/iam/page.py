"""The bindings of all allow policies, for the page."""

from __future__ import annotations

from typing import Final

from keyadmin.sandbox.page_table import PageColumn, PageTable

_RESOURCE: Final = (
    "ifnull((SELECT 'projects/' || project_id FROM nodes WHERE name = policies.resource AND project_id IS NOT NULL), "
    "policies.resource)"
)

BINDINGS: Final = PageTable(
    order=30,
    id="iam",
    title="IAM bindings",
    source="policies, json_each(policies.doc, '$.bindings') AS binding WHERE 1",
    by="policies.resource, binding.key",
    columns=(
        PageColumn("Resource", _RESOURCE),
        PageColumn("Role", "json_extract(binding.value, '$.role')"),
        PageColumn("Members", "(SELECT group_concat(value, ', ') FROM json_each(binding.value, '$.members'))"),
        PageColumn("Condition", "json_extract(binding.value, '$.condition.expression')"),
    ),
)
