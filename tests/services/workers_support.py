"""Workers and scheduled tasks as people write them, ours and plain CDK's, in one app."""

from __future__ import annotations

from typing import Any

from aws_cdk import App, Duration
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib.observability.alarms import Alarms
from constructs_lib.observability.notification.topics import NotificationTopics
from constructs_lib.services.fargate_scheduled_task import FargateScheduledTask
from constructs_lib.services.fargate_worker import FargateWorker
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize, WritablePath
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.schedules.failed_runs import FailedRuns
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from tests.services.conftest import SIDECAR, parts
from tests.support import DIGEST, Template, stack

PARAMETER = "/moorings/shop/staging/mailer/digest"
ALIVE = ContainerCheck.of("python3", "-m", "mailer.alive", interval_seconds=15, start_seconds=30)
NIGHTLY = Schedule.cron("30 3 ? * MON-FRI *", time_zone="Asia/Tokyo", late_minutes=90)


def released(app: App) -> None:
    """A worker and a nightly task with its image; all defaults; the digest from a parameter; and their alarms."""
    scope = stack(app, "Released")
    cluster, repository = parts(scope)
    worker = FargateWorker(
        scope,
        "Mailer",
        cluster=cluster,
        repository=repository,
        image=ReleasedDigest(PARAMETER),
        health_check=ALIVE,
        settings=ContainerSettings(
            environment={"MODE": "shop"},
            secrets={"TOKEN": ecs.Secret.from_secrets_manager(secretsmanager.Secret(scope, "Token"))},
            writable_paths=[WritablePath(path="/tmp")],
        ),
    )
    worker.task.add_sidecar("agent", image=SIDECAR)
    task = FargateScheduledTask(
        scope,
        "Nightly",
        cluster=cluster,
        repository=repository,
        image=worker.release,
        schedule=NIGHTLY,
        settings=ContainerSettings(command=["python3", "-m", "mailer.nightly"]),
    )
    specs = [*worker.alarms, *task.alarms]
    topics = NotificationTopics(scope, "Topics")
    Alarms(scope, "Alarms", application="shop", environment="staging", specs=specs, topics=topics)


def fixed(app: App) -> None:
    """Everything set, and digests in code."""
    scope = stack(app, "Fixed")
    cluster, repository = parts(scope)
    size = TaskSize(cpu=1024, memory_mib=4096, architecture="x86_64")
    logs = LogDelivery(buffer_mib=50, retention_days=400)
    FargateWorker(
        scope,
        "Mailer",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=ALIVE,
        size=size,
        capacity=Capacity(min_tasks=3, max_tasks=7, target_cpu_percent=40, target_memory_percent=70),
        stop_seconds=20,
        log_delivery=logs,
    )
    FargateScheduledTask(
        scope,
        "Hourly",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        schedule=Schedule.rate(1, "hours"),
        size=size,
        log_delivery=logs,
        stop_seconds=10,
    )


def alone(app: App) -> None:
    """The queue of failed runs with somebody's own task definition."""
    scope = stack(app, "Alone")
    cluster, repository = parts(scope)
    definition = ecs.FargateTaskDefinition(scope, "Task", family="report")
    definition.add_container("main", image=_latest(repository))
    FailedRuns(scope, "FailedRuns", component="report", cluster=cluster, task_definition=definition, container="main")


def plain(app: App) -> None:
    """The same two as plain CDK's own patterns make them."""
    scope = stack(app, "Plain")
    cluster, repository = parts(scope)
    image = _latest(repository)
    patterns.QueueProcessingFargateService(scope, "Mailer", cluster=cluster, image=image)
    patterns.ScheduledFargateTask(
        scope,
        "Nightly",
        cluster=cluster,
        schedule=appscaling.Schedule.rate(Duration.days(1)),
        scheduled_fargate_task_image_options=patterns.ScheduledFargateTaskImageOptions(image=image),
    )


def _latest(repository: ecr.Repository) -> ecs.ContainerImage:
    return ecs.ContainerImage.from_ecr_repository(repository)


def synthesized(flags: dict[str, Any]) -> dict[str, Template]:
    """All of them, by the name of the stack."""
    app = App(context=flags)
    for make in (released, fixed, alone, plain):
        make(app)
    return {made.stack_name: made.template for made in app.synth().stacks}
