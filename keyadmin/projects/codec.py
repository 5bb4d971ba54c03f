"""Projects as JSON: the REST v3 Project, and what keyadmin adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keyadmin.model.key_codec import format_time

if TYPE_CHECKING:
    from keyadmin.cloud.projects import Project


def project_to_json(project: Project, *, sandbox: bool) -> dict[str, Any]:
    """The REST v3 Project plus `projectNumber`, and `sandbox` where it is no real one. What is empty is left out."""
    out: dict[str, Any] = {
        "name": f"projects/{project.number}",
        "projectId": project.project_id,
        "projectNumber": project.number,
        "displayName": project.display_name,
        "state": project.state,
    }
    if project.parent:
        out["parent"] = project.parent
    for name, moment in (
        ("createTime", project.create_time),
        ("updateTime", project.update_time),
        ("deleteTime", project.delete_time),
    ):
        if moment is not None:
            out[name] = format_time(moment)
    if project.labels:
        out["labels"] = dict(project.labels)
    if project.etag:
        out["etag"] = project.etag
    if sandbox:
        out["sandbox"] = True
    return out
