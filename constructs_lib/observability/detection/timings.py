"""The one set of numbers from a fault to a page (lesson W3). Standard library only.

AWS documents one of them. The others are assumed: no AWS page gives them, and each says what it rests on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import whole_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long one step may take, and who says so (lesson W3).

    Args:
        step: what takes the time.
        seconds: the longest.
        documented: whether an AWS page says it; if not, it is assumed.
        source: where it is said, or what the assumption rests on.

    Raises:
        ValueError: seconds below 0.
    """

    step: str
    seconds: int
    documented: bool
    source: str

    def __post_init__(self) -> None:
        whole_number("seconds", self.seconds, low=0, high=86_400, fix="pass whole seconds")


TARGET_SECONDS: Final = 120
"""A page that may come later than this after its fault must say why, and what tells sooner."""

MINUTE: Final = 60
"""Metrics of AWS's services have one value a minute, and an alarm with a period of a minute or more is judged once a
minute."""

_WINDOW: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html"
_EVALUATION: Final = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html"

ALIGNMENT: Final = Timing(
    step="alignment: until the first period that lies behind the fault as a whole",
    seconds=MINUTE,
    documented=True,
    source=f"{_WINDOW} (the window slides with each evaluation)",
)
"""Of alarms whose period is shorter than a minute: one period."""

PUBLICATION: Final = Timing(
    step="publication: until CloudWatch can read a period that is over",
    seconds=60,
    documented=False,
    source="no AWS page says. Public tools wait one to two minutes before they trust a minute of a load balancer "
    "(https://github.com/influxdata/telegraf/issues/10134, https://github.com/Netflix/atlas/pull/1300)",
)

EVALUATION: Final = Timing(
    step="evaluation: until the alarm is judged again",
    seconds=MINUTE,
    documented=True,
    source=_EVALUATION,
)

FAST_EVALUATION: Final = Timing(
    step="evaluation of an alarm whose period is shorter than a minute",
    seconds=10,
    documented=True,
    source=_EVALUATION,
)

COMPOSITE: Final = Timing(
    step="composite: until the component's alarm follows the one below it",
    seconds=5,
    documented=False,
    source="no AWS page says",
)

DELIVERY: Final = Timing(
    step="delivery: from the alarm through SNS to whoever is paged",
    seconds=5,
    documented=False,
    source="no AWS page says; a report has it within seconds "
    "(https://cloudaffaire.com/aws/delay-in-aws-cloudwatch-alarm-state-change/)",
)

TIMINGS: Final = (ALIGNMENT, PUBLICATION, EVALUATION, FAST_EVALUATION, COMPOSITE, DELIVERY)
