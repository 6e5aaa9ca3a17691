"""The lifecycle policy that a template gives a repository, and what of it can be said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from constructs_lib.guardrails.rules.written import REPOSITORY
from constructs_lib.guardrails.templates.assembly import Assembly
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import HOLE
from constructs_lib.images.lifecycle import InvalidLifecyclePolicy, endangers
from constructs_lib.images.lifecycle_policy import TagPattern, parse
from constructs_lib.images.lifecycle_words import example
from constructs_lib.naming import PIN_PATTERN

CREATION_TEMPLATE: Final = "AWS::ECR::RepositoryCreationTemplate"

_TRIED: Final = ("90", "9999")
"""Numbers for what is not known: few for a rule that must keep many, many for one that must keep few."""

_FREE: Final = ("description", "countNumber")
"""What may differ between the trials; all else decides which images a rule selects."""


def policy_node(resource: Node) -> Node:
    """Where the policy's text stands, or would stand."""
    policy = resource.get("Properties", "LifecyclePolicy")
    return policy.get("LifecyclePolicyText") if resource.resource.type == REPOSITORY else policy


def texts(node: Node) -> Sequence[str]:
    """The policy as JSON; none when there is none, and two when it has unknown numbers.

    Raises:
        NotKnown: more of it is unknown, or has a key twice.
    """
    shape = node.shape()
    if shape is None:
        return ()
    if HOLE not in shape:
        _read(node, shape)
        return (shape,)
    found = tuple(shape.replace(HOLE, number) for number in _TRIED)
    one, other = (_fixed(_read(node, text)) for text in found)
    if one is None or one != other:
        raise NotKnown(node, "the lifecycle policy has parts that are known only when deployed")
    return found


def dangers(node: Node, text: str) -> str:
    """What a policy can do to an image in use, in a clause; empty when it can do nothing."""
    known = node.world.assembly.remember(_told)
    if text not in known:
        known[text] = _dangers(text)
    return known[text]


def _told(assembly: Assembly) -> dict[str, str]:
    """What was said already: a rule that keeps many images takes long to judge."""
    del assembly
    return {}


def _dangers(text: str) -> str:
    try:
        hazards = endangers(text)
    except InvalidLifecyclePolicy as error:
        return f"ECR would refuse the lifecycle policy: {error}"
    if not hazards:
        return ""
    hazard = hazards[0]
    others = f" (and so can {len(hazards) - 1} more)" if len(hazards) > 1 else ""
    told = example(hazard, pins=_has_pins(text))
    return f"lifecycle {hazard.reason}{others}; it {hazard.action}s, for example: {told}"


def _has_pins(text: str) -> bool:
    """Whether a rule names pins; to who has none, the example does not speak of them."""
    pin = TagPattern.glob(PIN_PATTERN)
    return any(pin.matches(pattern.filled("0")) for rule in parse(text) for pattern in rule.patterns)


def _read(node: Node, text: str) -> object:
    """The policy as data; None when it is no JSON.

    Raises:
        NotKnown: a key is there twice.
    """
    twice: list[str] = []

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in found]
        twice.extend(key for key in keys if keys.count(key) > 1)
        return dict(found)

    try:
        value: object = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return None
    if twice:
        raise NotKnown(node, f"the lifecycle policy has {twice[0][:40]!r} twice")
    return value


def _fixed(value: object) -> object:
    """A policy without what may differ."""
    if isinstance(value, dict):
        return {key: _fixed(item) for key, item in value.items() if key not in _FREE}
    return list(map(_fixed, value)) if isinstance(value, list) else value
