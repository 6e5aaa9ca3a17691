"""A capacity as Application Auto Scaling takes it (lesson T1). It works with any ``ecs.FargateService``."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.checks import invalid
from constructs_lib.services.deployments.release_switch import ReleaseSwitch
from constructs_lib.services.scaling.capacity import Capacity, Peak


def scale(
    service: ecs.FargateService,
    capacity: Capacity,
    *,
    target_group: elbv2.ApplicationTargetGroup | None = None,
    switch: ReleaseSwitch | None = None,
    zones: Sequence[str] | None = None,
) -> ecs.ScalableTaskCount:
    """Scales a service by a capacity. The service must not have scaling already.

    Args:
        service: the service; give it no ``desired_count``, or every deployment sets back what scaling did.
        capacity: how many tasks, and what makes more of them.
        target_group: the service's target group, behind a load balancer already; needed for a target on requests.
        switch: keeps the service and all schedules at zero tasks until the first release; ``None``: it runs already.
        zones: the availability zones of the service's VPC; ``None``, the default: read from its cluster.

    Raises:
        ValueError: a target on requests without a target group, or a peak that counts on more zones than the VPC has.
    """
    if capacity.target_requests_per_minute is not None and target_group is None:
        raise invalid(
            "target_group",
            None,
            "given for a target on requests",
            "pass the service's target group, or a Capacity without target_requests_per_minute",
        )
    if capacity.peak is not None:
        check_zones(capacity.peak, service.cluster.vpc.availability_zones if zones is None else zones)

    def tasks(number: int) -> float:
        return number if switch is None else switch.capacity(number)

    out = Duration.seconds(capacity.scale_out_cooldown_seconds)
    into = Duration.seconds(capacity.scale_in_cooldown_seconds)
    scaling = service.auto_scale_task_count(
        min_capacity=tasks(capacity.min_tasks), max_capacity=tasks(capacity.max_tasks)
    )
    scaling.scale_on_cpu_utilization(
        "Cpu",
        target_utilization_percent=capacity.target_cpu_percent,
        scale_out_cooldown=out,
        scale_in_cooldown=into,
    )
    if capacity.target_memory_percent is not None:
        scaling.scale_on_memory_utilization(
            "Memory",
            target_utilization_percent=capacity.target_memory_percent,
            scale_out_cooldown=out,
            scale_in_cooldown=into,
        )
    if capacity.target_requests_per_minute is not None and target_group is not None:
        # Of ALBRequestCountPerTarget the target is "the optimal average request count per target during any one-minute
        # interval": https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html
        scaling.scale_on_request_count(
            "Requests",
            requests_per_target=capacity.target_requests_per_minute,
            target_group=target_group,
            scale_out_cooldown=out,
            scale_in_cooldown=into,
        )
    for one in capacity.scheduled:
        scaling.scale_on_schedule(
            one.name,
            schedule=appscaling.Schedule.expression(one.schedule),
            time_zone=TimeZone.of(one.time_zone),
            min_capacity=tasks(one.min_tasks),
            max_capacity=tasks(one.max_tasks),
        )
    return scaling


def target_id(scaling: ecs.ScalableTaskCount) -> str:
    """Logical id of what starts a service's tasks: in a first release they are zero until it is changed."""
    target = scaling.node.find_child("Target").node.default_child
    assert isinstance(target, appscaling.CfnScalableTarget)
    return target.logical_id


def check_zones(peak: Peak, zones: Sequence[str]) -> None:
    """Refuses a peak that counts on more zones than there are: the loss of one would take more tasks than it says."""
    known = set(zones)
    if len(known) < peak.az_count and not any(zone.startswith("#{Token[") for zone in known):
        raise invalid(
            "az_count",
            peak.az_count,
            f"at most {len(known)}, the zones of the VPC",
            "each of fewer zones has more of the tasks; lower it, and more tasks run",
        )
