"""`keyadmin projects ...`: one file a verb."""

from __future__ import annotations

from typing import Final

from keyadmin.cli.lazy import CommandEntry, CommandGroup

_SEE: Final = "Find and choose"
_LIST: Final = "Your list of projects"
_MAKE: Final = "Create and change"

GROUP: Final = CommandGroup(
    "List, find, import, create and change Google Cloud projects.",
    {
        "list": CommandEntry("keyadmin.cli.projects.list:list_", "List imported projects, or all of them.", _SEE),
        "search": CommandEntry("keyadmin.cli.projects.search:search", "Find projects by a part of their name or id.", _SEE),
        "describe": CommandEntry(
            "keyadmin.cli.projects.describe:describe", "Show a project: its APIs, its keys, who may create keys.", _SEE
        ),
        "use": CommandEntry("keyadmin.cli.projects.use:use", "Choose the project for commands that name none.", _SEE),
        "import": CommandEntry("keyadmin.cli.projects.imports:import_", "Import projects into your list.", _LIST),
        "forget": CommandEntry("keyadmin.cli.projects.imports:forget", "Remove projects from your list.", _LIST),
        "create": CommandEntry("keyadmin.cli.projects.create:create", "Create projects, at most 10 at a time.", _MAKE),
        "default": CommandEntry("keyadmin.cli.projects.default:default", "Create your first project, with a key in it.", _MAKE),
        "rename": CommandEntry("keyadmin.cli.projects.change:rename", "Give a project another name.", _MAKE),
        "enable": CommandEntry("keyadmin.cli.projects.apis:enable", "Switch APIs on in a project.", _MAKE),
        "disable": CommandEntry("keyadmin.cli.projects.apis:disable", "Switch APIs off in a project.", _MAKE),
        "delete": CommandEntry(
            "keyadmin.cli.projects.change:delete", "Delete a project; it can be brought back for 30 days.", _MAKE
        ),
        "undelete": CommandEntry("keyadmin.cli.projects.change:undelete", "Bring back a deleted project.", _MAKE),
    },
)
