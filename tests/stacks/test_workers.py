"""Workers and scheduled tasks in the app: what they have of a service's delivery, and what they have not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from stacks.application import application
from stacks.config import EnvironmentConfig, ServiceConfig, ServiceSize
from stacks.environments import ENVIRONMENTS
from stacks.scheduled import ScheduledTaskConfig
from tests.conftest import Templates
from tests.delivery.support import of_type
from tests.stacks import iam
from tests.stacks.test_gate import printed_by
from tests.stacks.test_iam import deployed
from tests.stacks.variants import variants, workers
from tests.support import refused

LOAD_BALANCING = "AWS::ElasticLoadBalancingV2::"
NIGHTLY = ScheduledTaskConfig(name="nightly", schedule=Schedule.cron("0 3 * * ? *"), command=("report",))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of environments with workers and scheduled tasks."""
    folder = tmp_path_factory.mktemp("workers")
    application(workers(), checked=False, outdir=str(folder)).synth()
    return iam.read_templates(folder)


@pytest.fixture(scope="module")
def services(made: Templates) -> dict[str, Any]:
    """Staging's services: ``web`` with two scheduled tasks, and the worker ``mailer`` with one."""
    return made["shop--staging--services"]


def properties(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """Of all resources of a type."""
    return [one["Properties"] for one in of_type(template, kind).values()]


def test_nothing_of_them_is_a_finding(tmp_path: Path) -> None:
    """Our rules, CDK's validation, AwsSolutions, cfn-lint and the check of IAM statements, warnings included."""
    assert printed_by(tmp_path, "tests.stacks.variants", "workers", str(tmp_path / "out")) == ""


def test_a_worker_has_no_load_balancer_and_its_release_waits_for_tasks(services: dict[str, Any]) -> None:
    """One load balancer, of the web service; the worker's settings name no target group (W4, T4)."""
    assert len(of_type(services, f"{LOAD_BALANCING}LoadBalancer")) == 1
    assert len(of_type(services, "AWS::ECS::Service")) == 2
    found = [
        DeliverySettings.from_json(iam.text(one["Value"]))
        for one in properties(services, "AWS::SSM::Parameter")
        if one["Name"].endswith("/delivery")
    ]
    assert [(one.service, bool(one.target_group)) for one in found] == [("web", True), ("mailer", False)]


def test_an_environment_of_workers_has_nothing_that_a_visitor_needs(made: Templates) -> None:
    """No load balancer and no bucket for its logs."""
    silent = made["shop--silent--services"]
    assert [one for one in silent["Resources"].values() if one["Type"].startswith(LOAD_BALANCING)] == []
    assert of_type(silent, "AWS::S3::Bucket") == {}
    assert len(of_type(silent, "AWS::ECS::Service")) == 1


def test_a_scheduled_task_runs_its_services_image_with_its_settings(services: dict[str, Any]) -> None:
    """The same digest, settings and secrets; its own command and size; in the same parameter's condition (Q3)."""
    (digests,) = {
        json.dumps(one) for one in services["Parameters"].values() if one["Default"].endswith("/mailer/digest")
    }
    assert digests
    by_name = {
        container["Name"]: (task, container)
        for task in properties(services, "AWS::ECS::TaskDefinition")
        for container in task["ContainerDefinitions"]
    }
    assert set(by_name) == {"web", "web-nightly", "web-tidy", "mailer", "mailer-tidy", "cloudwatch-agent"}
    _, mailer = by_name["mailer"]
    _, tidy = by_name["mailer-tidy"]
    for what in ("Image", "Environment", "Secrets"):
        assert tidy[what] == mailer[what], what
    assert tidy["Command"] == ["tidy"]
    assert [one["ContainerPath"] for one in tidy["MountPoints"]] == ["/tmp"]
    task, nightly = by_name["web-nightly"]
    assert nightly["Image"] == by_name["web"][1]["Image"]
    assert (task["Cpu"], task["Memory"]) == ("1024", "2048")


def test_only_the_service_that_asked_has_an_agent(services: dict[str, Any]) -> None:
    """The worker counts its sockets; its scheduled task, and the service beside it, do not (W1)."""
    with_agent = [
        [container["Name"] for container in task["ContainerDefinitions"]]
        for task in properties(services, "AWS::ECS::TaskDefinition")
        if any(container["Name"] == "cloudwatch-agent" for container in task["ContainerDefinitions"])
    ]
    assert with_agent == [["mailer", "cloudwatch-agent"]]


def test_its_sockets_are_watched_once_it_is_released(services: dict[str, Any]) -> None:
    """Half and four fifths of 55,296 ports to each of two destinations, and silence of two tasks; not before (W1)."""
    alarms = {one["AlarmName"]: one for one in properties(services, "AWS::CloudWatch::Alarm") if "AlarmName" in one}
    start = "shop/staging/mailer"
    found = {name: one for name, one in alarms.items() if "ports" in name or "sockets" in name}
    assert {name: one["Threshold"]["Fn::If"][1] for name, one in found.items()} == {
        f"{start}/ports-half-used": 55_296,
        f"{start}/ports-nearly-used-up": 88_474,
        f"{start}/sockets-unseen": 2,
    }
    (released,) = {json.dumps(one["ActionsEnabled"]) for one in found.values()}
    assert "Fn::If" in released


def test_a_schedule_changes_after_its_service(services: dict[str, Any]) -> None:
    """What the deployment of the service refuses is not run by the clock meanwhile (T4)."""
    schedules = of_type(services, "AWS::Scheduler::Schedule")
    assert len(schedules) == 3
    for key, schedule in schedules.items():
        owner = "mailer" if "mailer" in key else "web"
        (service,) = (one for one in of_type(services, "AWS::ECS::Service") if one.startswith(owner))
        assert service in schedule["DependsOn"]


def test_its_alarm_speaks_for_its_service(services: dict[str, Any]) -> None:
    """So ``moorings status`` shows it with the service."""
    names = {one["AlarmName"] for one in properties(services, "AWS::CloudWatch::Alarm") if "AlarmName" in one}
    assert {name for name in names if "failed-runs" in name} == {
        "shop/staging/web/nightly-failed-runs",
        "shop/staging/web/tidy-failed-runs",
        "shop/staging/mailer/tidy-failed-runs",
    }
    assert "shop/staging/mailer/too-few-running-tasks" in names


def test_a_release_may_update_the_schedules_and_pass_their_roles(services: dict[str, Any]) -> None:
    """Each schedule by name, its own role to Scheduler, its task's roles to tasks (Q5)."""
    ((_, policy),) = (
        (key, one) for key, one in of_type(services, "AWS::IAM::ManagedPolicy").items() if "Schedules" in key
    )
    schedules, own, _, tasks, _ = policy["Properties"]["PolicyDocument"]["Statement"]
    assert schedules["Action"] == ["scheduler:GetSchedule", "scheduler:UpdateSchedule"]
    # CDK sorts the resources of a statement.
    assert {one["Fn::GetAtt"][0] for one in schedules["Resource"]} == set(of_type(services, "AWS::Scheduler::Schedule"))
    given = [one["Target"]["RoleArn"] for one in properties(services, "AWS::Scheduler::Schedule")]
    assert (own["Action"], texts(own["Resource"])) == ("iam:PassRole", texts(given))
    definitions = [
        one
        for one in properties(services, "AWS::ECS::TaskDefinition")
        if one["ContainerDefinitions"][0]["Name"] not in ("web", "mailer")
    ]
    wanted = [one[role] for one in definitions for role in ("TaskRoleArn", "ExecutionRoleArn")]
    assert (tasks["Action"], texts(tasks["Resource"])) == ("iam:PassRole", texts(wanted))


def texts(values: list[Any]) -> set[str]:
    """Values of a template, to compare without their order."""
    return {json.dumps(value) for value in values}


def test_the_button_of_a_worker_asks_no_load_balancer(made: Templates) -> None:
    """Its role has no right that it does not use (Q5)."""
    release = made["shop--staging--release"]
    actions = {
        name: json.dumps([one for one in of_type(release, "AWS::IAM::Role").values() if name in json.dumps(one)])
        + json.dumps([one for key, one in of_type(release, "AWS::IAM::Policy").items() if key.startswith(name)])
        for name in ("web", "mailer")
    }
    assert "DescribeTargetHealth" in actions["web"]
    assert "DescribeTargetHealth" not in actions["mailer"]


def test_a_peak_of_requests_is_no_measure_for_a_worker(made: Templates) -> None:
    """A worker without a size of its own takes the environment's limits, and scales on CPU alone (T1)."""
    production = made["shop--production--services"]
    aims = {
        key: one["Properties"]["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
        for key, one in of_type(production, "AWS::ApplicationAutoScaling::ScalingPolicy").items()
        if key.startswith("mailer")
    }
    assert [one["PredefinedMetricType"] for one in aims.values()] == ["ECSServiceAverageCPUUtilization"]


# Room


def test_the_most_scheduled_tasks_that_are_accepted_fit_a_stack_and_its_release_role(tmp_path: Path) -> None:
    """500 resources; and 6,144 characters in each of at most ten managed policies, with the longest names."""
    (public, *_) = variants()
    web = public.services[0]
    many = tuple(replace(NIGHTLY, name=f"{'n' * 16}{number:02}") for number in range(37))
    config = replace(
        public,
        application="a" * 30,
        name="e" * 25,
        services=(replace(web, name="s" * 5, subdomain="", scheduled_tasks=many),),
        status_page=None,
    )
    application([config], checked=False, outdir=str(tmp_path)).synth()
    stack = f"{config.application}--{config.name}--services"
    resources = iam.read_templates(tmp_path)[stack]["Resources"]
    policies = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::IAM::ManagedPolicy"]
    assert 2 < len(policies) <= 10
    sizes = [len(deployed(one["PolicyDocument"], stack)) for one in policies]
    assert max(sizes) <= 6_144
    assert sorted(sizes)[-2] > 4_000


# What is refused

WORKER = ServiceConfig(name="mailer", health_check=ContainerCheck.of("true"))
STAGING = ENVIRONMENTS[0]
WEB = STAGING.services[0]
BUDGET = TimeoutBudget(stop_seconds=40)
SHIFTING = DeploymentPolicy(strategy=DeploymentStrategy.CANARY)


def environment(*services: ServiceConfig, **changes: Any) -> EnvironmentConfig:
    """Staging with other services."""
    return replace(STAGING, services=services, **changes)


def test_what_can_be_meant_is_accepted() -> None:
    """A worker beside a service, each with tasks; one name for tasks of two services."""
    made = environment(replace(WEB, scheduled_tasks=(NIGHTLY,)), replace(WORKER, scheduled_tasks=(NIGHTLY,)))
    assert [service.is_worker for service in made.services] == [False, True]
    assert made.has_web
    assert not environment(WORKER).has_web


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"health_check": "true"}, "health_check", "true", "a HealthCheck, or a worker's ContainerCheck"),
        ({"subdomain": "mail"}, "subdomain", "mail", "left out of a worker"),
        ({"timeouts": BUDGET}, "timeouts", BUDGET, "left out of a worker"),
        ({"scheduled_tasks": NIGHTLY}, "scheduled_tasks", NIGHTLY, "a tuple of ScheduledTaskConfig"),
        ({"deployment": SHIFTING}, "strategy", "CANARY", "ROLLING without a load balancer"),
        (
            {"size": ServiceSize(capacity=Capacity(target_requests_per_minute=60))},
            "target_requests_per_minute of size",
            60,
            "left out of a worker",
        ),
    ],
)
def test_what_a_worker_cannot_be_is_refused(changes: dict[str, Any], what: str, value: object, allowed: str) -> None:
    """Nobody connects to it, so it has no name, no time-outs of requests and no requests to count."""
    refused(lambda: replace(WORKER, **changes), what, value, allowed)


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"name": "Nightly"}, "name", "Nightly", "lower-case"),
        ({"name": "n" * 19}, "name", "n" * 19, "at most 18 characters"),
        ({"name": "before-release"}, "name", "before-release", "another name"),
        ({"schedule": "rate(1 day)"}, "schedule", "rate(1 day)", "a Schedule"),
        ({"command": "report"}, "command", "report", "a list with a program"),
        ({"command": ()}, "command", (), "a list with a program"),
    ],
)
def test_what_a_scheduled_task_cannot_be_is_refused(
    changes: dict[str, Any], what: str, value: object, allowed: str
) -> None:
    """Its name is part of names that others have too, and a command is a list of words."""
    refused(lambda: replace(NIGHTLY, **changes), what, value, allowed)


X86 = replace(NIGHTLY, size=TaskSize(architecture="x86_64"))


@pytest.mark.parametrize(
    ("services", "what", "value", "allowed"),
    [
        ((replace(WEB, name="s" * 23, scheduled_tasks=(NIGHTLY,)),), "scheduled_tasks", None, "at most 30 characters"),
        ((replace(WEB, scheduled_tasks=(X86,)),), "size of web-nightly", "x86_64", "arm64, as the service"),
        (
            (replace(WEB, scheduled_tasks=(NIGHTLY, NIGHTLY)),),
            "services",
            ["web", "web-nightly", "web-nightly"],
            "all different",
        ),
        (
            (replace(WEB, scheduled_tasks=(NIGHTLY,)), replace(WORKER, name="web-nightly")),
            "services",
            ["web", "web-nightly", "web-nightly"],
            "all different",
        ),
    ],
)
def test_an_environment_in_which_they_cannot_stand_is_refused(
    services: tuple[ServiceConfig, ...], what: str, value: object, allowed: str
) -> None:
    """Too long together, of another architecture, or of one name."""
    value = f"{services[0].name}-nightly" if value is None else value
    refused(lambda: environment(*services), what, value, allowed)
