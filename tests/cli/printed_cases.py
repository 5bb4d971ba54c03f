"""What somebody types so that keyadmin prints a command: one case or more for each place where commands are put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

GEMINI: Final = "generativelanguage.googleapis.com"
MAPS: Final = "maps-backend.googleapis.com"
OWNED: Final = {"roles/owner": ["user:owner@example.com"]}
SERVICES: Final = [
    GEMINI,
    MAPS,
    *(f"{name}.googleapis.com" for name in ("apikeys", "monitoring", "cloudresourcemanager", "iam")),
]
ACCOUNT: Final = "keyadmin-gemini@demo-project.iam.gserviceaccount.com"
AUTH: Final = {"serviceAccountEmail": ACCOUNT, "restrictions": {"apiTargets": [{"service": GEMINI}]}}


@dataclass(frozen=True)
class Case:
    """A command line that prints commands, and the world in which it does.

    What is printed is typed afterwards, in order, with the placeholders filled; `again`, where there is one, works then.
    """

    words: str
    keys: tuple[dict[str, Any], ...] = ()
    """Further keys of demo-project, beside `web` and its neighbours."""
    web: dict[str, Any] = field(default_factory=dict)
    """What is particular about the key `web`."""
    projects: tuple[dict[str, Any], ...] = ()
    before: tuple[str, ...] = ()
    faults: tuple[dict[str, Any], ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    user: str = "owner@example.com"
    stdin: str = ""
    env: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """What placeholders stand for, where it is not what they usually do."""
    again: str = ""
    about: str = ""
    """How the id of the key begins that the commands change, where it is not `web`."""
    project: str = "demo-project"
    """The project of the environment; empty = none."""
    terminal: bool = False


def project(name: str, **more: Any) -> dict[str, Any]:
    """A project of the owner's."""
    return {"projectId": name, "iam": OWNED, "services": SERVICES, "keys": []} | more


IN_A_PAGE: Final[dict[str, Any]] = {
    "serviceAccountEmail": None,
    "restrictions": {
        "apiTargets": [{"service": MAPS}],
        "browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]},
    },
}
STOPPED: Final = project("stopped-project", state="DELETE_REQUESTED")
DARK: Final = project("dark-project", services=SERVICES[1:])
THIRD: Final = project("third-project", createTime="2025-01-01T00:00:00Z")
BARE: Final = project("bare-project", services=[])
FULL: Final = project(
    "full-project", keys=[{"keyId": f"k{number}", "createTime": "2025-01-01T00:00:00Z"} for number in range(300)]
)
POLICY: Final = '[[rule]]\nprojects = ["demo-project"]\nkeys = ["web"]\nmax-age = "1d"\nsinks = []\n'
OLD: Final = {"createTime": "2025-01-01T00:00:00Z"}

OPEN: Final[dict[str, Any]] = OLD | {
    "restrictions": {},
    "serviceAccountEmail": None,
    "use": [{"service": MAPS, "at": "2026-11-20T00:00:00Z", "calls": 5}],
}
_FIX: Final = "audit fix --projects demo-project --rule gemini-exposed-key --key web"
_AT_ONCE: Final = f"{_FIX} --observe 0s --yes"

