"""Who learned of each incident when (lessons W3, T5), as a model: the write-ups' minutes, our alarms, our status page.

It shows what our thresholds and our page would have made of curves that are assumed, and nothing of what AWS does.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from constructs_lib.alarm_spec import AlarmSpec, Metric
from constructs_lib.observability.composites import composites
from constructs_lib.observability.detection.detection_budget import DetectionBudget
from tests.incidents import ports_replay
from tests.incidents import told_replay as replay
from tests.incidents.__main__ import main
from tests.incidents.ports_cloudwatch import judged, value
from tests.incidents.ports_day import ERRORS, FIRST_ERROR
from tests.incidents.told_cloud import PAGE, Told, Waits, told
from tests.incidents.told_stories import BEFORE, STORIES, TASKS, Minute, Story, alarms

LESSON = Path(__file__).parents[2] / "docs" / "lessons" / "T5-who-learned-when.md"
W_BALANCER, W_DATABASE, W_FROZEN, T_AT_ONCE, T_SLOWLY, Q = range(6)


def seconds(story: Story, moment: Any) -> float:
    """From the first error."""
    return float((moment - story.first).total_seconds())


def changed(what: str, **threshold: Any) -> list[AlarmSpec]:
    """Our alarms with another threshold in one of them."""
    found = [
        replace(spec, threshold=replace(spec.threshold, **threshold)) if spec.what == what else spec
        for spec in alarms()
    ]
    assert found != list(alarms())
    return found


# ------------------------------------------------------------ facts


def test_what_is_told_is_the_write_ups() -> None:
    """WebORCA: a vendor after 14 minutes, all after 8 h 48; Twilio: paged after 1, told after 25; Q: no hour at all."""
    facts = {(story.lesson, story.known, story.told) for story in STORIES}
    assert facts == {
        ("W", timedelta(minutes=14), timedelta(hours=8, minutes=48)),
        ("T", timedelta(minutes=1), timedelta(minutes=25)),
        ("Q", None, None),
    }
    assert all(story.first == FIRST_ERROR and len(story.fault) == 13 for story in STORIES if story.lesson == "W")
    assert ERRORS[0][1] - ERRORS[0][0] == timedelta(minutes=13)


def test_every_story_says_what_is_assumed() -> None:
    """Beside the table, a sentence for each."""
    assert len(list(replay.assumptions())) == len(STORIES) == 6
    assert all(len(story.assumed.split()) > 10 for story in STORIES)


# ------------------------------------------------------------ what comes out


def test_users_of_weborca_learn_in_minutes_where_a_tenth_notices() -> None:
    """Refused connections and a frozen task are on the page after two bad minutes and CloudWatch's own time."""
    for number in (W_BALANCER, W_FROZEN):
        story, one = STORIES[number], replay.ours(number)
        assert seconds(story, one.usual.users) == 195
        assert seconds(story, one.worst.users) == 265
        assert one.worst.users is not None
        assert story.told is not None
        assert one.worst.users - story.first < story.told / 100
        assert [state for _, state in one.usual.page] == ["degraded", "operational"]


def test_a_few_percent_of_errors_for_minutes_are_on_no_page() -> None:
    """As 500 of the application, W1's assumed refusals are 3 % at most, and 5 % page. It is said, not hidden."""
    story, one = STORIES[W_DATABASE], replay.ours(W_DATABASE)
    shares = [minute.application / minute.requests for minute in story.fault]
    assert 0 < max(shares) < 0.03
    assert (one.worst.paged, one.worst.users) == (None, None)
    (row,) = [row for row in replay.rows() if story.name in row[0]]
    assert (row[2], row[4], row[5]) == ("no page", "the page says nothing; a person must", "no")


def test_before_that_the_ports_themselves_have_paged() -> None:
    """The same service with our socket alarms: a page, hours before the first error (W1)."""
    page = ports_replay.SEEN.course().first("page")
    assert page is not None
    assert FIRST_ERROR - page.at > timedelta(hours=5)
    assert "hours before the first error" in replay.MODEL


def test_users_of_twilio_learn_within_180_s_when_requests_fail_at_once() -> None:
    """Usually: the minute, half of what CloudWatch may take, and the page. At worst not: it takes 205 s."""
    one = replay.ours(T_AT_ONCE)
    assert seconds(STORIES[T_AT_ONCE], one.usual.users) == 135
    assert seconds(STORIES[T_AT_ONCE], one.worst.users) == 205
    assert [state for _, state in one.worst.page] == ["degraded", "outage", "operational"]


def test_an_error_that_grows_is_told_from_its_fifth_percent() -> None:
    """1, 2, 4, 8 %: the fourth minute is the first that is wrong, and three minutes later than at once."""
    late = seconds(STORIES[T_SLOWLY], replay.ours(T_SLOWLY).worst.users)
    assert late == 205 + 3 * 60
    assert late < 25 * 60


def test_operators_of_twilio_were_faster_than_alarms_of_cloudwatch_can_be() -> None:
    """Within a minute; a whole minute must be over before an alarm can see it. The table does not hide it."""
    story, one = STORIES[T_AT_ONCE], replay.ours(T_AT_ONCE)
    assert one.usual.paged is not None
    assert story.known is not None
    assert one.usual.paged - story.first > story.known


