"""What a service may have beside that, as a plain CDK app, written by hand: the yardstick for lessons W1, T2 and T3.

The first service calls the last through Service Connect, and its sockets are counted. The last has a configuration in
AppConfig, with a copy. As in :mod:`benchmarks.plain_app`, no construct of this library is used; the agents' settings
and the code of the functions are taken from there as data. AppConfig is made of L1s: what its L2s make inside cannot be
retained without looking it up again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from aws_cdk import Duration, Fn, IgnoreMode, RemovalPolicy, Size
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from benchmarks.features import (
    AGENT_DIGEST,
    AGENTS_ACCOUNT,
    APPCONFIG_AGENT,
    CLOUDWATCH_AGENT,
    CONTENT,
    SCHEMA,
    agent_image,
)
from benchmarks.plain_app import MIN_TASKS, PORT, TIMEOUTS, ServicesStack, mounts
from benchmarks.plain_base import (
    APPLICATION,
    KEEP,
    REGION,
    ROOT,
    One,
    Reckoned,
    Topics,
    Watched,
    alarm,
    allow,
    warm_up,
)
from constructs_lib.services.configuration.policy import agent_settings, agent_url, client_settings, copy_key
from constructs_lib.services.sockets.agent_config import WRITABLE_PATHS, agent_environment
from constructs_lib.services.sockets.socket_metrics import METRIC_NAMES, NAMESPACE, SocketMetrics, SocketSource

INGRESS_PORT: Final = 10_000
ROOM: Final = 55_296
"""Ports that a task opens connections from."""

_USED_UP: Final = -(-ROOM * 8 // 10)
_HALF_USED: Final = ROOM // 2

_FASTER: Final = {"UPSTREAM_TIMEOUT": "5", "REQUEST_TIMEOUT": "10"}
_SOCKETS: Final = {f"agent-{number}": one.path for number, one in enumerate(WRITABLE_PATHS)}
_COPY: Final = {"copy": "/var/lib/moorings"}
_BACKUPS: Final = {"backups": "/backups"}


class FeaturesStack(ServicesStack):
    """The services, of which the first calls the last."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: str,
        services: Sequence[str],
        *,
        vpc: ec2.IVpc,
        topics: Topics,
        elsewhere: Sequence[Watched],
    ) -> None:
        self._caller, *_, self._called = services
        super().__init__(scope, id, environment, services, vpc=vpc, topics=topics, elsewhere=elsewhere)

    def _more(self) -> None:
        self._connect()
        self._watch_sockets()
        self._compare_sockets()
        self._watch_copy()

    @staticmethod
    def endpoints() -> dict[str, ec2.InterfaceVpcEndpointAwsService]:
        """Metrics and configurations do not go through the NAT gateways either."""
        return {
            **ServicesStack.endpoints(),
            "monitoring": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING,
            "appconfigdata": ec2.InterfaceVpcEndpointAwsService.APPCONFIGDATA,
        }

    def _environment(self, name: str) -> Mapping[str, str]:
        if name == self._caller:
            prefix = f"MOORINGS_{self._called.upper().replace('-', '_')}"
            return {**TIMEOUTS, f"{prefix}_URL": f"http://{self._called}", f"{prefix}_CALL_SECONDS": "10"}
        self._configure(name)
        return {**TIMEOUTS, **_FASTER, **client_settings(agent_url(*self._ids), self._copy_uri)}

    def _upstream_seconds(self, name: str) -> int:
        return super()._upstream_seconds(name) if name == self._caller else int(_FASTER["UPSTREAM_TIMEOUT"])

    def _port(self, name: str) -> ecs.PortMapping:
        if name == self._caller:
            return ecs.PortMapping(container_port=PORT)
        http = ecs.AppProtocol.http  # CDK types it as a function
        return ecs.PortMapping(container_port=PORT, name=name, app_protocol=http)  # type: ignore[arg-type]

    def _writable(self, name: str) -> Mapping[str, str]:
        return super()._writable(name) if name == self._caller else {**super()._writable(name), **_COPY}

    def _beside(self, name: str, task: ecs.FargateTaskDefinition, linux: ecs.LinuxParameters) -> None:
        if name == self._caller:
            told = agent_environment(
                SocketMetrics(image=agent_image(CLOUDWATCH_AGENT)),
                SocketSource(application=APPLICATION, environment=self.env_name, service=name),
            )
            self._agent(task, linux, CLOUDWATCH_AGENT, environment=told, writable=_SOCKETS, memory=256)
            statements = [
                iam.PolicyStatement(
                    actions=["cloudwatch:PutMetricData"],
                    resources=["*"],
                    conditions={"StringEquals": {"cloudwatch:namespace": NAMESPACE}},
                )
            ]
        else:
            self._agent(task, linux, APPCONFIG_AGENT, environment=agent_settings(*self._ids), writable=_BACKUPS)
            application, environment, profile = self._ids
            statements = [
                allow(
                    [f"{self._appconfig}{application}/environment/{environment}/configuration/{profile}"],
                    "appconfig:StartConfigurationSession",
                    "appconfig:GetLatestConfiguration",
                ),
                allow([f"{self._copy_arn}/{copy_key(APPLICATION, self.env_name, name)}"], "s3:GetObject"),
            ]
        for statement in statements:
            task.add_to_task_role_policy(statement)

    def _agent(
        self,
        task: ecs.FargateTaskDefinition,
        linux: ecs.LinuxParameters,
        name: str,
        *,
        environment: Mapping[str, str],
        writable: Mapping[str, str],
        memory: int | None = None,
    ) -> None:
        repository = ecr.Repository.from_repository_attributes(
            self,
            f"{name}-repository",
            repository_name=name,
            repository_arn=f"arn:aws:ecr:{REGION}:{AGENTS_ACCOUNT}:repository/{name}",
        )
        for volume in writable:
            task.add_volume(name=volume)
        container = task.add_container(
            name,
            image=ecs.ContainerImage.from_ecr_repository(repository, AGENT_DIGEST),
            essential=False,
            memory_limit_mib=memory,
            environment=environment,
            logging=self._logs(name),
            linux_parameters=linux,
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(30),
            enable_restart_policy=True,
            restart_attempt_period=Duration.seconds(60),
        )
        container.add_mount_points(*mounts(writable))

    def _logs(self, name: str) -> ecs.LogDriver:
        return ecs.LogDrivers.aws_logs(
            stream_prefix=name,
            log_group=logs.LogGroup(
                self, f"{name}-logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=KEEP
            ),
            mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            max_buffer_size=Size.mebibytes(25),
        )

    def _connect(self) -> None:
        namespace = servicediscovery.HttpNamespace(
            self, "Calls", name=f"{APPLICATION}--{self.env_name}--services", description="Services that call each other"
        ).namespace_id
        caller, called = self._services[self._caller], self._services[self._called]
        offered = ecs.ServiceConnectService(
            port_mapping_name=self._called,
            discovery_name=self._called,
            dns_name=self._called,
            port=80,
            ingress_port_override=INGRESS_PORT,
            idle_timeout=Duration.seconds(60),
            per_request_timeout=Duration.seconds(10),
        )
        for name, service, offers in ((self._caller, caller, None), (self._called, called, [offered])):
            service.enable_service_connect(
                # A reference to the ARN would let CloudFormation read the namespace in each release.
                namespace=f"arn:aws:servicediscovery:{self._place}:namespace/{namespace}",
                log_driver=self._logs(f"{name}-proxy"),
                services=offers,
            )
        called.connections.allow_from(caller, ec2.Port.tcp(INGRESS_PORT), f"Calls of {self._called}")
        # A task finds only what was there when its deployment began.
        self._resources[self._caller].add_resource_dependency(self._resources[self._called])
        on_calls = {
            "ClusterName": self._cluster_name,
            "ServiceName": self.service_names[self._caller],
            "TargetDiscoveryName": self._called,
        }
        alarms = self._alarms[self._caller]
        errors = Reckoned(
            namespace="AWS/ECS",
            metrics=[(f"HTTPCode_Target_{number}XX_Count", on_calls) for number in (5, 2, 3, 4)],
            statistic="Sum",
            expression="IF((m0)>=5,(m0)/(m1+m2+m3+m0),0)",
        )
        alarms.felt(f"{self._called}-answers-errors", errors, 0.05)
        slow = One(namespace="AWS/ECS", name="TargetResponseTime", dimensions=on_calls, statistic="Average")
        alarms.notice(f"{self._called}-answers-slowly", slow, 5000, 5)

    def _watch_sockets(self) -> None:
        on_task = {"Application": APPLICATION, "Environment": self.env_name, "Service": self._caller}
        until = self._alarms[self._caller].until
        ignored = Fn.condition_if(until.released, "ignore", "notBreaching").to_string()
        for what, limit, periods, pages in (
            ("ports-nearly-used-up", _USED_UP, 1, True),
            ("ports-half-used", _HALF_USED, 3, False),
        ):
            alarm(
                self,
                self._caller,
                what,
                metric=_sum_of_sockets(on_task),
                threshold=limit,
                periods=periods,
                missing=ignored,
                topics=self._topics,
                pages=pages,
                until=until,
            )
        minutes = {"WarmUpPeriodDurationInMinutes": 20, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}
        alarm(
            self,
            self._caller,
            "sockets-unseen",
            metric=One(namespace=NAMESPACE, name=METRIC_NAMES[0], dimensions=on_task, statistic="SampleCount"),
            threshold=MIN_TASKS,
            periods=10,
            below=True,
            missing=until.breaching,
            warm=Fn.condition_if(until.released, minutes, {"Ref": "AWS::NoValue"}),
            topics=self._topics,
            pages=False,
            until=until,
        )
        self._shown[self._caller] = replace(
            self._shown[self._caller], sockets=METRIC_NAMES, used_up=_USED_UP, half_used=_HALF_USED
        )

    def _compare_sockets(self) -> None:
        service = f"{self._cluster_name}/{self.service_names[self._caller]}"
        told = {
            "application": APPLICATION,
            "environment": self.env_name,
            "namespace": NAMESPACE,
            "sockets": list(METRIC_NAMES),
            "threshold": 1.5,
            "requests": 1000,
            "services": [
                [
                    self._caller,
                    self._cluster_name,
                    self.service_names[self._caller],
                    self._caller,
                    [self._target_groups[self._caller]],
                ]
            ],
        }
        self._function(
            "compare-sockets",
            folder="ports",
            description="Compares sockets per request with those before the last release",
            may="Reads deployments and metrics to compare sockets",
            permissions=[
                allow([f"arn:aws:ecs:{self._place}:service/{service}"], "ecs:ListServiceDeployments"),
                allow(
                    [f"arn:aws:ecs:{self._place}:service{each}" for each in (f"/{service}", f"-revision/{service}/*")],
                    "ecs:DescribeServiceRevisions",
                ),
                allow(["*"], "cloudwatch:GetMetricData"),
            ],
            environment={"MOORINGS_SOCKETS": json.dumps(told)},
            every_minutes=15,
            timeout_minutes=5,
        )
        on_environment = {"Application": APPLICATION, "Environment": self.env_name}
        alarm(
            self,
            self._caller,
            "more-sockets-than-before",
            metric=One(
                namespace="Moorings",
                name="SocketsPerRequestChange",
                dimensions={**on_environment, "Service": self._caller},
                statistic="Maximum",
                period=1800,
            ),
            threshold=1.5,
            topics=self._topics,
        )
        alarm(
            self,
            "ports",
            "sockets-not-compared",
            metric=One(
                namespace="Moorings",
                name="SocketComparisonsFailed",
                dimensions=on_environment,
                statistic="Maximum",
                period=900,
            ),
            threshold=1,
            periods=4,
            missing="breaching",
            warm=warm_up(60),
            topics=self._topics,
            pages=False,
        )

    def _configure(self, name: str) -> None:
        full_name = f"{APPLICATION}-{self.env_name}-{name}"
        application = appconfig.CfnApplication(self, "Configuration", name=full_name)
        application_id = application.ref
        self._configured = environment = appconfig.CfnEnvironment(
            self,
            "ConfigurationEnvironment",
            application_id=application_id,
            name=self.env_name,
            monitors=[
                appconfig.CfnEnvironment.MonitorsProperty(
                    # A reference would let CloudFormation look at AppConfig whenever a release changes the alarm.
                    alarm_arn=f"arn:aws:cloudwatch:{self._place}:alarm:{APPLICATION}/{self.env_name}/{name}/application-errors",
                    alarm_role_arn=self._reads_alarms(),
                )
            ],
        )
        environment_id = environment.ref
        profile = appconfig.CfnConfigurationProfile(
            self,
            "ConfigurationProfile",
            application_id=application_id,
            name=name,
            location_uri="hosted",
            type="AWS.Freeform",
            validators=[
                appconfig.CfnConfigurationProfile.ValidatorsProperty(type="JSON_SCHEMA", content=SCHEMA),
            ],
        )
        profile_id = profile.ref
        version = appconfig.CfnHostedConfigurationVersion(
            self,
            "ConfigurationContent",
            application_id=application_id,
            configuration_profile_id=profile_id,
            content=CONTENT,
            content_type="application/json",
        )
        deployment = appconfig.CfnDeployment(
            self,
            "ConfigurationDeployment",
            application_id=application_id,
            environment_id=environment_id,
            configuration_profile_id=profile_id,
            configuration_version=version.ref,
            deployment_strategy_id=appconfig.CfnDeploymentStrategy(
                self,
                "ConfigurationStrategy",
                name=full_name,
                replicate_to="NONE",
                deployment_duration_in_minutes=10,
                growth_type="LINEAR",
                growth_factor=20,
                final_bake_time_in_minutes=10,
            ).ref,
        )
        for resource in (application, environment, profile, version, deployment):
            resource.apply_removal_policy(RemovalPolicy.RETAIN)
        self._ids = (application_id, environment_id, profile_id)
        self._appconfig = f"arn:aws:appconfig:{self._place}:application/"
        self._copy(name)

    def _reads_alarms(self) -> str:
        return iam.Role(
            self,
            "ReadsAlarms",
            assumed_by=iam.ServicePrincipal("appconfig.amazonaws.com"),
            description="AppConfig reads the state of alarms, to take a deployment back",
            inline_policies={
                "Alarms": iam.PolicyDocument(
                    statements=[allow([f"arn:aws:cloudwatch:{self._place}:alarm:*"], "cloudwatch:DescribeAlarms")]
                )
            },
        ).role_arn

    def _copy(self, name: str) -> None:
        bucket = s3.Bucket(
            self,
            "Copy",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(id="replaced-copies", noncurrent_version_expiration=Duration.days(30)),
            ],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=KEEP,
        )
        arn, bucket_name, key = bucket.bucket_arn, bucket.bucket_name, copy_key(APPLICATION, self.env_name, name)
        application_id, environment_id, profile_id = self._ids
        application = f"{self._appconfig}{application_id}"
        profile = f"{application}/configurationprofile/{profile_id}"
        role = self._function(
            "copy-configuration",
            folder="configuration",
            description="Keeps the last good copy of a configuration",
            may="Copies a configuration for tasks that start while AppConfig is down",
            permissions=[
                allow([application, f"{application}/environment/{environment_id}"], "appconfig:ListDeployments"),
                allow(
                    [application, profile, f"{profile}/hostedconfigurationversion/*"],
                    "appconfig:GetHostedConfigurationVersion",
                ),
                allow([f"{arn}/{key}"], "s3:GetObject", "s3:PutObject"),
                allow([arn], "s3:ListBucket"),
            ],
            environment={
                "MOORINGS_COPY": json.dumps(
                    {
                        "application": APPLICATION,
                        "environment": self.env_name,
                        "profile": name,
                        "application_id": application_id,
                        "environment_id": environment_id,
                        "profile_id": profile_id,
                        "bucket": bucket_name,
                        "key": key,
                    }
                )
            },
            every_minutes=5,
            timeout_minutes=3,
        )
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["s3:PutObject"],
                resources=[f"{arn}/*"],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": role.role_arn}},
            )
        )
        self._copy_arn, self._copy_uri = arn, f"s3://{bucket_name}/{key}"

    def _watch_copy(self) -> None:
        # Its actions are disabled until the first release, and AppConfig leaves the first deployment alone.
        self._configured.add_resource_dependency(self._alarms[self._called].made["application-errors"])
        alarm(
            self,
            self._called,
            "configuration-copy",
            metric=One(
                namespace="Moorings",
                name="CopyAgeMinutes",
                dimensions={"Application": APPLICATION, "Environment": self.env_name, "Configuration": self._called},
                statistic="Maximum",
                period=300,
            ),
            threshold=20,
            periods=3,
            missing="breaching",
            warm=warm_up(15),
            topics=self._topics,
            pages=False,
        )

    def _function(
        self,
        id: str,
        *,
        folder: str,
        description: str,
        may: str,
        permissions: Sequence[iam.PolicyStatement],
        environment: Mapping[str, str],
        every_minutes: int,
        timeout_minutes: int,
    ) -> iam.Role:
        """A function that a schedule calls; its role."""
        log_group = logs.LogGroup(
            self, f"{id}-logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        writes = allow([log_group.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents")
        role = iam.Role(
            self,
            f"{id}-role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=may,
            inline_policies={"Allowed": iam.PolicyDocument(statements=[*permissions, writes])},
        )
        function = lambda_.Function(
            self,
            id,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(ROOT / "constructs_lib" / "services" / folder),
                exclude=["*", "!/runtime/", "!/runtime/*.py"],
                ignore_mode=IgnoreMode.GIT,
            ),
            handler="runtime.handler.main",
            memory_size=256,
            timeout=Duration.minutes(timeout_minutes),
            environment=environment,
            role=role,
            log_group=log_group,
        )
        events.Rule(
            self,
            f"{id}-schedule",
            description=description,
            schedule=events.Schedule.rate(Duration.minutes(every_minutes)),
            targets=[targets.LambdaFunction(function)],
        )
        return role


def _sum_of_sockets(on_task: dict[str, str]) -> Reckoned:
    return Reckoned(
        namespace=NAMESPACE,
        metrics=[(name, on_task) for name in METRIC_NAMES],
        statistic="Maximum",
        expression="+".join(f"m{number}" for number in range(len(METRIC_NAMES))),
    )
