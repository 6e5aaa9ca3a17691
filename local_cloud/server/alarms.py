"""CloudWatch alarms that MiniStack's API takes and its CloudFormation does not: composite and metric-math alarms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_cloud.server import alarm_clock, evaluation
from local_cloud.server.emulator import Created, Properties, amend, arn, cfn, cloudwatch, register, wrap

_KEPT = ("Metrics", "EvaluateLowSampleCountPercentile", "WarmUpConfiguration")


def install() -> None:
    """Send composite alarms, and metric alarms with `Metrics`, to the API, which then keeps what it is given."""
    amend("AWS::CloudWatch::Alarm", _complete)
    wrap(cloudwatch, "_put_metric_alarm", _put_whole)
    stock = cfn._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    _through_api("AWS::CloudWatch::Alarm", cloudwatch._put_metric_alarm, stock)
    _through_api("AWS::CloudWatch::CompositeAlarm", cloudwatch._put_composite_alarm, None)


def _complete(made: Created, new: Properties) -> Created:
    _keep(made[0], new)
    return made


def _put_whole(inner: Callable[..., Any], parameters: Properties, data: Properties, *how: bool) -> Any:
    """MiniStack forgets `Metrics`. Metric math that we cannot reckon is refused, rather than never red."""
    for query in data.get("Metrics") or []:
        if "Expression" in query:
            try:
                evaluation.check(query["Expression"])
            except evaluation.UnknownExpressionError as error:
                return cloudwatch._error("ValidationError", str(error), 400, *reversed(how))
    response = inner(parameters, data, *how)
    if response[0] < 400 and data.get("AlarmName"):
        _keep(data["AlarmName"], data)
    return response


def _keep(name: str, given: Properties) -> None:
    cloudwatch._alarms[name].update({key: given[key] for key in _KEPT if given.get(key)})
    alarm_clock.warm_up(name, given.get("WarmUpConfiguration"))


def _through_api(kind: str, put: Callable[..., Any], stock: dict[str, Any] | None) -> None:
    def write(name: str, new: Properties) -> Created:
        tags = [tag for tag in new.get("Tags", []) if not tag["Key"].startswith("aws:")]
        status, _, body = put({}, {**new, "AlarmName": name, "Tags": tags}, False, True)
        if status >= 400:
            raise ValueError(f"alarm {name}: {body}")
        return name, {"Arn": arn("cloudwatch", f"alarm:{name}")}

    def create(logical_id: str, new: Properties, stack: str) -> Created:
        if stock and not new.get("Metrics"):
            made: Created = stock["create"](logical_id, new, stack)
            return made
        return write(new.get("AlarmName") or cfn._physical_name(stack, logical_id, max_len=255), new)

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str = "") -> Created:
        if stock and not new.get("Metrics") and not old.get("Metrics"):
            made: Created = stock["update"](physical_id, old, new, stack, logical_id)
            return made
        return write(new.get("AlarmName") or physical_id, new)

    def delete(physical_id: str, _properties: Properties) -> None:
        cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True)

    register(kind, create, update, delete)
    cfn._RESOURCE_HANDLERS[kind]["update_with_logical_id"] = True
