"""Application Auto Scaling: targets hold a service's count within their limits, policies are only recorded."""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

from local_cloud.server.emulator import (
    Created,
    Properties,
    Response,
    answer,
    app,
    arn,
    ecs,
    refusal,
    register,
    responses,
    router,
)

_targets: Any = responses.AccountRegionScopedDict()
_policies: Any = responses.AccountRegionScopedDict()
_TARGET_KEY = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def install() -> None:
    """Register the two CloudFormation types and the API."""
    kind = "AWS::ApplicationAutoScaling::Scal"
    register(f"{kind}ableTarget", _create_target, _update_target, lambda key, _: _targets.pop(key, None))
    register(f"{kind}ingPolicy", _create_policy, _update_policy, lambda key, _: _policies.pop(key, None))
    app.SERVICE_HANDLERS["application-autoscaling"] = _handle
    router.SERVICE_PATTERNS["application-autoscaling"] = {"target_prefixes": ["AnyScaleFrontendService"]}


def register_target(wanted: Properties) -> str:
    """Store a target and bring its service within the limits."""
    key = "|".join(wanted[name] for name in _TARGET_KEY)
    target = _targets.get(key) or {
        "ScalableTargetARN": arn("application-autoscaling", f"scalable-target/{zlib.crc32(key.encode()):x}"),
        "CreationTime": int(time.time()),
    }
    target |= {name: wanted[name] for name in (*_TARGET_KEY, "RoleARN", "SuspendedState") if name in wanted}
    target |= {name: int(wanted[name]) for name in ("MinCapacity", "MaxCapacity") if name in wanted}
    _targets[key] = target
    namespace, cluster, service = (["", *wanted["ResourceId"].split("/")])[-3:]
    found = ecs._services.get(f"{cluster}/{service}") if namespace == "service" else None
    if found and found["status"] == "ACTIVE":
        count = max(target["MinCapacity"], min(target["MaxCapacity"], found["desiredCount"]))
        if count != found["desiredCount"]:
            ecs._update_service({"cluster": cluster, "service": service, "desiredCount": count})
    return key


def _create_target(_logical_id: str, new: Properties, _stack: str) -> Created:
    key = register_target(new)
    return key, {"Id": key, "ScalableTargetARN": _targets[key]["ScalableTargetARN"]}


def _update_target(_physical_id: str, _old: Properties, new: Properties, stack: str) -> Created:
    return _create_target("", new, stack)


def _create_policy(_logical_id: str, new: Properties, _stack: str) -> Created:
    target = new.get("ScalingTargetId")
    policy = dict(zip(_TARGET_KEY, target.split("|"), strict=True)) if target else {}
    policy |= {name: new[name] for name in _TARGET_KEY if name in new}
    resource = f"{policy['ServiceNamespace']}/{policy['ResourceId']}:policyName/{new['PolicyName']}"
    key = arn("autoscaling", f"scalingPolicy:{zlib.crc32(resource.encode()):x}:resource/{resource}")
    kept = (name for name in new if name.startswith(("Policy", "StepScaling", "TargetTracking", "PredictiveScaling")))
    policy |= {name: new[name] for name in kept}
    _policies[key] = {**policy, "PolicyARN": key, "Alarms": [], "CreationTime": int(time.time())}
    return key, {"Arn": key, "PolicyARN": key}


def _update_policy(_physical_id: str, _old: Properties, new: Properties, stack: str) -> Created:
    return _create_policy("", new, stack)


async def _handle(_method: str, _path: str, headers: Properties, body: bytes, _query: Properties) -> Response:
    action, data = headers.get("x-amz-target", "").rsplit(".", 1)[-1], json.loads(body or b"{}")
    if action == "RegisterScalableTarget":
        return answer({"ScalableTargetARN": _targets[register_target(data)]["ScalableTargetARN"]})
    if action == "DescribeScalableTargets":
        ids = data.get("ResourceIds")
        return answer({"ScalableTargets": [t for t in _targets.values() if not ids or t["ResourceId"] in ids]})
    if action == "DescribeScalingPolicies":
        wanted = data.get("ResourceId")
        return answer({"ScalingPolicies": [p for p in _policies.values() if wanted in (None, p["ResourceId"])]})
    return refusal("UnknownOperationException", f"{action} is not part of this emulator")
