"""Incident W1 before and after, as a model: the write-up's hours, sessions that are assumed, and our own alarms.

It shows what our thresholds would have said, and nothing of what CloudWatch or Fargate do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.ports.local_ports import KERNEL, WIDE
from tests.incidents import ports_replay as replay
from tests.incidents import ports_service, ports_story
from tests.incidents.__main__ import main
from tests.incidents.ports_cases import CASES, markdown, runs_out
from tests.incidents.ports_day import ASKED, CHANGED, ENDS, ERRORS, FIRST_ERROR, SUSPECTED, at, minutes, sessions
from tests.incidents.ports_service import FEBRUARY, MARCH, TASKS, Service, task
from tests.incidents.ports_story import COMMAND, DECIDES, Course, comparisons, play

PAGE = Path(__file__).parents[2] / "docs" / "lessons" / "W1-when-the-page-comes.md"


def first(course: Course, severity: str) -> tuple[str, str] | None:
    """When and what the first message of a kind was."""
    found = course.first(severity)  # type: ignore[arg-type]
    return (f"{found.at:%d %H:%M}", found.what) if found else None


def test_the_hours_are_those_of_the_write_up() -> None:
    """Errors on the 26th and 27th, the first question after 14 minutes, and the right suspicion after 32 hours."""
    assert [(begins.isoformat()[8:16], ends.isoformat()[8:16]) for begins, ends in ERRORS] == [
        ("26T09:30", "26T09:43"),
        ("26T14:47", "26T14:48"),
        ("27T14:00", "27T18:00"),
    ]
    assert timedelta(minutes=14) == ASKED - FIRST_ERROR
    assert timedelta(hours=32, minutes=25) == SUSPECTED - FIRST_ERROR
    assert (at(25, 22), at(26, 2)) == CHANGED


def test_the_sessions_are_made_for_those_hours() -> None:
    """The assumed curve is above 50,490 sessions in the minutes of the errors only, and above 50,000 as told."""
    above = [moment for moment in minutes(at(25, 0), ENDS) if sessions(moment) >= 50_490]
    assert all(any(begins <= moment < ends for begins, ends in ERRORS) for moment in above)
    assert all(begins in above for begins, _ in ERRORS)
    assert max(sessions(moment) for moment in minutes(at(27, 0), ENDS)) == 53_500


def test_before_the_pattern_has_neither_a_range_nor_an_alarm() -> None:
    """What CDK's own pattern makes: no kernel setting in the task, and no alarm at all."""
    from aws_cdk import App, Stack
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_ecs as ecs
    from aws_cdk import aws_ecs_patterns as patterns
    from aws_cdk.assertions import Template

    stack = Stack(App(), "Before")
    image = ecs.ContainerImage.from_registry("example.com/orca@sha256:" + "0" * 64)
    patterns.ApplicationLoadBalancedFargateService(
        stack,
        "Service",
        vpc=ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=0),
        task_image_options=patterns.ApplicationLoadBalancedTaskImageOptions(image=image),
    )
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::CloudWatch::Alarm", 0)
    (found,) = template.find_resources("AWS::ECS::TaskDefinition").values()
    assert all("SystemControls" not in one for one in found["Properties"]["ContainerDefinitions"])


def test_before_the_ports_run_out_and_nobody_is_told() -> None:
    """The kernel's own range: it begins with the first error, and no alarm says anything."""
    course = replay.THEN.course()
    assert course.told == ()
    assert course.out[0] == ERRORS[0]
    assert course.out[1] == ERRORS[1]
    assert all(ERRORS[2][0] <= begins < ends <= ERRORS[2][1] for begins, ends in course.out[2:])
    assert 0.003 < course.refused < 0.004


def test_after_a_page_comes_at_night_and_names_the_way_back() -> None:
    """Six hours before the first error, with the command in it; acted on, the peak uses one port of a hundred."""
    course = replay.OURS.course()
    assert first(course, "page") == ("26 02:48", "more-sockets-than-before")
    (page,) = course.told
    assert f"`{COMMAND}`" in page.meaning
    assert page.at < FIRST_ERROR - timedelta(hours=6)
    assert course.went_back == page.at + DECIDES
    assert (course.out, course.refused) == ([], 0)
    assert course.most < 0.01


