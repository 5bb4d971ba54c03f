"""The test's side of the local Google: start it, steer it, read its wire log; environments and credentials for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.local_google.identity import FEDERATED, HOME, PERSON, ROBOT, TARGET_ROBOT

ROOT: Final = Path(__file__).parent.parent.parent
PAYING: Final = "paying-project"
TARGET: Final = "target-project"
BARE: Final = "bare-project"  # everything is off
GEMINI: Final = "generativelanguage.googleapis.com"
ALL_APIS: Final = [
    f"{name}.googleapis.com"
    for name in (
        *("apikeys", "cloudresourcemanager", "serviceusage", "iam", "generativelanguage", "monitoring", "secretmanager"),
        *("cloudasset", "orgpolicy", "iamcredentials"),
    )
]
OWNERS: Final = {
    "roles/owner": ["user:owner@example.com", f"user:{PERSON}", f"user:{FEDERATED}"]
    + [f"serviceAccount:{account}" for account in (ROBOT, TARGET_ROBOT)]
}


def project(name: str, number: int, services: list[str], **more: Any) -> dict[str, Any]:
    """A project of the seed, owned by every caller that the tests have."""
    return {"projectId": name, "projectNumber": str(number), "services": services, "iam": OWNERS, **more}


def seed(**more: Any) -> dict[str, Any]:
    """The world behind the fronts."""
    # A key that is not for Gemini alone, and one that is.
    keys = [{"keyId": "old-key", "displayName": "Old", "restrictions": {"apiTargets": [{"service": GEMINI}]},
             "serviceAccountEmail": f"keyadmin-gemini@{TARGET}.iam.gserviceaccount.com"}]  # fmt: skip
    return {
        "projects": [
            project(HOME, 501, ALL_APIS, serviceAccounts=["robot", "actor"]),
            project(PAYING, 502, ALL_APIS),
            project(TARGET, 503, ALL_APIS, keys=keys, serviceAccounts=["keyadmin-gemini"]),
            project(BARE, 504, []),
        ],
        **more,
    }


class LocalGoogle:
    """One running local Google."""

    def __init__(self, folder: Path, *, fixed: bool = False) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.local_google.server", str(folder), *(["--port-443"] if fixed else [])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the local Google did not start"
        ready = json.loads(line)
        self.proxy, self.plain, self.ca, self.private_key = (ready[name] for name in ("proxy", "plain", "ca", "private_key"))
        self.sandbox_url = ready["sandbox"]

    def stop(self) -> None:
        """End it; it ends by itself when this process does."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def control(self, what: str, data: Any = None) -> Any:
        """`/control/WHAT`."""
        body = json.dumps(data).encode() if data is not None else b""
        request = urllib.request.Request(f"http://{self.plain}/control/{what}", data=body, method="POST")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)

    def reset(self, *, charging: bool = True, **more: Any) -> None:
        """No faults, an empty log, the world as seeded."""
        self.control("reset", {"charging": charging, "seed": seed(**more)})

    def faults(self, *faults: dict[str, Any]) -> None:
        """Lay these out in place of what was there."""
        self.control("faults", list(faults))

    def log(self) -> list[dict[str, Any]]:
        """Every request so far."""
        return list(self.control("log"))

    def set(self, **values: Any) -> None:
        """Proxy password, clock skew, the metadata server's answers, life of tokens."""
        self.control("set", values)

    def token(self, principal: str, kind: str = "user", own_project: str | None = None) -> str:
        """An access token that was fetched elsewhere."""
        return str(self.control("issue", {"principal": principal, "kind": kind, "own_project": own_project})["token"])

    def sandbox(self, verb: str, path: str, body: Any = None) -> Any:
        """A call of the sandbox behind the fronts, as its owner."""
        return self.control("sandbox", {"verb": verb, "path": path, "body": body})

    def calls(self) -> dict[str, int]:
        """How often each method was called by clients: `RPC or VERB PATH` -> times."""
        counted: dict[str, int] = {}
        for entry in self.log():
            if entry["protocol"] != "connect":
                counted[entry["line"].partition("?")[0]] = counted.get(entry["line"].partition("?")[0], 0) + 1
        return counted


