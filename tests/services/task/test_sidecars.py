"""Containers beside the application follow its rules (lessons W2, T4, Q3)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ssm as ssm

from constructs_lib.services.fargate_service import FargateWebService
from constructs_lib.services.policy import FixedDigest, TaskSize, WritablePath
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.restart_policy import RestartPolicy
from tests.services.conftest import CHECK, SIDECAR, parts
from tests.support import DIGEST, TOKEN, Template, containers, refused, stack, synthesize


@pytest.fixture(scope="module")
def service() -> FargateWebService:
    """A service of the smallest size, for sidecars that are refused."""
    scope = stack()
    cluster, repository = parts(scope)
    return FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        size=TaskSize(cpu=256, memory_mib=512),
    )


def test_a_sidecar_does_not_take_the_task_with_it(web: Template) -> None:
    """A sidecar is not essential by default, so its end is not the application's."""
    sidecar = containers(web)["web-sub"]
    assert sidecar["Essential"] is False
    assert sidecar["Image"] == SIDECAR
    assert sidecar["Environment"] == [{"Name": "A", "Value": "b"}]
    assert "PortMappings" not in sidecar


def test_an_essential_sidecar_has_a_health_check(web: Template) -> None:
    """One that may end the task shows whether it works, by a program without a shell (T4)."""
    sidecar = containers(web)["agent"]
    assert sidecar["Essential"] is True
    assert sidecar["HealthCheck"]["Command"] == ["CMD", "/agent", "ok"]
    assert sidecar["Command"] == ["/agent"]


def test_before_a_sidecar_that_ends_stays_away() -> None:
    """Plain CDK has no restart policy, so a log agent that crashed once is gone for as long as its task lives (T4)."""
    scope = stack()
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container("web", image=ecs.ContainerImage.from_registry("web"))
    task.add_container("agent", image=ecs.ContainerImage.from_registry("agent"), essential=False)
    assert "RestartPolicy" not in containers(synthesize(scope))["agent"]


def test_after_a_sidecar_is_started_again(web: Template) -> None:
    """Once a minute at most, unless it ended well; the task goes on (T4)."""
    assert containers(web)["web-sub"]["RestartPolicy"] == {
        "Enabled": True,
        "RestartAttemptPeriod": 60,
        "IgnoredExitCodes": [0],
    }


def test_what_is_essential_is_replaced_with_its_task(web: Template) -> None:
    """A restart inside the task would leave its target registered and hide a crash loop from the breaker (T4)."""
    assert "RestartPolicy" not in containers(web)["web"]
    assert "RestartPolicy" not in containers(web)["agent"]


def test_a_restart_can_be_set_and_turned_off() -> None:
    """Another period, every exit code, or no restart at all (T4)."""
    scope = stack()
    cluster, repository = parts(scope)
    made = FargateWebService(
        scope, "Web", cluster=cluster, repository=repository, image=FixedDigest(DIGEST), health_check=CHECK
    )
    slow = RestartPolicy(attempt_seconds=300, ignored_exit_codes=())
    made.task.add_sidecar("slow", image=SIDECAR, restart=slow)
    made.task.add_sidecar("never", image=SIDECAR, restart=None)
    made.task.add_sidecar("vital", image=SIDECAR, restart=slow, essential=True, health_command=["true"])
    found = containers(synthesize(scope))
    assert found["slow"]["RestartPolicy"] == {"Enabled": True, "RestartAttemptPeriod": 300}
    assert "RestartPolicy" not in found["never"]
    assert "RestartPolicy" not in found["vital"]


def test_before_a_program_is_process_one(pattern: Template) -> None:
    """Plain CDK has no init process: a program that sets no handler for SIGTERM ignores it as process 1 (T3, T4)."""
    assert "LinuxParameters" not in containers(pattern)["web"]


def test_after_every_container_has_an_init_process(web: Template) -> None:
    """It passes SIGTERM on and reaps what has lost its parent; sidecars have one too (T3, T4)."""
    assert {name: one["LinuxParameters"]["InitProcessEnabled"] for name, one in containers(web).items()} == {
        "web": True,
        "web-sub": True,
        "agent": True,
    }


