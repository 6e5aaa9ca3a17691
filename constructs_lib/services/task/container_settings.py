"""What a container is told and may write to, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from aws_cdk import aws_ecs as ecs

from constructs_lib.checks import invalid
from constructs_lib.services.policy import WritablePath, check_volumes, command_words
from constructs_lib.services.ports.kernel_settings import KernelSettings
from constructs_lib.services.traffic.service_connect import ServiceConnect

_DEFAULT_KERNEL = KernelSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSettings:
    """Command, settings, secrets and writable directories of one container (lesson W2: all containers get the same).

    Args:
        environment: plain settings. A secret does not belong here.
        secrets: settings that ECS reads from Secrets Manager or Parameter Store when a task starts.
        writable_paths: directories that it may write to; none by default.
        command: a program of the image and its arguments; ``None``, the default: what the image says.
        kernel: what the task asks of its kernel, given with the application's container only; by default connections
            are opened from a wider range of ports (lesson W1).
        offers: what other services may call on the application's port; ``None``, the default: nothing (lesson T3). Then
            :func:`constructs_lib.services.traffic.service_connect_rendering.connect_service` too.

    Raises:
        ValueError: two writable paths with one volume name, a setting that is plain and secret, a command that is no
            list of words, or kernel settings that are none.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, ecs.Secret] = field(default_factory=dict)
    writable_paths: Sequence[WritablePath] = ()
    command: Sequence[str] | None = None
    kernel: KernelSettings = _DEFAULT_KERNEL
    offers: ServiceConnect | None = None

    def __post_init__(self) -> None:
        check_volumes(tuple(self.writable_paths))
        if not isinstance(self.kernel, KernelSettings):
            raise invalid("kernel", self.kernel, "KernelSettings", "leave it out for the wide range of ports")
        for name in self.environment:
            if name in self.secrets:
                raise invalid("environment", name, "a name that secrets has not", "ECS takes each name once")
        if self.command is not None:
            command_words("command", self.command)

    def with_environment(self, given: Mapping[str, str]) -> ContainerSettings:
        """The same settings, with more plain ones.

        Raises:
            ValueError: one of them is set already.
        """
        for name in given:
            if name in self.environment or name in self.secrets:
                raise invalid(
                    "environment", name, f"without {', '.join(given)}", "the service sets these from its time-outs"
                )
        return replace(self, environment={**self.environment, **given})
