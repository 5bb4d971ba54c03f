"""The names that stand in an error: permission, service, project, constraint, model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final

from keyadmin.data import all_permissions, org_constraints, services

_WINDOW: Final = 20_000  # names are looked for in this many characters: an error message, not a whole log

# `compute.instances.list`; some of IAM's and of partners' begin with a host: `iam.googleapis.com/workforcePools.get`.
_PERMISSION: Final = (
    r"(?:[a-z][a-z0-9-]*(?:\.[a-z0-9-]+){1,4}\.com/[a-zA-Z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*|"
    r"[a-z][A-Za-z0-9]*\.[a-zA-Z][A-Za-z0-9]*\.(?!com\b)[a-z][A-Za-z0-9]*)"
)
_END: Final = r"(?![\w(]|\.\w)"  # of a name: a sentence's full stop may follow
_PERMISSION_IN: Final = (
    re.compile(rf"[Pp]ermission(?:s|\(s\))?:?\s*[\[('\"`]*\s*({_PERMISSION}){_END}"),
    re.compile(rf"[\"'`\[]({_PERMISSION})[\"'`\]]+\s+(?:permission|access|denied)"),
    re.compile(rf"(?<![\w./@-])({_PERMISSION})\s+(?:permission|access|denied)"),
    re.compile(rf"missing permissions? on [^:\n]{{1,120}}: ({_PERMISSION}){_END}"),
    re.compile(rf"(?:lacks?|missing|requires?d?|one of)\s+[\"'`\[]*({_PERMISSION}){_END}"),
)
_BARE_PERMISSION: Final = re.compile(
    r"(?<![\w./@-])([a-z][A-Za-z0-9]{2,40}\.[a-z][A-Za-z0-9]{2,60}\.(?!com\b)[a-z][A-Za-z0-9]{1,60})(?![\w(/-]|\.\w| \()"
)
_SERVICE_IN: Final = (
    re.compile(r"\bservices?(?:\(s\))?[\s:\"'`\[(]+([a-z][a-z0-9-]*\.googleapis\.com)"),
    re.compile(r"/apis/(?:api|library)/([a-z][a-z0-9-]*\.googleapis\.com)"),
    re.compile(r"/apis/(?:api|library)/([a-z]+_backend)\b"),
    re.compile(r"\b([a-z][a-z0-9-]*\.googleapis\.com)"),
)
_SHORT_SERVICE: Final = (
    re.compile(r"Requests to this API ([a-z][a-z0-9-]{2,40}) method"),
    re.compile(r"\b[Ss]ervice (?:name )?['\"`\[]([a-z][a-z0-9-]{2,40})['\"`\]]"),
    re.compile(r"\b(?:API|api) ['\"`\[]([a-z][a-z0-9-]{2,40})['\"`\]]"),
)
_TITLE: Final = re.compile(r"\b(?:[A-Z][\w&()/'-]* ){1,6}API\b")
_NO_SERVICE: Final = frozenset(["type.googleapis.com", "www.googleapis.com"])  # hosts that say nothing of the service called

_PROJECT_ID: Final = r"(?:[a-z0-9.-]+:)?(?:[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{6,16})"
_PROJECT_IN: Final = (
    re.compile(rf"\b(?:been used in|violated for) project[\s#='\"`\[]{{1,3}}({_PROJECT_ID})(?![\w-])"),
    re.compile(rf"\bprojects/({_PROJECT_ID})(?![\w-])"),
    re.compile(rf"'namespaces/({_PROJECT_ID})/(?:services|revisions|configurations|routes|jobs)\b"),
    re.compile(rf"\b(?:projects? instance|[Rr]esource in project) \[({_PROJECT_ID})(?::[a-zA-Z]{{3,40}})?\]"),
    re.compile(rf"\bProject Service ({_PROJECT_ID})/[a-z]"),  # as Terraform names what it enables
    re.compile(rf"console\.firebase\.google\.com/project/({_PROJECT_ID})(?![\w-])"),
    re.compile(rf"[?&](?:project|consumerId)=(?:project:)?({_PROJECT_ID})(?![\w-])"),
    re.compile(rf"\b(?i:project(?:[_ ]?id|[_ ]number)?\s*(?:is|:|=|#)?)\s*[\"'`\[#(]+\s*(?:project:)?({_PROJECT_ID})[\"'`\])]"),
    re.compile(r"\b[Pp]roject(?: number)?:? #?(\d{6,16})\b"),
    re.compile(r"\b[Pp]roject(?: id:?| named)? ([a-z][a-z0-9]*-[a-z0-9-]{0,24}[a-z0-9])(?= |[.,:;)]|$)"),
    re.compile(r"\b[Cc]onsumer\s+[\"'`]{0,2}project(?:_number)?:([a-z0-9-]{6,30})"),
    # `Projekt: demo-shop-1`, `projeto 'demo-shop-1'`, `プロジェクト「demo-shop-1」`: only what has the form of an id
    re.compile(
        r"(?:\bProjekt\w{0,4}|\bproje[ck]?t[oaui]?\w{0,3}|\bproyecto|\bprojet|\bprogetto|проект\w{0,3}|プロジェクト|프로젝트|"
        r"项目|項目|專案|dự án|مشروع|โปรเจ็กต์|โครงการ)(?: ?ID)?\s?[:：]?\s?[\"'`«„「『（(\[]{0,2}\s?"
        r"([a-z][a-z0-9]*-[a-z0-9-]{0,24}[a-z0-9]|\d{9,16})(?![A-Za-z0-9_-])",
        re.IGNORECASE,
    ),
    re.compile(r"--project[= ][\"']?([a-z][a-z0-9-]{4,28}[a-z0-9])(?![\w-])"),
)
# Names that were masked before the text was shown: `xxxxxxxxxx`, `my-xxx-project`.
_MASKED: Final = re.compile(r"(.)\1{4,}|x{3,}|redacted|example-project|<|\*", re.IGNORECASE)
_PLACEHOLDERS: Final = frozenset(
    ["project", "projects", "project-id", "your-project", "your-project-id", "my-project-id", "locations", "instance"]
)

_CONSTRAINT: Final = re.compile(r"\bconstraints?/([a-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)+)")
_CUSTOM: Final = re.compile(r"\bcustomConstraints/(custom\.[A-Za-z0-9]+)")
# Constraints by their bare ids, as consoles in any language show them: of Google's list, or new ones of that form.
_BARE_CONSTRAINT: Final = re.compile(
    r"(?<![\w.])([a-z][A-Za-z]{1,30}\.(?:managed\.)?[a-z][A-Za-z0-9]{3,60})(?![\w(]|\.\w)",
)
_NEW_CONSTRAINT: Final = re.compile(
    r"(?:iam|compute|gcp|storage|sql|run|cloudfunctions|resourcemanager|serviceuser|appengine|container|vertexai|"
    r"cloudbuild|datastream|essentialcontacts|ainotebooks|dataproc|bigquery|gke)\.(?:managed\.)?"
    r"(?:allowed|disable|restrict|require|skip|vm|trusted|uniform|public|enforce|resource|detailed|automatic|shared|"
    r"serviceAccountKey|managed|workload|set|dns|deny|storageResource|ip)[A-Za-z]*"
)
_MODEL_NAME: Final = (
    # the API's documentation, its command line and the like are named like models
    r"((?:gemini|imagen|veo|gemma|text-embedding|text-bison|chat-bison|learnlm)-"
    r"(?!(?:api|apis|cli|code|docs|developer|developers|for|in|enterprise|app|client|key|keys)\b)[\w.@-]*\w)"
)
_MODEL: Final = (
    re.compile(rf"\bmodels?[\"'`]?(?:/|\s*[:=]\s*|\s+)[\"'`]?(?:models/)?{_MODEL_NAME}"),
    re.compile(rf"(?<![\w/.-]){_MODEL_NAME}"),
    re.compile(rf"\b{_MODEL_NAME}"),
)


# Permissions whose first part is not the name of their service's host.
_HOSTS: Final = {
    "bigtable": "bigtableadmin",
    "billing": "cloudbilling",
    "cloudmessaging": "fcm",
    "cloudsql": "sqladmin",
    "errorreporting": "clouderrorreporting",
    "firebaseauth": "identitytoolkit",
    "resourcemanager": "cloudresourcemanager",
    "source": "sourcerepo",
}


def permission_in(text: str) -> str | None:
    """The first IAM permission that the text says is lacking."""
    text = text[:_WINDOW]
    if "." not in text:  # quicker than the patterns
        return None
    found = [match for pattern in _PERMISSION_IN if (match := pattern.search(text))]
    return min(found, key=lambda match: match.start(1)).group(1) if found else None


# What gcloud (`projects instance [id:setIamPolicy]`) and Terraform say of a project's policy, without the permission's name.
_POLICY_READ: Final = re.compile(
    r"\bprojects? (?:instance )?\[[\w.:-]{6,80}:getIamPolicy\]|retrieving IAM policy for project\b", re.IGNORECASE
)
_POLICY_SET: Final = re.compile(
    r"\bprojects? (?:instance )?\[[\w.:-]{6,80}:setIamPolicy\]|(?:applying|setting|updating) IAM policy for project\b",
    re.IGNORECASE,
)


def policy_permission_in(text: str) -> str | None:
    """The permission on a project's allow policy that a tool's own words are about."""
    text = text[:_WINDOW]
    if _POLICY_SET.search(text):
        return "resourcemanager.projects.setIamPolicy"
    return "resourcemanager.projects.getIamPolicy" if _POLICY_READ.search(text) else None


def is_permission(name: str) -> bool:
    """Whether one of Google's roles holds a permission of that name."""
    return name in all_permissions()


