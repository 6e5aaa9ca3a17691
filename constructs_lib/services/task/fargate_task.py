"""One task definition with its containers: what services, workers and scheduled tasks share (lessons W2, T4, Q3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from aws_cdk import Aws
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from constructs_lib.architecture import Architecture
from constructs_lib.checks import invalid, whole_number
from constructs_lib.checks import name as check_name
from constructs_lib.services.policy import TaskSize, command_words, pinned_image
from constructs_lib.services.ports.kernel_rendering import system_controls
from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.task.container_settings import ContainerSettings
from constructs_lib.services.task.containers import add_container, init_process, volume_name
from constructs_lib.services.task.execute_command import ExecuteCommand
from constructs_lib.services.task.execute_command_access import allow_sessions, writable_for_sessions
from constructs_lib.services.task.log_delivery import LogDelivery
from constructs_lib.services.task.non_blocking_logs import keep_logs_non_blocking
from constructs_lib.services.task.restart_policy import RestartPolicy
from constructs_lib.services.task.sidecar_images import allow_pull

_NO_SETTINGS = ContainerSettings()
_RESTART = RestartPolicy()


class FargateTask:
    """A task definition whose image is named by digest (lesson Q3) and whose logs never block it (lesson W2).

    It makes its resources in the scope that it is given, so that a service reads as one thing in the tree. Containers
    that other code adds to ``definition`` get non-blocking logs too, or the synthesis fails.

    Args:
        scope: the service, worker or scheduled task that it belongs to.
        component: the application container's name.
        repository: where the image is; the execution role may pull from it.
        digest: the image's digest, perhaps a Token.
        size: CPU, memory and architecture.
        settings: what the application's container is told.
        log_delivery: buffer and retention of the logs, of sidecars too.
        stop_seconds: how long ECS waits after SIGTERM.
        health_check: the container's check; ``None`` for a task that ends by itself.
        port: the port that the application listens on, if any.
        execute_command: ECS Exec for its containers; ``None``, the default: none. Whoever starts the task must ask for
            it too: a service by ``EnableExecuteCommand``.

    Attributes:
        definition: the ECS task definition.
        execution_role: the role that pulls the image, reads secrets and writes logs.
        container: the application's container.
        size: its CPU, memory and architecture.
        local_ports: from which ports it opens connections (lesson W1).

    Raises:
        ValueError: log buffers too large for the task, or a port that connections may be opened from.
    """

    def __init__(
        self,
        scope: Construct,
        component: str,
        *,
        repository: ecr.IRepository,
        digest: str,
        size: TaskSize,
        settings: ContainerSettings,
        log_delivery: LogDelivery,
        stop_seconds: int,
        health_check: ecs.HealthCheck | None = None,
        port: int | None = None,
        execute_command: ExecuteCommand | None = None,
    ) -> None:
        log_delivery.check_memory(1, size.memory_mib)
        listening = () if port is None else (port,)
        controls = system_controls(settings.kernel, container_ports=listening)
        self.local_ports = settings.kernel.ports_beside(listening)
        if execute_command is not None:
            settings = writable_for_sessions(settings)
        self._scope, self.size = scope, size
        self._log_delivery, self._stop_seconds = log_delivery, stop_seconds
        self._containers = [component]
        self._execute_command = execute_command
        self._linux = init_process(scope)
        self.definition = ecs.FargateTaskDefinition(
            scope,
            "Task",
            # CDK's own family comes from construct ids alone, so two applications in one account would share one.
            family=f"{Aws.STACK_NAME}-{component}",
            cpu=size.cpu,
            memory_limit_mib=size.memory_mib,
            runtime_platform=_platform(size.architecture),
            volumes=[ecs.Volume(name=volume_name(component, path)) for path in settings.writable_paths],
        )
        if execute_command is not None:
            allow_sessions(self.definition, execute_command)
        self.execution_role: iam.IRole = self.definition.obtain_execution_role()
        repository.grant_pull(self.execution_role)
        self.container = add_container(
            scope,
            self.definition,
            component,
            image=ecs.ContainerImage.from_registry(f"{repository.repository_uri}@{digest}"),
            settings=settings,
            log_delivery=log_delivery,
            stop_seconds=stop_seconds,
            health_check=health_check,
            port=port,
            linux=self._linux,
            records_sessions=execute_command is not None,
            system_controls=controls,
        )
        keep_logs_non_blocking(cast("ecs.CfnTaskDefinition", self.definition.node.default_child), log_delivery)

    @property
    def roles(self) -> tuple[str, ...]:
        """ARNs of the roles that whoever starts the task must pass: the task's and the execution role."""
        return (self.definition.task_role.role_arn, self.execution_role.role_arn)

    def add_sidecar(
        self,
        name: str,
        *,
        image: str,
        settings: ContainerSettings = _NO_SETTINGS,
        essential: bool = False,
        health_command: Sequence[str] | None = None,
        restart: RestartPolicy | None = _RESTART,
        memory_mib: int | None = None,
    ) -> ecs.ContainerDefinition:
        """Adds a container beside the application, with the same logs, root file system and stop time.

        Args:
            name: the container's name: lower-case words joined by hyphens.
            image: by digest, such as ``public.ecr.aws/docker/library/busybox@sha256:…``. From a private repository
                of ECR the execution role may pull it.
            settings: what it is told and may write to; its image's command and nothing else by default. When it listens
                on a port above 10239, name that in the application's ``KernelSettings(listening_ports=…)``.
            essential: whether the task ends with it; ``False`` by default.
            health_command: a program of the image and its arguments, 0 when healthy; required when essential.
            restart: when it is started again without a new task; ``None``: never. An essential one never is: the task
                ends with it, and a new one is started.
            memory_mib: above so much of the task's memory it is killed, and not the application beside it; ``None``,
                the default: it may take all of it. ECS asks for 6 MiB at least.

        Raises:
            ValueError: a name that is taken, an image without a digest, log buffers too large for the task, an
                essential sidecar without a health command (lesson T4), kernel settings (lesson W1), or more memory
                than the task has.
        """
        check_name("name", name)
        pinned_image("image", image)
        if name in self._containers:
            raise invalid("name", name, f"none of {', '.join(self._containers)}", "containers need different names")
        self._log_delivery.check_memory(len(self._containers) + 1, self.size.memory_mib)
        if essential and not health_command:
            raise invalid(
                "health_command",
                health_command,
                "given for an essential sidecar",
                "a sidecar that hangs unseen takes the task with it (lesson T4); or leave essential=False",
            )
        if settings.kernel != KernelSettings():
            raise invalid(
                "kernel",
                settings.kernel,
                "the default for a sidecar",
                "ECS gives one container's settings to all of the task; give them to the application's",
            )
        if memory_mib is not None:
            fix = "leave some to the application"
            whole_number("memory_mib", memory_mib, low=6, high=self.size.memory_mib - 1, fix=fix)
        health = ["CMD", *command_words("health_command", health_command)] if health_command else None
        self._containers.append(name)
        if self._execute_command is not None:
            settings = writable_for_sessions(settings)
        for path in settings.writable_paths:
            self.definition.add_volume(name=volume_name(name, path))
        made = add_container(
            self._scope,
            self.definition,
            name,
            image=ecs.ContainerImage.from_registry(image),
            settings=settings,
            log_delivery=self._log_delivery,
            stop_seconds=self._stop_seconds,
            essential=essential,
            health_check=ecs.HealthCheck(command=health) if health else None,
            linux=self._linux,
            records_sessions=self._execute_command is not None,
            restart=None if essential else restart,
            memory_mib=memory_mib,
        )
        allow_pull(self.definition, made, image)
        return made


def _platform(architecture: Architecture) -> ecs.RuntimePlatform:
    arm = architecture == "arm64"
    return ecs.RuntimePlatform(
        cpu_architecture=ecs.CpuArchitecture.ARM64 if arm else ecs.CpuArchitecture.X86_64,
        operating_system_family=ecs.OperatingSystemFamily.LINUX,
    )
