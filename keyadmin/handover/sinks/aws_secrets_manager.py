"""The sink `aws-secrets-manager`: a secret of Amazon's Secrets Manager, or one field of a secret that is a JSON object.

PutSecretValue moves AWSCURRENT to the new version and AWSPREVIOUS to the one before. A version's id is ours: made of the
key's id, of what is written, and of the version that it follows, so that a repeat after a lost answer is the same version, and
going back to a former key is another one: with the id of a version that is there PutSecretValue moves nothing
(docs.aws.amazon.com, "PutSecretValue").
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from keyadmin.handover import aws
from keyadmin.handover.extras import needed
from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkNeeds, SinkSpec
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

KIND: Final = "aws-secrets-manager"
ACTIONS: Final = (
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:CreateSecret",
)


def parts(value: str) -> tuple[str, str, str]:
    """`REGION/NAME[:FIELD]`: region, name, field (empty = the secret is the key alone). Raises usage()."""
    region, rest = aws.region_and_name(value, KIND)
    name, _, field = rest.partition(":")
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@-]{1,512}", name):
        raise usage(f"invalid secret name {name!r}: use letters, digits and / _ + = . @ - only")
    if ":" in rest and not re.fullmatch(r"[-._a-zA-Z0-9]{1,128}", field):
        raise usage(f"invalid field {field!r} of a secret: use letters, digits and - _ . only")
    return region, name, field


class AwsSecretsManagerSink(Sink):
    """Adds a version that becomes AWSCURRENT; makes the secret if there is none."""

    kind = KIND
    pattern = "aws-secrets-manager:REGION/NAME[:FIELD]"
    reads_back: ClassVar[str] = "yes, with secretsmanager:GetSecretValue"
    old_versions: ClassVar[str] = "AWSPREVIOUS, until the next one; Amazon removes versions without a label"
    tested_against: ClassVar[str] = "moto's server; not Amazon itself yet"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._region, self._name, self._field = parts(spec.value)
        self._said = f"the secret {self._name} in {self._region}"

    @classmethod
    def parse(cls, value: str) -> str:
        """A region and a secret. Raises usage(); Problem (exit 2) where the extra is not installed."""
        needed("aws", "boto3", "boto3")
        parts(value)
        return value

    @classmethod
    def needs(cls, value: str) -> SinkNeeds:
        """Actions of an IAM policy of Amazon's."""
        return SinkNeeds(words=(f"Amazon IAM: {', '.join(ACTIONS)} on the secret",))

    async def preflight(self) -> None:
        """The secret can be read, or is not there yet. Raises Problem."""
        await self._current()

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the version. Raises Problem: no permission, a secret that is no JSON object, too many versions."""
        from botocore.exceptions import ClientError

        before, version = await self._current()
        if before is not None and self._in(before) == key.reveal():
            return Delivery(False, f"{self._said} has it already")
        text = self._with(before, key)
        token = _version_id(key_id, text, version)
        try:
            if before is None:
                arguments = {"Name": self._name, "SecretString": text, "ClientRequestToken": token}
                await aws.call("secretsmanager", self._region, "create_secret", **arguments)
            else:
                arguments = {"SecretId": self._name, "SecretString": text, "ClientRequestToken": token}
                await aws.call("secretsmanager", self._region, "put_secret_value", **arguments)
        except ClientError as error:
            raise aws.refusal(error, f"{self._said} was not written", *ACTIONS[1:]) from None
        return Delivery(True, f"written to {self._said} as AWSCURRENT, version {token}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether AWSCURRENT is this key; None where it may not be read."""
        try:
            found, _ = await self._current()
        except Problem as problem:
            if problem.cause is Cause.MISSING_IAM_PERMISSION:
                return None
            raise
        return found is not None and self._in(found) == key.reveal()

    async def _current(self) -> tuple[str | None, str]:
        """The text of AWSCURRENT, empty where the secret has no value, None where there is no secret; its version's id.

        Raises Problem.
        """
        from botocore.exceptions import ClientError

        try:
            found = await aws.call("secretsmanager", self._region, "get_secret_value", SecretId=self._name)
        except ClientError as error:
            if aws.code_of(error) != "ResourceNotFoundException":
                raise aws.refusal(error, f"{self._said} cannot be read", ACTIONS[0]) from None
            # The same answer for a secret without a value and for none at all.
            return ("" if await self._exists() else None), ""
        return str(found.get("SecretString", "")), str(found.get("VersionId", ""))

    async def _exists(self) -> bool:
        from botocore.exceptions import ClientError

        try:
            await aws.call("secretsmanager", self._region, "describe_secret", SecretId=self._name)
        except ClientError as error:
            if aws.code_of(error) == "ResourceNotFoundException":
                return False
            if aws.code_of(error) in ("AccessDeniedException", "AccessDenied"):
                return False  # making it then says whether it is there
            raise aws.refusal(error, f"{self._said} cannot be read", "secretsmanager:DescribeSecret") from None
        return True

    def _in(self, text: str) -> object:
        return self._fields(text).get(self._field) if self._field else text

    def _with(self, before: str | None, key: KeyString) -> str:
        if not self._field:
            return key.reveal()
        return json.dumps({**self._fields(before or ""), self._field: key.reveal()})

    def _fields(self, text: str) -> Mapping[str, Any]:
        try:
            found = json.loads(text) if text else {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Problem(
                Cause.CONFLICT,
                f"{self._said} is not a JSON object, so it has no field {self._field}",
                fix=(f"leave the field out to replace the whole secret: {KIND}:{self._region}/{self._name}",),
            )
        return found


def _version_id(key_id: str, text: str, before: str) -> str:
    """32 to 64 characters: the key's id, and a digest of what is written and of the version before."""
    digest = hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
    named = re.sub(r"[^A-Za-z0-9-]", "-", key_id)[:31]
    return f"{named}-{digest[:32]}" if named else digest
