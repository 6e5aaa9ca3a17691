"""Our model of a bad image, and of targets. No container runs here, so an image itself says how its containers behave.

A label in the image's configuration says it: ``exits`` ends at once, ``unhealthy`` runs and never answers its load
balancer. Anything else, and an image whose configuration was never uploaded, is healthy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final

from local_cloud.server.emulator import Properties, Response, alb, ecr, ecs, wrap

LABEL: Final = "dev.moorings.local-cloud.behaviour"
EXITS, UNHEALTHY = "exits", "unhealthy"
HEALTHY_SECONDS, GRACE_SECONDS, FAULT_GRACE_SECONDS = 0.5, 1.5, 8.0

_STATES: Final = {
    "initial": "<State>initial</State><Reason>Elb.RegistrationInProgress</Reason>",
    "unhealthy": "<State>unhealthy</State><Reason>Target.FailedHealthChecks</Reason>",
}


def install() -> None:
    """Wrap the answer about targets."""
    wrap(alb, "_describe_target_health", _target_health)


def behaviour(repository: str, image: Properties) -> str:
    """What the image's own label says of its containers."""
    try:
        config = json.loads(image.get("imageManifest", "{}"))["config"]["digest"]
        labels = json.loads(ecr._layer_blobs[repository][config])["config"]["Labels"] or {}  # Docker writes null
        return str(labels.get(LABEL, ""))
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""


def target_groups(service: Properties | None) -> list[str]:
    """The target groups that a service's tasks are registered in."""
    return [each["targetGroupArn"] for each in (service or {}).get("loadBalancers") or [] if "targetGroupArn" in each]


def target_state(task: Properties) -> str:
    """What the load balancer says of a task's target."""
    if task.get("_behaviour") == UNHEALTHY:
        return "unhealthy"
    return "healthy" if task.get("_startup_stable") else "initial"


def _target_health(inner: Callable[..., Response], parameters: Properties) -> Response:
    """MiniStack registers running tasks by their address; each target is as healthy as its task."""
    status, headers, body = inner(parameters)
    states = {ecs._task_ip(task): target_state(task) for task in list(ecs._tasks.values())}

    def target(match: re.Match[str]) -> str:
        shown = _STATES.get(states.get(match[1], "healthy"))
        return match[0].replace("<State>healthy</State>", shown) if shown else match[0]

    text = re.sub(r"<member><Target><Id>([^<]*)</Id>.*?</member>", target, body.decode())
    return status, headers, text.encode()
