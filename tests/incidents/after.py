"""The same two environments made by our stacks, with the guard that they deploy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3

from constructs_lib.images.runtime.aws import Clients, connect
from constructs_lib.images.runtime.guard import Reader, scan
from constructs_lib.images.runtime.memory import Memory
from constructs_lib.images.runtime.model import Reading
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.report import Report
from constructs_lib.images.runtime.settings import VARIABLE, Settings
from constructs_lib.images.runtime.uses import read_uses
from constructs_lib.naming import release_parameter_name, repository_name, stack_name
from demo.cloud import LocalCloud
from demo.environments import ACCOUNT, demo_environments
from stacks.config import EnvironmentConfig
from tests.incidents.registry import Registry, Service

APPLICATION: Final = "replay"


def deploy(cloud: LocalCloud, folder: Path) -> tuple[EnvironmentConfig, ...]:
    """Deploys both of the app's environments with the CDK command line, under a name that only the replay uses.

    Nothing wakes their guards. The story has a time of its own, and a guard that an event of the deployment woke would
    write the machine's time into the memory that both share, half a minute later, in the middle of the story.
    """
    from aws_cdk import aws_events as events

    from stacks.application import application

    # Without the policy by which events are kept: an account has at most ten, and the tests share one account.
    environments = tuple(
        replace(config, application=APPLICATION, log_resource_policy=False) for config in demo_environments()
    )
    app = application(environments, checked=False, outdir=str(folder))
    for construct in app.node.find_all():
        if isinstance(construct, events.CfnRule):
            construct.state = "DISABLED"
    app.synth()
    words = ("deploy", "*/*", "--require-approval", "never", "--concurrency", "4", "--app", str(folder))
    cloud.cdk(*words, region=environments[0].region)
    return environments


def _without_stopped_tasks(
    clients: Clients, *, releases: Mapping[str, RepositoryId], revisions_kept: int, releases_kept: int
) -> Reading:
    """In the story an hour has passed and ECS has forgotten; the emulator has the machine's time."""
    reading = read_uses(clients, releases=releases, revisions_kept=revisions_kept, releases_kept=releases_kept)
    return replace(reading, used=tuple(entry for entry in reading.used if entry.use.source != "stopped task"))


class After:
    """A world of ours. The guard's own code runs in the story's time; the one that is deployed sleeps."""

    def __init__(self, environments: Sequence[EnvironmentConfig]) -> None:
        region = environments[0].region
        self.registry = Registry(region)
        self.builds: dict[str, int] = {}
        self.scanned: datetime | None = None
        self.environments = {config.name: config for config in environments}
        self.cloudformation = boto3.client("cloudformation", region_name=region)
        self.ssm = boto3.client("ssm", region_name=region)
        self.clients = connect(boto3.session.Session(region_name=region))
        self.settings = {name: self._guard(config) for name, config in self.environments.items()}
        self.services = {
            name: Service(
                cluster=self._resource(config, "services", "AWS::ECS::Cluster"),
                name=self._resource(config, "services", "AWS::ECS::Service").rsplit("/", 1)[-1],
            )
            for name, config in self.environments.items()
        }

    def build(self) -> str:
        """Staging's own build pushes to staging's own repository."""
        number = len(self.builds) + 1
        self.registry.pass_time(timedelta(minutes=1))
        digest = self.registry.push(self.repository("staging"), number, f"staging-{number}")
        self.builds[digest] = number
        return digest

    def release(self, environment: str, digest: str) -> None:
        """Writes the release parameter and updates the stack; for production the same digest is copied first."""
        if environment == "worker":
            self._release_worker(digest)
            return
        if environment == "production":
            number = self.builds[digest]
            assert self.registry.push(self.repository("production"), number, f"staging-{number}") == digest
        name = release_parameter_name(APPLICATION, environment, "web")
        self.ssm.put_parameter(Name=name, Value=digest, Overwrite=True)
        stack = stack_name(APPLICATION, environment, "services")
        self.cloudformation.update_stack(
            StackName=stack, UsePreviousTemplate=True, Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]
        )
        waiter = self.cloudformation.get_waiter("stack_update_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        self.scan()

    def replace_tasks(self) -> dict[str, str | None]:
        """Stops a task of each service."""
        return {name: self.registry.replace_task(service) for name, service in self.services.items()}

    def pass_days(self, days: int) -> None:
        """The guard scans, the registry forgets what is old."""
        self.registry.pass_time(timedelta(days=days))
        self.scan(_without_stopped_tasks)
        for environment in self.environments:
            self.registry.expire(self.repository(environment))

    def watch(self, hours: int) -> None:
        """The guard scans every hour for so long, so it knows what was not in use in between."""
        for _ in range(hours):
            self.registry.pass_time(timedelta(hours=1))
            self.scan(_without_stopped_tasks)

    def scan(self, read: Reader = read_uses) -> list[Report]:
        """One scan of each environment's guard; all of them see everything, and nobody else scans."""
        for settings in self.settings.values():
            began = Memory(self.clients.dynamodb, settings.table).last(self.registry.now).began
            assert began == self.scanned, f"another guard scanned at {began}"
        self.scanned = self.registry.now
        reports = [
            scan(
                self.clients,
                settings,
                memory=Memory(self.clients.dynamodb, settings.table),
                clock=lambda: self.registry.now,
                read=read,
            )
            for settings in self.settings.values()
        ]
        assert not [report.gaps for report in reports if report.gaps]
        return reports

    def repository(self, environment: str) -> str:
        """The repository of an environment."""
        return repository_name(APPLICATION, environment, "web")

    def _release_worker(self, digest: str) -> None:
        """A second service on staging's repository, made by other means than ours."""
        web = self.services["staging"]
        (found,) = self.registry.ecs.describe_services(cluster=web.cluster, services=[web.name])["services"]
        host = f"{ACCOUNT}.dkr.ecr.{self.registry.region}.amazonaws.com"
        image = f"{host}/{self.repository('staging')}@{digest}"
        network: Any = found["networkConfiguration"]
        self.services["worker"] = self.registry.add_service(web.cluster, "worker", image, network)
        self.scan()

    def _guard(self, config: EnvironmentConfig) -> Settings:
        """What the deployed guard was told."""
        function = self._resource(config, "retention", "AWS::Lambda::Function", of="Guard")
        told = boto3.client("lambda", region_name=config.region).get_function_configuration(FunctionName=function)
        return Settings.from_environment({VARIABLE: told["Environment"]["Variables"][VARIABLE]})

    def _resource(self, config: EnvironmentConfig, stack: str, kind: str, *, of: str = "") -> str:
        name = stack_name(APPLICATION, config.name, stack)
        listed = self.cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        wanted = [one for one in listed if one["ResourceType"] == kind and one["LogicalResourceId"].startswith(of)]
        (found,) = (item["PhysicalResourceId"] for item in wanted)
        return found
