"""Turns alarm descriptions into CloudWatch alarms (lesson W3)."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Fn, IResolvable
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.metric_alarm import metric_alarm
from constructs_lib.naming import alarm_name


class Alarms(Construct):
    """The alarms of one environment (lesson W3), named ``<application>/<environment>/<component>/<what>``.

    They belong in the stack of what they watch: alarm and resource come and go together, and a condition that silences
    an alarm (``AlarmSpec.acts_if``) is known in its own stack only.

    Args:
        application: the application's name.
        environment: the environment's name.
        specs: what to watch, from ``FargateWebService.alarms`` and others.
        topic: where an alarm and its end are sent.

    Raises:
        ValueError: two specs have the same component and fault, or a name is wrong.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        specs: Sequence[AlarmSpec],
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        topic_arn = topic.topic_arn
        conditions = sorted({spec.acts_if for spec in specs if spec.acts_if is not None})
        self._acts: dict[str | None, bool | IResolvable] = {None: True}
        self._acts |= {condition: Fn.condition_if(condition, True, False) for condition in conditions}
        names = [alarm_name(application, environment, spec.component, spec.what) for spec in specs]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"alarm {name!r} is described twice; give one of them another component or fault")
        self.alarms = [self._alarm(spec, name, topic_arn) for spec, name in zip(specs, names, strict=True)]

    def _alarm(self, spec: AlarmSpec, name: str, topic_arn: str) -> cloudwatch.CfnAlarm:
        return metric_alarm(
            self,
            f"{spec.component}--{spec.what}",
            metric=spec.metric,
            threshold=spec.threshold,
            description=f"[{spec.severity}] {spec.meaning}",
            name=name,
            actions=[topic_arn],
            actions_enabled=self._acts[spec.acts_if],
            missing=_missing(spec),
        )


def _missing(spec: AlarmSpec) -> str:
    missing = spec.threshold.missing
    if spec.acts_if is None or missing == "notBreaching":
        return missing
    return Fn.condition_if(spec.acts_if, missing, "notBreaching").to_string()
