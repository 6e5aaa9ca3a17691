"""The agent beside a task: it may do little, blocks nothing, and takes nobody with it (lessons W1, W2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize
from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.ports.local_ports import KERNEL
from constructs_lib.services.sockets.socket_metrics import SocketMetrics, SocketSource
from constructs_lib.services.sockets.watch_sockets import add_socket_agent, allow_socket_metrics, watch_sockets
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.execute_command import ExecuteCommand
from constructs_lib.services.task.health_check import ContainerCheck, HealthCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from tests.services.conftest import CHECK, PARAMETER, parts
from tests.services.sockets.agent_schema import faults
from tests.support import (
    DIGEST,
    FLAG_SETS,
    Template,
    containers,
    listed,
    of_type,
    only,
    refused,
    stack,
    statements,
    synthesize,
)

IMAGE = f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}"
PRIVATE = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/ecr-public/cloudwatch-agent/cloudwatch-agent@{DIGEST}"
METRICS = SocketMetrics(image=IMAGE)
SOURCE = SocketSource(application="shop", environment="staging", service="web")
NAME = "cloudwatch-agent"
PATHS = ["/opt/aws/amazon-cloudwatch-agent/etc", "/opt/aws/amazon-cloudwatch-agent/var"]
SESSIONS = ["/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"]
EVERY = ("Web", "Shell", "Worker", "Own")


def web(scope: Stack, **changes: Any) -> FargateWebService:
    """A web service whose digest is released."""
    cluster, repository = parts(scope)
    values: dict[str, Any] = {"image": ReleasedDigest(PARAMETER), "health_check": CHECK} | changes
    return FargateWebService(scope, "Web", cluster=cluster, repository=repository, **values)


def of_a_service(app: App) -> None:
    """A web service, with its alarms rendered."""
    scope = stack(app, "Web")
    made = web(scope)
    specs = watch_sockets(made.task, METRICS, SOURCE, tasks=2, acts_if=made.release.condition_id)
    rendered(scope, specs)


def with_a_shell(app: App) -> None:
    """A web service with ECS Exec, whose agent is in a private repository."""
    made = web(stack(app, "Shell"), execute_command=ExecuteCommand(reason="the on-call engineer reads thread dumps"))
    watch_sockets(made.task, SocketMetrics(image=PRIVATE, memory_mib=300), SOURCE)


def of_a_worker(app: App) -> None:
    """A worker without any port, with the kernel's own range of ports."""
    scope = stack(app, "Worker")
    cluster, repository = parts(scope)
    made = FargateWorker(
        scope,
        "Mailer",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=ContainerCheck.of("true"),
        settings=ContainerSettings(kernel=KernelSettings(local_ports=KERNEL)),
    )
    source = SocketSource(application="shop", environment="staging", service="mailer")
    rendered(scope, watch_sockets(made.task, SocketMetrics(image=IMAGE, destinations=4), source))


def of_ones_own(app: App) -> None:
    """A plain task definition, to which nothing else of ours belongs."""
    scope = stack(app, "Own")
    task = ecs.FargateTaskDefinition(scope, "Task", cpu=256, memory_limit_mib=512)
    task.add_container("app", image=ecs.ContainerImage.from_registry("app"))
    add_socket_agent(task, METRICS, SOURCE, log_delivery=LogDelivery(buffer_mib=30, retention_days=30))


def plain(app: App) -> None:
    """A task as it is without: an application and nobody who counts."""
    scope = stack(app, "Plain")
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container("app", image=ecs.ContainerImage.from_registry("app"))


def rendered(scope: Stack, specs: tuple[AlarmSpec, ...]) -> None:
    """The alarms of these specs."""
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=specs, topics=topics)


@pytest.fixture(scope="module", params=FLAG_SETS)
def templates(request: pytest.FixtureRequest) -> Mapping[str, Template]:
    """The templates by stack."""
    app = App(context=request.param)
    for make in (of_a_service, with_a_shell, of_a_worker, of_ones_own, plain):
        make(app)
    return {made.stack_name: made.template for made in app.synth().stacks}


def agent(template: Template) -> dict[str, Any]:
    """The agent's container."""
    return containers(template)[NAME]


