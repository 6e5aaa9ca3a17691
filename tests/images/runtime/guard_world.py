"""A small world for the guard: one account's registry and memory behind real clients, and tasks that use images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from constructs_lib.images.runtime import guard, handler
from constructs_lib.images.runtime.aws import Clients
from constructs_lib.images.runtime.memory import Memory
from constructs_lib.images.runtime.model import Reading, Source, Use, UsedImage
from constructs_lib.images.runtime.pins import slot_name
from constructs_lib.images.runtime.references import ImageReference, RepositoryId
from constructs_lib.images.runtime.report import Report
from constructs_lib.images.runtime.settings import Settings
from tests.fake_aws.core import ACCOUNT, REGION, FakeAws
from tests.fake_aws.dynamodb import FakeDynamoDb
from tests.fake_aws.ecr import FakeEcr

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TABLE = "memory"
WEB = "shop/staging/web"
LISTED = timedelta(hours=1)
"""How long a stopped task is listed: ECS promises an hour and no more."""


WRITER = Settings(
    application="shop",
    environment="staging",
    account=ACCOUNT,
    region=REGION,
    table=TABLE,
    repositories=(),
    releases={},
    revisions_kept=1,
    releases_kept=1,
).writer
"""The mark of this world's guard."""


def repository_id(name: str = WEB) -> RepositoryId:
    """A repository of the fake registry."""
    return RepositoryId(registry=ACCOUNT, region=REGION, name=name)


def slot(number: int, owner: str = "web") -> str:
    """The tag of one of the guard's slots."""
    return f"pin-use-{WRITER}-{slot_name(owner)}-{number}"


def used(
    image: str,
    owner: str = "web",
    *,
    repository: str = WEB,
    source: Source = "task",
    name: str = "t",
    starts: bool = True,
) -> UsedImage:
    """A use of an image by digest, or by tag."""
    by_digest = image.startswith("sha256:")
    return UsedImage(
        reference=ImageReference(
            repository=repository_id(repository),
            digest=image if by_digest else None,
            tag=None if by_digest else image,
        ),
        use=Use(owner=owner, source=source, name=name, starts=starts),
    )


@dataclass
class Task:
    """A task: what it runs, whose it is, and when it stopped."""

    repository: str
    digest: str
    owner: str
    stopped: datetime | None = None


class World:
    """Everything that a scan sees.

    Attributes:
        now: the time; the registry's clock follows.
        uses: what is in use beside the tasks.
        gaps: what the next reading cannot read.
        unread: tells which uses the next reading leaves out.
    """

    def __init__(self, *repositories: str) -> None:
        self.ecr = FakeEcr(now=NOON)
        self.dynamodb = FakeDynamoDb(TABLE)
        self.aws = FakeAws(self.ecr, self.dynamodb)
        unused: Any = None  # the readings are made by hand
        self.clients = Clients(
            dynamodb=self.aws.client("dynamodb"),
            ecr=self.aws.client("ecr"),
            ecs=unused,
            events=unused,
            scheduler=unused,
            ssm=unused,
            stepfunctions=unused,
        )
        self.start_anew(*repositories)

    def start_anew(self, *repositories: str) -> None:
        """An empty world behind the same clients, which take long to make."""
        self.ecr = FakeEcr(now=NOON)
        self.dynamodb = FakeDynamoDb(TABLE)
        self.aws.services = {"ecr": self.ecr, "dynamodb": self.dynamodb}
        self.aws.calls.clear()
        self.aws.before = lambda _operation, _params: None
        self.tasks: list[Task] = []
        self.uses: list[UsedImage] = []
        self.gaps: tuple[str, ...] = ()
        self.unread: Callable[[UsedImage], bool] = lambda _used: False
        for name in repositories or (WEB,):
            self.ecr.repository(name)
        self.settings = Settings(
            application="shop",
            environment="staging",
            account=ACCOUNT,
            region=REGION,
            table=TABLE,
            repositories=tuple(repository_id(name) for name in self.ecr.repositories),
            releases={},
            revisions_kept=3,
            releases_kept=3,
        )

    @property
    def now(self) -> datetime:
        """The time."""
        return self.ecr.now

    def wait(self, **duration: float) -> None:
        """Lets time pass."""
        self.ecr.now += timedelta(**duration)

    def start(self, digest: str, owner: str = "web", *, repository: str = WEB) -> Task:
        """Starts a task."""
        task = Task(repository, digest, owner)
        self.tasks.append(task)
        return task

    def stop(self, task: Task) -> None:
        """Stops a task; ECS lists it for an hour."""
        task.stopped = self.now

    def read(
        self,
        _clients: Clients,
        *,
        releases: Mapping[str, RepositoryId],  # noqa: ARG002
        revisions_kept: int,  # noqa: ARG002
        releases_kept: int,  # noqa: ARG002
    ) -> Reading:
        """What is in use: the tasks, and what a test has put there."""
        listed = [
            used(task.digest, task.owner, repository=task.repository, starts=task.stopped is None)
            for task in self.tasks
            if task.stopped is None or self.now - task.stopped <= LISTED
        ]
        return Reading(used=tuple(one for one in [*self.uses, *listed] if not self.unread(one)), gaps=self.gaps)

    def scan(self, **given: Any) -> Report:
        """One scan, now."""
        memory = Memory(self.clients.dynamodb, TABLE)
        return guard.scan(
            self.clients, self.settings, memory=memory, **{"clock": lambda: self.now, "read": self.read, **given}
        )

    def handle(self, event: Mapping[str, object], **given: Any) -> dict[str, int]:
        """One call of the function; the time it waits passes."""
        usual = {"clock": lambda: self.now, "sleep": lambda seconds: self.wait(seconds=seconds), "read": self.read}
        return handler.handle(event, self.clients, self.settings, **{**usual, **given})