def test_a_deleted_image_is_told_before_any_user_notices() -> None:
    """The guard pages an hour before a task is lost; users read degraded before the last task goes, and then outage."""
    story, one = STORIES[Q], replay.ours(Q)
    assert one.worst.why == "missing-image"
    assert seconds(story, one.worst.paged) == 245
    degraded, outage, *_ = one.worst.page
    assert (degraded[1], outage[1]) == ("degraded", "outage")
    assert degraded[0] < story.felt < outage[0]


# ------------------------------------------------------------ nothing is made up


@pytest.mark.parametrize("number", range(6), ids=lambda number: STORIES[number].name)
@pytest.mark.parametrize("when", ["usual", "worst"])
def test_ours_is_never_earlier_than_the_data_allow(number: int, when: str) -> None:
    """Nobody is told before the minutes that made the alarm red are over; and all is well before the first error."""
    story = STORIES[number]
    course: Told = getattr(replay.ours(number), when)
    for moment in (course.paged, course.users):
        if moment is None:
            continue
        over = [
            story.first + timedelta(minutes=minute)
            for minute in range(1, len(story.fault) + 1)
            if any(wrong_at(spec, story, minute) for spec in alarms())
        ]
        assert moment > min(over) >= story.first + timedelta(minutes=1)
    assert all(at > story.first for at, _ in course.page)


def wrong_at(spec: AlarmSpec, story: Story, minute: int) -> bool:
    """Whether the minutes that end there make an alarm red."""
    now, period = story.first + timedelta(minutes=minute), timedelta(seconds=spec.metric.period_seconds)
    of_zone = lambda name, begins: story.samples(name, begins, spec.metric.dimensions.get("AvailabilityZone"))  # noqa: E731
    values = [value(spec.metric, of_zone, now - back * period) for back in range(1, spec.threshold.out_of + 1)]
    return judged(spec.threshold, values, red=False)


def test_the_worst_is_the_detection_budget_s() -> None:
    """Of a share that is wrong from a minute's beginning: the budget's worst, without fault and alignment."""
    (spec,) = [spec for spec in alarms() if spec.what == "application-errors"]
    budget = DetectionBudget.of(spec)
    expected = budget.worst_seconds - budget.alignment.worst - budget.fault.worst
    assert seconds(STORIES[T_AT_ONCE], replay.ours(T_AT_ONCE).worst.paged) == expected == 190


@pytest.mark.parametrize(
    ("number", "what", "threshold"),
    [
        (T_AT_ONCE, "application-errors", {"value": 0.7}),
        (T_SLOWLY, "application-errors", {"value": 0.2}),
        (T_AT_ONCE, "application-errors", {"periods": 3, "out_of": 3}),
        (Q, "missing-image", {"value": 2}),
        (Q, "too-few-healthy-targets", {"value": 1}),
    ],
)
def test_a_broken_alarm_changes_the_answer(number: int, what: str, threshold: Any) -> None:
    """A higher threshold or more minutes, and somebody learns later, or never: nothing is written down as a result."""
    story = STORIES[number]
    whole, broken = replay.ours(number).worst, replay.play(story, changed(what, **threshold)).worst
    assert (broken.paged, broken.users) != (whole.paged, whole.users)
    for now, then in ((broken.paged, whole.paged), (broken.users, whole.users)):
        assert then is not None
        assert now is None or now >= then


@pytest.mark.parametrize("number", [W_BALANCER, W_FROZEN, T_AT_ONCE, T_SLOWLY])
def test_without_what_is_felt_users_learn_nothing(number: int) -> None:
    """An alarm that is not felt pages and leaves the page as it is: the composite alone drives it."""
    specs = [replace(spec, felt=None) for spec in alarms()]
    assert list(composites(specs)) == []
    one = replay.play(STORIES[number], specs).worst
    assert one.users is None
    assert one.paged is not None


def test_one_cause_pages_once() -> None:
    """Many alarms are red of Twilio's story; the page shows one incident, whose state grows worse."""
    reds = [
        spec.what
        for spec in alarms()
        if spec.severity == "page" and any(wrong_at(spec, STORIES[T_AT_ONCE], m) for m in range(8))
    ]
    assert len(reds) >= 3
    assert len(replay.ours(T_AT_ONCE).worst.page) == 3


def test_the_page_stays_red_until_the_last_alarm_is_over() -> None:
    """Two alarms that overlap are one time of trouble: it ends with the later one."""
    refused = replace(Minute(), refused=10)
    both = replace(refused, application=600)
    errors = replace(Minute(), application=600)
    story = replace(STORIES[T_AT_ONCE], fault=[refused, refused, both, both, errors, errors, errors])
    (red, degraded), (over, operational) = replay.play(story, alarms()).worst.page
    assert (degraded, operational) == ("degraded", "operational")
    assert [seconds(story, moment) for moment in (red, over)] == [2 * 60 + 145, 8 * 60 + 145]