def bare_permission_in(text: str) -> str | None:
    """A permission, letter by letter one of Google's, that stands in a text of any language."""
    if "." not in text:
        return None
    found = (match[1] for match in _BARE_PERMISSION.finditer(text[:_WINDOW]))
    return next((name for name in found if name in all_permissions()), None)


_ACCOUNT: Final = r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9.-]{1,120}\.[A-Za-z]{2,20}"
_MEMBER_IN: Final = (
    re.compile(rf"when acting as ['\"]({_ACCOUNT})['\"]"),
    re.compile(
        rf"({_ACCOUNT})['\"`\]*]*(?: \([^)]{{1,40}}\))? (?:does not have|doesn't have|lacks|is missing|needs|requires|must)"
    ),
    re.compile(rf"\b[Gg]rant\b[^.\n]{{0,160}}? to (?:the )?(?:service account |user )?['\"`\[]*({_ACCOUNT})"),
    re.compile(rf"\bauthenticated as ['\"`\[]*({_ACCOUNT})"),
    re.compile(rf"\b[Gg]ive ['\"`\[]*({_ACCOUNT})['\"`\]]* (?:the )?(?:permission|role)"),
)


def member_in(text: str) -> str | None:
    """Who lacks a permission, as a member of a policy (`serviceAccount:...`, `user:...`), where the text names them."""
    found = next((match for pattern in _MEMBER_IN if (match := pattern.search(text[:_WINDOW]))), None)
    if found is None:
        return None
    return f"serviceAccount:{found[1]}" if found[1].endswith("gserviceaccount.com") else f"user:{found[1]}"


