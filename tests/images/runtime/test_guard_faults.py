"""The guard when AWS, the clock or another writer misbehaves."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import example, given
from hypothesis import strategies as st

from constructs_lib.images.runtime import guard
from constructs_lib.images.runtime.aws import TRIES
from constructs_lib.images.runtime.memory import Memory
from constructs_lib.images.runtime.report import Report
from constructs_lib.images.runtime.settings import Settings
from constructs_lib.images.runtime.wakeups import DELAY, GAP
from tests.fake_aws.core import ACCOUNT, REGION, Fault
from tests.fake_aws.dynamodb import FakeDynamoDb
from tests.fake_aws.ecr import FakeEcr
from tests.images.runtime.account import HOST, Account
from tests.images.runtime.guard_world import NOON, TABLE, WEB, World, repository_id, slot

SECOND = timedelta(seconds=1)


def watch(world: World, **duration: float) -> None:
    """Scans every quarter of an hour, for so long."""
    end = world.now + timedelta(**duration)
    while world.now < end:
        world.wait(minutes=15)
        world.scan()


def with_a_free_slot(world: World) -> tuple[str, str]:
    """A world in which one slot has been free for long; its image, and one that was started just now."""
    old, new = world.ecr.push(WEB), world.ecr.push(WEB)
    world.stop(world.start(old))
    world.scan()
    watch(world, hours=30)
    world.start(new)
    return old, new


def refuse(world: World, operation: str, fault: Fault, *, times: int = 10**6) -> None:
    """Refuses an operation so many times."""
    left = [times]

    def before(called: str, _params: Any) -> None:
        if called == operation and left[0]:
            left[0] -= 1
            raise fault

    world.aws.before = before


# Throttling and outages.


def test_throttling_of_every_call_is_survived(world: World) -> None:
    """All tries of each call but the last are refused, and the scan is complete."""
    world.start(world.ecr.push(WEB, index_of=[world.ecr.push(WEB)]))
    tries: dict[str, int] = {}

    def before(operation: str, params: Any) -> None:
        call = operation + json.dumps(params, sort_keys=True, default=str)
        tries[call] = tries.get(call, 0) + 1
        if tries[call] < TRIES:
            raise Fault("ThrottlingException", "Rate exceeded")

    world.aws.before = before
    report = world.scan()
    assert report.all_gaps == ()
    assert report.metrics["PinnedImages"] == 2


@pytest.mark.parametrize("away", ["ecr", "dynamodb"])
def test_a_service_that_cannot_be_reached_is_a_gap(world: World, away: str) -> None:
    """No answer at all is treated as a refusal."""
    world.start(world.ecr.push(WEB))

    def before(operation: str, _params: Any) -> None:
        if operation.startswith(away):
            raise EndpointConnectionError(endpoint_url="https://away/")

    world.aws.before = before
    report = world.scan()
    assert report.all_gaps
    assert all("EndpointConnectionError" in gap for gap in report.all_gaps)
    assert bool(world.ecr.pins(WEB)) == (away == "dynamodb")


READS = ["ecr.DescribeRepositories", "ecr.DescribeImages", "dynamodb.GetItem", "dynamodb.PutItem"]


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "InternalServerError"])
def test_a_call_that_is_refused_for_good_is_a_gap(world: World, operation: str, code: str) -> None:
    """The scan ends, tells what it could not do, and moves nothing."""
    old, _ = with_a_free_slot(world)
    refuse(world, operation, Fault(code, "no", 500 if code == "InternalServerError" else 400))
    report = world.scan()
    assert report.metrics["ScanIncomplete"] == 1
    assert all(code in gap for gap in report.all_gaps)
    assert world.ecr.pins(WEB)[slot(0)] == old


@pytest.mark.parametrize("operation", ["ecr.DescribeRepositories", "dynamodb.GetItem", "dynamodb.PutItem"])
def test_what_is_known_is_pinned_all_the_same(world: World, operation: str) -> None:
    """Neither the settings nor the memory is needed to add a pin, and no pin is moved without them."""
    old, new = with_a_free_slot(world)
    refuse(world, operation, Fault("AccessDeniedException", "no"))
    world.scan()
    assert world.ecr.pins(WEB) == {slot(0): old, slot(1): new}


def test_no_slot_moves_while_the_memory_of_its_repository_cannot_be_read(world: World) -> None:
    """Not even one that its image could spare."""
    both, other = world.ecr.push(WEB), world.ecr.push(WEB)
    world.start(both, "web")
    task = world.start(both, "worker")
    world.scan()
    world.stop(task)
    world.wait(minutes=61)
    world.start(other, "worker")

    def before(operation: str, params: Any) -> None:
        if operation == "dynamodb.GetItem" and params["Key"]["id"]["S"].startswith("ecr:"):
            raise Fault("AccessDeniedException", "no")

    world.aws.before = before
    assert world.scan().metrics["ScanIncomplete"] == 1
    assert world.ecr.pins(WEB) == {slot(0, "web"): both, slot(0, "worker"): both, slot(1, "worker"): other}


def test_a_scan_that_could_not_save_what_it_saw_is_not_trusted(world: World) -> None:
    """An image that it saw in use may still be remembered as idle, so the day begins anew, and events are not taken
    for seen."""
    old, _ = with_a_free_slot(world)

    def before(operation: str, params: Any) -> None:
        if operation == "dynamodb.PutItem" and params["Item"]["id"]["S"].startswith("ecr:"):
            raise Fault("ProvisionedThroughputExceededException", "no")

    world.start(old)
    world.wait(minutes=15)
    world.aws.before = before
    assert world.scan().metrics["ScanIncomplete"] == 1
    last = Memory(world.clients.dynamodb, TABLE).last(world.now)
    assert (last.began, last.saved) == (world.now, False)


def test_an_outage_of_ecs_in_mid_scan_adds_pins_and_moves_none(world: World) -> None:
    """What was read is pinned in a new slot; what was not read may be in use, so its slot stays where it is."""
    old, new = with_a_free_slot(world)
    world.gaps = ("ecs:DescribeTasks of cluster shop failed: ServerException",)
    report = world.scan()
    assert world.ecr.pins(WEB) == {slot(0): old, slot(1): new}
    assert report.metrics["ScanIncomplete"] == 1
    world.gaps = ()
    newest = world.ecr.push(WEB)
    world.start(newest)
    world.wait(minutes=15)
    world.scan()
    assert world.ecr.pins(WEB) == {slot(0): newest, slot(1): new}


@pytest.mark.parametrize("refused", ["ecs.DescribeTasks", "ecs.DescribeServices", "ecs.ListTasks", None])
def test_ecs_refuses_a_call_in_the_middle_of_a_real_reading(account: Account, refused: str | None) -> None:
    """With the reader that the function has: the new image gets a slot of its own; without the outage, the free one."""
    ecr, ecs = FakeEcr(now=NOON), account.ecs
    account.aws.services |= {"ecr": ecr, "dynamodb": FakeDynamoDb(TABLE)}
    ecr.repository("shop/web")
    old, new, newest = (ecr.push("shop/web") for _ in range(3))
    settings = Settings(
        application="shop",
        environment="staging",
        account=ACCOUNT,
        region=REGION,
        table=TABLE,
        repositories=(repository_id("shop/web"),),
        releases={},
        revisions_kept=1,
        releases_kept=1,
    )

    def scan() -> Report:
        memory = Memory(account.clients.dynamodb, TABLE)
        return guard.scan(account.clients, settings, memory=memory, clock=lambda: ecr.now)

    def deploy(digest: str) -> None:
        definition = ecs.task_definition("web", {"app": f"{HOST}/shop/web@{digest}"})
        if not ecs.services:
            ecs.service(cluster, "web", definition)
        else:
            ecs.deploy(service, definition)
            ecs.succeed(service)
        for task in list(ecs.tasks):
            ecs.forget(task)
        ecs.task(cluster, definition)

    cluster = ecs.cluster()
    deploy(old)
    (service,) = ecs.services
    scan()
    deploy(new)
    deploy(new)  # else the old image is what ECS would roll back to
    for _ in range(25):
        ecr.now += timedelta(minutes=59)
        assert scan().all_gaps == ()
    assert ecr.pins("shop/web") == {slot(0): old, slot(1): new}
    ecr.now += timedelta(minutes=59)
    deploy(newest)
    with account.refusing(lambda operation, _params: operation == refused):
        report = scan()
    assert bool(report.all_gaps) == (refused is not None)
    pins = ecr.pins("shop/web")
    assert pins == ({slot(0): old, slot(1): new, slot(2): newest} if refused else {slot(0): newest, slot(1): new})


def test_a_long_outage_of_ecs_takes_no_pin(world: World) -> None:
    """For more than a day nothing can be read of the tasks, and afterwards the day begins anew."""
    digest = world.ecr.push(WEB)
    task = world.start(digest)
    other = world.ecr.push(WEB)
    world.start(other, "other")
    world.scan()
    world.gaps, world.unread = ("no tasks",), lambda _one: True
    watch(world, hours=30)
    world.gaps, world.unread = (), lambda _one: False
    world.stop(task)
    watch(world, hours=24)
    assert world.ecr.pins(WEB)[slot(0)] == digest
    watch(world, hours=2)
    assert digest not in world.ecr.pins(WEB).values()


def test_one_repository_that_fails_stops_no_other(world: World) -> None:
    """It is named in the gap."""
    world.start_anew(WEB, "api", "batch")
    for name in (WEB, "api", "batch"):
        world.start(world.ecr.push(name), name, repository=name)

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.DescribeImages" and params["repositoryName"] == "api":
            raise Fault("AccessDeniedException", "no")

    world.aws.before = before
    report = world.scan()
    assert [bool(world.ecr.pins(name)) for name in (WEB, "api", "batch")] == [True, False, True]
    (gap,) = report.all_gaps
    assert "api" in gap


def test_a_gap_in_one_repository_lets_the_others_move(world: World) -> None:
    """Repositories are independent as long as the uses could be read."""
    old, new = with_a_free_slot(world)
    world.ecr.repository("api")
    both = (repository_id(), repository_id("api"))
    world.settings = replace(world.settings, repositories=both)

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.DescribeImages" and params["repositoryName"] == "api":
            raise Fault("AccessDeniedException", "no")

    world.aws.before = before
    world.scan()
    assert world.ecr.pins(WEB) == {slot(0): new}
    assert old not in world.ecr.pins(WEB).values()


# Partial failures.


def test_an_index_that_cannot_be_read_is_a_gap(world: World) -> None:
    """An image in use might be its child; the image itself is pinned."""
    child = world.ecr.push(WEB)
    index = world.ecr.push(WEB, ["build-1"], index_of=[child])
    world.start(child)

    def before(operation: str, _params: Any) -> None:
        if operation == "ecr.BatchGetImage" and index in world.ecr.repositories[WEB].images:
            world.ecr.delete(WEB, index)

    world.aws.before = before
    report = world.scan()
    assert report.metrics["ScanIncomplete"] == 1
    assert world.ecr.pins(WEB) == {slot(0): child}


def test_a_pin_that_cannot_be_put_is_at_risk_and_no_gap(world: World) -> None:
    """Everything was read, so the scan is complete; the alarm is another one."""
    good, bad = world.ecr.push(WEB), world.ecr.push(WEB, [f"t{number}" for number in range(1000)])
    world.start(good)
    world.start(bad)
    report = world.scan()
    assert (report.metrics["ImagesAtRisk"], report.metrics["ScanIncomplete"]) == (1, 0)
    assert report.metrics["PinnedImages"] == 1


def test_a_failed_move_leaves_the_pin_where_it_is(world: World) -> None:
    """And the next scan tries again."""
    old, new = with_a_free_slot(world)
    refuse(world, "ecr.PutImage", Fault("AccessDeniedException", "no"), times=1)
    assert world.scan().metrics["ImagesAtRisk"] == 1
    assert world.ecr.pins(WEB) == {slot(0): old}
    world.wait(minutes=15)
    assert world.scan().metrics["ImagesAtRisk"] == 0
    assert world.ecr.pins(WEB) == {slot(0): new}


def test_an_archived_image_that_cannot_be_restored_stays_an_alarm(world: World) -> None:
    """The reason is in the report."""
    digest = world.ecr.push(WEB)
    world.start(digest)
    world.ecr.archive(WEB, digest)
    refuse(world, "ecr.UpdateImageStorageClass", Fault("AccessDeniedException", "no"))
    report = world.scan()
    assert report.metrics["ImagesMissing"] == 1
    assert "AccessDenied" in str(report.outcomes[0].restores[digest])


# Another writer.


def test_a_move_that_another_writer_undoes_is_done_again(world: World) -> None:
    """It takes the tag between the put and the read-back, once."""
    old, new = with_a_free_slot(world)
    done: list[bool] = []

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.DescribeImages" and "imageIds" in params and not done:
            done.append(True)
            world.ecr.tag(WEB, slot(0), old)

    world.aws.before = before
    assert world.scan().metrics["ImagesAtRisk"] == 0
    assert world.ecr.pins(WEB) == {slot(0): new}


def test_a_writer_that_never_gives_up_raises_the_alarm(world: World) -> None:
    """The image is at risk, and said to be."""
    old, new = with_a_free_slot(world)

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.DescribeImages" and "imageIds" in params:
            world.ecr.tag(WEB, slot(0), old)

    world.aws.before = before
    report = world.scan()
    assert report.outcomes[0].at_risk == (new,)
    assert [result.error is not None for result in report.outcomes[0].results] == [True]


def test_a_pin_taken_between_two_scans_is_put_anew(world: World) -> None:
    """Any role with PutImage can do that; the guard sees it within a scan."""
    digest, other = world.ecr.push(WEB), world.ecr.push(WEB)
    world.start(digest)
    world.scan()
    world.ecr.tag(WEB, slot(0), other)
    world.wait(minutes=15)
    world.scan()
    assert digest in world.ecr.pins(WEB).values()


# Time.


def test_a_week_without_the_guard_loses_no_pin(world: World) -> None:
    """Pins stay where they are. On its return the day begins anew, since an image may have been in use unseen."""
    old, new = world.ecr.push(WEB), world.ecr.push(WEB)
    world.stop(world.start(old))
    world.start(new, "other")
    world.scan()
    watch(world, hours=20)
    before = world.ecr.pins(WEB)
    world.wait(days=7)
    assert world.ecr.pins(WEB) == before
    watch(world, hours=24)
    assert world.ecr.pins(WEB) == before
    watch(world, hours=1)
    assert old not in world.ecr.pins(WEB).values()


def test_memory_from_the_future_begins_the_day_anew(world: World) -> None:
    """Once the clock was two days ahead; nothing moves early, and events are not taken for seen."""
    old, _ = with_a_free_slot(world)
    world.scan(clock=lambda: world.now + timedelta(days=2))
    placed = world.ecr.pins(WEB)
    world.stop(world.tasks[-1])
    world.start(old)
    world.wait(minutes=1)
    assert world.handle(_message(world.now - 30 * SECOND)) != {}
    assert old in world.ecr.pins(WEB).values()
    assert set(placed.values()) <= set(world.ecr.pins(WEB).values())


@pytest.mark.parametrize("ahead", [-3600, -40, 40, 600])
def test_a_clock_that_is_wrong_delays_a_pin_until_the_next_schedule_at_most(world: World, ahead: float) -> None:
    """Events keep their own clock: the function's may be up to a quarter of an hour ahead, or behind."""

    def clock() -> datetime:
        return world.now + ahead * SECOND

    world.handle(_message(world.now - 30 * SECOND), clock=clock)
    world.wait(seconds=20)
    digest = world.ecr.push(WEB)
    world.start(digest)
    started = world.now
    world.wait(seconds=30)
    world.handle(_message(started), clock=clock)
    while digest not in world.ecr.pins(WEB).values():
        world.wait(minutes=15)
        assert world.now - started < timedelta(minutes=17), "not pinned by the schedule either"
        world.handle(_message(world.now - 30 * SECOND), clock=clock)


