"""CloudWatch, as far as it keeps samples and gives them back: statistics, periods, pages, odd answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.fake_aws.core import Fault, Params

POINTS_A_CALL = 100_800
QUERIES_A_CALL = 500

Series = tuple[str, str, frozenset[tuple[str, str]]]


class FakeMetrics:
    """Samples of metrics, by the minute.

    Attributes:
        page: how many points an answer holds at most.
        status: what is said of a metric, by its name, once all its points are given; ``Complete`` by default.
        asked: how many metrics were asked for, which is what CloudWatch counts.
    """

    name = "cloudwatch"

    def __init__(self) -> None:
        self.page = POINTS_A_CALL
        self.status: dict[str, str] = {}
        self.asked = 0
        self._samples: dict[Series, dict[int, list[float]]] = {}

    def put(self, namespace: str, name: str, dimensions: Mapping[str, str], at: datetime, *values: float) -> None:
        """Samples of one minute, each from another sender."""
        minute = int(at.timestamp()) // 60 * 60
        key = (namespace, name, frozenset(dimensions.items()))
        self._samples.setdefault(key, {}).setdefault(minute, []).extend(values)

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response. Points are given query by query; a page may end in the middle of one."""
        if operation != "GetMetricData":
            raise Fault("AccessDenied", operation, 403)
        queries = params["MetricDataQueries"]
        if len(queries) > QUERIES_A_CALL:
            raise Fault("ValidationError", f"at most {QUERIES_A_CALL} queries, got {len(queries)}")
        self.asked += len(queries)
        start, skipped = int(params.get("NextToken", 0)), 0
        room, results = min(self.page, params.get("MaxDatapoints", POINTS_A_CALL)), []
        for query in queries:
            points = self._points(query["MetricStat"], params["StartTime"], params["EndTime"])
            first = min(max(start - skipped, 0), len(points))
            part = points[first : first + room]
            room, skipped = room - len(part), skipped + len(points)
            done = first + len(part) == len(points)
            name = query["MetricStat"]["Metric"]["MetricName"]
            results.append(
                {
                    "Id": query["Id"],
                    "Label": name,
                    "Timestamps": [at for at, _ in part],
                    "Values": [value for _, value in part],
                    "StatusCode": self.status.get(name, "Complete") if done else "PartialData",
                }
            )
        given = start + sum(len(result["Values"]) for result in results)
        more = {"NextToken": str(given)} if given < skipped else {}
        return {"MetricDataResults": results, "Messages": [], **more}

    def _points(self, stat: Mapping[str, Any], start: float, end: float) -> list[tuple[int, float]]:
        metric, period = stat["Metric"], stat["Period"]
        dimensions = frozenset((one["Name"], one["Value"]) for one in metric.get("Dimensions", ()))
        samples = self._samples.get((metric["Namespace"], metric["MetricName"], dimensions), {})
        found: dict[int, list[float]] = {}
        for minute, values in samples.items():
            if start <= minute < end:
                found.setdefault(minute // period * period, []).extend(values)
        return [(at, _statistic(stat["Stat"], found[at])) for at in sorted(found)]


def _statistic(name: str, values: list[float]) -> float:
    known = {"Sum": sum(values), "Average": sum(values) / len(values), "Maximum": max(values), "Minimum": min(values)}
    return float({**known, "SampleCount": len(values)}[name])
