"""Services as people write them, synthesized once for each set of feature flags and read by many tests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, ReleasedDigest, TaskSize, WritablePath
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.ingress import AccessLogsBucket, OwnLoadBalancer, SharedListener
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.support import DIGEST, FLAG_SETS, Template, stack, vpc

CERTIFICATE = "arn:aws:acm:eu-west-1:111122223333:certificate/84941bd4-6795-4871-99f6-e2e4697138da"
PARAMETER = "/moorings/shop/staging/web/digest"
SIDECAR = f"public.ecr.aws/docker/library/busybox@{DIGEST}"
CHECK = HealthCheck.http("/healthz", port=8080, program="curl", interval_seconds=12, timeout_seconds=4)

Templates = Mapping[str, Template]


def parts(scope: Stack) -> tuple[ecs.Cluster, ecr.Repository]:
    """A cluster in somebody's VPC, and a repository."""
    return ecs.Cluster(scope, "Cluster", vpc=vpc(scope)), ecr.Repository(scope, "Images")


def released(app: App) -> None:
    """All defaults, the digest from a parameter; two sidecars, secrets, settings and writable paths."""
    scope = stack(app, "Released")
    cluster, repository = parts(scope)
    service = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=ReleasedDigest(PARAMETER),
        health_check=CHECK,
        settings=ContainerSettings(
            environment={"MODE": "shop"},
            secrets={"TOKEN": ecs.Secret.from_secrets_manager(secretsmanager.Secret(scope, "Token"))},
            writable_paths=[WritablePath(path="/tmp"), WritablePath(path="/sub-x")],
        ),
    )
    sub = ContainerSettings(writable_paths=[WritablePath(path="/x")], environment={"A": "b"})
    service.task.add_sidecar("web-sub", image=SIDECAR, settings=sub)
    agent = ContainerSettings(command=["/agent"])
    service.task.add_sidecar("agent", image=SIDECAR, settings=agent, essential=True, health_command=["/agent", "ok"])


def fixed(app: App) -> None:
    """Everything set: a digest in code, HTTPS for the internet, sizes, time-outs, logs."""
    scope = stack(app, "Fixed")
    cluster, repository = parts(scope)
    FargateWebService(
        scope,
        "WebAPI",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        size=TaskSize(cpu=1024, memory_mib=4096, architecture="x86_64"),
        capacity=Capacity(min_tasks=3, max_tasks=7, target_cpu_percent=40),
        timeouts=TimeoutBudget(idle_seconds=50, drain_seconds=35, stop_seconds=25),
        log_delivery=LogDelivery(buffer_mib=50, retention_days=400),
        ingress=OwnLoadBalancer(internet_facing=True, certificate_arn=CERTIFICATE),
    )


def shared(app: App) -> None:
    """Two services on a listener of another stack; and beside them two of one stack that share a bucket."""
    owner = stack(app, "Owner")
    balancer = elbv2.ApplicationLoadBalancer(owner, "Balancer", vpc=vpc(owner), internet_facing=False)
    listener = balancer.add_listener(
        "Listener", port=80, open=False, default_action=elbv2.ListenerAction.fixed_response(404)
    )
    scope = stack(app, "Shared")
    cluster, repository = parts(scope)
    for number, team in enumerate(("One", "Two"), start=1):
        FargateWebService(
            scope,
            team,
            cluster=cluster,
            repository=repository,
            image=FixedDigest(DIGEST),
            health_check=CHECK,
            ingress=SharedListener(
                load_balancer=balancer,
                listener=listener,
                priority=number,
                conditions=[elbv2.ListenerCondition.path_patterns([f"/{team.lower()}/*"])],
            ),
        )
    inside = stack(app, "Inside")
    cluster, repository = parts(inside)
    bucket = AccessLogsBucket(inside, "AccessLogs", days=30).bucket
    for name in ("first", "second"):
        FargateWebService(
            inside,
            name,
            cluster=cluster,
            repository=repository,
            image=FixedDigest(DIGEST),
            health_check=CHECK,
            ingress=OwnLoadBalancer(access_logs=bucket, admitted_cidrs=("10.1.0.0/16",)),
        )


def plain(app: App) -> None:
    """The same service as plain CDK's own pattern makes it."""
    scope = stack(app, "Plain")
    cluster, repository = parts(scope)
    patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        cluster=cluster,
        desired_count=2,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_ecr_repository(repository), container_port=8080
        ),
    )


@pytest.fixture(scope="session", params=FLAG_SETS)
def templates(request: pytest.FixtureRequest) -> Templates:
    """The templates of all stacks of one app, by the stack's name."""
    app = App(context=request.param)
    for make in (released, fixed, shared, plain):
        make(app)
    return {made.stack_name: made.template for made in app.synth().stacks}


@pytest.fixture(scope="session")
def web(templates: Templates) -> Template:
    """The service whose digest comes from a parameter, with all defaults."""
    return templates["Released"]


@pytest.fixture(scope="session")
def api(templates: Templates) -> Template:
    """The service with everything set and a digest in code."""
    return templates["Fixed"]


@pytest.fixture(scope="session")
def pattern(templates: Templates) -> Template:
    """What plain CDK makes."""
    return templates["Plain"]