def _message(event: datetime) -> dict[str, object]:
    """What Lambda is given for an event."""
    return {"Records": [{"body": json.dumps(event.strftime("%Y-%m-%dT%H:%M:%SZ"))}]}


# Storms.


@dataclass
class Queue:
    """An SQS FIFO queue of one message group before a function: a batch at a time, in order, ten at most.

    Attributes:
        world: whose clock runs.
        scans: when each scan began.
        drops: invocations that did not scan.
    """

    world: World
    scan_takes: float = 5.0
    drop_takes: float = 0.05
    scans: list[datetime] = field(default_factory=list)
    drops: int = 0

    def deliver(self, events: Iterable[datetime]) -> None:
        """Everything, until the queue is empty."""
        waiting = deque(sorted(events))
        while waiting:
            self.world.ecr.now = max(self.world.now, waiting[0] + DELAY)
            size = min(10, sum(1 for event in waiting if event + DELAY <= self.world.now))
            batch = [waiting.popleft() for _ in range(size)]
            bodies = [{"body": json.dumps(event.strftime("%Y-%m-%dT%H:%M:%SZ"))} for event in batch]
            if self.world.handle({"Records": bodies}, read=self._reading(self.world.read)):
                self.world.wait(seconds=self.scan_takes)
            else:
                self.drops += 1
                self.world.wait(seconds=self.drop_takes)

    def _reading(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*args: Any, **kwargs: Any) -> Any:
            self.scans.append(self.world.now)
            return read(*args, **kwargs)

        return reading


