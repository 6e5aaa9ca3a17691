"""Findings about the roles of promotions and releases that we accept: each names a resource with a ``*`` in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from constructs_lib.delivery.policy import PullThroughCache
from constructs_lib.naming import release_path, repository_name, stack_name
from stacks.accepted import Accepted
from stacks.config import EnvironmentConfig, ExistingVpc
from stacks.landscape import Neighbours
from stacks.releases import Promotion

_STACK_ID: Final = "A stack's ARN ends with an id that AWS makes."
_ALARMS: Final = "A description of alarms is authorized against all of them."
_LEDGER: Final = "The entries of one service's ledger: each release makes the next."
_COPIES: Final = "One family: each release registers a copy that names its image, runs it once, and deregisters it."
_DIGESTS: Final = "An update brings what is written for any service of the stack, so a release compares all of them."


def release_findings(config: EnvironmentConfig, neighbours: Neighbours) -> Iterator[Accepted]:
    """What is accepted of an environment's promotions, buttons, pipelines and release role."""
    yield from _release_role(config)
    yield from _across(config, neighbours)
    yield from _builds(config)
    names = (config.application, config.name)
    for service in config.services:
        button = f"{service.name}-release"
        ledger = f"ssm:<region>:<account>:parameter{release_path(*names, service.name)}/*"
        digests = f"ssm:<region>:<account>:parameter/moorings/{config.application}/{config.name}/*/digest"
        yield _on("release", button, ledger, _LEDGER)
        yield _on("release", button, digests, _DIGESTS)
        yield _on("release", button, f"cloudformation:{_here(stack_name(*names, 'services'))}", _STACK_ID)
        yield _on("release", button, "ecs:<region>:<account>:task/*", "A condition holds it to the cluster.")
        yield _on("release", button, "cloudwatch:<region>:<account>:alarm:*", _ALARMS)
        if service.before_release is not None:
            family = f"{stack_name(*names, 'services')}-{service.name}-before-release"
            yield _on("release", button, f"ecs:<region>:<account>:task-definition/{family}:*", _COPIES)


def _builds(config: EnvironmentConfig) -> Iterator[Accepted]:
    """What a build may do besides its own repository."""
    cache, sbom = config.build.docker_hub, config.build.sbom
    for service in config.services:
        build = f"{service.name}-build"
        if isinstance(cache, PullThroughCache):
            images = f"ecr:<region>:<account>:repository/{cache.prefix}/*"
            yield _on("delivery", build, images, "Copies of Docker Hub's images; a first pull makes their repository.")
        if sbom is not None:
            repository = repository_name(config.application, config.name, service.name)
            lists = f"s3:::{sbom.bucket_name}/{repository}/*"
            yield _on("delivery", build, lists, "One list for each build tag; the build may only write them.")


def _across(config: EnvironmentConfig, neighbours: Neighbours) -> Iterator[Accepted]:
    """Who reads the ledger of the environment before: promotion and button themselves, or the reader there."""
    for service in config.services:
        before = neighbours.before
        if before is not None and before.account == config.account:
            theirs = release_path(before.application, before.name, service.name)
            ledger = f"ssm:{before.region}:<account>:parameter{theirs}/*"
            yield _on("release", f"{service.name}-release", ledger, _LEDGER)
            if isinstance(config.source, Promotion):
                yield _on("delivery", f"{service.name}-promotion", ledger, _LEDGER)
        if neighbours.readers:
            ours = release_path(config.application, config.name, service.name)
            yield _on("delivery", "Reader", f"ssm:<region>:<account>:parameter{ours}/*", _LEDGER)
    if config.code_pipeline:
        yield Accepted(
            "release",
            "Artifacts",
            "AwsSolutions::AwsSolutions-S1",
            "It hands copies of sources from one action to the next and deletes them after 30 days. It is private, and "
            "only its pipelines and their projects may read it.",
        )
        for service in config.services:
            yield Accepted(
                "release",
                f"{service.name}-pipeline",
                "AwsSolutions::AwsSolutions-IAM5[Resource::<Artifacts80C0BB10.Arn>/*]",
                "The objects of the environment's own bucket for sources.",
            )


def _release_role(config: EnvironmentConfig) -> Iterator[Accepted]:
    names = (config.application, config.name)
    read = ("observability",) if isinstance(config.network, ExistingVpc) else ("network", "observability")
    for stack in read:
        yield _on("services", "ReleaseRole", f"cloudformation:{_here(stack_name(*names, stack))}", _STACK_ID)
    for resource, reason in (
        (
            "ecs:<region>:<account>:task-definition/<AWS::StackName>-*:*",
            "The task definitions of this stack: their families begin with its name. Each release makes a revision.",
        ),
        (
            "ecs:<region>:<account>:service-deployment/<ClusterEB0386A7>/*",
            "The deployments of this stack's own cluster: each release makes one.",
        ),
        (
            "application-autoscaling:<region>:<account>:scalable-target/*",
            "A scalable target's ARN has an id that AWS makes. A condition holds it to desired counts of ECS services.",
        ),
        (
            f"cloudwatch:<region>:<account>:alarm:{config.application}/{config.name}/*",
            "The environment's alarms, which begin to act in a first release. IAM has no room for all their names.",
        ),
        ("cloudwatch:<region>:<account>:alarm:*", _ALARMS),
        (
            "ssm:<region>:<account>:parameter/cdk-bootstrap/*/version",
            "Every template of CDK reads the version of its bootstrap; the word between is the user's choice.",
        ),
        (
            f"ssm:<region>:<account>:parameter/moorings/{config.application}/{config.name}/*/digest",
            "CloudFormation reads the digests of all services of the stack in each update.",
        ),
    ):
        yield _on("services", "ReleaseRole", resource, reason)


def _on(stack: str, construct: str, resource: str, reason: str) -> Accepted:
    return Accepted(stack, construct, f"AwsSolutions::AwsSolutions-IAM5[Resource::arn:<partition>:{resource}]", reason)


def _here(stack: str) -> str:
    return f"<region>:<account>:stack/{stack}/*"
