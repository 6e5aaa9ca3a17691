"""The role of a release: what CloudFormation's own schemas say it needs, and nothing that a release does not (Q5)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack, aws_ec2, aws_ecs, aws_iam

from constructs_lib.delivery.release_role import ReleaseRole
from constructs_lib.delivery.release_schedules import ReleasedSchedule
from tests.delivery.releases import ACCOUNT, arn, rights
from tests.delivery.support import of_type
from tests.support import FLAG_SETS, Template, listed, statements, synthesize, vpc


def services(stack: Stack, family: str) -> list[aws_ecs.FargateService]:
    """A service, as anybody's stack has one."""
    cluster = aws_ecs.Cluster(stack, "Cluster", vpc=vpc(stack))
    task = aws_ecs.FargateTaskDefinition(stack, "Task", family=family)
    task.add_container("web", image=aws_ecs.ContainerImage.from_registry("a@sha256:" + "0" * 64))
    task.obtain_execution_role()
    group = aws_ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    return [aws_ecs.FargateService(stack, "Service", cluster=cluster, task_definition=task, security_groups=[group])]


def synthesized(
    flags: dict[str, Any] | None = None, family: str | None = None, schedules: Sequence[ReleasedSchedule] = ()
) -> Template:
    """A stack with one service and the role of its releases."""
    app = App(context=flags or {})
    stack = Stack(app, "Services", env=Environment(account=ACCOUNT, region="eu-west-1"))
    ReleaseRole(
        stack,
        "ReleaseRole",
        application="shop",
        environment="production",
        services=services(stack, family or "shop-web"),
        schedules=schedules,
        stacks_read=["shop--production--network"],
    )
    template: Template = app.synth().get_stack_by_name(stack.stack_name).template
    return template


def role(template: Template) -> str:
    """Its logical id."""
    (key,) = (key for key, one in of_type(template, "AWS::IAM::Role").items() if "RoleName" in one["Properties"])
    return key


def all_rights(template: Template) -> set[tuple[str, str]]:
    """Of both policies."""
    ((key, managed),) = of_type(template, "AWS::IAM::ManagedPolicy").items()
    assert template["Resources"][role(template)]["Properties"]["ManagedPolicyArns"] == [{"Ref": key}]
    as_role = {"Properties": {"Policies": [{"PolicyDocument": managed["Properties"]["PolicyDocument"]}]}}
    return rights(template, role(template)) | rights(
        {"Resources": {"Role": {**as_role, "Type": "AWS::IAM::Role"}}}, "Role"
    )


@pytest.mark.parametrize("flags", FLAG_SETS)
def test_the_role_is_exactly_this(flags: dict[str, Any]) -> None:
    """The service, its deployments and task definitions, its two roles, alarms, targets; and what a template reads."""
    template = synthesized(flags)
    (service,) = of_type(template, "AWS::ECS::Service")
    (cluster,) = of_type(template, "AWS::ECS::Cluster")
    roles = [f"<{key}.Arn>" for key in of_type(template, "AWS::IAM::Role") if key.startswith("Task")]
    assert len(roles) == 2
    found = all_rights(template)
    ours = {resource for action, resource in found if action == "ecs:UpdateService"}
    assert len(ours) == 1
    (service_arn,) = ours
    assert service in service_arn
    family, alarms = arn("ecs", "task-definition/shop-web:*"), arn("cloudwatch", "alarm:shop/production/*")
    deployments, targets = (
        arn("ecs", f"service-deployment/<{cluster}>/*"),
        arn("application-autoscaling", "scalable-target/*"),
    )
    assert found == {
        *((f"ecs:{a}", family) for a in ("ListTagsForResource", "RegisterTaskDefinition", "TagResource")),
        *((f"ecs:{a}", "*") for a in ("DeregisterTaskDefinition", "DescribeTaskDefinition")),
        *((f"ecs:{a}", service_arn) for a in ("DescribeServiceDeployments", "DescribeServices", "UpdateService")),
        *((f"ecs:{a}", service_arn) for a in ("ListServiceDeployments", "ListTagsForResource")),
        *((f"ecs:{a}", deployments) for a in ("DescribeServiceDeployments", "StopServiceDeployment")),
        *((f"iam:{a}", one) for a in ("GetRole", "PassRole") for one in roles),
        *(
            (f"application-autoscaling:{a}", targets)
            for a in (
                *("DeleteScheduledAction", "ListTagsForResource", "PutScheduledAction"),
                *("RegisterScalableTarget", "TagResource"),
            )
        ),
        *((f"application-autoscaling:{a}", "*") for a in ("DescribeScalableTargets", "DescribeScheduledActions")),
        *((f"cloudwatch:{a}", alarms) for a in ("ListTagsForResource", "PutMetricAlarm", "TagResource")),
        ("cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:*")),
        ("ssm:GetParameters", arn("ssm", "parameter/moorings/shop/production/*/digest")),
        ("ssm:GetParameters", arn("ssm", "parameter/cdk-bootstrap/*/version")),
        ("cloudformation:DescribeStacks", arn("cloudformation", "stack/shop--production--network/*")),
    }


