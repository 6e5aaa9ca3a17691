"""One fault is told once, and is told (lesson W5): duplicates, failures, two at once, and what AWS does not answer."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from constructs_lib.observability.runtime.messages import handler
from constructs_lib.observability.runtime.messages.aws import Clients, connect
from constructs_lib.observability.runtime.messages.duplicates import HELD, Told
from constructs_lib.observability.runtime.messages.settings import VARIABLE, Settings
from tests.fake_aws.core import Fault, Params
from tests.observability.runtime.messages.world import GROUP, NOTICE, PAGE, START, World, stopped
from tests.observability.sample_events import huge, sample, samples

MINUTE = timedelta(minutes=1)


def fails(world: World, *operations: str, code: str = "InternalError") -> None:
    """From now on these calls fail."""

    def before(called: str, _params: Params) -> None:
        if called in operations:
            raise Fault(code, "no answer", 500)

    world.aws.before = before


def test_an_image_that_cannot_be_pulled_pages_at_once(world: World) -> None:
    """The page goes to the topic that wakes people, and to no other."""
    world.tell(sample("task-stopped-image-gone"))
    (page,) = world.pages
    assert page.subject == "[page] image cannot be pulled: shop/staging/web"
    assert page.bodies["default"] == page.text
    assert page.chat["content"]["title"] == page.subject
    assert world.notices == []


def test_what_needs_nobody_asks_aws_nothing(world: World) -> None:
    """No call is made for an event that tells nobody."""
    for name, event in samples().items():
        if name.startswith(("alarm", "foreign", "image", "malformed-e", "malformed-n")):
            world.tell(event)
    assert world.sns.published == []
    assert sum(world.aws.calls.values()) == 0


def test_the_same_event_twice_is_told_once(world: World) -> None:
    """ECS delivers at least once."""
    event = sample("task-stopped-image-gone")
    world.tell(event)
    world.tell(event)
    assert len(world.sns.published) == 1


def test_one_fault_is_told_once_in_half_an_hour_and_again_after(world: World) -> None:
    """ECS tries again and again, and each try is an event."""
    for task in range(5):
        world.tell(stopped("task-stopped-image-gone", task=task))
        world.now += 5 * MINUTE
    world.tell(sample("service-start-impaired"))
    assert len(world.pages) == 1
    world.now = START + 31 * MINUTE
    world.tell(stopped("task-stopped-image-gone", task=9))
    assert len(world.pages) == 2


def test_two_services_are_two_faults(world: World) -> None:
    """What one of them has does not silence the other."""
    world.tell(stopped("task-stopped-image-gone", task=1))
    world.tell(stopped("task-stopped-image-gone", task=2, service="shop--staging--services-mailoutService0123ABCD-x1"))
    assert [page.subject.rpartition("/")[2] for page in world.pages] == ["web", "mail-out"]


@pytest.mark.parametrize(
    ("name", "pages_at"),
    [("task-stopped-container-check", 2), ("task-stopped-exit", 3), ("task-stopped-out-of-memory", 3)],
)
def test_a_worker_that_fails_again_and_again_pages_once(world: World, name: str, pages_at: int) -> None:
    """No free alarm sees it: the first task is a notice, the second or third in half an hour a page, and no more."""
    for task in range(8):
        at = START + task * 3 * MINUTE
        world.now = at + timedelta(seconds=2)
        world.tell(stopped(name, task=task, at=at))
        assert (len(world.notices), len(world.pages)) == (1, int(task >= pages_at - 1))
    assert f"{pages_at} tasks did so within 30 minutes." in world.pages[0].text


def test_one_task_that_is_told_three_times_pages_nobody(world: World) -> None:
    """A duplicate, or a later version of the same task, is no other task."""
    for version in range(3):
        event = stopped("task-stopped-exit", task=1, at=START + timedelta(seconds=version))
        event["detail"]["version"] += version
        event["id"] = f"version-{version}"
        world.tell(event)
    assert (len(world.notices), len(world.pages)) == (1, 0)


def test_tasks_without_a_time_count_once_each(world: World) -> None:
    """An event that does not say when happened now, at some fraction of a second."""
    world.now = START + timedelta(microseconds=500_000)
    for task in range(2):
        world.tell(stopped("task-stopped-exit", task=task) | {"time": "some day"})
    assert (len(world.notices), len(world.pages)) == (1, 0)
    world.tell(stopped("task-stopped-exit", task=2) | {"time": None})
    assert len(world.pages) == 1


def test_three_tasks_in_two_hours_page_nobody(world: World) -> None:
    """Each was replaced, and each was told."""
    for task in range(3):
        at = START + task * 40 * MINUTE
        world.now = at
        world.tell(stopped("task-stopped-exit", task=task, at=at))
    assert (len(world.notices), len(world.pages)) == (3, 0)


def test_three_tasks_out_of_order_page(world: World) -> None:
    """The oldest event may come last."""
    for task in (2, 1, 0):
        world.tell(stopped("task-stopped-exit", task=task, at=START + task * MINUTE))
    assert len(world.pages) == 1


def test_whoever_the_alarm_woke_is_not_woken_again(world: World) -> None:
    """One cause pages once: the reason follows as a notice."""
    world.alarms.red["shop/staging/web/degraded"] = world.now - 3 * MINUTE
    world.tell(sample("task-stopped-image-gone"))
    assert world.pages == []
    assert "The alarm shop/staging/web/degraded has paged for this component already" in world.notices[0].text


def test_a_storm_of_events_beside_a_red_alarm_wakes_nobody(world: World) -> None:
    """CloudWatch answers a few calls a second: of hundreds of stopped tasks one asks it, and the others need not."""
    world.alarms.red["shop/staging/web/degraded"] = world.now - 3 * MINUTE

    def before(called: str, _params: Params) -> None:
        if called == "cloudwatch.DescribeAlarms" and world.aws.calls[called] > 1:
            raise Fault("Throttling", "Rate exceeded", 400)

    world.aws.before = before
    for task in range(300):
        world.tell(stopped("task-stopped-image-gone", task=task))
    assert [len(world.pages), len(world.notices)] == [0, 1]
    world.alarms.red = {}
    world.aws.before = lambda _called, _params: None
    world.now += HELD + timedelta(seconds=1)
    world.tell(stopped("task-stopped-image-gone", task=300))
    assert len(world.pages) == 1


def test_a_green_alarm_an_old_one_or_that_of_another_changes_nothing(world: World) -> None:
    """Only the component's own, and only if it turned red within the hour."""
    world.alarms.red = {"shop/staging/web/degraded": START - 61 * MINUTE, "shop/staging/mail-out/degraded": START}
    world.alarms.well = {"shop/staging/mail-out/degraded"}
    world.tell(sample("task-stopped-image-gone"))
    assert len(world.pages) == 1


