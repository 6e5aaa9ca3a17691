"""What containers of a service are told."""

from __future__ import annotations

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from constructs_lib.naming import secret_parameter_name
from constructs_lib.services.task.container_settings import ContainerSettings
from stacks.config import EnvironmentConfig, ServiceConfig


def told(scope: Construct, service: ServiceConfig, config: EnvironmentConfig) -> ContainerSettings:
    """What the service's own container is told, and the one that runs before a release."""
    return ContainerSettings(
        environment=dict(service.environment),
        secrets={setting: _secret(scope, config, service, setting) for setting in service.secrets},
        writable_paths=service.writable_paths,
        kernel=config.kernel,
    )


def _secret(scope: Construct, config: EnvironmentConfig, service: ServiceConfig, setting: str) -> ecs.Secret:
    name = secret_parameter_name(config.application, config.name, service.name, setting)
    parameter = ssm.StringParameter.from_secure_string_parameter_attributes(
        scope, f"{service.name}-{setting}", parameter_name=name
    )
    return ecs.Secret.from_ssm_parameter(parameter)
