"""An account for the guard to read, behind a server on this machine, and the least number of calls that it takes.

The account is made of the fakes of the tests, which enforce AWS's page and batch sizes. The guard runs in a process of
its own and speaks HTTP with them through the clients that it has on AWS, so its memory and its time are its own.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any, Final

from tests.fake_aws.core import ACCOUNT, REGION, Fault, Service
from tests.fake_aws.dynamodb import FakeDynamoDb
from tests.fake_aws.ecr import FakeEcr
from tests.fake_aws.ecs import FakeEcs
from tests.fake_aws.others import FakeEvents, FakeScheduler, FakeSsm, FakeStepFunctions

CLUSTERS: Final = 2
ACTIVE_REVISIONS: Final = 5
REVISIONS_KEPT: Final = 3
RELEASES_KEPT: Final = 5
RELEASED: Final = 10
STOPPED: Final = 0.1
NAMED: Final = 0.1
"""Of the tasks, those that have stopped; of the services, those whose task definition a schedule names, and as many for
rules and state machines."""

TABLE: Final = "memory"
_SERVICES: Final = {"states": "stepfunctions"}
_SCOPE: Final = re.compile(r"Credential=[^/]+/\d+/[^/]+/(?P<service>[a-z]+)/")

Calls = Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large an account is; repositories and clusters share services and tasks evenly."""

    services: int
    tasks: int
    repositories: int
    images: int

    def part(self, of: int) -> Size:
        """An account a fraction as large; each repository is as large as before."""
        return Size(
            services=self.services // of,
            tasks=self.tasks // of,
            repositories=self.repositories // of,
            images=self.images,
        )


