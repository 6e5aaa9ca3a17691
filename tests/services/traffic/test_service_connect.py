"""Services that call each other: their time-outs in order, room for their proxies, and what is watched (T3, T2)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.policy import TaskSize
from constructs_lib.services.ports.local_ports import above
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.service_connect import (
    ServiceConnect,
    call_alarms,
    check_call,
    check_proxy,
    most_tries,
)
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from tests.support import refused, run_without_cdk

INNER = TimeoutBudget(upstream_seconds=5, longest_request_seconds=10)
ORDERS = ServiceConnect(name="orders", container_port=8080, timeouts=INNER)


def budgets() -> st.SearchStrategy[TimeoutBudget]:
    """Budgets in order, whose callers and load balancers wait long enough."""
    return st.tuples(st.integers(1, 50), st.integers(0, 49)).map(
        lambda pair: TimeoutBudget(
            upstream_seconds=pair[0],
            longest_request_seconds=pair[0] + pair[1],
            idle_seconds=100,
            keep_alive_seconds=101,
            caller_seconds=101,
            drain_seconds=100,
        )
    )


def in_order(caller: TimeoutBudget, callee: TimeoutBudget) -> bool:
    """Whether a call is accepted."""
    try:
        check_call(caller, callee)
    except ValueError:
        return False
    return True


@given(budgets(), budgets())
def test_a_call_that_is_accepted_ends_before_its_caller_gives_up(caller: TimeoutBudget, callee: TimeoutBudget) -> None:
    """The proxy's answer comes while the caller still waits, whatever the numbers; nothing else is refused (T3)."""
    offers = ServiceConnect(name="orders", container_port=8080, timeouts=callee)
    assert in_order(caller, callee) == (offers.request_seconds < caller.upstream_seconds)
    assert offers.request_seconds <= offers.idle_seconds < callee.keep_alive_seconds


@given(st.lists(budgets(), min_size=2, max_size=5))
def test_no_budgets_suit_a_circle_of_calls(around: list[TimeoutBudget]) -> None:
    """Each would have to wait longer than the next, and the last longer than the first (T3)."""
    pairs = zip(around, [*around[1:], around[0]], strict=True)
    assert not all(in_order(caller, callee) for caller, callee in pairs)


def test_two_services_with_the_same_defaults_are_out_of_order() -> None:
    """Before: both wait 15 s for others and take 30 s themselves, so the caller gives up in the middle (T3)."""
    fix = refused(
        lambda: check_call(TimeoutBudget(), TimeoutBudget(), names=("web", "orders")),
        "longest_request_seconds of orders",
        30,
        "less than upstream_seconds of web (15)",
    )
    assert fix == (
        "web would give up first, and ask again while orders still works; let orders take less, or web wait longer"
    )


def test_a_call_that_takes_as_long_as_the_caller_waits_is_refused() -> None:
    """Of two that give up in the same second, nobody knows which is first; a second less is enough (T3)."""
    caller = TimeoutBudget(upstream_seconds=10)
    same = refused(lambda: check_call(caller, INNER), "longest_request_seconds of the called service", 10, "less than")
    assert same.startswith("the caller would give up first")
    check_call(TimeoutBudget(upstream_seconds=11), INNER)


def test_the_proxy_has_the_called_services_own_numbers() -> None:
    """After: its longest request ends a call, and a silent connection ends before the application ends it (T3)."""
    assert (ORDERS.request_seconds, ORDERS.idle_seconds) == (10, 60)
    assert ORDERS.idle_seconds < ORDERS.timeouts.keep_alive_seconds
    assert (ORDERS.protocol, ORDERS.call_port, ORDERS.ingress_port) == ("http", 80, 10_000)
    assert ServiceConnect(name="orders", container_port=80).request_seconds == 30


def test_a_caller_is_told_where_it_calls_and_how_long_a_call_may_take() -> None:
    """Any change of these changes its task definition, so that its tasks are started anew and find it (T3)."""
    assert ORDERS.environment() == {"MOORINGS_ORDERS_URL": "http://orders", "MOORINGS_ORDERS_CALL_SECONDS": "10"}
    other = ServiceConnect(name="stock-levels", container_port=8080, call_port=9000, protocol="http2")
    assert other.environment() == {
        "MOORINGS_STOCK_LEVELS_URL": "http://stock-levels:9000",
        "MOORINGS_STOCK_LEVELS_CALL_SECONDS": "30",
    }
    assert ServiceConnect(name="stock", container_port=50051, protocol="grpc").url == "stock:80"


