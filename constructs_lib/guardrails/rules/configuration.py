"""T2: configuration goes on with its last good copy when its source is down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import TASK_DEFINITION, containers, name_of
from constructs_lib.guardrails.templates.assembly import Assembly, Template
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import HOLE, Text, Value, as_text, function_of, mapping
from constructs_lib.guardrails.templates.world import World

APPLICATION: Final = "AWS::AppConfig::Application"

_AGENT: Final = "aws-appconfig-agent"
_BACKUP: Final = "BACKUP_DIRECTORY"
_DEEPEST: Final = 20

_WHY: Final = "Twilio, February 2021: what depended on an inner service had no copy of its answers to run on"


def no_agent(application: Node) -> Fault | None:
    """T2a."""
    agents = application.world.assembly.remember(_agents)
    if agents is None:
        raise NotKnown(application, "the image of a container is known only when deployed")
    return None if agents else Fault(application, "no task definition here runs the AppConfig agent")


def agents(task_definition: Node) -> Iterable[Node]:
    """The containers that are surely the AppConfig agent; what is not known matters only beside AppConfig."""
    try:
        for container in containers(task_definition):
            if _is_agent(container.get("Image").value):
                yield container
    except NotKnown:
        if task_definition.world.assembly.of_type(APPLICATION):
            raise


def no_backup(container: Node) -> Fault | None:
    """T2b. The agent reads its backups back when it cannot reach AppConfig.

    https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-containers-agent-configuring.html
    """
    directory = _variable(container)
    path = None if directory is None else directory.text()
    if directory is None or not path:
        return Fault(container.get("Environment"), f"{name_of(container)} has no {_BACKUP}")
    mounts = container.get("MountPoints").items()
    if container.get("VolumesFrom").given or any(_outlives_the_task(mount, path.rstrip("/")) for mount in mounts):
        return None
    return Fault(directory, f"{name_of(container)} backs up to {path[:60]!r}, on a disk that goes with the task")


def _variable(container: Node) -> Node | None:
    for variables in (container.get("Environment"), container.get("Secrets")):
        for variable in variables.items():
            if variable.get("Name").text() == _BACKUP:
                return variable.get("Value")
    if container.get("EnvironmentFiles").given:
        raise NotKnown(container.get("EnvironmentFiles"), "the files are in S3")
    return None


def _outlives_the_task(mount: Node, path: str) -> bool:
    """Whether a mount point holds a path, on a volume that the next task finds again."""
    if not f"{path}/".startswith(f"{(mount.get('ContainerPath').text() or '').rstrip('/')}/"):
        return False
    name = mount.get("SourceVolume").text()
    for volume in Node.of(mount.world, mount.resource).get("Properties", "Volumes").items():
        if volume.get("Name").text() == name:
            kept = {key for key, _ in volume.entries()} - {"Name", "Host", "ConfiguredAtLaunch"}
            return bool(kept) or volume.get("Host", "SourcePath").given
    return False


def _agents(assembly: Assembly) -> bool | None:
    """Whether a container is the agent, be it under a condition; None when that is not known.

    Where there is no task at all, nothing is asked of it.
    """
    world = World(assembly)
    answers = {
        _is_agent(image)
        for task_definition in assembly.of_type(TASK_DEFINITION)
        for image in _images(
            world,
            task_definition.template,
            mapping(task_definition.body.get("Properties")).get("ContainerDefinitions"),
        )
    }
    return True if True in answers or not assembly.of_type(TASK_DEFINITION) else None if None in answers else False


def _images(world: World, template: Template, raw: object, depth: int = 0) -> Iterator[Value]:
    """The images of the containers in a value, in all branches."""
    if depth > _DEEPEST:
        return
    name, argument = function_of(raw) or ("", None)
    if name == "Fn::If" and isinstance(argument, list):
        for branch in argument[1:]:
            yield from _images(world, template, branch, depth + 1)
    elif name == "Ref" and argument == "AWS::NoValue":
        return
    elif name:
        yield world.value(template, raw)
    elif isinstance(raw, list):
        for item in raw:
            yield from _images(world, template, item, depth + 1)
    elif isinstance(raw, dict):
        yield from _images(world, template, raw.get("Image"), depth + 1)
    elif raw is not None:
        yield world.value(template, raw)


def _is_agent(image: Value) -> bool | None:
    """Whether an image is the agent's; None when its name is not known."""
    shape = image.shape if isinstance(image, Text) else as_text(image)
    if shape is None:
        return None
    if _AGENT in shape:
        return True
    name = shape.split("@", 1)[0].rsplit("/", 1)[-1]
    return None if HOLE in name.split(":", 1)[0] else False


RULES: Final = (
    Rule(
        id="MOOR-T2a",
        severity="notice",
        types=(APPLICATION,),
        title="tasks read AppConfig through its agent, which keeps the last good copy",
        why=f"{_WHY}; who asks AppConfig for each request stands still when it does not answer.",
        fix="Add a container with the image public.ecr.aws/aws-appconfig/aws-appconfig-agent to the task definition.",
        judge=no_agent,
    ),
    Rule(
        id="MOOR-T2b",
        severity="notice",
        types=(TASK_DEFINITION,),
        title="a new task has a copy of its configuration to start from",
        why=f"{_WHY}; a copy in a task's memory or on its disk dies with it, and the next task starts with nothing.",
        fix="Set BACKUP_DIRECTORY to a path on a volume that outlives the task, such as one of Amazon EFS.",
        subjects=agents,
        judge=no_backup,
    ),
)
