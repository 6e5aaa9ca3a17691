"""The function that compares, against real clients and a fake AWS (lesson W1): what it reads, says, and survives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constructs_lib.services.sockets.runtime import aws, handler, report
from constructs_lib.services.sockets.runtime.comparison import DAY, PERIOD, Comparison, Floor, Sample
from constructs_lib.services.sockets.runtime.settings import VARIABLE, Service, Settings
from tests.fake_aws.core import Fault
from tests.services.sockets.runtime.days import BY_DAY, MONDAY, NIGHT, by_day, steady
from tests.services.sockets.runtime.world import MINUTE, STATES, World, service, settings

WEB, API = service("web"), service("api")
SETTLED = NIGHT + 20 * MINUTE
LATER = SETTLED + timedelta(hours=2)


@pytest.fixture
def world() -> World:
    """``web`` has run for weeks; at ``NIGHT`` a release doubles its sockets."""
    made = World()
    made.release(WEB, "old", NIGHT - 20 * DAY)
    made.release(WEB, "new", NIGHT)
    made.run(WEB, NIGHT - 2 * DAY, NIGHT)
    made.run(WEB, NIGHT, NIGHT + DAY, each=2, idle=80)
    return made


Said = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def say(world: World, capsys: pytest.CaptureFixture[str]) -> Said:
    def run(now: datetime = LATER, told: Settings | None = None) -> list[dict[str, Any]]:
        handler.handle(told or settings(WEB), world.clients, clock=lambda: now)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def metric(line: Mapping[str, Any], name: str) -> float:
    """The value of a metric, as CloudWatch would read it from the line."""
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == "Moorings"
    assert name in [one["Name"] for one in described["Metrics"]]
    assert all(key in line for key in described["Dimensions"][0])
    return float(line[name])


# ------------------------------------------------------------ what it says


def test_a_doubling_is_told_in_words_and_as_a_metric(say: Said) -> None:
    """Both images, the hours and the numbers; the metric by application, environment and service."""
    web, totals = say()
    assert metric(web, "SocketsPerRequestChange") == 2
    assert web["_aws"]["Timestamp"] == int(LATER.timestamp() * 1000)
    assert web["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Application", "Environment", "Service"]]
    assert (web["Application"], web["Environment"], web["Service"]) == ("shop", "production", "web")
    assert (web["image"], web["before"]) == ("sha256:new", "sha256:old")
    assert web["message"] == "more sockets than before the release"
    assert web["words"] == (
        "web has 2.00 times the sockets: in 15 minutes, 2026-03-24 00:00 to 00:15 UTC, each task had 2.8000 socket "
        "minutes a request, and 1.4000 at the same hours 1 day earlier, before the release; the sockets themselves are "
        "2.00 times as many"
    )
    assert (metric(totals, "SocketComparisonsUnknown"), metric(totals, "SocketComparisonsFailed")) == (0, 0)


@pytest.mark.parametrize(
    ("threshold", "message"),
    [(2, "more sockets than before the release"), (2.001, "as before the release, or fewer sockets")],
)
def test_below_the_threshold_it_is_as_before_with_a_metric_too(say: Said, threshold: float, message: str) -> None:
    """So that an alarm can end; at the threshold itself the words say what the alarm says."""
    web, _ = say(told=replace(settings(WEB), threshold=threshold))
    assert web["message"] == message
    assert metric(web, "SocketsPerRequestChange") == 2


def slow(world: World, name: str, after: float | None, **changes: Any) -> Service:
    """A service whose requests, 20 a second of a task, take 0.1 s before the release; it opens no more after it."""
    one = service(name)
    world.release(one, "old", NIGHT - 20 * DAY)
    world.release(one, "new", NIGHT)
    world.run(one, NIGHT - 2 * DAY, NIGHT, lambda _: 1200, each=0, held=2)
    world.run(one, NIGHT, NIGHT + DAY, lambda _: 1200, **{"each": 0, "held": 2, "seconds": after, **changes})
    return one


def test_after_a_slow_dependency_is_told_and_pages_nobody(world: World, say: Said) -> None:
    """From 44 to 80 sockets, all of them by requests that wait longer: the metric is 1, and the line says why."""
    said, _ = say(told=settings(slow(world, "slow", 1.0)))
    assert metric(said, "SocketsPerRequestChange") == 1
    assert said["message"] == "more sockets, explained by response time 0.1 s -> 1.0 s"
    assert said["words"].endswith(
        "the sockets themselves are 1.82 times as many; 0.82 of the rise are explained by response time 0.1 s -> 1.0 s"
    )


def test_a_response_time_that_nobody_knows_explains_nothing(world: World, say: Said) -> None:
    """The load balancer told none after the release: as many sockets are as before this was read, and page."""
    one = slow(world, "untold", None, idle=76)
    said, _ = say(told=settings(one))
    assert metric(said, "SocketsPerRequestChange") == 1.727
    assert said["message"] == "more sockets than before the release"
    assert "explained" not in said["words"]


def test_a_slow_release_that_opens_more_is_told_for_what_it_opens(world: World, say: Said) -> None:
    """Ten times the response time explains 36 sockets; the 1,200 in TIME_WAIT that came too it does not."""
    said, _ = say(told=settings(slow(world, "both", 1.0, each=1)))
    assert metric(said, "SocketsPerRequestChange") == round((80 + 1200 - 36) / 44, 3)
    assert said["message"] == "more sockets than before the release"
    assert "0.82 of the rise are explained by response time" in said["words"]


@pytest.mark.parametrize(("rate", "seconds", "told"), [(1200, 0.3, True), (2400, 0.15, False)])
def test_a_rise_that_would_page_nobody_is_as_before(
    world: World, say: Said, rate: float, seconds: float, told: bool
) -> None:
    """52 sockets instead of 44: explained, and no message; by twice the requests it is no rise at all."""
    one = service("some")
    world.release(one, "old", NIGHT - 20 * DAY)
    world.release(one, "new", NIGHT)
    world.run(one, NIGHT - 2 * DAY, NIGHT, steady(1200), each=0, held=2)
    world.run(one, NIGHT, NIGHT + DAY, steady(rate), each=0, held=2, seconds=seconds)
    said, _ = say(told=settings(one))
    assert said["message"] == "as before the release, or fewer sockets"
    assert ("explained" in said["words"]) == told


def test_milliseconds_are_told_as_such() -> None:
    """From 10 to 45 ms, which one digit would call none."""
    before = Sample(sockets=100, requests=100_000, answered=100_000, waited=1000)
    after = Sample(sockets=200, requests=100_000, answered=100_000, waited=4500)
    found = Comparison(before=before, after=after, begins=NIGHT, ends=NIGHT + PERIOD, days=1)
    assert report.words("web", found).endswith("1.00 of the rise are explained by response time 0.010 s -> 0.045 s")


def test_a_shorter_response_time_is_not_told(world: World, say: Said) -> None:
    """From 0.1 to 0.02 s: fewer sockets, and nothing to explain."""
    said, _ = say(told=settings(slow(world, "fast", 0.02)))
    assert metric(said, "SocketsPerRequestChange") == round(40.8 / 44, 3)
    assert "explained" not in said["words"]


def test_too_little_traffic_is_not_known_and_has_no_metric(say: Said) -> None:
    """Never fine: it is counted."""
    web, totals = say(told=settings(WEB, requests=1_000_000))
    assert web["message"] == "not known yet"
    assert "too little traffic" in web["why"]
    assert "_aws" not in web
    assert metric(totals, "SocketComparisonsUnknown") == 1


def test_after_a_week_there_is_nothing_to_compare_and_no_metric_is_read(world: World, say: Said) -> None:
    """Reading costs, so it is done in the week after a release only; this is no wait."""
    web, totals = say(NIGHT + 8 * DAY)
    assert web["message"] == "nothing to compare"
    assert "_aws" not in web
    assert metric(totals, "SocketComparisonsUnknown") == 0
    assert world.metrics.asked == 0


def test_a_silent_agent_and_more_tasks_change_nothing(world: World, say: Said) -> None:
    """Averages of those that send: half of the agents are away before, twice the tasks are there after."""
    quiet = service("quiet")
    world.release(quiet, "old", NIGHT - 20 * DAY)
    world.release(quiet, "new", NIGHT)
    world.run(quiet, NIGHT - 2 * DAY, NIGHT, silent=1)
    world.run(quiet, NIGHT, NIGHT + DAY, tasks=4)
    said, _ = say(told=settings(quiet))
    assert metric(said, "SocketsPerRequestChange") == 1


def test_requests_of_both_target_groups_count(world: World, say: Said) -> None:
    """A deployment that shifts requests leaves them at the other group: before at one, after at the other."""
    both = service("both", ["targetgroup/both/blue", "targetgroup/both/green"])
    world.release(both, "old", NIGHT - 20 * DAY)
    world.release(both, "new", NIGHT)
    blue, green = (replace(both, target_groups=(f"targetgroup/both/{one}",)) for one in ("blue", "green"))
    world.run(blue, NIGHT - 2 * DAY, NIGHT, held=4)
    world.run(green, NIGHT, NIGHT + DAY, held=4, seconds=10)
    said, _ = say(told=settings(both))
    assert metric(said, "SocketsPerRequestChange") == 1
    assert said["traffic"] == 1
    assert "response time 0.1 s -> 10.0 s" in said["words"]


def test_two_target_groups_at_once_are_weighed_by_their_requests(world: World) -> None:
    """300 requests of 0.2 s and 100 of 1 s are 160 s for 400; a group whose time is not known has none answered."""
    both = service("both", ["targetgroup/both/blue", "targetgroup/both/green"])
    for name, rate, seconds in (("blue", 60, 0.2), ("green", 20, 1.0)):
        one = replace(both, target_groups=(f"targetgroup/both/{name}",))
        world.run(one, NIGHT, NIGHT + PERIOD, steady(rate), seconds=seconds)
    world.run(
        replace(both, target_groups=("targetgroup/both/green",)), NIGHT + PERIOD, NIGHT + 2 * PERIOD, seconds=None
    )
    found = aws.samples(world.clients.cloudwatch, settings(both), both, since=NIGHT, until=NIGHT + 2 * PERIOD)
    known = found[NIGHT]
    assert (known.requests, known.answered, known.waited, known.response_seconds) == (400, 400, 160, 0.4)
    untold = found[NIGHT + PERIOD]
    assert (untold.requests, untold.answered, untold.waited, untold.response_seconds) == (500, 0, 0, None)


def test_a_response_time_without_requests_explains_nothing(world: World) -> None:
    """An odd answer: there is nothing to weigh it by."""
    names = {"LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/web/1"}
    world.run(WEB, NIGHT + DAY, NIGHT + DAY + PERIOD, steady(0))
    world.metrics.put("AWS/ApplicationELB", "TargetResponseTime", names, NIGHT + DAY, 3)
    found = aws.samples(world.clients.cloudwatch, settings(WEB), WEB, since=NIGHT + DAY, until=NIGHT + DAY + PERIOD)
    assert found == {NIGHT + DAY: Sample(sockets=40, requests=0)}


def test_a_night_without_requests_is_no_hole(world: World, say: Said) -> None:
    """A load balancer tells nothing of minutes without requests; they have none, and their sockets are idle ones."""
    some = service("some")
    rare = lambda at: 200 if at.minute < 5 else 0  # noqa: E731
    world.release(some, "old", NIGHT - 20 * DAY)
    world.release(some, "new", NIGHT)
    world.run(some, NIGHT - 2 * DAY, NIGHT, rare)
    world.run(some, NIGHT, NIGHT + DAY, rare)
    said, _ = say(told=settings(some))
    assert metric(said, "SocketsPerRequestChange") == 1


def test_the_morning_after_w1(world: World, say: Said) -> None:
    """By the curve of a day: at 06:00 as before; the runs every 15 minutes tell at 07:30, of a peak at 09:00."""
    day = service("day")
    world.release(day, "old", NIGHT - 20 * DAY)
    world.release(day, "new", NIGHT)
    world.run(day, NIGHT - 2 * DAY, NIGHT, by_day)
    world.run(day, NIGHT, NIGHT + DAY, by_day, each=2)
    midnight = MONDAY + DAY
    said = {}
    for quarter in range(24, 36):
        line, _ = say(midnight + quarter * timedelta(minutes=15), settings(day))
        said[quarter / 4] = metric(line, "SocketsPerRequestChange")
    assert said[6] < 1.2
    assert min(hour for hour, change in said.items() if change >= 1.5) == 7.5
    assert BY_DAY[9] == max(BY_DAY)


# ------------------------------------------------------------ what it reads


def test_what_is_asked_of_cloudwatch(world: World, say: Said) -> None:
    """Averages of sockets by state and of response times, requests by target, by five minutes, for two weeks at most.

    CloudWatch knows response times by load balancer and target group together, as CDK's own metric asks for them.
    """
    seen: list[Mapping[str, Any]] = []
    world.aws.before = lambda call, params: seen.append(params) if call == "cloudwatch.GetMetricData" else None
    say()
    (asked,) = seen
    assert asked["StartTime"] == (NIGHT + 5 * MINUTE - 7 * DAY).timestamp()
    assert asked["EndTime"] == (LATER - 5 * MINUTE).timestamp()
    found = {
        (one["MetricStat"]["Metric"]["MetricName"], one["MetricStat"]["Stat"], one["MetricStat"]["Period"])
        for one in asked["MetricDataQueries"]
    }
    assert found == {(state, "Average", 300) for state in (*STATES, "TargetResponseTime")} | {
        ("RequestCountPerTarget", "Sum", 300)
    }
    assert asked["MetricDataQueries"][-1]["MetricStat"]["Metric"] == {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "TargetResponseTime",
        "Dimensions": [
            {"Name": "LoadBalancer", "Value": "app/shop/1"},
            {"Name": "TargetGroup", "Value": "targetgroup/web/1"},
        ],
    }
    assert asked["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "Application", "Value": "shop"},
        {"Name": "Environment", "Value": "production"},
        {"Name": "Service", "Value": "web"},
    ]


@pytest.mark.parametrize("page", [1, 7, 1000, 6000])
def test_pages_are_read_to_the_end(world: World, page: int) -> None:
    """A page may end in the middle of a metric; the result is the same as in one."""
    two_hours = {"since": NIGHT - timedelta(hours=1), "until": NIGHT + timedelta(hours=1)}
    whole = aws.samples(world.clients.cloudwatch, settings(WEB), WEB, **two_hours)
    world.metrics.page = page
    assert aws.samples(world.clients.cloudwatch, settings(WEB), WEB, **two_hours) == whole
    assert len(whole) == 24
    assert whole[NIGHT - PERIOD] == Sample(sockets=140, requests=500, time_wait=100, answered=500, waited=50)
    assert whole[NIGHT] == Sample(sockets=280, requests=500, time_wait=200, answered=500, waited=50)


def test_a_period_in_which_a_state_is_missing_is_left_out(world: World) -> None:
    """Half of the states would look like half of the sockets."""
    names = {"Application": "shop", "Environment": "production", "Service": "web"}
    world.metrics.put("Moorings/Sockets", STATES[0], names, NIGHT + DAY, 1)
    world.metrics.put("Moorings/Sockets", STATES[1], names, NIGHT + DAY + PERIOD, 1)
    found = aws.samples(world.clients.cloudwatch, settings(WEB), WEB, since=NIGHT + DAY, until=NIGHT + DAY + DAY)
    assert found == {}


def test_deployments_are_read_page_by_page_with_the_application_s_image(world: World) -> None:
    """Of a month, of which those of two weeks are needed and the one before them; sidecars' images do not count."""
    busy = service("busy")
    for number in range(150):
        world.release(busy, f"{number:03}", NIGHT - 29 * DAY + number * timedelta(hours=1))
    world.release(busy, "last", NIGHT)
    found = aws.deployments(world.clients.ecs, busy, now=NIGHT + DAY)
    assert [one.image for one in found] == ["sha256:149", "sha256:last"]
    assert found[0].began == NIGHT - 29 * DAY + timedelta(hours=149)
    assert found[1].ended == NIGHT + 5 * MINUTE
    assert world.aws.calls["ecs.ListServiceDeployments"] == 2