def unanswered(events: Iterable[datetime], scans: list[datetime]) -> list[datetime]:
    """The events after which no scan began."""
    return [event for event in events if not scans or max(scans) < event]


def delays(events: Iterable[datetime], scans: list[datetime]) -> list[float]:
    """From each event to the next scan that began after it."""
    return [min((scan - event).total_seconds() for scan in scans if scan >= event) for event in events]


@pytest.mark.parametrize("spread", [0.0, 1.0, 10.0, 30.0, 59.9])
def test_a_storm_of_a_thousand_events_costs_two_scans(world: World, spread: float) -> None:
    """They come within a minute, and each is answered within a minute by a scan that began after it."""
    world.start(world.ecr.push(WEB))
    events = [NOON + spread * number / 1000 * SECOND for number in range(1000)]
    queue = Queue(world)
    queue.deliver(events)
    assert 1 <= len(queue.scans) <= 2
    assert unanswered(events, queue.scans) == []
    assert max(delays(events, queue.scans)) + queue.scan_takes < 60
    assert queue.drops + len(queue.scans) >= 1000 / 10


def test_a_storm_right_after_a_scan_costs_two_more(world: World) -> None:
    """The scan before it does not cover it, and is no reason to scan three times."""
    queue = Queue(world)
    queue.deliver([NOON - 31 * SECOND])
    before = len(queue.scans)
    events = [world.now + number * 0.06 * SECOND for number in range(1000)]
    queue.deliver(events)
    assert len(queue.scans) - before <= 2
    assert max(delays(events, queue.scans)) + queue.scan_takes < 60


