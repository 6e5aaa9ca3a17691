"""What describes one service of an application: values that refuse what could not be deployed.

Pure Python, as ``stacks/config.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import invalid, name, tuple_of
from constructs_lib.naming import secret_parameter_name
from constructs_lib.services.configuration.policy import (
    AGENT_PORT,
    ConfigurationDeployment,
    check_content,
    client_settings,
)
from constructs_lib.services.deployments.deployment_policy import DeploymentPolicy, refuse_without_load_balancer
from constructs_lib.services.policy import TaskSize, WritablePath, pinned_image
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.schedules.one_off import OneOffTask
from constructs_lib.services.sockets.socket_metrics import SocketMetrics
from constructs_lib.services.task.health_check import ContainerCheck, HealthCheck
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from stacks.scheduled import ScheduledTaskConfig

LONGEST_DEPLOYMENT: Final = 60
"""Minutes of the task before a release, the steps and the baking together. A release's build has 180
(:class:`constructs_lib.delivery.release_pipeline.ReleasePipeline`), of which CloudFormation may take 60, and going back
as many."""

_ROLLING: Final = DeploymentPolicy()
_GRADUAL: Final = ConfigurationDeployment()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSize:
    """How big the tasks of a service are, and how many."""

    task: TaskSize = TaskSize()
    capacity: Capacity = Capacity()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfiguration:
    """A configuration of a service that goes on when AppConfig is down; the same in every environment.

    No secrets: it is copied to S3 and to the disk of every task.

    Args:
        schema: the text of a JSON Schema (draft 4), such as ``Path("limits.schema.json").read_text()``.
        content: the text of the configuration, a JSON object; it is deployed when it changes.
        agent_image: the AppConfig agent's image by digest, best in a repository of your own.
        deployment: how slowly it is deployed.

    Raises:
        ValueError: a text that is no JSON object or too large, an image without a digest, or no deployment.
    """

    schema: str
    content: str
    agent_image: str
    deployment: ConfigurationDeployment = _GRADUAL

    def __post_init__(self) -> None:
        check_content(self.schema, self.content)
        pinned_image("agent_image", self.agent_image)
        if not isinstance(self.deployment, ConfigurationDeployment):
            raise invalid("deployment", self.deployment, "a ConfigurationDeployment", "leave it out for 20 minutes")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """One service of the application; it is the same in every environment but for its size.

    Args:
        name: the service's name, which is also its image's.
        health_check: how it shows that it can serve; a ``ContainerCheck`` for a worker, to which nobody connects.
        environment: plain settings; no secrets.
        secrets: names of secret settings, such as ``DATABASE_URL``. ECS reads each from the SecureString parameter
            ``/moorings/<application>/<environment>/<service>/secrets/<name>`` when a task starts; write it first.
        writable_paths: directories that it may write to.
        dockerfile: where its Dockerfile is in the source.
        subdomain: put before the environment's domain; empty, the default, for the domain itself.
        size: a size of its own; ``None``, the default: the environment's.
        timeouts: its time-outs, as one ordered budget; of a worker there are none, and a job has two minutes to end.
        log_delivery: buffer and retention of its logs.
        scheduled_tasks: tasks with its image that run by the clock; none by default.
        before_release: a program of its image that must end well before a release goes on, such as migrations; ``None``
            by default. It has the service's settings, secrets and writable paths.
        deployment: how a release takes over, and when it goes back; rolling by default. Steps and baking may take an
            hour together, because the release's build waits for them.
        calls: names of the services of the same environment that it calls; none by default. Its tasks, and those of the
            called ones, get a proxy (docs/lessons/T3-calls-between-services.md). Scheduled tasks and the one before a
            release get none.
        socket_metrics: a CloudWatch agent beside each task, which counts its sockets, with its alarms (lesson W1).
            ``None``, the default: none, because it costs memory and some 5 USD a month. Scheduled tasks and the one
            before a release get none.
        configuration: settings that change without a release, in AppConfig with a last good copy (lesson T2).
            ``None``, the default: none. Scheduled tasks and the one before a release get none.

    Raises:
        ValueError: a name that could collide with another, a setting that is named twice, or a worker with a subdomain
            or time-outs of requests.
    """

    name: str
    health_check: HealthCheck | ContainerCheck
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    writable_paths: tuple[WritablePath, ...] = ()
    dockerfile: str = "Dockerfile"
    subdomain: str = ""
    size: ServiceSize | None = None
    timeouts: TimeoutBudget = TimeoutBudget()
    log_delivery: LogDelivery = LogDelivery()
    scheduled_tasks: tuple[ScheduledTaskConfig, ...] = ()
    before_release: OneOffTask | None = None
    deployment: DeploymentPolicy = _ROLLING
    calls: tuple[str, ...] = ()
    socket_metrics: SocketMetrics | None = None
    configuration: ServiceConfiguration | None = None

    def __post_init__(self) -> None:
        name("service", self.name)
        if not isinstance(self.health_check, HealthCheck | ContainerCheck):
            raise invalid("health_check", self.health_check, "a HealthCheck, or a worker's ContainerCheck", "make one")
        tuple_of("scheduled_tasks", self.scheduled_tasks, ScheduledTaskConfig, "(nightly,)")
        tuple_of("writable_paths", self.writable_paths, WritablePath, "(WritablePath(path='/tmp'),)")
        tuple_of("secrets", self.secrets, str, "('DATABASE_URL',)")
        tuple_of("calls", self.calls, str, "('orders',)")
        tuple_of("environment", self.environment, tuple, "(('LOG_LEVEL', 'info'),)")
        for pair in self.environment:
            if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
                raise invalid(
                    "environment", pair, "pairs of texts", "write ('LOG_LEVEL', 'info'), numbers in quotes too"
                )
        settings = [key for key, _ in self.environment] + list(self.secrets)
        for setting in settings:
            if settings.count(setting) > 1:
                raise invalid("environment and secrets", settings, "all different", f"name {setting!r} once")
        for setting in self.secrets:
            secret_parameter_name("any", "any", self.name, setting)
        if self.subdomain:
            name("subdomain", self.subdomain)
        if self.is_worker:
            self._check_worker()
        if not isinstance(self.before_release, OneOffTask | None):
            raise invalid("before_release", self.before_release, "a OneOffTask or None", "leave it out for nothing")
        if not isinstance(self.socket_metrics, SocketMetrics | None):
            raise invalid("socket_metrics", self.socket_metrics, "a SocketMetrics or None", "leave it out for nothing")
        if not isinstance(self.configuration, ServiceConfiguration | None):
            raise invalid(
                "configuration", self.configuration, "a ServiceConfiguration or None", "leave it out for none"
            )
        if self.configuration is not None:
            self._check_configuration(settings)
        minutes = self.deployment.minutes + (self.before_release.timeout_minutes if self.before_release else 0)
        if minutes > LONGEST_DEPLOYMENT:
            raise invalid(
                "deployment and before_release",
                minutes,
                f"at most {LONGEST_DEPLOYMENT} minutes of steps, baking and the task before it",
                "the release's build ends after three hours, and going back takes time too",
            )

    @property
    def is_worker(self) -> bool:
        """Whether nobody connects to it: it has no load balancer, no name and no target group."""
        return isinstance(self.health_check, ContainerCheck)

    def _check_configuration(self, settings: list[str]) -> None:
        """The agent listens beside the application, and the application is told where."""
        for setting in client_settings("", ""):
            if setting in settings:
                fix = "the configuration sets it; name yours otherwise"
                raise invalid("environment and secrets", setting, "without it", fix)
        if isinstance(self.health_check, HealthCheck) and self.health_check.port == AGENT_PORT:
            fix = "the agent of the configuration listens there, in the same task"
            raise invalid("port of health_check", AGENT_PORT, "another one", fix)

    def _check_worker(self) -> None:
        """Nobody connects to a worker, so nothing about requests is its own."""
        requests = self.size.capacity.target_requests_per_minute if self.size else None
        for what, given in (
            ("subdomain", self.subdomain or None),
            ("timeouts", None if self.timeouts == TimeoutBudget() else self.timeouts),
            ("target_requests_per_minute of size", requests),
        ):
            if given is not None:
                raise invalid(what, given, "left out of a worker", "nobody connects to a worker")
        refuse_without_load_balancer(self.deployment)