def test_more_than_twenty_revisions_are_described_in_batches(world: World) -> None:
    """ECS takes twenty at a time."""
    busy = service("busy")
    for number in range(45):
        world.release(busy, f"{number:03}", NIGHT - 5 * DAY + number * timedelta(hours=1))
    found = aws.deployments(world.clients.ecs, busy, now=NIGHT)
    assert [one.image for one in found] == [f"sha256:{number:03}" for number in range(45)]
    assert world.aws.calls["ecs.DescribeServiceRevisions"] == 3


def test_an_image_without_a_digest_is_told_apart_by_its_name(world: World) -> None:
    """And one whose container is not there by nothing: then each deployment is a release."""
    odd = replace(service("odd"), container="other")
    for one, images in ((service("tags"), ["app:1", "app:2"]), (odd, ["", ""])):
        made = [world.release(one, digest, NIGHT - age * DAY) for digest, age in (("a", 2), ("b", 1))]
        for deployment, image in zip(made, ["app:1", "app:2"], strict=True):
            revision = world.ecs.revisions[world.ecs.deployments[deployment]["targetServiceRevision"]["arn"]]
            revision["containerImages"] = [{"containerName": "app", "image": image}, {"image": "unnamed"}]
        assert [found.image for found in aws.deployments(world.clients.ecs, one, now=NIGHT)] == images