class World:
    """The account, and what was called.

    Attributes:
        calls: how often each ``service.Operation`` was called, refused calls included.
        refused: how many of them were throttled.
        settings: the guard's settings, as JSON text.
    """

    def __init__(self, size: Size) -> None:
        self.ecr, self.ecs, self.ssm = FakeEcr(), FakeEcs(), FakeSsm()
        self.events, self.scheduler, self.stepfunctions = FakeEvents(), FakeScheduler(), FakeStepFunctions()
        self.calls: Calls = Counter()
        self.refused: Calls = Counter()
        repositories = [f"shop/production/image-{number}" for number in range(size.repositories)]
        images = {name: self._repository(name, size.images) for name in repositories}
        clusters = [self.ecs.cluster(f"cluster-{number}") for number in range(CLUSTERS)]
        releases: dict[str, list[str]] = {name: [] for name in repositories}
        for number in range(size.services):
            repository = repositories[number % len(repositories)]
            first = RELEASED * (number // len(repositories))
            digests = images[repository][first : first + RELEASED]
            releases[repository].append(
                self._service(number, clusters[number % CLUSTERS], repository, digests, size.tasks // size.services)
            )
        self._names(size, clusters[0])
        self.settings = json.dumps(
            {
                "application": "shop",
                "environment": "production",
                "account": ACCOUNT,
                "region": REGION,
                "table": TABLE,
                "repositories": [{"repository": name, "releases": releases[name]} for name in repositories],
                "revisions_kept": REVISIONS_KEPT,
                "releases_kept": RELEASES_KEPT,
            }
        )

    def _repository(self, name: str, images: int) -> list[str]:
        self.ecr.repository(name)
        return [self.ecr.push(name, [f"production-{number:014d}-0123456789ab"]) for number in range(images)]

    def _service(self, number: int, cluster: str, repository: str, digests: list[str], tasks: int) -> str:
        """A service that was released ten times; its last five task definitions are ACTIVE."""
        name = f"service-{number:04d}"
        host = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
        definitions = [self.ecs.task_definition(name, f"{host}/{repository}@{digest}") for digest in digests]
        for definition in definitions[:-ACTIVE_REVISIONS]:
            self.ecs.deregister(definition)
        service = self.ecs.service(cluster, name, definitions[-2], desired=tasks)
        self.ecs.deploy(service, definitions[-1])
        self.ecs.succeed(service)
        for task in range(tasks):
            arn = self.ecs.task(cluster, definitions[-1])
            if task < STOPPED * tasks:
                self.ecs.stop(arn)
        parameter = f"/moorings/shop/production/{name}/digest"
        self.ssm.put(parameter, "none", *digests)
        return parameter

    def _names(self, size: Size, cluster: str) -> None:
        """Schedules, rules and state machines, each of a family's latest revision."""
        for number in range(named(size)):
            family = f"service-{number:04d}"
            self.scheduler.task(f"schedule-{number}", cluster, family)
            self.events.rule(f"rule-{number}")
            self.events.target(f"rule-{number}", cluster, f"{family}:{RELEASED}")
            self.stepfunctions.state_machine(
                f"machine-{number}", {"States": {"Run": {"Parameters": {"TaskDefinition": family}}}}
            )


def named(size: Size) -> int:
    """How many schedules there are, rules, and state machines."""
    return round(NAMED * size.services)


def pins(size: Size) -> int:
    """How many images are in use: what a service runs is among its released digests, and these are the most."""
    return size.services * (RELEASES_KEPT + 1)


def least(size: Size, *, first: bool) -> Calls:
    """The fewest calls with which AWS's APIs tell all this; for the first scan, with which all is pinned as well.

    A page of each list, and a batch of each description, is as large as AWS allows. One call for each: a task
    definition, a schedule, a state machine, the targets of a rule, the history of a parameter, a tag to put.
    """
    tasks, services = _shares(size.tasks, size), _shares(size.services, size)
    stopped = [share // (size.tasks // size.services) * _stopped_of_service(size) for share in tasks]
    calls = {
        "ecs.ListClusters": _pages(CLUSTERS, 100),
        "ecs.ListTasks": sum(
            _pages(share - gone, 100) + _pages(gone, 100) for share, gone in zip(tasks, stopped, strict=True)
        ),
        "ecs.DescribeTasks": sum(_pages(share, 100) for share in tasks),
        "ecs.ListServices": sum(_pages(share, 100) for share in services),
        "ecs.DescribeServices": sum(_pages(share, 10) for share in services),
        "ecs.DescribeServiceDeployments": _pages(size.services, 20),
        "ecs.DescribeServiceRevisions": _pages(2 * size.services, 20),
        "ecs.ListTaskDefinitions": _pages(size.services * ACTIVE_REVISIONS, 100),
        "ecs.DescribeTaskDefinition": size.services * REVISIONS_KEPT,
        "scheduler.ListSchedules": _pages(named(size), 100),
        "scheduler.GetSchedule": named(size),
        "events.ListEventBuses": 1,
        "events.ListRuleNamesByTarget": CLUSTERS - 1 + _pages(named(size), 100),
        "events.ListRules": _pages(named(size), 100),
        "events.ListTargetsByRule": named(size),
        "stepfunctions.ListStateMachines": _pages(named(size), 1000),
        "stepfunctions.DescribeStateMachine": named(size),
        "ssm.GetParameterHistory": size.services * _pages(RELEASED + 1, 50),
        "ecr.DescribeRepositories": _pages(size.repositories, 100),
        "ecr.DescribeImages": size.repositories * _pages(size.images, 1000),
        "ecr.GetLifecyclePolicy": size.repositories,
        "dynamodb.BatchGetItem": _pages(size.repositories + 1, 100),
        "dynamodb.PutItem": 2,
    }
    if first:
        calls["ecr.BatchGetImage"] = size.repositories * _pages(pins(size) // size.repositories, 100)
        calls["ecr.PutImage"] = pins(size)
        calls["ecr.DescribeImages"] += calls["ecr.BatchGetImage"]
    return Counter(calls)


def _stopped_of_service(size: Size) -> int:
    tasks = size.tasks // size.services
    return sum(task < STOPPED * tasks for task in range(tasks))


def _shares(number: int, size: Size) -> list[int]:
    """What each cluster has, of tasks or services; services take turns."""
    each = number // size.services
    bounds = [size.services * part // CLUSTERS for part in range(CLUSTERS + 1)]
    return [each * (high - low) for low, high in pairwise(bounds)]


def _pages(items: int, size: int) -> int:
    return max(1, -(-items // size))


RATES: Final[Sequence[tuple[tuple[str, ...], int, int]]] = (
    (("ListClusters",), 50, 20),
    (("ListTasks", "DescribeTasks"), 100, 20),
    (("ListServices", "DescribeServices"), 100, 20),
    (("DescribeServiceDeployments",), 50, 20),
    (("DescribeServiceRevisions",), 50, 20),
    (("DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"), 50, 20),
)
"""Groups of ECS's calls: how many at once, and how many a second from then on, of an account in a region
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html)."""


class _Buckets:
    """ECS's throttling."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, ...], tuple[float, float]] = {}

    def take(self, operation: str) -> bool:
        """Whether a call is answered now."""
        group, burst, rate = next(entry for entry in RATES if operation in entry[0])
        now = time.monotonic()
        left, since = self._left.get(group, (float(burst), now))
        left = min(burst, left + (now - since) * rate)
        self._left[group] = (left - 1 if left >= 1 else left, now)
        return left >= 1


@contextmanager
def served(world: World, *, as_on_aws: bool) -> Iterator[str]:
    """The address of a server that answers for the account.

    Args:
        world: the account.
        as_on_aws: whether each answer takes ``LATENCY`` and ECS throttles.
    """
    services: list[Service] = [world.ecr, world.ecs, world.ssm, world.events, world.scheduler, world.stepfunctions]
    by_name = {service.name: service for service in [*services, FakeDynamoDb(TABLE)]}
    lock, buckets = threading.Lock(), _Buckets()

    def answer(service: str, operation: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with lock:
            world.calls[f"{service}.{operation}"] += 1
            if as_on_aws and service == "ecs" and not buckets.take(operation):
                world.refused[f"{service}.{operation}"] += 1
                return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
            try:
                return 200, by_name[service].answer(operation, params)
            except Fault as fault:
                return fault.status, {"__type": fault.code, "message": fault.message}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

        def do_GET(self) -> None:
            self._reply({"url": self.path})

        def _reply(self, params: dict[str, Any]) -> None:
            scope = _SCOPE.search(self.headers["Authorization"])
            assert scope is not None
            service = _SERVICES.get(scope["service"], scope["service"])
            target = self.headers.get("X-Amz-Target")
            listing = "ListSchedules" if self.path.partition("?")[0] == "/schedules" else "GetSchedule"
            operation = target.rpartition(".")[2] if target else listing
            if as_on_aws:
                time.sleep(LATENCY)
            status, body = answer(service, operation, params)
            data = json.dumps(body, default=str).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            if status != 200:
                self.send_header("x-amzn-errortype", body["__type"])
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *_args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


LATENCY: Final = 0.03
"""Seconds that a call takes beside the work; an assumption, for it is not documented."""
