"""A task that runs by the clock has the same guardrails, and somebody hears of its failure (W2, W5, T4, Q3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.services.fargate_scheduled_task import FargateScheduledTask
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize
from constructs_lib.services.schedules.failed_run_events import failed_run_pattern, failed_runs_alarm
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.log_delivery import LogDelivery
from tests.guardrails.support import findings
from tests.services.conftest import parts
from tests.services.workers_support import NIGHTLY, synthesized
from tests.support import DIGEST, FLAG_SETS, Template, of_type, only, references, refused, stack, synthesize

SCHEDULE = "AWS::Scheduler::Schedule"
QUEUE = "AWS::SQS::Queue"
TASK = "AWS::ECS::TaskDefinition"


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest) -> dict[str, Template]:
    """The stacks of :mod:`tests.services.workers_support`, with none of CDK's feature flags and with all."""
    return synthesized(request.param)


@pytest.fixture(scope="module")
def nightly(made: dict[str, Template]) -> Template:
    """The stack with a task that runs a worker's image every night."""
    return made["Released"]


def logical(template: Template, kind: str, start: str) -> str:
    """The logical id of the resource of a type whose id begins so."""
    (found,) = (key for key in of_type(template, kind) if key.startswith(start))
    return found


def container(template: Template, family: str) -> dict[str, Any]:
    """The one container of the task definition whose logical id begins so."""
    (found,) = of_type(template, TASK)[logical(template, TASK, family)]["ContainerDefinitions"]
    assert isinstance(found, dict)
    return found


def own_role(template: Template) -> dict[str, Any]:
    """The properties of the role that starts the task."""
    resource = only(template, SCHEDULE)["Target"]["RoleArn"]["Fn::GetAtt"][0]
    found: dict[str, Any] = template["Resources"][resource]["Properties"]
    return found


def test_before_nobody_hears_of_a_run_that_failed(made: dict[str, Template]) -> None:
    """Plain CDK's task logs as the account says, by a tag, and what could not be started is gone (W2, W5, Q3)."""
    plain = made["Plain"]
    (target,) = only(plain, "AWS::Events::Rule")["Targets"]
    assert not {"DeadLetterConfig", "RetryPolicy"} & set(target)
    assert of_type(plain, "AWS::Events::Rule").keys() == {logical(plain, "AWS::Events::Rule", "Nightly")}
    task = logical(plain, TASK, "Nightly")
    found = {one.rule for one in findings(json.dumps(plain)) if one.logical_id == task}
    assert found == {"MOOR-Q3a", "MOOR-W2b"}


