"""The lifecycle policies that a file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from constructs_lib.command_line import CouldNotRun
from constructs_lib.guardrails.templates.assembly import Assembly, Resource, Template, is_template
from constructs_lib.guardrails.templates.documents import Document, key_twice, read
from constructs_lib.guardrails.templates.errors import UnusableInput
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import mapping
from constructs_lib.guardrails.templates.world import worlds

REPOSITORY: Final = "AWS::ECR::Repository"
CREATION_TEMPLATE: Final = "AWS::ECR::RepositoryCreationTemplate"

_UNKNOWN: Final = "known only when CloudFormation deploys; use --parameter, or check the policy's text itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPolicy:
    """A lifecycle policy in a file, or why there is none to judge (lesson Q2).

    Args:
        resource: the logical id in a template; None for a file that is a policy itself.
        type: the resource's type; None for a file that is a policy itself.
        text: the policy; None when there is none, or when it cannot be known.
        unknown: why it cannot be known, in words that follow the resource's name; None when it can.
        defaults: the template's parameters whose default was taken.
    """

    resource: str | None = None
    type: str | None = None
    text: str | None = None
    unknown: str | None = None
    defaults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What of a file matters here (lesson Q2).

    Args:
        policies: its policies.
        parameters: the names of a template's parameters.
    """

    policies: tuple[FoundPolicy, ...]
    parameters: frozenset[str] = frozenset()


def templates_in(path: Path) -> list[Path]:
    """The file itself, or all templates of a directory such as ``cdk.out``.

    Raises:
        CouldNotRun: the directory has none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("*.template.json"))
    if not found:
        raise CouldNotRun(f"{path} must hold *.template.json files, got none; synthesize first, or name a file")
    return found


def contents_of(path: Path, given: Mapping[str, str] | None = None) -> Contents:
    """The lifecycle policies of a policy's file, of ``aws ecr get-lifecycle-policy``, or of a CloudFormation template.

    Args:
        path: the file.
        given: values of the template's parameters, by name.

    Raises:
        CouldNotRun: the file cannot be read, or is none of them.
    """
    try:
        return _contents(path, read(path), given or {})
    except UnusableInput as error:
        raise CouldNotRun(str(error)) from error


def _contents(path: Path, document: Document, given: Mapping[str, str]) -> Contents:
    value = document.value
    if is_template(value):
        assembly = Assembly({str(path): document}, given)
        for problem in assembly.problems:
            raise problem
        template = assembly.templates[0]
        found = [
            policy
            for resource in template.resources.values()
            if resource.type in (REPOSITORY, CREATION_TEMPLATE)
            for policy in _in_every_world(assembly, resource)
        ]
        found += [
            FoundPolicy(resource=name, unknown=f"makes resources that are {_UNKNOWN}") for name in _makers(template)
        ]
        return Contents(policies=tuple(found), parameters=frozenset(template.section("Parameters")))
    if isinstance(value, dict) and ("rules" in value or isinstance(value.get("lifecyclePolicyText"), str)):
        return Contents(policies=(FoundPolicy(text=_policy(path, document, value)),))
    raise CouldNotRun(
        f"{path} must be a lifecycle policy with 'rules' or a CloudFormation template with 'Resources', got neither"
    )


def _policy(path: Path, document: Document, value: Mapping[str, object]) -> str:
    """The text of a policy, or of ECR's answer that holds one."""
    text = value.get("lifecyclePolicyText")
    if isinstance(text, str):
        key = key_twice(text)
        if key is not None:
            raise CouldNotRun(f"lifecyclePolicyText in {path} must have each key once, got {key!r} twice; remove one")
        return text
    if document.form != "JSON":
        raise CouldNotRun(f"a lifecycle policy must be JSON, got {document.form} in {path}; ECR takes nothing else")
    return document.text


def _makers(template: Template) -> Iterator[str]:
    """Macros among the resources, and loops that made nothing."""
    value = template.document.value
    made = {resource.place[1] for resource in template.resources.values()}
    for name in mapping(mapping(value).get("Resources")):
        if name.startswith("Fn::") and name not in made:
            yield name


def _in_every_world(assembly: Assembly, resource: Resource) -> Iterator[FoundPolicy]:
    """The policy, or one for each branch of the conditions that it depends on."""
    found: dict[tuple[str | None, str | None], FoundPolicy] = {}
    for world in worlds(assembly):
        if world.exists(resource):
            policy = _of_resource(Node.of(world, resource))
            found.setdefault((policy.text, policy.unknown), policy)
    yield from found.values()


def _of_resource(resource: Node) -> FoundPolicy:
    name, kind = resource.resource.logical_id, resource.resource.type
    way = ("LifecyclePolicy", "LifecyclePolicyText") if kind == REPOSITORY else ("LifecyclePolicy",)
    try:
        text = resource.get("Properties", *way).text()
    except NotKnown as unknown:
        what = next((step for step in reversed(unknown.node.place) if step in way), "policy")
        return FoundPolicy(resource=name, type=kind, unknown=f"has a {what} that is {_UNKNOWN}")
    key = None if text is None else key_twice(text)
    if key is not None:
        twice = f"has a {way[-1]} with the key {key!r} twice, and what ECR makes of that is not known; remove one"
        return FoundPolicy(resource=name, type=kind, unknown=twice)
    return FoundPolicy(resource=name, type=kind, text=text, defaults=tuple(sorted(resource.world.defaults)))