def test_a_revision_that_ecs_forgot_is_an_image_that_nobody_knows(world: World, say: Said) -> None:
    """The comparison goes on; the line says no digest for it."""
    for arn in list(world.ecs.revisions)[:1]:
        del world.ecs.revisions[arn]
    web, _ = say()
    assert (metric(web, "SocketsPerRequestChange"), web["before"]) == (2, "")


def test_times_are_utc_whatever_the_machine_s_zone_is(world: World) -> None:
    """A day earlier is 24 hours earlier, on the night when clocks change too."""
    found = aws.samples(world.clients.cloudwatch, settings(WEB), WEB, since=NIGHT, until=NIGHT + PERIOD)
    known = aws.deployments(world.clients.ecs, WEB, now=LATER)
    assert {at.tzinfo for at in found} | {one.began.tzinfo for one in known} == {UTC}


# ------------------------------------------------------------ releases that are odd


def test_the_first_release_ever_has_nothing_before_it(world: World, say: Said) -> None:
    """It waits, and says why; a week later it is what others are compared with."""
    first = service("first")
    world.release(first, "one", NIGHT)
    world.run(first, NIGHT, NIGHT + 9 * DAY)
    said, totals = say(LATER, settings(first))
    assert "in the week before the release" in said["why"]
    assert metric(totals, "SocketComparisonsUnknown") == 1
    said, totals = say(NIGHT + 8 * DAY, settings(first))
    assert metric(totals, "SocketComparisonsUnknown") == 0


