"""The function as Lambda calls it: by events and by the clock, with AWS as it is on a bad day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from constructs_lib.observability.runtime.status.aws import Clients, connect
from constructs_lib.observability.runtime.status.handler import handle, main
from constructs_lib.observability.runtime.status.reconcile import HEARTBEAT, AlarmsUnreadError
from constructs_lib.observability.runtime.status.settings import VARIABLE, StatusSettings
from constructs_lib.observability.runtime.status.shown import LATE, components, is_late
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.state_json import from_json
from tests.fake_aws.cloudwatch import FakeCloudWatch
from tests.fake_aws.core import FakeAws, Fault
from tests.fake_aws.s3 import FakeS3
from tests.observability.runtime.status.bucket import BUCKET
from tests.observability.runtime.status.support import NOW, SETTINGS, STATE, alarm_event, objects

AWS = FakeAws(FakeS3(), FakeCloudWatch())
TICK = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
WEB, ORDERS = "shop/production/web", "shop/production/worker"


@pytest.fixture(scope="module")
def clients() -> Clients:
    """Real clients, made once."""
    return Clients(s3=AWS.client("s3"), cloudwatch=AWS.client("cloudwatch"))


class World:
    """A page, its alarms, and the function."""

    def __init__(self, clients: Clients) -> None:
        self.clients, self.now, self.settings = clients, NOW, SETTINGS
        self.s3, self.cloudwatch = FakeS3(), FakeCloudWatch()
        AWS.services = {"s3": self.s3, "cloudwatch": self.cloudwatch}
        AWS.calls.clear()
        AWS.before = lambda _operation, _params: None
        since = NOW - timedelta(hours=1)
        self.cloudwatch.composites = {f"{one}/degraded": ("OK", since) for one in (WEB, ORDERS)}
        self.cloudwatch.composites[f"{WEB}/outage"] = ("OK", since)

    def call(self, event: object = TICK) -> dict[str, object]:
        """One call of the function."""
        bucket = objects(self.clients.s3)
        return handle(event, self.clients, bucket, self.settings, clock=lambda: self.now)

    def later(self, seconds: float, event: object = TICK) -> dict[str, object]:
        """One call, later."""
        self.now += timedelta(seconds=seconds)
        return self.call(event)

    @property
    def state(self) -> PageState:
        """As it is in the bucket."""
        return from_json(self.s3.objects[f"{BUCKET}/{STATE}"])

    def shown(self) -> dict[str, str]:
        """The state of each component as the feed says it."""
        feed = json.loads(self.s3.objects[f"{BUCKET}/page/status.json"])
        return {one["name"]: one["state"] for one in feed["components"]}


@pytest.fixture
def world(clients: Clients) -> Iterator[World]:
    """Retries do not pause."""
    with patch("botocore.endpoint.time.sleep"):
        yield World(clients)


def test_the_first_run_makes_the_page(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing has to happen first: state and pages are there after the first minute."""
    done = world.call()
    assert done["written"] == ["index.html", "ja/index.html", "status.json"]
    assert world.shown() == {"web": "operational", "worker": "operational"}
    assert json.loads(capsys.readouterr().out) == done
    assert not is_late(world.state, world.now)


def test_an_event_turns_the_component_and_no_other(world: World) -> None:
    """Voice was fine and messaging was not (T5)."""
    world.call()
    world.later(1, alarm_event())
    assert world.shown() == {"web": "degraded", "worker": "operational"}
    world.later(60, alarm_event(value="OK", at="2026-04-01T12:01:00.000+0000"))
    assert world.shown() == {"web": "operational", "worker": "operational"}


def test_an_event_before_the_first_run_makes_the_page_too(world: World) -> None:
    """The alarm may be quicker than the clock."""
    world.call(alarm_event(felt="outage"))
    assert world.shown() == {"web": "outage", "worker": "operational"}
    assert AWS.calls["cloudwatch.DescribeAlarms"] == 0


