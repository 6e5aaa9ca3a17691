"""T2c: a configuration that is wrong reaches some tasks first, and an alarm takes it back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Duration
from aws_cdk import aws_appconfig as appconfig
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs

from constructs_lib.services.configuration.fail_static_config import FailStaticConfig
from tests.guardrails.support import findings, said
from tests.support import DIGEST, stack, synthesize

HEAD = {
    "Parameters": {"Open": {"Type": "String"}, "Switch": {"Type": "String"}, "Zero": {"Type": "Number", "Default": 0}},
    "Conditions": {"Maybe": {"Fn::Equals": [{"Ref": "Switch"}, "x"]}, "Never": {"Fn::Equals": ["a", "b"]}},
}
MONITORED = [{"AlarmArn": {"Fn::GetAtt": ["Alarm", "Arn"]}, "AlarmRoleArn": "arn:aws:iam::1:role/a"}]
MONITORS = "Properties/Monitors"
STRATEGY = "Properties/DeploymentStrategyId"


def judged(
    *,
    monitors: object = MONITORED,
    strategy: object = None,
    deployed: bool = True,
    condition: str = "",
    **rollout: object,
) -> list[tuple[str, str, str]]:
    """What the rule says of an environment, a strategy and a deployment."""
    environment = {"Name": "production"} | ({} if monitors is None else {"Monitors": monitors})
    used = {"Ref": "Strategy"} if strategy is None else strategy
    resources: dict[str, Any] = {
        "Environment": {"Type": "AWS::AppConfig::Environment", "Properties": environment},
        "Strategy": {"Type": "AWS::AppConfig::DeploymentStrategy", "Properties": rollout},
    }
    if deployed:
        resources["Deployment"] = {
            "Type": "AWS::AppConfig::Deployment",
            "Properties": {"EnvironmentId": {"Ref": "Environment"}, "DeploymentStrategyId": used},
        } | ({"Condition": condition} if condition else {})
    return said(json.dumps(HEAD | {"Resources": resources}), "MOOR-T2c")


GRADUAL: dict[str, object] = {"DeploymentDurationInMinutes": 10, "GrowthFactor": 20}
NOW: dict[str, object] = {"DeploymentDurationInMinutes": 0, "GrowthFactor": 100}
AT_ONCE = [("fail", "Deployment", STRATEGY)]


@pytest.mark.parametrize(
    ("rollout", "expected"),
    [
        (GRADUAL, []),
        (GRADUAL | {"FinalBakeTimeInMinutes": 0}, []),
        (NOW, AT_ONCE),
        (NOW | {"FinalBakeTimeInMinutes": 0}, AT_ONCE),
        (NOW | {"FinalBakeTimeInMinutes": "1"}, []),
        (GRADUAL | {"GrowthFactor": 100}, AT_ONCE),
        (GRADUAL | {"GrowthFactor": 99.9}, []),
        (GRADUAL | {"DeploymentDurationInMinutes": 0}, AT_ONCE),
        (GRADUAL | {"DeploymentDurationInMinutes": {"Ref": "Zero"}}, AT_ONCE),
        (NOW | {"GrowthFactor": {"Ref": "Open"}}, AT_ONCE),
        (GRADUAL | {"GrowthFactor": {"Ref": "Open"}}, [("unknown", "Deployment", "")]),
        (NOW | {"FinalBakeTimeInMinutes": {"Ref": "Open"}}, [("unknown", "Deployment", "")]),
        (GRADUAL | {"FinalBakeTimeInMinutes": {"Ref": "Open"}}, []),
        (NOW | {"FinalBakeTimeInMinutes": {"Fn::If": ["Maybe", 10, 0]}}, AT_ONCE),
        ({}, []),
    ],
)
def test_not_to_all_at_once_without_a_time_in_which_alarms_count(
    rollout: dict[str, object], expected: list[tuple[str, str, str]]
) -> None:
    """The first step is the last with a factor of 100 or without a duration; a bake time watches after that."""
    assert [(*one[:2], one[2] if one[0] == "fail" else "") for one in judged(**rollout)] == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("AppConfig.AllAtOnce", []),
        ("AppConfig.Linear50PercentEvery30Seconds", []),
        ({"Fn::Sub": "AppConfig.${Open}"}, []),
        ("abc1234", [("unknown", "Deployment", STRATEGY)]),
        ({"Ref": "Open"}, [("unknown", "Deployment", STRATEGY)]),
        ({"Ref": "Environment"}, [("unknown", "Deployment", STRATEGY)]),
        ({"Ref": "AWS::NoValue"}, []),
    ],
)
def test_awss_own_strategies_watch_alarms(strategy: object, expected: list[tuple[str, str, str]]) -> None:
    """AllAtOnce does for ten minutes; what another id stands for is not known here."""
    assert judged(strategy=strategy) == expected


@pytest.mark.parametrize(
    ("monitors", "expected"),
    [
        (MONITORED, []),
        ([{"AlarmArn": {"Ref": "Open"}}], []),
        (None, [("fail", "Environment", MONITORS)]),
        ([], [("fail", "Environment", MONITORS)]),
        ([{"AlarmRoleArn": "arn:aws:iam::1:role/a"}], [("fail", "Environment", MONITORS)]),
        ({"Fn::If": ["Maybe", MONITORED, {"Ref": "AWS::NoValue"}]}, [("fail", "Environment", f"{MONITORS}/Fn::If/2")]),
        ({"Ref": "Open"}, [("unknown", "Environment", MONITORS)]),
    ],
)
def test_an_environment_has_an_alarm_that_takes_back(monitors: object, expected: list[tuple[str, str, str]]) -> None:
    """Without one a gradual deployment is only a slow one."""
    found = judged(monitors=monitors, **GRADUAL)  # type: ignore[arg-type]
    assert [(*one[:2], one[2].split("/Fn::If")[0]) for one in found] == [
        (*one[:2], one[2].split("/Fn::If")[0]) for one in expected
    ]


def test_an_environment_that_nothing_here_deploys_to_is_not_judged() -> None:
    """Who deploys to it is not seen; nor is a deployment that no condition lets exist."""
    assert judged(monitors=None, deployed=False) == []
    assert judged(monitors=None, condition="Never", **GRADUAL) == []  # type: ignore[arg-type]


def configured(**strategy: Any) -> str:
    """An application's configuration by plain CDK, deployed to one environment."""
    scope = stack(App(), "Configured")
    application = appconfig.Application(scope, "Application")
    monitors = strategy.pop("monitors", None)
    if monitors:
        alarm = cloudwatch.Metric(namespace="Shop", metric_name="Errors").create_alarm(
            scope, "Errors", threshold=1, evaluation_periods=1
        )
        monitors = [appconfig.Monitor.from_cloud_watch_alarm(alarm)]
    environment = application.add_environment("production", monitors=monitors)
    rollout = appconfig.RolloutStrategy.linear(**strategy)
    appconfig.HostedConfiguration(
        scope,
        "Configuration",
        application=application,
        content=appconfig.ConfigurationContent.from_inline_json("{}"),
        deploy_to=[environment],
        deployment_strategy=appconfig.DeploymentStrategy(scope, "Strategy", rollout_strategy=rollout),
    )
    return json.dumps(synthesize(scope))