def policies(template: Template, role: str) -> list[dict[str, Any]]:
    """What the task role or the execution role of the one task may do."""
    reference = only(template, "AWS::ECS::TaskDefinition")[role]["Fn::GetAtt"][0]
    return statements(template, reference)


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """The alarms that have a name, by it."""
    return {one["AlarmName"]: one for one in of_type(template, "AWS::CloudWatch::Alarm").values() if "AlarmName" in one}


def test_before_nobody_counts_sockets(templates: Mapping[str, Template]) -> None:
    """A plain task has its application alone, and no metric of AWS's tells of its ports; it took 32 hours (W1)."""
    assert set(containers(templates["Plain"])) == {"app"}
    assert not of_type(templates["Plain"], "AWS::IAM::Policy")


@pytest.mark.parametrize("name", EVERY)
def test_after_the_agent_counts_them_under_the_names_of_the_service(
    templates: Mapping[str, Template], name: str
) -> None:
    """It is told by its environment, in a way that it understands (W1)."""
    told = {one["Name"]: one["Value"] for one in agent(templates[name])["Environment"]}
    assert set(told) == {"CW_CONFIG_CONTENT", "GOMEMLIMIT"}
    found = json.loads(told["CW_CONFIG_CONTENT"])
    assert list(faults(found)) == []
    assert found["metrics"]["metrics_collected"]["netstat"]["append_dimensions"] == {
        "Application": "shop",
        "Environment": "staging",
        "Service": "mailer" if name == "Worker" else "web",
    }


@pytest.mark.parametrize("name", EVERY)
def test_it_takes_no_task_with_it(templates: Mapping[str, Template], name: str) -> None:
    """Not essential, started again whatever it ended with, killed before it takes the application's memory (T4)."""
    found = agent(templates[name])
    assert found["Essential"] is False
    assert found["RestartPolicy"] == {"Enabled": True, "RestartAttemptPeriod": 60}
    assert found["Memory"] == (300 if name == "Shell" else 256)
    assert found["Image"] == (PRIVATE if name == "Shell" else IMAGE)
    assert not {"PortMappings", "HealthCheck", "Secrets", "SystemControls", "DependsOn"} & set(found)


@pytest.mark.parametrize("name", EVERY)
def test_its_logs_block_nothing_and_are_kept(templates: Mapping[str, Template], name: str) -> None:
    """As every container's: non-blocking, in a log group of its own with a retention (W2)."""
    log = agent(templates[name])["LogConfiguration"]
    assert log["LogDriver"] == "awslogs"
    mib, days = (30, 30) if name == "Own" else (25, 90)
    assert (log["Options"]["mode"], log["Options"]["max-buffer-size"]) == ("non-blocking", f"{mib * 1024 * 1024}b")
    group = templates[name]["Resources"][log["Options"]["awslogs-group"]["Ref"]]
    assert group["Properties"]["RetentionInDays"] == days
    assert group["DeletionPolicy"] == "RetainExceptOnCreate"


@pytest.mark.parametrize("name", EVERY)
def test_it_writes_to_volumes_of_its_own_only(templates: Mapping[str, Template], name: str) -> None:
    """A read-only root; with ECS Exec also what a session's agent writes to (aws/containers-roadmap #1359)."""
    found, template = agent(templates[name]), templates[name]
    assert found["ReadonlyRootFilesystem"] is True
    assert [one["ContainerPath"] for one in found["MountPoints"]] == PATHS + (SESSIONS if name == "Shell" else [])
    assert not any(one["ReadOnly"] for one in found["MountPoints"])
    volumes = [one["Name"] for one in only(template, "AWS::ECS::TaskDefinition")["Volumes"]]
    mounted = [one["SourceVolume"] for one in found["MountPoints"]]
    assert set(mounted) <= set(volumes)
    assert len(set(volumes)) == len(volumes)
    others = [made for key, made in containers(template).items() if key != NAME]
    assert not {one["SourceVolume"] for made in others for one in made.get("MountPoints", [])} & set(mounted)


