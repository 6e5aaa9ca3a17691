"""Turns alarm descriptions into CloudWatch alarms, and into one alarm of each component (lessons W3, T5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_lib.alarm_spec import AlarmSpec, Severity
from constructs_lib.metric_alarm import metric_alarm
from constructs_lib.naming import alarm_name
from constructs_lib.observability.composites import Composite, any_of, composites
from constructs_lib.observability.detection.detection_budget import check
from constructs_lib.observability.judging import Gate
from constructs_lib.observability.notification.topics import Topics
from constructs_lib.observability.runbooks import Runbooks, description

_NOWHERE: Final = Runbooks()


class Alarms(Construct):
    """The alarms of one environment (lessons W3, T5), named ``<application>/<environment>/<component>/<what>``.

    They belong in the stack of what they watch: alarm and resource come and go together, and a condition that silences
    an alarm (``AlarmSpec.acts_if``) is known in its own stack only.

    What users notice (``AlarmSpec.felt``) tells nobody by itself. A component with such alarms has a composite alarm
    ``<application>/<environment>/<component>/degraded``, which pages once for all of them, and one called ``outage``
    where some leave nothing to use, for a status page. So give all alarms of a component that are felt to one
    ``Alarms``. The other alarms are sent by themselves.

    An alarm with ``AlarmSpec.after`` depends on that resource and on nothing else: its ``DependsOn`` is written by
    logical id, and takes the place of what ``alarms.node.add_dependency(…)`` would write there; the others have it. To
    add one of your own, name them all: ``alarms.alarms[0].add_override("DependsOn", ["Scaling", "Mine"])``.

    Args:
        application: the application's name.
        environment: the environment's name.
        specs: what to watch, from ``FargateWebService.alarms`` and others.
        topics: where an alarm is sent, by its severity; its end is a notice.
        runbooks: where the runbooks can be read; each alarm ends with a link to its own. By default the file in the
            repository is named.

    Attributes:
        alarms: those of ``specs``, in the same order.

    Raises:
        ValueError: two specs have the same component and fault, one is named like a composite alarm, a name is wrong,
            more alarms of a component are felt than a composite takes, or a page may come later than 120 s after its
            fault and does not say what stands in (``AlarmSpec.slower_because``).
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        application: str,
        environment: str,
        specs: Sequence[AlarmSpec],
        topics: Topics,
        runbooks: Runbooks = _NOWHERE,
    ) -> None:
        check(specs)
        super().__init__(scope, id)
        arns: dict[Severity, str] = {"page": topics.arn("page"), "notice": topics.arn("notice")}
        said = tuple(composites(specs))
        names = [alarm_name(application, environment, spec.component, spec.what) for spec in specs]
        taken = names + [alarm_name(application, environment, one.component, one.kind) for one in said]
        for name in taken:
            if taken.count(name) > 1:
                raise ValueError(f"alarm {name!r} is described twice; give one of them another component or fault")
        gate = Gate()
        self.alarms = [self._alarm(spec, name, gate, arns, runbooks) for spec, name in zip(specs, names, strict=True)]
        made = dict(zip(names, self.alarms, strict=True))
        for one in said:
            self._composite(one, application, environment, made, arns, runbooks)

    def _alarm(
        self, spec: AlarmSpec, name: str, gate: Gate, arns: Mapping[Severity, str], runbooks: Runbooks
    ) -> cloudwatch.CfnAlarm:
        told = spec.felt is None
        alarm = metric_alarm(
            self,
            f"{spec.component}--{spec.what}",
            metric=spec.metric,
            threshold=spec.threshold,
            description=description(spec, runbooks),
            name=name,
            actions=[arns[spec.severity]] if told else (),
            ended=[arns["notice"]] if told else (),
            judging=gate.judging(spec),
        )
        if spec.after is not None:
            alarm.add_override("DependsOn", [spec.after])
        return alarm

    def _composite(
        self,
        one: Composite,
        application: str,
        environment: str,
        made: Mapping[str, cloudwatch.CfnAlarm],
        arns: Mapping[Severity, str],
        runbooks: Runbooks,
    ) -> None:
        """It has no condition: what waits for one is not red. A release may change alarms by name, and no composite."""
        names = [alarm_name(application, environment, one.component, fault) for fault in one.faults]
        alarm = cloudwatch.CfnCompositeAlarm(
            self,
            f"{one.component}--{one.kind}",
            alarm_name=alarm_name(application, environment, one.component, one.kind),
            alarm_description=f"{'[page] ' if one.pages else ''}{one.meaning} Runbook: {runbooks.place(one.kind)}",
            alarm_rule=any_of(names),
            alarm_actions=[arns["page"]] if one.pages else None,
            ok_actions=[arns["notice"]] if one.pages else None,
        )
        # CloudWatch refuses a rule that names an alarm which is not there yet, and names are no references.
        alarm.node.add_dependency(*(made[name] for name in names))