def test_an_alarm_counts_from_when_it_turned_red(world: World) -> None:
    """Not from when its reason changed last: it paged an hour and half a minute ago, and was updated since."""
    world.alarms.red["shop/staging/web/degraded"] = world.now - timedelta(minutes=60, seconds=30)
    world.tell(sample("task-stopped-image-gone"))
    assert len(world.pages) == 1


def test_a_green_alarm_has_paged_nobody(world: World) -> None:
    """The component's composite is there, and well."""
    world.alarms.well = {"shop/staging/web/degraded"}
    world.tell(sample("task-stopped-image-gone"))
    assert len(world.pages) == 1


@pytest.mark.parametrize(
    "broken",
    [
        ("dynamodb.PutItem", "dynamodb.Query"),
        ("cloudwatch.DescribeAlarms",),
        ("logs.FilterLogEvents",),
        ("dynamodb.PutItem", "dynamodb.Query", "cloudwatch.DescribeAlarms", "logs.FilterLogEvents"),
    ],
)
@pytest.mark.parametrize("code", ["InternalError", "ThrottlingException", "AccessDeniedException"])
def test_the_message_goes_out_whatever_else_is_down(world: World, broken: tuple[str, ...], code: str) -> None:
    """Only SNS is needed to tell."""
    fails(world, *broken, code=code)
    world.tell(sample("task-stopped-image-gone"))
    assert len(world.pages) == 1
    unread = "What happened before could not be read in time."
    assert (unread in world.pages[0].text) == ("logs.FilterLogEvents" in broken)


@pytest.mark.parametrize("broken", ["dynamodb.PutItem", "dynamodb.Query"])
def test_a_memory_that_is_down_makes_no_worker_silent(world: World, broken: str) -> None:
    """How many tasks failed is not known, so the first one that is told pages."""
    fails(world, broken)
    world.tell(stopped("task-stopped-exit", task=1))
    assert len(world.pages) == 1


