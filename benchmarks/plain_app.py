"""The same environment as a plain CDK app, written by hand: the yardstick.

It is what one would write without this library: a stage of seven stacks, CDK's own constructs, loops over the services.
It makes the same resources with the same properties, so it needs the same few overrides. It is kept lean: no construct
of its own around a service, nothing read twice, nothing read for later. It uses no construct of this library; the
buildspecs and the code of functions and buttons are taken from there as data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

import jsii
from aws_cdk import (
    Acknowledgment,
    Annotations,
    App,
    ArnFormat,
    Aspects,
    CfnCondition,
    CfnOutput,
    CfnParameter,
    CustomResource,
    Duration,
    Environment,
    Fn,
    IAspect,
    IgnoreMode,
    RemovalPolicy,
    Size,
    Stack,
    Stage,
    Tags,
    Validations,
)
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IConstruct

from benchmarks.plain_base import (
    APPLICATION,
    KEEP,
    REGION,
    ROOT,
    ZONES,
    One,
    PlainStack,
    Reckoned,
    Topics,
    Until,
    Watched,
    alarm,
    allow,
    dimensions_of,
    parameter_name,
    repository_name,
    warm_up,
)
from benchmarks.plain_dashboard import Shown, dashboard
from benchmarks.plain_observability import ObservabilityStack, ServiceAlarms
from constructs_lib.delivery.buildspec import buildspec, release_buildspec

CIDR: Final = "10.0.0.0/16"
PORT: Final = 8080
MIN_TASKS: Final = 3
MAX_TASKS: Final = 12
NO_IMAGE: Final = "sha256:" + "0" * 64
CHECK: Final = "import sys,urllib.request as r;sys.exit(r.urlopen(sys.argv[1],timeout=5).status!=200)"
TIMEOUTS: Final = {"UPSTREAM_TIMEOUT": "15", "REQUEST_TIMEOUT": "30", "KEEP_ALIVE": "75", "SHUTDOWN_TIMEOUT": "20"}
WHY: Final = {"capacity": ["3 to 12 tasks; two serve the peak, and one may be lost with its zone"]}


def plain_app(
    environments: Mapping[str, Sequence[str]],
    *,
    services_stack: type[ServicesStack] | None = None,
    validate: bool,
    outdir: str,
) -> App:
    """An environment for each name, with these services; not yet synthesized."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=flags, outdir=outdir, builtin_cloud_formation_validation=validate)
    for environment, services in environments.items():
        stage = PlainStage(app, environment, services, services_stack or ServicesStack)
        Tags.of(stage).add("application", APPLICATION)
        Tags.of(stage).add("environment", environment)
    return app


class PlainStage(Stage):
    """One environment."""

    def __init__(self, scope: Construct, id: str, services: Sequence[str], services_stack: type[ServicesStack]) -> None:
        super().__init__(scope, id, env=Environment(region=REGION))
        images = ImagesStack(self, "images", id, services)
        delivery = DeliveryStack(self, "delivery", id, services)
        observability = ObservabilityStack(self, "observability", id, services)
        topics = observability.topics
        retention = RetentionStack(self, "retention", id, services, topics=topics)
        network = NetworkStack(self, "network", id, topics=topics, endpoints=services_stack.endpoints())
        elsewhere = [*network.watched, *retention.watched, *observability.watched]
        running = services_stack(self, "services", id, services, vpc=network.vpc, topics=topics, elsewhere=elsewhere)
        # Names are no references, so the order must be said.
        delivery.add_stack_dependency(images)
        retention.add_stack_dependency(delivery)
        running.add_stack_dependency(delivery)
        buttons = ReleaseStack(
            self, "release", id, services, cluster_name=running.cluster_name, names=running.service_names
        )
        buttons.add_stack_dependency(running)


class ImagesStack(PlainStack):
    """The repositories."""

    def __init__(self, scope: Construct, id: str, environment: str, services: Sequence[str]) -> None:
        super().__init__(scope, id, environment)
        for service in services:
            ecr.Repository(
                self,
                service,
                repository_name=repository_name(self.env_name, service),
                image_scan_on_push=True,
                image_tag_mutability=ecr.TagMutability.IMMUTABLE_WITH_EXCLUSION,
                image_tag_mutability_exclusion_filters=[ecr.ImageTagMutabilityExclusionFilter.wildcard("pin-*")],
                encryption=ecr.RepositoryEncryption.KMS,
                removal_policy=RemovalPolicy.RETAIN,
                lifecycle_rules=[
                    ecr.LifecycleRule(
                        rule_priority=1,
                        description="Shield: an image with a pin is in use and is never expired",
                        tag_status=ecr.TagStatus.TAGGED,
                        tag_pattern_list=["pin-*"],
                        max_image_count=9999,
                    ),
                    ecr.LifecycleRule(
                        rule_priority=2,
                        description="Forget images without a pin after 30 days",
                        tag_status=ecr.TagStatus.TAGGED,
                        tag_pattern_list=["*"],
                        max_image_age=Duration.days(30),
                    ),
                    ecr.LifecycleRule(
                        rule_priority=3,
                        description="Forget untagged images after 30 days",
                        tag_status=ecr.TagStatus.UNTAGGED,
                        max_image_age=Duration.days(30),
                    ),
                ],
            )


