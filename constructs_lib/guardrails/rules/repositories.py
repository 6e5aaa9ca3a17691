"""Q2: the registry keeps what is running."""

from __future__ import annotations

from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.lifecycle_texts import CREATION_TEMPLATE, dangers, policy_node, texts
from constructs_lib.guardrails.rules.written import REPOSITORY
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import referring
from constructs_lib.images.lifecycle import InvalidLifecyclePolicy
from constructs_lib.images.lifecycle_policy import LifecycleRule, TagPattern, parse
from constructs_lib.naming import PIN_PATTERN

_KEPT: Final = ("Retain", "RetainExceptOnCreate")
"""The second deletes a repository only when its creation is rolled back: nothing has run from it."""

_EMPTIED: Final = "Custom::ECRAutoDeleteImages"
"""CDK's own way to empty a repository before it is deleted, of before EmptyOnDelete."""

_ENOUGH_PINS: Final = 100
"""As many images in use as :func:`constructs_lib.images.lifecycle.endangers` assumes."""

_WHY: Final = "ECS web application, April 2025: production ran an image that the registry had deleted"
_SHIELD: Final = (
    "Keep a pin-* tag on each image in use, and let the first rule of the lifecycle policy keep them (tagPatternList "
    '["pin-*"], imageCountMoreThan 9999)'
)


def endangering(repository: Node) -> Fault | None:
    """Q2a."""
    node = policy_node(repository)
    told = [dangers(node, text) for text in texts(node)]
    if any(told) and not all(told):
        raise NotKnown(node, "it depends on a number that is known only when deployed")
    return Fault(node, told[0]) if any(told) else None


def emptied(repository: Node) -> Fault | None:
    """Q2b."""
    switch = repository.get("Properties", "EmptyOnDelete")
    policy = repository.get("DeletionPolicy")
    by_function = bool(referring(repository.world.assembly, repository.resource, _EMPTIED))
    if not (switch.given or by_function) or policy.text() in _KEPT or not (by_function or switch.truth()):
        return None
    how = "EmptyOnDelete" if switch.given and not by_function else _EMPTIED
    got = policy.text() or "Delete, the default"
    return Fault(switch, f"the repository's images are deleted with it ({how}), for its DeletionPolicy is {got}")


def deleted(repository: Node) -> Fault | None:
    """Q2c. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"""
    for name, kept in (("DeletionPolicy", _KEPT), ("UpdateReplacePolicy", _KEPT[:1])):
        policy = repository.get(name)
        value = policy.text()
        if value not in kept:
            return Fault(policy, f"the repository's {name} is {value or 'Delete, the default'}")
    return None


def untagging(repository: Node) -> Fault | None:
    """Q2d. Where tags move, an image in use loses its tag to the next build."""
    given = repository.get("Properties", "LifecyclePolicy").given
    if not given or not movable(repository.get("Properties", "ImageTagMutability")):
        return None
    node = policy_node(repository)
    told = [_expiring_untagged(text) for text in texts(node)]
    if None in told and any(told):
        raise NotKnown(node, "it depends on a number that is known only when deployed")
    rule = told[0] if told else None
    if rule is None:
        return None
    what = f"tags can move, lifecycle rule {rule.priority} expires images without a tag, and no rule shields pins"
    return Fault(node, what)


def movable(mutability: Node) -> bool:
    """Whether tags can be moved; by default they can."""
    return (mutability.text() or "MUTABLE").startswith("MUTABLE")


def _expiring_untagged(text: str) -> LifecycleRule | None:
    """The rule that expires untagged images where nothing shields pins.

    Of what ECR would refuse, and of rules that expire ``any`` image, Q2a tells.
    """
    try:
        rules = parse(text)
    except InvalidLifecyclePolicy:
        return None
    if any(map(_shields, rules)):
        return None
    return next((rule for rule in rules if rule.action == "expire" and rule.tag_status == "untagged"), None)


def _shields(rule: LifecycleRule) -> bool:
    """Whether a rule selects pins alone and keeps them."""
    pin = TagPattern.glob(PIN_PATTERN)
    only_pins = any(pin.matches(pattern.filled("0")) for pattern in rule.patterns)
    return only_pins and rule.count_type == "imageCountMoreThan" and rule.number >= _ENOUGH_PINS


RULES: Final = (
    Rule(
        id="MOOR-Q2a",
        severity="error",
        types=(REPOSITORY, CREATION_TEMPLATE),
        title="the lifecycle policy can never take an image in use",
        why=f"{_WHY}: it kept the newest ten, whatever was running.",
        fix=f"{_SHIELD}; no later rule can then act on them.",
        judge=endangering,
    ),
    Rule(
        id="MOOR-Q2b",
        severity="error",
        types=(REPOSITORY,),
        title="images are not deleted with the stack",
        why=f"{_WHY}; a stack that is deleted or rolled back must not do the same.",
        fix="Set DeletionPolicy to Retain, or leave EmptyOnDelete out.",
        judge=emptied,
    ),
    Rule(
        id="MOOR-Q2c",
        severity="warning",
        types=(REPOSITORY,),
        title="a repository outlives its stack and its replacement",
        why=f"{_WHY}; a repository that CloudFormation deletes or replaces leaves services without their images.",
        fix="Set DeletionPolicy and UpdateReplacePolicy to Retain.",
        judge=deleted,
    ),
    Rule(
        id="MOOR-Q2d",
        severity="warning",
        types=(REPOSITORY,),
        title="an image in use does not lose its last tag and then expire",
        why=f"{_WHY}: its tag had moved to a newer build.",
        fix=f"{_SHIELD}, or set ImageTagMutability to IMMUTABLE.",
        judge=untagging,
    ),
)