CASES: Final[dict[str, Case]] = {
    # ---- audit
    "an audit's repair": Case(_AT_ONCE, web=OPEN),
    "an audit's repair in JSON": Case(f"{_AT_ONCE} --format json", web=OPEN),
    "an audit's repair in Markdown": Case(f"{_AT_ONCE} --format markdown", web=OPEN),
    "an audit's repair as a page": Case(f"{_AT_ONCE} --format html", web=OPEN),
    "a plan of an audit's repair": Case(f"{_FIX} --out plan.json", web=OPEN),
    "a repair that is refused": Case(
        f"{_AT_ONCE}", web=OPEN, faults=({"method": "UpdateKey", "code": "PERMISSION_DENIED", "times": 1},)
    ),
    "a return that is refused": Case(
        "audit undo plan.json --yes",
        web=OPEN,
        before=(f"{_FIX} --out plan.json", "audit fix --apply plan.json --observe 0s --yes"),
        faults=({"method": "UpdateKey", "code": "PERMISSION_DENIED", "times": 1},),
    ),
    "an audit of too many keys": Case("audit -p full-project --rule too-many-keys --format json", projects=(FULL,)),
    "an audit of more than is shown": Case("audit -p full-project", projects=(FULL,)),
    "a difference of more than is shown": Case(
        "audit diff a.json b.json",
        projects=(FULL, BARE),
        before=("audit -p bare-project --output a.json --fail-on none", "audit -p full-project --output b.json --fail-on none"),
    ),
    "an audit compared with the last": Case(
        "audit -p demo-project --diff --fail-on none", before=("audit -p demo-project --fail-on none",)
    ),
    # ---- guard
    "a guard of no organisation": Case("guard plan -p third-project", projects=(THIRD,)),
    "a guard without permission": Case("guard apply -p demo-project --dry-run", user="zoe@example.com"),
    # ---- names and references
    "a project by its name": Case("keys list -p My-Shop"),
    "no such key": Case("keys describe nosuch"),
    "a deleted key": Case("keys rename gone x", about="gone", again="keys describe gone"),
    "a key that works, to be brought back": Case("keys undelete web"),
    "a key that is purged": Case("keys undelete nosuch", names={"NAME": "fresh"}),
    "many of a name": Case(
        "keys delete same --yes", keys=tuple({"keyId": f"s{number}", "displayName": "same"} for number in range(14))
    ),
    "wrong usage": Case("keys delete"),
    "usage without a hint": Case("env set web --variable OTHER"),
    # ---- doctor
    "doctor on a project that is being deleted": Case(
        "doctor stopped-project", projects=(STOPPED,), again="doctor stopped-project --for list"
    ),
    "doctor where APIs are off": Case("doctor dark-project --for verify", projects=(DARK,)),
    "the project charged has APIs off": Case(
        "keys create --name x --quota-project half-project",
        projects=(project("half-project", services=["serviceusage.googleapis.com"]),),
        again="keys create --name x --quota-project half-project",
    ),
    "the project charged has all APIs off": Case("keys create --name x --quota-project bare-project", projects=(BARE,)),
    "doctor on a full project": Case("doctor full-project", projects=(FULL,)),
    "doctor on no project": Case("doctor nosuch-project --message"),
    "doctor's message": Case("doctor demo-project --message", user="new@example.com"),
    "doctor's role file": Case("doctor demo-project --role-file role.yaml", user="new@example.com"),
    "apply to nobody": Case("doctor --apply", names={"ADDRESS": "new@example.com"}),
    "connection beside": Case("doctor --connection --message"),
    # ---- files of the user's
    "completion": Case("completion bash --install", files={".bashrc": "a=1\n"}),
    "env set": Case("env set web --file start.env --shell dotenv", files={"start.env": "A=1\n"}, again="env show"),
    "env restore": Case(
        "env restore start.env", before=("env set web --file start.env --shell dotenv",), files={"start.env": "A=1\n"}
    ),
    "no backup": Case("env restore nothing.env"),
    "env show": Case("env show", names={"KEY": "web"}),
    # ---- explain
    "verify without a project": Case(
        "explain - --verify --no-sandbox",
        stdin="API key not valid. Please pass a valid API key.",
        project="",
        env={"KEYADMIN_SANDBOX": ""},
    ),
    "verify what only a text names": Case(
        "explain - --verify --no-sandbox",
        stdin="Permission 'apikeys.keys.create' denied on resource '//apikeys.googleapis.com/projects/demo-project'",
        project="",
        env={"KEYADMIN_SANDBOX": ""},
    ),
    "the sandbox is not there": Case("keys list", env={"KEYADMIN_SANDBOX": "http://127.0.0.1:1"}),
    "a port in use": Case("sandbox serve --rest-port {port}"),
    # ---- keys
    "a key is made": Case("keys create --name fresh"),
    "a key is rejected": Case(
        "keys create --name fresh --to stdout",
        about="fresh",
        faults=({"method": "ListModels", "code": "PERMISSION_DENIED", "times": 1},),
    ),
    "a key for other APIs is verified": Case(
        "keys verify maps",
        keys=({"keyId": "maps", "displayName": "maps", "restrictions": {"apiTargets": [{"service": MAPS}]}},),
    ),
    "a key's sink fails": Case("keys create --name fresh --to exec:false", names={"SINK": "stdout"}),
    "an id that is taken": Case("keys create --name x --key-id other"),
    "an id of a deleted key": Case("keys create --name x --key-id gone", about="gone", again="keys describe gone"),
    "a key in a project that is being deleted": Case(
        "keys create --name x -p stopped-project", projects=(STOPPED,), again="keys create --name x -p stopped-project"
    ),
    "a key without permissions": Case("keys create --name x", user="zoe@example.com"),
    "a key beside open ones": Case(
        "keys create --name x -p dark-project",
        projects=(DARK | {"keys": [{"keyId": "open", "displayName": "open"}]},),
        again="keys create --name x -p dark-project",
    ),
    "the answer is lost": Case(
        "keys create --name x --key-id lost-one",
        faults=({"method": "CreateKey", "code": "DROP", "times": 1, "when": "after"},),
        user="maker@example.com",
    ),
    "nothing to add to": Case(
        "keys restrict web --add-ips 192.0.2.1",
        web={"restrictions": {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}}},
        again="keys restrict web --add-ips 192.0.2.2",
    ),
    "no API to add to": Case(
        f"keys restrict web --add-api-target {MAPS}",
        web={"restrictions": {}},
        again=f"keys restrict web --add-api-target {GEMINI}",
    ),
    "the last entry": Case(
        "keys restrict web --remove-referrers https://a.example/*",
        web={"restrictions": {"browserKeyRestrictions": {"allowedReferrers": ["https://a.example/*"]}}},
    ),
    "a key is deleted": Case("keys delete web --yes --force", again="keys describe web"),
    "a key is deleted, not waited for": Case("keys delete web --yes --force --async"),
    "a key in use": Case("keys delete web --yes", web=OLD | {"lastUsed": "now"}),
    "to what is used, unused": Case("keys restrict web --to-used --yes", web=OLD),
    "a standard key is rotated": Case("keys rotate web --yes", web={"serviceAccountEmail": None}),
    "a leak": Case("keys compromised web --yes --grace 24h"),
    # ---- scan
    "nothing to scan": Case("scan nowhere.txt"),
    "a leak is found": Case("scan leak.txt", about="other"),
    "whose key it is is not known": Case("scan leak.txt", about="other", user="zoe@example.com"),
    # ---- projects
    "delete what is being deleted": Case(
        "projects delete stopped-project --yes", projects=(STOPPED,), again="projects describe stopped-project"
    ),
    "undelete what is active": Case("projects undelete third-project", projects=(THIRD,)),
    "delete a project": Case(
        "projects delete third-project --yes",
        projects=(THIRD,),
        before=("projects use third-project",),
        again="projects describe third-project",
    ),
    "an id of a project": Case(
        "projects create third-project", projects=(THIRD,), names={"NAME": "fresh"}, again="keys list -p third-project"
    ),
    "an id of a project that is being deleted": Case(
        "projects create stopped-project", projects=(STOPPED,), again="projects describe stopped-project"
    ),
    "a project with a key": Case("projects create fourth-project --with-key first"),
    "a default project": Case("projects default --yes", names={"ID": "demo-project", "NAME": "fresh"}),
    "a project with little access": Case("projects describe demo-project", user="zoe@example.com"),
    "forget a stranger": Case("projects forget far-away --yes"),
    "import nothing": Case("projects import", names={"ID": "third-project"}, projects=(THIRD,)),
    "import": Case("projects import third-project", projects=(THIRD,), names={"NAME": "fresh"}),
    "export": Case("projects list --export ids.txt", before=("projects import demo-project",)),
    "no project is imported": Case("projects list", names={"ID": "demo-project"}),
    "nobody's projects": Case("projects list", user="nobody@example.com"),
    "what is imported is gone": Case(
        "projects list",
        before=("projects import third-project",),
        projects=(THIRD,),
        faults=({"method": "GetProject", "code": "PERMISSION_DENIED", "times": 1},),
    ),
    "nobody to pick from": Case("projects use", user="nobody@example.com", project="", terminal=True),
    "use nothing": Case("projects use", project=""),
    "search for nothing": Case('projects search ""'),
    "describe nothing": Case("projects rename", names={"ID": "demo-project", "NEW_NAME": "x"}),
    "disable nothing": Case("projects disable third-project", projects=(THIRD,)),
    # ---- rotation
    "init": Case("rotation init"),
    "no policy": Case("rotation plan"),
    "schedule without a policy": Case("rotation schedule systemd"),
    "a migration with little access": Case(
        "rotation migrate --dry-run", files={"keyadmin.toml": POLICY}, web={"serviceAccountEmail": None}, user="zoe@example.com"
    ),
    "a standard key is due": Case("rotation plan", files={"keyadmin.toml": POLICY}, web=OLD | {"serviceAccountEmail": None}),
    "a key in a page is due": Case("rotation plan", files={"keyadmin.toml": POLICY}, web=OLD | IN_A_PAGE),
    "more are due than there is room for": Case(
        "rotation plan",
        files={"keyadmin.toml": POLICY.replace("demo-project", "full-project").replace("web", "k1")},
        projects=(FULL,),
    ),
    "a policy with a bad project": Case(
        "rotation plan", files={"keyadmin.toml": POLICY.replace("demo-project", "Bad Project!")}
    ),
    "a policy with a bad sink": Case("rotation plan", files={"keyadmin.toml": POLICY.replace("[]", '["nosuch:place"]')}),
    "options with a bad project": Case("rotation plan --projects Bad!"),
    "a rule that finds no project": Case("rotation plan", files={"keyadmin.toml": POLICY.replace("demo-project", "shop-*")}),
    "a project of no rule": Case("rotation plan -p neighbour-project", files={"keyadmin.toml": POLICY}),
    "only what is not selected": Case("rotation run --yes --only nosuch", files={"keyadmin.toml": POLICY}),
    "go back without sinks": Case(
        "rotation rollback web --yes",
        about="ka-",
        before=("keys rotate web --yes --to stdout",),
        names={"SINK": "stdout"},
    ),
    "a rollback that kept the newer key": Case(
        "rotation run --yes",
        files={"keyadmin.toml": POLICY},
        before=("keys rotate web --yes --to stdout", "rotation rollback web --yes"),
    ),
    "the newer key of a rollback": Case(
        "rotation rollback {successor} --yes",
        before=("keys rotate web --yes --to stdout", "rotation rollback web --yes"),
    ),
    "what was gone back from": Case(
        "rotation rollback {successor} --yes",
        before=("keys rotate web --yes", "rotation rollback web --yes"),
    ),
    "its successor was deleted": Case(
        "rotation plan",
        about="ka-",
        files={"keyadmin.toml": POLICY},
        web=OLD,
        before=("rotation run --yes", "keys delete {successor} --yes --force"),
    ),
}