class DeliveryStack(PlainStack):
    """A build project for each service, and the parameters that they are released through."""

    def __init__(self, scope: Construct, id: str, environment: str, services: Sequence[str]) -> None:
        super().__init__(scope, id, environment)
        build_spec = codebuild.BuildSpec.from_object(buildspec())
        for service in services:
            self._build(service, build_spec)
        function_arn = self._function(services).function_arn
        for service in services:
            CustomResource(
                self,
                f"{service}-release",
                resource_type="Custom::MooringsReleaseParameter",
                service_token=function_arn,
                service_timeout=Duration.minutes(5),
                properties={"Name": parameter_name(self.env_name, service)},
            )

    def _build(self, service: str, build_spec: codebuild.BuildSpec) -> None:
        name = repository_name(self.env_name, service)
        repository = ecr.Repository.from_repository_name(self, f"{service}-repository", name)
        log_group = logs.LogGroup(
            self, f"{service}-logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=KEEP
        )
        role = iam.Role(
            self,
            f"{service}-role",
            assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            description="Builds: may push to one repository and to no other",
            inline_policies={
                "Build": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=[
                                "ecr:BatchCheckLayerAvailability",
                                "ecr:BatchGetImage",
                                "ecr:CompleteLayerUpload",
                                "ecr:DescribeImages",
                                "ecr:InitiateLayerUpload",
                                "ecr:PutImage",
                                "ecr:UploadLayerPart",
                            ],
                            resources=[repository.repository_arn],
                        ),
                        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
                        iam.PolicyStatement(
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
                        ),
                    ]
                )
            },
        )
        variables = {
            "REPOSITORY_URI": repository.repository_uri,
            "ENVIRONMENT_NAME": self.env_name,
            "DOCKERFILE": "Dockerfile",
            "CONTEXT": ".",
            "PLATFORM": "linux/arm64",
            "REBUILD": "no",
        }
        codebuild.Project(
            self,
            f"{service}-build",
            project_name=f"{APPLICATION}--{self.env_name}--{service}",
            description=f"Builds one image for {self.env_name} and pushes it to one repository",
            source=codebuild.Source.git_hub(
                owner="your-organisation",
                repo="your-application",
                branch_or_ref="production",
                report_build_status=False,
            ),
            build_spec=build_spec,
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_4_0,
                compute_type=codebuild.ComputeType.SMALL,
                privileged=True,
            ),
            environment_variables={
                key: codebuild.BuildEnvironmentVariable(value=value) for key, value in variables.items()
            },
            timeout=Duration.minutes(30),
            queued_timeout=Duration.minutes(60),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)),
            # CDK would add statements of its own, in a policy beside the role.
            role=role.without_policy_updates(),
            grant_report_group_permissions=False,
        )

    def _function(self, services: Sequence[str]) -> lambda_.Function:
        log_group = logs.LogGroup(
            self, "release-logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        prefix = self.format_arn(service="ssm", resource="parameter", arn_format=ArnFormat.NO_RESOURCE_NAME)
        permissions = iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    actions=["ssm:GetParameter", "ssm:PutParameter"],
                    resources=[prefix + parameter_name(self.env_name, service) for service in services],
                ),
                iam.PolicyStatement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
                ),
            ]
        )
        return lambda_.Function(
            self,
            "release-parameters",
            description="Makes release parameters if they are absent, and never writes them again",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(ROOT / "constructs_lib" / "delivery"),
                exclude=["*", "!/runtime/", "!/runtime/*.py"],
                ignore_mode=IgnoreMode.GIT,
            ),
            handler="runtime.handler.main",
            timeout=Duration.seconds(60),
            role=iam.Role(
                self,
                "release-role",
                assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
                description="Makes release parameters if they are absent",
                inline_policies={"Parameters": permissions},
            ),
            log_group=log_group,
        )


