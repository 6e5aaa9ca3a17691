"""T4: container health checks, and deployments that take nothing down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.guardrails.support import findings, said

HEAD: dict[str, Any] = {
    "Parameters": {
        "Open": {"Type": "String"},
        "Switch": {"Type": "String"},
        "One": {"Type": "Number", "Default": 1},
        "Zero": {"Type": "Number", "Default": 0},
        "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
        "Stage": {"Type": "String", "Default": "production"},
    },
    "Conditions": {"Released": {"Fn::Equals": [{"Ref": "Switch"}, "yes"]}, "Never": {"Fn::Equals": ["a", "b"]}},
    "Mappings": {"Counts": {"production": {"Tasks": 3, "Few": 1}, "test": {"Tasks": 0, "Few": 0}}},
}
NOTHING = {"Ref": "AWS::NoValue"}


def service(**properties: object) -> dict[str, Any]:
    """A service."""
    return {"Type": "AWS::ECS::Service", "Properties": properties}


def judged(rule: str, **resources: object) -> list[tuple[str, str, str]]:
    """What a rule says of a template with these resources."""
    return said(json.dumps(HEAD | {"Resources": resources}), f"MOOR-{rule}")


class TestT4a:
    """Container health checks."""

    CHECK = "Properties/ContainerDefinitions/0/HealthCheck"

    @staticmethod
    def task(**container: object) -> dict[str, Any]:
        """A task definition of one container."""
        return {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [container]}}

    @pytest.mark.parametrize(
        ("container", "status"),
        [
            ({}, "fail"),
            ({"Essential": True}, "fail"),
            ({"Essential": "true"}, "fail"),
            ({"Essential": False}, None),
            ({"HealthCheck": {"Command": ["CMD", "true"]}}, None),
            ({"HealthCheck": NOTHING}, "fail"),
            ({"HealthCheck": {"Command": ["NONE"]}}, "fail"),
            ({"HealthCheck": {"Command": ["NONE"]}, "Essential": False}, None),
            ({"HealthCheck": {"Command": ["CMD-SHELL", "NONE"]}}, None),
            ({"HealthCheck": {"Command": {"Ref": "Open"}}}, None),
            ({"HealthCheck": {"Ref": "Open"}}, None),
            ({"HealthCheck": {"Fn::If": ["Released", {"Command": ["CMD", "true"]}, NOTHING]}}, "fail"),
            ({"HealthCheck": {"Command": ["CMD", "true"]}, "Essential": {"Ref": "Open"}}, None),
            ({"Essential": {"Ref": "Open"}}, "unknown"),
        ],
    )
    def test_an_essential_container_has_one(self, container: dict[str, object], status: str | None) -> None:
        """Essential is the default, and a check in one branch only is none in the other."""
        assert [status for status, _, _ in judged("T4a", Task=self.task(**container))] == ([status] if status else [])

    def test_a_check_that_is_switched_off_is_named(self) -> None:
        """It is there, and does nothing."""
        resources = {"Task": self.task(Name="web", HealthCheck={"Command": ["NONE"]})}
        (found,) = findings(json.dumps({"Resources": resources}), "MOOR-T4a")
        assert found.message.startswith("Essential container 'web' has its HealthCheck switched off (Command NONE). ")

    def test_its_place(self) -> None:
        """The finding stands where the check is missing."""
        assert judged("T4a", Task=self.task()) == [("fail", "Task", self.CHECK)]

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [("AWS::Events::Rule", 0), ("AWS::StepFunctions::StateMachine", 0), ("AWS::IAM::Policy", 1)],
    )
    def test_a_task_that_ends_by_itself_needs_none(self, kind: str, expected: int) -> None:
        """What a schedule starts is not judged, unless a service runs it too."""
        starter = {"Type": kind, "Properties": {"Targets": [{"Arn": {"Ref": "Task"}}]}}
        assert len(judged("T4a", Task=self.task(), Starter=starter)) == expected
        runner = service(TaskDefinition={"Ref": "Task"})
        assert len(judged("T4a", Task=self.task(), Starter=starter, Service=runner)) == 1


BREAKER = "Properties/DeploymentConfiguration/DeploymentCircuitBreaker"


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, [("fail", BREAKER)]),
        ({"SchedulingStrategy": "DAEMON"}, [("fail", BREAKER)]),
        ({"DeploymentController": {"Type": "ECS"}}, [("fail", BREAKER)]),
        ({"DeploymentController": {"Type": "CODE_DEPLOY"}}, []),
        ({"DeploymentController": {"Type": "EXTERNAL"}}, []),
        ({"DeploymentController": {"Type": {"Ref": "Open"}}}, [("unknown", "Properties/DeploymentController/Type")]),
        ({"DeploymentConfiguration": {"Strategy": "ROLLING"}}, [("fail", BREAKER)]),
        ({"DeploymentConfiguration": {"Strategy": "BLUE_GREEN"}}, []),
        ({"DeploymentConfiguration": {"Alarms": {"Enable": True, "Rollback": True}}}, [("fail", BREAKER)]),
    ],
)
def test_t4b_a_breaker_where_ecs_rolls(properties: dict[str, object], expected: list[tuple[str, str]]) -> None:
    """It is asked of rolling deployments only, and alarms are no breaker."""
    assert [(status, path) for status, _, path in judged("T4b", Service=service(**properties))] == expected


@pytest.mark.parametrize(
    ("breaker", "expected"),
    [
        ({"Enable": True, "Rollback": True}, []),
        ({"Enable": "true", "Rollback": "true"}, []),
        ({"Enable": False, "Rollback": True}, [("fail", f"{BREAKER}/Enable")]),
        ({"Enable": True, "Rollback": False}, [("fail", f"{BREAKER}/Rollback")]),
        ({"Enable": True}, [("fail", f"{BREAKER}/Rollback")]),
        ({"Enable": {"Ref": "Open"}, "Rollback": True}, [("unknown", f"{BREAKER}/Enable")]),
        ({"Enable": {"Ref": "Open"}, "Rollback": False}, [("fail", f"{BREAKER}/Rollback")]),
        (
            {"Enable": True, "Rollback": {"Fn::If": ["Released", True, False]}},
            [("fail", f"{BREAKER}/Rollback/Fn::If/2")],
        ),
        ({"Ref": "Open"}, [("unknown", BREAKER)]),
    ],
)
def test_t4b_on_and_rolling_back(breaker: object, expected: list[tuple[str, str]]) -> None:
    """Both halves are needed, and one that is surely missing is a fault whatever the other is."""
    properties = {"DeploymentConfiguration": {"DeploymentCircuitBreaker": breaker}}
    assert [(status, path) for status, _, path in judged("T4b", Service=service(**properties))] == expected


@pytest.mark.parametrize(
    ("percent", "more", "status"),
    [
        (None, {}, None),
        (100, {}, None),
        (99, {}, "fail"),
        ("99", {}, "fail"),
        (0, {}, "fail"),
        ({"Ref": "One"}, {}, "fail"),
        ({"Ref": "Open"}, {}, "unknown"),
        ({"Fn::If": ["Released", 100, 50]}, {}, "fail"),
        (None, {"DeploymentController": {"Type": {"Ref": "Open"}}}, None),
        (0, {"SchedulingStrategy": "DAEMON"}, None),
        (50, {"DeploymentController": {"Type": "CODE_DEPLOY"}}, None),
    ],
)
def test_t4c_all_tasks_stay(percent: object, more: dict[str, object], status: str | None) -> None:
    """100 % is ECS's default; daemons, and services that something else deploys, are not asked."""
    configuration = {} if percent is None else {"MinimumHealthyPercent": percent}
    found = judged("T4c", Service=service(DeploymentConfiguration=configuration, **more))
    assert [status for status, _, _ in found] == ([status] if status else [])
