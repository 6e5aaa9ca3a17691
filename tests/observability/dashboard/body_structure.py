"""AWS's structure of a dashboard's body, written down by hand, as far as ours uses it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

FIELDS: dict[str, set[str]] = {
    "text": {"markdown", "background"},
    "alarm": {"alarms", "sortBy", "states", "title"},
    "log": {"region", "title", "query", "view", "accountId"},
    "metric": {
        *("annotations", "liveData", "legend", "metrics", "period", "region", "stacked", "stat", "table"),
        *("timezone", "title", "view", "yAxis", "accountId", "sparkline"),
    },
}
NEEDED: dict[str, set[str]] = {
    "text": {"markdown"},
    "alarm": {"alarms"},
    "log": {"region", "query"},
    "metric": {"region"},
}
RENDERING = {"color", "label", "period", "stat", "visible", "yAxis", "id", "region", "expression"}
STATISTIC = re.compile(r"SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d{1,2})?")
EXPRESSION = re.compile(r"[a-z]\w*(\+[a-z]\w*)*")

METRICS: dict[str, set[str]] = {
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    "AWS/ApplicationELB": {
        *("RequestCount", "HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_504_Count", "HTTPCode_Target_5XX_Count"),
        *("TargetConnectionErrorCount", "RejectedConnectionCount", "TargetResponseTime", "HealthyHostCount"),
    },
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
    "AWS/ECS": {"CPUUtilization", "MemoryUtilization"},
    # Of ours: the guard's report, the release gap and the agent beside a task.
    "Moorings": {"ImagesInUse", "ImagesAtRisk", "ImagesMissing", "BuildsBehind", "DaysBehind"},
    "Moorings/Sockets": {
        *("SocketsEstablished", "SocketsTimeWait", "SocketsCloseWait", "SocketsSynSent"),
        *("SocketsFinWait1", "SocketsFinWait2", "SocketsLastAck", "SocketsClosing"),
    },
}
DIMENSIONS: dict[str, set[frozenset[str]]] = {
    "AWS/ApplicationELB": {
        frozenset({"LoadBalancer"}),
        frozenset({"LoadBalancer", "TargetGroup"}),
        frozenset({"LoadBalancer", "TargetGroup", "AvailabilityZone"}),
    },
    "AWS/ECS": {frozenset({"ClusterName", "ServiceName"})},
    "Moorings": {frozenset({"Application", "Environment"}), frozenset({"Application", "Environment", "Service"})},
    "Moorings/Sockets": {frozenset({"Application", "Environment", "Service"})},
}
ON_THE_BALANCER = {"HTTPCode_ELB_5XX_Count", "HTTPCode_ELB_504_Count", "RejectedConnectionCount"}
"""They have no dimension TargetGroup; the others of the load balancer's that we show have it."""


def problems(body: Any) -> list[str]:
    """What AWS would refuse, or show empty."""
    found = [f"unknown at the top: {field}" for field in set(body) - {"widgets", "start", "end", "periodOverride"}]
    if not re.fullmatch(r"-PT\d+[MH]|-P\d+[DWM]", body.get("start", "-PT1H")):
        found.append(f"start {body['start']}")
    widgets = body["widgets"]
    if len(widgets) > 500:
        found.append("more than 500 widgets")
    for widget in widgets:
        found += [f"{widget['properties'].get('title')}: {text}" for text in _widget(widget)]
    found += [f"overlap: {one} and {other}" for one, other in combinations(widgets, 2) if overlap(one, other)]
    return found


def overlap(one: Any, other: Any) -> bool:
    """Whether two widgets share a field of the grid."""
    beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
    return not beside and not below


def _widget(widget: Any) -> list[str]:
    kind = widget.get("type")
    if kind not in FIELDS:
        return [f"unknown type {kind}"]
    found = [f"unknown {field}" for field in set(widget) - {"type", "x", "y", "width", "height", "properties"}]
    if not (widget["x"] >= 0 and widget["width"] >= 1 and widget["x"] + widget["width"] <= 24):
        found.append("beyond the 24 columns")
    if not (widget["y"] >= 0 and 1 <= widget["height"] <= 1000):
        found.append("wrong height")
    shown = widget["properties"]
    found += [f"unknown {field}" for field in set(shown) - FIELDS[kind]]
    found += [f"missing {field}" for field in NEEDED[kind] - set(shown)]
    if kind == "alarm":
        found += _alarms(shown)
    if kind == "log":
        found += _log(shown)
    return found + (_metric(shown) if kind == "metric" else [])


def _alarms(shown: Any) -> list[str]:
    found = [] if 1 <= len(shown["alarms"]) <= 100 else ["1 to 100 alarms"]
    if shown.get("sortBy", "default") not in ("default", "stateUpdatedTimestamp", "timestamp"):
        found.append("sortBy")
    if not set(shown.get("states", [])) <= {"ALARM", "INSUFFICIENT_DATA", "OK"}:
        found.append("states")
    return found


def _log(shown: Any) -> list[str]:
    found = [] if re.match(r"SOURCE '[^']+' \| ", shown["query"]) else ["a query begins with its SOURCE"]
    return found + ([] if shown.get("view", "table") in ("table", "timeSeries", "bar", "pie") else ["view"])


def _metric(shown: Any) -> list[str]:
    notes = shown.get("annotations", {})
    if "alarms" in notes:
        wrong = "metrics" in shown or set(notes) != {"alarms"} or len(notes["alarms"]) != 1
        return ["an alarm's graph has one alarm and nothing else"] if wrong else []
    if not 1 <= len(shown.get("metrics", [])) <= 500:
        return ["1 to 500 metrics"]
    found = []
    if shown.get("period", 300) < 60 or shown.get("period", 300) % 60:
        found.append("a period is whole minutes")
    if set(shown.get("yAxis", {})) - {"left", "right"}:
        found.append("yAxis")
    for line in notes.get("horizontal", []):
        if not isinstance(line["value"], int | float) or not re.fullmatch("#[0-9a-f]{6}", line["color"]):
            found.append("a line across")
        if line.get("fill", "none") not in ("above", "below", "none"):
            found.append("fill")
    ids: set[str] = set()
    for line in shown["metrics"]:
        found += _line(line, ids)
    return found


def _line(line: list[Any], ids: set[str]) -> list[str]:
    *named, last = line
    if not isinstance(last, dict) or set(last) - RENDERING:
        return [f"wrong rendering {last}"]
    if "id" in last:
        if last["id"] in ids or not re.fullmatch(r"[a-z]\w*", last["id"]):
            return [f"wrong id {last['id']}"]
        ids.add(last["id"])
    if not named:
        known = EXPRESSION.fullmatch(last["expression"]) and set(last["expression"].split("+")) <= ids
        return [] if known else [f"wrong expression {last['expression']}"]
    namespace, metric, *pairs = named
    if metric not in METRICS.get(namespace, set()):
        return [f"no metric {namespace} {metric}"]
    if len(pairs) % 2 or frozenset(pairs[::2]) not in DIMENSIONS[namespace] or not all(pairs[1::2]):
        return [f"wrong dimensions of {metric}: {pairs}"]
    if namespace == "AWS/ApplicationELB" and (metric in ON_THE_BALANCER) == ("TargetGroup" in pairs[::2]):
        return [f"{metric} has no such dimensions: {pairs[::2]}"]
    return [] if STATISTIC.fullmatch(last["stat"]) else [f"wrong statistic {last['stat']}"]