class RetentionStack(PlainStack):
    """The guard of images in use: events and a schedule wake a function through a queue."""

    def __init__(self, scope: Construct, id: str, environment: str, services: Sequence[str], *, topics: Topics) -> None:
        super().__init__(scope, id, environment)
        table = dynamodb.Table(
            self,
            "Memory",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
        queue = sqs.Queue(
            self,
            "WakeUps",
            fifo=True,
            content_based_deduplication=True,
            delivery_delay=Duration.seconds(30),
            visibility_timeout=Duration.minutes(8),
            retention_period=Duration.hours(1),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        repositories = [
            ecr.Repository.from_repository_name(
                self, f"{service}-repository", repository_name(environment, service)
            ).repository_arn
            for service in services
        ]
        settings = {
            "application": APPLICATION,
            "environment": environment,
            "account": self.account,
            "region": self.region,
            "table": table.table_name,
            "repositories": [
                {"repository": repository_name(environment, each), "releases": [parameter_name(environment, each)]}
                for each in services
            ],
            "revisions_kept": 3,
            "releases_kept": 5,
        }
        queue_arn = queue.queue_arn
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Pins images in use; may neither delete nor upload any",
            inline_policies={
                "Guard": self._permissions(
                    services,
                    repositories=repositories,
                    table=table.table_arn,
                    queue=queue_arn,
                    log_group=log_group.log_group_arn,
                )
            },
        )
        if len(services) > 1:
            Validations.of(role).acknowledge(
                Acknowledgment(id="Moorings::MOOR-Q1a", reason="It tags images that are there, and may upload none.")
            )
        function = lambda_.Function(
            self,
            "Guard",
            description="Keeps a pin on every image in use",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(ROOT / "constructs_lib" / "images"),
                exclude=["*", "!/runtime/", "!/runtime/*.py"],
                ignore_mode=IgnoreMode.GIT,
            ),
            handler="runtime.handler.main",
            memory_size=512,
            timeout=Duration.minutes(7),
            environment={"MOORINGS_GUARD": self.to_json_string(settings)},
            role=role,
            log_group=log_group,
        )
        function.add_event_source_mapping("Scans", event_source_arn=queue_arn, batch_size=10)
        wake_up = targets.SqsQueue(
            queue, message=events.RuleTargetInput.from_event_path("$.time"), message_group_id="scan"
        )
        description = "Wakes the guard of images in use"
        events.Rule(
            self,
            "Schedule",
            description=description,
            schedule=events.Schedule.rate(Duration.minutes(15)),
            targets=[wake_up],
        )
        # A pattern has 2,048 characters at most: enough for 14 services.
        for first in range(0, len(services), 14):
            rule = events.Rule(
                self,
                f"Events{first or ''}",
                description=description,
                event_pattern=events.EventPattern(source=["aws.ecs", "aws.ecr"]),
                targets=[wake_up],
            ).node.default_child
            assert isinstance(rule, events.CfnRule)
            of_services = _of_services(environment, services[first : first + 14])
            # The L2's pattern has no $or.
            rule.event_pattern = {"$or": of_services if first else [*_OF_ALL, *of_services]}
        self._alarms(topics)

    def _permissions(
        self, services: Sequence[str], *, repositories: Sequence[str], table: str, queue: str, log_group: str
    ) -> iam.PolicyDocument:
        partition, place = self.partition, f"{self.region}:{self.account}"

        def allow(resources: Sequence[str], *actions: str) -> iam.PolicyStatement:
            return iam.PolicyStatement(actions=list(actions), resources=list(resources))

        def here(service: str, *resources: str) -> list[str]:
            return [f"arn:{partition}:{service}:{place}:{resource}" for resource in resources]

        return iam.PolicyDocument(
            statements=[
                allow(
                    repositories,
                    "ecr:BatchGetImage",
                    "ecr:DescribeImages",
                    "ecr:DescribeRepositories",
                    "ecr:GetLifecyclePolicy",
                    "ecr:PutImage",
                    "ecr:UpdateImageStorageClass",
                ),
                allow(
                    ["*"],
                    "ecs:DescribeTaskDefinition",
                    "ecs:ListClusters",
                    "ecs:ListServices",
                    "ecs:ListTaskDefinitionFamilies",
                    "ecs:ListTaskDefinitions",
                    "ecs:ListTasks",
                    "events:ListEventBuses",
                    "events:ListRuleNamesByTarget",
                    "events:ListRules",
                    "scheduler:ListSchedules",
                    "states:ListStateMachines",
                ),
                allow(here("ecs", "task/*"), "ecs:DescribeTasks"),
                allow(here("ecs", "service/*"), "ecs:DescribeServices"),
                allow(here("ecs", "service/*", "service-deployment/*"), "ecs:DescribeServiceDeployments"),
                allow(here("ecs", "service/*", "service-revision/*"), "ecs:DescribeServiceRevisions"),
                allow(here("events", "rule/*"), "events:ListTargetsByRule"),
                allow(here("scheduler", "schedule/*"), "scheduler:GetSchedule"),
                allow(here("states", "stateMachine:*"), "states:DescribeStateMachine"),
                allow([table], "dynamodb:GetItem", "dynamodb:PutItem"),
                allow([queue], "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
                allow([log_group], "logs:CreateLogStream", "logs:PutLogEvents"),
                allow(
                    here("ssm", *(f"parameter{parameter_name(self.env_name, service)}" for service in services)),
                    "ssm:GetParameterHistory",
                ),
            ]
        )

    def _alarms(self, topics: Topics) -> None:
        for what, metric, statistic, period, threshold, periods, missing in (
            ("missing-image", "ImagesMissing", "Maximum", 60, 1, 1, "ignore"),
            ("image-at-risk", "ImagesAtRisk", "Minimum", 900, 1, 2, "ignore"),
            ("scan-incomplete", "ScanIncomplete", "Minimum", 900, 1, 2, "ignore"),
            ("guard-silent", "ScanIncomplete", "Minimum", 300, 0, 12, "breaching"),
        ):
            silent = what == "guard-silent"
            alarm(
                self,
                "images",
                what,
                metric=One(
                    namespace="Moorings",
                    name=metric,
                    dimensions={"Application": APPLICATION, "Environment": self.env_name},
                    statistic=statistic,
                    period=period,
                ),
                threshold=threshold,
                periods=periods,
                below=silent,
                missing=missing,
                warm=warm_up(60) if silent else None,
                topics=topics,
                pages=what == "missing-image",
            )


class NetworkStack(PlainStack):
    """A VPC over three zones with private endpoints, alarms on its ports, and a log of what it rejects."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: str,
        *,
        topics: Topics,
        endpoints: Mapping[str, ec2.InterfaceVpcEndpointAwsService],
    ) -> None:
        super().__init__(scope, id, environment)
        log_group = logs.LogGroup(self, "FlowLogs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=KEEP)
        nat = ec2.NatProvider.gateway()
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(CIDR),
            availability_zones=list(ZONES),
            nat_gateway_provider=nat,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
            flow_logs={
                "Rejected": ec2.FlowLogOptions(
                    destination=ec2.FlowLogDestination.to_cloud_watch_logs(log_group),
                    traffic_type=ec2.FlowLogTrafficType.REJECT,
                )
            },
            restrict_default_security_group=False,
        )
        group = ec2.SecurityGroup(
            self, "EndpointAccess", vpc=self.vpc, description="Endpoints of AWS services", allow_all_outbound=False
        )
        group.add_ingress_rule(ec2.Peer.ipv4(CIDR), ec2.Port.tcp(443), "HTTPS from this VPC")
        for name, service in endpoints.items():
            self.vpc.add_interface_endpoint(name, service=service, security_groups=[group], open=False)
        for number, gateway in enumerate(nat.configured_gateways, start=1):
            on_gateway = {"NatGatewayId": gateway.gateway_id}
            ports = One(namespace="AWS/NATGateway", name="ErrorPortAllocation", dimensions=on_gateway, statistic="Sum")
            drops = Reckoned(
                namespace="AWS/NATGateway",
                metrics=[
                    (name, on_gateway)
                    for name in ("PacketsDropCount", "PacketsInFromSource", "PacketsInFromDestination")
                ],
                statistic="Sum",
                expression="(m0)/(m1+m2)",
                period=300,
            )
            alarm(
                self,
                "network",
                f"nat-ports-{number}",
                metric=ports,
                threshold=1,
                topics=topics,
                runbook="nat-ports",
            )
            alarm(
                self,
                "network",
                f"nat-drops-{number}",
                metric=drops,
                threshold=0.0001,
                periods=3,
                topics=topics,
                pages=False,
                runbook="nat-drops",
            )


class ServicesStack(PlainStack):
    """A cluster, and a service behind a load balancer for each image."""

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
        super().__init__(scope, id, environment)
        self._vpc = vpc
        self._topics = topics
        self._target_groups: dict[str, str] = {}
        self._alarms: dict[str, ServiceAlarms] = {}
        self._shown: dict[str, Shown] = {}
        self._services: dict[str, ecs.FargateService] = {}
        self._resources: dict[str, ecs.CfnService] = {}
        self._cluster = ecs.Cluster(self, "Cluster", vpc=vpc, container_insights_v2=ecs.ContainerInsights.DISABLED)
        self.cluster_name = self._cluster_name = self._cluster.cluster_name
        self.service_names: dict[str, str] = {}
        self._released: list[str] = []
        self._task_roles: list[str] = []
        self._access_logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self._place = f"{self.region}:{self.account}"
        for service in services:
            self._service(service)
        self._more()
        for alarms in self._alarms.values():
            alarms.speak()
        dashboard(self, list(self._shown.values()), [*self.watched, *elsewhere])
        self._release_role()

    @staticmethod
    def endpoints() -> dict[str, ec2.InterfaceVpcEndpointAwsService]:
        """The private endpoints that the tasks need."""
        return {
            "ecr.api": ec2.InterfaceVpcEndpointAwsService.ECR,
            "ecr.dkr": ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
            "logs": ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
        }

    def _environment(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (some services have more)
        return TIMEOUTS

    def _upstream_seconds(self, name: str) -> int:  # noqa: ARG002
        """How long the application waits for what it calls."""
        return int(TIMEOUTS["UPSTREAM_TIMEOUT"])

    def _port(self, name: str) -> ecs.PortMapping:  # noqa: ARG002
        return ecs.PortMapping(container_port=PORT)

    def _writable(self, name: str) -> Mapping[str, str]:  # noqa: ARG002
        """Volumes of the application's container, with their paths."""
        return {"tmp": "/tmp"}  # noqa: S108  (the container's)

    def _beside(self, name: str, task: ecs.FargateTaskDefinition, linux: ecs.LinuxParameters) -> None:
        """Other containers of the task; none here."""

    def _more(self) -> None:
        """What else the services have; nothing here."""

    def _service(self, name: str) -> None:
        digest = CfnParameter(
            self,
            f"{name}-digest",
            type="AWS::SSM::Parameter::Value<String>",
            default=parameter_name(self.env_name, name),
            description="Name of the parameter that holds the digest to run; a release writes its value",
        ).value_as_string
        released = CfnCondition(
            self, f"{name}-released", expression=Fn.condition_not(Fn.condition_equals(digest, "none"))
        ).logical_id
        CfnOutput(
            self,
            f"{name}-running",
            description="The digest that the service runs",
            value=Fn.condition_if(
                released, digest, "no release yet: the service stands with zero tasks and its alarms are quiet"
            ).to_string(),
        )
        task, execution_role = self._task(name, Fn.condition_if(released, digest, NO_IMAGE).to_string())
        target_group = elbv2.ApplicationTargetGroup(
            self,
            f"{name}-targets",
            vpc=self._vpc,
            port=PORT,
            protocol=elbv2.ApplicationProtocol.HTTP,
            target_type=elbv2.TargetType.IP,
            deregistration_delay=Duration.seconds(45),
            health_check=elbv2.HealthCheck(
                path="/healthz",
                healthy_http_codes="200",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )
        load_balancer = elbv2.ApplicationLoadBalancer(
            self,
            f"{name}-load-balancer",
            vpc=self._vpc,
            internet_facing=False,
            idle_timeout=Duration.seconds(60),
            drop_invalid_header_fields=True,
        )
        load_balancer.log_access_logs(self._access_logs, name)
        self._accept_waits(target_group, task)
        listener = load_balancer.add_listener("Http", port=80, default_target_groups=[target_group], open=False)
        listener.connections.allow_default_port_from(ec2.Peer.ipv4(CIDR))

        on_balancer = {"LoadBalancer": load_balancer.load_balancer_full_name}
        self._target_groups[name] = target_group.target_group_full_name
        on_targets = {**on_balancer, "TargetGroup": self._target_groups[name]}
        for_deployments = [
            self._deployment_alarm(f"{name}-deployment-server-errors", "HTTPCode_Target_5XX_Count", on_targets),
            self._deployment_alarm(f"{name}-deployment-connection-errors", "TargetConnectionErrorCount", on_targets),
            self._deployment_alarm(f"{name}-deployment-timeouts", "HTTPCode_ELB_504_Count", on_balancer),
        ]
        service = ecs.FargateService(
            self,
            f"{name}-service",
            cluster=self._cluster,
            task_definition=task,
            assign_public_ip=False,
            min_healthy_percent=100,
            max_healthy_percent=200,
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            deployment_alarms=ecs.DeploymentAlarmConfig(
                alarm_names=[alarm.ref for alarm in for_deployments], behavior=ecs.AlarmBehavior.ROLLBACK_ON_ALARM
            ),
            health_check_grace_period=Duration.seconds(85),
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
        )
        # CDK waits for the task role only; a task must not start before it may pull its image.
        service.node.add_dependency(execution_role)
        target_group.add_target(service)
        scaling = service.auto_scale_task_count(min_capacity=MIN_TASKS, max_capacity=MAX_TASKS)
        scaling.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=50,
            scale_out_cooldown=Duration.seconds(60),
            scale_in_cooldown=Duration.seconds(300),
        )
        scaling.scale_on_request_count(
            "Requests",
            requests_per_target=900,
            target_group=target_group,
            scale_out_cooldown=Duration.seconds(60),
            scale_in_cooldown=Duration.seconds(300),
        )
        self._resources[name], target = self._hold_at_zero(service, scaling, released)
        service_name = service.service_name
        on_service = {"ClusterName": self._cluster_name, "ServiceName": service_name}
        until = Until(
            released=released,
            enabled=Fn.condition_if(released, True, False),
            breaching=Fn.condition_if(released, "breaching", "notBreaching").to_string(),
        )
        slow = self._upstream_seconds(name)
        alarms = self._alarms[name] = ServiceAlarms(self, name, self._topics, until, target)
        alarms.on_targets(on_targets, MIN_TASKS)
        alarms.on_requests(on_balancer, on_targets, share=round(0.5 / MAX_TASKS, 4), slow_seconds=slow)
        alarms.on_cpu(on_service, MAX_TASKS)
        self._shown[name] = Shown(
            name=name,
            balancer=on_balancer["LoadBalancer"],
            targets=self._target_groups[name],
            on_service=on_service,
            slow_seconds=slow,
            fewest=MIN_TASKS,
        )
        self.service_names[name] = service_name
        self._services[name] = service
        self._released.append(service.service_arn)
        self._task_roles += [task.task_role.role_arn, execution_role.role_arn]
        self._settings(name, service_name, target_group.target_group_arn)

    def _settings(self, name: str, service_name: str, target_group: str) -> None:
        ssm.CfnParameter(
            self,
            f"{name}-delivery",
            name=f"/moorings/{APPLICATION}/{self.env_name}/{name}/delivery",
            description="What release commands must know of the service",
            type="String",
            value=json.dumps(
                {
                    "application": APPLICATION,
                    "environment": self.env_name,
                    "service": name,
                    "account": self.account,
                    "region": self.region,
                    "stack": f"{APPLICATION}--{self.env_name}--services",
                    "role": f"arn:aws:iam::{self.account}:role/{APPLICATION}--{self.env_name}--release",
                    "cluster": self._cluster_name,
                    "ecs_service": service_name,
                    "target_group": target_group,
                    "repository": repository_name(self.env_name, name),
                    "platform": "linux/arm64",
                    "steady_minutes": 15,
                    "window": "",
                    "outside_window": "refuse",
                    "scan_threshold": "",
                    "upstream": None,
                }
            ),
        )

    def _release_role(self) -> None:
        place = self._place
        pass_roles = iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=self._task_roles,
            conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        )
        scale = iam.PolicyStatement(
            actions=[
                "application-autoscaling:ListTagsForResource",
                "application-autoscaling:DeleteScheduledAction",
                "application-autoscaling:PutScheduledAction",
                "application-autoscaling:RegisterScalableTarget",
                "application-autoscaling:TagResource",
            ],
            resources=[f"arn:aws:application-autoscaling:{place}:scalable-target/*"],
            conditions={
                "StringEqualsIfExists": {
                    "application-autoscaling:service-namespace": "ecs",
                    "application-autoscaling:scalable-dimension": "ecs:service:DesiredCount",
                }
            },
        )
        services = iam.ManagedPolicy(
            self,
            "ReleaseServices",
            description="Releases: may update the services of one stack",
            document=iam.PolicyDocument(
                statements=[
                    allow(
                        self._released,
                        "ecs:DescribeServiceDeployments",
                        "ecs:DescribeServices",
                        "ecs:ListServiceDeployments",
                        "ecs:ListTagsForResource",
                        "ecs:UpdateService",
                    ),
                    allow(
                        [f"arn:aws:ecs:{place}:service-deployment/{self._cluster_name}/*"],
                        "ecs:DescribeServiceDeployments",
                        "ecs:StopServiceDeployment",
                    ),
                ]
            ),
        )
        iam.Role(
            self,
            "ReleaseRole",
            role_name=f"{APPLICATION}--{self.env_name}--release",
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
            description="Releases: may change task definitions and services of one stack",
            managed_policies=[services],
            inline_policies={
                "Release": iam.PolicyDocument(
                    statements=[
                        allow(
                            [f"arn:aws:ecs:{place}:task-definition/{APPLICATION}--{self.env_name}--*:*"],
                            "ecs:ListTagsForResource",
                            "ecs:RegisterTaskDefinition",
                            "ecs:TagResource",
                        ),
                        allow(["*"], "ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition"),
                        pass_roles,
                        allow(self._task_roles, "iam:GetRole"),
                        scale,
                        allow(
                            ["*"],
                            "application-autoscaling:DescribeScalableTargets",
                            "application-autoscaling:DescribeScheduledActions",
                        ),
                        allow(
                            [f"arn:aws:cloudwatch:{place}:alarm:{APPLICATION}/{self.env_name}/*"],
                            "cloudwatch:ListTagsForResource",
                            "cloudwatch:PutMetricAlarm",
                            "cloudwatch:TagResource",
                        ),
                        allow([f"arn:aws:cloudwatch:{place}:alarm:*"], "cloudwatch:DescribeAlarms"),
                        allow(
                            [
                                f"arn:aws:ssm:{place}:parameter/moorings/{APPLICATION}/{self.env_name}/*/digest",
                                f"arn:aws:ssm:{place}:parameter/cdk-bootstrap/*/version",
                            ],
                            "ssm:GetParameters",
                        ),
                        allow(
                            [
                                f"arn:aws:cloudformation:{place}:stack/{APPLICATION}--{self.env_name}--{stack}/*"
                                for stack in ("observability", "network")
                            ],
                            "cloudformation:DescribeStacks",
                        ),
                    ]
                )
            },
        )

    def _task(self, name: str, digest: str) -> tuple[ecs.FargateTaskDefinition, iam.IRole]:
        repository = ecr.Repository.from_repository_name(
            self, f"{name}-repository", repository_name(self.env_name, name)
        )
        writable = self._writable(name)
        task = ecs.FargateTaskDefinition(
            self,
            f"{name}-task",
            family=f"{APPLICATION}--{self.env_name}--{name}",
            cpu=1024,
            memory_limit_mib=2048,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
            volumes=[ecs.Volume(name=volume) for volume in writable],
        )
        execution_role = task.obtain_execution_role()
        repository.grant_pull(execution_role)
        linux = ecs.LinuxParameters(self, f"{name}-linux", init_process_enabled=True)
        container = task.add_container(
            name,
            image=ecs.ContainerImage.from_registry(f"{repository.repository_uri}@{digest}"),
            health_check=ecs.HealthCheck(
                command=["CMD", "python3", "-c", CHECK, f"http://127.0.0.1:{PORT}/healthz"],
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                retries=3,
                start_period=Duration.seconds(60),
            ),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=name,
                log_group=logs.LogGroup(
                    self, f"{name}-logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=KEEP
                ),
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
                max_buffer_size=Size.mebibytes(25),
            ),
            environment=self._environment(name),
            linux_parameters=linux,
            port_mappings=[self._port(name)],
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(30),
            system_controls=[ecs.SystemControl(namespace="net.ipv4.ip_local_port_range", value="10240 65535")],
        )
        container.add_mount_points(*mounts(writable))
        self._beside(name, task, linux)
        resource = task.node.default_child
        assert isinstance(resource, ecs.CfnTaskDefinition)
        Aspects.of(resource).add(NonBlocking())
        return task, execution_role

    def _accept_waits(self, target_group: elbv2.ApplicationTargetGroup, task: ecs.FargateTaskDefinition) -> None:
        for scope, rule, reason in (
            (target_group, "MOOR-T3a", "A request takes 30 s at most; a connection may be silent for longer."),
            (task, "MOOR-T3d", "ECS drains first, and the application's own shutdown takes 20 s at most."),
        ):
            Validations.of(scope).acknowledge(Acknowledgment(id=f"Moorings::{rule}", reason=reason))

    def _hold_at_zero(
        self, service: ecs.FargateService, scaling: ecs.ScalableTaskCount, released: str
    ) -> tuple[ecs.CfnService, autoscaling.CfnScalableTarget]:
        resource = service.node.find_child("Service")
        assert isinstance(resource, ecs.CfnService)
        resource.add_property_override("DesiredCount", {"Fn::If": [released, {"Ref": "AWS::NoValue"}, 0]})
        # The L2 has no threshold: half of the desired tasks must fail, which after a busy hour are many.
        resource.add_property_override(
            "DeploymentConfiguration.DeploymentCircuitBreaker",
            {
                "Enable": True,
                "Rollback": True,
                "ResetOnHealthyTask": False,
                "ThresholdConfiguration": {"Type": "COUNT", "Value": 3},
            },
        )
        resource.add_property_override("DeploymentConfiguration.Strategy", "ROLLING")
        resource.add_metadata("why", WHY)
        Annotations.of(service).add_info_v2("rotation", "a dead task is out of rotation after at most 35 s")
        target = scaling.node.find_child("Target").node.default_child
        assert isinstance(target, autoscaling.CfnScalableTarget)
        target.add_property_override("MinCapacity", {"Fn::If": [released, MIN_TASKS, 0]})
        target.add_property_override("MaxCapacity", {"Fn::If": [released, MAX_TASKS, 0]})
        return resource, target

    def _deployment_alarm(self, id: str, metric: str, dimensions: dict[str, str]) -> cloudwatch.CfnAlarm:
        return cloudwatch.CfnAlarm(
            self,
            id,
            alarm_description="For deployments only: errors make ECS go back to the last release",
            namespace="AWS/ApplicationELB",
            metric_name=metric,
            dimensions=dimensions_of(dimensions),
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            datapoints_to_alarm=1,
            threshold=5,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
        )


