"""What is said of a service, as log lines; metrics in CloudWatch's embedded metric format. Standard library only.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from .comparison import Comparison
from .settings import Settings
from .verdict import Verdict

NAMESPACE: Final = "Moorings"
CHANGE: Final = "SocketsPerRequestChange"
UNKNOWN: Final = "SocketComparisonsUnknown"
FAILED: Final = "SocketComparisonsFailed"

_LONGEST: Final = 300  # characters of an error


def line(settings: Settings, service: str, said: Verdict, *, at: datetime) -> str:
    """One service: the comparison with its metric, or why there is none and no metric."""
    images = {"image": said.image, "before": said.before}
    if said.comparison is None:
        message = "not known yet" if said.waits else "nothing to compare"
        return json.dumps({"message": message, "service": service, "why": said.why, **images})
    found = said.comparison
    names = {"Application": settings.application, "Environment": settings.environment, "Service": service}
    told = {
        "message": _message(found, settings.threshold),
        "words": words(service, found),
        **images,
        "traffic": round(found.traffic, 3),
    }
    return _metrics(names, {CHANGE: (round(found.change, 3), "None")}, told, at=at)


def _message(found: Comparison, threshold: float) -> str:
    """As the alarm says of the rounded metric."""
    if round(found.change, 3) >= threshold:
        return "more sockets than before the release"
    if round(found.rise, 3) >= threshold:
        return f"more sockets, explained by {_response_times(found)}"
    return "as before the release, or fewer sockets"


def words(service: str, found: Comparison) -> str:
    """The comparison as one sentence."""
    minutes = (found.ends - found.begins).total_seconds() / 60
    told = found.rise > 1 and f"{found.rise - found.change:.2f}"
    explained = f"; {told} of the rise are explained by {_response_times(found)}" if told and told != "0.00" else ""
    hours = f"{found.begins:%Y-%m-%d %H:%M} to {found.ends:%H:%M} UTC"
    return (
        f"{service} has {found.change:.2f} times the sockets: in {minutes:.0f} minutes, {hours}, each task had "
        f"{_rate(found.after.sockets, found.after.requests)} socket minutes a request, and "
        f"{_rate(found.before.sockets, found.before.requests)} at the same hours {found.days} "
        f"{'day' if found.days == 1 else 'days'} earlier, before the release; the sockets themselves are "
        f"{found.sockets:.2f} times as many{explained}"
    )


def failure(service: str, why: str) -> str:
    """A service that could not be read."""
    return json.dumps({"message": "could not be compared", "service": service, "why": " ".join(why.split())[:_LONGEST]})


def totals(settings: Settings, *, unknown: int, failed: int, at: datetime) -> str:
    """How many services could not be compared yet, and how many could not be read."""
    names = {"Application": settings.application, "Environment": settings.environment}
    return _metrics(names, {UNKNOWN: (unknown, "Count"), FAILED: (failed, "Count")}, {}, at=at)


def _response_times(found: Comparison) -> str:
    before, after = found.before.response_seconds or 0, found.after.response_seconds or 0
    return f"response time {_seconds(before)} -> {_seconds(after)}"


def _seconds(time: float) -> str:
    return f"{time:.1f} s" if time >= 0.1 else f"{time:.3f} s"


def _rate(sockets: float, requests: float) -> str:
    return f"{sockets / requests:.4f}"


def _metrics(
    names: Mapping[str, str], values: Mapping[str, tuple[float, str]], told: Mapping[str, object], *, at: datetime
) -> str:
    described = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(names)],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
    }
    meta = {"Timestamp": int(at.timestamp() * 1000), "CloudWatchMetrics": [described]}
    return json.dumps({"_aws": meta, **names, **{name: value for name, (value, _) in values.items()}, **told})
