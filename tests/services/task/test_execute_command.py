"""A shell in a running task: nothing of it unless asked, and then with room, rights and a record (lesson T4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, TaskSize, WritablePath
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.execute_command import ExecuteCommand
from constructs_lib.services.task.execute_command_access import enable_sessions
from constructs_lib.services.task.fargate_task import FargateTask
from constructs_lib.services.task.log_delivery import LogDelivery
from tests.services.conftest import CHECK, SIDECAR, parts
from tests.support import (
    DIGEST,
    FLAG_SETS,
    TOKEN,
    Template,
    containers,
    listed,
    of_type,
    only,
    refused,
    run_without_cdk,
    stack,
    statements,
    synthesize,
    vpc,
)

SERVICE = "AWS::ECS::Service"
TASK = "AWS::ECS::TaskDefinition"
PATHS = {"/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm"}
SHELL = ExecuteCommand(reason="the on-call engineer reads thread dumps")
CHANNELS = {f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")}


def web(scope: Stack, cluster: ecs.Cluster | None = None, **changes: Any) -> FargateWebService:
    """A service with a sidecar, in a cluster of somebody's."""
    if cluster is None:
        cluster, repository = parts(scope)
    else:
        repository = ecr.Repository(scope, "Images")
    values: dict[str, Any] = {"image": FixedDigest(DIGEST), "health_check": CHECK, **changes}
    made = FargateWebService(scope, "Web", cluster=cluster, repository=repository, **values)
    made.task.add_sidecar("agent", image=SIDECAR)
    return made


@pytest.fixture(scope="module", params=FLAG_SETS)
def made(request: pytest.FixtureRequest) -> Mapping[str, Template]:
    """A service with ECS Exec and one without, synthesized once for each set of feature flags."""
    app = App(context=request.param)
    tmp = ContainerSettings(writable_paths=[WritablePath(path="/tmp"), WritablePath(path="/managed-agents")])
    web(stack(app, "On"), execute_command=SHELL, settings=tmp)
    web(stack(app, "Off"))
    return {one.stack_name: one.template for one in app.synth().stacks}


def rights(template: Template) -> dict[str, Any]:
    """What the task role may do: actions, and on what."""
    role = only(template, TASK)["TaskRoleArn"]["Fn::GetAtt"][0]
    found: dict[str, Any] = {}
    for statement in statements(template, role):
        for action in listed(statement["Action"]):
            found.setdefault(action, []).extend(listed(statement["Resource"]))
    return found


def test_off_nothing_of_it_is_there(made: Mapping[str, Template]) -> None:
    """No switch, no right and no directory in the template unless it is asked for (T4)."""
    template = made["Off"]
    text = json.dumps(template)
    assert "EnableExecuteCommand" not in only(template, SERVICE)
    assert not [word for word in ("ssmmessages", "managed-agents", "amazon/ssm", "ExecuteCommand") if word in text]
    assert rights(template) == {}
    assert "Volumes" not in only(template, TASK)


def test_before_cdk_leaves_a_session_no_room_and_all_log_groups() -> None:
    """CDK's own switch lets the task write to every log group, and mounts nothing on a read-only root (T4)."""
    scope = stack()
    cluster, _ = parts(scope)
    task = ecs.FargateTaskDefinition(scope, "Task")
    image = ecs.ContainerImage.from_registry("web")
    task.add_container("web", image=image, readonly_root_filesystem=True)
    ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task, enable_execute_command=True)
    template = synthesize(scope)
    assert rights(template)["logs:PutLogEvents"] == ["*"]
    assert "MountPoints" not in containers(template)["web"]


def test_after_a_session_has_room_in_every_container(made: Mapping[str, Template]) -> None:
    """The agent writes to three directories; each container has its own, once, and root stays read-only (T4)."""
    template = made["On"]
    assert only(template, SERVICE)["EnableExecuteCommand"] is True
    sources = []
    for name, wanted in (("web", PATHS | {"/tmp"}), ("agent", PATHS)):
        container = containers(template)[name]
        assert container["ReadonlyRootFilesystem"] is True
        assert container["LinuxParameters"]["InitProcessEnabled"] is True
        mounts = container["MountPoints"]
        assert sorted(mount["ContainerPath"] for mount in mounts) == sorted(wanted)
        assert not any(mount["ReadOnly"] for mount in mounts)
        sources += [mount["SourceVolume"] for mount in mounts]
    assert len(set(sources)) == 7, "no volume is shared"
    assert sorted(volume["Name"] for volume in only(template, TASK)["Volumes"]) == sorted(sources)


