"""The task definition of a program that runs once before a release (lessons W2, Q3, Q5)."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_ecs_patterns as patterns
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib.images.runtime.task_definitions import NO_IMAGE
from constructs_lib.services.one_off_task import FargateOneOffTask
from constructs_lib.services.policy import FixedDigest, TaskSize, WritablePath
from constructs_lib.services.schedules.one_off import OneOffTask
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.log_delivery import LogDelivery
from tests.support import DIGEST, FLAG_SETS, Template, of_type, only, refused, stack, synthesize, vpc

MIGRATE = OneOffTask(command=("alembic", "upgrade", "head"))


@pytest.fixture(scope="module", params=FLAG_SETS)
def template(request: pytest.FixtureRequest) -> Template:
    """A task with settings, secrets and a writable path, for a release to run."""
    scope = stack(App(context=request.param), "Shop")
    task = FargateOneOffTask(
        scope,
        "Migrations",
        component="web-before-release",
        repository=ecr.Repository(scope, "Images"),
        task=MIGRATE,
        settings=ContainerSettings(
            environment={"MODE": "shop"},
            secrets={"TOKEN": ecs.Secret.from_secrets_manager(secretsmanager.Secret(scope, "Token"))},
            writable_paths=[WritablePath(path="/tmp")],
        ),
    )
    assert (task.family, task.component, task.timeout_minutes) == ("Shop-web-before-release", "web-before-release", 30)
    return synthesize(scope)


def container(template: Template) -> dict[str, Any]:
    """The only container."""
    (found,) = only(template, "AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert isinstance(found, dict)
    return found


def test_its_container_is_as_safe_as_the_services(template: Template) -> None:
    """Non-blocking logs, a read-only root, settings and secrets; no port and no check, for it ends by itself."""
    found = container(template)
    assert (found["Name"], found["Essential"], found["ReadonlyRootFilesystem"]) == ("web-before-release", True, True)
    assert found["Command"] == ["alembic", "upgrade", "head"]
    options = found["LogConfiguration"]["Options"]
    assert (options["mode"], options["max-buffer-size"]) == ("non-blocking", f"{25 * 1024 * 1024}b")
    assert options["awslogs-stream-prefix"] == "web-before-release"
    assert found["Environment"] == [{"Name": "MODE", "Value": "shop"}]
    assert [secret["Name"] for secret in found["Secrets"]] == ["TOKEN"]
    assert [mount["ContainerPath"] for mount in found["MountPoints"]] == ["/tmp"]
    assert found["SystemControls"] == [{"Namespace": "net.ipv4.ip_local_port_range", "Value": "10240 65535"}]
    assert not {"PortMappings", "HealthCheck"} & set(found)


def test_it_has_two_minutes_to_stop(template: Template) -> None:
    """The most that Fargate gives, for a transaction that is taken back."""
    assert container(template)["StopTimeout"] == 120


def test_it_names_no_image_until_a_release_does(template: Template) -> None:
    """No image has this digest, so nobody starts an old migration by accident (Q3); a release changes a copy."""
    image = container(template)["Image"]["Fn::Join"][1]
    assert image[-1].endswith("@sha256:" + "0" * 64)
    assert image[-1].endswith(f"@{NO_IMAGE}"), "the guard takes it for no image that is missing (Q2)"
    assert "Parameters" not in template or not [one for one in template["Parameters"] if "Digest" in one]
    assert "Conditions" not in template or not [one for one in template["Conditions"] if "Released" in one]


def test_its_family_is_known_before_deployment(template: Template) -> None:
    """The stack's name and the component: a release finds the newest definition by it."""
    join = only(template, "AWS::ECS::TaskDefinition")["Family"]["Fn::Join"]
    assert join == ["", [{"Ref": "AWS::StackName"}, "-web-before-release"]]


def test_its_roles_are_its_own(template: Template) -> None:
    """What may change the schema is not what serves; nothing is granted to the task role until you do it."""
    definition = only(template, "AWS::ECS::TaskDefinition")
    task, execution = (definition[key]["Fn::GetAtt"][0] for key in ("TaskRoleArn", "ExecutionRoleArn"))
    assert task != execution
    policies = of_type(template, "AWS::IAM::Policy").values()
    assert [policy["Roles"] for policy in policies] == [[{"Ref": execution}]]


def test_it_counts_five_resources(template: Template) -> None:
    """Of the 500 that a stack may have: definition, log group, two roles and a policy."""
    own = [one for one in template["Resources"] if one.startswith("Migrations")]
    assert len(own) == 5