def test_before_all_at_once_without_monitors() -> None:
    """Both faults are told, each at its own resource."""
    template = configured(growth_factor=100, deployment_duration=Duration.minutes(0))
    kinds = [one.message.split(".")[0] for one in findings(template, "MOOR-T2c")]
    assert len(kinds) == 2
    assert any("no alarm takes back" in one.lower() for one in kinds)
    assert any("to all at once" in one for one in kinds)


def test_after_our_construct_leaves_nothing_to_find() -> None:
    """The agent, the copy in S3 that the application is told of, steps, a bake time and an alarm that takes back."""
    scope = stack(App(), "Ours")
    errors = cloudwatch.Metric(namespace="Shop", metric_name="Errors")
    alarm = errors.create_alarm(scope, "Errors", threshold=1, evaluation_periods=1)
    configuration = FailStaticConfig(
        scope,
        "Configuration",
        application="shop",
        environment="production",
        profile="web",
        schema="{}",
        content="{}",
        rollback_alarms=[alarm.alarm_arn],
    )
    task = ecs.FargateTaskDefinition(scope, "Task")
    task.add_container("web", image=ecs.ContainerImage.from_registry(f"public.ecr.aws/docker/library/nginx@{DIGEST}"))
    configuration.attach(task, agent_image=f"public.ecr.aws/aws-appconfig/aws-appconfig-agent@{DIGEST}")
    assert findings(json.dumps(synthesize(scope)), "MOOR-T2") == []


def test_after_gradual_with_an_alarm() -> None:
    """As CDK makes it when both are asked for."""
    template = configured(
        growth_factor=20, deployment_duration=Duration.minutes(10), final_bake_time=Duration.minutes(5), monitors=True
    )
    assert findings(template, "MOOR-T2c") == []
