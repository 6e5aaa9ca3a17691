"""W2: a log group is made before the task that writes to it, stays, and may be encrypted with a key of one's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.log_rendering import log_driver, retained_log_group
from tests.guardrails.support import findings
from tests.services.conftest import SIDECAR, Templates, parts
from tests.services.task.test_log_aspect import own_task
from tests.support import FLAG_SETS, Template, containers, of_type, only, references, stack, synthesize

SERVICE, TASK, GROUP = "AWS::ECS::Service", "AWS::ECS::TaskDefinition", "AWS::Logs::LogGroup"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def made_first(template: Template, resource: str) -> set[str]:
    """What CloudFormation makes before a resource: all that it refers to or names in DependsOn, and so on."""
    found: set[str] = set()
    waiting = [resource]
    while waiting:
        one = template["Resources"].get(waiting.pop(), {})
        depends = one.get("DependsOn", [])
        named = {depends} if isinstance(depends, str) else set(depends)
        new = (references(one.get("Properties", {})) | named) - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("name", ["Released", "Fixed", "Inside", "Shared"])
def test_log_groups_are_made_before_our_service(templates: Templates, name: str) -> None:
    """A Fargate task without its log group does not start: each service waits for the groups of all its containers."""
    template = templates[name]
    services = of_type(template, SERVICE)
    assert services
    for service in services:
        before = made_first(template, service)
        (task,) = before & set(of_type(template, TASK))
        groups = [
            container["LogConfiguration"]["Options"]["awslogs-group"]["Ref"]
            for container in template["Resources"][task]["Properties"]["ContainerDefinitions"]
        ]
        assert groups
        assert set(groups) <= before
        for group in groups:
            made = template["Resources"][group]
            assert (made["DeletionPolicy"], made["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


@pytest.fixture(params=FLAG_SETS)
def plain(request: pytest.FixtureRequest) -> Template:
    """A plain Fargate service that uses the driver alone."""
    scope = stack(App(context=request.param))
    cluster, _ = parts(scope)
    delivery = LogDelivery.non_blocking(
        lines_per_second=1000, bytes_per_line=300, tolerated_outage_seconds=120, retention_days=30
    )
    task = ecs.FargateTaskDefinition(scope, "Task")
    group = retained_log_group(scope, "app", delivery)
    task.add_container(
        "app", image=ecs.ContainerImage.from_registry(SIDECAR), logging=log_driver("app", group, delivery)
    )
    ecs.FargateService(scope, "Service", cluster=cluster, task_definition=task)
    return synthesize(scope)


def test_the_driver_alone_in_a_plain_service(plain: Template) -> None:
    """Non-blocking with the computed buffer, in a group that is made first, and our rules find nothing."""
    options = containers(plain)["app"]["LogConfiguration"]["Options"]
    (group,) = of_type(plain, GROUP)
    assert options == {
        "awslogs-group": {"Ref": group},
        "awslogs-stream-prefix": "app",
        "awslogs-region": "eu-west-1",
        "mode": "non-blocking",
        "max-buffer-size": "36700160b",  # 35 MiB
    }
    (service,) = of_type(plain, SERVICE)
    assert group in made_first(plain, service)
    assert findings(json.dumps(plain), "MOOR-W2") == []


def test_the_group_of_a_plain_service_stays(plain: Template) -> None:
    """It goes with a stack that could not be made, and with no other; without a key CloudWatch Logs uses its own."""
    (group,) = of_type(plain, GROUP)
    assert plain["Resources"][group]["UpdateReplacePolicy"] == "Retain"
    assert plain["Resources"][group]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert only(plain, GROUP) == {"RetentionInDays": 30}


def test_before_a_pattern_keeps_lines_for_ever(pattern: Template) -> None:
    """Plain CDK's own log group has no retention, so its price grows from month to month."""
    assert only(pattern, GROUP) == {}


def test_a_key_encrypts_every_group_of_a_task() -> None:
    """Sidecars too."""
    scope = stack()
    task = own_task(scope, log_delivery=LogDelivery(kms_key_arn=KEY))
    task.add_sidecar("agent", image=SIDECAR)
    groups = of_type(synthesize(scope), GROUP)
    assert [group["KmsKeyId"] for group in groups.values()] == [KEY, KEY]
    assert [group["RetentionInDays"] for group in groups.values()] == [90, 90]


def encrypted(scope: Stack) -> kms.Key:
    """A key of the app whose policy admits CloudWatch Logs, as docs/lessons/W2-log-delivery.md writes it."""
    key = kms.Key(scope, "Key", enable_key_rotation=True)
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{scope.region}.amazonaws.com")],
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            resources=["*"],
            conditions={
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{scope.region}:{scope.account}:*"}
            },
        )
    )
    return key


def test_a_key_of_the_app_is_made_before_the_group() -> None:
    """Its ARN is a Token, and its policy is part of it, so CloudWatch Logs may use it when the group is made."""
    scope = stack()
    retained_log_group(scope, "app", LogDelivery(kms_key_arn=encrypted(scope).key_arn))
    template = synthesize(scope)
    (key,) = of_type(template, "AWS::KMS::Key")
    assert only(template, GROUP)["KmsKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    statements: list[dict[str, Any]] = only(template, "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    assert {"Service": "logs.eu-west-1.amazonaws.com"} in [statement["Principal"] for statement in statements]