def test_roles_are_passed_to_tasks_only_and_targets_are_desired_counts_only() -> None:
    """What a resource cannot say, a condition does."""
    template = synthesized()
    conditions = {
        json.dumps(one["Action"]): one["Condition"]
        for one in statements(template, role(template))
        if "Condition" in one
    }
    assert conditions.pop('"iam:PassRole"') == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    ((action, condition),) = conditions.items()
    assert "RegisterScalableTarget" in action
    assert condition["StringEqualsIfExists"]["application-autoscaling:scalable-dimension"] == "ecs:service:DesiredCount"


def test_the_roles_that_shift_requests_are_passed_to_ecs_only() -> None:
    """They stand in the load balancers of services that shift requests; without such services none is passed (T4)."""
    stack = Stack(App(), "Services", env=Environment(account=ACCOUNT, region="eu-west-1"))
    shift = aws_iam.Role(stack, "Shift", assumed_by=aws_iam.ServicePrincipal("ecs.amazonaws.com"))
    ReleaseRole(
        stack,
        "ReleaseRole",
        application="shop",
        environment="production",
        services=services(stack, "shop-web"),
        traffic_roles=[shift],
    )
    template = synthesize(stack)
    (policy,) = of_type(template, "AWS::IAM::ManagedPolicy").values()
    (passing,) = (one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one["Action"] == "iam:PassRole")
    (key,) = (key for key in of_type(template, "AWS::IAM::Role") if key.startswith("Shift"))
    assert passing["Resource"] == {"Fn::GetAtt": [key, "Arn"]}
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
    (none,) = of_type(synthesized(), "AWS::IAM::ManagedPolicy").values()
    assert "iam:PassRole" not in json.dumps(none)


def test_only_cloudformation_can_be_it_under_a_name_that_others_compute() -> None:
    """Its name is a pure function of application and environment."""
    template = synthesized()
    properties = template["Resources"][role(template)]["Properties"]
    assert properties["RoleName"] == "shop--production--release"
    assert [s["Principal"] for s in properties["AssumeRolePolicyDocument"]["Statement"]] == [
        {"Service": "cloudformation.amazonaws.com"}
    ]


def test_families_that_begin_with_the_stacks_name_are_one_pattern() -> None:
    """So that a policy of many services has room."""
    from aws_cdk import Aws

    template = synthesized(family=f"{Aws.STACK_NAME}-web")
    registered = {resource for action, resource in all_rights(template) if action == "ecs:RegisterTaskDefinition"}
    assert registered == {arn("ecs", "task-definition/<AWS::StackName>-*:*")}


def schema_permissions(kind: str, *handlers: str) -> set[str]:
    """The permissions that the schema of a resource type names for some of its handlers; cfn-lint has the schemas."""
    spec = find_spec("cfnlint")
    assert spec is not None
    assert spec.origin is not None
    for path in (Path(spec.origin).parent / "data" / "schemas" / "resources").glob("*.json"):
        schema = json.loads(path.read_text())
        if schema.get("typeName") == kind and "handlers" in schema:
            return {one for handler in handlers for one in schema["handlers"][handler]["permissions"]}
    raise AssertionError(f"there is no schema of {kind}")


NOT_NEEDED = {
    "ecs:UntagResource": "a release changes no tags",
    "cloudwatch:UntagResource": "a release changes no tags",
    "application-autoscaling:UntagResource": "a release changes no tags",
    "cloudwatch:DeleteAlarms": "of step scaling that is given with the target",
    "lambda:GetProvisionedConcurrencyConfig": "the targets are ECS services",
    "lambda:PutProvisionedConcurrencyConfig": "the targets are ECS services",
    "lambda:DeleteProvisionedConcurrencyConfig": "the targets are ECS services",
}
"""What a schema names and a release does not use, and why."""


