"""A shop with staging and production, in one fake account whose time passes when somebody waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from constructs_lib.delivery.ledger import Action, Entry
from constructs_lib.delivery.operations import release
from constructs_lib.delivery.operations.clients import Clients
from constructs_lib.delivery.operations.ledger_store import Ledger
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.readiness import Check
from constructs_lib.delivery.settings import BeforeRelease, DeliverySettings, Upstream
from constructs_lib.images.runtime.model import Pin
from constructs_lib.images.runtime.pinning import put_pins
from constructs_lib.images.runtime.pins import Slot, slot_of
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.naming import build_tag, release_parameter_name, release_path
from tests.delivery.operations.cuts import Cut
from tests.fake_aws.clock import Clock
from tests.fake_aws.cloudformation import FakeCloudFormation, ServicesStack
from tests.fake_aws.cloudwatch import FakeCloudWatch
from tests.fake_aws.core import ACCOUNT, REGION
from tests.fake_aws.ecr_release import FakeEcrForReleases
from tests.fake_aws.ecs_one_off import EXECUTION_ROLE, TASK_ROLE, Ending, FakeEcsWithOneOffTasks
from tests.fake_aws.ecs_scheduler import Behaviour
from tests.fake_aws.elbv2 import FakeElbv2
from tests.fake_aws.others import FakeSsm
from tests.fake_aws.query import FakeAwsWithQuery
from tests.fake_aws.sts import FakeSts

ALARM = "shop-{}-deployment-errors"
ROLE = "arn:aws:iam::{}:role/shop--{}--release"
FAMILY = "shop--{}--services-web-before-release"
MIGRATION = "web-before-release"
SERVICES = ("cloudformation", "cloudwatch", "ecr", "ecs", "elbv2", "ssm", "sts")


@lru_cache
def line(number: int) -> tuple[FakeAwsWithQuery, Clients]:
    """Clients are slow to make, so all tests share some. Each number is a process of its own, with its own clients."""
    assert number >= 0
    aws = FakeAwsWithQuery()
    made: dict[str, Any] = {name: aws.client(name, retries={"total_max_attempts": 1}) for name in SERVICES}
    return aws, Clients(**made)


@dataclass
class GuardedPins:
    """Pins of releases, put by the guard's own code."""

    clients: Clients
    error: str | None = None

    def put(self, settings: DeliverySettings, digest: str, keep: Sequence[str]) -> str | None:
        """Pins the digest and what must be kept; a slot leaves only what is none of those."""
        if self.error is not None:
            return self.error
        ecr, wanted = self.clients.ecr, [digest, *keep]
        answer = ecr.describe_images(registryId=ACCOUNT, repositoryName=settings.repository)
        tags = {tag: one["imageDigest"] for one in answer["imageDetails"] for tag in one.get("imageTags", ())}
        slots = {slot.number: tags[tag] for tag in tags if (slot := slot_of(tag)) and slot.namespace == "release"}
        free = (number for number in range(100) if slots.get(number) not in wanted)
        pins = [
            Pin(tag=Slot(namespace="release", writer="0a1b2c", name="web", number=next(free)).tag, digest=one)
            for one in wanted
            if one not in slots.values()
        ]
        done = (
            put_pins(ecr, RepositoryId(registry=ACCOUNT, region=REGION, name=settings.repository), pins) if pins else []
        )
        errors = [one.error for one in done if one.error is not None and "ImageNotFound" not in one.error]
        return errors[0] if errors else None


@dataclass
class StagingReader:
    """Reads staging with the same credentials."""

    ledger: Ledger

    def entries(self) -> Sequence[Entry]:
        """Its ledger."""
        return self.ledger.entries()


