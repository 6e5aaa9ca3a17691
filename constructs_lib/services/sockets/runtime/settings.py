"""What ``SocketComparison`` tells its function, as one JSON text in its environment. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .comparison import Floor

VARIABLE: Final = "MOORINGS_SOCKETS"
"""The environment variable that holds the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service whose sockets are compared (lesson W1).

    Args:
        name: what its metric and its page call it.
        cluster: ECS's name of the cluster.
        ecs_service: ECS's name of the service.
        container: the container whose image is the application.
        target_groups: full names of its target groups.
        load_balancer: full name of their load balancer.
    """

    name: str
    cluster: str
    ecs_service: str
    container: str
    target_groups: tuple[str, ...]
    load_balancer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one function compares (lesson W1).

    Args:
        application: a dimension of what is written.
        environment: a dimension of what is written.
        namespace: CloudWatch's namespace of the socket metrics.
        sockets: names of the metrics whose sum is the sockets of a task.
        threshold: the change from which on the log says that something is wrong; the alarm has it too.
        floor: how much traffic a comparison needs.
        services: the services.
    """

    application: str
    environment: str
    namespace: str
    sockets: tuple[str, ...]
    threshold: float
    floor: Floor
    services: tuple[Service, ...]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of a function.

        Raises:
            KeyError: something is missing.
            ValueError: it is no JSON.
        """
        text = json.loads(environ[VARIABLE])
        return cls(
            application=text["application"],
            environment=text["environment"],
            namespace=text["namespace"],
            sockets=tuple(text["sockets"]),
            threshold=text["threshold"],
            floor=Floor(requests=text["requests"]),
            services=tuple(
                Service(
                    name=name,
                    cluster=text["clusters"][cluster],
                    ecs_service=ecs_service,
                    container=container,
                    target_groups=tuple(target_groups),
                    load_balancer=load_balancer,
                )
                for name, cluster, ecs_service, container, target_groups, load_balancer in text["services"]
            ),
        )
