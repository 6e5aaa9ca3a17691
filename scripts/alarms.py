"""Every alarm that an environment can have, with the defaults: what the tables of docs/lessons/W3 are made of."""

from __future__ import annotations

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.alarms import GapThreshold, gap_alarms
from constructs_lib.images.alarms import guard_alarms
from constructs_lib.network.alarms import gateway_alarms
from constructs_lib.observability.dead_letters import dead_letters_alarm
from constructs_lib.observability.evidence.alarms import evidence_alarms
from constructs_lib.observability.notification.forwarding import forwarding_alarms
from constructs_lib.observability.runbooks import runbook_of
from constructs_lib.observability.status_page.alarms import page_alarms
from constructs_lib.services.alarms import web_service_alarms
from constructs_lib.services.configuration.alarms import copy_alarm
from constructs_lib.services.ports.local_ports import WIDE
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.schedules.failed_run_events import failed_runs_alarm
from constructs_lib.services.sockets.alarms import socket_alarms
from constructs_lib.services.sockets.comparison_alarms import SocketChange, comparison_alarms
from constructs_lib.services.sockets.socket_metrics import SocketSource
from constructs_lib.services.task.health_check import HealthCheck
from constructs_lib.services.traffic.balanced import Balanced
from constructs_lib.services.traffic.service_connect import ServiceConnect, call_alarms
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from constructs_lib.services.worker_alarms import worker_alarms

APPLICATION, ENVIRONMENT = "shop", "production"


def every_alarm() -> tuple[AlarmSpec, ...]:
    """Of a web service, a worker, what they may use, and the environment around them."""
    return (*_services(), *_opted_in(), *_environment())


def _services() -> tuple[AlarmSpec, ...]:
    return (
        *web_service_alarms(
            "web",
            cluster="shop",
            service="web",
            balanced=Balanced(load_balancer="app/web/1", target_groups=["targetgroup/web/1"]),
            zones=["eu-west-1a", "eu-west-1b"],
            capacity=Capacity(),
            check=HealthCheck.http("/healthz", port=8080, program="python3"),
            timeouts=TimeoutBudget(),
            deployment_seconds=600,
            acts_if=None,
            after=None,
        ),
        *worker_alarms("mailer", cluster="shop", service="mailer", capacity=Capacity(), acts_if=None),
    )


def _opted_in() -> tuple[AlarmSpec, ...]:
    names = {"application": APPLICATION, "environment": ENVIRONMENT}
    source = SocketSource(**names, service="web")
    return (
        *socket_alarms(source, local_ports=WIDE, tasks=2),
        *comparison_alarms(**names, rollbacks={"web": "moorings rollback shop/production/web"}, change=SocketChange()),
        copy_alarm(component="web", **names, profile="web", notice_after_minutes=30),
        failed_runs_alarm("nightly", queue="failed", acts_if=None),
        *call_alarms("web", callee=ServiceConnect(name="orders", container_port=8080), cluster="shop", service="web"),
    )


def _environment() -> tuple[AlarmSpec, ...]:
    names = {"application": APPLICATION, "environment": ENVIRONMENT}
    return (
        *gateway_alarms(["nat-1", "nat-2"]),
        *guard_alarms(**names, interval_minutes=15),
        *gap_alarms(**names, upstream="staging", services=["web"], threshold=GapThreshold()),
        *evidence_alarms(["tasks"]),
        *forwarding_alarms(["forwarded"]),
        dead_letters_alarm("messages", queue="dead-letters", of="messages about faults"),
        *page_alarms(function_name="status-page", queue_name="status-page"),
    )


def missing_data() -> str:
    """What a period without data means to each alarm, and why, as a table."""
    rows = {(runbook_of(spec), spec.threshold.missing, spec.threshold.missing_because) for spec in every_alarm()}
    lines = ["| alarm | no data is | because |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{alarm}` | {missing} | {why} |" for alarm, missing, why in sorted(rows))]) + "\n"
