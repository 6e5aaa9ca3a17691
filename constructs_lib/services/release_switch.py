"""What a service runs, and whether it runs at all (lesson Q3).

A service whose digest comes from a parameter stands with zero tasks until the first release. After it, the template
holds no desired count, so a deployment never undoes what scaling did.
"""

from __future__ import annotations

from aws_cdk import CfnCondition, CfnOutput, CfnParameter, Fn
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from constructs_lib.naming import NOT_RELEASED
from constructs_lib.services.capacity import Capacity
from constructs_lib.services.policy import FixedDigest, ReleasedDigest

# No image has this digest, so nothing could start by accident; a task definition must name one.
_NO_IMAGE = "sha256:" + "0" * 64
_NO_VALUE = {"Ref": "AWS::NoValue"}


class ReleaseSwitch(Construct):
    """The digest of a service, and the condition under which it has one.

    Attributes:
        digest: the digest, perhaps a Token.
        condition_id: logical id of the condition that is true after the first release; ``None`` for a fixed digest.
    """

    def __init__(self, scope: Construct, id: str, *, source: FixedDigest | ReleasedDigest) -> None:
        super().__init__(scope, id)
        self.digest: str
        self.condition_id: str | None = None
        if isinstance(source, FixedDigest):
            self.digest = source.digest
            return
        parameter = CfnParameter(
            self,
            "Digest",
            type="AWS::SSM::Parameter::Value<String>",
            default=source.parameter_name,
            description="Name of the parameter that holds the digest to run; a release writes its value",
        )
        value = parameter.value_as_string
        condition = CfnCondition(
            self, "Released", expression=Fn.condition_not(Fn.condition_equals(value, NOT_RELEASED))
        )
        self.condition_id = condition.logical_id
        self.digest = Fn.condition_if(self.condition_id, value, _NO_IMAGE).to_string()
        CfnOutput(
            self,
            "Running",
            description="The digest that the service runs",
            value=Fn.condition_if(
                self.condition_id, value, "no release yet: the service stands with zero tasks and its alarms are quiet"
            ).to_string(),
        )

    def hold_at_zero(self, service: ecs.FargateService, scaling: ecs.ScalableTaskCount, capacity: Capacity) -> None:
        """Keeps service and scaling at zero tasks while nothing is released; then leaves the count to scaling."""
        if self.condition_id is None:
            return
        resource = service.node.find_child("Service")
        assert isinstance(resource, ecs.CfnService)
        resource.add_property_override("DesiredCount", {"Fn::If": [self.condition_id, _NO_VALUE, 0]})
        target = scaling.node.find_child("Target").node.default_child
        assert isinstance(target, autoscaling.CfnScalableTarget)
        target.add_property_override("MinCapacity", {"Fn::If": [self.condition_id, capacity.min_tasks, 0]})
        target.add_property_override("MaxCapacity", {"Fn::If": [self.condition_id, capacity.max_tasks, 0]})
