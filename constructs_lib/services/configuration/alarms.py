"""What is watched of the last good copy, as data (lesson T2). Standard library only."""

from __future__ import annotations

from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.checks import whole_number

NAMESPACE: Final = "Moorings"
METRIC: Final = "CopyAgeMinutes"

EVERY_MINUTES: Final = 5
"""How often the copy is confirmed."""

_READINGS: Final = 3
"""So many in a row: one run may be late or lost, and no data is a fault here."""


def copy_alarm(
    *, component: str, application: str, environment: str, profile: str, notice_after_minutes: int
) -> AlarmSpec:
    """A notice: the copy that new tasks fall back to has not been confirmed for so long, or nobody knows.

    Three readings must be over the threshold. The age grows by five minutes from one to the next, so the threshold is
    ten minutes lower than the age at which the third one tells. Nobody is woken: services go on, and only a task that
    starts while AppConfig is down sees how old the copy is.

    Args:
        component: the service that the notice speaks for.
        application: a dimension of the metric.
        environment: a dimension of the metric.
        profile: a dimension of the metric, ``Configuration``.
        notice_after_minutes: how old the copy is then, 15 to 1440.

    Raises:
        ValueError: a number out of its range.
    """
    whole_number(
        "notice_after_minutes",
        notice_after_minutes,
        low=EVERY_MINUTES * _READINGS,
        high=1440,
        fix=f"the copy is confirmed every {EVERY_MINUTES} minutes, and {_READINGS} readings must agree",
    )
    names = {"Application": application, "Environment": environment, "Configuration": profile}
    return AlarmSpec(
        component=component,
        what="configuration-copy",
        meaning=f"The last good copy of the configuration is {notice_after_minutes} minutes old, or nobody knows how "
        "old. Running tasks go on. New tasks start with what the copy has while AppConfig does not answer. Look at the "
        "log of the function that copies, and at AppConfig.",
        severity="notice",
        metric=Metric(
            namespace=NAMESPACE,
            name=METRIC,
            dimensions=names,
            statistic="Maximum",
            period_seconds=EVERY_MINUTES * 60,
        ),
        threshold=Threshold(
            value=notice_after_minutes - EVERY_MINUTES * (_READINGS - 1),
            periods=_READINGS,
            out_of=_READINGS,
            missing="breaching",
            warm_up_minutes=EVERY_MINUTES * _READINGS,
            missing_because="silence is the fault: nobody knows how old the copy is",
        ),
        fault_seconds=EVERY_MINUTES * 60,
    )
