"""What to do about a release parameter: pure functions, no AWS, no clock, no log. Standard library only."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Final

NOT_RELEASED: Final = "none"
"""The value before the first release. The same word as ``constructs_lib.naming.NOT_RELEASED``; a test compares them."""

ALLOWED_PATTERN: Final = "^(none|sha256:[0-9a-f]{64})$"
"""SSM itself refuses any other value, such as a tag (lesson Q3)."""

DESCRIPTION: Final = (
    "The digest of the image that this service runs, or 'none' before the first release. Written by a release, never "
    "by CloudFormation. Without this parameter the service's stack cannot be deployed."
)
_NAME: Final = re.compile(r"/moorings/[a-z0-9/-]+/digest")
_REASON_LENGTH: Final = 1000  # characters; CloudFormation takes 4096 bytes for the whole answer


class Action(enum.Enum):
    """What CloudFormation's request comes down to."""

    CREATE_IF_ABSENT = "create if absent"
    REQUIRE = "must exist"
    LEAVE = "leave alone"


class InvalidRequestError(ValueError):
    """A request that this function's own construct cannot have made."""


def decide(event: Mapping[str, object]) -> Action:
    """The action for one request.

    A forgotten value must not roll a service back or stop it. So ``none`` is written once, when CloudFormation first
    makes the resource (or gives it another name), and only where nothing is. An update requires the parameter to be
    there: writing ``none`` again would scale a released service to zero. A deletion leaves it, with its history.

    Raises:
        InvalidRequestError: no known request type.
    """
    match event.get("RequestType"):
        case "Create":
            return Action.CREATE_IF_ABSENT
        case "Update":
            renamed = event.get("PhysicalResourceId") != parameter_name(event)
            return Action.CREATE_IF_ABSENT if renamed else Action.REQUIRE
        case "Delete":
            return Action.LEAVE
        case other:
            raise InvalidRequestError(f"RequestType must be Create, Update or Delete, got {other!r}")


def parameter_name(event: Mapping[str, object]) -> str:
    """The parameter that a request is about.

    Raises:
        InvalidRequestError: the properties hold no name of a release parameter.
    """
    properties = event.get("ResourceProperties")
    name = properties.get("Name") if isinstance(properties, Mapping) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequestError(
            f"Name must be '/moorings/<application>/<environment>/<service>/digest', got {name!r}"
        )
    return name


def how_to_restore(name: str) -> str:
    """The answer when a parameter is gone that must be there."""
    return (
        f"The parameter {name} is gone. It is not written as '{NOT_RELEASED}' by itself, because that would scale a "
        "released service to zero. Put back the digest that the service's task definition names, then deploy again: "
        f"aws ssm put-parameter --name {name} --type String --allowed-pattern '{ALLOWED_PATTERN}' "
        "--value sha256:<digest>"
    )


def answer(event: Mapping[str, object], failure: str | None) -> dict[str, object]:
    """The reply to CloudFormation; ``failure`` is its reason when there is one.

    The physical id is the parameter's name, so a new name is a replacement. A failed update keeps the id it had:
    another one would tell CloudFormation that the resource was replaced.
    """
    physical = event.get("PhysicalResourceId")
    if failure is None and event.get("RequestType") != "Delete":
        physical = parameter_name(event)
    reply: dict[str, object] = {
        "Status": "SUCCESS" if failure is None else "FAILED",
        "PhysicalResourceId": physical or "not-created",
    }
    for key in ("StackId", "RequestId", "LogicalResourceId"):
        reply[key] = event.get(key)
    if failure is not None:
        reply["Reason"] = failure[:_REASON_LENGTH]
    return reply