def mounts(writable: Mapping[str, str]) -> list[ecs.MountPoint]:
    """Where a container finds its volumes."""
    return [
        ecs.MountPoint(container_path=path, source_volume=volume, read_only=False) for volume, path in writable.items()
    ]


@jsii.implements(IAspect)
class NonBlocking:
    """Refuses a container that waits for its logs, whoever added it."""

    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, ecs.CfnTaskDefinition):
            return
        for container in Stack.of(node).resolve(node.container_definitions):
            if container.get("logConfiguration", {}).get("options", {}).get("mode") != "non-blocking":
                Annotations.of(node).add_error(f"{container.get('name')} waits for its logs")


class ReleaseStack(PlainStack):
    """The release button of each service."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        environment: str,
        services: Sequence[str],
        *,
        cluster_name: str,
        names: Mapping[str, str],
    ) -> None:
        super().__init__(scope, id, environment)
        code = s3_assets.Asset(
            self,
            "Operations",
            path=str(ROOT / "constructs_lib"),
            exclude=["*", "!*/", "!*.py", "!*.sh", "!*.yaml", "__pycache__/"],
            ignore_mode=IgnoreMode.GIT,
        )
        self._bucket = code.bucket
        self._bucket_arn = self._bucket.bucket_arn
        self._key = code.s3_object_key
        self._place = f"{self.region}:{self.account}"
        self._cluster_name = cluster_name
        for service in services:
            self._button(service, names[service])

    def _button(self, service: str, service_name: str) -> None:
        log_group = logs.LogGroup(
            self, f"{service}-logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=KEEP
        )
        role = iam.Role(
            self,
            f"{service}-role",
            assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"),
            description="Releases: may change one service, by one stack update with one role",
            inline_policies={"Release": self._permissions(service, service_name, log_group.log_group_arn)},
        )
        variables = {
            "PLACE": f"{APPLICATION}/{self.env_name}/{service}",
            "COMMAND": "release",
            "DIGEST": "",
            "TO": "",
            "REASON": "",
        }
        codebuild.Project(
            self,
            f"{service}-release",
            project_name=f"{APPLICATION}--{self.env_name}--{service}--release",
            description=f"Releases {service}",
            source=codebuild.Source.s3(bucket=self._bucket, path=self._key),
            build_spec=codebuild.BuildSpec.from_object(release_buildspec()),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_4_0,
                compute_type=codebuild.ComputeType.SMALL,
            ),
            environment_variables={
                key: codebuild.BuildEnvironmentVariable(value=value) for key, value in variables.items()
            },
            timeout=Duration.minutes(180),
            queued_timeout=Duration.minutes(60),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)),
            role=role.without_policy_updates(),
            grant_report_group_permissions=False,
        )

    def _permissions(self, service: str, service_name: str, log_group_arn: str) -> iam.PolicyDocument:
        place = self._place
        stack = f"arn:aws:cloudformation:{place}:stack/{APPLICATION}--{self.env_name}--services/*"
        release_role = f"arn:aws:iam::{self.account}:role/{APPLICATION}--{self.env_name}--release"
        parameters = f"arn:aws:ssm:{place}:parameter/moorings/{APPLICATION}/{self.env_name}"
        in_cluster = {"ArnEquals": {"ecs:cluster": f"arn:aws:ecs:{place}:cluster/{self._cluster_name}"}}
        return iam.PolicyDocument(
            statements=[
                allow(
                    [stack],
                    "cloudformation:CancelUpdateStack",
                    "cloudformation:DescribeStackEvents",
                    "cloudformation:DescribeStacks",
                ),
                iam.PolicyStatement(
                    actions=["cloudformation:UpdateStack"],
                    resources=[stack],
                    conditions={"StringEquals": {"cloudformation:RoleArn": release_role}},
                ),
                iam.PolicyStatement(
                    actions=["iam:PassRole"],
                    resources=[release_role],
                    conditions={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
                ),
                allow(
                    [f"arn:aws:ecs:{place}:service/{self._cluster_name}/{service_name}"],
                    "ecs:DescribeServices",
                    "ecs:UpdateService",
                ),
                iam.PolicyStatement(
                    actions=["ecs:DescribeTasks"], resources=[f"arn:aws:ecs:{place}:task/*"], conditions=in_cluster
                ),
                iam.PolicyStatement(actions=["ecs:ListTasks"], resources=["*"], conditions=in_cluster),
                allow(["*"], "ecs:DescribeTaskDefinition", "elasticloadbalancing:DescribeTargetHealth"),
                allow([f"arn:aws:cloudwatch:{place}:alarm:*"], "cloudwatch:DescribeAlarms"),
                allow(
                    [f"{parameters}/{service}/delivery", f"{parameters}/{service}/digest", f"{parameters}/freeze"],
                    "ssm:GetParameter",
                    "ssm:GetParameters",
                ),
                allow([f"{parameters}/*/digest"], "ssm:GetParameters"),
                allow([f"{parameters}/{service}/digest"], "ssm:PutParameter"),
                allow([f"{parameters}/{service}/releases"], "ssm:GetParametersByPath"),
                allow(
                    [f"{parameters}/{service}/releases/*"],
                    "ssm:DeleteParameters",
                    "ssm:GetParameter",
                    "ssm:PutParameter",
                ),
                allow(
                    [f"arn:aws:ecr:{place}:repository/{repository_name(self.env_name, service)}"],
                    "ecr:BatchGetImage",
                    "ecr:DescribeImageScanFindings",
                    "ecr:DescribeImages",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:PutImage",
                ),
                allow([log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
                allow([f"{self._bucket_arn}/{self._key}"], "s3:GetObject", "s3:GetObjectVersion"),
                allow([self._bucket_arn], "s3:GetBucketAcl", "s3:GetBucketLocation"),
            ]
        )


_OF_ALL: Final = (
    {
        "source": ["aws.ecs"],
        "detail-type": ["ECS Task State Change"],
        "detail": {"lastStatus": ["PENDING", "RUNNING", "STOPPED"]},
    },
    {"source": ["aws.ecs"], "detail-type": ["ECS Deployment State Change", "ECS Service Action"]},
    {
        "source": ["aws.cloudformation"],
        "detail-type": ["CloudFormation Stack Status Change"],
        "detail": {
            "stack-id": [{"Ref": "AWS::StackId"}],
            "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
        },
    },
)
"""What wakes the guard: tasks and deployments, and its own stack."""


def _of_services(environment: str, services: Sequence[str]) -> list[dict[str, object]]:
    """What wakes it of some services: all actions on their images but pushes of pins, and their releases."""
    return [
        {
            "source": ["aws.ecr"],
            "detail-type": ["ECR Image Action"],
            "detail": {
                "repository-name": [repository_name(environment, each) for each in services],
                "$or": [
                    {"action-type": [{"anything-but": "PUSH"}]},
                    {"image-tag": [{"anything-but": {"prefix": "pin-"}}]},
                    {"image-tag": [{"exists": False}]},
                ],
            },
        },
        {
            "source": ["aws.ssm"],
            "detail-type": ["Parameter Store Change"],
            "detail": {
                "name": [parameter_name(environment, each) for each in services],
                "operation": ["Create", "Update"],
            },
        },
    ]