@pytest.mark.parametrize(
    ("changes", "what", "value", "allowed"),
    [
        ({"name": "Orders"}, "name", "Orders", "lower-case"),
        ({"protocol": "tcp"}, "protocol", "tcp", "'http', 'http2' or 'grpc'"),
        ({"container_port": 0}, "container_port", 0, "from 1 to 65535"),
        ({"container_port": 65536}, "container_port", 65536, "from 1 to 65535"),
        ({"call_port": 0}, "call_port", 0, "from 1 to 65535"),
        ({"call_port": 65536}, "call_port", 65536, "from 1 to 65535"),
        ({"ingress_port": 1023}, "ingress_port", 1023, "from 1024 to 10239"),
        ({"ingress_port": 10240}, "ingress_port", 10240, "from 1024 to 10239"),
        ({"ingress_port": 8080}, "ingress_port", 8080, "another port than the application's (8080)"),
    ],
)
def test_what_service_connect_or_the_task_would_refuse_is_refused(
    changes: dict[str, Any], what: str, value: object, allowed: str
) -> None:
    """In one sentence, before CDK starts (T3)."""
    given: dict[str, Any] = {"name": "orders", "container_port": 8080} | changes
    refused(lambda: ServiceConnect(**given), what, value, allowed)


@pytest.mark.parametrize("port", [1024, 10_239])
def test_the_last_ingress_ports_that_fit_are_accepted(port: int) -> None:
    """No port that a proxy listens on is one that connections are opened from (W1)."""
    offers = ServiceConnect(name="orders", container_port=8080, ingress_port=port)
    local = above([offers.container_port, offers.ingress_port])
    assert local is not None
    assert local.low > offers.ingress_port


def test_a_call_is_judged_without_cdk() -> None:
    """The sentence comes before Node starts (T3)."""
    said = run_without_cdk(
        "from constructs_lib.services.traffic.service_connect import check_call\n"
        "from constructs_lib.services.traffic.timeouts import TimeoutBudget\n"
        "check_call(TimeoutBudget(), TimeoutBudget())"
    )
    assert "less than upstream_seconds of the caller (15), got 30" in said


def test_a_task_has_room_for_its_proxy() -> None:
    """The smallest task has 256 CPU units, which is what AWS advises for the proxy alone (T2)."""
    check_proxy(TaskSize(), LogDelivery())
    small = TaskSize(cpu=256, memory_mib=2048)
    fix = refused(lambda: check_proxy(small, LogDelivery()), "cpu", 256, "at least 512 with Service Connect")
    assert "256 of them" in fix


def test_the_proxys_log_buffer_is_in_the_tasks_memory() -> None:
    """Two buffers of 128 MiB are a quarter of 1 GiB, three are more; 129 twice are too (W2)."""
    check_proxy(TaskSize(), LogDelivery(buffer_mib=128))
    refused(lambda: check_proxy(TaskSize(), LogDelivery(buffer_mib=129)), "buffer_mib", 129, "all 2 containers")
    refused(
        lambda: check_proxy(TaskSize(), LogDelivery(buffer_mib=128), containers=2),
        "buffer_mib",
        128,
        "all 3 containers",
    )


def test_tries_multiply_along_a_chain_of_calls() -> None:
    """Each proxy tries three times: two calls deep one request may be nine tries, three deep 27 (T3)."""
    assert [most_tries(calls) for calls in (1, 2, 3)] == [3, 9, 27]
    for calls in (0, 17):
        refused(lambda calls=calls: most_tries(calls), "calls", calls, "from 1 to 16")  # type: ignore[misc]


def test_failing_calls_page_and_slow_ones_are_noticed() -> None:
    """Both between these two services alone: the name alone would add up every cluster of the account (T2, W3)."""
    errors, slow = call_alarms("web", callee=ORDERS, cluster="c", service="s", acts_if="Released")
    dimensions = {"ClusterName": "c", "ServiceName": "s", "TargetDiscoveryName": "orders"}
    for spec in (errors, slow):
        assert (spec.component, spec.acts_if) == ("web", "Released")
        assert (spec.metric.namespace, spec.metric.dimensions, spec.metric.period_seconds) == (
            "AWS/ECS",
            dimensions,
            60,
        )
        assert spec.metric.statistic == ("Sum" if spec is errors else "Average")
        assert spec.threshold.comparison == "GreaterThanOrEqualToThreshold"
        assert spec.threshold.missing == "notBreaching"
    assert (errors.what, errors.severity) == ("orders-answers-errors", "page")
    # Five errors of a million calls are no fault that anybody feels; three of three are an accident.
    assert errors.metric.name == "HTTPCode_Target_5XX_Count"
    assert errors.metric.per == tuple(f"HTTPCode_Target_{kind}_Count" for kind in ("2XX", "3XX", "4XX", "5XX"))
    assert errors.metric.at_least == 5
    assert (errors.threshold.value, errors.threshold.periods, errors.threshold.out_of) == (0.05, 1, 1)
    assert "5 % of the calls of web or more" in errors.meaning
    assert "at least 5 a minute" in errors.meaning
    assert (slow.what, slow.severity) == ("orders-answers-slowly", "notice")
    assert (slow.metric.name, slow.metric.statistic) == ("TargetResponseTime", "Average")
    # Half of 10 s, in milliseconds, for five minutes.
    assert (slow.threshold.value, slow.threshold.periods, slow.threshold.out_of) == (5000, 5, 5)
    assert "5 s or more" in slow.meaning
    assert "10 s after which" in slow.meaning
