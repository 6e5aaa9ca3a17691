"""Which events the EventBridge rules of an assembly pass on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from constructs_lib.guardrails.rules.patterns import Event, Named, matches
from constructs_lib.guardrails.rules.watchers import ALARM, exists_with, in_all_worlds, listed, look, undecided
from constructs_lib.guardrails.templates.assembly import Assembly
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import ResourceKey, named_in, referring
from constructs_lib.guardrails.templates.values import HOLE, Reference, Text, Value, as_text

RULE: Final = "AWS::Events::Rule"

_SAM: Final = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
_SAM_EVENTS: Final = ("EventBridgeRule", "CloudWatchEvent")
"""https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventbridgerule.html"""

_DEEPEST: Final = 20


def heard(subject: Node, events: Sequence[Event]) -> bool:
    """Whether a rule of the assembly passes on one of the events, wherever the subject exists.

    A rule whose pattern names resources of the assembly listens to those and to no others.

    Args:
        subject: what the events are about.
        events: what is known of each.

    Raises:
        NotKnown: a rule may pass one on, and none surely does.
    """
    listeners = subject.world.assembly.remember(_listeners)
    doubt = ""
    for event in events:
        for pattern in listeners.to(event):
            answer = matches(pattern, event)
            exists = (
                None if answer is False else exists_with(subject.resource, pattern.resource, subject.world.assembly)
            )
            if answer and exists:
                return True
            if answer is False or exists is False:
                continue
            why = "an EventBridge rule of the templates may watch it or not"
            doubt = doubt or (why if exists else undecided(pattern.resource, "rule"))
    if doubt:
        raise NotKnown(subject, doubt)
    return False


def _names(event: Event) -> Iterator[Named]:
    for value in event.values():
        if isinstance(value, Named):
            yield value
        elif not isinstance(value, str):
            yield from _names(value)


def _keys(name: Named) -> Iterator[ResourceKey]:
    return ((resource.template.number, resource.logical_id) for resource in name.resources)


@dataclass(frozen=True, slots=True)
class _Listeners:
    """Patterns by the resources that they name, and those that name none."""

    of: Mapping[ResourceKey, Sequence[Node]]
    of_all: Sequence[Node]
    of_kind: dict[tuple[str, str], _Listeners] = field(default_factory=dict)
    """Those of them that may pass on a kind of event, kept once it was asked for."""

    def to(self, event: Event) -> Iterator[Node]:
        """Those that may pass on an event."""
        kind = str(event.get("source")), str(event.get("detail-type"))
        if kind not in self.of_kind:
            head: Event = {key: value for key, value in event.items() if key in ("source", "detail-type")}
            of = {key: _that_match(patterns, head) for key, patterns in self.of.items()}
            self.of_kind[kind] = _Listeners(of, _that_match(self.of_all, head))
        chosen = self.of_kind[kind]
        names = list(_names(event))
        yield from chosen.of_all
        if all(name.resources for name in names):
            for key in dict.fromkeys(key for name in names for key in _keys(name)):
                yield from chosen.of.get(key, ())
        else:  # a name that is not known may be that of any resource
            for patterns in chosen.of.values():
                yield from patterns


def _that_match(patterns: Sequence[Node], event: Event) -> list[Node]:
    return [pattern for pattern in patterns if matches(pattern, event) is not False]


def _listeners(assembly: Assembly) -> _Listeners:
    of: dict[ResourceKey, list[Node]] = {}
    of_all: list[Node] = []
    for holder, key in _rules(assembly):
        pattern = _pattern(holder, key)
        _read(pattern, 0)
        raw = holder.value.get(key) if isinstance(holder.value, dict) else None
        named = list(named_in(assembly, holder.template, raw))
        for resource in named:
            of.setdefault((resource.template.number, resource.logical_id), []).append(pattern)
        if not named:
            of_all.append(pattern)
    return _Listeners(of, of_all)


def _rules(assembly: Assembly) -> Iterator[tuple[Node, str]]:
    """What holds a pattern, and under which key, for all that pass events on."""
    for rule in in_all_worlds(assembly, RULE):
        properties = look(rule, "Properties")
        if properties is not None and _tells(rule, properties) and _listens(properties, "EventPattern"):
            yield properties, "EventPattern"
    for function in in_all_worlds(assembly, *_SAM):
        events = look(function, "Properties", "Events")
        for name in events.value if events is not None and isinstance(events.value, dict) else ():
            kind, properties = look(events, name, "Type"), look(events, name, "Properties")
            if kind is None or kind.value not in _SAM_EVENTS or properties is None:
                continue
            if _listens(properties, "Pattern"):
                yield properties, "Pattern"


def _tells(rule: Node, properties: Node) -> bool:
    """Whether it has targets, or an alarm that counts what it matches (AWS/Events, RuleName)."""
    targets = bool(listed(look(properties, "Targets")))
    return targets or bool(referring(rule.world.assembly, rule.resource, ALARM))


def _listens(rule: Node, pattern: str) -> bool:
    """Whether it has a pattern and is switched on, at the bus to which AWS's own events go."""
    state, enabled, bus = look(rule, "State"), look(rule, "Enabled"), look(rule, "EventBusName")
    if (state is not None and state.value == "DISABLED") or (enabled is not None and as_text(enabled.value) == "false"):
        return False
    return look(rule, pattern) is not None and (bus is None or _is_default(bus.value))


def _is_default(bus: Value) -> bool:
    if isinstance(bus, Text):
        return bus.shape.endswith((HOLE, "/default"))
    text = as_text(bus)
    return not isinstance(bus, Reference) and (text is None or text.rsplit("/", 1)[-1] == "default")


def _pattern(holder: Node, key: str) -> Node:
    """A pattern, which may be written as JSON in a text."""
    pattern = holder.get(key)
    if not isinstance(pattern.value, str | Text):
        return pattern
    text = pattern.value.shape if isinstance(pattern.value, Text) else pattern.value
    try:
        raw = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        raw = None
    return Node(pattern.world, pattern.resource, pattern.template, raw, pattern.place)


def _read(pattern: Node, depth: int) -> None:
    """Looks at all of it, so that all worlds that matter to it are gone through."""
    if depth < _DEEPEST and isinstance(pattern.value, dict | list):
        keys = list(pattern.value) if isinstance(pattern.value, dict) else []
        for inner in pattern.items() if isinstance(pattern.value, list) else [look(pattern, key) for key in keys]:
            if inner is not None:
                _read(inner, depth + 1)