def test_after_the_ports_hold_when_nobody_acts() -> None:
    """Our range has room for twice the sessions: a notice at half, and no request is refused on either day."""
    course = replay.ASLEEP.course()
    assert first(course, "page") == ("26 02:48", "more-sockets-than-before")
    assert first(course, "notice") == ("26 09:29", "ports-half-used")
    assert (course.out, course.refused) == ([], 0)
    assert 0.5 < course.most < 0.55


def test_after_a_release_by_one_command_the_page_comes_within_the_hour() -> None:
    """The window of four hours is most of the wait: put in from 22:00 to 22:15, the page comes at 23:03."""
    assert first(replay.COMMANDED.course(), "page") == ("25 23:03", "more-sockets-than-before")


def test_alarms_alone_tell_in_time_and_mend_nothing() -> None:
    """Without our range the ports run out as before, 27 minutes after the page at 80 %."""
    course = replay.SEEN.course()
    told = [(f"{one.at:%d %H:%M}", one.what) for one in course.told][:3]
    assert told == [
        ("26 02:48", "more-sockets-than-before"),
        ("26 08:35", "ports-half-used"),
        ("26 09:03", "ports-nearly-used-up"),
    ]
    assert course.out == replay.THEN.course().out


def test_who_waits_for_the_page_at_80_percent_is_too_late_for_the_first_errors() -> None:
    """Half an hour to decide and a quarter to go back are longer than the 27 minutes; the second day is saved."""
    course = replay.MORNING.course()
    assert course.out == [ERRORS[0]]
    assert 0 < course.refused < 0.1 * replay.THEN.course().refused


def test_an_update_that_shows_only_by_day_pages_in_the_morning() -> None:
    """At night it is as before, so nobody is told; with the first 20,000 sessions the comparison sees it."""
    course = replay.DAYLIGHT.course()
    assert first(course, "page") == ("26 08:33", "more-sockets-than-before")
    assert course.out == []


def test_a_large_pool_hides_the_update_until_the_morning() -> None:
    """With 5,000 idle sockets before, a night's requests make no difference; the page comes with the morning's."""
    course = replay.LARGE.course()
    assert first(course, "page") == ("26 08:18", "more-sockets-than-before")
    assert max(change for moment, change in comparisons(replay.LARGE.service) if moment < at(26, 6)) < 1
    assert course.out == []


@pytest.fixture
def forty_tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same sessions, over ten times the tasks."""
    caches = (ports_service.task, ports_story.messages, ports_story.comparisons)
    for module in (ports_service, ports_story):
        monkeypatch.setattr(module, "TASKS", 40)
    for one in caches:
        one.cache_clear()
    yield
    for one in caches:
        one.cache_clear()


@pytest.mark.usefixtures("forty_tasks")
@pytest.mark.parametrize(("pool", "page"), [(6, "26 03:03"), (60, "26 06:48")])
def test_with_forty_tasks_the_page_comes_later(pool: int, page: str) -> None:
    """Each has a tenth of the requests: 15 minutes with a tenth of the pool, four hours with as large a one."""
    course = play(replace(replay.ASLEEP.service, before=replace(FEBRUARY, pool_size=pool)))
    assert first(course, "page") == (page, "more-sockets-than-before")


def test_an_update_that_adds_a_fifth_pages_nobody() -> None:
    """It stays below 1.5 times: the first word is the notice at half, a minute before the kernel's range would end."""
    course = replay.FIFTH.course()
    assert first(course, "page") is None
    assert first(course, "notice") == ("26 09:29", "ports-half-used")
    assert course.out == []
    changes = [change for _, change in comparisons(replay.FIFTH.service)]
    assert 1.1 < min(changes) < max(changes) <= 1.2 + 1e-3


def test_with_the_kernels_range_that_service_was_red_every_day_before() -> None:
    """A service that a fifth more breaks is at 80 % on the day before: so the page comes a day earlier."""
    course = replay.FIFTH_SEEN.course()
    assert first(course, "page") == ("25 09:38", "ports-nearly-used-up")
    assert course.out == replay.THEN.course().out


