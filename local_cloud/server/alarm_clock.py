"""CloudWatch's clock: once a minute every metric alarm is evaluated, on the minutes that are over.

A minute can be made shorter, so that a fault is seen in seconds. It is so for what is measured here once a minute, load
balancers and ECS, and for the alarms on it; what Lambda functions and others send keeps its real time.
"""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from local_cloud.server import evaluation, task_metrics
from local_cloud.server.emulator import Properties, cloudwatch, responses, wrap

REAL_SECONDS: Final = 60.0
SHORTEST_SECONDS: Final = 0.5
_LOW_SAMPLES: Final = 10
_MEASURED_HERE: Final = ("AWS/ApplicationELB", "AWS/ECS")

_minute = REAL_SECONDS
# By alarm: how it warms up, and until when.
_warm: Any = responses.AccountRegionScopedDict()
_lock = threading.RLock()


def install() -> None:
    """Take the evaluation over, and start the clock."""
    wrap(cloudwatch, "_evaluate_alarm", lambda _inner, _alarm: None)
    for action in ("_put_metric_alarm", "_put_composite_alarm", "_delete_alarms", "_set_alarm_state"):
        wrap(cloudwatch, action, _one_at_a_time)
    threading.Thread(target=_run, daemon=True, name="moorings_alarm_clock").start()


def minute() -> float:
    """How many seconds a minute of CloudWatch takes here."""
    return _minute


def set_minute(seconds: float) -> None:
    """Raises ValueError for less than half a second, and for more than a minute."""
    global _minute
    if not SHORTEST_SECONDS <= seconds <= REAL_SECONDS:
        raise ValueError(f"a minute must take {SHORTEST_SECONDS} to {REAL_SECONDS:.0f} seconds, got {seconds}")
    _minute = seconds


def warm_up(name: str, wanted: Properties | None) -> None:
    """An alarm that is made, or begins to have a warm-up, judges nothing for as long; a changed one does not restart.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudwatch-alarm-warmupconfiguration.html
    """
    if not wanted:
        _warm.pop(name, None)
    elif name not in _warm:
        seconds = float(wanted["WarmUpPeriodDurationInMinutes"]) * _scale(_queries(cloudwatch._alarms[name])) * 60
        whole = str(wanted.get("OnlyStartEvaluatingAfterWarmUpPeriodEnds", False)).lower() == "true"
        _warm[name] = (whole, time.time() + seconds)