def test_a_forced_new_deployment_leaves_the_comparison_as_it_is(world: World, say: Said) -> None:
    """The same image again, an hour after the release: still compared with the old one, and the calm starts anew."""
    world.release(WEB, "new", NIGHT + timedelta(hours=1))
    web, _ = say()
    assert (metric(web, "SocketsPerRequestChange"), web["before"]) == (2, "sha256:old")


def test_a_rollback_ends_the_page(world: World, say: Said) -> None:
    """While it goes on the last word stays; then nothing is known for a while; then all is as it was."""
    one, back = service("one"), LATER + MINUTE
    world.release(one, "old", NIGHT - 20 * DAY)
    world.release(one, "new", NIGHT)
    world.run(one, NIGHT - 2 * DAY, NIGHT)
    world.run(one, NIGHT, LATER, each=2, idle=80)
    world.run(one, LATER, NIGHT + DAY)
    going = world.release(one, "old", back, minutes=None)
    said, _ = say(back + 4 * MINUTE, settings(one))
    assert metric(said, "SocketsPerRequestChange") == 2
    world.ecs.deployments[going] |= {"status": "SUCCESSFUL", "finishedAt": (back + 5 * MINUTE).timestamp()}
    said, totals = say(back + 10 * MINUTE, settings(one))
    assert (said["message"], metric(totals, "SocketComparisonsUnknown")) == ("not known yet", 1)
    said, _ = say(back + timedelta(hours=1), settings(one))
    assert (metric(said, "SocketsPerRequestChange"), said["image"], said["before"]) == (1, "sha256:old", "sha256:old")


