"""Two services of which one calls the other, with counted sockets and a configuration each: deployed and released.

What the local cloud does not do is said where it matters: it enforces no permission, runs no container and no proxy of
Service Connect, and completes a deployment of AppConfig at once.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

import boto3
import pytest

from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from demo.image import Behaviour
from stacks.config import EnvironmentConfig
from stacks.service_config import ServiceConfiguration
from tests.e2e.conftest import Deploy
from tests.e2e.delivery_support import Place, story
from tests.support import DIGEST

pytestmark = pytest.mark.e2e

_versions = count(1)
_SOCKETS, _SETTINGS = "cloudwatch-agent", "configuration-agent"
PUBLIC = SocketMetrics(image=f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}")
GONE = SocketMetrics(image=f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/cloudwatch-agent@{DIGEST}")
"""The local cloud looks for images in its own private registries only; this one is not there."""

LIMITS = ServiceConfiguration(
    schema='{"type": "object", "required": ["limit"], "properties": {"limit": {"type": "integer"}}}',
    content='{"limit": 5}',
    agent_image=f"public.ecr.aws/aws-appconfig/aws-appconfig-agent@{DIGEST}",
)
INNER = TimeoutBudget(upstream_seconds=5, longest_request_seconds=10)


class One(Place):
    """One of the environment's services."""

    def __init__(self, config: EnvironmentConfig, service: str) -> None:
        ordered = sorted(config.services, key=lambda one: one.name != service)  # Place looks at the first
        super().__init__(replace(config, services=tuple(ordered)))
        self.service = service

    def resource(self, kind: str) -> str:
        """Physical id of this service's resource of a type, or of one that all services share."""
        return self.made(kind, self.service) or self.made(kind, "")

    def made(self, kind: str, begins: str) -> str:
        """Physical id of the stack's first resource of a type whose logical id begins so; empty without one."""
        listed = self.cloudformation.describe_stack_resources(StackName=self.stack)["StackResources"]
        found = [item for item in listed if item["ResourceType"] == kind]
        return next((item["PhysicalResourceId"] for item in found if item["LogicalResourceId"].startswith(begins)), "")

    def task_arns(self) -> set[str]:
        """This service's running tasks."""
        cluster, name = self.resource("AWS::ECS::Cluster"), self.resource("AWS::ECS::Service").rpartition("/")[2]
        return set(self.ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus="RUNNING")["taskArns"])

    def running(self) -> dict[str, str]:
        """Digest by container of the running tasks, which are all alike; of an image from elsewhere it is not known."""
        arns, cluster = list(self.task_arns()), self.resource("AWS::ECS::Cluster")
        tasks = self.ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        found = [{one["name"]: one.get("imageDigest", "") for one in task["containers"]} for task in tasks]
        assert all(one == found[0] for one in found)
        return found[0] if found else {}

    def settings(self) -> dict[str, str]:
        """What the application of a running task is told."""
        cluster, name = self.resource("AWS::ECS::Cluster"), self.resource("AWS::ECS::Service")
        (found,) = self.ecs.describe_services(cluster=cluster, services=[name])["services"]
        definition = self.ecs.describe_task_definition(taskDefinition=found["taskDefinition"])["taskDefinition"]
        (own,) = (one for one in definition["containerDefinitions"] if one["name"] == self.service)
        return {setting["name"]: setting["value"] for setting in own["environment"]}

    def new(self, behaviour: Behaviour = "") -> str:
        """A build that nobody else has."""
        return self.build(f"{self.service} {next(_versions)}", behaviour)

    def acting(self) -> set[str]:
        """What this service's alarms that notify somebody are about."""
        prefix = f"{self.name}/"
        found = boto3.client("cloudwatch", region_name=self.config.region).describe_alarms(AlarmNamePrefix=prefix)
        return {one["AlarmName"].removeprefix(prefix) for one in found["MetricAlarms"] if one["ActionsEnabled"]}

    def deployments(self) -> list[tuple[int, str, str]]:
        """Number, version and state of each deployment of this service's configuration, oldest first."""
        appconfig = boto3.client("appconfig", region_name=self.config.region)
        application = self.made("AWS::AppConfig::Application", self.service)
        (environment,) = appconfig.list_environments(ApplicationId=application)["Items"]
        listed = appconfig.list_deployments(ApplicationId=application, EnvironmentId=environment["Id"])["Items"]
        return sorted((one["DeploymentNumber"], one["ConfigurationVersion"], one["State"]) for one in listed)

    def copied(self) -> dict[str, Any]:
        """Runs the function that copies, which no clock does here; the copy where the application is told to look."""
        function = self.made("AWS::Lambda::Function", f"{self.service}configuration")
        ran = boto3.client("lambda", region_name=self.config.region).invoke(FunctionName=function, Payload=b"{}")
        assert json.loads(ran["Payload"].read())["outcome"] in ("written", "confirmed")
        bucket, _, key = self.settings()["MOORINGS_CONFIG_COPY"].removeprefix("s3://").partition("/")
        stored = boto3.client("s3", region_name=self.config.region).get_object(Bucket=bucket, Key=key)
        copy: dict[str, Any] = json.loads(stored["Body"].read())
        return copy


