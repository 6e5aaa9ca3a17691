"""Findings of the checks that we accept, each with its reason. Nothing else is accepted anywhere."""

from __future__ import annotations

from typing import Final, NamedTuple

from aws_cdk import Acknowledgment, Stack, Validations


class Accepted(NamedTuple):
    """One finding, in one kind of stack."""

    stack: str
    path: str
    """Where in the stack, as construct ids joined by ``/``; empty for the whole stack."""
    id: str
    reason: str


_LOGIN_ON_ANY: Final = (
    "ecr:GetAuthorizationToken takes no resource; the token it gives may do no more than the role. "
    "stacks/gate.py refuses every other statement on '*'."
)

ACCEPTED: Final = (
    Accepted("delivery", "", "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _LOGIN_ON_ANY),
    Accepted("services", "", "AwsSolutions::AwsSolutions-IAM5[Resource::*]", _LOGIN_ON_ANY),
    Accepted(
        "delivery",
        "",
        "AwsSolutions::AwsSolutions-CB4",
        "The builds make no artifacts and keep no cache, so nothing is stored that the key would encrypt.",
    ),
    Accepted(
        "services",
        "AccessLogs",
        "AwsSolutions::AwsSolutions-S1",
        "It holds the load balancers' access logs; logging access to the logs would need another bucket, and so on. "
        "It is private, and only the load balancers' log delivery may write to it.",
    ),
    Accepted(
        "network",
        "",
        "CloudFormation-Validate::W3010",
        "Zones are named in stacks/environments.py on purpose: nothing is looked up, and a zone that AWS adds or "
        "reorders never moves a subnet.",
    ),
)


def acknowledge(stack: Stack) -> None:
    """Records the accepted findings of one stack, by its id."""
    for accepted in ACCEPTED:
        if accepted.stack == stack.node.id:
            scope = stack.node.find_child(accepted.path) if accepted.path else stack
            Validations.of(scope).acknowledge(Acknowledgment(id=accepted.id, reason=accepted.reason))
