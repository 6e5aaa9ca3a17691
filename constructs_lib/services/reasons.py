"""Why a service's numbers are what they are: data for its template, and a line for the synthesis (lesson Q8).

Standard library only. The same values always give the same sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.ports.port_budget import PortBudget
from constructs_lib.services.scaling.capacity import Capacity, Peak, tasks_left
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.timeouts import TimeoutBudget

KEY: Final = "moorings:why"
"""Of the service's ``Metadata``. ``Moorings`` itself is where findings are acknowledged, with nothing beside them."""


def reasons(
    capacity: Capacity, timeouts: TimeoutBudget, health: HealthCheck, logs: LogDelivery
) -> dict[str, list[str]]:
    """Sentences by what they are about."""
    return {
        "capacity": capacity_reasons(capacity),
        "timeouts": timeout_reasons(timeouts),
        "health": health_reasons(health),
        "logs": log_reasons(logs),
    }


def capacity_reasons(capacity: Capacity) -> list[str]:
    """Limits, targets and cool-downs, with the arithmetic of the peak (lesson T1)."""
    said = [f"{capacity.min_tasks} to {capacity.max_tasks} tasks."]
    if capacity.peak is not None:
        said.append(_peak(capacity.peak))
    said.append(f"Scaling aims at {capacity.target_cpu_percent} % CPU: room for a burst, and for a lost zone's load.")
    if capacity.target_requests_per_minute is not None:
        said.append(f"Scaling aims at {capacity.target_requests_per_minute} requests for each task and minute.")
    if capacity.target_memory_percent is not None:
        said.append(f"Scaling aims at {capacity.target_memory_percent} % memory; it rarely falls again.")
    said.append(
        f"Scaling waits {capacity.scale_out_cooldown_seconds} s after adding tasks and "
        f"{capacity.scale_in_cooldown_seconds} s after taking some, so that their number does not flap."
    )
    said += [
        f"{one.name}: from {one.schedule} {one.time_zone}, {one.min_tasks} to {one.max_tasks} tasks."
        for one in capacity.scheduled
    ]
    return said


def timeout_reasons(budget: TimeoutBudget) -> list[str]:
    """The order of the time-outs, and what each place of it prevents (lesson T3)."""
    return [
        f"Upstream {budget.upstream_seconds} s < idle {budget.idle_seconds} s < caller {budget.caller_seconds} s: "
        "who waits outside never gives up first.",
        f"Idle {budget.idle_seconds} s < keep-alive {budget.keep_alive_seconds} s: the load balancer ends an idle "
        "connection, and sends nothing into one that closes.",
        f"Upstream {budget.upstream_seconds} s <= longest request {budget.longest_request_seconds} s <= drain "
        f"{budget.drain_seconds} s: a target that leaves finishes its requests.",
        f"Shutdown {budget.shutdown_seconds} s <= stop {budget.stop_seconds} s: ECS does not kill an application that "
        "is ending.",
    ]


def health_reasons(check: HealthCheck) -> list[str]:
    """How long the worst case takes, either way (lesson T4)."""
    inside = check.container
    return [
        f"A dead task is out of rotation after at most {check.out_of_rotation_seconds} s: {inside.unhealthy_after} "
        f"checks, {inside.interval_seconds} s apart, and {inside.timeout_seconds} s for the last.",
        f"ECS begins to replace it after at most {inside.unhealthy_seconds} s.",
        f"A new task is in rotation at most {check.in_rotation_seconds} s after its start: {inside.start_seconds} s to "
        f"start, {check.healthy_after} checks, {inside.interval_seconds} s apart, and {inside.timeout_seconds} s for "
        "the last.",
        f"ECS overlooks the load balancer's view of a new task for {check.grace_period_seconds} s.",
    ]


def log_reasons(logs: LogDelivery) -> list[str]:
    """How log lines wait, and how long they are kept (lesson W2)."""
    return [
        f"Log lines wait in a buffer of {logs.buffer_mib} MiB ({logs.mode}): a log service that is away stops nothing.",
        f"They are kept for {logs.retention_days} days.",
    ]


def port_reasons(kernel: KernelSettings, container_ports: Sequence[int], budget: PortBudget | None = None) -> list[str]:
    """From which ports connections are opened, and what the peak takes of them (lesson W1)."""
    arithmetic = [] if budget is None else [path.sentence for path in budget.paths]
    return [*kernel.sentences(container_ports), *arithmetic]


def rotation(component: str, check: HealthCheck) -> str:
    """What the synthesis prints of a service (lesson T4)."""
    return (
        f"{component}: a dead task is out of rotation after at most {check.out_of_rotation_seconds} s; "
        f"a new one is in rotation at most {check.in_rotation_seconds} s after its start"
    )


def _peak(peak: Peak) -> str:
    lost = peak.min_tasks - tasks_left(peak.min_tasks, peak.az_count)
    return (
        f"Peak: {peak.requests_per_second:g} requests per second at {peak.per_task:g} for a task need "
        f"{peak.tasks_needed} tasks; the loss of one of {peak.az_count} zones takes at most {lost} of "
        f"{peak.min_tasks}, so at least {peak.min_tasks} run."
    )