def test_what_could_not_be_sent_is_sent_by_the_next_try(world: World) -> None:
    """Lambda calls again with the same request id; the claim is still the same invocation's."""
    event = sample("task-stopped-image-gone")
    fails(world, "sns.Publish")
    with pytest.raises(ClientError):
        world.tell(event, holder="request-1")
    world.aws.before = lambda _called, _params: None
    world.now += MINUTE
    world.tell(event, holder="request-1")
    assert len(world.pages) == 1
    world.tell(event, holder="request-1")
    assert len(world.pages) == 1


def test_another_event_of_a_fault_that_was_not_sent_is_sent_soon(world: World) -> None:
    """While the first invocation may still send, others wait; a claim without a message does not last half an hour."""
    fails(world, "sns.Publish")
    with pytest.raises(ClientError):
        world.tell(stopped("task-stopped-image-gone", task=1))
    world.aws.before = lambda _called, _params: None
    world.tell(stopped("task-stopped-image-gone", task=2))
    assert world.pages == []
    world.now += HELD + timedelta(seconds=1)
    world.tell(stopped("task-stopped-image-gone", task=3))
    assert len(world.pages) == 1


def test_two_functions_at_once_send_one_message(world: World) -> None:
    """Both know of no message before; only one gets the claim."""
    barrier = threading.Barrier(2)
    waited = threading.local()

    class Slow:
        """A client that lets both get as far as their claim."""

        exceptions = world.clients.dynamodb.exceptions

        def put_item(self, **params: Any) -> Any:
            if not getattr(waited, "done", False):
                waited.done = True
                barrier.wait(5)
            return world.clients.dynamodb.put_item(**params)

    slow: Any = Slow()
    claims: list[bool] = []

    def claim(holder: str) -> None:
        claims.append(Told(slow, "told").claim("key", holder, START))

    threads = [threading.Thread(target=claim, args=(holder,)) for holder in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(claims) == [False, True]


def test_a_lost_confirmation_tells_twice_at_most(world: World) -> None:
    """That it was sent cannot be written: no error, for the message is out; the next event may tell it once more."""
    puts = 0

    def before(called: str, _params: Params) -> None:
        nonlocal puts
        puts += called == "dynamodb.PutItem"
        if called == "dynamodb.PutItem" and puts == 2:
            raise Fault("InternalError", "", 500)

    world.aws.before = before
    world.tell(stopped("task-stopped-image-gone", task=1))
    world.tell(stopped("task-stopped-image-gone", task=2))
    assert len(world.pages) == 1
    world.now += HELD + MINUTE
    world.tell(stopped("task-stopped-image-gone", task=3))
    assert len(world.pages) == 2


def test_the_last_five_events_of_the_component_are_in_the_message(world: World) -> None:
    """In order, without the event itself, without duplicates, other services and what is no JSON."""
    for task in range(7):
        world.logs.keep(GROUP, stopped("task-stopped-exit", task=task, at=START - (7 - task) * MINUTE))
    world.logs.keep(GROUP, stopped("task-stopped-exit", task=6, at=START - MINUTE))
    world.logs.keep(GROUP, stopped("task-stopped-exit", task=70, service="shop--staging--services-mail-x"))
    world.logs.groups[GROUP] += [(int(START.timestamp() * 1000), "{no json"), (int(START.timestamp() * 1000), "[" * 9)]
    event = sample("task-stopped-image-gone")
    world.logs.keep(GROUP, event)
    world.tell(event)
    shown = [line for line in world.pages[0].text.splitlines() if line.startswith("  03:")]
    assert [line[2:10] for line in shown] == ["03:15:41", "03:16:41", "03:17:41", "03:18:41", "03:19:41"]
    assert "EssentialContainerExited" in shown[0]


def test_what_is_an_hour_old_is_found_too(world: World) -> None:
    """When the last five minutes have too few."""
    world.logs.keep(GROUP, stopped("task-stopped-exit", task=1, at=START - 50 * MINUTE))
    world.logs.keep(GROUP, stopped("task-stopped-exit", task=2, at=START - 70 * MINUTE))
    world.tell(sample("task-stopped-image-gone"))
    assert "  02:30:41 task 00000000 STOPPED EssentialContainerExited" in world.pages[0].text
    assert "02:10:41" not in world.pages[0].text


def test_reading_ends_when_its_time_is_over(world: World) -> None:
    """Thousands of pages of events do not keep a page from a person."""
    for number in range(100):
        world.logs.keep(GROUP, stopped("task-stopped-exit", task=number, at=START - MINUTE))
    world.tell(sample("task-stopped-image-gone"), slow=0.5)
    assert world.aws.calls["logs.FilterLogEvents"] <= 4
    assert "Before this (UTC):" in world.pages[0].text
    world.now += 31 * MINUTE
    world.tell(sample("task-stopped-image-gone"), slow=3)
    assert "could not be read in time" in world.pages[1].text


def test_without_a_log_group_nothing_is_read(world: World) -> None:
    """Messages alone, in somebody's own stack."""
    world.evidence, world.runbooks = None, None
    world.tell(sample("task-stopped-image-gone"))
    assert world.aws.calls["logs.FilterLogEvents"] == 0
    assert "Runbook: docs/runbooks/image-cannot-be-pulled.md" in world.pages[0].text


def test_a_day_of_aws_health_is_one_notice(world: World) -> None:
    """Updates and further pages of one event tell nobody; that it is over does."""
    for number in range(20):
        event = sample("health-ecs-issue")
        event["id"], event["detail"]["communicationId"] = str(number), str(number)
        world.tell(event)
        world.now += 60 * MINUTE
    world.tell(sample("health-ecs-closed"))
    assert [len(world.pages), len(world.notices)] == [0, 2]
    assert "is over" in world.notices[1].text


def test_no_sample_makes_an_error(world: World) -> None:
    """And each that is told fits SNS, with every other sample in the log of evidence."""
    world.logs.groups[GROUP] += [(int(START.timestamp() * 1000), json.dumps(each)) for each in samples().values()]
    world.logs.size = 1000
    for event in samples().values():
        world.told.items.clear()
        world.tell(event)
    assert len(world.sns.published) == 28


def test_a_huge_event_is_told(world: World) -> None:
    """The mail is cut, not lost."""
    world.tell(huge())
    assert len(world.pages[0].text) < 6_000


def test_main_reads_its_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """As the construct writes them; the request id holds the claim."""
    told = {
        "application": "shop",
        "environment": "staging",
        "clusters": ["shop--staging--services-*"],
        "build_projects": [],
        "components": ["web"],
        "page": PAGE,
        "notice": NOTICE,
        "table": "told",
        "evidence": None,
        "runbooks": None,
    }
    monkeypatch.setenv(VARIABLE, json.dumps(told))
    monkeypatch.setattr(handler, "connect", lambda: world.clients)
    context: Any = type("Context", (), {"aws_request_id": "request-7"})()
    handler.main(sample("task-stopped-image-gone"), context)
    assert len(world.pages) == 1
    assert [item["holder"]["S"] for item in world.told.items.values()] == ["request-7"]
    with pytest.raises(KeyError):
        Settings.from_environment({})


def test_what_is_remembered_expires(world: World) -> None:
    """Each item has the time at which DynamoDB may delete it, some days after it was of use."""
    for task in range(3):
        world.tell(stopped("task-stopped-exit", task=task))
    times = [int(item["expires"]["N"]) - START.timestamp() for item in world.told.items.values()]
    assert len(times) == 5
    assert all(1 <= seconds / 86_400 <= 3 for seconds in times)


def test_clients_wait_for_nothing_but_publishing() -> None:
    """Everything that a message can do without is given up within seconds, well before the claim runs out."""
    import boto3

    session = boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
    clients: Clients = connect(session)
    configs: list[Any] = [
        getattr(client, "meta").config  # noqa: B009  (the protocol of SNS has no meta)
        for client in (clients.cloudwatch, clients.dynamodb, clients.logs, clients.sns)
    ]
    longest = [(each.connect_timeout + each.read_timeout) * each.retries["total_max_attempts"] for each in configs]
    assert longest == [6, 6, 2, 18]
    # One look at the alarm, five calls of the memory, two reads after the time is over, one message: below a minute.
    assert longest[0] + 5 * longest[1] + 2 + longest[2] + longest[3] < 60 < HELD.total_seconds()
