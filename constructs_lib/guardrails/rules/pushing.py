"""Q1: nothing can push to two environments."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, islice
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.buildspecs import PROJECT, commands, inline, pushed, script
from constructs_lib.guardrails.rules.principals import ROLE, TYPES, limited, named, principals, pushes, told
from constructs_lib.guardrails.rules.written import NAMED, different, shown
from constructs_lib.guardrails.templates.node import Node, NotKnown

_MOST_PAIRS: Final = 20_000

_WHY: Final = (
    "ECS web application, April 2025: one build pushed to the registries of staging and production, and staging's many "
    "builds pushed the image that production ran out of what the lifecycle policy keeps."
)
_FIX: Final = (
    "Give each environment a repository, a build and a role of its own, and name in the role's Resource the ARN of "
    "that one repository"
)


def pushes_to_several(principal: Node) -> Fault | None:
    """Q1a."""
    found = pushes(principal)
    sure = [grant for grant in found.grants if grant.certain and not grant.open]
    wide = next((grant for grant in sure if grant.many), None)
    pair = _two([grant.arn for grant in sure])
    if wide is not None or pair is not None:
        if limited(principal):
            raise NotKnown(
                principal.get("Properties", "PermissionsBoundary"), "a permissions boundary may take it away"
            )
        if wide is not None:
            return Fault(wide.node, f"{named(principal)} may push to {told(principal, wide)}")
        one, other = pair or ("", "")
        node = next(grant.node for grant in sure if grant.arn == other)
        return Fault(node, f"{named(principal)} may push to {shown(one)} and to {shown(other)}")
    if len({_same(grant.arn) for grant in found.grants}) > 1 or any(grant.many or grant.open for grant in found.grants):
        grant = next((grant for grant in found.grants if grant.open or not grant.certain), found.grants[-1])
        why = (
            "it is under a Condition" if not grant.certain else f"{told(principal, grant)} is known only when deployed"
        )
        raise NotKnown(grant.node, why)
    if found.unknown:
        raise found.unknown[0]
    return None


def builds_for_several(project: Node) -> Fault | None:
    """Q1b. What a script in the source does is not seen: then the role tells how far it could go."""
    node = project.get("Properties", "Source", "BuildSpec")
    try:
        buildspec = inline(project)
    except NotKnown:
        _check_role(project)
        return None
    if buildspec is None:
        _check_role(project)
        return None
    given = list(commands(project, buildspec))
    repositories = [repository for command in given for repository in pushed(project, command)]
    pair = _two(repositories)
    if pair is not None:
        return Fault(
            node, f"project {project.resource.logical_id!r} pushes to {shown(pair[0])} and to {shown(pair[1])}"
        )
    if len({_same(repository) for repository in repositories}) > 1:
        raise NotKnown(node, f"{shown(repositories[0])} and {shown(repositories[-1])} may be two repositories")
    called = next(filter(None, map(script, given)), "")
    if called and _builds_images(project):
        _check_role(project, f"{shown(called)[:60]}, which the buildspec calls,")
    return None


def _builds_images(project: Node) -> bool:
    """Docker needs the privileged mode: https://docs.aws.amazon.com/codebuild/latest/userguide/sample-docker.html"""
    try:
        return bool(project.get("Properties", "Environment", "PrivilegedMode").truth())
    except NotKnown:
        return True


def _check_role(project: Node, what: str = "the buildspec") -> None:
    """What the role allows, for a buildspec or script that cannot be read.

    Raises:
        NotKnown: it may push to several repositories, or it builds images with a role that is not in the templates.
    """
    node = project.get("Properties", "Source", "BuildSpec")
    role = project.get("Properties", "ServiceRole").target()
    if role is None or role.type != ROLE:
        if project.get("Properties", "Environment", "PrivilegedMode").truth():
            raise NotKnown(node, f"neither {what} nor the role of a project that may build images is here")
        return
    try:
        fault = pushes_to_several(Node.of(project.world, role))
    except NotKnown as unknown:
        raise NotKnown(node, f"{what} is not here, and of its role {role.logical_id!r}: {unknown.why}") from unknown
    if fault is not None:
        raise NotKnown(node, f"{what} is not here, and {fault.what}")


def _two(texts: Sequence[str]) -> tuple[str, str] | None:
    """Two texts that surely name different repositories."""
    distinct = list({_same(text): text for text in reversed(texts)}.values())[::-1]
    pairs = islice(combinations(distinct, 2), _MOST_PAIRS)
    return next(((one, other) for one, other in pairs if _apart(one, other)), None)


def _apart(one: str, other: str) -> bool:
    if NAMED in one and NAMED in other:
        one, other = _same(one), _same(other)
    return different(one, other)


def _same(text: str) -> str:
    """One text for what is the same repository, however its registry is written."""
    return text[text.index(NAMED) :] if NAMED in text else text


RULES: Final = (
    Rule(
        id="MOOR-Q1a",
        severity="error",
        types=TYPES,
        title="nobody may push to more than one repository",
        why=_WHY,
        fix=f"{_FIX}; ecr:GetAuthorizationToken alone needs *.",
        subjects=principals,
        judge=pushes_to_several,
    ),
    Rule(
        id="MOOR-Q1b",
        severity="error",
        types=(PROJECT,),
        title="a build pushes to one repository",
        why=_WHY,
        fix=f"{_FIX}; to bring an image to the next environment, copy its digest when it is promoted.",
        judge=builds_for_several,
    ),
)