def test_doubled_and_late_events_change_nothing(world: World) -> None:
    """The newest time wins, whatever the order: EventBridge promises none."""
    world.call()
    red, green = alarm_event(), alarm_event(value="OK", at="2026-04-01T11:59:59.000+0000")
    world.call(green)
    first = world.state
    for event in (red, green, red):
        world.call(event)
    assert world.state == first
    assert world.shown()["web"] == "operational"


def test_a_malformed_event_is_dropped_and_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """It must not come back again and again; nothing is read for it."""
    assert "dropped" in world.call(alarm_event(detail={"alarmName": 1}))
    assert json.loads(capsys.readouterr().out)["dropped"]
    assert AWS.calls["s3.GetObject"] == 0


def test_a_lost_event_is_healed_within_a_minute(world: World) -> None:
    """By reading the alarms: red, and green again."""
    world.call()
    world.cloudwatch.composites[f"{WEB}/outage"] = ("ALARM", world.now + timedelta(seconds=10))
    world.later(60)
    assert world.shown()["web"] == "outage"
    world.cloudwatch.composites[f"{WEB}/outage"] = ("OK", world.now + timedelta(seconds=10))
    world.later(60)
    assert world.shown()["web"] == "operational"


def test_reading_does_not_undo_what_an_event_said_later(world: World) -> None:
    """DescribeAlarms may lag: an older time loses."""
    world.call()
    world.later(1, alarm_event(at="2026-04-01T12:00:00.500+0000"))
    world.later(59)
    assert world.shown()["web"] == "degraded"


def test_most_runs_write_no_state(world: World) -> None:
    """That the alarms were read is written every two minutes, so a page never calls itself late meanwhile."""
    for _ in range(10):
        world.later(60)
        assert not is_late(world.state, world.now)
    written = [body for body in world.s3.writes if b'"entries"' in body and b'"titles"' in body]
    assert len(written) == 5
    assert HEARTBEAT < LATE


def test_what_changes_says_when_it_was_read(world: World) -> None:
    """With a change the time of the reading is written too, and not two minutes later."""
    world.call()
    world.cloudwatch.composites[f"{WEB}/degraded"] = ("ALARM", world.now + timedelta(seconds=10))
    world.later(60)
    assert world.state.checked == world.now


def test_when_the_region_is_silent_the_page_says_so(world: World) -> None:
    """Every minute it tries; after five the page says since when, keeps what it said, and the function's error is
    counted. When the region answers again all is well."""
    world.call()
    world.later(1, alarm_event())
    checked = world.state.checked
    AWS.before = lambda operation, _params: _silent(operation)
    for _ in range(6):
        with pytest.raises(AlarmsUnreadError, match="eu-west-1 could not be read: InternalFailure"):
            world.later(60)
    assert world.state.checked == checked
    assert is_late(world.state, world.now)
    assert world.shown()["web"] == "degraded"
    late = world.s3.objects[f"{BUCKET}/page/index.html"]
    AWS.before = lambda _operation, _params: None
    world.later(60)
    assert not is_late(world.state, world.now)
    assert world.s3.objects[f"{BUCKET}/page/index.html"] != late
    assert b"are late" in late
    assert b"are late" not in world.s3.objects[f"{BUCKET}/page/index.html"]


def _silent(operation: str) -> None:
    if operation.startswith("cloudwatch."):
        raise Fault("InternalFailure", "gone", 500)


def test_throttled_once_is_no_silence(world: World) -> None:
    """botocore asks again."""
    faults = [Fault("Throttling", "slower")]

    def before(operation: str, _params: object) -> None:
        if operation.startswith("cloudwatch.") and faults:
            raise faults.pop()

    AWS.before = before
    world.call()
    assert AWS.calls["cloudwatch.DescribeAlarms"] == 2


def test_who_may_not_read_alarms_still_has_a_page(world: World) -> None:
    """AccessDenied is told like silence: the page is there, and late from the first."""
    AWS.before = lambda operation, _params: _denied(operation)
    with pytest.raises(AlarmsUnreadError, match="AccessDenied"):
        world.call()
    assert is_late(world.state, world.now)
    assert world.shown() == {"web": "operational", "worker": "operational"}


