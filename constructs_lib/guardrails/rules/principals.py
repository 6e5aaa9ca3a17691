"""Who may push where: the policies of each role, user and group, wherever in the assembly they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.guardrails.rules.iam_policies import EVERY_REPOSITORY, MANAGED, Grant, Rights, rights
from constructs_lib.guardrails.rules.written import marked, shown, written
from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.references import named_in
from constructs_lib.guardrails.templates.values import Reference, Text, mapping
from constructs_lib.guardrails.templates.world import World

ROLE: Final = "AWS::IAM::Role"
_MANAGED_POLICY: Final = "AWS::IAM::ManagedPolicy"
_SAM: Final = ("AWS::Serverless::Function", "AWS::Serverless::StateMachine")
_NAMES: Final[Mapping[str, str]] = {ROLE: "RoleName", "AWS::IAM::User": "UserName", "AWS::IAM::Group": "GroupName"}
_ATTACHED: Final = (
    "AWS::IAM::Policy", _MANAGED_POLICY, "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy",
)  # fmt: skip
_TO: Final[Mapping[str, tuple[str, str]]] = {
    ROLE: ("Roles", "RoleName"),
    "AWS::IAM::User": ("Users", "UserName"),
    "AWS::IAM::Group": ("Groups", "GroupName"),
}
"""Where a policy names those to whom it is attached."""

TYPES: Final = (*_NAMES, *_SAM, *_ATTACHED)
"""What may give rights: SAM makes roles of policies, and a policy may be for a role of elsewhere."""

_AWS_POLICY: Final = ":aws:policy/"
_TEMPLATED: Final = ("Version", "Statement")

_Key = tuple[int, str] | str


@dataclass(frozen=True, slots=True)
class Policies:
    """A principal's policies (lesson Q1).

    Args:
        documents: policy documents.
        managed: names of AWS's managed policies, and where each is named.
        unknown: what could not be read.
    """

    documents: list[Node]
    managed: list[tuple[str, Node]]
    unknown: list[NotKnown]


def principals(resource: Node) -> Iterator[Node]:
    """The resource, unless it is a policy of a principal of the assembly, or of none that it names."""
    if resource.resource.type in _ATTACHED:
        keys = list(_attached_to(resource.world, resource.resource))
        if not keys or not resource.world.assembly.remember(_known_keys).isdisjoint(keys):
            return
    elif resource.resource.type in _SAM and resource.get("Properties", "Role").given:
        return
    yield resource


def pushes(principal: Node) -> Rights:
    """Where a principal may push, by all of its policies together."""
    policies = policies_of(principal)
    found = rights(policies.documents, policies.managed)
    return Rights(found.grants, (*policies.unknown, *found.unknown))


def policies_of(principal: Node) -> Policies:
    """What gives a principal rights, wherever in the assembly it stands."""
    found = Policies([], [], [])
    for policy in _policies(principal, found.unknown):
        try:
            _sort(policy, found.documents, found.managed)
        except NotKnown as error:
            found.unknown.append(error)
    return found


def limited(principal: Node) -> bool:
    """Whether a permissions boundary may take away what policies allow."""
    boundary = principal.get("Properties", "PermissionsBoundary")
    return boundary.given and (written(boundary) or "").rsplit("/", 1)[-1] not in MANAGED


def named(principal: Node) -> str:
    """A principal for a message."""
    kind = principal.resource.type.rsplit("::", 1)[-1].lower()
    return f"{kind} {principal.resource.logical_id!r}"


def told(principal: Node, grant: Grant) -> str:
    """A grant for a message, with the policy that gives it when that stands elsewhere."""
    what = "every repository" if grant.arn == EVERY_REPOSITORY else shown(grant.arn)
    if grant.many and grant.arn != EVERY_REPOSITORY:
        what = f"every repository that matches {what}"
    policy = grant.node.resource
    by = grant.by or (repr(policy.logical_id) if policy is not principal.resource else "")
    return f"{what} by {by}" if by else what


def _policies(principal: Node, unknown: list[NotKnown]) -> Iterator[Node]:
    """What gives rights: policies with a document, and names or ARNs of managed policies."""
    sources = [principal]
    if principal.resource.type == "AWS::IAM::User":
        sources += _groups(principal)
    for source in sources:
        if source.resource.type in _ATTACHED:
            yield source.get("Properties")
            continue
        for key in ("Policies", "ManagedPolicyArns"):
            try:
                yield from source.get("Properties", key).items()
            except NotKnown as error:
                unknown.append(error)
        for policy in _attachments(source):
            yield policy.get("Properties")


def _sort(policy: Node, documents: list[Node], managed: list[tuple[str, Node]]) -> None:
    """A policy's document, or the name of a policy of AWS.

    Raises:
        NotKnown: the policy stands elsewhere.
    """
    target = _target(policy)
    if target is not None and target.type == _MANAGED_POLICY:
        if policy.world.exists(target):
            documents.append(Node.of(policy.world, target).get("Properties", "PolicyDocument"))
    elif isinstance(policy.value, dict):
        if "PolicyDocument" in policy.value:
            documents.append(policy.get("PolicyDocument"))
        elif any(key in policy.value for key in _TEMPLATED):
            documents.append(policy)  # SAM takes a document where IAM has a named policy
    else:
        text = written(policy) or ""
        name = text.rsplit("/", 1)[-1]
        ours = _AWS_POLICY not in text and name not in MANAGED and policy.resource.type not in _SAM
        if text and (ours or marked(name)):
            raise NotKnown(policy, f"the policy {shown(text)} is not in the templates")
        managed.append((name, policy))


def _groups(user: Node) -> Iterator[Node]:
    try:
        items = user.get("Properties", "Groups").items()
    except NotKnown:
        return
    for item in items:
        group = _target(item)
        if group is not None and group.type == "AWS::IAM::Group" and user.world.exists(group):
            yield Node.of(user.world, group)


def _attachments(principal: Node) -> Iterator[Node]:
    """Policies that name the principal, in this world."""
    index = principal.world.assembly.remember(_attachments_by_key)
    own = _own_keys(principal)
    for policy in dict.fromkeys(policy for key in own for policy in index.get(key, ())):
        if principal.world.exists(policy) and not own.isdisjoint(_attached_to(principal.world, policy)):
            yield Node.of(principal.world, policy)


def _attachments_by_key(assembly: Assembly) -> Mapping[_Key, Sequence[Resource]]:
    """Policies by those that they name, in any branch."""
    world = World(assembly)
    found: dict[_Key, list[Resource]] = {}
    for policy in assembly.of_type(*_ATTACHED):
        properties = mapping(policy.body.get("Properties"))
        keys: dict[_Key, None] = dict.fromkeys(_attached_to(world, policy))
        for attribute in (attribute for pair in _TO.values() for attribute in pair):
            for resource in named_in(assembly, policy.template, properties.get(attribute)):
                keys[resource.template.number, resource.logical_id] = None
        for key in keys:
            found.setdefault(key, []).append(policy)
    return found


def _known_keys(assembly: Assembly) -> frozenset[_Key]:
    world = World(assembly)
    return frozenset(key for resource in assembly.of_type(*_NAMES) for key in _own_keys(Node.of(world, resource)))


def _own_keys(principal: Node) -> frozenset[_Key]:
    """By what a policy may name a principal."""
    kind, keys = principal.resource.type, {(principal.resource.template.number, principal.resource.logical_id)}
    try:
        name = principal.get("Properties", _NAMES[kind]) if kind in _NAMES else None
    except NotKnown:
        name = None
    if name is None or not name.given:
        return frozenset(keys)
    return frozenset({*keys, f"{kind} {name.identity()}"})


def _attached_to(world: World, policy: Resource) -> Iterator[_Key]:
    for kind, attributes in _TO.items():
        for attribute in attributes:
            try:
                items = Node.of(world, policy).get("Properties", attribute).items()
            except NotKnown:
                continue
            for item in items:
                target = _target(item)
                if target is not None and target.type == kind:
                    yield target.template.number, target.logical_id
                else:
                    yield f"{kind} {item.identity()}"


def _target(item: Node) -> Resource | None:
    """The resource that an item refers to, be it by ``Fn::Sub`` of the reference alone."""
    value = item.value.parts[0] if isinstance(item.value, Text) and len(item.value.parts) == 1 else item.value
    return item.world.assembly.resource(value.template, value.logical_id) if isinstance(value, Reference) else None