def test_after_the_task_may_open_channels_and_write_to_its_own_groups(made: Mapping[str, Template]) -> None:
    """Only what takes no resource is on `*`; sessions are written to the containers' own groups (T4)."""
    template = made["On"]
    found = rights(template)
    groups = [{"Fn::GetAtt": [key, "Arn"]} for key in of_type(template, "AWS::Logs::LogGroup")]
    assert len(groups) == 2
    assert set(found) == CHANNELS | {f"logs:{one}" for one in ("CreateLogStream", "DescribeLogStreams")} | {
        "logs:PutLogEvents",
        "logs:DescribeLogGroups",
    }
    assert all(found[action] == ["*"] for action in CHANNELS | {"logs:DescribeLogGroups"})
    for action in ("CreateLogStream", "DescribeLogStreams", "PutLogEvents"):
        assert sorted(map(str, found[f"logs:{action}"])) == sorted(map(str, groups))


def test_the_reason_stands_in_the_template(made: Mapping[str, Template]) -> None:
    """Whoever finds the switch finds why (Q8)."""
    (task,) = (one for one in made["On"]["Resources"].values() if one["Type"] == TASK)
    assert task["Metadata"]["Moorings::ExecuteCommand"] == SHELL.reason


def cluster_with(scope: Stack, **configured: Any) -> ecs.Cluster:
    """A cluster that records sessions in its own way."""
    how = ecs.ExecuteCommandConfiguration(**configured)
    return ecs.Cluster(scope, "Cluster", vpc=vpc(scope), execute_command_configuration=how)


def test_a_cluster_that_records_elsewhere_is_written_to() -> None:
    """Where a cluster overrides the record, the task may write there, and use the key of the session (T4)."""
    scope = stack()
    group, key = logs.LogGroup(scope, "Sessions"), kms.Key(scope, "Key")
    cluster = cluster_with(
        scope,
        kms_key=key,
        logging=ecs.ExecuteCommandLogging.OVERRIDE,
        log_configuration=ecs.ExecuteCommandLogConfiguration(cloud_watch_log_group=group),
    )
    web(scope, cluster, execute_command=SHELL)
    found = rights(synthesize(scope))
    sessions = next(one for one in found["logs:PutLogEvents"] if "Sessions" in json.dumps(one))
    assert sessions["Fn::GetAtt"][1] == "Arn"
    assert [json.dumps(one) for one in found["kms:Decrypt"] if "Key" in json.dumps(one)]


@pytest.mark.parametrize("s3_only", [False, True])
def test_a_shell_without_a_record_is_refused(s3_only: bool) -> None:
    """A cluster that records nothing, or where CloudWatch Logs has nothing of it, gives no shell (T4)."""
    scope = stack()
    configured: dict[str, Any] = {"logging": ecs.ExecuteCommandLogging.NONE}
    if s3_only:
        kept = ecs.ExecuteCommandLogConfiguration(s3_bucket=s3.Bucket(scope, "Bucket"))
        configured = {"logging": ecs.ExecuteCommandLogging.OVERRIDE, "log_configuration": kept}
    cluster = cluster_with(scope, **configured)
    refused(
        lambda: web(scope, cluster, execute_command=SHELL),
        "the cluster's execute_command_configuration",
        "OVERRIDE without a CloudWatch log group" if s3_only else "NONE",
        "one that records sessions in CloudWatch Logs",
    )


def test_a_cluster_that_records_by_default_needs_nothing_more() -> None:
    """DEFAULT is the containers' own groups, and so is a cluster that says nothing (T4)."""
    scope = stack()
    cluster = cluster_with(scope, logging=ecs.ExecuteCommandLogging.DEFAULT)
    web(scope, cluster, execute_command=SHELL)
    assert len(rights(synthesize(scope))["logs:PutLogEvents"]) == 2


def test_a_task_and_a_plain_service_may_have_it() -> None:
    """The task definition alone, in a service of somebody else (T4)."""
    scope = stack()
    cluster, repository = parts(scope)
    task = FargateTask(
        scope,
        "worker",
        repository=repository,
        digest=DIGEST,
        size=TaskSize(),
        settings=ContainerSettings(),
        log_delivery=LogDelivery(),
        stop_seconds=30,
        execute_command=SHELL,
    )
    service = ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task.definition)
    enable_sessions(service, cluster)
    template = synthesize(scope)
    assert only(template, SERVICE)["EnableExecuteCommand"] is True
    assert {mount["ContainerPath"] for mount in containers(template)["worker"]["MountPoints"]} == PATHS
    assert set(rights(template)) >= CHANNELS


@pytest.mark.parametrize("reason", ["", TOKEN])
def test_a_shell_needs_a_reason(reason: str) -> None:
    """Whoever asks says who needs it, and what for (Q8)."""
    refused(lambda: ExecuteCommand(reason=reason), "reason", reason, "")
    code = "from constructs_lib.services.task.execute_command import ExecuteCommand\nExecuteCommand(reason='')"
    assert run_without_cdk(code).startswith("reason must be")