def _denied(operation: str) -> None:
    if operation.startswith("cloudwatch."):
        raise Fault("AccessDenied", "no", 403)


@pytest.mark.parametrize("operation", ["GetObject", "PutObject", "HeadObject"])
def test_who_may_not_write_fails_and_is_called_again(world: World, operation: str) -> None:
    """It is raised: Lambda tries twice more and leaves the event in the queue."""
    world.s3.failing[operation] = ("AccessDenied", 403)
    with pytest.raises(ClientError):
        world.call(alarm_event())


def test_alarms_come_in_pages(world: World) -> None:
    """All are read, however many an answer holds."""
    world.cloudwatch.page = 1
    world.cloudwatch.composites[f"{ORDERS}/degraded"] = ("ALARM", NOW)
    world.call()
    assert AWS.calls["cloudwatch.DescribeAlarms"] == 3
    assert world.shown() == {"web": "operational", "worker": "degraded"}


@pytest.mark.parametrize(
    "odd",
    [
        {"AlarmName": f"{WEB}/degraded"},
        {"AlarmName": f"{WEB}/degraded", "StateValue": "ALARM"},
        {"AlarmName": f"{WEB}/degraded", "StateValue": "RED", "StateTransitionedTimestamp": 1.0},
        {"AlarmName": "somebody-else", "StateValue": "OK", "StateTransitionedTimestamp": 1.0},
        {"StateValue": "OK", "StateTransitionedTimestamp": 1.0},
    ],
)
def test_an_odd_answer_is_no_reading(world: World, odd: dict[str, Any]) -> None:
    """What was not understood is not "all read"."""
    world.cloudwatch.odd = [odd]
    with pytest.raises(AlarmsUnreadError, match="without name, state or time"):
        world.call()
    assert world.state.checked is None


def test_an_alarm_without_its_first_time_has_its_last(world: World) -> None:
    """The time of the state's last change is not in every answer."""
    world.cloudwatch.odd = [
        {"AlarmName": f"{WEB}/degraded", "StateValue": "ALARM", "StateUpdatedTimestamp": NOW.timestamp()}
    ]
    world.call()
    reading = world.state.components[0].machine.degraded
    assert reading is not None
    assert reading.timestamp == NOW


def test_before_the_services_are_deployed_there_are_no_alarms(world: World) -> None:
    """That is no fault: nothing was ever heard of them. The page does not say that they are well."""
    world.cloudwatch.composites.clear()
    world.call()
    assert not is_late(world.state, world.now)
    assert not any(one.known for one in components(world.state, world.now))
    world.cloudwatch.composites |= {f"{one}/degraded": ("OK", NOW) for one in (WEB, ORDERS)}
    world.later(60)
    assert all(one.known for one in components(world.state, world.now))


def test_alarms_that_are_gone_are_no_good_news(world: World) -> None:
    """The page keeps what it said, and is late; when the component is not shown any more, all is well."""
    world.cloudwatch.composites[f"{WEB}/degraded"] = ("ALARM", NOW)
    world.call()
    del world.cloudwatch.composites[f"{WEB}/degraded"], world.cloudwatch.composites[f"{WEB}/outage"]
    for _ in range(6):
        with pytest.raises(AlarmsUnreadError, match="alarms of web are not there any more"):
            world.later(60)
    assert world.shown()["web"] == "degraded"
    assert is_late(world.state, world.now)
    world.settings = StatusSettings(
        **{name: getattr(SETTINGS, name) for name in StatusSettings.__slots__ if name != "components"},
        components=SETTINGS.components[1:],
    )
    world.later(60)
    assert world.shown() == {"worker": "operational"}
    assert not is_late(world.state, world.now)


