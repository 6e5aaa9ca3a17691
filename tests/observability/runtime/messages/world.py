"""AWS as the function that tells people meets it, and events to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from constructs_lib.observability.runtime.messages.aws import Clients
from constructs_lib.observability.runtime.messages.handler import handle
from constructs_lib.observability.runtime.messages.place import Place
from constructs_lib.observability.runtime.messages.settings import Settings
from tests.fake_aws.core import Params
from tests.fake_aws.logs import FakeLogs
from tests.fake_aws.query import FakeAwsWithQuery
from tests.fake_aws.sns import FakeSns, Published
from tests.fake_aws.told import FakeTold
from tests.observability.sample_events import sample

PAGE = "arn:aws:sns:eu-west-1:111122223333:page"
NOTICE = "arn:aws:sns:eu-west-1:111122223333:notice"
GROUP = "/aws/events/moorings/shop/staging"
SERVICE = "shop--staging--services-webService7644FB27-Q1w2E3r4T5y6"
PLACE = Place(
    application="shop",
    environment="staging",
    clusters=("shop--staging--services-*",),
    build_projects=("shop--staging--*",),
    components=("web", "mail-out"),
)
START = datetime(2026, 11, 22, 3, 20, 41, tzinfo=UTC)
"""When the samples of stopped tasks happened."""


class FakeComposites:
    """CloudWatch, as far as it says which composite alarms are red, and since when."""

    name = "cloudwatch"

    def __init__(self) -> None:
        self.red: dict[str, datetime] = {}
        self.well: set[str] = set()

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        assert (operation, params["AlarmTypes"]) == ("DescribeAlarms", ["CompositeAlarm"])
        red = [
            {
                "AlarmName": name,
                "StateValue": "ALARM",
                "StateTransitionedTimestamp": self.red[name].timestamp(),
                "StateUpdatedTimestamp": (self.red[name] + timedelta(minutes=1)).timestamp(),
            }
            for name in params["AlarmNames"]
            if name in self.red
        ]
        well = [
            {"AlarmName": name, "StateValue": "OK", "StateTransitionedTimestamp": START.timestamp()}
            for name in params["AlarmNames"]
            if name in self.well
        ]
        return {"CompositeAlarms": red + well, "MetricAlarms": []}


@cache
def _connected() -> tuple[FakeAwsWithQuery, Clients]:
    """Clients once for all tests, for they take a second; what answers them is each world's own."""
    aws = FakeAwsWithQuery()
    once: dict[str, Any] = {"retries": {"total_max_attempts": 1}}
    return aws, Clients(
        cloudwatch=aws.client("cloudwatch", **once),
        dynamodb=aws.client("dynamodb", **once),
        logs=aws.client("logs", **once),
        sns=aws.client("sns", **once),
    )


@dataclass
class World:
    """One environment, its clock and what was published."""

    sns: FakeSns = field(default_factory=lambda: FakeSns(PAGE, NOTICE))
    logs: FakeLogs = field(default_factory=lambda: FakeLogs(GROUP))
    told: FakeTold = field(default_factory=lambda: FakeTold("told"))
    alarms: FakeComposites = field(default_factory=FakeComposites)
    now: datetime = START + timedelta(seconds=2)
    runbooks: str | None = "https://example.com/runbooks/"
    evidence: str | None = GROUP
    calls: int = 0

    def __post_init__(self) -> None:
        self.aws, self.clients = _connected()
        self.aws.services = {each.name: each for each in (self.sns, self.logs, self.told, self.alarms)}
        self.aws.before = lambda _called, _params: None
        self.aws.calls.clear()

    def tell(self, event: object, *, holder: str | None = None, slow: float = 0) -> None:
        """Calls the function with an event; a retry has the ``holder`` of the call that failed."""
        self.calls += 1
        ticks = iter(range(1_000_000))
        settings = Settings(
            place=PLACE,
            topics={"page": PAGE, "notice": NOTICE},
            table="told",
            evidence=self.evidence,
            runbooks=self.runbooks,
        )
        handle(
            event,
            self.clients,
            settings,
            holder=holder or f"call-{self.calls}",
            clock=lambda: self.now,
            seconds=lambda: next(ticks) * slow,
        )

    @property
    def pages(self) -> list[Published]:
        """What woke somebody."""
        return [each for each in self.sns.published if each.topic == PAGE]

    @property
    def notices(self) -> list[Published]:
        """What did not."""
        return [each for each in self.sns.published if each.topic == NOTICE]


def stopped(name: str, *, task: int, at: datetime = START, service: str = SERVICE) -> dict[str, Any]:
    """A sample of a stopped task, of another task, time and service."""
    event: dict[str, Any] = sample(name)
    event["id"] = f"{name}-{task}"
    event["time"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    event["detail"]["taskArn"] = f"arn:aws:ecs:eu-west-1:111122223333:task/cluster/{task:032x}"
    event["detail"]["group"] = f"service:{service}"
    return event
