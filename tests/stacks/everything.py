"""An environment that uses everything that has an alarm, for what must hold of every alarm."""

from __future__ import annotations

from dataclasses import replace

from constructs_lib.observability.status_page.policy import StatusComponent, StatusPagePolicy
from constructs_lib.services.policy import TaskSize
from constructs_lib.services.schedules.schedule import Schedule
from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.task.health_check import ContainerCheck
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from stacks.config import EnvironmentConfig, ServiceConfig, ServiceSize
from stacks.environments import ENVIRONMENTS
from stacks.scheduled import ScheduledTaskConfig
from stacks.service_config import ServiceConfiguration
from stacks.status_config import StatusPageConfig
from tests.stacks.variants import EVERY_TARGET

_AGENT = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/agent@sha256:{'c' * 64}"
_SCHEMA = '{"$schema": "http://json-schema.org/draft-04/schema#", "type": "object"}'


def everything() -> tuple[EnvironmentConfig, ...]:
    """Staging, and production behind it: calls, a configuration, sockets, a worker, a schedule and a status page."""
    staging, production = ENVIRONMENTS
    size = ServiceSize(task=TaskSize(cpu=1024, memory_mib=2048))
    web = replace(
        staging.services[0],
        size=size,
        calls=("orders",),
        socket_metrics=SocketMetrics(image=_AGENT),
        configuration=ServiceConfiguration(schema=_SCHEMA, content="{}", agent_image=_AGENT),
        scheduled_tasks=(ScheduledTaskConfig(name="tidy", schedule=Schedule.rate(15, "minutes"), command=("tidy",)),),
    )
    short = TimeoutBudget(longest_request_seconds=10, upstream_seconds=8)
    orders = replace(staging.services[0], name="orders", subdomain="orders", size=size, timeouts=short)
    mailer = ServiceConfig(name="mailer", health_check=ContainerCheck.of("python3", "-m", "mailer.alive"))
    page = StatusPagePolicy(en="Shop", ja="ショップ", components=(StatusComponent(name="web", en="Web", ja="ウェブ"),))
    services = (web, orders, mailer)
    return (
        replace(staging, services=services),
        replace(
            production,
            services=services,
            notify=EVERY_TARGET,
            status_page=StatusPageConfig(page=page, region="eu-central-1"),
        ),
    )