def test_it_has_what_the_schemas_of_the_changed_resources_name() -> None:
    """A new task definition and the old one's end, an updated service, target and alarm. A permission that AWS adds to
    a schema is found here, before a release fails for it."""
    needed = (
        schema_permissions("AWS::ECS::TaskDefinition", "create", "delete")
        | schema_permissions("AWS::ECS::Service", "update")
        | schema_permissions("AWS::ApplicationAutoScaling::ScalableTarget", "update")
        | schema_permissions("AWS::CloudWatch::Alarm", "update")
    )
    assert set(NOT_NEEDED) <= needed
    actions = {action for action, _ in all_rights(synthesized())}
    assert needed - set(NOT_NEEDED) - actions == set()
    assert (
        actions - needed == {"ecs:ListTagsForResource", "ssm:GetParameters", "cloudformation:DescribeStacks"} - needed
    )


def schedule(number: int = 0) -> ReleasedSchedule:
    """A scheduled task, as a stack describes it."""
    return ReleasedSchedule(
        arn=arn("scheduler", f"schedule/default/nightly-{number}"),
        role=f"arn:aws:iam::{ACCOUNT}:role/schedule-{number}",
        families=f"shop-nightly-{number}",
        roles=(f"arn:aws:iam::{ACCOUNT}:role/task-{number}", f"arn:aws:iam::{ACCOUNT}:role/execution-{number}"),
    )


def of_schedules(template: Template) -> list[list[dict[str, Any]]]:
    """The statements of the policies about scheduled tasks, a list for each, all attached to the role."""
    policies = {key: one for key, one in of_type(template, "AWS::IAM::ManagedPolicy").items() if "Schedules" in key}
    attached = template["Resources"][role(template)]["Properties"]["ManagedPolicyArns"]
    assert [one for one in attached if one["Ref"] in policies] == [{"Ref": key} for key in policies]
    return [one["Properties"]["PolicyDocument"]["Statement"] for one in policies.values()]


def test_a_scheduled_task_gets_its_next_definition_and_nothing_else() -> None:
    """Its own schedule and family; its schedule's role goes to Scheduler only, and its task's roles to tasks only."""
    (found,) = of_schedules(synthesized(schedules=[schedule()]))
    task_roles = [f"arn:aws:iam::{ACCOUNT}:role/task-0", f"arn:aws:iam::{ACCOUNT}:role/execution-0"]
    rights = [(one["Action"], listed(one["Resource"]), one.get("Condition")) for one in found]
    family = {
        "Fn::Join": [
            "",
            ["arn:", {"Ref": "AWS::Partition"}, ":ecs:eu-west-1:111122223333:task-definition/shop-nightly-0:*"],
        ]
    }
    assert rights == [
        (["scheduler:GetSchedule", "scheduler:UpdateSchedule"], [schedule().arn], None),
        ("iam:PassRole", [schedule().role], passed_to("scheduler.amazonaws.com")),
        (["ecs:ListTagsForResource", "ecs:RegisterTaskDefinition", "ecs:TagResource"], [family], None),
        ("iam:PassRole", task_roles, passed_to("ecs-tasks.amazonaws.com")),
        ("iam:GetRole", task_roles, None),
    ]


def passed_to(service: str) -> dict[str, Any]:
    """The condition under which a role may be passed to one service."""
    return {"StringEquals": {"iam:PassedToService": service}}


def test_the_schema_of_a_schedule_names_no_more() -> None:
    """What CloudFormation needs to update one; a permission that AWS adds is found here before a release fails."""
    (found,) = of_schedules(synthesized(schedules=[schedule()]))
    actions = {action for one in found for action in listed(one["Action"])}
    assert schema_permissions("AWS::Scheduler::Schedule", "update") <= actions


def test_many_scheduled_tasks_are_several_policies() -> None:
    """A managed policy takes 6,144 characters, so one holds eight; nothing is attached without any."""
    many = of_schedules(synthesized(schedules=[schedule(number) for number in range(17)]))
    assert [len(one[0]["Resource"]) if isinstance(one[0]["Resource"], list) else 1 for one in many] == [8, 8, 1]
    assert of_schedules(synthesized()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"application": "Shop"}, "application must be lower-case"),
        ({"environment": "pin-1"}, "environment must be a name that does not begin"),
        ({"services": []}, "services must be at least one service"),
    ],
)
def test_a_wrong_value_is_refused(changes: dict[str, Any], message: str) -> None:
    """One sentence, and nothing is made."""
    stack = Stack(App(), "Services")
    arguments: dict[str, Any] = {"application": "shop", "environment": "production", **changes}
    arguments.setdefault("services", services(stack, "shop-web"))
    with pytest.raises(ValueError, match=message):
        ReleaseRole(stack, "ReleaseRole", **arguments)
    assert stack.node.try_find_child("ReleaseRole") is None
