"""From a fault to the page, in seconds: usually, and at worst (lesson W3). Standard library only.

``worst = fault + alignment + periods + publication + evaluation + composite + delivery``. Usually each wait of which
nobody knows the beginning is half as long. The numbers are those of
:mod:`constructs_lib.observability.detection.timings`, and some of them are assumed.

Silence is another fault than a wrong value. CloudWatch looks further back than the alarm's periods before it calls data
missing, by how much no AWS page says (https://github.com/awsdocs/amazon-cloudwatch-user-guide/issues/102): an alarm on
silence alone may come some periods later than reckoned here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.checks import invalid, whole_number
from constructs_lib.observability.detection.timings import (
    COMPOSITE,
    DELIVERY,
    EVALUATION,
    FAST_EVALUATION,
    MINUTE,
    PUBLICATION,
    TARGET_SECONDS,
)

_MOST_OF_ALL: Final = 1
"""No share is larger, so no fault is twice a threshold of more than the half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One term of a budget, in seconds (lesson W3).

    Args:
        usual: how long it mostly is.
        worst: the longest.

    Raises:
        ValueError: less than 0, or more usually than at worst.
    """

    usual: int
    worst: int

    def __post_init__(self) -> None:
        whole_number("worst", self.worst, low=0, high=10**9, fix="pass whole seconds")
        whole_number("usual", self.usual, low=0, high=self.worst, fix="usually it is no longer than at worst")


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionBudget:
    """How long a page takes after its fault; make one with :meth:`of` (lesson W3).

    Args:
        fault: until the metric shows the fault, such as a health check's interval times its count.
        alignment: until the first period that lies behind the fault as a whole; 0 where a part of one is enough.
        periods: the periods that must be wrong.
        publication: until CloudWatch can read a period that is over.
        evaluation: until the alarm is judged again.
        composite: until the component's alarm follows, where that one pages.
        delivery: from the alarm to whoever is paged.
    """

    fault: Wait
    alignment: Wait
    periods: Wait
    publication: Wait
    evaluation: Wait
    composite: Wait
    delivery: Wait

    @classmethod
    def of(cls, spec: AlarmSpec) -> DetectionBudget:
        """The budget of an alarm, for a fault that lasts; of a count or share, one of at least twice the threshold."""
        period = spec.metric.period_seconds
        whole, step = period * spec.threshold.periods, min(period, MINUTE)
        alignment, periods = _unknown(step), _known(whole)
        if part_is_enough(spec):
            first = step if _one_reading_is_enough(spec) else period
            begun = whole - period + first
            sure = spec.threshold.missing != "breaching"
            alignment = Wait(usual=0, worst=0 if sure else step)
            periods = Wait(usual=begun - first // 2, worst=begun if sure else whole)
        return cls(
            fault=_known(spec.fault_seconds),
            alignment=alignment,
            periods=periods,
            publication=_unknown(PUBLICATION.seconds),
            evaluation=_unknown((FAST_EVALUATION if period < MINUTE else EVALUATION).seconds),
            composite=_known(COMPOSITE.seconds if spec.felt else 0),
            delivery=_known(DELIVERY.seconds),
        )

    @property
    def waits(self) -> dict[str, Wait]:
        """Every term by its name, in the order in which they pass."""
        return {
            "fault": self.fault,
            "alignment": self.alignment,
            "periods": self.periods,
            "publication": self.publication,
            "evaluation": self.evaluation,
            "composite": self.composite,
            "delivery": self.delivery,
        }

    @property
    def usual_seconds(self) -> int:
        """From the fault to the page, mostly."""
        return sum(wait.usual for wait in self.waits.values())

    @property
    def worst_seconds(self) -> int:
        """The longest from the fault to the page."""
        return sum(wait.worst for wait in self.waits.values())

    @property
    def sentence(self) -> str:
        """The arithmetic of the worst case, without what takes no time."""
        told = " + ".join(f"{name} {wait.worst}" for name, wait in self.waits.items() if wait.worst)
        return f"{told} = {self.worst_seconds} s at worst, {self.usual_seconds} s usually"


def part_is_enough(spec: AlarmSpec) -> bool:
    """Whether a period that is not over, or had begun before the fault, can already be wrong.

    A sum, a number of samples and a maximum only grow while a period goes on, and a minimum only falls: once they are
    beyond the threshold they stay there. So does a share, as long as the fault lasts. A mean and a percentile begin
    with what was before the fault. Where missing data are a fault too, only a whole period shows that there were none:
    that is the worst case then, and the value the usual one.

    Of counts and shares: a fault of at least twice the threshold, with none before it, makes ``n`` periods wrong within
    the time of ``n``, wherever in a period it begins. A smaller one can take a period more.
    """
    metric, threshold = spec.metric, spec.threshold
    if metric.per and threshold.value > _MOST_OF_ALL / 2:
        return False
    if threshold.comparison == "LessThanThreshold":
        return metric.statistic == "Minimum" and not metric.per
    return metric.statistic in ("Maximum", "SampleCount", "Sum")


def check(specs: Iterable[AlarmSpec]) -> None:
    """Refuses a page that may come too late and does not say why.

    Raises:
        ValueError: a page may come more than 120 s after its fault, and has no ``slower_because``.
    """
    for spec in specs:
        budget = DetectionBudget.of(spec)
        if spec.severity == "page" and spec.slower_because is None and budget.worst_seconds > TARGET_SECONDS:
            raise invalid(
                f"slower_because of {spec.component}/{spec.what}",
                spec.slower_because,
                f"a sentence, because its page may come later than {TARGET_SECONDS} s after the fault "
                f"({budget.sentence})",
                "say what tells of the fault sooner, or that nothing does; or make it a notice",
            )


def _one_reading_is_enough(spec: AlarmSpec) -> bool:
    """Whether the first value beyond the threshold decides a period, however long it is: the window slides."""
    return not spec.metric.per and (spec.metric.statistic in ("Maximum", "Minimum") or spec.threshold.value <= 1)


def _known(seconds: int) -> Wait:
    return Wait(usual=seconds, worst=seconds)


def _unknown(seconds: int) -> Wait:
    """A wait that has begun nobody knows when: half of it on average."""
    return Wait(usual=seconds // 2, worst=seconds)
