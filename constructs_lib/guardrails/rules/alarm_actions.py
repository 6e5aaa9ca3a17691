"""Whether an alarm tells anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from constructs_lib.guardrails.rules.events import heard
from constructs_lib.guardrails.rules.patterns import Event, Named
from constructs_lib.guardrails.rules.watchers import exists_with, in_all_worlds, listed, look
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import ResourceKey, referring
from constructs_lib.guardrails.templates.values import Text, as_text

COMPOSITE: Final = "AWS::CloudWatch::CompositeAlarm"

_SCALING: Final = ("AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::AutoScaling::ScalingPolicy")


def silence(alarm: Node) -> str:
    """Why an alarm tells nobody, in words that follow "but"; empty when it tells somebody."""
    properties = look(alarm, "Properties")
    actions = listed(look(properties, "AlarmActions"))
    if _acts(properties) or _is_told_by_others(alarm, properties):
        return ""
    if not actions:
        return "it has no AlarmActions, so it tells nobody"
    if all(map(_scales, actions)):
        return "it only scales, and tells nobody"
    return "its ActionsEnabled is false, so it tells nobody"


def _acts(properties: Node | None) -> bool:
    enabled = look(properties, "ActionsEnabled")
    actions = listed(look(properties, "AlarmActions"))
    return (enabled is None or as_text(enabled.value) != "false") and not all(map(_scales, actions))


def _scales(action: Node) -> bool:
    target = action.target()
    return target is not None and target.type in _SCALING


def _is_told_by_others(alarm: Node, properties: Node | None) -> bool:
    """Whether a composite alarm or an EventBridge rule tells of it."""
    assembly = alarm.world.assembly
    composites = assembly.remember(_telling_composites)
    for composite in referring(assembly, alarm.resource, COMPOSITE):
        if (composite.template.number, composite.logical_id) in composites and _is_with(alarm, composite):
            return True
    name = look(properties, "AlarmName")
    text = None if name is None else as_text(name.value)
    for composite, rule in composites.values() if text else ():
        if (f'"{text}"' in rule or f"({text})" in rule) and _is_with(alarm, composite):
            return True
    try:
        return heard(alarm, [_change(alarm, name)])
    except NotKnown:  # it may be told of
        return True


def _is_with(alarm: Node, composite: Resource) -> bool:
    return exists_with(alarm.resource, composite, alarm.world.assembly) is not False


def _change(alarm: Node, name: Node | None) -> Event:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    named = Named(resources=(alarm.resource,), name=name)
    return {
        "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change",
        "resources": named,
        "detail": {"alarmName": named, "state": {"value": "ALARM"}},
    }


def _telling_composites(assembly: Assembly) -> Mapping[ResourceKey, tuple[Resource, str]]:
    """With their rules, the composite alarms that tell somebody, or that another one names."""
    found: dict[ResourceKey, tuple[Resource, str]] = {}
    for composite in in_all_worlds(assembly, COMPOSITE):
        properties = look(composite, "Properties")
        if _acts(properties) or referring(assembly, composite.resource, COMPOSITE):
            rule = look(properties, "AlarmRule")
            shape = rule.value.shape if rule is not None and isinstance(rule.value, Text) else None
            key = composite.resource.template.number, composite.resource.logical_id
            text = shape or (as_text(rule.value) if rule is not None else None) or ""
            found[key] = composite.resource, (found[key][1] if key in found else "") + text
    return found