def environment(google: LocalGoogle, home: Path) -> dict[str, str]:
    """A clean machine behind the proxy: nothing of the tester's own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "CLOUDSDK_CONFIG": str(home / "gcloud"),
        "COLUMNS": "100",
        "NO_GCE_CHECK": "true",
        "HTTPS_PROXY": f"http://{google.proxy}",
        "SSL_CERT_FILE": google.ca,
    }


def another_authority() -> bytes:
    """The certificate of an authority that signed nothing here."""
    from tests.local_google.authority import Authority

    return Authority("somebody else").pem


# --- credentials: each writes what it needs and gives the variables that name it ------------------------------------------

Credentials = Callable[[LocalGoogle, Path], dict[str, str]]
STS: Final = "https://sts.googleapis.com/v1/token"
POOL: Final = "//iam.googleapis.com/projects/501/locations/global/workloadIdentityPools/pool/providers/provider"


def written(home: Path, info: Any, name: str = "credentials.json") -> dict[str, str]:
    """A credentials file named by GOOGLE_APPLICATION_CREDENTIALS."""
    path = home / name
    path.write_text(info if isinstance(info, str) else json.dumps(info))
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}


def user(google: LocalGoogle, home: Path, **more: Any) -> dict[str, str]:
    """`gcloud auth application-default login`, without a quota project."""
    return written(home, _user() | more)


def _user() -> dict[str, Any]:
    return {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": f"refresh:{PERSON}"}


def user_with_quota(google: LocalGoogle, home: Path) -> dict[str, str]:
    """The same with a quota project."""
    return user(google, home, quota_project_id=PAYING)


def service_account(google: LocalGoogle, home: Path, **more: Any) -> dict[str, str]:
    """A service account's key file."""
    info = {
        "type": "service_account",
        "project_id": HOME,
        "private_key_id": "1",
        "private_key": google.private_key,
        "client_email": ROBOT,
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return written(home, info | more)


def self_signed(google: LocalGoogle, home: Path) -> dict[str, str]:
    """The same; tokens signed here, as gcloud's setting asks for."""
    return service_account(google, home) | {"CLOUDSDK_AUTH_SERVICE_ACCOUNT_USE_SELF_SIGNED_JWT": "true"}


def impersonated_file(google: LocalGoogle, home: Path) -> dict[str, str]:
    """`gcloud auth application-default login --impersonate-service-account`."""
    base = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
    info = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": f"{base}/{TARGET_ROBOT}:generateAccessToken",
        "source_credentials": _user(),
        "delegates": [],
    }
    return written(home, info)


def impersonated_flag(google: LocalGoogle, home: Path) -> dict[str, str]:
    """`--impersonate-service-account`, as its variable."""
    return user(google, home) | {"KEYADMIN_IMPERSONATE_SERVICE_ACCOUNT": TARGET_ROBOT}


def external(home: Path, source: dict[str, Any], **more: Any) -> dict[str, str]:
    """Workload identity federation with this source of subject tokens."""
    info = {
        "type": "external_account",
        "audience": POOL,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": STS,
        "credential_source": source,
    }
    return written(home, info | more)


def workload_file(google: LocalGoogle, home: Path) -> dict[str, str]:
    """The subject token stands in a file."""
    (home / "subject").write_text("subject-token")
    return external(home, {"file": str(home / "subject")})


def workload_url(google: LocalGoogle, home: Path) -> dict[str, str]:
    """The subject token is fetched from a URL."""
    return external(home, {"url": f"http://{google.plain}/subject"})


