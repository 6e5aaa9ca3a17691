"""In which availability zone a task runs."""

from __future__ import annotations

from local_cloud.server.emulator import Properties, ec2, ecs


def zone_of(service: Properties | None, task: Properties) -> str:
    """ECS spreads a service's tasks over the zones of its subnets; MiniStack names one zone always."""
    network = (service or {}).get("networkConfiguration") or {}
    subnets = (network.get("awsvpcConfiguration") or {}).get("subnets") or []
    zones = [ec2._subnets[subnet]["AvailabilityZone"] for subnet in subnets if subnet in ec2._subnets]
    others = [
        one["availabilityZone"]
        for one in list(ecs._tasks.values())
        if one is not task and one["group"] == task["group"] and one["lastStatus"] in ("PENDING", "RUNNING")
    ]
    return min(zones, key=others.count) if zones else str(task["availabilityZone"])
