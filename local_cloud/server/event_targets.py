"""What MiniStack's EventBridge lacks: log groups and other regions' buses as targets, rules that are judged.

Its API refuses a pattern that AWS refuses, its CloudFormation does not: such a rule would match nothing, silently.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final

from local_cloud.server.emulator import Properties, cfn, eventbridge, logs, responses, wrap

_PRINCIPAL: Final = "events.amazonaws.com"


def install() -> None:
    """Wrap the delivery, and what CloudFormation makes of a rule."""
    rule = cfn._RESOURCE_HANDLERS["AWS::Events::Rule"]
    create, update = rule["create"], rule["update"]
    rule["create"] = lambda logical_id, new, *rest: create(logical_id, _judged(new), *rest)
    rule["update"] = lambda physical_id, old, new, *rest: update(physical_id, old, _judged(new), *rest)
    wrap(eventbridge, "_invoke_target", _deliver)
    wrap(eventbridge, "_dispatch_to_event_bus", _forward)


def _judged(properties: Properties) -> Properties:
    pattern = properties.get("EventPattern")
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    _, refused = eventbridge._parse_pattern_text(text) if pattern else (None, None)
    if refused:
        raise ValueError(f"Event pattern is not valid. Reason: {refused}")
    return properties


def _deliver(inner: Callable[..., None], target: Properties, event: Properties, rule: Properties, view: Any) -> None:
    arn = target.get("Arn", "")
    if arn.split(":")[2:3] == ["logs"]:
        _write(arn, target, event, rule, view)
    else:
        inner(target, event, rule, view)


def _write(arn: str, target: Properties, event: Properties, rule: Properties, view: Any) -> None:
    """The whole event is the message, or what the transformer names so. Without a policy nothing is written."""
    _, _, _, region, account, _, group = arn.split(":")[:7]
    view = view or eventbridge._pattern_event_view(event)
    line = {"timestamp": int(time.time() * 1000), "message": json.dumps(view.event_with_detail())}
    if target.get("InputTransformer"):
        made = json.loads(eventbridge._apply_input_transformer(target["InputTransformer"], rule, view))
        message = made["message"]
        line["message"] = message if isinstance(message, str) else json.dumps(message)
    if (account, region) != (responses.get_account_id(), responses.get_region()) or not _allowed():
        print(f"EventBridge must not write to {arn}: no resource policy names {_PRINCIPAL}", flush=True)
        return
    if group not in logs._log_groups:
        print(f"EventBridge: there is no log group {arn}", flush=True)
        return
    stream = f"moorings-{rule['Name']}"[:512].replace(":", "-").replace("*", "-")
    if stream not in logs._log_groups[group]["streams"]:
        logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    logs._put_log_events({"logGroupName": group, "logStreamName": stream, "logEvents": [line]})


def _allowed() -> bool:
    """Whether any policy of CloudWatch Logs speaks of EventBridge; what exactly it allows is not looked at."""
    return any(_PRINCIPAL in json.dumps(policy, default=str) for policy in logs._resource_policies.values())


def _forward(
    inner: Callable[..., None], bus: Any, event: Properties, rule: Properties, path: set[str], payload: Any = None
) -> None:
    here = (responses.get_account_id(), responses.get_region())
    if (bus.account_id, bus.region) == here:
        inner(bus, event, rule, path, payload)
        return
    name = bus.resource.split("/", 1)[1]
    if path:
        print(f"EventBridge: an event that came from another bus does not go on to {bus}", flush=True)
        return
    # It keeps the account and the region that it comes from.
    forwarded = {**event, "EventBusName": name, "_DispatchPath": [eventbridge._rule_key(rule["Name"], "default")]}
    with responses.request_scope(bus.account_id, bus.region):
        if name in eventbridge._event_buses:
            eventbridge._dispatch_event(forwarded)
        else:
            print(f"EventBridge: there is no event bus {bus}", flush=True)
