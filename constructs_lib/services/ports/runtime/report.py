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
    change = round(found.change, 3)
    wrong = change >= settings.threshold  # as the alarm says of the rounded metric
    names = {"Application": settings.application, "Environment": settings.environment, "Service": service}
    told = {
        "message": "more sockets than before the release" if wrong else "as before the release, or fewer sockets",
        "words": words(service, found),
        **images,
        "traffic": round(found.traffic, 3),
    }
    return _metrics(names, {CHANGE: (change, "None")}, told, at=at)


def words(service: str, found: Comparison) -> str:
    """The comparison as one sentence."""
    minutes = (found.ends - found.begins).total_seconds() / 60
    hours = f"{found.begins:%Y-%m-%d %H:%M} to {found.ends:%H:%M} UTC"
    return (
        f"{service} has {found.change:.2f} times the sockets: in {minutes:.0f} minutes, {hours}, each task had "
        f"{_rate(found.after.sockets, found.after.requests)} socket minutes a request, and "
        f"{_rate(found.before.sockets, found.before.requests)} at the same hours {found.days} "
        f"{'day' if found.days == 1 else 'days'} earlier, before the release; the sockets themselves are "
        f"{found.sockets:.2f} times as many"
    )


def failure(service: str, why: str) -> str:
    """A service that could not be read."""
    return json.dumps({"message": "could not be compared", "service": service, "why": " ".join(why.split())[:_LONGEST]})


def totals(settings: Settings, *, unknown: int, failed: int, at: datetime) -> str:
    """How many services could not be compared yet, and how many could not be read."""
    names = {"Application": settings.application, "Environment": settings.environment}
    return _metrics(names, {UNKNOWN: (unknown, "Count"), FAILED: (failed, "Count")}, {}, at=at)


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