class Shop:
    """Two environments of one service, which may have a task that runs before a release.

    Attributes:
        clock, ssm, ecr, ecs, cloudformation, cloudwatch: the fake account.
        aws: counts the calls, and can break them.
        lines: the progress that was said.
    """

    def __init__(self, tasks: int = 2, *, migrates: bool = False) -> None:
        self.clock = Clock()
        self.ssm, self.ecr = FakeSsm(), FakeEcrForReleases()
        self.ecs = FakeEcsWithOneOffTasks(self.clock)
        self.cloudformation = FakeCloudFormation(self.clock, self.ssm, self.ecs)
        self.cloudwatch, self.elbv2 = FakeCloudWatch(), FakeElbv2()
        self.lines: list[str] = []
        self.changed: dict[str, DeliverySettings] = {}
        self.migrates = migrates
        self._built = 0
        for environment in ("staging", "production"):
            repository = f"shop/{environment}/web"
            self.ecr.repository(repository)
            parameter = release_parameter_name("shop", environment, "web")
            self.ssm.put(parameter, "none")
            self.cloudwatch.alarms[ALARM.format(environment)] = "OK"
            stack = self.cloudformation.make(
                f"shop--{environment}--services",
                parameter=parameter,
                cluster=self.ecs.cluster(environment),
                image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{repository}",
                tasks=tasks,
                alarms=(ALARM.format(environment),),
            )
            self.elbv2.targets[self.settings(environment).target_group] = self._states(stack.service)
            if migrates:
                self._migrations(environment, stack.service)
        self.aws = self.connect(0)[0]

    def connect(self, number: int) -> tuple[FakeAwsWithQuery, Clients]:
        """A process with clients of its own, in this account."""
        aws, clients = line(number)
        services = (self.cloudformation, self.cloudwatch, self.ecr, self.ecs, self.elbv2, self.ssm, FakeSts())
        aws.services = {service.name: service for service in services}
        aws.calls.clear()
        aws.before = lambda _operation, _params: None
        return aws, clients

    def _migrations(self, environment: str, service: str) -> None:
        image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/shop/{environment}/web"
        self.ecs.template(FAMILY.format(environment), MIGRATION, image, ["migrate"])
        own = {"subnets": [f"subnet-{environment}"], "securityGroups": [f"sg-{environment}"]}
        self.ecs.services[service]["networkConfiguration"] = {"awsvpcConfiguration": own}

    def _states(self, service: str) -> Callable[[], list[str]]:
        return lambda: self.ecs.states(service)

    # ------------------------------------------------------------ what there is

    def settings(self, environment: str) -> DeliverySettings:
        """The settings of the service in one environment."""
        made = DeliverySettings(
            application="shop",
            environment=environment,
            service="web",
            account=ACCOUNT,
            region=REGION,
            stack=f"shop--{environment}--services",
            role=ROLE.format(ACCOUNT, environment),
            cluster=environment,
            ecs_service="web",
            target_group=f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{environment}/1",
            repository=f"shop/{environment}/web",
            platform="linux/arm64",
            steady_minutes=5,
            upstream=None
            if environment == "staging"
            else Upstream(environment="staging", account=ACCOUNT, region=REGION, repository="shop/staging/web"),
            before_release=BeforeRelease(
                family=FAMILY.format(environment), container=MIGRATION, minutes=10, roles=(TASK_ROLE, EXECUTION_ROLE)
            )
            if self.migrates
            else None,
        )
        return self.changed.get(environment, made)

    def change(self, environment: str, **changes: Any) -> None:
        """Other settings from now on."""
        self.changed[environment] = replace(self.settings(environment), **changes)

    def stack(self, environment: str) -> ServicesStack:
        """The services' stack."""
        return self.cloudformation.stacks[f"shop--{environment}--services"]

    def parameter(self, environment: str) -> str:
        """What the release parameter holds."""
        return self.ssm.value(release_parameter_name("shop", environment, "web"))

    def running(self, environment: str) -> str:
        """The digest that the service's primary deployment runs; ``none`` when it runs no image."""
        digest = self.ecs.digest(self.ecs.scheduled[self.stack(environment).service].deployments[0].task_definition)
        return "none" if digest == "sha256:" + "0" * 64 else digest

    def entries(self, environment: str) -> list[Entry]:
        """The ledger, oldest first, read without a call."""
        path = release_path("shop", environment, "web") + "/"
        found = [
            Entry.from_json(held.versions[-1].value)
            for name, held in self.ssm.parameters.items()
            if name.startswith(path)
        ]
        return sorted(found, key=lambda entry: entry.number)

    def pinned(self, environment: str) -> set[str]:
        """Digests with a pin."""
        return set(self.ecr.pins(f"shop/{environment}/web").values())

    # ------------------------------------------------------------ what people do

    def build(
        self,
        environment: str = "staging",
        behaviour: Behaviour = "good",
        repository: str = "",
        *,
        migration: Ending = "good",
    ) -> str:
        """A new image with a build tag, by default of the service ``web``; its digest."""
        self._built += 1
        self.clock.sleep(1)
        self.ecr.now = self.clock.now()
        tag = build_tag(environment, self.clock.now(), f"{self._built:040x}"[::-1])
        digest = self.ecr.push(repository or f"shop/{environment}/web", [tag])
        self.ecs.behaviour[digest] = behaviour
        self.ecs.endings[digest] = migration
        return digest

    def promote(self, digest: str) -> None:
        """Copies an image of staging into production's repository."""
        self.ecr.copy(digest, "shop/staging/web", "shop/production/web")

    def world(self, clients: Clients | None = None) -> World:
        """What a release meets here."""
        used = clients or line(0)[1]
        return World(
            clients=used,
            now=self.clock.now,
            sleep=self.clock.sleep,
            say=self.lines.append,
            pins=GuardedPins(used),
            upstream=lambda settings: StagingReader(
                Ledger(used.ssm, release_path(settings.application, "staging", settings.service), self.clock.sleep)
            ),
            fetch=self.ecr.fetch,
        )

    def run(
        self,
        environment: str,
        action: Action,
        target: str | None = None,
        *,
        now_reason: str = "",
        world: World | None = None,
    ) -> Entry:
        """One command."""
        request = release.Request(action=action, target=target, now_reason=now_reason)
        return release.run(world or self.world(), self.settings(environment), request)

    def verify(
        self, environment: str, action: Action = "release", target: str | None = None, now_reason: str = ""
    ) -> dict[str, Check]:
        """The checks by name."""
        request = release.Request(action=action, target=target, now_reason=now_reason)
        return {check.name: check for check in release.verify(self.world(), self.settings(environment), request)}

    def given(self, environment: str, count: int = 2) -> list[str]:
        """So many builds that were released well before anybody looked, without a call; their digests."""
        digests = [self.build(environment) for _ in range(count)]
        held, repository = self.stack(environment), f"shop/{environment}/web"
        self.ssm.put(held.parameter, digests[-1])
        self.cloudformation.given(held, digests[-1])
        now, previous = self.clock.now(), "none"
        for number, digest in enumerate(digests, 1):
            tag = self.ecr.image(repository, digest).tags[0]
            entry = Entry(
                number=number,
                action="release",
                state="successful",
                digest=digest,
                previous=previous,
                who="somebody",
                began=now,
                lease=now,
                ended=now,
                build_tag=tag,
                commit=tag[-12:],
                token=f"given{number}",
            )
            self.ssm.put(f"{release_path('shop', environment, 'web')}/{number}", entry.to_json())
            self.ecr.tag(repository, Slot(namespace="release", writer="0a1b2c", name="web", number=number).tag, digest)
            previous = digest
        return digests

    def neighbour(self, tasks: int = 2) -> DeliverySettings:
        """The settings of another service of staging's stack, ``api``, with one good release."""
        settings = replace(
            self.settings("staging"),
            service="api",
            ecs_service="api",
            repository="shop/staging/api",
            target_group=f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/api/1",
        )
        self.ecr.repository(settings.repository)
        digest = self.build(repository=settings.repository)
        parameter = release_parameter_name("shop", "staging", "api")
        self.ssm.put(parameter, digest)
        image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{settings.repository}"
        joined = self.cloudformation.join(settings.stack, parameter=parameter, service="api", image=image, tasks=tasks)
        self.elbv2.targets[settings.target_group] = self._states(joined.service)
        now = self.clock.now()
        entry = Entry(
            number=1,
            action="release",
            state="successful",
            digest=digest,
            previous="none",
            who="somebody",
            began=now,
            lease=now,
            ended=now,
            token="given1",
        )
        self.ssm.put(f"{release_path('shop', 'staging', 'api')}/1", entry.to_json())
        self.clock.sleep(60)
        return settings

    def cut(self, at: int, error: type[BaseException], *, after: bool = False) -> Cut:
        """Raises an error before, or after, the call of this number is answered, from 0 on."""
        made = Cut(at, error, after, self.clock.now)
        self.aws.services = {name: made.around(service) for name, service in self.aws.services.items()}
        return made

    def released(self, environment: str = "staging", count: int = 1) -> list[str]:
        """So many builds, each released; their digests."""
        digests = []
        for _ in range(count):
            digests.append(self.build(environment))
            assert self.run(environment, "release").state == "successful"
        return digests
