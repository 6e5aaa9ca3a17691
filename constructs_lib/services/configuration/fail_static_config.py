"""A configuration that services keep when its source is down (lesson T2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid
from constructs_lib.iam_policy import PolicyDocument, document
from constructs_lib.places import arns_of
from constructs_lib.services.configuration.agent import add_agent, application_container, tell_application
from constructs_lib.services.configuration.alarms import copy_alarm
from constructs_lib.services.configuration.last_good_copy import LastGoodCopy, Source
from constructs_lib.services.configuration.policy import (
    ConfigurationDeployment,
    agent_settings,
    agent_url,
    check_content,
    check_names,
    client_settings,
)
from constructs_lib.services.policy import pinned_image
from constructs_lib.services.task.fargate_task import FargateTask

_MOST_ALARMS: Final = 5
"""AppConfig's limit of an environment
(https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_CreateEnvironment.html)."""

_GRADUAL: Final = ConfigurationDeployment()


class FailStaticConfig(Construct):
    """A JSON configuration in AppConfig, and a copy for tasks that start while AppConfig is down (lesson T2).

    It is deployed gradually, and AppConfig goes back when an alarm tells. Tasks ask the agent beside them. A function
    copies to S3 what was deployed to the end, and nothing else. No secrets: see ``policy.py``. Where the copy lives,
    and why, is in ``docs/decisions/0019-where-the-last-good-copy-lives.md``; what CloudFormation does with a deployment
    is in ``docs/lessons/T2-fail-static-configuration.md``.

    One construct makes one AppConfig application with one environment and one profile: AppConfig has one deployment of
    an environment at a time. All of it stays when the stack goes, and so does the bucket.

    Args:
        id: its id.
        application: the application, such as ``shop``.
        environment: the environment, such as ``staging``.
        profile: what the configuration is called, such as the service that reads it, ``web``; the three have 62
            characters together.
        schema: the text of a JSON Schema (draft 4) that AppConfig checks each version against.
        content: the text of the configuration, a JSON object of at most 128 KiB; another one is deployed when it
            changes.
        deployment: how slowly; 10 minutes in steps of 20 %, and 10 minutes of watching, by default.
        rollback_alarms: ARNs of at most 5 metric alarms of CloudWatch whose state takes a deployment back; none by
            default. A composite one is seen only by who may describe ``*``
            (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html), and AppConfig
            may not. It also goes back on ``INSUFFICIENT_DATA``, the state of an alarm that was just made: let an alarm
            exist for some minutes first, or have its actions disabled until there are tasks.
        notice_after_minutes: how long the copy may stay unconfirmed before somebody is told, 15 to 1440; 30 by default.
        rollout: where the content and its deployment are made, such as a stack of their own: CloudFormation may be busy
            with a stack for as long as a deployment takes, and a busy stack takes no release and no rollback of an
            image (lesson W4). ``None``, the default: here.

    Attributes:
        url: where the application asks the agent.
        copy_uri: where the copy is, ``s3://…``.
        environment: AppConfig's environment; make it depend on the alarms that are made in the same stack.
        copy: the copy, its bucket, function and role.
        alarms: what to watch, for :class:`constructs_lib.observability.alarms.Alarms`.

    Raises:
        ValueError: a wrong name or number, a text that is no JSON object or too large, too many alarms, or alarms
            without any time to watch them.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        profile: str,
        schema: str,
        content: str,
        deployment: ConfigurationDeployment = _GRADUAL,
        rollback_alarms: Sequence[str] = (),
        notice_after_minutes: int = 30,
        rollout: Construct | None = None,
    ) -> None:
        name = check_names(application, environment, profile)
        check_content(schema, content)
        _check_alarms(rollback_alarms, deployment)
        self.alarms: tuple[AlarmSpec, ...] = (
            copy_alarm(
                component=profile,
                application=application,
                environment=environment,
                profile=profile,
                notice_after_minutes=notice_after_minutes,
            ),
        )
        super().__init__(scope, id)
        stack = scope if isinstance(scope, Stack) else Stack.of(scope)
        here = arns_of(stack)
        made = appconfig.CfnApplication(self, "Resource", name=name)
        application_id = made.ref
        self.environment = appconfig.CfnEnvironment(
            self,
            "Environment",
            application_id=application_id,
            name=environment,
            monitors=self._monitors(rollback_alarms, here.of("cloudwatch", "alarm:*")),
        )
        environment_id = self.environment.ref
        validator = appconfig.CfnConfigurationProfile.ValidatorsProperty(type="JSON_SCHEMA", content=schema)
        self._profile = appconfig.CfnConfigurationProfile(
            self,
            "Profile",
            application_id=application_id,
            name=profile,
            location_uri="hosted",
            type="AWS.Freeform",
            validators=[validator],
        )
        profile_id = self._profile.ref
        there = self if rollout is None else Construct(rollout, id)
        version = appconfig.CfnHostedConfigurationVersion(
            there,
            "Content",
            application_id=application_id,
            configuration_profile_id=profile_id,
            content=content,
            content_type="application/json",
        )
        strategy = appconfig.CfnDeploymentStrategy(
            there,
            "Strategy",
            name=name,
            replicate_to="NONE",
            deployment_duration_in_minutes=deployment.minutes,
            growth_type="LINEAR",
            growth_factor=deployment.growth_percent,
            final_bake_time_in_minutes=deployment.bake_minutes,
        )
        deployed = appconfig.CfnDeployment(
            there,
            "Deployment",
            application_id=application_id,
            environment_id=environment_id,
            configuration_profile_id=profile_id,
            configuration_version=version.ref,
            deployment_strategy_id=strategy.ref,
        )
        # A version that was replaced is what AppConfig goes back to, and a profile that has versions cannot be deleted
        # (https://github.com/aws/aws-cdk/issues/26804). One that a stack goes back from may be in force by then, and
        # no AWS page says that RetainExceptOnCreate keeps it. So all stay, whatever fails.
        for resource in (made, self.environment, self._profile, version, deployed):
            _retain(resource)
        arn = here.of("appconfig", f"application/{application_id}")
        self._ids = (application_id, environment_id, profile_id)
        self._configuration_arn = f"{arn}/environment/{environment_id}/configuration/{profile_id}"
        self.copy = LastGoodCopy(
            self,
            "Copy",
            source=Source(
                application=application,
                environment=environment,
                profile=profile,
                application_id=application_id,
                environment_id=environment_id,
                profile_id=profile_id,
                application_arn=arn,
            ),
        )
        self.url = agent_url(*self._ids)
        self.copy_uri = f"s3://{self.copy.bucket_name}/{self.copy.key}"

    def attach(self, task: FargateTask | ecs.FargateTaskDefinition, *, agent_image: str) -> ecs.ContainerDefinition:
        """Puts the agent beside an application, and tells the application where to ask.

        The application's container is told ``MOORINGS_CONFIG_URL``, ``MOORINGS_CONFIG_COPY`` and
        ``MOORINGS_CONFIG_DIRECTORY``; the client in ``examples/fail_static`` reads them. The task's role may read this
        configuration and its copy.

        Args:
            task: of a service, a worker or a scheduled task; or a plain task definition with the application in it.
            agent_image: the agent's image by digest, best in a repository of your own: a task whose sidecar cannot be
                pulled does not start. From a private repository of ECR the execution role may then pull.

        Raises:
            ValueError: an image without a digest, a task without a container, or one that has a configuration already.
        """
        pinned_image("agent_image", agent_image)
        application = application_container(task)
        agent = add_agent(task, image=agent_image, environment=agent_settings(*self._ids))
        tell_application(task, application, client_settings(self.url, self.copy_uri))
        definition = task.definition if isinstance(task, FargateTask) else task
        # https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-containers-agent.html
        definition.add_to_task_role_policy(
            iam.PolicyStatement(
                actions=["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
                resources=[self._configuration_arn],
            )
        )
        definition.add_to_task_role_policy(
            iam.PolicyStatement(actions=["s3:GetObject"], resources=[f"{self.copy.bucket_arn}/{self.copy.key}"])
        )
        return agent

    def _monitors(
        self, alarm_arns: Sequence[str], any_alarm: str
    ) -> list[appconfig.CfnEnvironment.MonitorsProperty] | None:
        """The alarms, and the role by which AppConfig reads their state; no role without any alarm."""
        if not alarm_arns:
            return None
        # A description of alarms is authorized against all of them, even when it names some; AWS's own page allows "*"
        # (https://docs.aws.amazon.com/appconfig/latest/userguide/setting-up-appconfig.html).
        role = iam.CfnRole(
            self,
            "AlarmRole",
            assume_role_policy_document=_allow(
                {"Action": "sts:AssumeRole", "Principal": {"Service": "appconfig.amazonaws.com"}}
            ),
            description="AppConfig reads the state of alarms, to take a deployment back (lesson T2)",
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name="Alarms",
                    policy_document=_allow({"Action": "cloudwatch:DescribeAlarms", "Resource": any_alarm}),
                )
            ],
        ).attr_arn
        return [appconfig.CfnEnvironment.MonitorsProperty(alarm_arn=arn, alarm_role_arn=role) for arn in alarm_arns]


def _allow(statement: dict[str, object]) -> PolicyDocument:
    return document({"Effect": "Allow", **statement})


def _retain(resource: CfnResource) -> None:
    resource.apply_removal_policy(RemovalPolicy.RETAIN)


def _check_alarms(alarms: Sequence[str], deployment: ConfigurationDeployment) -> None:
    if isinstance(alarms, str) or not all(isinstance(one, str) and one for one in alarms):
        raise invalid("rollback_alarms", alarms, "a list of ARNs", "pass such as [alarm.alarm_arn]")
    if len(alarms) > _MOST_ALARMS:
        raise invalid("rollback_alarms", len(alarms), f"at most {_MOST_ALARMS}", "AppConfig watches no more")
    if alarms and not deployment.longest_minutes:
        raise invalid(
            "deployment", deployment, "longer than 0 minutes with rollback_alarms", "give it some bake_minutes"
        )
