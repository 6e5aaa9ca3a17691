"""The lifecycle policies that a file holds. Standard library only; PyYAML is loaded for YAML alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from constructs_lib.ops.outside import CouldNotRun

if TYPE_CHECKING:
    from yaml import SafeLoader
    from yaml.nodes import Node

Json: TypeAlias = Mapping[str, object]

REPOSITORY: Final = "AWS::ECR::Repository"
CREATION_TEMPLATE: Final = "AWS::ECR::RepositoryCreationTemplate"

_UNKNOWN: Final = "is known only when CloudFormation deploys; check the policy's text itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPolicy:
    """A lifecycle policy in a file, or why there is none to judge (lesson Q2).

    Args:
        resource: the logical id in a template; None for a file that is a policy itself.
        type: the resource's type; None for a file that is a policy itself.
        text: the policy; None when there is none, or when it cannot be known.
        unknown: why it cannot be known, in words that follow the resource's name; None when it can.
    """

    resource: str | None = None
    type: str | None = None
    text: str | None = None
    unknown: str | None = None


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


def policies_in(path: Path) -> list[FoundPolicy]:
    """The lifecycle policies of a policy file or a CloudFormation template.

    Raises:
        CouldNotRun: the file cannot be read, or is neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CouldNotRun(f"{path} cannot be read: {reason}") from error
    document = _document(path, text)
    if isinstance(document, dict) and isinstance(document.get("Resources"), dict):
        return list(_in_template(document["Resources"]))
    if isinstance(document, dict) and "rules" in document:
        return [FoundPolicy(text=text)]
    raise CouldNotRun(
        f"{path} must be a lifecycle policy with 'rules' or a CloudFormation template with 'Resources', got neither"
    )


def _document(path: Path, text: str) -> object:
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        if path.suffix == ".json":
            raise CouldNotRun(f"{path} is not valid JSON: {error}") from error
        return _yaml(path, text)
    return document


def _yaml(path: Path, text: str) -> object:
    """A template with CloudFormation's short forms, such as ``!Ref``, as their long ones."""
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise CouldNotRun(f"{path} is not JSON, and YAML needs PyYAML; install 'moorings[ops]'") from error

    class Loader(yaml.SafeLoader):
        """Keeps the short forms to itself: a loader's table belongs to its class."""

    Loader.add_multi_constructor("!", _intrinsic)
    try:
        document: object = yaml.load(text, Loader)  # noqa: S506  (it is a safe loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CouldNotRun(f"{path} is neither JSON nor YAML: {' '.join(str(error).split())}") from error
    return document


def _intrinsic(loader: SafeLoader, name: str, node: Node) -> dict[str, object]:
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    value: object = None
    if isinstance(node, ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, MappingNode):
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


def _in_template(resources: Mapping[str, object]) -> Iterator[FoundPolicy]:
    for name, resource in resources.items():
        if str(name).startswith("Fn::"):
            yield FoundPolicy(resource=str(name), unknown="makes resources that " + _UNKNOWN)
        elif isinstance(resource, dict) and resource.get("Type") in (REPOSITORY, CREATION_TEMPLATE):
            yield _of_resource(str(name), str(resource["Type"]), resource.get("Properties", {}))


def _of_resource(name: str, kind: str, properties: object) -> FoundPolicy:
    value = _property(properties, "LifecyclePolicy")
    what = "LifecyclePolicy"
    if kind == REPOSITORY and value is not None:
        value = _property(value, "LifecyclePolicyText")
        what = "LifecyclePolicyText"
    if value is None:
        return FoundPolicy(resource=name, type=kind)
    text = _known(value)
    if text is None:
        return FoundPolicy(resource=name, type=kind, unknown=f"has a {what} that {_UNKNOWN}")
    return FoundPolicy(resource=name, type=kind, text=text)


def _property(of: object, name: str) -> object:
    """A property; None when it is not there; the whole when only CloudFormation can tell."""
    if not isinstance(of, dict) or _is_intrinsic(of):
        return of
    value: object = of.get(name)
    return None if value == {"Ref": "AWS::NoValue"} else value


def _known(value: object) -> str | None:
    """The text that a value comes to, as far as it can be known without deploying; else None."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((function, argument),) = value.items()
    if function == "Fn::Sub" and isinstance(argument, str) and "${" not in argument:
        return argument
    if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
        return _joined(argument[0], argument[1])
    if function == "Fn::ToJsonString" and not _holds_intrinsic(argument):
        return json.dumps(argument)
    return None


def _joined(delimiter: object, parts: object) -> str | None:
    if not isinstance(delimiter, str) or not isinstance(parts, list):
        return None
    texts = [_known(part) for part in parts]
    known = [text for text in texts if text is not None]
    return delimiter.join(known) if len(known) == len(texts) else None


def _is_intrinsic(value: Mapping[str, object]) -> bool:
    return any(str(key) == "Ref" or str(key).startswith("Fn::") for key in value)


def _holds_intrinsic(value: object) -> bool:
    if isinstance(value, dict):
        return _is_intrinsic(value) or any(_holds_intrinsic(item) for item in value.values())
    return isinstance(value, Sequence) and not isinstance(value, str) and any(_holds_intrinsic(item) for item in value)
