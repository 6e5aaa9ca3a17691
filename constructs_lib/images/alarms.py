"""What is watched of images in use, as data (lessons Q2, Q4). Standard library only.

The guard's metrics have data only when it scans: every 15 minutes by default, and at events. So a period without data
says nothing about the images, and the alarms keep their state until the next scan (``ignore``); with ``notBreaching``
they would say OK a minute later, though the image is still missing. That the scans themselves go on is watched by an
alarm of its own, for which silence is the fault. An hour of silence: so for its first hour it judges nothing, and is
not red before the first scan.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold

NAMESPACE: Final = "Moorings"
"""CloudWatch's namespace of the guard's metrics."""

COMPONENT: Final = "images"
"""What the alarms speak for."""

_SILENT_PERIOD: Final = 300
_SILENT_MINUTES: Final = 60
_BETWEEN_SCANS: Final = "the guard tells only when it scans, so between two scans nothing is known anew"
_TWICE: Final = Threshold(value=1, periods=2, out_of=2, missing="ignore", missing_because=_BETWEEN_SCANS)


def guard_alarms(*, application: str, environment: str, interval_minutes: int) -> tuple[AlarmSpec, ...]:
    """One page and three notices.

    Args:
        application: a dimension of the metrics.
        environment: a dimension of the metrics.
        interval_minutes: how often the guard scans at least.
    """
    metric = partial(Metric, namespace=NAMESPACE, dimensions={"Application": application, "Environment": environment})
    alarm = partial(AlarmSpec, component=COMPONENT)
    until_scanned = interval_minutes * 60
    # One scan in each period at least. Minimum: it was so in every scan of the period, so what the next scan mends is
    # no alarm.
    lasting = partial(metric, statistic="Minimum", period_seconds=until_scanned)
    return (
        alarm(
            what="missing-image",
            meaning="Something that AWS can start refers to an image that is missing or cannot be pulled: the next "
            "task will not start. The guard's log names it; push it again, or release another one.",
            severity="page",
            metric=metric(name="ImagesMissing", statistic="Maximum"),
            threshold=Threshold(value=1, missing="ignore", missing_because=_BETWEEN_SCANS),
            fault_seconds=until_scanned,
            slower_because="ECR's event of a deletion starts a scan; ECS's event tells of a task that cannot pull",
        ),
        alarm(
            what="image-at-risk",
            meaning="An image in use has had no pin for two scans, so a lifecycle policy could delete it. The guard's "
            "log says why; perhaps its repository lets no pin move.",
            severity="notice",
            metric=lasting(name="ImagesAtRisk"),
            threshold=_TWICE,
            fault_seconds=until_scanned,
        ),
        alarm(
            what="scan-incomplete",
            meaning="For two scans the guard could not read everything that refers to images. It pins what it knows "
            "and frees nothing. Its log names the gaps.",
            severity="notice",
            metric=lasting(name="ScanIncomplete"),
            threshold=_TWICE,
            fault_seconds=until_scanned,
        ),
        alarm(
            what="guard-silent",
            meaning="The guard has not finished a scan for an hour. Images that are pinned stay; what is released now "
            "is not pinned. Look at the errors in its log.",
            severity="notice",
            metric=metric(name="ScanIncomplete", statistic="Minimum", period_seconds=_SILENT_PERIOD),
            # No value is below 0: only missing data counts. Twelve short periods and not one of an hour, because
            # CloudWatch looks some periods further back before it calls data missing.
            threshold=Threshold(
                value=0,
                comparison="LessThanThreshold",
                periods=_SILENT_MINUTES * 60 // _SILENT_PERIOD,
                out_of=_SILENT_MINUTES * 60 // _SILENT_PERIOD,
                missing="breaching",
                warm_up_minutes=_SILENT_MINUTES,
                missing_because="silence is the fault: a guard that does not scan keeps nothing new",
            ),
        ),
    )