@example(pauses=[0, 20, 15], scan_takes=40.0)  # one batch holds an event that a scan has seen, and one that it has not
@given(
    pauses=st.lists(st.floats(0, 12) | st.floats(0, 90), min_size=1, max_size=60),
    scan_takes=st.sampled_from([0.5, 5.0, 40.0]),
)
def test_no_event_is_left_without_a_later_scan(one_world: World, pauses: list[float], scan_takes: float) -> None:
    """Whenever events come: a scan begins after each of them, within 45 seconds, and no two scans too close."""
    one_world.start_anew()
    events, moment = [], NOON
    for pause in pauses:
        moment += pause * SECOND
        events.append(moment)
    queue = Queue(one_world, scan_takes=scan_takes)
    queue.deliver(events)
    assert unanswered(events, queue.scans) == []
    assert max(delays(events, queue.scans)) <= 45
    assert all(later - earlier >= GAP for earlier, later in zip(queue.scans, queue.scans[1:], strict=False))


def test_a_storm_with_ecs_away_costs_two_scans_too(world: World) -> None:
    """An outage is when events come in storms, and when scanning without end would make it worse."""
    world.gaps = ("ECS is away",)
    queue = Queue(world)
    queue.deliver(NOON + 0.06 * number * SECOND for number in range(1000))
    assert len(queue.scans) <= 2


def test_a_storm_without_the_table_is_answered(world: World) -> None:
    """Nothing tells the scans apart then, so there are many; each event is answered all the same."""
    del world.dynamodb.tables[TABLE]
    events = [NOON + 0.06 * number * SECOND for number in range(100)]
    queue = Queue(world)
    queue.deliver(events)
    assert unanswered(events, queue.scans) == []
    assert 10 <= len(queue.scans) <= 11
