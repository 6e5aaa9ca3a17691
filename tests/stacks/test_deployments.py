"""The app's services deploy as their configuration says, and a release knows it (lesson T4)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, DeploymentStrategy
from constructs_lib.services.schedules.one_off import OneOffTask
from constructs_lib.services.task.health_check import ContainerCheck
from stacks.application import application
from stacks.config import LONGEST_DEPLOYMENT, ServiceConfig
from stacks.environments import ENVIRONMENTS
from tests.support import Template, of_type, only, refused

STAGING = ENVIRONMENTS[0]
WEB = next(service for service in STAGING.services if not service.is_worker)
CANARY = DeploymentPolicy(strategy=DeploymentStrategy.CANARY, step_minutes=7, bake_minutes=8)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Staging's services, where the one for the web shifts requests."""
    folder = tmp_path_factory.mktemp("canary")
    config = replace(STAGING, services=(replace(WEB, deployment=CANARY),))
    application([config], checked=False, outdir=str(folder)).synth()
    templates: list[Template] = [json.loads(path.read_text()) for path in folder.rglob("*.template.json")]
    (found,) = (one for one in templates if of_type(one, "AWS::ECS::Service"))
    return found


def test_a_release_knows_both_groups_and_how_long_a_deployment_takes(services: Template) -> None:
    """It counts healthy targets in both, and waits for the steps and the baking (T4, W4)."""
    (balancer,) = only(services, "AWS::ECS::Service")["LoadBalancers"]
    (written,) = (
        one["Value"]["Fn::Join"][1]
        for one in of_type(services, "AWS::SSM::Parameter").values()
        if "steady_minutes" in json.dumps(one["Value"])
    )
    assert '"deployment_minutes": 15, ' in "".join(part for part in written if isinstance(part, str))
    before = written[written.index(balancer["AdvancedConfiguration"]["AlternateTargetGroupArn"]) - 1]
    assert before.endswith('"alternate_target_group": "')
    assert written[written.index(balancer["TargetGroupArn"]) - 1].endswith('"target_group": "')


def test_a_release_may_pass_the_role_that_shifts(services: Template) -> None:
    """CloudFormation's role of a release passes it to ECS, and no other role (T4, Q5)."""
    (balancer,) = only(services, "AWS::ECS::Service")["LoadBalancers"]
    policies = [one["PolicyDocument"]["Statement"] for one in of_type(services, "AWS::IAM::ManagedPolicy").values()]
    passing = [
        statement
        for statements in policies
        for statement in statements
        if statement.get("Condition") == {"StringEquals": {"iam:PassedToService": "ecs.amazonaws.com"}}
    ]
    assert [one["Resource"] for one in passing] == [balancer["AdvancedConfiguration"]["RoleArn"]]


def test_a_worker_shifts_nothing() -> None:
    """Nobody connects to it, so the three other strategies are refused (T4)."""
    worker = ServiceConfig(name="mailer", health_check=ContainerCheck.of("true"))
    refused(lambda: replace(worker, deployment=CANARY), "strategy", "CANARY", "ROLLING without a load balancer")


def test_a_deployment_that_outlasts_the_releases_build_is_refused() -> None:
    """The build ends after three hours; an hour of steps and baking leaves room for the way back (T4, W4)."""
    longest = replace(CANARY, step_minutes=LONGEST_DEPLOYMENT - 8)
    assert replace(WEB, deployment=longest).deployment.minutes == LONGEST_DEPLOYMENT == 60
    longer = replace(CANARY, step_minutes=LONGEST_DEPLOYMENT - 7)
    refused(lambda: replace(WEB, deployment=longer), "deployment and before_release", 61, "at most 60 minutes")
    first = OneOffTask(command=("migrate",), timeout_minutes=30)
    both = replace(CANARY, step_minutes=23)
    refused(
        lambda: replace(WEB, deployment=both, before_release=first),
        "deployment and before_release",
        61,
        "at most 60 minutes",
    )
    assert replace(WEB, deployment=replace(CANARY, step_minutes=22), before_release=first).before_release == first
