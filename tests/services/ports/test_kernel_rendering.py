"""Kernel settings in task definitions of ours and of others (lesson W1)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest
from constructs_lib.services.ports.kernel_rendering import apply_kernel_settings, system_controls
from constructs_lib.services.ports.kernel_settings import KernelSetting, KernelSettings
from constructs_lib.services.ports.local_ports import KERNEL, LocalPorts
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.health_check import HealthCheck
from tests.services.conftest import CHECK, SIDECAR, parts
from tests.services.workers_support import synthesized
from tests.support import DIGEST, FLAG_SETS, Template, containers, of_type, refused, stack, synthesize

WIDE_CONTROL = [{"Namespace": "net.ipv4.ip_local_port_range", "Value": "10240 65535"}]
KEEP_ALIVE = KernelSetting(key="net.ipv4.tcp_keepalive_time", value=290, reason="The firewall forgets after 300 s.")


def controls(template: Template) -> dict[str, Any]:
    """What each container of the one task asks of the kernel."""
    return {name: made.get("SystemControls") for name, made in containers(template).items()}


def service(kernel: KernelSettings | None = None, check: HealthCheck = CHECK) -> FargateWebService:
    """A service with what a test needs."""
    scope = stack()
    cluster, repository = parts(scope)
    settings = ContainerSettings() if kernel is None else ContainerSettings(kernel=kernel)
    return FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=check,
        settings=settings,
    )


def template_of(made: FargateWebService) -> Template:
    """The template of its stack."""
    return synthesize(Stack.of(made))


def of(made: FargateWebService) -> dict[str, Any]:
    """What its containers ask for."""
    return controls(template_of(made))


def test_before_a_task_has_the_kernels_own_ports(pattern: Template) -> None:
    """Plain CDK's pattern says nothing: 28,232 connections to the database are the end (W1)."""
    assert [made.get("SystemControls") for made in containers(pattern).values()] == [None]


def test_after_the_application_asks_for_the_task(web: Template) -> None:
    """One container says it and ECS gives it to all; of two that do, the last to start would decide (W1)."""
    assert controls(web) == {"web": WIDE_CONTROL, "web-sub": None, "agent": None}


def test_workers_and_scheduled_tasks_ask_for_the_same() -> None:
    """They open connections too, and nobody looks at their ports (W1)."""
    stacks = synthesized({})
    first = [
        made["ContainerDefinitions"][0].get("SystemControls")
        for name in ("Released", "Fixed")
        for made in of_type(stacks[name], "AWS::ECS::TaskDefinition").values()
    ]
    assert len(first) >= 3
    assert all(made == WIDE_CONTROL for made in first)


@pytest.mark.parametrize(
    ("port", "kernel", "expected"),
    [
        (30000, KernelSettings(), "30002 65535"),
        (8080, KernelSettings(listening_ports=(20000,)), "20002 65535"),
        (8080, KernelSettings(local_ports=LocalPorts(15000, 60999)), "15000 60999"),
    ],
)
def test_no_server_loses_its_port_to_a_connection(port: int, kernel: KernelSettings, expected: str) -> None:
    """The range begins above the application's port and those of sidecars."""
    check = HealthCheck.http("/healthz", port=port, program="curl")
    made = of(service(kernel, check))
    assert made["web"] == [{"Namespace": "net.ipv4.ip_local_port_range", "Value": expected}]


def test_the_kernels_own_range_writes_nothing() -> None:
    """Whoever wants none of it has a template without it."""
    assert of(service(KernelSettings(local_ports=KERNEL))) == {"web": None}


def test_other_settings_stand_beside_the_range_and_their_reasons_in_the_metadata() -> None:
    """Somebody finds them in five years, with the why (W1, Q8)."""
    made = service(KernelSettings(others=(KEEP_ALIVE,)))
    template = template_of(made)
    assert controls(template)["web"] == [
        *WIDE_CONTROL,
        {"Namespace": "net.ipv4.tcp_keepalive_time", "Value": "290"},
    ]
    (resource,) = (one for one in template["Resources"].values() if one["Type"] == "AWS::ECS::Service")
    said = resource["Metadata"]["moorings:why"]["ports"]
    assert said[1] == "net.ipv4.tcp_keepalive_time is 290 instead of 7200: The firewall forgets after 300 s."


def test_a_range_with_the_applications_port_stops_before_anything_is_made() -> None:
    """The application could not start once a connection has its port (W1)."""
    scope = stack()
    cluster, repository = parts(scope)
    before = [child.node.path for child in scope.node.find_all()]
    kernel = KernelSettings(local_ports=LocalPorts(8000, 60000))
    refused(
        lambda: FargateWebService(
            scope,
            "Web",
            cluster=cluster,
            repository=repository,
            image=FixedDigest(DIGEST),
            health_check=CHECK,
            settings=ContainerSettings(kernel=kernel),
        ),
        "local_ports",
        "8000 60000",
        "without 8080",
    )
    assert [child.node.path for child in scope.node.find_all()] == before


def test_a_sidecar_may_not_ask_for_others() -> None:
    """It would decide for the application, or not, by who starts last (W1)."""
    kernel = KernelSettings(others=(KEEP_ALIVE,))
    made = service()
    fix = refused(
        lambda: made.task.add_sidecar("agent", image=SIDECAR, settings=ContainerSettings(kernel=kernel)),
        "kernel",
        kernel,
        "the default for a sidecar",
    )
    assert "the application's" in fix
    made.task.add_sidecar("agent", image=SIDECAR)
    assert of(made) == {"web": WIDE_CONTROL, "agent": None}


def plain(context: dict[str, object]) -> tuple[ecs.FargateTaskDefinition, Any]:
    """A task of somebody else, with two containers."""
    scope = stack(App(context=context))
    task = ecs.FargateTaskDefinition(scope, "Task")
    image = ecs.ContainerImage.from_ecr_repository(ecr.Repository(scope, "Images"))
    task.add_container("web", image=image, port_mappings=[ecs.PortMapping(container_port=8080)])
    task.add_container("agent", image=image)
    return task, scope


@pytest.mark.parametrize("flags", FLAG_SETS)
def test_a_plain_task_can_have_them_too(flags: dict[str, object]) -> None:
    """On its first container, by the L2 or by its resource (W1)."""
    for resource in (False, True):
        task, scope = plain(flags)
        target = task.node.default_child if resource else task
        assert isinstance(target, ecs.CfnTaskDefinition | ecs.TaskDefinition)
        apply_kernel_settings(target, container_ports=(8080,))
        template = synthesize(scope)
        assert controls(template) == {"web": WIDE_CONTROL, "agent": None}
        assert containers(template)["web"]["PortMappings"] == [{"ContainerPort": 8080, "Protocol": "tcp"}]


def test_a_plain_task_without_anything_to_say_is_left_alone() -> None:
    """The kernel's own range is no setting."""
    task, scope = plain({})
    apply_kernel_settings(task, KernelSettings(local_ports=KERNEL), container_ports=(8080,))
    assert controls(synthesize(scope)) == {"web": None, "agent": None}


def test_controls_can_be_given_to_a_container_of_ones_own() -> None:
    """As CDK's own type, for ``add_container``."""
    made = system_controls(KernelSettings(others=(KEEP_ALIVE,)), container_ports=(8080,))
    assert [(one.namespace, one.value) for one in made] == [
        ("net.ipv4.ip_local_port_range", "10240 65535"),
        ("net.ipv4.tcp_keepalive_time", "290"),
    ]
