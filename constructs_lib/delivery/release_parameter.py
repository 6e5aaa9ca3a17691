"""The parameter that holds the digest which a service runs (lessons Q3, Q5, W4)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aws_cdk import ArnFormat, CustomResource, Duration, IgnoreMode, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib.delivery.permissions import log_permissions
from constructs_lib.naming import release_parameter_name

RESOURCE_TYPE: Final = "Custom::MooringsReleaseParameter"
_FUNCTION: Final = "MooringsReleaseParameters"  # the id, in a stack, of the function that its parameters share


class ReleaseParameter(Construct):
    """Makes ``/moorings/<application>/<environment>/<service>/digest`` if it is absent, and then leaves it alone.

    The value is ``none`` until the first release; a release writes a digest. CloudFormation never writes it again:
    a forgotten plain parameter would fall back to its default, and a parameter that CloudFormation owns is written
    back to its template's value, so either could roll a released service back or stop it (lessons Q5, W4). SSM refuses
    every value that is neither ``none`` nor a digest, so nobody can release a tag that moves (lesson Q3).

    - Created: an existing value is kept, so a stack can be deleted and made again.
    - Updated: the parameter must be there. If it is gone the update fails and says how to restore it; ``none`` is not
      written silently, because that would scale a released service to zero.
    - Deleted: the parameter stays.

    A template that reads the parameter (``AWS::SSM::Parameter::Value<String>``) is resolved before anything in its
    stack is made, so it must be **another stack, deployed after this one**: call ``add_dependency`` on it.

    All release parameters of a stack share one Python function (arm64, 128 MB, 60 seconds, log kept 90 days). Its role
    may read and put exactly these parameters and write to its own log group.

    Args:
        application: the application, such as ``shop``.
        environment: the environment, such as ``staging``.
        service: the service, such as ``web``.

    Attributes:
        parameter_name: the parameter's name, concrete.

    Raises:
        ValueError: a name that could collide with another, or a Token.
    """

    def __init__(self, scope: Construct, id: str, *, application: str, environment: str, service: str) -> None:
        self.parameter_name = release_parameter_name(application, environment, service)
        super().__init__(scope, id)
        stack = Stack.of(self)
        function = _shared_function(stack)
        arn = stack.format_arn(
            service="ssm",
            resource="parameter",
            resource_name=self.parameter_name.removeprefix("/"),
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        # To the role's own policy, which the function waits for, and not with `add_to_role_policy`: with the feature
        # flag `createNewPoliciesWithAddToRolePolicy` that makes a policy which nothing waits for.
        role = function.role
        assert isinstance(role, iam.Role)  # narrows jsii's type
        role.add_to_policy(iam.PolicyStatement(actions=["ssm:GetParameter", "ssm:PutParameter"], resources=[arn]))
        CustomResource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            service_token=function.function_arn,
            # Two tries that hang take two minutes; without this CloudFormation waits for an hour.
            service_timeout=Duration.minutes(5),
            properties={"Name": self.parameter_name},
        )


def runtime_code(folder: Path) -> lambda_.Code:
    """The package ``runtime`` of ``folder`` as a Lambda asset: its ``.py`` files and nothing else.

    What Python leaves beside them (``__pycache__``) differs from machine to machine and must not change the asset.
    """
    return lambda_.Code.from_asset(
        str(folder), exclude=["*", "!/runtime/", "!/runtime/*.py"], ignore_mode=IgnoreMode.GIT
    )


def _shared_function(stack: Stack) -> lambda_.Function:
    """The one function of a stack, made by its first release parameter."""
    found = stack.node.try_find_child(_FUNCTION)
    if found is not None:
        assert isinstance(found, lambda_.Function)  # narrows jsii's type
        return found
    log_group = logs.LogGroup(
        stack, f"{_FUNCTION}Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
    )
    role = iam.Role(
        stack,
        f"{_FUNCTION}Role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description="Makes release parameters if they are absent",
        inline_policies={"Logs": iam.PolicyDocument.from_json(log_permissions(log_group.log_group_arn))},
    )
    return lambda_.Function(
        stack,
        _FUNCTION,
        description="Makes release parameters if they are absent, and never writes them again",
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        code=runtime_code(Path(__file__).parent),
        handler="runtime.handler.main",
        timeout=Duration.seconds(60),
        role=role,
        log_group=log_group,
    )
