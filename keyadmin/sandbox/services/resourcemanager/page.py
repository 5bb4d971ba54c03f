"""The projects, for the page."""

from __future__ import annotations

from typing import Final

from keyadmin.sandbox.page_table import PageColumn, PageTable

_APIS: Final = (
    "(SELECT group_concat(name, ', ') FROM (SELECT replace(service, '.googleapis.com', '') AS name FROM services "
    "WHERE project = nodes.name ORDER BY service))"
)

PROJECTS: Final = PageTable(
    order=10,
    id="projects",
    title="Projects",
    source="nodes WHERE project_id IS NOT NULL",
    by="project_id",
    columns=(
        PageColumn("Project", "project_id"),
        PageColumn("Number", "substr(name, 10)"),
        PageColumn("Name", "display_name"),
        PageColumn("State", "state"),
        PageColumn("Parent", "parent"),
        PageColumn("Keys", "(SELECT count(*) FROM keys WHERE project = nodes.name AND deleted IS NULL)", searched="''"),
        PageColumn("APIs switched on", _APIS),
    ),
)
