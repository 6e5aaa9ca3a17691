"""What a service runs, and whether it runs at all (lesson Q3).

A service whose digest comes from a parameter stands with zero tasks until the first release. After it, the template
holds no desired count, so a deployment never undoes what scaling did.
"""

from __future__ import annotations

from aws_cdk import CfnCondition, CfnOutput, CfnParameter, Fn, Token
from constructs import Construct

from constructs_lib.naming import NO_IMAGE, NOT_RELEASED
from constructs_lib.services.policy import FixedDigest, ReleasedDigest

_NO_VALUE = {"Ref": "AWS::NoValue"}


class ReleaseSwitch:
    """The digest of a service, and the condition under which it has one (lesson Q3).

    Attributes:
        digest: the digest, perhaps a Token.
        condition_id: logical id of the condition that is true after the first release; ``None`` for a fixed digest.
    """

    def __init__(self, scope: Construct, source: FixedDigest | ReleasedDigest) -> None:
        self.condition_id: str | None = None
        if isinstance(source, FixedDigest):
            self.digest = source.digest
            return
        parameter = CfnParameter(
            scope,
            "Digest",
            type="AWS::SSM::Parameter::Value<String>",
            default=source.parameter_name,
            description="Name of the parameter that holds the digest to run; a release writes its value",
        )
        value = parameter.value_as_string
        condition = CfnCondition(
            scope, "Released", expression=Fn.condition_not(Fn.condition_equals(value, NOT_RELEASED))
        )
        self.condition_id = condition.logical_id
        self.digest = Token.as_string(_either(self.condition_id, value, NO_IMAGE))
        CfnOutput(
            scope,
            "Running",
            description="The digest that the service runs",
            value=Token.as_string(
                _either(
                    self.condition_id,
                    value,
                    "no release yet: the service stands with zero tasks and its alarms are quiet",
                )
            ),
        )

    def desired_count(self) -> float | None:
        """Zero while nothing is released, and no value at all after that: the count belongs to scaling then."""
        return None if self.condition_id is None else self._or_zero(_NO_VALUE)

    def capacity(self, tasks: int) -> float:
        """Zero while nothing is released, ``tasks`` after that."""
        return tasks if self.condition_id is None else self._or_zero(tasks)

    def state(self) -> str:
        """``DISABLED`` while nothing is released, ``ENABLED`` after that."""
        if self.condition_id is None:
            return "ENABLED"
        return Token.as_string(_either(self.condition_id, "ENABLED", "DISABLED"))

    def _or_zero(self, value: int | dict[str, str]) -> float:
        assert self.condition_id is not None
        return Token.as_number(_either(self.condition_id, value, 0))


def _either(condition: str, value: object, otherwise: object) -> dict[str, list[object]]:
    """As data, which CDK needs no call for."""
    return {"Fn::If": [condition, value, otherwise]}
