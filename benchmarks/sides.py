"""One synthesis of one side, in a process of its own.

``python -m benchmarks.sides --side ours --services 3 --validate no --outdir <folder>`` prints one line of JSON: the
jsii calls by kind, and the CPU seconds of Python alone. :mod:`benchmarks.runs` starts it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args
from unittest.mock import patch

from stacks.node import use_wheel_node

if TYPE_CHECKING:
    from aws_cdk import App

    from stacks.config import EnvironmentConfig

Side: TypeAlias = Literal["ours", "plain"]
SIDES: Final[tuple[Side, ...]] = get_args(Side)
SERVICES_AT_MOST: Final = 13
"""Of these web services over three zones a stack has room for so many; more go to another environment."""
SERVICES_WITH_FEATURES: Final = 2
"""One that calls and is counted, one that is called and has a configuration."""


def main(arguments: Sequence[str]) -> int:
    """Synthesizes and prints; everything that a user's own run pays for is inside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=SIDES, required=True)
    parser.add_argument("--services", type=int, required=True)
    parser.add_argument("--features", choices=("yes", "no"), required=True)
    parser.add_argument("--validate", choices=("yes", "no"), required=True)
    parser.add_argument("--outdir", required=True)
    options = parser.parse_args(arguments)
    use_wheel_node()
    from benchmarks.jsii_calls import counted

    build = ours if options.side == "ours" else plain
    with counted() as calls:
        build(
            distributed(options.services),
            features=options.features == "yes",
            validate=options.validate == "yes",
            outdir=options.outdir,
        ).synth()
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(json.dumps({"calls": calls, "python_seconds": used.ru_utime + used.ru_stime}) + "\n")
    return 0


def distributed(services: int) -> dict[str, list[str]]:
    """So many services in as few environments as hold them, as evenly as possible."""
    environments = -(-services // SERVICES_AT_MOST)
    names = [f"service-{index}" for index in range(1, services + 1)]
    return {f"production-{index + 1}": names[index::environments] for index in range(environments)}


def plain(
    environments: Mapping[str, Sequence[str]], *, features: bool = False, validate: bool = False, outdir: str
) -> App:
    """The app without this library."""
    from benchmarks.plain_app import ServicesStack, plain_app
    from benchmarks.plain_features import FeaturesStack

    return plain_app(
        environments, services_stack=FeaturesStack if features else ServicesStack, validate=validate, outdir=outdir
    )


def ours(
    environments: Mapping[str, Sequence[str]], *, features: bool = False, validate: bool = False, outdir: str
) -> App:
    """The app with it, as ``stacks`` makes it, without cdk-nag.

    ``application`` switches cdk-nag and CDK's own validation on together. A plain app has no cdk-nag, so only the
    validation is switched, where the ``App`` is made.
    """
    from aws_cdk import App

    from stacks.application import Flags, application

    def make(*, context: Flags, outdir: str | None, builtin_cloud_formation_validation: bool) -> App:  # noqa: ARG001
        return App(context=context, outdir=outdir, builtin_cloud_formation_validation=validate)

    configs = [environment(name, services) for name, services in environments.items()]
    if features:
        configs = [with_features(config) for config in configs]
    with patch("stacks.application.App", make):
        return application(configs, checked=False, outdir=outdir)


def environment(name: str, services: Sequence[str]) -> EnvironmentConfig:
    """What ``plain_app`` makes, as our configuration: three zones, private endpoints, HTTP."""
    from constructs_lib.delivery.policy import GitHubSource
    from constructs_lib.network.policy import Endpoints, NatGateways, NetworkPolicy
    from constructs_lib.services.policy import TaskSize, WritablePath
    from constructs_lib.services.scaling.capacity import Capacity
    from constructs_lib.services.task.health_check import HealthCheck
    from stacks.config import EnvironmentConfig, ServiceConfig, ServiceSize

    return EnvironmentConfig(
        application="shop",
        name=name,
        region="eu-west-1",
        availability_zones=("eu-west-1a", "eu-west-1b", "eu-west-1c"),
        network=NetworkPolicy(nat_gateways=NatGateways.PER_ZONE, endpoints=Endpoints.PRIVATE),
        source=GitHubSource(owner="your-organisation", repository="your-application", branch="production"),
        size=ServiceSize(
            task=TaskSize(cpu=1024, memory_mib=2048),
            capacity=Capacity.for_peak(requests_per_second=60, per_task=30, az_count=3, max_tasks=12),
        ),
        services=tuple(
            ServiceConfig(
                name=service,
                health_check=HealthCheck.http("/healthz", port=8080, program="python3"),
                writable_paths=(WritablePath(path="/tmp"),),  # noqa: S108  (the container's)
            )
            for service in services
        ),
    )


def with_features(config: EnvironmentConfig) -> EnvironmentConfig:
    """What :mod:`benchmarks.plain_features` adds: the first service calls the last and is counted, and the last has a
    configuration."""
    from benchmarks.features import APPCONFIG_AGENT, CLOUDWATCH_AGENT, CONTENT, SCHEMA, agent_image
    from constructs_lib.services.sockets.socket_metrics import SocketMetrics
    from constructs_lib.services.traffic.timeouts import TimeoutBudget
    from stacks.service_config import ServiceConfiguration

    caller, called = config.services
    return replace(
        config,
        services=(
            replace(caller, calls=(called.name,), socket_metrics=SocketMetrics(image=agent_image(CLOUDWATCH_AGENT))),
            replace(
                called,
                timeouts=TimeoutBudget(upstream_seconds=5, longest_request_seconds=10),
                configuration=ServiceConfiguration(
                    schema=SCHEMA, content=CONTENT, agent_image=agent_image(APPCONFIG_AGENT)
                ),
            ),
        ),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
