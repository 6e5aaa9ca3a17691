"""What load balancers and ECS measure of the tasks here, sent once a minute: hosts by health, and running tasks.

There is no traffic, so nothing is counted that traffic would bring.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from local_cloud.server.emulator import Properties, alb, cloudwatch, ecs, responses
from local_cloud.server.health import target_groups, target_state

KEPT_POINTS: Final = 500
_CPU: Final = 10.0
_Series = tuple[str, str, str, str, tuple[tuple[str, str], ...]]
# By account, region, namespace, name and dimensions: SampleCount, Sum, Minimum, Maximum of the minute so far.
_seen: dict[_Series, list[float]] = {}


def sample() -> None:
    """Look at all services once."""
    for account, region, key in list(ecs._services._data):
        with responses.request_scope(account, region):
            service = ecs._services.get(key)
            if service is None or service["status"] != "ACTIVE":
                continue
            tasks = [task for task in _tasks(service) if task["lastStatus"] == "RUNNING"]
            for namespace, name, dimensions, value in _hosts(service, tasks):
                _add((account, region, namespace, name, tuple(sorted(dimensions.items()))), value)


def publish(start: float) -> None:
    """Send the minute that is over, and what ECS says of the tasks that run now."""
    for (account, region, namespace, name, named), seen in list(_seen.items()):
        with responses.request_scope(account, region):
            _put(namespace, name, dict(named), start, seen)
    _seen.clear()
    for account, region, key in list(ecs._services._data):
        with responses.request_scope(account, region):
            service = ecs._services.get(key)
            running = sum(task["lastStatus"] == "RUNNING" for task in _tasks(service)) if service else 0
            if running:
                cluster = key.split("/", 1)[0]
                dimensions = {"ClusterName": cluster, "ServiceName": service["serviceName"]}
                for name in ("CPUUtilization", "MemoryUtilization"):
                    _put("AWS/ECS", name, dimensions, start, [running, _CPU * running, _CPU, _CPU])


def _tasks(service: Properties) -> list[Properties]:
    group, cluster = f"service:{service['serviceName']}", service["clusterArn"]
    return [task for task in ecs._tasks.values() if task["group"] == group and task["clusterArn"] == cluster]


def _hosts(service: Properties, tasks: list[Properties]) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """A group without any target sends nothing: that is our reading."""
    for group in target_groups(service) if tasks else ():
        for balancer in alb._tgs[group]["LoadBalancerArns"] if group in alb._tgs else ():
            whole = {"LoadBalancer": balancer.split(":loadbalancer/", 1)[1], "TargetGroup": group.split(":", 5)[5]}
            zones = sorted({task["availabilityZone"] for task in tasks})
            for zone in (None, *zones):
                states = [target_state(task) for task in tasks if zone in (None, task["availabilityZone"])]
                dimensions = {**whole, **({"AvailabilityZone": zone} if zone else {})}
                for name, counted in (("HealthyHostCount", "healthy"), ("UnHealthyHostCount", "unhealthy")):
                    yield "AWS/ApplicationELB", name, dimensions, states.count(counted)


def _add(series: _Series, value: float) -> None:
    if series not in _seen:
        _seen[series] = [0, 0, value, value]
    seen = _seen[series]
    seen[:] = [seen[0] + 1, seen[1] + value, min(seen[2], value), max(seen[3], value)]


def _put(namespace: str, name: str, dimensions: dict[str, str], start: float, seen: list[float]) -> None:
    stat: dict[str, Any] = dict(zip(("SampleCount", "Sum", "Minimum", "Maximum"), seen, strict=True))
    bucket = cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dimensions)))
    point = {"Timestamp": start, "Unit": "Count", "Dimensions": dimensions, "Value": seen[1] / seen[0]}
    bucket.append({**point, "_stat": stat})
    del bucket[:-KEPT_POINTS]
