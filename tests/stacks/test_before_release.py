"""A service with a task before its releases: what the environment's stacks make of it (lesson Q5)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.architecture import Architecture
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.schedules.one_off import OneOffTask
from stacks.application import application
from stacks.config import EnvironmentConfig
from stacks.environments import ENVIRONMENTS
from tests.stacks.iam import text
from tests.support import Template, of_type, refused

STAGING = ENVIRONMENTS[0]
MIGRATE = OneOffTask(command=("alembic", "upgrade", "head"), timeout_minutes=45)
FAMILY = "shop--staging--services-web-before-release"


def config(task: OneOffTask | None = MIGRATE) -> EnvironmentConfig:
    """Staging, whose only service has a secret and a task before its releases."""
    (web,) = STAGING.services
    service = replace(web, before_release=task, secrets=("DATABASE_URL",), environment=(("LEVEL", "info"),))
    return replace(STAGING, services=(service,))


def templates(folder: Path, task: OneOffTask | None = MIGRATE) -> dict[str, Template]:
    """By the stack's own name, such as ``services``."""
    application([config(task)], checked=False, outdir=str(folder)).synth()
    return {path.name.split(".")[0]: json.loads(path.read_text()) for path in folder.rglob("*.template.json")}


def stack(found: dict[str, Template], name: str) -> Template:
    """One of them."""
    (template,) = (template for key, template in found.items() if name in key)
    return template


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """All stacks of staging."""
    return templates(tmp_path_factory.mktemp("out"))


def delivery_settings(template: Template) -> dict[str, Any]:
    """What release commands read, with the names of resources in angle brackets."""
    (parameter,) = (
        one for one in of_type(template, "AWS::SSM::Parameter").values() if text(one["Name"]).endswith("/web/delivery")
    )
    values: dict[str, Any] = json.loads(text(parameter["Value"]))
    return values


def definition(template: Template) -> tuple[str, dict[str, Any]]:
    """Logical id and properties of the task definition that runs before a release."""
    ((key, found),) = (
        (key, one)
        for key, one in of_type(template, "AWS::ECS::TaskDefinition").items()
        if text(one["Family"]).endswith("-web-before-release")
    )
    return key, found


def test_the_settings_name_what_the_stack_makes(made: dict[str, Template]) -> None:
    """Family and container as they are after deployment, the time, and the two roles of this definition."""
    services = stack(made, "services")
    _, found = definition(services)
    told = delivery_settings(services)["before_release"]
    assert (told["family"], told["container"], told["minutes"]) == (FAMILY, "web-before-release", 45)
    assert text(found["Family"]).replace("<AWS::StackName>", "shop--staging--services") == FAMILY
    assert [one["Name"] for one in found["ContainerDefinitions"]] == ["web-before-release"]
    assert told["roles"] == [text(found["TaskRoleArn"]), text(found["ExecutionRoleArn"])]


def test_it_is_told_what_the_service_is_told(made: dict[str, Template]) -> None:
    """The same image, settings and secrets, by roles of its own."""
    services = stack(made, "services")
    _, found = definition(services)
    (serving,) = (
        one
        for key, one in of_type(services, "AWS::ECS::TaskDefinition").items()
        if one["ContainerDefinitions"][0]["Name"] == "web"
    )
    ours, theirs = found["ContainerDefinitions"][0], serving["ContainerDefinitions"][0]
    assert ours["Secrets"] == theirs["Secrets"]
    assert [pair for pair in theirs["Environment"] if pair["Name"] == "LEVEL"] == [{"Name": "LEVEL", "Value": "info"}]
    assert {"Name": "LEVEL", "Value": "info"} in ours["Environment"]
    assert text(ours["Image"]).partition("@")[0] == text(theirs["Image"]).partition("@")[0]
    assert found["ExecutionRoleArn"] != serving["ExecutionRoleArn"]
    assert found["TaskRoleArn"] != serving["TaskRoleArn"]


def test_a_release_of_the_stack_leaves_it_alone(made: dict[str, Template]) -> None:
    """It depends on no parameter and no condition, so the narrow role needs no right over it and its roles (Q5)."""
    services = stack(made, "services")
    key, found = definition(services)
    conditions, parameters = services.get("Conditions", {}), services["Parameters"]
    whole = json.dumps({**services["Resources"][key], "Properties": found})
    assert conditions
    assert not [name for name in (*conditions, *parameters) if f'"{name}"' in whole]
    (role,) = (one for one in of_type(services, "AWS::IAM::Role").values() if "RoleName" in one)
    passed = json.dumps([policy["PolicyDocument"] for policy in role["Policies"]])
    assert "beforerelease" not in passed


def test_the_button_may_run_it_and_nothing_else(made: dict[str, Template]) -> None:
    """The family by its deployed name, though the button is in another stack; and the definition's own two roles."""
    release = json.dumps(stack(made, "release")["Resources"])
    assert f":task-definition/{FAMILY}:*" in release
    actions = [
        statement
        for policy in of_type(stack(made, "release"), "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
    ] + [
        statement
        for role in of_type(stack(made, "release"), "AWS::IAM::Role").values()
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    (run,) = (one for one in actions if "ecs:RunTask" in one["Action"])
    assert text(run["Resource"]).endswith(f":task-definition/{FAMILY}:*")
    assert "ecs:cluster" in run["Condition"]["ArnEquals"]
    passed = [one for one in actions if "iam:PassRole" in one["Action"]]
    assert len(passed) == 2
    (to_tasks,) = (one for one in passed if "ecs-tasks" in json.dumps(one["Condition"]))
    assert len(to_tasks["Resource"]) == 2


def test_without_one_nothing_is_made_of_it(tmp_path: Path) -> None:
    """No definition, no setting, and a button that can run no task."""
    found = templates(tmp_path, None)
    assert "before_release" not in delivery_settings(stack(found, "services"))
    assert "before-release" not in json.dumps(stack(found, "services")["Resources"])
    assert "ecs:RunTask" not in json.dumps(stack(found, "release"))


def test_what_could_not_run_is_refused() -> None:
    """What is no task, and another architecture than the service's image is built for."""
    (web,) = STAGING.services
    words: Any = ("migrate",)
    refused(lambda: replace(web, before_release=words), "before_release", words, "a OneOffTask")
    other: Architecture = "x86_64" if (web.size or STAGING.size).task.architecture == "arm64" else "arm64"
    task = replace(MIGRATE, size=TaskSize(architecture=other))
    refused(lambda: config(task), "size.architecture", other, "as the service")
