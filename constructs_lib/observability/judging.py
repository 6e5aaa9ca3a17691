"""Alarms that are not red before they act (lesson W3): what a condition of the stack decides of each."""

from __future__ import annotations

from typing import Final

from aws_cdk import Fn, IResolvable, Token

from constructs_lib.alarm_spec import AlarmSpec, Threshold
from constructs_lib.metric_alarm import Judging, warm_up

NEVER_REACHED: Final = 10**15
"""No number of tasks, errors, seconds or sockets is as large, nor a share; CloudFormation writes it out in full."""

NEVER_BELOW: Final = -1
"""No such number is below 0."""

_NO_VALUE: Final = {"Ref": "AWS::NoValue"}


class Gate:
    """What an alarm does while its condition is false (lesson W3): it notifies nobody, and nothing makes it red.

    Each value is asked of CDK once, however many alarms have it.
    """

    def __init__(self) -> None:
        self._enabled: dict[str, IResolvable] = {}
        self._values: dict[tuple[str, float, bool], float] = {}
        self._missing: dict[tuple[str, str], str] = {}
        self._warm_ups: dict[tuple[str, int], IResolvable] = {}

    def judging(self, spec: AlarmSpec) -> Judging:
        """How an alarm judges, whatever its condition says when it is deployed."""
        condition, threshold = spec.acts_if, spec.threshold
        if condition is None:
            return Judging(enabled=True, value=threshold.value, missing=threshold.missing, warm_up=warm_up(threshold))
        if condition not in self._enabled:
            self._enabled[condition] = Fn.condition_if(condition, True, False)
        return Judging(
            enabled=self._enabled[condition],
            value=self._value(condition, threshold),
            missing=self._missing_data(condition, threshold),
            warm_up=self._warm_up(condition, threshold),
        )

    def _value(self, condition: str, threshold: Threshold) -> float:
        low = threshold.comparison == "LessThanThreshold"
        key = (condition, threshold.value, low)
        if key not in self._values:
            never = NEVER_BELOW if low else NEVER_REACHED
            self._values[key] = Token.as_number(_either(condition, threshold.value, never))
        return self._values[key]

    def _missing_data(self, condition: str, threshold: Threshold) -> str:
        missing = threshold.missing
        if missing == "notBreaching":
            return missing
        if (condition, missing) not in self._missing:
            self._missing[condition, missing] = Token.as_string(_either(condition, missing, "notBreaching"))
        return self._missing[condition, missing]

    def _warm_up(self, condition: str, threshold: Threshold) -> IResolvable | None:
        """None before the condition is true, so that it begins then."""
        minutes = threshold.warm_up_minutes
        if not minutes:
            return None
        if (condition, minutes) not in self._warm_ups:
            said = {"WarmUpPeriodDurationInMinutes": minutes, "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True}
            self._warm_ups[condition, minutes] = Fn.condition_if(condition, said, _NO_VALUE)
        return self._warm_ups[condition, minutes]


def _either(condition: str, value: float | str, otherwise: float | str) -> dict[str, list[float | str]]:
    """As data, which CDK needs no call for."""
    return {"Fn::If": [condition, value, otherwise]}