@pytest.fixture(scope="module")
def config(staging: EnvironmentConfig) -> EnvironmentConfig:
    """``web`` calls ``orders``; the sockets of both are counted, and both have a configuration."""
    (web,) = staging.services
    web = replace(web, socket_metrics=PUBLIC, configuration=LIMITS)
    orders = replace(web, name="orders", subdomain="orders", timeouts=INNER)
    return replace(staging, application="depends", services=(replace(web, calls=("orders",)), orders))


@pytest.fixture(scope="module")
def web(config: EnvironmentConfig, deploy: Deploy) -> One:
    """The calling service, deployed into an empty account; nothing is released yet."""
    deploy(config)
    return One(config, "web")


@pytest.fixture(scope="module")
def orders(web: One, config: EnvironmentConfig) -> One:
    """The called service, in the same stack and so deployed with the caller."""
    assert web.config.application == config.application
    return One(config, "orders")


def test_before_the_first_release_nothing_runs_and_the_configuration_is_there(web: One, orders: One) -> None:
    """Zero tasks, a configuration of each service, and no alarm acts but two that have no need of tasks."""
    assert web.status() == "CREATE_COMPLETE"
    assert (web.counts(), orders.counts()) == ((0, 0), (0, 0))
    assert web.acting() == {"configuration-copy", "more-sockets-than-before"}
    assert web.deployments() == orders.deployments() == [(1, "1", "COMPLETE")]
    assert web.copied()["content"] == {"limit": 5}


def test_the_called_one_is_released_first_and_then_its_caller(web: One, orders: One) -> None:
    """Each release brings its own service only, with both agents in each task, and AppConfig is left alone."""
    for service, other in ((orders, web), (web, orders)):
        before, digest = other.running(), service.new()
        done = service.moorings("release")
        assert (done.code, done.release["state"]) == (0, "successful"), done.progress
        assert service.running() == {service.service: digest, _SOCKETS: "", _SETTINGS: ""}
        assert other.running() == before
        assert service.counts() == (2, 2)
    assert {"orders-answers-errors", "ports-nearly-used-up", "sockets-unseen"} < web.acting()
    assert web.alarms_act() == {True}
    assert web.settings()["MOORINGS_ORDERS_URL"] == "http://orders"
    assert web.settings()["MOORINGS_ORDERS_CALL_SECONDS"] == "10"
    assert f"/applications/{web.made('AWS::AppConfig::Application', 'web')}/" in web.settings()["MOORINGS_CONFIG_URL"]
    assert web.deployments() == orders.deployments() == [(1, "1", "COMPLETE")]


def test_a_release_whose_tasks_exit_goes_back_with_its_agents(web: One, orders: One) -> None:
    """The caller has its former tasks again, and the called one's were not touched."""
    good, others = web.running(), orders.task_arns()
    bad = web.new("exits")
    assert web.moorings("release").code == 1
    assert web.running() == good
    assert orders.task_arns() == others
    assert story(web.history())[-1] == ("release", "failed", bad)
    assert web.deployments() == [(1, "1", "COMPLETE")]


def test_another_content_is_deployed_and_copied_and_releases_nothing(
    web: One, orders: One, config: EnvironmentConfig, deploy: Deploy
) -> None:
    """``cdk deploy`` begins a second deployment of that configuration; all tasks stay."""
    stay = web.task_arns() | orders.task_arns()
    caller, called = config.services
    changed = replace(caller, configuration=replace(LIMITS, content='{"limit": 6}'))
    deploy(replace(config, services=(changed, called)), stacks="*/configuration")
    assert [version for _, version, _ in web.deployments()] == ["1", "2"]
    assert orders.deployments() == [(1, "1", "COMPLETE")]
    assert web.copied()["content"] == {"limit": 6}
    assert web.task_arns() | orders.task_arns() == stay


def test_an_agent_whose_image_is_gone_fails_the_deployment_and_the_tasks_stay(
    web: One, orders: One, config: EnvironmentConfig, deploy: Deploy
) -> None:
    """No new task starts without it, although it is not essential; ECS goes back."""
    caller, called = config.services
    stay, callers = orders.running(), web.task_arns()
    with pytest.raises(RuntimeError, match="Circuit Breaker"):
        deploy(replace(config, services=(caller, replace(called, socket_metrics=GONE))), stacks="*/services")
    assert orders.running() == stay
    assert orders.counts() == (2, 2)
    assert web.task_arns() == callers


def test_taken_out_again_the_tasks_are_as_they_were_without(
    web: One, orders: One, config: EnvironmentConfig, deploy: Deploy
) -> None:
    """Services without the three have one container each, the same digest, and can be released."""
    digests = web.value(), orders.value()
    plain = tuple(replace(one, calls=(), socket_metrics=None, configuration=None) for one in config.services)
    deploy(replace(config, services=plain), stacks="*/services")
    assert (web.running(), orders.running()) == ({"web": digests[0]}, {"orders": digests[1]})
    digest = orders.new()
    assert orders.moorings("release").code == 0
    assert orders.running() == {"orders": digest}
