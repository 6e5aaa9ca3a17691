"""What release commands must know of a service, written by the stack that knows it (lessons Q5, Q7, W6)."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.delivery.release_pipeline import check_settings
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import delivery_settings_name


class DeliverySettingsParameter(Construct):
    """The SSM parameter ``/moorings/<application>/<environment>/<service>/delivery`` (lessons Q5, Q7, W6).

    It belongs in the stack of the service: it holds the names that CloudFormation gave to cluster, service and target
    group, so that a command in a terminal and one in CodeBuild act on the same. It holds no secret. A release does not
    change it.

    Args:
        settings: the settings; names of the stack's own resources may be Tokens.

    Attributes:
        parameter: the parameter.

    Raises:
        ValueError: settings that are none, a name that could collide with another, or a Token where a name is needed.
    """

    def __init__(self, scope: Construct, id: str, *, settings: DeliverySettings) -> None:
        check_settings(settings)
        super().__init__(scope, id)
        self.parameter = ssm.CfnParameter(
            self,
            "Resource",
            name=delivery_settings_name(settings.application, settings.environment, settings.service),
            description="What release commands must know of the service. CloudFormation writes it; do not edit it.",
            type="String",
            value=settings.to_json(),
        )
