"""W2: the logs of Service Connect's proxies, which no task definition has, block nobody either."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Aspects, Size, Stack
from aws_cdk import aws_ecs as ecs

from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.non_blocking_logs import NonBlockingLogs, keep_proxy_logs_non_blocking
from tests.guardrails.support import said
from tests.services.conftest import parts
from tests.services.task.test_log_aspect import CONTEXTS, Calling
from tests.support import DIGEST, Template, only, stack, synthesize

SERVICE = "AWS::ECS::Service"
CONNECT = ecs.CfnService.ServiceConnectConfigurationProperty
LOGS = ecs.CfnService.LogConfigurationProperty


@pytest.fixture(params=CONTEXTS)
def app(request: pytest.FixtureRequest) -> App:
    """An app with one set of feature flags."""
    return App(context=request.param)


def service(scope: Stack) -> ecs.FargateService:
    """A service of plain CDK whose own container's logs are safe."""
    cluster, _ = parts(scope)
    cluster.add_default_cloud_map_namespace(name="shop", use_for_service_connect=True)
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container(
        "app",
        image=ecs.ContainerImage.from_registry(f"busybox@{DIGEST}"),
        logging=ecs.LogDrivers.aws_logs(stream_prefix="app", mode=ecs.AwsLogDriverMode.NON_BLOCKING),
    )
    return ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task)


def low(made: ecs.FargateService) -> ecs.CfnService:
    """Its resource."""
    resource = made.node.default_child
    assert isinstance(resource, ecs.CfnService)
    return resource


def options(template: Template) -> dict[str, Any]:
    """The options of the proxy's log driver."""
    written: dict[str, Any] = only(template, SERVICE)["ServiceConnectConfiguration"]["LogConfiguration"]["Options"]
    return written


def test_before_a_proxy_of_plain_cdk_logs_as_the_account_happens_to_say() -> None:
    """Neither mode nor buffer is written, and rule W2a says so (W2)."""
    scope = stack()
    service(scope).enable_service_connect(log_driver=ecs.LogDrivers.aws_logs(stream_prefix="proxy"))
    template = synthesize(scope)
    assert {"mode", "max-buffer-size"}.isdisjoint(options(template))
    assert [(status, path) for status, _, path in found(template)] == [
        ("fail", "Properties/ServiceConnectConfiguration/LogConfiguration/Options/mode")
    ]


def found(template: Template) -> list[tuple[str, str, str]]:
    """What the rules on logs say of the services."""
    return [one for one in said(json.dumps(template), "MOOR-W2") if "ServiceConnect" in one[2]]


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_after_the_aspect_writes_what_is_missing(app: App, late: bool) -> None:
    """Whether Service Connect is enabled before the Aspect is applied or after it (W2)."""
    scope = stack(app)
    made = service(scope)
    if late:
        NonBlockingLogs().apply_to(scope)
    made.enable_service_connect(log_driver=ecs.LogDrivers.aws_logs(stream_prefix="proxy"))
    if not late:
        NonBlockingLogs().apply_to(scope)
    template = synthesize(scope)
    assert (options(template)["mode"], options(template)["max-buffer-size"]) == ("non-blocking", "25m")
    assert found(template) == []
    connect = only(template, SERVICE)["ServiceConnectConfiguration"]
    assert (connect["Enabled"], connect["Namespace"], connect["LogConfiguration"]["LogDriver"]) == (
        True,
        "shop",
        "awslogs",
    )


def test_after_a_blocking_proxy_is_mended_and_a_safe_one_left_as_it_is() -> None:
    """A buffer of one's own stays (W2)."""
    for mode, size, expected in (
        (ecs.AwsLogDriverMode.BLOCKING, None, "40m"),
        (ecs.AwsLogDriverMode.NON_BLOCKING, Size.mebibytes(64), "67108864b"),
    ):
        scope = stack()
        made = service(scope)
        made.enable_service_connect(
            log_driver=ecs.LogDrivers.aws_logs(stream_prefix="proxy", mode=mode, max_buffer_size=size)
        )
        keep_proxy_logs_non_blocking(low(made), LogDelivery(buffer_mib=40))
        written = options(synthesize(scope))
        assert (written["mode"], written["max-buffer-size"]) == ("non-blocking", expected)


@pytest.mark.parametrize("connects", [False, True])
def test_a_service_without_a_proxy_or_a_proxy_without_logs_stays_as_it_is(app: App, connects: bool) -> None:
    """There is nothing that could wait (W2)."""
    scope = stack(app)
    made = service(scope)
    if connects:
        made.enable_service_connect()
    NonBlockingLogs().apply_to(scope)
    written = only(synthesize(scope), SERVICE)
    assert written.get("ServiceConnectConfiguration") == ({"Enabled": True, "Namespace": "shop"} if connects else None)


def test_a_proxys_driver_that_nobody_knows_fails_the_synthesis() -> None:
    """No option mends it; the sentence names the proxy (W2)."""
    scope = stack()
    made = low(service(scope))
    made.service_connect_configuration = CONNECT(enabled=True, log_configuration=LOGS(log_driver="logentries"))
    keep_proxy_logs_non_blocking(made)
    with pytest.raises(RuntimeError, match="log driver of container 'service-connect' must be one of awslogs"):
        synthesize(scope)


def test_a_configuration_that_comes_after_the_look_fails_the_synthesis_when_it_blocks() -> None:
    """Somebody has put another one in its place (W2)."""
    scope = stack()
    made = low(service(scope))
    NonBlockingLogs().apply_to(scope)

    def replace(node: ecs.CfnService) -> None:
        node.service_connect_configuration = CONNECT(
            enabled=True, log_configuration=LOGS(log_driver="awslogs", options={"awslogs-group": "g"})
        )

    Aspects.of(made).add(Calling(ecs.CfnService, replace), priority=900)
    with pytest.raises(RuntimeError, match="give them non-blocking logs where they are written"):
        synthesize(scope)
