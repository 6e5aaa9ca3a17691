"""The parameter that holds the digest which a service runs (lessons Q3, Q5, W4)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aws_cdk import ArnFormat, CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.checks import invalid
from constructs_lib.delivery.permissions import parameter_permissions
from constructs_lib.naming import release_parameter_name
from constructs_lib.runtime_code import runtime_code

RESOURCE_TYPE: Final = "Custom::MooringsReleaseParameter"


class ReleaseParameters(Construct):
    """Makes ``/moorings/<application>/<environment>/<service>/digest`` if it is absent, and then leaves it alone.

    The value is ``none`` until the first release; a release writes a digest. CloudFormation never writes it again:
    a forgotten plain parameter would fall back to its default, and a parameter that CloudFormation owns is written
    back to its template's value, so either could roll a released service back or stop it (lessons Q5, W4). SSM refuses
    every value that is neither ``none`` nor a digest, so nobody can release a tag that moves (lesson Q3).

    - Created: an existing value is kept, so a stack can be deleted and made again.
    - Updated: the parameter must be there. If it is gone the update fails and says how to restore it; ``none`` is not
      written silently, because that would scale a released service to zero.
    - Deleted: the parameter stays.

    A template that reads a parameter (``AWS::SSM::Parameter::Value<String>``) is resolved before anything in its stack
    is made, so it must be **another stack, deployed after this one**: call ``add_stack_dependency`` on it.

    One Python function (arm64, 128 MB, 60 seconds, log kept 90 days) makes all parameters of the construct. Its role
    may read and put exactly these parameters and write to its own log group.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``staging``.
        services: the services, such as ``["web"]``; at least one.

    Attributes:
        parameter_names: the name of each service's parameter, concrete.

    Raises:
        ValueError: no service, the same one twice, a name that could collide with another, or a Token.
    """

    def __init__(
        self, scope: Construct, id: str, *, application: str, environment: str, services: Sequence[str]
    ) -> None:
        if isinstance(services, str) or not services or len(set(services)) != len(services):
            raise invalid("services", services, "a list of at least one service, all different", "pass such as ['web']")
        self.parameter_names: dict[str, str] = {
            service: release_parameter_name(application, environment, service) for service in services
        }
        super().__init__(scope, id)
        function_arn = self._function(scope).function_arn
        # Two tries that hang take two minutes; without this CloudFormation waits for an hour.
        limit = Duration.minutes(5)
        for service, name in self.parameter_names.items():
            CustomResource(
                self,
                service,
                resource_type=RESOURCE_TYPE,
                service_token=function_arn,
                service_timeout=limit,
                properties={"Name": name},
            )

    def _function(self, scope: Construct) -> lambda_.Function:
        stack = scope if isinstance(scope, Stack) else Stack.of(scope)
        prefix = stack.format_arn(service="ssm", resource="parameter", arn_format=ArnFormat.NO_RESOURCE_NAME)
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        # Part of the role and no policy beside it, so that it is there before the function is called.
        permissions = parameter_permissions(
            [prefix + name for name in self.parameter_names.values()], log_group.log_group_arn
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Makes release parameters if they are absent",
            inline_policies={"Parameters": iam.PolicyDocument.from_json(permissions)},
        )
        return lambda_.Function(
            self,
            "Resource",
            description="Makes release parameters if they are absent, and never writes them again",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=runtime_code(Path(__file__).parent),
            handler="runtime.handler.main",
            timeout=Duration.seconds(60),
            role=role,
            log_group=log_group,
        )
