"""The event that CloudWatch sends when an alarm changes its state, with AWS's shape.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from local_cloud.server.emulator import Properties, cloudwatch, responses, wrap
from local_cloud.server.events import emit

_INITIAL: Final = "Unchecked: Initial alarm creation"
# By alarm: the state that it had, as an event shows it.
_states: Any = responses.AccountRegionScopedDict()


def install() -> None:
    """Whatever writes an alarm's history tells of it."""
    wrap(cloudwatch, "_record_history", _recorded)


def _recorded(
    inner: Callable[..., None], name: str, old: str, new: str, reason: str, kind: str = "MetricAlarm", data: Any = None
) -> None:
    inner(name, old, new, reason, kind, data)
    alarm = (cloudwatch._composite_alarms if kind == "CompositeAlarm" else cloudwatch._alarms)[name]
    # MiniStack keeps whole seconds. Whoever orders two changes needs what AWS gives: thousandths.
    now = round(time.time(), 3)
    alarm["StateUpdatedTimestamp"] = now
    if "StateTransitionedTimestamp" in alarm:
        alarm["StateTransitionedTimestamp"] = now
    created = alarm.get("AlarmConfigurationUpdatedTimestamp", now)
    before = _states.get(name)
    if before is None or before["value"] != old:
        before = {"value": old, "reason": _INITIAL, "timestamp": _written(min(created, now))}
    state = {"value": new, "reason": reason, "timestamp": _written(now)}
    if data is not None:
        state["reasonData"] = data if isinstance(data, str) else json.dumps(data)
    _states[name] = state
    if new == old:  # an alarm that was made now
        return
    detail = {"alarmName": name, "state": state, "previousState": before, "configuration": _configuration(alarm)}
    emit("aws.cloudwatch", "CloudWatch Alarm State Change", alarm["AlarmArn"], detail)


def _written(moment: float) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def _configuration(alarm: Properties) -> Properties:
    shown: Properties = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    if "AlarmRule" in alarm:
        return {**shown, "alarmRule": alarm["AlarmRule"]}
    queries = alarm.get("Metrics") or [
        {
            "Id": "m1",
            "ReturnData": True,
            "MetricStat": {
                "Metric": {name: alarm.get(name) for name in ("Namespace", "MetricName", "Dimensions")},
                "Period": alarm["Period"],
                "Stat": alarm.get("ExtendedStatistic") or alarm.get("Statistic"),
            },
        }
    ]
    return {**shown, "metrics": [_query(query) for query in queries]}


def _query(query: Properties) -> Properties:
    shown = {"id": query["Id"], "returnData": str(query.get("ReturnData", True)).lower() != "false"}
    if "Expression" in query:
        return {**shown, "expression": query["Expression"], "label": query.get("Label", query["Id"])}
    stat = query["MetricStat"]
    metric = stat["Metric"]
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or []}
    named = {"namespace": metric["Namespace"], "name": metric["MetricName"], "dimensions": dimensions}
    return {**shown, "metricStat": {"metric": named, "period": int(stat["Period"]), "stat": stat["Stat"]}}