def test_metrics_that_are_late_are_not_taken_for_none(world: World, say: Said) -> None:
    """Requests of the last minutes are not there yet: what is newer than five minutes is not looked at."""
    late = service("late")
    world.release(late, "old", NIGHT - 20 * DAY)
    world.release(late, "new", NIGHT)
    world.run(late, NIGHT - 2 * DAY, LATER - 5 * MINUTE)
    world.run(late, LATER - 5 * MINUTE, LATER, lambda _: 0, idle=140)
    said, _ = say(told=settings(late))
    assert metric(said, "SocketsPerRequestChange") == 1


# ------------------------------------------------------------ what AWS refuses


def gone(_call: str, params: Mapping[str, Any]) -> None:
    if params.get("service") == "shop-api":
        raise Fault("ServiceNotFoundException", "Service not found.")


def test_one_bad_service_does_not_silence_the_others(world: World, say: Said) -> None:
    """A service that was deleted is told, and counted; the next one is compared."""
    world.aws.before = gone
    api, web, totals = say(told=settings(API, WEB))
    assert api["message"] == "could not be compared"
    assert api["service"] == "api"
    assert "Service not found." in api["why"]
    assert metric(web, "SocketsPerRequestChange") == 2
    assert metric(totals, "SocketComparisonsFailed") == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "ClusterNotFoundException", "InternalFailure"])