_ROLE_IN: Final = (
    re.compile(r"(?<![\w/])(roles/[a-z][A-Za-z]*\.[A-Za-z.]*[A-Za-z])"),
    re.compile(
        r"(?:[Gg]rant(?:ed)?|[Aa]ssign) (?:the |your account the )?['\"]?"
        r"((?:[A-Z][A-Za-z/]{0,30} ){1,5}?[A-Z][A-Za-z/]{1,30})['\"]? (?:permission|role)"
    ),
    re.compile(r"[Gg]rant you the (iam\.[A-Za-z]+) role"),
)


def role_in(text: str) -> str | None:
    """The role that the text says to grant: `roles/...`, or its title (`Storage Object Viewer`)."""
    found = next((match for pattern in _ROLE_IN if (match := pattern.search(text[:_WINDOW]))), None)
    if found is None:
        return None
    return f"roles/{found[1]}" if found[1].startswith("iam.") else found[1]


def service_of(permission: str) -> str | None:
    """The service (host) that a permission is of: `compute.googleapis.com` of `compute.zones.list`."""
    short = permission.partition(".")[0]
    host = _HOSTS.get(short, short) + ".googleapis.com"
    return host if host in services() else None


def service_in(text: str) -> str | None:
    """The first service (host name under googleapis.com) in the text, else one by its short name, else by its title."""
    return next(_services_in(text[:_WINDOW]), None)


