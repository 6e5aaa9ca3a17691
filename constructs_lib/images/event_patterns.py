"""Which events wake the retention guard, as EventBridge patterns (lessons Q2, Q4). Standard library only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from constructs_lib.checks import is_token
from constructs_lib.naming import PIN_PATTERN

Pattern: TypeAlias = dict[str, object]

MOST_CHARACTERS: Final = 2048
"""EventBridge's limit of one pattern (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""

_LONGEST_NAME: Final = 256
_LONGEST_STACK_ID: Final = 250  # with 128 characters for the stack's own name

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


def event_patterns(repository_names: Sequence[str]) -> list[Pattern]:
    """The patterns, each short enough for one rule; as a rule there is one.

    Args:
        repository_names: ECR's names of the guarded repositories; a Token counts as a name of the longest kind.
    """
    patterns: list[Pattern] = []
    others: list[Pattern] = [_TASKS, _SERVICES, _OWN_STACK]
    names: list[str] = []
    room = MOST_CHARACTERS - _LONGEST_STACK_ID - len(json.dumps(_either(*others, _images([]))))
    for name in repository_names:
        size = len('"", ') + (_LONGEST_NAME if is_token(name) else len(name))
        if size > room:
            patterns.append(_either(*others, _images(names)))
            others, names = [], []
            room = MOST_CHARACTERS - len(json.dumps(_images([])))
        names.append(name)
        room -= size
    return [*patterns, _either(*others, _images(names))]


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


def _either(*alternatives: Pattern) -> Pattern:
    """One of the alternatives; ``$or`` takes at least two."""
    return {"$or": list(alternatives)} if len(alternatives) > 1 else alternatives[0]