@pytest.mark.parametrize("name", EVERY)
def test_the_task_may_send_its_own_metrics_and_no_others(templates: Mapping[str, Template], name: str) -> None:
    """Only into the sockets' namespace: CloudWatch knows no resource for it, and this condition instead."""
    (sends,) = (one for one in policies(templates[name], "TaskRoleArn") if "cloudwatch:PutMetricData" in one["Action"])
    assert sends == {
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": "Moorings/Sockets"}},
    }


@pytest.mark.parametrize("name", ["Web", "Worker", "Own"])
def test_the_agent_asks_for_no_other_permission(templates: Mapping[str, Template], name: str) -> None:
    """Not for EC2's tags, not for log groups, as AWS's managed policy for it would give."""
    assert len(policies(templates[name], "TaskRoleArn")) == 1


def test_a_private_repository_may_be_pulled_from_and_no_other(templates: Mapping[str, Template]) -> None:
    """A task that cannot pull its sidecar does not start, so the permission comes with the image (Q4)."""
    repository = "111122223333:repository/ecr-public/cloudwatch-agent/cloudwatch-agent"
    found = [
        one for one in policies(templates["Shell"], "ExecutionRoleArn") if repository in json.dumps(one["Resource"])
    ]
    assert [sorted(listed(one["Action"])) for one in found] == [
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    ]
    own, allowed = {"Fn::GetAtt": ["Images2D38C313", "Arn"]}, listed(found[0]["Resource"])  # CDK may write both as one
    assert [one for one in allowed if one != own] == [
        {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":ecr:eu-west-1:{repository}"]]}
    ]


@pytest.mark.parametrize("name", ["Web", "Worker", "Own"])
def test_a_public_image_needs_no_permission(templates: Mapping[str, Template], name: str) -> None:
    """Nothing is granted for a registry that anybody may pull from."""
    assert "cloudwatch-agent" not in json.dumps(policies(templates[name], "ExecutionRoleArn"))


def test_an_own_task_with_a_private_image_may_pull_it() -> None:
    """The plain task's execution role gets both: the log group, and the pull."""
    scope = stack()
    task = ecs.FargateTaskDefinition(scope, "Task", memory_limit_mib=512)
    add_socket_agent(task, SocketMetrics(image=PRIVATE), SOURCE)
    task.add_container("app", image=ecs.ContainerImage.from_registry("app"))
    allowed = policies(synthesize(scope), "ExecutionRoleArn")
    actions = {action for one in allowed for action in listed(one["Action"])}
    assert {"ecr:GetAuthorizationToken", "ecr:BatchGetImage", "logs:PutLogEvents"} <= actions
    assert [listed(one["Action"]) for one in allowed if one["Resource"] == "*"] == [["ecr:GetAuthorizationToken"]]


def test_the_alarms_know_the_ports_that_the_task_has(templates: Mapping[str, Template]) -> None:
    """The service's range begins above its port; the worker keeps the kernel's, to four destinations (W1)."""
    found = {name: alarms(templates[name]) for name in ("Web", "Worker")}
    assert found["Web"]["shop/staging/web/ports-half-used"]["Threshold"]["Fn::If"][1] == 27_648
    assert found["Web"]["shop/staging/web/ports-nearly-used-up"]["Threshold"]["Fn::If"][1] == 44_237
    assert found["Worker"]["shop/staging/mailer/ports-half-used"]["Threshold"] == 56_464
    assert set(found["Worker"]) == {
        f"shop/staging/mailer/{what}" for what in ("ports-half-used", "ports-nearly-used-up")
    }