def workload_executable(google: LocalGoogle, home: Path, seconds: int = 0) -> dict[str, str]:
    """The subject token is printed by a program."""
    program = home / "subject.py"
    answer = {
        "version": 1,
        "success": True,
        "token_type": "urn:ietf:params:oauth:token-type:jwt",
        "id_token": "subject-token",
    }
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep({seconds})\nprint({json.dumps(json.dumps(answer))})\n")
    program.chmod(0o755)
    source = {"executable": {"command": str(program), "timeout_millis": 30000}}
    return external(home, source) | {"GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1"}


def workload_aws(google: LocalGoogle, home: Path) -> dict[str, str]:
    """The subject token is a signed call of AWS's."""
    source = {
        "environment_id": "aws1",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
    }
    variables = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret"}
    kind = {"subject_token_type": "urn:ietf:params:aws:token-type:aws4_request"}
    return external(home, source, **kind) | variables


def workforce(google: LocalGoogle, home: Path) -> dict[str, str]:
    """A person of a workforce pool, by a file with their token."""
    (home / "subject").write_text("subject-token")
    pool = "//iam.googleapis.com/locations/global/workforcePools/pool/providers/provider"
    return external(home, {"file": str(home / "subject")}, audience=pool, workforce_pool_user_project=HOME)


def workforce_login(google: LocalGoogle, home: Path) -> dict[str, str]:
    """A person of a workforce pool who logged in with a browser."""
    info = {
        "type": "external_account_authorized_user",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/pool/providers/provider",
        "token_url": "https://sts.googleapis.com/v1/oauthtoken",
        "token_info_url": "https://sts.googleapis.com/v1/introspect",
        "client_id": "c",
        "client_secret": "s",
        "refresh_token": "r",
    }
    return written(home, info)


def metadata(flavor: str) -> Credentials:
    """A machine of Google's: `vm`, `cloud-run`, `gke`."""

    def on(google: LocalGoogle, home: Path) -> dict[str, str]:
        google.set(metadata={"flavor": flavor})
        more = {"K_SERVICE": "service"} if flavor == "cloud-run" else {}
        return {"GCE_METADATA_HOST": google.plain, "GCE_METADATA_IP": google.plain, "NO_GCE_CHECK": ""} | more

    return on


def access_token(variable: str) -> Credentials:
    """A token of elsewhere in a variable."""

    def given(google: LocalGoogle, home: Path) -> dict[str, str]:
        return {variable: google.token(PERSON), "KEYADMIN_QUOTA_PROJECT": PAYING}

    return given


def gcloud(google: LocalGoogle, home: Path) -> dict[str, str]:
    """Application Default Credentials where gcloud puts them, with gcloud's own project setting beside them."""
    folder = home / "gcloud"
    (folder / "configurations").mkdir(parents=True, exist_ok=True)
    (folder / "application_default_credentials.json").write_text(json.dumps(_user() | {"quota_project_id": PAYING}))
    (folder / "configurations" / "config_default").write_text(f"[core]\nproject = {TARGET}\n")
    return {}


KINDS: Final[dict[str, Credentials]] = {
    "user": user,
    "user with quota project": user_with_quota,
    "service-account key": service_account,
    "self-signed JWT": self_signed,
    "impersonated (file)": impersonated_file,
    "impersonated (flag)": impersonated_flag,
    "workload identity (file)": workload_file,
    "workload identity (URL)": workload_url,
    "workload identity (executable)": workload_executable,
    "workload identity (AWS)": workload_aws,
    "workforce": workforce,
    "workforce (login)": workforce_login,
    "metadata (VM)": metadata("vm"),
    "metadata (Cloud Run)": metadata("cloud-run"),
    "metadata (GKE)": metadata("gke"),
    "GOOGLE_OAUTH_ACCESS_TOKEN": access_token("GOOGLE_OAUTH_ACCESS_TOKEN"),
    "CLOUDSDK_AUTH_ACCESS_TOKEN": access_token("CLOUDSDK_AUTH_ACCESS_TOKEN"),
    "gcloud's own": gcloud,
}
