"""What sees and says, as a plain CDK app, written by hand: topics, the log of events, messages about them, and alarms.

Topics, key, queue, table, function and the rule that wakes it are L2s. The rules of the log of events are L1s, because
CDK's target makes a custom resource for each log group; alarms are, because the L2 takes no condition. The texts of
queries and what is kept of a build's event are taken from the library as data, as the function's code is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aws_cdk import Aws, Duration, Fn, IgnoreMode, RemovalPolicy
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from benchmarks.plain_base import (
    APPLICATION,
    KEEP,
    ROOT,
    ZONES,
    One,
    PlainStack,
    Reckoned,
    Topics,
    Until,
    alarm,
    allow,
    evidence_name,
    one_line,
)
from constructs_lib.observability.evidence.build_events import PATHS, TEMPLATE
from constructs_lib.observability.evidence.queries import QUERIES

_LOAD_BALANCER: Final = "AWS/ApplicationELB"


class ObservabilityStack(PlainStack):
    """The topics that alarms are sent to, the log of events, and messages about them."""

    def __init__(self, scope: Construct, id: str, environment: str, services: Sequence[str]) -> None:
        super().__init__(scope, id, environment)
        key = kms.Key(
            self, "Key", description="Encrypts notifications of alarms", enable_key_rotation=True, removal_policy=KEEP
        )
        alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
        for principal in (alarms, iam.ServicePrincipal("events.amazonaws.com")):
            key.grant(principal, "kms:Decrypt", "kms:GenerateDataKey*")
        self.topics = Topics(self._topic("Page", key, alarms), self._topic("Notice", key, alarms))
        self._region = self.region
        self._place = f"{self._region}:{self.account}"
        self._evidence()
        self._messages(services, key.key_arn)

    def _topic(self, id: str, key: kms.IKey, alarms: iam.ServicePrincipal) -> str:
        topic = sns.Topic(self, id, master_key=key, enforce_ssl=True)
        arn = topic.topic_arn
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsOfThisAccount",
                principals=[alarms],
                actions=["sns:Publish"],
                resources=[arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        return arn

    def _evidence(self) -> None:
        name = evidence_name(self.env_name)
        log_group = logs.LogGroup(
            self,
            "Evidence",
            log_group_name=name,
            retention=logs.RetentionDays.THIRTEEN_MONTHS,
            removal_policy=KEEP,
        )
        target = f"arn:aws:logs:{self._place}:log-group:{log_group.log_group_name}"
        kept = events.CfnRule.InputTransformerProperty(input_paths_map=PATHS, input_template=TEMPLATE)
        rules = [
            events.CfnRule(
                self,
                what,
                description=f"Keeps as evidence: {about} (lesson W5)",
                event_pattern=pattern,
                targets=[
                    events.CfnRule.TargetProperty(
                        id="evidence", arn=target, input_transformer=kept if what == "Builds" else None
                    )
                ],
            )
            for what, about, pattern in self._kept()
        ]
        writers = {"Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"]}
        arn = log_group.log_group_arn
        logs.CfnResourcePolicy(
            self,
            "Policy",
            policy_name=name.strip("/").replace("/", "-"),
            policy_document=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "EventBridgeMakesStreams",
                            "Effect": "Allow",
                            "Principal": writers,
                            "Action": "logs:CreateLogStream",
                            "Resource": arn,
                        },
                        {
                            "Sid": "RulesWriteEvents",
                            "Effect": "Allow",
                            "Principal": writers,
                            "Action": "logs:PutLogEvents",
                            "Resource": arn,
                            "Condition": {"ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in rules]}},
                        },
                    ],
                }
            ),
        )
        for query in QUERIES:
            logs.CfnQueryDefinition(
                self,
                query.id,
                name=f"moorings/{APPLICATION}/{self.env_name}/{query.name}",
                query_string=query.text,
                log_group_names=[name],
            )
        alarm(
            self,
            "evidence",
            "evidence-lost",
            metric=Reckoned(
                namespace="AWS/Events",
                metrics=[("FailedInvocations", {"RuleName": rule.ref}) for rule in rules],
                statistic="Sum",
                expression="m0+m1+m2+m3+m4",
                period=300,
            ),
            threshold=1,
            topics=self.topics,
            pages=False,
        )

    def _kept(self) -> list[tuple[str, str, dict[str, object]]]:
        """The events that are kept, and what they are about."""
        tasks, services, builds, health = self._of_ours()
        tasks["detail"] = {"lastStatus": ["STOPPED"], **self._cluster()}
        steady = ["SERVICE_STEADY_STATE", "TASKSET_STEADY_STATE", "CAPACITY_PROVIDER_STEADY_STATE"]
        services["detail"] = {"eventName": [{"anything-but": steady}, {"exists": False}]}
        images: dict[str, object] = {
            "source": ["aws.ecr"],
            "detail-type": ["ECR Image Action"],
            "detail": {"repository-name": [{"prefix": f"{APPLICATION}/{self.env_name}/"}]},
        }
        builds["detail"] = self._project()
        health["detail"] = self._in_region()
        return [
            ("Tasks", "stopped tasks", tasks),
            ("Services", "deployments and service actions", services),
            ("Images", "pushed and deleted images", images),
            ("Builds", "builds, without their variables", builds),
            ("Health", "what AWS says of itself", health),
        ]

    def _told(self) -> dict[str, object]:
        """The events that need a person, perhaps."""
        tasks, services, builds, health = self._of_ours()
        tasks["detail"] = {
            "lastStatus": ["STOPPED"],
            **self._cluster(),
            "$or": [
                {"stopCode": ["TaskFailedToStart", {"exists": False}]},
                {"stopCode": ["ServiceSchedulerInitiated"], "stoppedReason": [{"prefix": "Task failed "}]},
                {
                    "stopCode": ["EssentialContainerExited"],
                    "containers": {"exitCode": [{"anything-but": [0, 143]}]},
                },
            ],
        }
        services["detail"] = {
            "eventName": [
                "SERVICE_TASK_START_IMPAIRED",
                "SERVICE_TASK_CONFIGURATION_FAILURE",
                "SERVICE_TASK_PLACEMENT_FAILURE",
                "SERVICE_DEPLOYMENT_FAILED",
                "SERVICE_DEPLOYMENT_IN_PROGRESS",
            ]
        }
        builds["detail"] = {**self._project(), "build-status": ["FAILED", "FAULT", "TIMED_OUT"]}
        health["detail"] = {
            **self._in_region(),
            "service": ["ECS", "FARGATE"],
            "backupEvent": [{"anything-but": "true"}, {"exists": False}],
        }
        return {"$or": [tasks, services, builds, health]}

    def _of_ours(self) -> tuple[dict[str, object], dict[str, object], dict[str, object], dict[str, object]]:
        """The beginning of the patterns: tasks, services, builds, health."""
        service = f"arn:aws:ecs:{self._place}:service/{APPLICATION}--{self.env_name}--services-"
        return (
            {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]},
            {
                "source": ["aws.ecs"],
                "detail-type": ["ECS Deployment State Change", "ECS Service Action"],
                "resources": [{"prefix": service}],
            },
            {"source": ["aws.codebuild"], "detail-type": ["CodeBuild Build State Change"]},
            {"source": ["aws.health"], "detail-type": ["AWS Health Event"]},
        )

    def _cluster(self) -> dict[str, object]:
        cluster = f"arn:aws:ecs:{self._place}:cluster/{APPLICATION}--{self.env_name}--services-"
        return {"clusterArn": [{"prefix": cluster}]}

    def _project(self) -> dict[str, object]:
        return {"project-name": [{"prefix": f"{APPLICATION}--{self.env_name}--"}]}

    def _in_region(self) -> dict[str, object]:
        return {"eventRegion": [self._region, "global", {"exists": False}]}

    def _messages(self, services: Sequence[str], key_arn: str) -> None:
        table = dynamodb.Table(
            self,
            "Told",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="part", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires",
            removal_policy=RemovalPolicy.DESTROY,
        )
        queue = sqs.Queue(
            self,
            "DeadLetters",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.THREE_MONTHS, removal_policy=RemovalPolicy.DESTROY
        )
        evidence = evidence_name(self.env_name)
        permissions = [
            allow(self.topics, "sns:Publish"),
            allow([key_arn], "kms:Decrypt", "kms:GenerateDataKey"),
            allow([table.table_arn], "dynamodb:PutItem", "dynamodb:Query"),
            iam.PolicyStatement(
                actions=["cloudwatch:DescribeAlarms"],
                resources=["*"],
                conditions={"StringEquals": {"aws:RequestedRegion": self._region}},
            ),
            allow([queue.queue_arn], "sqs:SendMessage"),
            allow([f"arn:aws:logs:{self._place}:log-group:{evidence}:*"], "logs:FilterLogEvents"),
            allow([log_group.log_group_arn], "logs:CreateLogStream", "logs:PutLogEvents"),
        ]
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Publishes messages about events; may read alarms and the log of evidence",
            inline_policies={"Allowed": iam.PolicyDocument(statements=permissions)},
        )
        settings = {
            "application": APPLICATION,
            "environment": self.env_name,
            "clusters": [f"{APPLICATION}--{self.env_name}--services-*"],
            "build_projects": [f"{APPLICATION}--{self.env_name}--*"],
            "components": list(services),
            "page": self.topics.page,
            "notice": self.topics.notice,
            "table": table.table_name,
            "evidence": evidence,
            "runbooks": None,
        }
        function = lambda_.Function(
            self,
            "Messages",
            description="Tells people of events that need one",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(ROOT / "constructs_lib" / "observability"),
                exclude=["*", "!/runtime/", "!/runtime/*.py", "!/runtime/*/", "!/runtime/*/*.py", "__pycache__"],
                ignore_mode=IgnoreMode.GIT,
            ),
            handler="runtime.messages.handler.main",
            memory_size=256,
            timeout=Duration.minutes(1),
            environment={"MOORINGS_MESSAGES": one_line(settings)},
            # CDK would let it write to the queue in a policy beside the role.
            role=role.without_policy_updates(),
            log_group=log_group,
            dead_letter_queue=queue,
        )
        target = targets.LambdaFunction(function, dead_letter_queue=queue, max_event_age=Duration.hours(1))
        rule = events.Rule(
            self,
            "Rule",
            description="Wakes the function that tells people of events",
            event_pattern=events.EventPattern(source=["aws.ecs"]),
            targets=[target],
        ).node.default_child
        assert isinstance(rule, events.CfnRule)
        rule.event_pattern = self._told()  # the L2's pattern has no $or
        alarm(
            self,
            "messages",
            "dead-letters",
            metric=One(
                namespace="AWS/SQS",
                name="ApproximateNumberOfMessagesVisible",
                dimensions={"QueueName": queue.queue_name},
                statistic="Maximum",
            ),
            threshold=1,
            missing="ignore",
            topics=self.topics,
        )


class ServiceAlarms:
    """The alarms of one service, and the two that speak for it."""

    def __init__(
        self, stack: PlainStack, service: str, topics: Topics, until: Until, target: autoscaling.CfnScalableTarget
    ) -> None:
        self._stack, self._service, self._topics, self._target = stack, service, topics, target
        self.until = until
        self._starts = Fn.condition_if(
            until.released,
            {"WarmUpPeriodDurationInMinutes": 7, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True},
            {"Ref": "AWS::NoValue"},
        )
        self.made: dict[str, cloudwatch.CfnAlarm] = {}
        """Those that its visitors feel."""

    def felt(
        self, what: str, metric: One | Reckoned, threshold: float, periods: int = 1, *, started: bool = False
    ) -> cloudwatch.CfnAlarm:
        """An alarm that pages through the composite one; ``started``: once scaling has started tasks."""
        made = self.made[what] = alarm(
            self._stack,
            self._service,
            what,
            metric=metric,
            threshold=threshold,
            periods=periods,
            topics=self._topics,
            felt=True,
            until=self.until,
            runbook="unhealthy-targets" if what.startswith("unhealthy-targets") else None,
            warm=self._starts if started else None,
        )
        if started:
            made.add_resource_dependency(self._target)
        return made

    def notice(self, what: str, metric: One | Reckoned, threshold: float, periods: int) -> None:
        """An alarm that wakes nobody."""
        alarm(
            self._stack,
            self._service,
            what,
            metric=metric,
            threshold=threshold,
            periods=periods,
            topics=self._topics,
            pages=False,
            until=self.until,
        )

    def on_targets(self, on_targets: dict[str, str], fewest: int) -> None:
        """What the health of the tasks says."""
        for number, zone in enumerate(ZONES, start=1):
            in_zone = {"AvailabilityZone": zone, **on_targets}
            self.felt(f"unhealthy-targets-{number}", _one("UnHealthyHostCount", in_zone, "Maximum"), 1, 3)
        for what, statistic, least in (
            ("too-few-healthy-targets", "Minimum", fewest),
            ("no-healthy-targets", "Maximum", 1),
        ):
            made = self.made[what] = alarm(
                self._stack,
                self._service,
                what,
                metric=_one("HealthyHostCount", on_targets, statistic),
                threshold=least,
                periods=2,
                below=True,
                missing=self.until.breaching,
                warm=self._starts,
                topics=self._topics,
                felt=True,
                until=self.until,
            )
            made.add_resource_dependency(self._target)

    def on_requests(
        self, on_balancer: dict[str, str], on_targets: dict[str, str], *, share: float, slow_seconds: int
    ) -> None:
        """What the answers say."""
        self.felt("connection-errors", _one("TargetConnectionErrorCount", on_targets), 5, 2)
        for what, errors in (
            ("load-balancer-errors", "HTTPCode_ELB_5XX_Count"),
            ("gateway-timeouts", "HTTPCode_ELB_504_Count"),
        ):
            metric = _share((errors, "RequestCount"), on_balancer, "m0", "m1+m0")
            self.felt(what, metric, share, started=what == "load-balancer-errors")
        answered = ("HTTPCode_Target_5XX_Count", "RequestCount")
        self.felt("application-errors", _share(answered, on_targets, "m0", "m1"), share)
        failed = _share(
            ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "RequestCount", "HTTPCode_ELB_503_Count"),
            on_balancer,
            "m0+m1",
            "m2+m3",
        )
        self.felt("most-requests-fail", failed, 0.5, 2, started=True)
        self.felt("slow-responses", _one("TargetResponseTime", on_targets, "p99"), slow_seconds, 5)
        self.felt("rejected-connections", _one("RejectedConnectionCount", on_balancer), 1)
        self.notice("some-requests-fail", replace(failed, period=300), 0.01, 3)

    def on_cpu(self, on_service: dict[str, str], most: int) -> None:
        """What its number of tasks and their load say."""
        for what, statistic, threshold, periods in (
            ("at-maximum", "SampleCount", most, 15),
            ("scaling-cannot-keep-up", "Average", 70, 5),
        ):
            cpu = One(namespace="AWS/ECS", name="CPUUtilization", dimensions=on_service, statistic=statistic)
            self.notice(what, cpu, threshold, periods)

    def speak(self) -> None:
        """One alarm for all that is felt, which pages; and one for what leaves nothing to use, which does not."""
        gone = ("no-healthy-targets", "most-requests-fail")
        place = f"{APPLICATION}/{self._stack.env_name}/{self._service}"
        for kind, faults in (("degraded", list(self.made)), ("outage", list(gone))):
            pages = kind == "degraded"
            made = cloudwatch.CfnCompositeAlarm(
                self._stack,
                f"{self._service}-{kind}",
                alarm_name=f"{place}/{kind}",
                alarm_description=f"{'[page] ' if pages else ''}{kind}. Runbook: docs/runbooks/{kind}.md",
                alarm_rule=" OR ".join(f'ALARM("{place}/{fault}")' for fault in faults),
                alarm_actions=[self._topics.page] if pages else None,
                ok_actions=[self._topics.notice] if pages else None,
            )
            # Names are no references, and CloudWatch refuses a rule of alarms that are not there yet.
            made.node.add_dependency(*(self.made[fault] for fault in faults))


def _one(name: str, dimensions: dict[str, str], statistic: str = "Sum") -> One:
    return One(namespace=_LOAD_BALANCER, name=name, dimensions=dimensions, statistic=statistic)


def _share(names: Sequence[str], dimensions: dict[str, str], part: str, whole: str) -> Reckoned:
    """A share of the requests, while five of them have failed."""
    return Reckoned(
        namespace=_LOAD_BALANCER,
        metrics=[(name, dimensions) for name in names],
        statistic="Sum",
        expression=f"IF(({part})>=5,({part})/({whole}),0)",
    )
