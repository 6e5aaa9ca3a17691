"""Which events wake the retention guard, as EventBridge patterns (lessons Q2, Q4). Standard library only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from constructs_lib.checks import is_token
from constructs_lib.naming import PIN_PATTERN

Pattern: TypeAlias = dict[str, object]

MOST_CHARACTERS: Final = 2048
"""EventBridge's limit of one pattern (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""

_LONGEST_NAME: Final = 256
_LONGEST_STACK_ID: Final = 230  # with 128 characters for the stack's own name

_TASKS: Final[Pattern] = {
    "source": ["aws.ecs"],
    "detail-type": ["ECS Task State Change"],
    "detail": {"lastStatus": ["PENDING", "RUNNING", "STOPPED"]},
}
_SERVICES: Final[Pattern] = {
    "source": ["aws.ecs"],
    "detail-type": ["ECS Deployment State Change", "ECS Service Action"],
}
_OWN_STACK: Final[Pattern] = {
    # Right after it was made or changed, so that nobody waits for the schedule.
    "source": ["aws.cloudformation"],
    "detail-type": ["CloudFormation Stack Status Change"],
    "detail": {
        "stack-id": [{"Ref": "AWS::StackId"}],
        "status-details": {"status": ["CREATE_COMPLETE", "UPDATE_COMPLETE"]},
    },
}


def event_patterns(repository_names: Sequence[str], parameter_names: Sequence[str] = ()) -> list[Pattern]:
    """The patterns, each short enough for one rule; as a rule there is one.

    Args:
        repository_names: ECR's names of the guarded repositories; a Token counts as a name of the longest kind.
        parameter_names: the release parameters, at most 1,011 characters each; none by default.
    """
    parts = [
        _Part(fixed=(_TASKS, _SERVICES, _OWN_STACK)),
        *(_Part(repositories=(name,)) for name in repository_names),
        *(_Part(parameters=(name,)) for name in parameter_names),
    ]
    packed: list[_Part] = []
    for part in parts:
        for place, there in enumerate(packed):
            if (both := there + part).size <= MOST_CHARACTERS:
                packed[place] = both
                break
        else:
            packed.append(part)
    return [part.pattern for part in packed]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one rule may listen to."""

    fixed: tuple[Pattern, ...] = ()
    repositories: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    def __add__(self, other: _Part) -> _Part:
        return _Part(
            self.fixed + other.fixed, self.repositories + other.repositories, self.parameters + other.parameters
        )

    @property
    def pattern(self) -> Pattern:
        """As EventBridge takes it; ``$or`` must have two alternatives at least."""
        alternatives = list(self.fixed)
        if self.repositories:
            alternatives.append(_images(self.repositories))
        if self.parameters:
            alternatives.append(_releases(self.parameters))
        return {"$or": alternatives} if len(alternatives) > 1 else alternatives[0]

    @property
    def size(self) -> int:
        """How many characters the pattern may have once CloudFormation has filled it in."""
        unknown = sum(_LONGEST_NAME - len(name) for name in self.repositories if is_token(name))
        return len(json.dumps(self.pattern)) + unknown + (_LONGEST_STACK_ID if self.fixed else 0)


def _images(names: Sequence[str]) -> Pattern:
    """Every action on an image but the push of a pin, for the guard must not wake itself.

    A push without a tag has no ``image-tag``, or an empty one; no document settles which. What else there is (DELETE,
    and whatever tells of archiving) wakes the guard whatever the tag.
    """
    return {
        "source": ["aws.ecr"],
        "detail-type": ["ECR Image Action"],
        "detail": {
            "repository-name": list(names),
            "$or": [
                {"action-type": [{"anything-but": "PUSH"}]},
                {"image-tag": [{"anything-but": {"prefix": PIN_PATTERN.removesuffix("*")}}]},
                {"image-tag": [{"exists": False}]},
            ],
        },
    }


def _releases(names: Sequence[str]) -> Pattern:
    """A digest was released: it is pinned, or found missing, before a task needs it.

    The event is that of
    https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html; Delete
    and labels release nothing.
    """
    return {
        "source": ["aws.ssm"],
        "detail-type": ["Parameter Store Change"],
        "detail": {"name": list(names), "operation": ["Create", "Update"]},
    }
