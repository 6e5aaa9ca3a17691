"""An account whose uses can be read, and what a reading says, in short."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from constructs_lib.images.runtime.aws import Clients
from constructs_lib.images.runtime.model import Reading
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.uses import read_uses
from tests.fake_aws.core import ACCOUNT, REGION, FakeAws, Fault, Params, Service
from tests.fake_aws.ecs import FakeEcs
from tests.fake_aws.others import FakeEvents, FakeScheduler, FakeSsm, FakeStepFunctions

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
WEB = RepositoryId(registry=ACCOUNT, region=REGION, name="shop/web")
RELEASE = "/moorings/shop/production/web/digest"

Row = tuple[str, str, str, bool]
"""Owner, name, reference, and whether it starts."""


def digest(number: int) -> str:
    """A digest."""
    return f"sha256:{number:064x}"


def image(of: int | str, repository: str = "shop/web") -> str:
    """What a container definition says: an image by digest or by tag."""
    return f"{HOST}/{repository}@{digest(of)}" if isinstance(of, int) else f"{HOST}/{repository}:{of}"


class Answering:
    """A fake service that answers one operation in a way of its own."""

    def __init__(self, service: Service, operation: str, body: dict[str, Any]) -> None:
        self.name = service.name
        self.service, self.operation, self.body = service, operation, body

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        return self.body if operation == self.operation else self.service.answer(operation, params)


class Account:
    """Fresh fakes behind one set of clients."""

    def __init__(self) -> None:
        self.aws = FakeAws()
        self.clients = Clients(
            **{name: self.aws.client(name) for name in ("dynamodb", "ecr", "ecs", "events", "scheduler", "ssm")},
            stepfunctions=self.aws.client("stepfunctions"),
        )
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self.ecs, self.events, self.scheduler = FakeEcs(), FakeEvents(), FakeScheduler()
        self.stepfunctions, self.ssm = FakeStepFunctions(), FakeSsm()
        fakes: list[Any] = [self.ecs, self.events, self.scheduler, self.stepfunctions, self.ssm]
        self.aws.services = {fake.name: fake for fake in fakes}
        self.aws.calls.clear()
        self.aws.before = lambda _operation, _params: None

    def read(
        self, releases: Mapping[str, RepositoryId] | None = None, *, revisions_kept: int = 3, releases_kept: int = 3
    ) -> Reading:
        """What is in use. Retries do not pause."""
        with patch("botocore.endpoint.time.sleep"):
            return read_uses(
                self.clients, releases=releases or {}, revisions_kept=revisions_kept, releases_kept=releases_kept
            )

    def answering(self, service: str, operation: str, body: dict[str, Any]) -> None:
        """From now on AWS answers this operation so."""
        self.aws.services[service] = Answering(self.aws.services[service], operation, body)

    @contextmanager
    def refusing(self, refused: Callable[[str, Params], bool], code: str = "AccessDeniedException") -> Iterator[None]:
        """AWS refuses these calls."""

        def before(operation: str, params: Params) -> None:
            if refused(operation, params):
                raise Fault(code, "no")

        self.aws.before = before
        yield
        self.aws.before = lambda _operation, _params: None


def rows(reading: Reading, source: str) -> list[Row]:
    """What one kind of source refers to, sorted."""
    return sorted(
        (entry.use.owner, entry.use.name, str(entry.reference), entry.use.starts)
        for entry in reading.used
        if entry.use.source == source
    )


def references(reading: Reading, source: str) -> set[str]:
    """The images that one kind of source refers to."""
    return {reference for _, _, reference, _ in rows(reading, source)}


def web(of: int | str) -> str:
    """How a reading writes an image."""
    return f"shop/web@{digest(of)}" if isinstance(of, int) else f"shop/web:{of}"
