"""What is measured of sockets, under which names, and what one request costs (lesson W1)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.ports.local_ports import WIDE
from constructs_lib.services.sockets.alarms import socket_alarms
from constructs_lib.services.sockets.socket_metrics import (
    METRIC_NAMES,
    SocketMetrics,
    SocketSource,
    sockets,
    sockets_per_request,
)
from tests.support import DIGEST, TOKEN, refused, run_without_cdk

AGENT = f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}"
SOURCE = SocketSource(application="shop", environment="staging", service="web")
BALANCER, GROUP, OTHER = "app/shop/0123", "targetgroup/web/0123", "targetgroup/web/4567"

Task = dict[str, int]
"""A task's sockets by metric."""

TASKS = st.lists(
    st.fixed_dictionaries({name: st.integers(min_value=0, max_value=60_000) for name in METRIC_NAMES}),
    min_size=1,
    max_size=20,
)


def statistic(tasks: list[Task], name: str, how: str) -> float:
    """What CloudWatch makes of one sample of each task."""
    samples = [task[name] for task in tasks]
    return {"Maximum": max(samples), "Sum": sum(samples), "Average": sum(samples) / len(samples)}[how]


def total(tasks: list[Task], how: Any) -> float:
    """The metric over these tasks."""
    metric = sockets(SOURCE, how)
    assert metric.statistic == how
    return sum(statistic(tasks, name, how) for name in (metric.name, *metric.plus))


@given(TASKS)
def test_the_number_is_never_below_what_the_fullest_task_has(tasks: list[Task]) -> None:
    """Each state's fullest task is added up, so no task has more, and an alarm on it is never late (W1)."""
    assert total(tasks, "Maximum") >= max(sum(task.values()) for task in tasks)


@given(TASKS)
def test_of_one_task_the_number_is_its_own(tasks: list[Task]) -> None:
    """It is no more than the task's sockets where one task has the most of each state."""
    (first, *_) = tasks
    assert total([first], "Maximum") == sum(first.values())


@given(TASKS)
def test_the_average_is_a_task_as_it_is_on_average(tasks: list[Task]) -> None:
    """Sum over all tasks by their number, whatever the states."""
    assert total(tasks, "Average") * len(tasks) == pytest.approx(total(tasks, "Sum"))


def test_the_metric_is_that_of_a_service_in_an_environment() -> None:
    """Eight states of one service; CloudWatch takes ten metrics in an alarm."""
    metric = sockets(SOURCE, "Maximum")
    assert (metric.namespace, metric.period_seconds) == ("Moorings/Sockets", 60)
    assert dict(metric.dimensions) == {"Application": "shop", "Environment": "staging", "Service": "web"}
    assert (metric.name, *metric.plus) == METRIC_NAMES
    assert len(set(METRIC_NAMES)) == 8
    assert metric.also == ()
    assert sockets(SOURCE, "Average", period_seconds=300).period_seconds == 300


def per_request(text: str, values: dict[str, float]) -> float | None:
    """What CloudWatch makes of an expression ``IF(a>=b,(c)/(d))``."""
    condition, _, ratio = text.removeprefix("IF(").removesuffix(")").partition(",")
    asked, _, floor = condition.partition(">=")
    held, _, divisor = ratio.partition("/")
    requests = sum(values[key] for key in asked.split("+"))
    if requests < float(floor):
        return None
    return sum(values[key] for key in held.strip("()").split("+")) / sum(
        values[key] for key in divisor.strip("()").split("+")
    )


@pytest.mark.parametrize("tasks", [1, 2, 20])
@pytest.mark.parametrize("minutes", [1, 5, 60])
def test_the_cost_of_a_request_does_not_depend_on_tasks_or_period(tasks: int, minutes: int) -> None:
    """1200 requests a minute that each leave one port in TIME_WAIT for a minute: one socket a request (W1)."""
    expression = sockets_per_request(SOURCE, load_balancer=BALANCER, target_groups=[GROUP], period_seconds=60 * minutes)
    values = dict.fromkeys(expression.metrics, 0.0)
    waiting = next(key for key, metric in expression.metrics.items() if metric.name == "SocketsTimeWait")
    values[waiting] = sum(1200 / tasks for _ in range(tasks * minutes))
    values["r0"] = 1200 * minutes
    assert per_request(expression.text, values) == pytest.approx(1.0)
    values["s0"] = 3 * 1200 * minutes
    assert per_request(expression.text, values) == pytest.approx(4.0)


def test_after_a_library_that_opens_three_more_connections_is_seen_at_night() -> None:
    """WebORCA's update went in at 22:00 and hurt at 09:30: at a tenth of the traffic the ratio is the same (W1)."""
    expression = sockets_per_request(SOURCE, load_balancer=BALANCER, target_groups=[GROUP])

    def measured(requests: int, opened: int) -> float | None:
        idle = dict.fromkeys(expression.metrics, 0.0)
        return per_request(expression.text, idle | {"s1": float(requests * opened), "r0": float(requests)})

    assert measured(60_000, 1) == measured(6_000, 1) == 1
    assert measured(6_000, 4) == 4


def test_before_no_alarm_on_the_count_is_met_at_night() -> None:
    """6,000 requests a minute on a task that leave four ports each are less than half of its ports; at noon all of them
    are gone. So the alarms on ports alone tell at noon what was done at night (W1)."""
    thresholds = [alarm.threshold.value for alarm in socket_alarms(SOURCE, local_ports=WIDE)]
    assert min(thresholds) > 6_000 * 4
    assert 60_000 * 4 > WIDE.count > max(thresholds)


