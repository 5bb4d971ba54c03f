"""The sink `aws-ssm`: a SecureString parameter of Amazon's Systems Manager."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

from keyadmin.handover import aws
from keyadmin.handover.extras import needed
from keyadmin.handover.sink import Delivery, Sink, SinkContext, SinkNeeds, SinkSpec
from keyadmin.model.problem import Cause, Problem, usage
from keyadmin.model.secret import KeyString

KIND: Final = "aws-ssm"
ACTIONS: Final = ("ssm:GetParameter", "ssm:DescribeParameters", "ssm:PutParameter")


def parts(value: str) -> tuple[str, str]:
    """`REGION/NAME`: a name may begin with `/` (a path of parameters). Raises usage()."""
    region, name = aws.region_and_name(value, KIND)
    if not re.fullmatch(r"/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*", name) or len(name) > 1011:
        raise usage(f"invalid parameter name {name!r}: use letters, digits and _ . - in parts divided by /")
    return region, name if not ("/" in name and not name.startswith("/")) else f"/{name}"


class AwsSsmSink(Sink):
    """Overwrites the parameter, with the KMS key that it has; makes it if there is none."""

    kind = KIND
    pattern = "aws-ssm:REGION/NAME"
    reads_back: ClassVar[str] = "yes, with ssm:GetParameter"
    old_versions: ClassVar[str] = "kept by Amazon, 100 of them"
    tested_against: ClassVar[str] = "moto's server; not Amazon itself yet"

    def __init__(self, spec: SinkSpec, context: SinkContext) -> None:
        super().__init__(spec, context)
        self._region, self._name = parts(spec.value)
        self._said = f"the parameter {self._name} in {self._region}"

    @classmethod
    def parse(cls, value: str) -> str:
        """A region and a parameter. Raises usage(); Problem (exit 2) where the extra is not installed."""
        needed("aws", "boto3", "boto3")
        return "/".join(parts(value))

    @classmethod
    def needs(cls, value: str) -> SinkNeeds:
        """Actions of an IAM policy of Amazon's."""
        return SinkNeeds(words=(f"Amazon IAM: {', '.join(ACTIONS)} on the parameter",))

    async def preflight(self) -> None:
        """The parameter can be read, or is not there yet. Raises Problem."""
        await self._current()

    async def deliver(self, key: KeyString, *, key_id: str = "") -> Delivery:
        """Write the parameter. Raises Problem: no permission, a parameter of another type."""
        from botocore.exceptions import ClientError

        before = await self._current()
        if before == key.reveal():
            return Delivery(False, f"{self._said} has it already")
        arguments: dict[str, Any] = {"Name": self._name, "Value": key.reveal(), "Type": "SecureString"}
        if before is not None:
            # Without it Amazon takes the account's default key for the new version.
            arguments |= {"Overwrite": True, **({"KeyId": found} if (found := await self._kms_key()) else {})}
        try:
            answer = await aws.call("ssm", self._region, "put_parameter", **arguments)
        except ClientError as error:
            raise aws.refusal(error, f"{self._said} was not written", ACTIONS[2]) from None
        return Delivery(True, f"written to {self._said}, version {answer.get('Version')}")

    async def read_back(self, key: KeyString) -> bool | None:
        """Whether the parameter is this key; None where it may not be read."""
        try:
            return await self._current() == key.reveal()
        except Problem as problem:
            if problem.cause is Cause.MISSING_IAM_PERMISSION:
                return None
            raise

    async def _current(self) -> str | None:
        from botocore.exceptions import ClientError

        try:
            found = await aws.call("ssm", self._region, "get_parameter", Name=self._name, WithDecryption=True)
        except ClientError as error:
            if aws.code_of(error) == "ParameterNotFound":
                return None
            raise aws.refusal(error, f"{self._said} cannot be read", ACTIONS[0], "kms:Decrypt") from None
        parameter = found["Parameter"]
        if parameter.get("Type") != "SecureString":
            raise Problem(
                Cause.CONFLICT,
                f"{self._said} is a {parameter.get('Type')}, which Amazon keeps in the clear",
                fix=("name a parameter of type SecureString", "or delete this one and let keyadmin create it again"),
            )
        return str(parameter["Value"])

    async def _kms_key(self) -> str:
        from botocore.exceptions import ClientError

        wanted = [{"Key": "Name", "Option": "Equals", "Values": [self._name]}]
        try:
            found = await aws.call("ssm", self._region, "describe_parameters", ParameterFilters=wanted)
        except ClientError as error:
            raise aws.refusal(error, f"which key encrypts {self._said} cannot be seen", ACTIONS[1]) from None
        return next((str(each.get("KeyId") or "") for each in found.get("Parameters") or ()), "")