def test_after_its_failure_is_kept_and_told(nightly: Template) -> None:
    """The schedule's dead letters and ECS's events go to one queue, whose alarm pages; our rules find nothing."""
    queue = logical(nightly, QUEUE, "NightlyFailedRuns")
    assert only(nightly, SCHEDULE)["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    (target,) = only(nightly, "AWS::Events::Rule")["Targets"]
    assert target == {"Id": "failed-runs", "Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    (alarm,) = (one for one in of_type(nightly, "AWS::CloudWatch::Alarm").values() if one["Namespace"] == "AWS/SQS")
    assert alarm["AlarmName"] == "shop/staging/nightly/failed-runs"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("ApproximateNumberOfMessagesVisible", "Maximum")
    assert (alarm["Threshold"]["Fn::If"][1], alarm["EvaluationPeriods"]) == (1, 1)
    assert alarm["AlarmDescription"].startswith("[page] A run could not be started")
    (condition,) = (name for name in nightly["Conditions"] if name.startswith("MailerReleased"))
    assert alarm["ActionsEnabled"] == {"Fn::If": [condition, True, False]}
    assert alarm["TreatMissingData"] == {"Fn::If": [condition, "ignore", "notBreaching"]}
    task = logical(nightly, TASK, "Nightly")
    assert [one for one in findings(json.dumps(nightly)) if one.logical_id == task] == []


def test_it_runs_at_its_time_and_not_before_the_first_release(nightly: Template) -> None:
    """Expression, time zone and tries are as given; the worker's own condition turns it on (Q3)."""
    schedule = only(nightly, SCHEDULE)
    assert schedule["ScheduleExpression"] == "cron(30 3 ? * MON-FRI *)"
    assert schedule["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    (condition,) = (name for name in nightly["Conditions"] if name.startswith("MailerReleased"))
    assert schedule["State"] == {"Fn::If": [condition, "ENABLED", "DISABLED"]}
    assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 5400, "MaximumRetryAttempts": 185}
    assert [name for name in nightly["Parameters"] if name.startswith("Nightly")] == []


def test_it_runs_one_private_task_of_its_newest_definition(nightly: Template) -> None:
    """Fargate, one task, private subnets, a security group that admits nobody."""
    target = only(nightly, SCHEDULE)["Target"]
    assert target["Arn"] == {"Fn::GetAtt": ["ClusterEB0386A7", "Arn"]}
    group = logical(nightly, "AWS::EC2::SecurityGroup", "Nightly")
    assert target["EcsParameters"] == {
        "TaskDefinitionArn": {"Ref": logical(nightly, TASK, "Nightly")},
        "LaunchType": "FARGATE",
        "TaskCount": 1,
        "EnableECSManagedTags": True,
        "PropagateTags": "TASK_DEFINITION",
        "NetworkConfiguration": {
            "AwsvpcConfiguration": {
                "AssignPublicIp": "DISABLED",
                "SecurityGroups": [{"Fn::GetAtt": [group, "GroupId"]}],
                "Subnets": ["subnet-private-a", "subnet-private-b"],
            }
        },
    }
    assert "SecurityGroupIngress" not in of_type(nightly, "AWS::EC2::SecurityGroup")[group]


def test_its_container_never_waits_for_logs_and_writes_nowhere(nightly: Template) -> None:
    """As a service: non-blocking logs, a read-only root, the digest; and a command of its own (W2, Q3)."""
    found = container(nightly, "NightlyTask")
    options = found["LogConfiguration"]["Options"]
    assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", f"{25 * 1024 * 1024}b")
    assert found["ReadonlyRootFilesystem"] is True
    assert found["Command"] == ["python3", "-m", "mailer.nightly"]
    assert found["StopTimeout"] == 30
    assert "HealthCheck" not in found
    (worker,) = (
        one["Image"]
        for one in of_type(nightly, TASK)[logical(nightly, TASK, "Mailer")]["ContainerDefinitions"]
        if one["Name"] == "mailer"
    )
    assert found["Image"] == worker


def test_the_role_may_run_exactly_this(nightly: Template) -> None:
    """One family in one cluster, with its own two roles, and one queue; and only this account's schedules use it."""
    role = own_role(nightly)
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    only_these = trust["Condition"]["StringEquals"]
    assert only_these["aws:SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert text(only_these["aws:SourceArn"]).endswith(":scheduler:eu-west-1:<AWS::AccountId>:schedule-group/default")
    (policy,) = role["Policies"]
    rights = {one["Action"]: (one["Resource"], one.get("Condition")) for one in policy["PolicyDocument"]["Statement"]}
    assert set(rights) == {"ecs:RunTask", "ecs:TagResource", "iam:PassRole", "sqs:SendMessage"}
    family, in_cluster = rights["ecs:RunTask"]
    assert text(family).endswith(":task-definition/<AWS::StackName>-nightly:*")
    assert in_cluster == {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["ClusterEB0386A7", "Arn"]}}}
    tasks, when_made = rights["ecs:TagResource"]
    assert text(tasks).endswith(":task/<ClusterEB0386A7>/*")
    assert when_made == {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    roles, to_tasks = rights["iam:PassRole"]
    assert to_tasks == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    definition = of_type(nightly, TASK)[logical(nightly, TASK, "Nightly")]
    assert roles == [definition["TaskRoleArn"], definition["ExecutionRoleArn"]]
    assert rights["sqs:SendMessage"] == ({"Fn::GetAtt": [logical(nightly, QUEUE, "Nightly"), "Arn"]}, None)


def text(value: Any) -> str:
    """A joined text of the template, with what it refers to in angle brackets."""
    joined = value["Fn::Join"][1]
    return "".join(one if isinstance(one, str) else f"<{one['Ref']}>" for one in joined)


def test_the_queue_is_encrypted_kept_and_written_by_its_rule_only(nightly: Template) -> None:
    """SQS's own key, 14 days, stays when the stack goes; nobody writes without TLS (W5)."""
    key = logical(nightly, QUEUE, "Nightly")
    queue = nightly["Resources"][key]
    assert queue["Properties"] == {"MessageRetentionPeriod": 1209600, "SqsManagedSseEnabled": True}
    assert (queue["DeletionPolicy"], queue["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    policy = only(nightly, "AWS::SQS::QueuePolicy")
    assert policy["Queues"] == [{"Ref": key}]
    allow, deny = policy["PolicyDocument"]["Statement"]
    (rule,) = of_type(nightly, "AWS::Events::Rule")
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert (allow["Effect"], allow["Action"]) == ("Allow", "sqs:SendMessage")
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert {json.dumps(one["Resource"]) for one in (allow, deny)} == {json.dumps({"Fn::GetAtt": [key, "Arn"]})}


def test_the_first_run_waits_until_its_task_may_pull(nightly: Template) -> None:
    """The schedule depends on the policy of the execution role."""
    depends = nightly["Resources"][logical(nightly, SCHEDULE, "Nightly")]["DependsOn"]
    assert any(name.startswith("NightlyTaskExecutionRoleDefaultPolicy") for name in depends)


def test_a_fixed_digest_is_scheduled_at_once_with_what_was_asked_for(made: dict[str, Template]) -> None:
    """Without a parameter there is nothing to wait for; sizes and logs reach the template."""
    fixed = made["Fixed"]
    schedule = only(fixed, SCHEDULE)
    assert (schedule["State"], schedule["ScheduleExpression"]) == ("ENABLED", "rate(1 hour)")
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 3600
    found = container(fixed, "HourlyTask")
    assert found["Image"]["Fn::Join"][1][-1] == f"@{DIGEST}"
    assert (found["StopTimeout"], found["LogConfiguration"]["Options"]["max-buffer-size"]) == (10, "52428800b")
    definition = of_type(fixed, TASK)[logical(fixed, TASK, "Hourly")]
    assert (definition["Cpu"], definition["RuntimePlatform"]["CpuArchitecture"]) == ("1024", "X86_64")
    assert definition["Family"] == {"Fn::Join": ["", [{"Ref": "AWS::StackName"}, "-hourly"]]}


def test_a_parameter_of_its_own_holds_it_back_as_well() -> None:
    """Without a service beside it, a released digest makes parameter and condition of the task's own (Q3)."""
    scope = stack()
    small(scope, image=ReleasedDigest("/reports/digest"))
    template = synthesize(scope)
    (condition,) = (name for name in template["Conditions"] if name.startswith("NightlyReleased"))
    assert only(template, SCHEDULE)["State"] == {"Fn::If": [condition, "ENABLED", "DISABLED"]}


def test_what_it_needs_is_granted_to_it() -> None:
    """Its security group and its task role are public, and it may do nothing until somebody says so."""
    scope = stack()
    made = small(scope)
    made.connections.allow_to(ec2.Peer.ipv4("10.0.0.0/8"), ec2.Port.tcp(5432))
    ecr.Repository(scope, "Data").grant_pull(made.task_role)
    template = synthesize(scope)
    (policy,) = (
        one
        for one in of_type(template, "AWS::IAM::Policy").values()
        if references(one["Roles"]) == {logical(template, "AWS::IAM::Role", "NightlyTaskTaskRole")}
    )
    assert "ecr:BatchGetImage" in json.dumps(policy)


# The queue alone


def test_the_queue_works_with_any_task_definition(made: dict[str, Template]) -> None:
    """A plain task definition with a family of its own, however it is started (T4, W5)."""
    alone = made["Alone"]
    detail = only(alone, "AWS::Events::Rule")["EventPattern"]["detail"]
    assert text(detail["taskDefinitionArn"][0]["prefix"]).endswith(":task-definition/report:")
    assert detail["$or"][1]["containers"]["name"] == ["main"]
    assert of_type(alone, SCHEDULE) == {}


def test_the_alarm_is_plain_data() -> None:
    """No data leaves it as it is, for SQS sends none of a queue that nobody uses."""
    spec = failed_runs_alarm("report", queue="failed", acts_if=None)
    assert (spec.component, spec.what, spec.severity) == ("report", "failed-runs", "page")
    assert spec.threshold.missing == "ignore"
    assert spec.metric.dimensions == {"QueueName": "failed"}


CLUSTER, FAMILY = "arn:aws:ecs:eu-west-1:1:cluster/main", "arn:aws:ecs:eu-west-1:1:task-definition/report:"
PATTERN = failed_run_pattern(cluster_arn=CLUSTER, task_definitions=FAMILY, container="main")
GOOD = {
    "clusterArn": CLUSTER,
    "taskDefinitionArn": f"{FAMILY}7",
    "lastStatus": "STOPPED",
    "stopCode": "EssentialContainerExited",
    "containers": [{"name": "main", "exitCode": 0}, {"name": "agent", "exitCode": 137}],
}


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """As EventBridge matches what this pattern has: every key, one element of a list, one of two alternatives.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
    """
    return all(
        any(matches(one, event) for one in wanted) if key == "$or" else key in event and fits(wanted, event[key])
        for key, wanted in pattern.items()
    )


def fits(wanted: Any, value: Any) -> bool:
    """Whether one key's value is what the pattern names."""
    if isinstance(wanted, dict):
        return any(matches(wanted, one) for one in (value if isinstance(value, list) else [value]))
    return any(
        not one["anything-but"].count(value)
        if isinstance(one, dict) and "anything-but" in one
        else value.startswith(one["prefix"])
        if isinstance(one, dict)
        else one == value
        for one in wanted
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, False),
        ({"containers": [{"name": "main", "exitCode": 1}]}, True),
        ({"containers": [{"name": "main", "exitCode": 137}, {"name": "agent", "exitCode": 0}]}, True),
        ({"stopCode": "TaskFailedToStart", "containers": [{"name": "main"}]}, True),
        ({"stopCode": "UserInitiated"}, True),
        ({"stopCode": "TerminationNotice"}, True),
        ({"lastStatus": "RUNNING", "containers": [{"name": "main", "exitCode": 1}]}, False),
        ({"taskDefinitionArn": f"{FAMILY[:-1]}-weekly:7", "stopCode": "UserInitiated"}, False),
        ({"clusterArn": f"{CLUSTER}2", "stopCode": "UserInitiated"}, False),
    ],
)
def test_a_run_that_ended_with_anything_but_zero_is_told(changes: dict[str, Any], told: bool) -> None:
    """Errors, runs that never started and runs that were stopped are told; good ends and others' tasks are not."""
    detail = PATTERN["detail"]
    assert isinstance(detail, dict)
    assert matches(detail, {**GOOD, **changes}) is told
    assert (PATTERN["source"], PATTERN["detail-type"]) == (["aws.ecs"], ["ECS Task State Change"])


# What is refused


def small(scope: Stack, **changes: Any) -> FargateScheduledTask:
    """A scheduled task with all defaults, but for ``changes``."""
    cluster, repository = parts(scope)
    arguments: dict[str, Any] = {"image": FixedDigest(DIGEST), "schedule": NIGHTLY, **changes}
    return FargateScheduledTask(scope, "Nightly", cluster=cluster, repository=repository, **arguments)


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"image": "report:latest"}, "image", "report:latest", "a FixedDigest"),
        ({"schedule": "rate(1 day)"}, "schedule", "rate(1 day)", "a Schedule"),
        ({"stop_seconds": 121}, "stop_seconds", 121, "from 2 to 120"),
        ({"log_delivery": LogDelivery(buffer_mib=300)}, "buffer_mib", 300, "a quarter"),
    ],
)
def test_what_a_scheduled_task_cannot_have_is_refused(
    changes: dict[str, Any], what: str, value: object, allowed: str
) -> None:
    """One sentence, and nothing is made."""
    refused(lambda: small(stack(), **changes), what, value, allowed)