def test_with_little_traffic_it_has_no_value() -> None:
    """A thousand requests in a period, or idle sockets would look like costly requests."""
    expression = sockets_per_request(SOURCE, load_balancer=BALANCER, target_groups=[GROUP])
    values = dict.fromkeys(expression.metrics, 10.0)
    assert per_request(expression.text, values | {"r0": 999.0}) is None
    assert per_request(expression.text, values | {"r0": 1000.0}) == pytest.approx(0.08)
    lower = sockets_per_request(SOURCE, load_balancer=BALANCER, target_groups=[GROUP], requests_floor=10)
    assert per_request(lower.text, values | {"r0": 10.0}) == pytest.approx(8.0)


def test_requests_of_both_target_groups_count() -> None:
    """A deployment that shifts traffic has two, and the sockets are those of both (T4)."""
    expression = sockets_per_request(SOURCE, load_balancer=BALANCER, target_groups=[GROUP, OTHER])
    values = dict.fromkeys(expression.metrics, 0.0) | {"s0": 3000.0, "r0": 1000.0, "r1": 2000.0}
    assert per_request(expression.text, values) == pytest.approx(1.0)
    asked = [metric for metric in expression.metrics.values() if metric.name == "RequestCount"]
    assert [dict(metric.dimensions) for metric in asked] == [
        {"LoadBalancer": BALANCER, "TargetGroup": group} for group in (GROUP, OTHER)
    ]
    assert {metric.namespace for metric in asked} == {"AWS/ApplicationELB"}


def test_it_is_a_question_that_cloudwatch_understands() -> None:
    """``GetMetricData`` takes it as it is: one expression that returns data, over metrics that do not."""
    expression = sockets_per_request(SOURCE, load_balancer=BALANCER, target_groups=[GROUP])
    first, *others = expression.queries("cost")
    assert first == {"Id": "cost", "Expression": expression.text, "ReturnData": True}
    assert expression.text == "IF(r0>=1000,(s0+s1+s2+s3+s4+s5+s6+s7)/(r0))"
    assert [one["Id"] for one in others] == [*(f"s{number}" for number in range(8)), "r0"]
    assert {one["ReturnData"] for one in others} == {False}
    assert others[0]["MetricStat"] == {
        "Metric": {
            "Namespace": "Moorings/Sockets",
            "MetricName": "SocketsEstablished",
            "Dimensions": [
                {"Name": "Application", "Value": "shop"},
                {"Name": "Environment", "Value": "staging"},
                {"Name": "Service", "Value": "web"},
            ],
        },
        "Period": 300,
        "Stat": "Sum",
    }


def test_wrong_questions_are_refused() -> None:
    """A text is a list of letters, and nothing is divided by no requests."""

    def ask(**changes: Any) -> Any:
        values: dict[str, Any] = {"load_balancer": BALANCER, "target_groups": [GROUP]} | changes
        return sockets_per_request(SOURCE, **values)

    refused(lambda: ask(target_groups=GROUP), "target_groups", GROUP, "a list of one or two")
    refused(lambda: ask(target_groups=[]), "target_groups", [], "a list of one or two")
    refused(lambda: ask(target_groups=[GROUP] * 3), "target_groups", [GROUP] * 3, "a list of one or two")
    refused(lambda: ask(requests_floor=0), "requests_floor", 0, "from 1")


def test_the_defaults() -> None:
    """One destination is the most careful guess, and 256 MiB are enough for some 60,000 sockets."""
    metrics = SocketMetrics(image=AGENT)
    assert [getattr(metrics, field.name) for field in fields(metrics)] == [AGENT, 1, 256]


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"image": "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:latest"}, "image", "an image by digest"),
        ({"destinations": 0}, "destinations", "from 1 to 1000"),
        ({"destinations": 1001}, "destinations", "from 1 to 1000"),
        ({"memory_mib": 127}, "memory_mib", "from 128 to 4096"),
        ({"memory_mib": 4097}, "memory_mib", "from 128 to 4096"),
    ],
)
def test_wrong_metrics_are_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """A tag could move to another agent, and a number out of range would fail a deployment, or the agent at noon."""
    refused(lambda: SocketMetrics(**({"image": AGENT} | changes)), what, changes[what], allowed)


@pytest.mark.parametrize(
    "changes", [{"destinations": 1}, {"destinations": 1000}, {"memory_mib": 128}, {"memory_mib": 4096}], ids=str
)
def test_the_ends_of_each_range_are_accepted(changes: dict[str, Any]) -> None:
    """What the sentences allow can be had."""
    ((what, value),) = changes.items()
    assert getattr(SocketMetrics(**({"image": AGENT} | changes)), what) == value


def test_the_agent_gets_no_more_than_half_of_a_task() -> None:
    """The memory is the task's, and the application needs some."""
    SocketMetrics(image=AGENT).check_task(512)
    refused(lambda: SocketMetrics(image=AGENT).check_task(511), "memory_mib", 256, "at most half of the task's 511 MiB")


@pytest.mark.parametrize("part", ["application", "environment", "service"])
@pytest.mark.parametrize("wrong", ["", "Web", TOKEN, "a--b"])
def test_a_source_has_names(part: str, wrong: str) -> None:
    """They are dimensions, and parts of the alarms' names."""
    names = {"application": "shop", "environment": "staging", "service": "web"}
    with pytest.raises(ValueError, match=f"^{part} must be"):
        SocketSource(**(names | {part: wrong}))


def test_a_wrong_value_fails_before_node_starts() -> None:
    """The module is data, so nothing of CDK is loaded."""
    run_without_cdk(
        "from constructs_lib.services.sockets.socket_metrics import SocketMetrics\n"
        "SocketMetrics(image='public.ecr.aws/cloudwatch-agent/cloudwatch-agent:latest')"
    )
