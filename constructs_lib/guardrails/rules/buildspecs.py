"""What a project's inline buildspec pushes and pulls.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html . Only commands that stand in the buildspec
are seen, not those of scripts in the source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from constructs_lib.guardrails.rules.shell import Shell
from constructs_lib.guardrails.rules.written import mark, own_name, written
from constructs_lib.guardrails.templates.errors import UnusableInput
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import Reference, Unknown, mapping
from constructs_lib.guardrails.templates.yaml_nodes import compose, construct

PROJECT: Final = "AWS::CodeBuild::Project"

Command = Sequence[Sequence[str]]
"""The values of each word."""

_PHASES: Final = ("install", "pre_build", "build", "post_build")
_DOCKERS: Final = ("docker", "podman", "buildah", "nerdctl", "finch")
_ASKING: Final = ("podman", "buildah")
"""They know no Docker Hub by omission: a name without registry is looked for where the host says."""

_GLOBAL: Final = ("--config", "-c", "--context", "-H", "--host", "-l", "--log-level", "-n", "--namespace")
_PUSH: Final = ("--platform", "--creds", "--authfile", "--cert-dir", "--format", "-f", "--digestfile", "--sign-by")
_TAGS: Final = ("-t", "--tag")
_KANIKO: Final = ("executor", "/kaniko/executor")


def inline(project: Node) -> Mapping[str, object] | None:
    """The buildspec of a project; None when it is in the source.

    Raises:
        NotKnown: it may be either, or it cannot be read.
    """
    node = project.get("Properties", "Source", "BuildSpec")
    text = written(node)
    if not text or not text.strip():
        return None
    if isinstance(node.value, Unknown | Reference):
        raise NotKnown(node, "the buildspec is known only when deployed")
    found = _parsed(node, text)
    if isinstance(found, dict):
        return found
    if "\n" not in text.strip():
        return None
    raise NotKnown(node, "the buildspec is neither YAML nor JSON")


def commands(project: Node, buildspec: Mapping[str, object]) -> Iterator[Command]:
    """The commands of a buildspec in their order, with variables in place."""
    shell = Shell({**_variables(project), **_texts(mapping(buildspec.get("env")).get("variables"))})
    phases = mapping(buildspec.get("phases"))
    for name in _PHASES:
        phase = mapping(phases.get(name))
        for key in ("commands", "finally"):
            lines = phase.get(key)
            for line in lines if isinstance(lines, list) else [lines]:
                if isinstance(line, str):
                    yield from shell.run(line)


def pushed(project: Node, command: Command) -> list[str]:
    """The repositories to which a command pushes, with marks."""
    return [repository for image in _pushed(project, command) if (repository := _repository(project, image))]


def pulled(command: Command) -> list[str]:
    """The images that a command pulls by name."""
    program, arguments = _program(command)
    if program not in _DOCKERS or (_verb(arguments)[:1] != ["pull"] and _verb(arguments) != ["image", "pull"]):
        return []
    images = [image.removeprefix("docker://") for image in _flat(_positional(arguments, ("--platform",))[-1:])]
    return [image for image in images if program not in _ASKING or "." in image.split("/")[0]]


def login(command: Command) -> Sequence[str] | None:
    """The registries to which a command logs in, the empty one for Docker Hub; None when it does not."""
    program, arguments = _program(command)
    if program not in _DOCKERS or _verb(arguments)[:1] != ["login"]:
        return None
    servers = _positional(arguments, ("-u", "--username", "-p", "--password"))[1:]
    return list(servers[-1]) if servers else [""]


def _pushed(project: Node, command: Command) -> list[str]:
    program, arguments = _program(command)
    verb = _verb(arguments)
    if program == "docker-compose" and verb == ["push"]:
        return _several(command)
    if program in _DOCKERS:
        return _pushed_by_docker(command, arguments, verb)
    if program in _KANIKO:
        return _values(arguments, ("-d", "--destination"))
    given = _positional(arguments, ())
    if program == "skopeo" and verb[:1] == ["copy"]:
        return [image.removeprefix("docker://") for image in _flat(given[-1:]) if image.startswith("docker://")]
    if program in ("crane", "gcrane") and verb[:1] in (["push"], ["copy"], ["cp"]):
        return _flat(given[2:3])
    if program == "oras" and verb[:1] in (["push"], ["cp"], ["copy"]):
        return _flat(given[1:2] if verb[0] == "push" else given[2:3])
    if program == "aws" and verb == ["ecr", "put-image"]:
        number = project.template.number
        registry = f"{mark(f'{number}:AWS::AccountId')}.dkr.ecr.{mark(f'{number}:AWS::Region')}.amazonaws.com"
        return [f"{registry}/{name}" for name in _values(arguments, ("--repository-name",))]
    return []


def _pushed_by_docker(command: Command, arguments: Command, verb: Sequence[str]) -> list[str]:
    if verb[:1] == ["push"] or verb in (["image", "push"], ["manifest", "push"]):
        given = _positional(arguments, _PUSH)[1 if verb[0] == "push" else 2 :]
        return [image.removeprefix("docker://") for image in _flat(given[-1:])]
    flat = _flat(arguments)
    if verb == ["compose", "push"] or (verb == ["buildx", "bake"] and "--push" in flat):
        return _several(command)
    if verb == ["buildx", "imagetools"]:
        return _values(arguments, _TAGS)
    if verb[:1] == ["build"] or verb[1:] == ["build"]:
        outputs = _values(arguments, ("-o", "--output"))
        if "--push" in flat or any("type=registry" in output or "push=true" in output for output in outputs):
            names = [part[5:] for output in outputs for part in output.split(",") if part.startswith("name=")]
            return [*_values(arguments, _TAGS), *names]
    return []


def _several(command: Command) -> list[str]:
    """Whatever a file in the source names."""
    text = " ".join(_flat(command))
    return [mark(f"{text} 1"), mark(f"{text} 2")]


def _repository(project: Node, image: str) -> str:
    """An image without tag and digest; ECR's names as the template's repositories have them."""
    head, slash, name = image.split("@")[0].rpartition("/")
    registry, dot, path = f"{head}{slash}{name.split(':')[0]}".partition("amazonaws.com/")
    return f"{registry}{dot}{own_name(project, path)}" if dot else registry


def _program(command: Command) -> tuple[str, Command]:
    """A command's name and its arguments, without docker's options for all commands."""
    if not command or len(command[0]) != 1:
        return "", ()
    program = command[0][0]
    arguments = list(command[1:])
    while program in _DOCKERS and arguments and arguments[0][0].startswith("-"):
        arguments = arguments[2 if arguments[0][0] in _GLOBAL else 1 :]
    return program, arguments


def _verb(arguments: Command) -> list[str]:
    """The first two words that are no options."""
    return [values[0] for values in _positional(arguments, ())[:2]]


def _positional(arguments: Command, with_value: Sequence[str]) -> list[Sequence[str]]:
    found: list[Sequence[str]] = []
    skipped = False
    for values in arguments:
        if skipped or not values:
            skipped = False
        elif values[0].startswith("-") and len(values[0]) > 1:
            skipped = values[0] in with_value
        else:
            found.append(values)
    return found


def _values(arguments: Command, names: Sequence[str]) -> list[str]:
    """What follows some options, be it after ``=``."""
    found: list[str] = []
    for place, values in enumerate(arguments):
        if values and values[0] in names:
            found += arguments[place + 1] if place + 1 < len(arguments) else ()
        else:
            found += [value.split("=", 1)[1] for value in values if value.split("=", 1)[0] in names and "=" in value]
    return found


def _flat(arguments: Command) -> list[str]:
    return [value for values in arguments for value in values]


def _parsed(node: Node, text: str) -> object:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    try:
        return construct(compose(text, "the buildspec"), "the buildspec")
    except UnusableInput as error:
        if "\n" not in text.strip():
            return None
        raise NotKnown(node, str(error)) from error


def _variables(project: Node) -> dict[str, str]:
    """The project's variables; those of a store are not known."""
    number = project.template.number
    region = mark(f"{number}:AWS::Region")
    found = {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
    try:
        given = project.get("Properties", "Environment", "EnvironmentVariables").items()
    except NotKnown:
        return found
    for variable in given:
        try:
            name = variable.get("Name").text()
            plain = variable.get("Type").text() in (None, "PLAINTEXT")
            value = written(variable.get("Value")) if plain else None
        except NotKnown:
            continue
        if name is not None:
            found[name] = mark(f"var.{name}") if value is None else value
    return found


def _texts(values: object) -> dict[str, str]:
    return {name: str(value) for name, value in mapping(values).items() if isinstance(value, str | int | float)}
