"""The lifecycle policies that a file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from constructs_lib.ops.documents import Document, key_twice, read
from constructs_lib.ops.outside import CouldNotRun
from constructs_lib.ops.template_values import Parameters, is_intrinsic, known

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
    document = read(path)
    value = document.value
    if isinstance(value, dict) and isinstance(value.get("Resources"), dict):
        declared = value.get("Parameters")
        parameters = Parameters(declared=declared if isinstance(declared, dict) else {}, given=given or {})
        found = tuple(_in_template(value["Resources"], parameters))
        return Contents(policies=found, parameters=frozenset(str(name) for name in parameters.declared))
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


def _in_template(resources: Mapping[str, object], parameters: Parameters) -> Iterator[FoundPolicy]:
    for name, resource in resources.items():
        if str(name).startswith("Fn::"):
            yield FoundPolicy(resource=str(name), unknown=f"makes resources that are {_UNKNOWN}")
        elif isinstance(resource, dict) and resource.get("Type") in (REPOSITORY, CREATION_TEMPLATE):
            yield _of_resource(str(name), str(resource["Type"]), resource.get("Properties"), parameters)


def _of_resource(name: str, kind: str, properties: object, parameters: Parameters) -> FoundPolicy:
    value = properties
    way = ("LifecyclePolicy", "LifecyclePolicyText") if kind == REPOSITORY else ("LifecyclePolicy",)
    for what in way:
        if isinstance(value, Mapping) and not is_intrinsic(value):
            value = value.get(what)
        elif value is not None:
            return FoundPolicy(resource=name, type=kind, unknown=f"has a {what} that is {_UNKNOWN}")
        if value is None or value == {"Ref": "AWS::NoValue"}:
            return FoundPolicy(resource=name, type=kind)
    found = known(value, parameters)
    if found is None:
        return FoundPolicy(resource=name, type=kind, unknown=f"has a {what} that is {_UNKNOWN}")
    key = key_twice(found.text)
    if key is not None:
        twice = f"has a {what} with the key {key!r} twice, and what ECR makes of that is not known; remove one"
        return FoundPolicy(resource=name, type=kind, unknown=twice)
    return FoundPolicy(resource=name, type=kind, text=found.text, defaults=tuple(sorted(found.defaults)))
