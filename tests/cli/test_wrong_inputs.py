"""Wrong inputs as people type them: each is told in words, with why, and with what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

# What is typed, the exit code, a part of the message, a part of what to type next.
WRONG = [
    ("keys create", 2, "Missing option '--name'", "keyadmin keys create --name web"),
    ("keys create --name ''", 2, "display name is empty", "keyadmin keys create --help"),
    ("keys create --name x --key-id Bad", 2, "is not a key id", "leave --key-id out"),
    ("keys create --name x --api-target nonsense", 2, "unknown service", "keyadmin keys create --help"),
    ("keys create --name x --allowed-ips 300.1.1.1", 2, "is not an IP address", "keyadmin keys create --help"),
    ("keys create --name x --allowed-ips 1.2.3.4 --allowed-referrers x.com", 2, "one kind of client", "make a key for each"),
    ("keys create --name x --annotation novalue", 2, "write KEY=VALUE", "keyadmin keys create --help"),
    ("keys create --name x --to ftp:foo", 2, "is not a sink", "keyadmin keys create --help"),
    ("keys create --name x --standard --service-account a@b.iam.gserviceaccount.com", 2, "do not go together", "--help"),
    ("keys create --name x --verify-timeout soon", 2, "is not a duration", "--help"),
    ("keys create --name x --nonsense", 2, "No such option", "keyadmin keys create --help"),
    ("keys list --limit -3", 2, "at least 1 key", "keyadmin keys list --help"),
    ("keys list --limit three", 2, "--limit takes a whole number", "keyadmin keys list --help"),
    ("keys list --filter 'age>'", 2, "found the end", "keyadmin keys list --help"),
    ("keys list --sort nothing", 2, "unknown field", "fields are: "),
    ("keys list --filter keytype=auth", 2, "unknown field 'keytype'", "did you mean keyType?"),
    ("keys list --format xml", 2, "is not a format", "use one of: table"),
    ("keys list --watch --interval 0s", 2, "at least 1s", "keyadmin keys list --help"),
    ("keys describe", 2, "Missing argument 'KEY'", "keyadmin keys describe web"),
    ("keys describe nope", 1, "has no key", "keyadmin keys list --all"),
    ("keys describe projects/demo-project/keys/x", 2, "is not a key's full name", "keyadmin keys describe --help"),
    ("keys annotate nope", 2, "nothing to do", "keyadmin keys annotate --help"),
    ("keys rotate nope --grace 5x --yes", 2, "is not a duration", "keyadmin keys rotate --help"),
    ("keys verify nope --wait 10m", 2, "at most 5m", "keyadmin keys verify --help"),
    ("keys verify", 2, "no key was named", "name it: keyadmin keys verify KEY"),
    ("keys lookup", 2, "a key string is needed", "pass it on stdin"),
    ("keys lookup my-key", 2, "'my-key' is a name", "pass it on stdin"),
    ("keys hand-over nope", 2, "Missing option '--to'", "keyadmin keys hand-over web --to"),
    ("keys hand-over nope --to secret-manager:foo", 2, "is not a secret", "keyadmin keys hand-over --help"),
    ("help", 2, "No such command 'help'", "keyadmin --help"),
    ("keys help", 2, "No such command 'help'", "keyadmin keys --help"),
    ("version", 2, "No such command 'version'", "keyadmin --version"),
    ("login", 2, "No such command 'login'", "gcloud auth application-default login"),
    ("whoami --sandbox", 2, "No such command 'whoami'", "keyadmin doctor --connection --sandbox"),
    ("keys get web --sandbox", 2, "No such command 'get'", "keyadmin keys describe KEY --sandbox"),
    ("keys revoke web", 2, "No such command 'revoke'", "keyadmin keys delete KEY"),
    ("keys list --json -p shop", 2, "No such option: --json", "keyadmin keys list --format json -p shop"),
    ("keys list --output json --limit 3", 2, "No such option: --output", "keyadmin keys list --format json --limit 3"),
    ("keys restrict web --api gemini", 2, "No such option: --api\n", "keyadmin keys restrict web --api-target gemini"),
    ("keys create --name x web", 2, "unexpected extra argument", "keyadmin keys create --name NAME"),
    ("projects default demo-project", 2, "unexpected extra argument", "keyadmin projects use ID"),
    ("keys list web --sandbox", 2, "unexpected extra argument", "keyadmin keys describe KEY --sandbox"),
    ("audit --org 12", 2, "No such option: --org", "keyadmin audit --organization 12"),
    ("keys create --name x --api-target maps", 2, "unknown service", "did you mean maps-backend.googleapis.com"),
    ("projects enable demo-project maps", 2, "there is no API 'maps'", "did you mean maps-backend.googleapis.com"),
    ("projects use demo", 1, "demo", "did you mean demo-project?"),
    ("kyes list", 2, "Did you mean 'keys'", "keyadmin --help"),
    ("projects create Ab", 2, "cannot be a project's id", "leave it out"),
    ("projects create --name x", 2, "has 1 character", "keyadmin projects create --help"),
    ("projects create --file nothere.csv", 1, "nothere.csv cannot be read", "see that nothere.csv is there"),
    ("projects import --file nothere", 1, "nothere cannot be read", "see that nothere is there"),
    ("projects rename demo-project ab", 2, "has 2 characters", "keyadmin projects rename --help"),
    ("projects enable demo-project notanapi", 2, "there is no API", "NAME.googleapis.com"),
    ("doctor demo-project --for nothing", 2, "is not a feature", "use one of: import"),
    ("explain --from-file nothere", 2, "nothere cannot be read", "see that nothere is there"),
    ("env set", 2, "no key was named", "name it: keyadmin env set KEY"),
    ("env set nope --variable FOO --sandbox", 2, "FOO is not a variable", "keyadmin env set --help"),
    ("snippet cobol", 2, "no example for the language", "there is one for: python"),
    ("tokens create nope --uses -1", 2, "at least 1, or 0", "keyadmin tokens create --help"),
    ("scan /nowhere", 1, "there is no file or folder /nowhere", "name existing files or folders: keyadmin scan ."),
    ("sandbox serve --rest-port 99999", 2, "--rest-port is at most 65535", "keyadmin sandbox serve --help"),
    ("sandbox serve --seed nothere.json", 1, "nothere.json: No such file", "name an existing seed file"),
    ("sandbox seed nothere.json", 1, "nothere.json: No such file", "name an existing seed file"),
    ("config set project", 2, "Missing argument 'VALUE'", "keyadmin config set project my-project"),
    ("completion tcsh", 2, "SHELL: 'tcsh' is not one of", "keyadmin completion --help"),
    ("keys list --impersonate-service-account robot", 2, "is not a service account", "NAME@PROJECT.iam.gserviceaccount.com"),
    ("keys list --impersonate-service-account a@b.iam.gserviceaccount.com", 1, "getAccessToken", "service-accounts add-iam"),
]  # fmt: skip
JARGON = ("Input should be", "Value error", "Traceback", "Errno", "unable to parse")


@pytest.mark.parametrize(("typed", "code", "what", "next_"), WRONG, ids=[each[0] for each in WRONG])
def test_a_wrong_input_is_told_with_what_to_type_next(
    cli: Callable[..., Any], typed: str, code: int, what: str, next_: str
) -> None:
    done = cli(*shlex.split(typed), env={"KEYADMIN_SANDBOX": "1", "SHELL": "/bin/bash", "COLUMNS": "200"})
    assert done.code == code, done.err
    error, _, fix = done.err.partition("  What to do: ")
    assert what in error
    assert next_ in fix
    assert not [word for word in JARGON if word in done.err]
