"""CloudFormation's ECS types, with every property, and with the wait for a service to become stable."""

from __future__ import annotations

import time
from typing import Any

from local_cloud.server.emulator import (
    Created,
    Properties,
    amend,
    camel,
    cfn,
    checked,
    cloudformation,
    ecs,
    register,
    stacks,
    wrap,
)

STABLE_SECONDS = 60.0
_KIND = "AWS::ECS::Service"


def install() -> None:
    """Mend the task definition, replace the service."""
    amend("AWS::ECS::TaskDefinition", _complete_definition)
    register(_KIND, _create, _update, _delete)
    # The wait for a stable service must not block the emulator's event loop.
    wrap(stacks, "_runs_on_worker_thread", lambda inner, kind: kind == _KIND or inner(kind))
    # A service whose update failed or was cancelled may hold the new task definition: it is sent back.
    wrap(stacks, "_sends_back_failed_update", lambda inner, kind: kind == _KIND or inner(kind))


def _complete_definition(made: Created, new: Properties) -> Created:
    """MiniStack drops some properties and half-translates others: write them all, in the API's spelling."""
    definition = ecs._task_defs[made[0].rsplit("/", 1)[1]]
    definition.update(camel({key: value for key, value in new.items() if key not in ("Tags", "Family")}))
    definition.update({key: str(definition[key]) for key in ("cpu", "memory") if key in definition})
    for container in definition["containerDefinitions"]:
        container.setdefault("cpu", 0)
        container.setdefault("essential", True)
    return made


def _request(new: Properties) -> dict[str, Any]:
    request: dict[str, Any] = camel({key: value for key, value in new.items() if key not in ("ServiceName", "Tags")})
    for count in ("desiredCount", "healthCheckGracePeriodSeconds"):
        if request.get(count) is not None:
            request[count] = int(request[count])
    return request


def _create(logical_id: str, new: Properties, stack: str) -> Created:
    name = new.get("ServiceName") or cfn._physical_name(stack, logical_id, max_len=255)
    request = {**_request(new), "serviceName": name, "tags": camel(new.get("Tags") or [])}
    return _stable(checked(ecs._create_service(request))["service"], set(), stack)


def _update(physical_id: str, _old: Properties, new: Properties, stack: str) -> Created:
    """Send what the template names, the desired count too, changed or not. What it does not name stays as it is."""
    request = {**_request(new), "cluster": new.get("Cluster", "default"), "service": physical_id}
    _, cluster, name = physical_id.rsplit("/", 2)
    known = {deployment["id"] for deployment in ecs._services[f"{cluster}/{name}"]["deployments"]}
    return _stable(checked(ecs._update_service(request))["service"], known, stack)


def _delete(physical_id: str, properties: Properties) -> None:
    ecs._delete_service({"cluster": properties.get("Cluster", "default"), "service": physical_id, "force": True})


def _stable(service: Properties, known: set[str], stack: str) -> Created:
    """Wait until this operation's deployment is complete, as CloudFormation does; a failed one fails the resource."""
    _, cluster, name = service["serviceArn"].rsplit("/", 2)
    deployments = service["deployments"]
    primary = [d["id"] for d in deployments if d["status"] == "PRIMARY"]
    mine = [d["id"] for d in deployments if d["id"] not in known] or primary
    wanted, deadline = mine[0], time.monotonic() + STABLE_SECONDS
    while time.monotonic() < deadline:
        states = {d["id"]: d["rolloutState"] for d in ecs._services[f"{cluster}/{name}"]["deployments"]}
        state = states.get(wanted, "FAILED")  # a failed one is gone once the former is in charge again
        if state == "COMPLETED":
            return service["serviceArn"], {"ServiceArn": service["serviceArn"], "Name": name}
        if state == "FAILED":
            raise ValueError("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.")
        if cloudformation._stacks[stack].pop("_cancel_requested", False):
            raise ValueError("Resource update cancelled")
        time.sleep(0.05)
    raise ValueError(f"the service was not stable after {STABLE_SECONDS:.0f} s; AWS would wait for up to three hours")
