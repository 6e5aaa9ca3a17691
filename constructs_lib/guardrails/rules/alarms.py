"""Which metric of which resource the alarms of an assembly watch, and whether they tell anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from constructs_lib.guardrails.rules.alarm_actions import silence
from constructs_lib.guardrails.rules.watchers import in_all_worlds, listed, look
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import ResourceKey, named_in
from constructs_lib.guardrails.templates.values import Reference, Text, as_text

ALARM: Final = "AWS::CloudWatch::Alarm"

_ARNS: Final = {
    "AWS::ECS::Service": ("Ref", "ServiceArn"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": ("Ref", "LoadBalancerArn"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Ref", "TargetGroupArn"),
}
"""What gives an ARN, where a dimension is a name: such an alarm stays without data."""

_ELSEWHERE: Final = ("AWS::CloudFormation::", "AWS::Serverless::Application", "AWS::SSM::", "Custom::")
"""What may give the name of any resource."""

_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What a rule wants to be watched (lesson W3).

    Args:
        metrics: any of these.
        dimension: the dimension that tells whose metric it is.
        resources: what the dimension may name.
        value: the identity of the dimension's value; empty where CloudFormation makes it up.
        known: whether that is the value itself.
        rising: whether an alarm that goes off below its threshold does not count.
    """

    metrics: Sequence[str]
    dimension: str
    resources: Sequence[Resource]
    value: str = ""
    known: bool = False
    rising: bool = False


def unwatched(subject: Node, wanted: Watched) -> str | None:
    """Why nobody is told, in words that follow a comma; None when an alarm tells that the defaults make exist.

    Raises:
        NotKnown: an alarm may watch it, and none surely does.
    """
    index = subject.world.assembly.remember(_index)
    watches = [watch for watch in index.sure(wanted) if not (wanted.rising and watch.falling)]
    if any(not watch.silent for watch in watches):
        return None
    for watch in index.possible(wanted):
        if not watch.silent and not (wanted.rising and watch.falling):
            why = f"alarm {watch.alarm!r} may watch it or not, as its {wanted.dimension} is known only when deployed"
            raise NotKnown(subject, why)
    if watches:
        return f"alarm {watches[0].alarm!r} watches it, but {watches[0].silent}"
    return "no alarm of the templates watches it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """An alarm on a metric; ``silent`` is why it tells nobody, and empty when it tells."""

    alarm: str
    silent: str
    falling: bool


@dataclass(slots=True)
class _Index:
    """Alarms by the metric, the dimension and its value."""

    by_resource: dict[tuple[str, str, ResourceKey], list[_Watch]] = field(default_factory=dict)
    by_value: dict[tuple[str, str, str], list[_Watch]] = field(default_factory=dict)
    literal: dict[tuple[str, str], list[_Watch]] = field(default_factory=dict)
    unknown: dict[tuple[str, str], list[_Watch]] = field(default_factory=dict)
    of_all: dict[str, list[_Watch]] = field(default_factory=dict)
    """By the words of queries and expressions, for all resources."""

    def sure(self, wanted: Watched) -> Iterator[_Watch]:
        """Alarms that watch it."""
        for metric in wanted.metrics:
            yield from self.of_all.get(metric, ())
            for resource in wanted.resources:
                key = resource.template.number, resource.logical_id
                yield from self.by_resource.get((metric, wanted.dimension, key), ())
            if wanted.value:
                yield from self.by_value.get((metric, wanted.dimension, wanted.value), ())

    def possible(self, wanted: Watched) -> Iterator[_Watch]:
        """Alarms that may watch it."""
        for metric in wanted.metrics:
            yield from self.unknown.get((metric, wanted.dimension), ())
            yield from self.unknown.get((metric, ""), ())
            yield from () if wanted.known else self.literal.get((metric, wanted.dimension), ())


def _index(assembly: Assembly) -> _Index:
    index = _Index()
    for alarm in in_all_worlds(assembly, ALARM):
        properties = look(alarm, "Properties")
        name, silent = alarm.resource.logical_id, silence(alarm)
        _add_metric(index, _Watch(alarm=name, silent=silent, falling=_falls(properties)), properties)
        watch = _Watch(alarm=name, silent=silent, falling=False)
        for query in listed(look(properties, "Metrics")):
            _add_metric(index, watch, look(query, "MetricStat", "Metric"))
            _add_words(index, watch, look(query, "Expression"))
    return index


def _add_metric(index: _Index, watch: _Watch, metric: Node | None) -> None:
    name = look(metric, "MetricName")
    text = None if name is None else as_text(name.value)
    for dimension in listed(look(metric, "Dimensions")) if text else ():
        kind, value = look(dimension, "Name"), look(dimension, "Value")
        key = text or "", (None if kind is None else as_text(kind.value)) or ""
        if not key[1]:
            index.unknown.setdefault(key, []).append(watch)
        elif value is not None:
            _add_value(index, watch, key, dimension, value)


def _add_value(index: _Index, watch: _Watch, key: tuple[str, str], dimension: Node, value: Node) -> None:
    raw = dimension.value.get("Value") if isinstance(dimension.value, dict) else None
    named = list(named_in(value.world.assembly, dimension.template, raw))
    target = value.target()
    for resource in named:
        if resource is target and isinstance(value.value, Reference):
            by_arn = value.value.attribute in _ARNS.get(resource.type, ())
            silent = "names it by its ARN, and so gets no data" if by_arn else watch.silent
            watch = _Watch(alarm=watch.alarm, silent=silent, falling=watch.falling)
        place = resource.template.number, resource.logical_id
        index.by_resource.setdefault((*key, place), []).append(watch)
    if as_text(value.value) is not None:
        index.literal.setdefault(key, []).append(watch)
    elif not named or any(resource.type.startswith(_ELSEWHERE) for resource in named):
        index.unknown.setdefault(key, []).append(watch)
    if not named:
        index.by_value.setdefault((*key, value.identity()), []).append(watch)


def _add_words(index: _Index, watch: _Watch, expression: Node | None) -> None:
    """A query or a search that names a metric is for all resources that have it."""
    if expression is not None:
        value = expression.value
        text = value.shape if isinstance(value, Text) else as_text(value)
        for word in dict.fromkeys(_WORD.findall(text or "")):
            index.of_all.setdefault(word, []).append(watch)


def _falls(properties: Node | None) -> bool:
    """Whether it goes off below its threshold."""
    operator = look(properties, "ComparisonOperator")
    return operator is not None and str(operator.value).startswith("LessThan")
