"""Q6: Docker Hub's limit of pulls must not decide how images are built or started.

https://docs.docker.com/docker-hub/usage/pulls/ . An image's first part names a registry when it has a dot or a colon,
or is ``localhost`` (https://docs.docker.com/reference/cli/docker/image/tag/); without one the image is on Docker Hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.buildspecs import PROJECT, commands, inline, login, made, pulled, started
from constructs_lib.guardrails.rules.ecs import TASK_DEFINITION, containers, name_of
from constructs_lib.guardrails.rules.written import different, literal, shown, written
from constructs_lib.guardrails.templates.node import Node, NotKnown

_DOCKER_HUB: Final = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")
_CODEBUILD: Final = "aws/codebuild/"
"""CodeBuild's own images, which have no registry in their names."""

_WHY: Final = (
    "Docker Hub limits pulls, and counts them by address for whoever does not log in; {then}. ECS web application, "
    "April 2025: builds for staging and production were joined, perhaps to stay within that limit."
)


def pulled_by_tasks(container: Node) -> Fault | None:
    """Q6a."""
    if container.get("RepositoryCredentials").given:
        return None
    image = container.get("Image")
    text = written(image)
    if text and _known_place(image, text):
        return Fault(image, f"{name_of(container)} pulls {shown(text)} from Docker Hub without RepositoryCredentials")
    return None


def pulled_by_builds(project: Node) -> Fault | None:
    """Q6b. A buildspec in the source is not seen."""
    environment = project.get("Properties", "Environment")
    name = repr(project.resource.logical_id)
    try:
        fault = _build_image(environment, name)
        unknown = None
    except NotKnown as error:
        fault, unknown = None, error
    fault = fault or _pulled_by_commands(project, name)
    if fault is None and unknown is not None:
        raise unknown
    return fault


def _build_image(environment: Node, name: str) -> Fault | None:
    if environment.get("RegistryCredential").given:
        return None
    image = environment.get("Image")
    text = written(image)
    if text and not text.startswith(_CODEBUILD) and _known_place(image, text):
        return Fault(image, f"project {name} builds in {shown(text)} from Docker Hub without RegistryCredential")
    return None


def _pulled_by_commands(project: Node, name: str) -> Fault | None:
    try:
        buildspec: Mapping[str, object] | None = inline(project)
    except NotKnown:
        return None  # as one in the source
    node = project.get("Properties", "Source", "BuildSpec")
    perhaps = False
    here: list[str] | None = []
    for command in commands(project, buildspec or {}):
        servers = login(command)
        if servers is not None:
            places = [on_docker_hub(f"{_host(server)}/image") if server else True for server in servers]
            if True in places:
                return None
            perhaps = perhaps or None in places
        given = started(command)
        for image in pulled(command):
            if given and (here is None or any(not different(_tagged(image), one) for one in here)):
                continue
            if on_docker_hub(image):
                if perhaps:
                    raise NotKnown(node, "where its docker login goes is known only when deployed")
                return Fault(node, f"project {name} pulls {shown(image)} from Docker Hub with no docker login before")
        new = made(command)
        here = None if new is None or here is None else [*here, *map(_tagged, new)]
    return None


def _tagged(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def _host(server: str) -> str:
    return server.split("://")[-1].split("/")[0]


def _known_place(node: Node, image: str) -> bool:
    place = on_docker_hub(image)
    if place is None:
        raise NotKnown(node, f"the registry of {shown(image)} is known only when deployed")
    return place


def on_docker_hub(image: str) -> bool | None:
    """Whether an image is on Docker Hub; None when that is not known."""
    first, slash, _ = image.partition("/")
    name = first if slash else first.split("@")[0].split(":")[0]
    if slash and (set(".:") & set(literal(first)) or first == "localhost"):
        return first in _DOCKER_HUB
    return None if literal(name) != name else True


RULES: Final = (
    Rule(
        id="MOOR-Q6a",
        severity="warning",
        types=(TASK_DEFINITION,),
        title="no task pulls from Docker Hub without credentials",
        why=_WHY.format(then="above the limit a pull is refused, and the task that needs it does not start"),
        fix="Pull through ECR's cache (AWS::ECR::PullThroughCacheRule) or from a repository of your own, or set "
        "RepositoryCredentials.",
        subjects=containers,
        judge=pulled_by_tasks,
    ),
    Rule(
        id="MOOR-Q6b",
        severity="warning",
        types=(PROJECT,),
        title="no build pulls from Docker Hub without credentials",
        why=_WHY.format(then="above the limit a pull is refused, and the build fails"),
        fix="Log in to Docker Hub before pulling (docker login, with a secret), set the Environment's "
        "RegistryCredential, or pull through ECR's cache (AWS::ECR::PullThroughCacheRule).",
        judge=pulled_by_builds,
    ),
)