def lone_service_in(text: str) -> str | None:
    """The service that the text names, where it names one and no other."""
    found = set(_services_in(text[:_WINDOW]))
    return found.pop() if len(found) == 1 else None


def _services_in(text: str) -> Iterator[str]:
    for pattern in _SERVICE_IN:
        for found in pattern.finditer(text):
            if found[1].endswith("_backend"):  # as old links of Maps name it
                yield found[1].replace("_", "-") + ".googleapis.com"
            elif found[1] not in _NO_SERVICE:
                yield found[1]
    for pattern in _SHORT_SERVICE:
        for found in pattern.finditer(text):
            if (host := f"{found[1]}.googleapis.com") in services():
                yield host
    yield from _services_titled(text)


def _services_titled(text: str) -> Iterator[str]:
    for found in _TITLE.finditer(text):
        words = found[0].casefold().split()
        for start in range(len(words) - 1):  # words before the title may begin with capitals too
            if name := _titles().get(" ".join(words[start:])):
                yield name
                break


@cache
def _titles() -> dict[str, str]:
    """Services by their titles, but for those that share one."""
    titles = Counter(title.casefold() for title, _ in services().values())
    own = {title.casefold(): name for name, (title, _) in services().items() if titles[title.casefold()] == 1}
    return own | {
        "gemini api": "generativelanguage.googleapis.com",  # as the Cloud Console calls it
        "cloud translation api": "translate.googleapis.com",  # translation.googleapis.com is another name of it
    }


def project_in(text: str) -> str | None:
    """The first project id or number in the text."""
    return next(_projects_in(text[:_WINDOW]), None)


def lone_project_in(text: str) -> str | None:
    """The project that the text names, where it names one and no other."""
    found = set(_projects_in(text[:_WINDOW]))
    return found.pop() if len(found) == 1 else None


def _projects_in(text: str) -> Iterator[str]:
    for pattern in _PROJECT_IN:
        for found in pattern.finditer(text):
            if found[1] not in _PLACEHOLDERS and not _masked(found[1]):
                yield found[1]


def _masked(name: str) -> bool:
    return not name.isdigit() and _MASKED.search(name) is not None


def project_in_name(name: str) -> str | None:
    """The project in a resource name, a consumer (`projects/123`, `project_number:123`) or a bare number."""
    if name.isdigit():
        return name
    found = re.search(rf"(?:projects/|project_number:|project:)({_PROJECT_ID})(?![\w-])", name)
    return found[1] if found and not _masked(found[1]) else None


def constraint_in(text: str) -> str | None:
    """The id of the organisation policy constraint that the text names."""
    text = text[:_WINDOW]
    if found := _CUSTOM.search(text) or _CONSTRAINT.search(text):
        return found[1].rstrip(".")
    if "." not in text:
        return None
    bare = (match[1] for match in _BARE_CONSTRAINT.finditer(text))
    return next((name for name in bare if name in org_constraints() or _NEW_CONSTRAINT.fullmatch(name)), None)


# Pages that Google's errors point to.
_HELP: Final = re.compile(
    r"https://(?:cloud\.google\.com|developers\.google\.com|ai\.google\.dev|firebase\.google\.com|support\.google\.com|"
    r"console\.(?:cloud|developers)\.google\.com|aistudio\.google\.com)/[\w./#?=&%~-]*[\w/]"
)


def help_links(text: str) -> tuple[str, ...]:
    """The pages of Google's that the text points to."""
    return tuple(dict.fromkeys(_HELP.findall(text[:_WINDOW])))


def model_in(text: str) -> str | None:
    """The name of a Gemini model that the text names."""
    found = next((match for pattern in _MODEL if (match := pattern.search(text[:_WINDOW]))), None)
    return found[1] if found else None


_SECRET: Final = re.compile(r"\bprojects/[a-z0-9.:-]{1,63}/secrets/([A-Za-z0-9_-]{1,255})(?![\w-])")


def secret_in(text: str) -> str | None:
    """The id of the secret (Secret Manager) that the text names."""
    found = _SECRET.search(text[:_WINDOW])
    return found[1] if found else None
