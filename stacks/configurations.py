"""Configurations of services that go on when AppConfig is down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.naming import alarm_name
from constructs_lib.observability.notification.topics import Topics
from constructs_lib.places import arns_of
from constructs_lib.services.configuration.fail_static_config import FailStaticConfig
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from stacks.alarms import watch
from stacks.config import EnvironmentConfig, ServiceConfig

_TAKES_BACK: Final = "application-errors"
"""The page whose alarm takes a deployment of a configuration back. Its actions are disabled until the first release,
and AppConfig then leaves a deployment alone
(https://docs.aws.amazon.com/appconfig/latest/userguide/monitoring-deployments.html): otherwise a new alarm, which is in
``INSUFFICIENT_DATA`` at first, would take the first deployment back. It names no ECS service, so the tasks may wait for
the configuration and it for the alarm. A worker's alarms all name its service, so none of them can."""


def configure(
    stack: Stack,
    config: EnvironmentConfig,
    services: Mapping[str, FargateWebService | FargateWorker],
    topics: Topics,
    rollouts: Construct | None,
    watched: Sequence[tuple[AlarmSpec, cloudwatch.CfnAlarm]],
) -> tuple[AlarmSpec, ...]:
    """Gives each service the configuration that its config names, and gives back what is watched of it.

    Call it when the services' alarms are made.

    Args:
        stack: the services' stack.
        config: the environment.
        services: the services' constructs, by name.
        topics: where alarms are sent.
        rollouts: where contents and deployments are made.
        watched: the services' alarms, with what they are.
    """
    pages = {spec.component: alarm for spec, alarm in watched if spec.what == _TAKES_BACK}
    alarms: list[AlarmSpec] = []
    for service in config.services:
        if service.configuration is not None:
            made = services[service.name]
            page = pages[service.name] if isinstance(made, FargateWebService) else None
            alarms.extend(_configure(stack, config, service, made, page, rollouts))
    if alarms:
        watch(stack, config, alarms, topics, id="ConfigurationAlarms")
    return tuple(alarms)


def _configure(
    stack: Stack,
    config: EnvironmentConfig,
    service: ServiceConfig,
    made: FargateWebService | FargateWorker,
    page: cloudwatch.CfnAlarm | None,
    rollouts: Construct | None,
) -> tuple[AlarmSpec, ...]:
    asked = service.configuration
    assert asked is not None, "it is asked for"
    settings = FailStaticConfig(
        stack,
        f"{service.name}-configuration",
        application=config.application,
        environment=config.name,
        profile=service.name,
        schema=asked.schema,
        content=asked.content,
        deployment=asked.deployment,
        rollback_alarms=[_alarm_arn(stack, config, service)] if page is not None else (),
        rollout=rollouts,
    )
    if page is not None:
        # The ARN is a text and no reference, and the order is said: when a release changes the alarm, CloudFormation
        # has no reason to look at AppConfig, which the release's role may not touch.
        settings.environment.add_resource_dependency(page)
    settings.attach(made.task, agent_image=asked.agent_image)
    return settings.alarms


def _alarm_arn(stack: Stack, config: EnvironmentConfig, service: ServiceConfig) -> str:
    name = alarm_name(config.application, config.name, service.name, _TAKES_BACK)
    return arns_of(stack).of("cloudwatch", f"alarm:{name}")