@pytest.mark.parametrize(
    "call", ["ecs.ListServiceDeployments", "ecs.DescribeServiceRevisions", "cloudwatch.GetMetricData"]
)
def test_whatever_is_refused_is_a_failure_and_no_answer(world: World, say: Said, call: str, code: str) -> None:
    """No metric about the service, and it is counted."""

    def refuse(called: str, _params: Mapping[str, Any]) -> None:
        if called == call:
            raise Fault(code, "no\nway " * 200)

    world.aws.before = refuse
    web, totals = say()
    assert web["message"] == "could not be compared"
    assert len(web["why"]) <= 300
    assert "\n" not in web["why"]
    assert metric(totals, "SocketComparisonsFailed") == 1
    assert metric(totals, "SocketComparisonsUnknown") == 0


def test_throttling_is_tried_again(world: World, say: Said) -> None:
    """Refused once, then answered: nobody notices."""
    left = {"ecs.ListServiceDeployments": 1, "cloudwatch.GetMetricData": 1}

    def sometimes(call: str, _params: Mapping[str, Any]) -> None:
        if left.get(call, 0):
            left[call] -= 1
            raise Fault("ThrottlingException", "Rate exceeded")

    world.aws.before = sometimes
    web, _ = say()
    assert metric(web, "SocketsPerRequestChange") == 2