def test_without_an_update_nobody_is_told_anything() -> None:
    """The same days, the same alarms, February's library throughout: no message."""
    course = play(Service(local_ports=WIDE, after=replace(FEBRUARY, image="march")))
    assert (course.told, course.out) == ((), [])


def test_the_thresholds_are_those_of_the_construct() -> None:
    """The page that is replayed is the one that `SocketComparison` gives, command and all; the range is our default."""
    from aws_cdk import App, Stack

    from constructs_lib.services.sockets.socket_comparison import ComparedService, SocketComparison
    from tests.incidents.ports_story import SOURCE, alarms

    stack = Stack(App(), "Orca")
    service = ComparedService(
        service="web",
        cluster="orca",
        ecs_service="web",
        target_groups=["targetgroup/web/1"],
        load_balancer="app/web/1",
    )
    made = SocketComparison(
        stack, "Compare", application=SOURCE.application, environment=SOURCE.environment, services=[service]
    )
    played = alarms(Service(local_ports=WIDE))
    assert len(made.alarms) == 2
    assert all(one in played for one in made.alarms)
    assert KernelSettings().ports_beside((8080,)) == replay.OURS.service.local_ports == WIDE


def test_the_change_is_put_in_task_by_task() -> None:
    """While it goes on, old and new tasks run side by side; nothing is compared until it is over."""
    service = Service()
    running = [service.running(at(25, hour)) for hour in (22, 23, 24, 25, 26)]
    assert [many.count(MARCH) for many in running] == [0, 1, 2, 3, TASKS]
    assert min(moment for moment, _ in comparisons(service)) == at(26, 2, 45)


def test_a_task_has_no_more_ports_than_its_range() -> None:
    """The formula's need above the range is refused, and the range is full."""
    made = task(MARCH, 60_000, KERNEL)
    assert made.opened + made.time_wait == 28_232
    assert made.refused > 0
    assert task(MARCH, 60_000, WIDE).refused == 0


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, (50_490, "09:30")), (2, (27_770, "08:36")), (3, (56_465, None)), (4, (24_591, "08:29"))],
)
def test_before_50_000_sessions_do_not_fit(number: int, expected: tuple[int, str | None]) -> None:
    """By hand: 28,232 ports x 4 tasks x 60 s / (2.2 requests x 61 s) = 50,489.5 sessions, and so on."""
    sessions_out, when = runs_out(CASES[number].budget)
    assert (sessions_out, when and f"{when:%H:%M}") == expected


def test_after_they_fit_but_through_one_nat_address() -> None:
    """Ours holds 50,000 in each case but the one whose limit is the NAT gateway's, which no range of a task widens."""
    assert [case.ours.holds for case in CASES] == [True, True, True, True, False]
    assert [case.planned.verdict for case in CASES] == ["holds", "tight", "runs out", "tight", "runs out"]


def test_the_pages_tables_are_printed_by_the_code() -> None:
    """The page has the 50,000-session table and the two of the replay as the code prints them."""
    text = PAGE.read_text()
    for table in (markdown(), replay.timeline_markdown(), replay.variants_markdown()):
        assert table in text


def test_the_replay_prints_it_and_says_that_it_is_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    """``python -m tests.incidents W1`` ends well, and says what is assumed; a name that it does not know is refused."""
    assert main(["W1"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "A model:" in printed
    assert "02:48" in printed
    assert main(["X9"]) == 2
    assert "W1, Q" in capsys.readouterr().err


def test_the_replay_fails_when_it_should() -> None:
    """It reports success for ports that ran out unseen then, and a page in time and no error with ours, only."""
    then, ours, seen = replay.THEN.course(), replay.OURS.course(), replay.SEEN.course()
    assert replay.verdict(then, ours) == 0
    assert replay.verdict(ours, ours) == 1
    assert replay.verdict(then, then) == 1
    assert replay.verdict(then, seen) == 1
    assert replay.verdict(seen, ours) == 1
    assert replay.verdict(then, replay.FIFTH.course()) == 1


def test_a_narrow_terminal_is_enough() -> None:
    """The tables fit 100 columns."""
    out = io.StringIO()
    replay.run(Console(file=out, width=100))
    assert max(len(line) for line in out.getvalue().splitlines()) <= 100
