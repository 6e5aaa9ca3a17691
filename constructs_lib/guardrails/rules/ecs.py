"""What several rules look up about ECS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from constructs_lib.guardrails.templates.node import Node, NotKnown

TASK_DEFINITION: Final = "AWS::ECS::TaskDefinition"
SERVICE: Final = "AWS::ECS::Service"
TASK_SET: Final = "AWS::ECS::TaskSet"


def containers(task_definition: Node) -> Iterable[Node]:
    """The containers of a task definition."""
    return task_definition.get("Properties", "ContainerDefinitions").sequence()


def name_of(container: Node) -> str:
    """A container's name for a message."""
    try:
        name = container.get("Name").text()
    except NotKnown:
        name = None
    return f"container {name!r}" if name else "a container"