@pytest.mark.parametrize("name", ["RequestCountPerTarget", "TargetResponseTime"])
@pytest.mark.parametrize("status", ["PartialData", "InternalError", "Forbidden"])
def test_part_of_the_data_is_no_data(world: World, say: Said, status: str, name: str) -> None:
    """Half of the requests would look like twice the sockets, so it is a failure that names the metric."""
    world.metrics.status[name] = status
    web, totals = say()
    assert f"{name}: {status}" in web["why"]
    assert metric(totals, "SocketComparisonsFailed") == 1


def test_a_metric_that_cloudwatch_does_not_answer_for_is_a_failure(world: World, say: Said) -> None:
    """An answer that leaves a query out is none."""
    whole = world.metrics.answer

    def short(operation: str, params: Any) -> dict[str, Any]:
        answer = whole(operation, params)
        return {**answer, "MetricDataResults": answer["MetricDataResults"][:-1]}

    world.metrics.answer = short  # type: ignore[method-assign]
    web, _ = say()
    assert "never answered" in web["why"]


@pytest.mark.parametrize("key", ["createdAt", "status", "targetServiceRevisionArn"])
def test_an_answer_that_nobody_expected_does_not_silence_the_others(world: World, say: Said, key: str) -> None:
    """ECS's model requires none of these keys. A fault of our own is told the same way: with its kind, and counted."""
    world.release(API, "old", NIGHT - 20 * DAY)
    world.release(API, "new", NIGHT)
    whole = world.ecs.answer

    def strange(operation: str, params: Any) -> dict[str, Any]:
        answer = whole(operation, params)
        if params.get("service") == "shop-api":
            del answer["serviceDeployments"][-1][key]
        return answer

    world.ecs.answer = strange  # type: ignore[method-assign]
    api, web, totals = say(told=settings(API, WEB))
    assert api["message"] == "could not be compared"
    assert api["why"] == f"KeyError: '{key}'"
    assert metric(web, "SocketsPerRequestChange") == 2
    assert metric(totals, "SocketComparisonsFailed") == 1


# ------------------------------------------------------------ settings and main

TEXT = {
    "application": "shop",
    "environment": "production",
    "namespace": "Moorings/Sockets",
    "sockets": list(STATES),
    "threshold": 1.5,
    "requests": 1000,
    "clusters": ["other", "main"],
    "services": [["web", 1, "shop-web", "app", ["targetgroup/web/1"], "app/shop/1"]],
}


def test_settings_are_one_text_of_the_environment() -> None:
    """As the construct writes it."""
    assert Settings.from_environment({VARIABLE: json.dumps(TEXT)}) == settings(WEB)
    assert settings(WEB).floor == Floor()


@pytest.mark.parametrize("environ", [{}, {VARIABLE: "rubbish"}, {VARIABLE: "{}"}])
def test_settings_that_are_none_are_refused(environ: dict[str, str]) -> None:
    """The function fails, and the alarm on silence tells."""
    with pytest.raises((KeyError, ValueError)):
        Settings.from_environment(environ)


def test_lambda_calls_main(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the environment, clients from ``connect``, and the time is now."""
    monkeypatch.setenv(VARIABLE, json.dumps(TEXT))
    monkeypatch.setattr(handler, "connect", lambda: world.clients)
    assert handler.main({}, None) == {"compared": 0, "unknown": 0, "failed": 0}


def test_the_clients_try_again_and_do_not_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five tries, three seconds to connect, ten to answer."""
    for name, value in (("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x"), ("DEFAULT_REGION", "eu-west-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    made: Any = aws.connect()
    for client in (made.ecs, made.cloudwatch):
        config = client.meta.config
        assert (config.connect_timeout, config.read_timeout) == (3, 10)
        assert config.retries["total_max_attempts"] == 5
    assert (made.ecs.meta.service_model.service_name, made.cloudwatch.meta.service_model.service_name) == (
        "ecs",
        "cloudwatch",
    )
