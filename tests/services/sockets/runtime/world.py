"""A cluster with services whose tasks are measured, behind real clients."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from constructs_lib.services.sockets.runtime.aws import Clients
from constructs_lib.services.sockets.runtime.comparison import PERIOD, Floor
from constructs_lib.services.sockets.runtime.settings import Service, Settings
from tests.fake_aws.core import FakeAws
from tests.fake_aws.ecs import FakeEcs
from tests.fake_aws.metrics import FakeMetrics
from tests.services.sockets.runtime.days import Traffic, steady

STATES = ("SocketsEstablished", "SocketsTimeWait")
MINUTE = timedelta(minutes=1)
ALL_DAY = steady(100)


def service(name: str, target_groups: Iterable[str] = ()) -> Service:
    """A service of the cluster ``main``, whose container ``app`` is the application."""
    groups = tuple(target_groups) or (f"targetgroup/{name}/1",)
    return Service(
        name=name,
        cluster="main",
        ecs_service=f"shop-{name}",
        container="app",
        target_groups=groups,
        load_balancer="app/shop/1",
    )


def settings(*services: Service, requests: float = 1000) -> Settings:
    """An environment with these services."""
    return Settings(
        application="shop",
        environment="production",
        namespace="Moorings/Sockets",
        sockets=STATES,
        threshold=1.5,
        floor=Floor(requests=requests),
        services=services,
    )


class World:
    """ECS and CloudWatch of one account."""

    def __init__(self) -> None:
        self.ecs, self.metrics = FakeEcs(), FakeMetrics()
        self.aws = FakeAws(self.ecs, self.metrics)
        tries = {"mode": "standard", "total_max_attempts": 2}
        self.clients = Clients(
            ecs=self.aws.client("ecs", retries=tries), cloudwatch=self.aws.client("cloudwatch", retries=tries)
        )
        self.cluster = self.ecs.cluster()

    def release(self, one: Service, digest: str, began: datetime, *, minutes: float | None = 5) -> str:
        """A deployment of an image; one with no minutes goes on. Returns its ARN."""
        images = {"app": f"shop/{one.name}@sha256:{digest}", "agent": "agent@sha256:agent"}
        definition = self.ecs.task_definition(one.name, images)
        arn = f"arn:aws:ecs:eu-west-1:111111111111:service/main/{one.ecs_service}"
        if arn in self.ecs.services:
            self.ecs.deploy(arn, definition)
        else:
            self.ecs.service(self.cluster, one.ecs_service, definition)
        deployment = str(self.ecs.services[arn]["currentServiceDeployment"])
        entry = self.ecs.deployments[deployment]
        entry["createdAt"] = began.timestamp()
        if minutes is None:
            entry["status"] = "IN_PROGRESS"
        else:
            self.ecs.succeed(arn)
            entry["finishedAt"] = (began + minutes * MINUTE).timestamp()
        return deployment

    def run(
        self,
        one: Service,
        begins: datetime,
        ends: datetime,
        traffic: Traffic = ALL_DAY,
        *,
        each: float = 1,
        idle: float = 40,
        silent: int = 0,
        tasks: int = 2,
        seconds: float | None = 0.1,
        held: float = 0,
    ) -> None:
        """Tasks that are measured once in each period; the agents of some may be silent.

        A request takes ``seconds``, which the load balancer does not tell when they are None, and holds ``held``
        sockets until then; ``each`` is in TIME_WAIT for a minute after it.
        """
        names = {"Application": "shop", "Environment": "production", "Service": one.name}
        for number in range((ends - begins) // PERIOD):
            at = begins + number * PERIOD
            rate = traffic(at)
            heard = tasks - silent
            counts = (idle + held * rate / 60 * (seconds or 0), each * rate)
            for state, count in zip(STATES, counts, strict=True):
                self.metrics.put("Moorings/Sockets", state, names, at, *[count] * heard)
            if rate:
                group = {"TargetGroup": one.target_groups[-1]}
                self.metrics.put("AWS/ApplicationELB", "RequestCountPerTarget", group, at, rate * 5)
            if rate and seconds:
                both = {"LoadBalancer": one.load_balancer, "TargetGroup": one.target_groups[-1]}
                self.metrics.put("AWS/ApplicationELB", "TargetResponseTime", both, at, seconds)