def test_one_zone_is_refused() -> None:
    """A zone that is lost must not lose the night's run (T4)."""
    scope = stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        scope, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"], private_subnet_ids=["subnet-1"]
    )
    cluster, repository = ecs.Cluster(scope, "Cluster", vpc=vpc), ecr.Repository(scope, "Images")
    image = FixedDigest(DIGEST)
    refused(
        lambda: FargateScheduledTask(
            scope, "Nightly", cluster=cluster, repository=repository, image=image, schedule=NIGHTLY
        ),
        "cluster.vpc",
        ["eu-west-1a"],
        "at least two availability zones",
    )


@settings(max_examples=15, deadline=None)
@given(
    size=st.sampled_from([TaskSize(cpu=256, memory_mib=512), TaskSize(cpu=4096, memory_mib=8192)]),
    buffer=st.sampled_from([25, 100, 1024]),
    late=st.integers(1, 1440),
    value=st.integers(1, 90),
    unit=st.sampled_from(["minutes", "hours", "days"]),
    command=st.none() | st.just(["report"]),
)
def test_whatever_is_asked_for_logs_never_block_and_failures_are_kept(
    size: TaskSize, buffer: int, late: int, value: int, unit: Any, command: list[str] | None
) -> None:
    """No combination of arguments that is accepted makes a task whose logs block, or whose failure nobody hears of."""
    scope = stack(App())
    arguments: dict[str, Any] = {
        "size": size,
        "log_delivery": LogDelivery(buffer_mib=buffer),
        "schedule": Schedule.rate(value, unit, late_minutes=late),
        "settings": ContainerSettings(command=command),
    }
    if buffer * 4 > size.memory_mib:
        refused(lambda: small(scope, **arguments), "buffer_mib", buffer, "a quarter")
        return
    small(scope, **arguments)
    template = synthesize(scope)
    assert container(template, "NightlyTask")["LogConfiguration"]["Options"]["mode"] == "non-blocking"
    target = only(template, SCHEDULE)["Target"]
    assert references(target["DeadLetterConfig"]) == set(of_type(template, QUEUE))
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == late * 60
    assert of_type(template, "AWS::Events::Rule")
