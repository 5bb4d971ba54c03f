"""Where notices go: a program, or a webhook whose address is a secret. One that is not taken is a warning, nothing more."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

from keyadmin.cloud.network import is_loopback
from keyadmin.handover.http import HttpSession, HttpTarget
from keyadmin.handover.sinks.exec import words
from keyadmin.local.subprocesses import Output, environment
from keyadmin.model.observer import Observer
from keyadmin.model.problem import Problem, usage
from keyadmin.model.secret import redact
from keyadmin.unattended.notice import FORMS, Form, Notice, form_of

TIMEOUT_S: Final = 60.0  # of a program
TRY_S: Final = 5.0  # of one call of a webhook,
WEBHOOK_S: Final = 20.0  # and of all of them, with the pauses between
TRIES: Final = 4  # once, and three times more
SIGNATURE: Final = "X-Keyadmin-Signature"
_SHOWN: Final = 500  # characters of the program's own words
PATTERNS: Final = "exec:CMD|webhook:URL|webhook-from-env:VAR"


class Destination(Protocol):
    """Something that takes notices. `name` may be printed: of a webhook it holds the host alone."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def send(self, notice: Notice) -> str | None:
        """Hand it over; in words why it was not taken. Raises nothing but what ends the whole program."""
        ...


@dataclass(frozen=True)
class Program:
    """`exec:COMMAND`: gets JSON lines on its standard input."""

    command: Sequence[str]

    @property
    def name(self) -> str:
        """The program."""
        return self.command[0]

    def send(self, notice: Notice) -> str | None:
        """Run it."""
        try:
            return self._failure(notice.for_program())
        except OSError as error:
            return f"cannot be started: {error.strerror}"
        except subprocess.TimeoutExpired:
            return f"did not end within {TIMEOUT_S:g} s and was stopped"

    def _failure(self, text: bytes) -> str | None:
        output = Output()
        try:
            process = subprocess.Popen(  # noqa: S603 - the person's own command, split without a shell
                self.command, stdin=subprocess.PIPE, stdout=output.end, stderr=output.end, env=environment()
            )
        finally:
            output.started()
        with process:
            try:
                process.communicate(text, TIMEOUT_S)
            except BaseException:  # Ctrl-C too
                process.kill()
                raise
        if process.returncode == 0:
            return None
        said = redact(output.said())[-_SHOWN:]
        return f"ended with exit code {process.returncode}" + (f": {said}" if said else "")


@dataclass(frozen=True)
class Webhook:
    """An address that takes JSON by POST. Whoever knows a chat's address may write there: only its host is ever shown."""

    host: str
    form: Form
    _base: str = field(repr=False)
    _path: str = field(repr=False)
    _secret: bytes = field(repr=False, default=b"")

    @property
    def name(self) -> str:
        """Its host."""
        return f"the webhook at {self.host}"

    def send(self, notice: Notice) -> str | None:
        """Post it, with three repetitions, within twenty seconds."""
        try:
            return asyncio.run(asyncio.wait_for(self._post(notice.body(self.form)), WEBHOOK_S))
        except TimeoutError:
            return f"did not answer within {WEBHOOK_S:g} s"
        except Problem as problem:
            _, _, why = problem.message.partition("cannot be reached: ")
            return f"cannot be reached: {why.replace(self._path, '')}" if why else "cannot be reached"

    async def _post(self, body: bytes) -> str | None:
        headers = {}
        if self._secret:
            headers[SIGNATURE] = f"sha256={hmac.new(self._secret, body, hashlib.sha256).hexdigest()}"
        target = HttpTarget("the webhook", self._base, headers, attempts=TRIES, timeout_s=TRY_S)
        async with HttpSession(target) as session:
            answer = await session.call("POST", self._path, body)
        # What it says is not repeated: it may hold the address.
        return None if answer.ok else f"answered HTTP {answer.status}"


def destination(spec: str, env: Mapping[str, str], *, form: str | None = None, secret_from: str | None = None) -> Destination:
    """One `--notify`. Raises usage(), in words that do not hold the address."""
    kind, _, value = spec.partition(":")
    if kind == "exec":
        return Program(words(value, "--notify"))
    if kind == "webhook":
        return _webhook(value, "--notify webhook:URL", env, form, secret_from)
    if kind == "webhook-from-env":
        if value not in env or not env[value].strip():
            raise usage(f"--notify webhook-from-env:{value}: this variable is not set", f"export {value} with the address")
        return _webhook(env[value].strip(), f"the variable {value}", env, form, secret_from)
    raise usage(f"--notify: none of {PATTERNS.replace('|', ', ')}", "name a program or a webhook")


def _webhook(address: str, where: str, env: Mapping[str, str], form: str | None, secret_from: str | None) -> Webhook:
    parts = _parts(address)
    if parts is None:
        raise usage(f"{where} does not hold the address of a webhook", "write https://HOST/PATH")
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise usage(f"the webhook at {host} is not https", "name its https:// address")
    if parts.username is not None:
        raise usage(f"the webhook at {host}: a name and a password in an address are not sent", "leave them out")
    secret = b""
    if secret_from is not None:
        if not env.get(secret_from):
            raise usage(f"--webhook-secret-from-env {secret_from}: this variable is not set", f"export {secret_from}")
        secret = env[secret_from].encode()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Webhook(host, checked_form(form) or form_of(host), f"{parts.scheme}://{parts.netloc}", path, secret)


def checked_form(text: str | None) -> Form | None:
    """`--webhook-form`. Raises usage()."""
    for form in FORMS:
        if text == form:
            return form
    if text is None:
        return None
    raise usage(f"--webhook-form: {text!r} is not a form", f"use one of: {', '.join(FORMS)}")


def _parts(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    plain = address.isascii() and address.isprintable() and " " not in address
    return parts if plain and parts.scheme in ("https", "http") and parts.hostname else None


@dataclass(frozen=True)
class Notices:
    """All destinations of a run."""

    destinations: Sequence[Destination]
    observer: Observer

    def send(self, notice: Notice) -> None:
        """Tell each; one that does not take it is a warning and changes nothing else."""
        for each in self.destinations:
            why = each.send(notice)
            if why is not None:
                self.observer.warning(f"the notice was not taken: {each.name} {why}")
