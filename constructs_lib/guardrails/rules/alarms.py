"""Which metric of which resource the alarms of an assembly watch, and whether they tell anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from constructs_lib.guardrails.rules.alarm_actions import silence
from constructs_lib.guardrails.rules.alarm_metrics import Asked, Metric, asked, operator_of
from constructs_lib.guardrails.rules.watchers import ALARM, exists_with, in_all_worlds, listed, look, undecided
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import ResourceKey, named_in
from constructs_lib.guardrails.templates.values import Text, as_text

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
    """

    metrics: Sequence[Metric]
    dimension: str
    resources: Sequence[Resource]
    value: str = ""
    known: bool = False


def unwatched(subject: Node, wanted: Watched) -> str | None:
    """Why nobody is told, in words that follow a colon; None when an alarm tells wherever the subject exists.

    Raises:
        NotKnown: an alarm may watch it, and none surely does.
    """
    assembly = subject.world.assembly
    index = assembly.remember(_index)
    faults: list[str] = []
    doubts: list[str] = []
    for sure, watches in ((True, index.sure(wanted)), (False, index.possible(wanted))):
        for metric, watch in watches:
            exists = exists_with(subject.resource, watch.alarm, assembly)
            fault = watch.fault(metric, wanted.dimension)
            if exists is False or (fault and not sure):
                continue
            doubt = undecided(watch.alarm) if exists is None else watch.doubt(sure, wanted.dimension)
            if not (fault or doubt):
                return None
            (faults if fault else doubts).append(fault or doubt)
    if doubts:
        raise NotKnown(subject, doubts[0])
    return faults[0] if faults else "no alarm of the templates watches it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watch:
    """An alarm on a metric; ``silent`` is why it tells nobody, and empty when it tells."""

    alarm: Resource
    silent: str
    asked: Asked | None = None
    """None for queries, which ask for whatever there is."""

    def fault(self, metric: Metric, dimension: str) -> str:
        """Why it is no use; empty when it may be."""
        what = (self.asked.fault(metric, dimension) if self.asked else "") or self.silent
        return f"alarm {self.alarm.logical_id!r} watches it, but {what}" if what else ""

    def doubt(self, sure: bool, dimension: str) -> str:
        """Why it may not watch what it seems to watch; empty when it does."""
        what = dimension if not sure else self.asked.doubt() if self.asked else ""
        why = f"alarm {self.alarm.logical_id!r} may watch it or not, as its {what}"
        return f"{why} {'are' if what == 'Dimensions' else 'is'} known only when deployed" if what else ""


@dataclass(slots=True)
class _Index:
    """Alarms by the metric, the dimension and its value."""

    by_resource: dict[tuple[str, str, ResourceKey], list[_Watch]] = field(default_factory=dict)
    by_value: dict[tuple[str, str, str], list[_Watch]] = field(default_factory=dict)
    literal: dict[tuple[str, str], list[_Watch]] = field(default_factory=dict)
    unknown: dict[tuple[str, str], list[_Watch]] = field(default_factory=dict)
    of_all: dict[str, list[_Watch]] = field(default_factory=dict)
    """By the words of queries and expressions, for all resources."""

    def sure(self, wanted: Watched) -> Iterator[tuple[Metric, _Watch]]:
        """Alarms that watch it."""
        for metric in wanted.metrics:
            found = list(self.of_all.get(metric.name, ()))
            for resource in wanted.resources:
                key = resource.template.number, resource.logical_id
                found += self.by_resource.get((metric.name, wanted.dimension, key), ())
            if wanted.value:
                found += self.by_value.get((metric.name, wanted.dimension, wanted.value), ())
            yield from ((metric, watch) for watch in found)

    def possible(self, wanted: Watched) -> Iterator[tuple[Metric, _Watch]]:
        """Alarms that may watch it."""
        for metric in wanted.metrics:
            found = [*self.unknown.get((metric.name, wanted.dimension), ()), *self.unknown.get((metric.name, ""), ())]
            found += () if wanted.known else self.literal.get((metric.name, wanted.dimension), ())
            yield from ((metric, watch) for watch in found)


def _index(assembly: Assembly) -> _Index:
    index = _Index()
    for alarm in in_all_worlds(assembly, ALARM):
        properties = look(alarm, "Properties")
        silent, operator = silence(alarm), operator_of(properties)
        queries = listed(look(properties, "Metrics"))
        for metric in [properties, *(look(query, "MetricStat", "Metric") for query in queries)]:
            watch = _Watch(alarm=alarm.resource, silent=silent, asked=asked(metric, operator))
            _add_metric(index, watch, metric)
        for query in queries:
            _add_words(index, _Watch(alarm=alarm.resource, silent=silent), look(query, "Expression"))
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
    for resource in named:
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
