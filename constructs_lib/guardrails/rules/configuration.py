"""T2: configuration goes on with its last good copy when its source is down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.configuration_copies import no_copy
from constructs_lib.guardrails.rules.ecs import TASK_DEFINITION, containers
from constructs_lib.guardrails.templates.assembly import Assembly, Template
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import HOLE, Text, Value, as_text, function_of, mapping
from constructs_lib.guardrails.templates.world import World

APPLICATION: Final = "AWS::AppConfig::Application"

_AGENT: Final = "aws-appconfig-agent"
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
    missing: NotKnown | None = None
    try:
        for container in containers(task_definition):
            try:
                if _is_agent(container.get("Image").value):
                    yield container
            except NotKnown as unknown:
                missing = unknown
    except NotKnown as unknown:
        missing = unknown
    if missing is not None and task_definition.world.assembly.of_type(APPLICATION):
        raise missing


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
        fix="Keep a copy in S3 and name it to the application (MOORINGS_CONFIG_COPY: s3://bucket/key), which adds"
        " nothing to the start of a task; or set BACKUP_DIRECTORY to a path on a volume of Amazon EFS, without which no"
        " task starts.",
        subjects=agents,
        judge=no_copy,
    ),
)