def test_it_can_be_used_alone() -> None:
    """With a digest in code, for a pipeline of your own that runs it; its size is the task's."""
    scope = stack(name="Alone")
    task = FargateOneOffTask(
        scope,
        "CleanUp",
        repository=ecr.Repository(scope, "Images"),
        task=OneOffTask(command=("clean-up",), timeout_minutes=5, size=TaskSize(cpu=1024, memory_mib=2048)),
        image=FixedDigest(DIGEST),
        size=TaskSize(cpu=256, memory_mib=512),
    )
    assert (task.component, task.family, task.timeout_minutes) == ("clean-up", "Alone-clean-up", 5)
    template = synthesize(scope)
    definition = only(template, "AWS::ECS::TaskDefinition")
    assert (definition["Cpu"], definition["Memory"]) == ("1024", "2048")
    assert container(template)["Image"]["Fn::Join"][1][-1].endswith(f"@{DIGEST}")
    assert len(task.roles) == 2


def test_the_services_size_is_taken_without_one_of_its_own() -> None:
    """So a migration has what the service has."""
    scope = stack()
    FargateOneOffTask(
        scope,
        "Migrations",
        repository=ecr.Repository(scope, "Images"),
        task=MIGRATE,
        size=TaskSize(cpu=256, memory_mib=512, architecture="x86_64"),
    )
    definition = only(synthesize(scope), "AWS::ECS::TaskDefinition")
    assert (definition["Cpu"], definition["RuntimePlatform"]["CpuArchitecture"]) == ("256", "X86_64")


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"command": "migrate"}, "command", "a tuple"),
        ({"command": ["migrate"]}, "command", "a tuple"),
        ({"command": ()}, "command", "a list with a program"),
        ({"command": ("CMD", "migrate")}, "command", "without ECS's own first word"),
        ({"timeout_minutes": 0}, "timeout_minutes", "from 1 to 60"),
        ({"timeout_minutes": 61}, "timeout_minutes", "from 1 to 60"),
        ({"timeout_minutes": 1.5}, "timeout_minutes", "from 1 to 60"),
        ({"size": 512}, "size", "a TaskSize or None"),
    ],
)
def test_a_wrong_value_is_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """In one sentence, before CDK is loaded."""
    refused(lambda: OneOffTask(**{"command": ("migrate",), **changes}), what, changes[what], allowed)


def test_another_architecture_than_the_services_is_refused() -> None:
    """Both run the same image."""
    task = OneOffTask(command=("migrate",), size=TaskSize(architecture="x86_64"))
    refused(lambda: task.check_architecture(TaskSize()), "size.architecture", "x86_64", "'arm64', as the service")
    task.check_architecture(TaskSize(architecture="x86_64"))
    MIGRATE.check_architecture(TaskSize(architecture="x86_64"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": ("migrate",)}, r"task must be a OneOffTask, got \('migrate',\)"),
        ({"settings": ContainerSettings(command=["serve"])}, r"settings.command must be left out, got \['serve'\]"),
        ({"image": DIGEST}, "image must be a FixedDigest or None"),
        ({"component": "Web"}, "component must be lower-case"),
        ({"component": "a" * 46}, "at most 45 characters"),
        ({"log_delivery": LogDelivery(buffer_mib=512)}, "buffer_mib must be at most a quarter"),
    ],
)
def test_what_could_not_run_makes_nothing(changes: dict[str, Any], message: str) -> None:
    """The construct is not begun."""
    scope = stack()
    arguments: dict[str, Any] = {"repository": ecr.Repository(scope, "Images"), "task": MIGRATE, **changes}
    with pytest.raises(ValueError, match=message):
        FargateOneOffTask(scope, "Migrations", **arguments)
    assert scope.node.try_find_child("Migrations") is None


def test_before_plain_cdk_runs_migrations_in_every_task() -> None:
    """Before: in the start command they run in each task that a deployment starts, several at once; after: in one."""
    scope = stack(name="Plain")
    repository = ecr.Repository(scope, "Images")
    service = patterns.ApplicationLoadBalancedFargateService(
        scope,
        "Web",
        vpc=vpc(scope),
        desired_count=4,
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(
            image=ecs.ContainerImage.from_ecr_repository(repository),
            command=["sh", "-c", "alembic upgrade head && exec gunicorn shop"],
        ),
    )
    FargateOneOffTask(service, "Migrations", repository=repository, task=MIGRATE)
    template = synthesize(scope)
    plain = only(template, "AWS::ECS::Service")
    desired, most = plain["DesiredCount"], plain["DeploymentConfiguration"]["MaximumPercent"]
    new_at_once = desired * most // 100 - desired
    assert new_at_once == 4, "beside the old ones ECS may start so many new tasks, each with its own alembic"
    definitions = of_type(template, "AWS::ECS::TaskDefinition")
    every_time = definitions.pop(plain["TaskDefinition"]["Ref"])["ContainerDefinitions"][0]["Command"]
    assert "alembic upgrade head" in every_time[2]
    (ours,) = definitions.values()  # which no service names
    assert ours["ContainerDefinitions"][0]["Command"] == ["alembic", "upgrade", "head"]