def _one_at_a_time(inner: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with _lock:
        return inner(*arguments, **named)


def _run() -> None:
    last = time.time() // _minute
    while True:
        time.sleep(min(_minute / 10, 0.25))
        try:
            number = time.time() // _minute
            if number != last:
                last = number
                _tick(number * _minute)
            task_metrics.sample()
        except Exception:
            traceback.print_exc()  # into the server's log: the clock must go on


def _tick(now: float) -> None:
    task_metrics.publish(now - _minute)
    for account, region, name in list(cloudwatch._alarms._data):
        with responses.request_scope(account, region), _lock:
            alarm = cloudwatch._alarms.get(name)
            if alarm is not None:
                evaluate(alarm, now)


def evaluate(alarm: Properties, now: float) -> None:
    """Bring an alarm into the state that its metrics give."""
    queries = _queries(alarm)
    period = next(query["MetricStat"]["Period"] for query in queries if "MetricStat" in query)
    length = float(period) * _scale(queries)
    count = alarm["EvaluationPeriods"] + evaluation.EXTRA_PERIODS
    starts = [now - length * back for back in range(count, 0, -1)]
    if _too_few_samples(alarm, queries[0], now - length, now):
        return
    values = [_value(queries, start, start + length) for start in starts]
    whole, until = _warm.get(alarm["AlarmName"], (False, 0.0))
    filled = sum(value is not None for value in values) >= alarm["EvaluationPeriods"]
    warming = now < until and (whole or not filled)
    wanted = "INSUFFICIENT_DATA" if warming else evaluation.state(values, alarm)
    if wanted is not None and wanted != alarm["StateValue"]:
        _change(alarm, wanted, values, starts)


def _queries(alarm: Properties) -> list[Properties]:
    if alarm.get("Metrics"):
        found: list[Properties] = alarm["Metrics"]
        return found
    metric = {name: alarm.get(name) for name in ("Namespace", "MetricName", "Dimensions")}
    stat = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    return [{"Id": "m0", "MetricStat": {"Metric": metric, "Period": alarm["Period"], "Stat": stat}}]


def _scale(queries: list[Properties]) -> float:
    """How long a second of the alarm's metrics takes here."""
    namespaces = {query["MetricStat"]["Metric"]["Namespace"] for query in queries if "MetricStat" in query}
    return _minute / REAL_SECONDS if namespaces <= set(_MEASURED_HERE) else 1.0


def _points(query: Properties, start: float, end: float) -> list[Properties]:
    metric = query["MetricStat"]["Metric"]
    dimensions = cloudwatch._dims_key(cloudwatch._dims_from_list(metric.get("Dimensions") or []))
    found = cloudwatch._metrics.get((metric["Namespace"], metric["MetricName"], dimensions)) or []
    return [point for point in list(found) if start <= point["Timestamp"] < end]


def _value(queries: list[Properties], start: float, end: float) -> float | None:
    """One period's value: of the metric, or of the expression that is returned."""
    values: dict[str, float | None] = {}
    for query in queries:
        if "MetricStat" in query:
            points = _points(query, start, end)
            stats = cloudwatch._calc_stats(points)
            values[query["Id"]] = cloudwatch._stat_value(stats, query["MetricStat"]["Stat"], points) if stats else None
    for query in queries:
        if "Expression" in query:
            values[query["Id"]] = evaluation.reckon(query["Expression"], values)
    return values[_returned(queries)["Id"]]


def _returned(queries: list[Properties]) -> Properties:
    return next(query for query in queries if str(query.get("ReturnData", True)).lower() != "false")


def _too_few_samples(alarm: Properties, query: Properties, start: float, end: float) -> bool:
    """A percentile of few samples leaves the alarm as it is, where the alarm says so."""
    if alarm.get("EvaluateLowSampleCountPercentile") != "ignore" or not alarm.get("ExtendedStatistic"):
        return False
    share = float(alarm["ExtendedStatistic"][1:]) / 100
    samples = cloudwatch._calc_stats(_points(query, start, end)).get("SampleCount", 0)
    return bool(0 < samples < _LOW_SAMPLES / max(1 - share, 1e-9))


def _change(alarm: Properties, wanted: str, values: list[float | None], starts: list[float]) -> None:
    old, periods = alarm["StateValue"], alarm["EvaluationPeriods"]
    seen = [(value, start) for value, start in zip(values, starts, strict=True) if value is not None][-periods:]
    needed = alarm.get("DatapointsToAlarm") or periods
    shown = ", ".join(f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for value, at in seen)
    if seen:
        reason = (
            f"Threshold Crossed: {len(seen)} out of the last {periods} datapoints [{shown}] were looked at, threshold "
            f"({alarm['Threshold']}), {alarm['ComparisonOperator']} (minimum {needed} datapoints for a transition)."
        )
    else:
        missing = alarm.get("TreatMissingData") or "missing"
        reason = f"Threshold Crossed: no datapoints were received for {periods} periods, treated as [{missing}]."
    data = {
        "version": "1.0",
        "queryDate": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000+0000",
        "recentDatapoints": [value for value, _ in seen],
        "threshold": alarm["Threshold"],
    }
    alarm.update(
        StateValue=wanted, StateReason=reason, StateReasonData=json.dumps(data), StateUpdatedTimestamp=time.time()
    )
    cloudwatch._record_history(alarm["AlarmName"], old, wanted, reason, "MetricAlarm", data)
    cloudwatch._dispatch_alarm_actions(alarm, old, wanted, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