def test_before_a_sidecar_may_take_all_memory_of_its_task(web: Template) -> None:
    """Without a limit the kernel kills whichever container it likes when a sidecar leaks, also the application."""
    assert not any("Memory" in container for container in containers(web).values())


@pytest.mark.parametrize("memory_mib", [6, 511])
def test_after_a_sidecar_that_leaks_is_killed_alone(memory_mib: int) -> None:
    """Its own limit is met before the task's; the application has none but the task's (W1)."""
    scope = stack()
    cluster, repository = parts(scope)
    made = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        size=TaskSize(cpu=256, memory_mib=512),
    )
    made.task.add_sidecar("agent", image=SIDECAR, memory_mib=memory_mib)
    found = containers(synthesize(scope))
    assert found["agent"]["Memory"] == memory_mib
    assert "Memory" not in found["web"]


def test_only_the_application_listens(web: Template) -> None:
    """The load balancer knows the application's port alone."""
    listening = [name for name, container in containers(web).items() if container.get("PortMappings")]
    assert listening == ["web"]


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"name": "Agent"}, "name", "lower-case"),
        ({"name": TOKEN}, "name", "not a Token"),
        ({"name": "web"}, "name", "none of web"),
        ({"image": "busybox:1.37"}, "image", "an image by digest"),
        ({"image": "busybox"}, "image", "an image by digest"),
        ({"essential": True, "health_command": None}, "health_command", "given for an essential sidecar"),
        ({"essential": True, "health_command": []}, "health_command", "given for an essential sidecar"),
        ({"health_command": "true"}, "health_command", "a list with a program"),
        ({"health_command": ["CMD-SHELL", "true"]}, "health_command", "without ECS's own first word"),
        ({"memory_mib": 5}, "memory_mib", "from 6 to 511"),
        ({"memory_mib": 512}, "memory_mib", "from 6 to 511"),
    ],
)
def test_a_wrong_sidecar_is_refused(
    service: FargateWebService, changes: dict[str, Any], what: str, allowed: str
) -> None:
    """Names, images, commands and the health of essential ones are checked before anything is added."""
    values: dict[str, Any] = {"name": "agent", "image": SIDECAR, **changes}
    refused(lambda: service.task.add_sidecar(values.pop("name"), **values), what, changes[what], allowed)


def test_two_paths_of_one_volume_are_refused() -> None:
    """Two directories that would be one volume are named before CloudFormation sees them."""
    paths = [WritablePath(path="/a/b"), WritablePath(path="/a-b")]
    refused(lambda: ContainerSettings(writable_paths=paths), "writable_paths", "/a/b", "distinct directories")


def test_a_command_is_a_list_of_words() -> None:
    """A text would become a list of its letters."""
    refused(lambda: ContainerSettings(command="sleep 5"), "command", "sleep 5", "a list with a program")


def test_a_setting_is_plain_or_secret() -> None:
    """ECS takes a name once; which of the two would win is nobody's guess."""
    secret = ecs.Secret.from_ssm_parameter(ssm.StringParameter(stack(), "Parameter", string_value="x"))
    refused(
        lambda: ContainerSettings(environment={"A": "b"}, secrets={"A": secret}), "environment", "A", "secrets has not"
    )


def test_all_buffers_together_fit_the_task() -> None:
    """Five buffers of 25 MiB are a quarter of 512 MiB, six are more: the sixth container is refused (W2)."""
    scope = stack()
    cluster, repository = parts(scope)
    service = FargateWebService(
        scope,
        "Web",
        cluster=cluster,
        repository=repository,
        image=FixedDigest(DIGEST),
        health_check=CHECK,
        size=TaskSize(cpu=256, memory_mib=512),
    )
    for number in range(4):
        service.task.add_sidecar(f"agent-{number}", image=SIDECAR)
    refused(
        lambda: service.task.add_sidecar("one-too-many", image=SIDECAR),
        "buffer_mib",
        25,
        "at most a quarter of the task's 512 MiB for all 6 containers together",
    )
    assert set(containers(synthesize(scope))) == {"web", "agent-0", "agent-1", "agent-2", "agent-3"}
