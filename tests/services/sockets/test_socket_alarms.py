"""What is watched of a task's ports: half of them, nearly all, and nobody who counts (lesson W1)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.services.ports.local_ports import KERNEL, WIDE, LocalPorts
from constructs_lib.services.sockets.alarms import socket_alarms
from constructs_lib.services.sockets.socket_metrics import METRIC_NAMES, SocketSource
from tests.support import refused, run_without_cdk

SOURCE = SocketSource(application="shop", environment="staging", service="web")
PAGE, NOTICE, SILENT = "ports-nearly-used-up", "ports-half-used", "sockets-unseen"


def alarms(**changes: Any) -> dict[str, AlarmSpec]:
    """The alarms by fault, but for ``changes``."""
    settings: dict[str, Any] = {"local_ports": WIDE, "tasks": 3, "acts_if": "Released"}
    return {alarm.what: alarm for alarm in socket_alarms(SOURCE, **(settings | changes))}


ALARMS = alarms()


def test_a_page_and_two_notices() -> None:
    """Nearly no port left wakes somebody; half of them, and silence, do not."""
    assert {what: alarm.severity for what, alarm in ALARMS.items()} == {
        PAGE: "page",
        NOTICE: "notice",
        SILENT: "notice",
    }
    assert {alarm.component for alarm in ALARMS.values()} == {"web"}
    assert {alarm.acts_if for alarm in ALARMS.values()} == {"Released"}


@pytest.mark.parametrize(
    ("ports", "destinations", "notice", "page"),
    [
        (WIDE, 1, 27_648, 44_237),  # 55,296 ports: 44,236.8 are 80 %
        (KERNEL, 1, 14_116, 22_586),  # 28,232: 22,585.6
        (WIDE, 3, 82_944, 132_711),  # 165,888: 132,710.4
        (LocalPorts(1024, 1033), 1, 5, 8),
    ],
)
def test_the_thresholds_are_half_and_four_fifths_of_the_ports(
    ports: LocalPorts, destinations: int, notice: int, page: int
) -> None:
    """Of those that the task's own kernel has, to all destinations together."""
    found = alarms(local_ports=ports, destinations=destinations)
    assert (found[NOTICE].threshold.value, found[PAGE].threshold.value) == (notice, page)
    for what in (NOTICE, PAGE):
        assert found[what].threshold.comparison == "GreaterThanOrEqualToThreshold"


@given(
    low=st.integers(min_value=1024, max_value=60_000),
    more=st.integers(min_value=1, max_value=5_000),
    destinations=st.integers(min_value=1, max_value=1000),
)
def test_a_page_comes_before_the_last_port_and_after_the_notice(low: int, more: int, destinations: int) -> None:
    """Whatever the range: at all ports both are red, and at the notice's threshold the page is not yet above it."""
    ports = LocalPorts(low, low + more)
    found = alarms(local_ports=ports, destinations=destinations)
    assert 0 < found[NOTICE].threshold.value <= found[PAGE].threshold.value <= ports.count * destinations
    assert found[NOTICE].threshold.value * 2 >= ports.count * destinations
    assert found[PAGE].threshold.value * 5 >= ports.count * destinations * 4


def test_the_fullest_task_counts() -> None:
    """Ports are each task's own: three tasks at a third fill none, and one that is full is not hidden by others."""
    for what in (PAGE, NOTICE):
        metric = ALARMS[what].metric
        assert (metric.namespace, metric.statistic, metric.period_seconds) == ("Moorings/Sockets", "Maximum", 60)
        assert (metric.name, *metric.plus) == METRIC_NAMES
        assert dict(metric.dimensions) == {"Application": "shop", "Environment": "staging", "Service": "web"}


def test_the_page_comes_with_the_first_minute_and_the_notice_with_the_third() -> None:
    """A closed connection holds its port for a minute, so one sample is no accident; half is told if it lasts."""
    page, notice = ALARMS[PAGE].threshold, ALARMS[NOTICE].threshold
    assert (page.periods, page.out_of) == (1, 1)
    assert (notice.periods, notice.out_of) == (3, 3)


def test_silence_is_not_no_ports() -> None:
    """An agent that ends just because there are so many sockets must not make the alarm green again (W1)."""
    assert ALARMS[PAGE].threshold.missing == ALARMS[NOTICE].threshold.missing == "ignore"


def test_silence_is_told_after_ten_minutes() -> None:
    """Fewer samples a minute than tasks that always run, or none at all: an agent does not count (W1)."""
    alarm = ALARMS[SILENT]
    metric, threshold = alarm.metric, alarm.threshold
    assert (metric.namespace, metric.name, metric.statistic) == ("Moorings/Sockets", METRIC_NAMES[0], "SampleCount")
    assert (metric.plus, metric.period_seconds) == ((), 60)
    assert (threshold.value, threshold.comparison, threshold.missing) == (3, "LessThanThreshold", "breaching")
    assert (threshold.periods, threshold.out_of) == (10, 10)


def test_without_tasks_that_always_run_silence_is_no_fault() -> None:
    """A task that is started by the clock sends nothing most of the day."""
    assert set(alarms(tasks=0)) == {PAGE, NOTICE}


@pytest.mark.parametrize("alarm", ALARMS.values(), ids=ALARMS)
def test_who_reads_it_knows_where_to_look(alarm: AlarmSpec) -> None:
    """Whole sentences with the numbers that the alarm has."""
    assert alarm.meaning.endswith(".")
    assert "Look at " in alarm.meaning


def test_who_is_paged_reads_what_runs_out_and_how_to_go_back() -> None:
    """The states tell leaks from bursts, and the command that mends it is named."""
    for what in (PAGE, NOTICE):
        meaning = ALARMS[what].meaning
        assert "55296 ports" in meaning
        assert all(state in meaning for state in ("TIME_WAIT", "ESTABLISHED", "CLOSE_WAIT", "`moorings rollback`"))
    assert "165888 ports to 3 destinations" in alarms(destinations=3)[PAGE].meaning
    assert "fewer than 3 tasks" in ALARMS[SILENT].meaning
    assert all(len(alarm.meaning) < 1000 for alarm in ALARMS.values())  # CloudWatch takes 1024


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"destinations": 0}, "destinations", "from 1 to 1000"),
        ({"destinations": 1001}, "destinations", "from 1 to 1000"),
        ({"tasks": -1}, "tasks", "from 0 to 5000"),
        ({"tasks": 5001}, "tasks", "from 0 to 5000"),
    ],
)
def test_wrong_numbers_are_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """With no destination there is nothing to run out of."""
    refused(lambda: alarms(**changes), what, changes[what], allowed)


def test_they_are_described_without_cdk() -> None:
    """The module is data, so nothing of CDK is loaded."""
    run_without_cdk(
        "from constructs_lib.services.sockets.alarms import socket_alarms\n"
        "from constructs_lib.services.ports.local_ports import WIDE\n"
        "from constructs_lib.services.sockets.socket_metrics import SocketSource\n"
        "source = SocketSource(application='a', environment='b', service='c')\n"
        "raise ValueError(socket_alarms(source, local_ports=WIDE))"
    )