def test_an_outage_does_not_end_because_all_alarms_are_gone(world: World) -> None:
    """A service that was deleted in its outage has not recovered."""
    world.cloudwatch.composites |= {f"{WEB}/{felt}": ("ALARM", NOW) for felt in ("degraded", "outage")}
    world.call()
    del world.cloudwatch.composites[f"{WEB}/degraded"], world.cloudwatch.composites[f"{WEB}/outage"]
    with pytest.raises(AlarmsUnreadError, match="alarms of web are not there any more"):
        world.later(60)
    assert world.shown()["web"] == "outage"


def test_an_outage_alarm_that_is_gone_while_the_other_is_there_is_no_outage(world: World) -> None:
    """A component that lost its last alarm on outages would be red for ever."""
    world.cloudwatch.composites[f"{WEB}/outage"] = ("ALARM", NOW)
    world.call()
    assert world.shown()["web"] == "outage"
    del world.cloudwatch.composites[f"{WEB}/outage"]
    world.later(60)
    assert world.shown()["web"] == "operational"
    before = world.state.components
    world.later(60)
    assert world.state.components == before


def test_a_deployment_changes_what_is_shown(world: World) -> None:
    """Another title and order come with the next run; what alarms said stays."""
    world.call(alarm_event())
    world.settings = StatusSettings(
        **{name: getattr(SETTINGS, name) for name in StatusSettings.__slots__ if name != "components"},
        components=SETTINGS.components[::-1],
    )
    world.later(1, alarm_event(at="2026-04-01T11:00:00.000+0000"))
    assert list(world.shown()) == ["worker", "web"]
    assert world.shown()["web"] == "degraded"


def test_a_maintenance_begins_and_ends_by_the_clock(world: World) -> None:
    """Nobody has to do anything at the hour: the minute's run writes it (W6)."""
    from constructs_lib.observability.runtime.status.changes import Announce
    from constructs_lib.observability.runtime.status.store import StateStore, changed
    from constructs_lib.observability.runtime.status.values import Text

    world.call()
    announce = Announce(
        at=NOW,
        entry="disks",
        components=("web",),
        starts=NOW + timedelta(seconds=90),
        ends=NOW + timedelta(seconds=210),
        text=Text(en="New disks"),
    )
    StateStore(objects=objects(world.clients.s3)).change(lambda state: changed(state, [announce], NOW))
    seen = [(world.later(60), world.shown()["web"])[1] for _ in range(5)]
    assert seen == ["operational", "maintenance", "maintenance", "operational", "operational"]
    assert [one.state for one in components(world.state, world.now)] == ["operational", "operational"]


def test_a_publisher_that_died_is_mended_by_the_clock(world: World) -> None:
    """The state is written and the pages are not: a minute later they are."""
    world.call()
    world.s3.failing["HeadObject"] = ("InternalError", 500)
    with pytest.raises(ClientError):
        world.later(1, alarm_event())
    assert world.shown()["web"] == "operational"
    world.s3.failing.clear()
    world.later(59)
    assert world.shown()["web"] == "degraded"


def test_main_takes_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """As the construct writes them; CloudWatch is asked in the services' region."""
    text = {
        **{name: getattr(SETTINGS, name) for name in ("application", "environment", "account", "bucket")},
        "source_region": "eu-west-1",
        "en": "Shop status",
        "ja": "",
        "components": [["web", "Website", "ウェブサイト"], ["worker", "Orders", ""]],
    }
    monkeypatch.setenv(VARIABLE, json.dumps(text))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    made = connect("eu-west-1")
    assert (made.cloudwatch.meta.region_name, made.s3.meta.region_name) == ("eu-west-1", "eu-central-1")  # type: ignore[attr-defined]
    asked: list[str] = []

    def instead(region: str) -> Clients:
        asked.append(region)
        return world.clients

    monkeypatch.setattr("constructs_lib.observability.runtime.status.handler.connect", instead)
    assert StatusSettings.from_environment({VARIABLE: json.dumps(text)}) == SETTINGS
    main(TICK, None)
    assert asked == ["eu-west-1"]
    assert datetime.now(UTC) - (world.state.checked or NOW) < timedelta(minutes=5)