def test_a_quiet_day_tells_nobody() -> None:
    """No alarm is red where all is well, from the first minute on."""
    quiet = replace(STORIES[Q], fault=[Minute() for _ in range(60)])
    for worst in (False, True):
        begins = quiet.first - timedelta(minutes=BEFORE)
        course = told(
            alarms(), quiet.samples, begins=begins, ends=quiet.first + timedelta(hours=1), waits=Waits.of(worst=worst)
        )
        assert (course.paged, course.page) == (None, ())


def test_the_page_s_way_is_what_it_can_be() -> None:
    """The edge keeps a copy for ten seconds at most; event and function have five each."""
    from constructs_lib.observability.status_page.distribution import LONGEST_SECONDS

    assert PAGE.seconds == LONGEST_SECONDS + 5 + 5
    assert not PAGE.documented


# ------------------------------------------------------------ the model of an alarm on a share


def share(sent: dict[str, Sequence[float]], *, at_least: float = 0) -> float | None:
    """The share of 5xx in one minute."""
    metric = Metric(namespace="X", name="bad", dimensions={}, statistic="Sum", per=("all",), at_least=at_least)
    return value(metric, lambda name, _: sent.get(name, ()), FIRST_ERROR)


def test_a_share_has_a_floor_and_no_value_without_requests() -> None:
    """Three errors of ten are 30 %, and 0 below a floor of five; without requests or errors there is no value."""
    assert share({"bad": [1, 2], "all": [10]}) == 0.3
    assert share({"bad": [1, 2], "all": [10]}, at_least=5) == 0
    assert share({"bad": [5], "all": [10]}, at_least=5) == 0.5
    assert share({"bad": [5]}) is None
    assert share({"bad": [5], "all": [0]}) is None
    assert share({"all": [10]}) is None


def test_p99_is_the_slowest_hundredth() -> None:
    """Of a hundred values the 99th, of one that one."""
    metric = Metric(namespace="X", name="slow", dimensions={}, statistic="p99")
    assert value(metric, lambda *_: [0.1] * 98 + [7.0, 9.0], FIRST_ERROR) == 7.0
    assert value(metric, lambda *_: [3.0], FIRST_ERROR) == 3.0


def test_a_minute_sends_what_a_load_balancer_sends() -> None:
    """Counts of nothing are missing; healthy and unhealthy targets are always there, unhealthy ones in their zone."""
    well, ill = Minute(), Minute(unhealthy=1, application=3)
    assert well.samples("HTTPCode_Target_5XX_Count", None) == ()
    assert well.samples("HealthyHostCount", None) == (TASKS, TASKS)
    assert ill.samples("HTTPCode_Target_5XX_Count", None) == (3,)
    assert [list(ill.samples("UnHealthyHostCount", zone)) for zone in ("a", "b")] == [[1], [0]]
    with pytest.raises(KeyError):
        well.samples("SomethingElse", None)


# ------------------------------------------------------------ printed


def test_the_page_has_the_table_as_it_is_played() -> None:
    """docs/lessons/T5-who-learned-when.md holds what ``python -m tests.incidents.told_replay`` prints."""
    text = LESSON.read_text()
    assert replay.markdown() in text
    for line in replay.assumptions():
        assert line in text


def test_make_replay_prints_both_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """``python -m tests.incidents told`` ends well, with then and ours for operators and users, and says what it is."""
    assert main(["told"]) == 0
    printed = capsys.readouterr().out
    assert "A model." in printed
    for column in ("operators:", "users:", "then", "ours"):
        assert column in printed
    out = io.StringIO()
    replay.run(Console(file=out, width=200))
    assert out.getvalue().count("8 h 48 min") == 3
    assert out.getvalue().count("25 min, status page") == 2


@pytest.mark.parametrize("width", [80, 100])
def test_a_narrow_terminal_is_enough(width: int) -> None:
    """A terminal has 80 columns at least: nothing is wider, and no word is cut."""
    out = io.StringIO()
    replay.run(Console(file=out, width=width))
    assert max(len(line) for line in out.getvalue().splitlines()) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in out.getvalue()


def test_the_replay_fails_when_it_should() -> None:
    """A page that comes later than then, or an incident of which users learn in no story, is no success."""
    played = [(story, replay.ours(number)) for number, story in enumerate(STORIES)]
    assert replay.verdict(played) == 0
    story, one = played[T_AT_ONCE]
    assert one.worst.users is not None
    late = replace(one, worst=replace(one.worst, page=((one.worst.users + timedelta(minutes=25), "degraded"),)))
    assert replay.verdict([*played[:T_AT_ONCE], (story, late), *played[T_SLOWLY:]]) == 1
    weborca, hers = played[W_FROZEN]
    assert hers.worst.paged is not None
    slow = replace(hers, worst=replace(hers.worst, paged=hers.worst.paged + timedelta(minutes=14)))
    assert replay.verdict([(weborca, slow), *played]) == 1
    silent = replace(one, worst=replace(one.worst, page=()))
    assert replay.verdict([(each, silent if each.lesson == "T" else its) for each, its in played]) == 1
