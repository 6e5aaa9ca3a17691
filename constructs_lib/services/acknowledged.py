"""What our rules ask about a service's time-outs, and why its budget answers it (lesson T3)."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from constructs_lib.services.traffic.ingress import Ingress
from constructs_lib.services.traffic.timeouts import TimeoutBudget


def acknowledge_waits(
    budget: TimeoutBudget,
    used: Ingress,
    *,
    target_groups: Sequence[elbv2.ApplicationTargetGroup],
    task: ecs.FargateTaskDefinition,
) -> None:
    """Acknowledges what rules find that compare two time-outs and know no longest request; nothing that they pass.

    Of a load balancer that is elsewhere they find that its idle timeout is unknown.

    Args:
        budget: the service's time-outs.
        used: the load balancer that it is behind.
        target_groups: where the rule on the drain looks.
        task: where the rule on the stop looks.
    """
    idle = used.idle_seconds
    if used.elsewhere or (idle is not None and budget.drain_seconds < idle):
        known = "" if idle is None else f" of {idle} s"
        reason = (
            f"A request may take {budget.longest_request_seconds} s at most (TimeoutBudget), which the drain of "
            f"{budget.drain_seconds} s covers. The load balancer's idle timeout{known} says how long a connection may "
            "be silent, and not how long a request may take."
        )
        for target_group in target_groups:
            Validations.of(target_group).acknowledge(Acknowledgment(id="Moorings::MOOR-T3a", reason=reason))
    if budget.stop_seconds < budget.drain_seconds:
        reason = (
            f"ECS drains a target for {budget.drain_seconds} s before it sends SIGTERM, so the stop timeout of "
            f"{budget.stop_seconds} s covers the application's own shutdown of {budget.shutdown_seconds} s and no "
            "request (TimeoutBudget). The service takes no Spot capacity, and nothing of it calls StopTask."
        )
        Validations.of(task).acknowledge(Acknowledgment(id="Moorings::MOOR-T3d", reason=reason))