def test_an_alarm_adds_up_the_states(templates: Mapping[str, Template]) -> None:
    """Eight metrics of one service at their fullest task, and one sum that the alarm watches."""
    alarm = alarms(templates["Web"])["shop/staging/web/ports-nearly-used-up"]
    *queries, total = alarm["Metrics"]
    assert (total["Expression"], len(queries)) == ("m0+m1+m2+m3+m4+m5+m6+m7", 8)
    assert "ReturnData" not in total
    assert {query["ReturnData"] for query in queries} == {False}
    stats = {(query["MetricStat"]["Stat"], query["MetricStat"]["Period"]) for query in queries}
    assert stats == {("Maximum", 60)}
    metrics = [query["MetricStat"]["Metric"] for query in queries]
    assert [metric["MetricName"] for metric in metrics] == [
        *("SocketsEstablished", "SocketsTimeWait", "SocketsCloseWait", "SocketsSynSent"),
        *("SocketsFinWait1", "SocketsFinWait2", "SocketsLastAck", "SocketsClosing"),
    ]
    assert {metric["Namespace"] for metric in metrics} == {"Moorings/Sockets"}
    for metric in metrics:
        assert metric["Dimensions"] == [
            {"Name": "Application", "Value": "shop"},
            {"Name": "Environment", "Value": "staging"},
            {"Name": "Service", "Value": "web"},
        ]
    assert not {"MetricName", "Namespace", "Statistic", "Period", "Dimensions"} & set(alarm)


def test_before_the_first_release_silence_is_no_fault(templates: Mapping[str, Template]) -> None:
    """No task runs then, and nobody is told of sockets that are not seen (Q3)."""
    alarm = alarms(templates["Web"])["shop/staging/web/sockets-unseen"]
    condition, released, not_yet = alarm["TreatMissingData"]["Fn::If"]
    assert (released, not_yet) == ("breaching", "notBreaching")
    assert alarm["ActionsEnabled"]["Fn::If"] == [condition, True, False]
    assert alarm["Threshold"] == {"Fn::If": [condition, 2, -1]}
    assert alarm["MetricName"] == "SocketsEstablished"


def test_an_application_on_a_high_port_has_fewer_ports() -> None:
    """Ports begin above the one that it listens on: 25,536 above 39999 are fewer than the kernel's own, which stay; of
    45,536 above 19999 half are 22,768 (W1)."""
    for number, half in ((19_999, 22_768), (39_999, 14_116)):
        made = web(stack(), health_check=HealthCheck.http("/", port=number, program="curl"))
        alarms = {alarm.what: alarm for alarm in watch_sockets(made.task, METRICS, SOURCE)}
        assert alarms["ports-half-used"].threshold.value == half


def test_it_adds_a_log_group_and_a_policy() -> None:
    """Two resources for a service, and its alarms: of 500 in a stack each counts."""
    without, seen = stack(), stack()
    web(without)
    assert len(watch_sockets(web(seen).task, METRICS, SOURCE, tasks=2)) == 3
    before, after = synthesize(without)["Resources"], synthesize(seen)["Resources"]
    kinds = sorted(made["Type"] for key, made in after.items() if key not in before)
    assert kinds == ["AWS::IAM::Policy", "AWS::Logs::LogGroup"]


def test_a_task_that_is_too_small_is_refused_before_anything_is_added() -> None:
    """The agent may take half of a task and no more."""
    scope = stack()
    made = web(scope, size=TaskSize(cpu=256, memory_mib=512))
    large = SocketMetrics(image=IMAGE, memory_mib=257)
    refused(lambda: watch_sockets(made.task, large, SOURCE), "memory_mib", 257, "at most half of the task's 512 MiB")
    task = ecs.FargateTaskDefinition(scope, "Own", memory_limit_mib=512)
    refused(lambda: add_socket_agent(task, large, SOURCE), "memory_mib", 257, "at most half of the task's 512 MiB")
    assert [one.container_name for one in task.node.find_all() if isinstance(one, ecs.ContainerDefinition)] == []
    assert watch_sockets(made.task, METRICS, SOURCE)


def test_an_agent_of_a_task_is_enough() -> None:
    """A second one would count every socket twice."""
    made = web(stack())
    watch_sockets(made.task, METRICS, SOURCE)
    refused(lambda: watch_sockets(made.task, METRICS, SOURCE), "name", NAME, "none of web, cloudwatch-agent")


def test_an_agent_that_one_adds_oneself_needs_the_permission_only() -> None:
    """Whoever has an agent in the task already lets it send these metrics too."""
    scope = stack()
    task = ecs.FargateTaskDefinition(scope, "Task")
    allow_socket_metrics(task)
    task.add_container("app", image=ecs.ContainerImage.from_registry("app"))
    (statement,) = policies(synthesize(scope), "TaskRoleArn")
    assert statement["Action"] == "cloudwatch:PutMetricData"
