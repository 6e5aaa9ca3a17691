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
_COMPOSES: Final = ("docker-compose", "podman-compose")
_INTERPRETERS: Final = ("sh", "bash", "zsh", "python", "python3", "node", "ruby", "perl", "pwsh")
_RUN_LETTERS: Final = "ditPq"
_RUN_SWITCHES: Final = (
    "--detach", "--disable-content-trust", "--help", "--init", "--interactive", "--no-healthcheck",
    "--oom-kill-disable", "--privileged", "--publish-all", "--quiet", "--read-only", "--rm", "--sig-proxy", "--tty",
)  # fmt: skip
"""https://docs.docker.com/reference/cli/docker/container/run/"""

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
    """The images that a command pulls by name, or that it runs, which pulls what is not there."""
    program, arguments = _program(command)
    verb = _verb(arguments)
    if program not in _DOCKERS:
        return []
    if verb[:1] == ["pull"] or verb == ["image", "pull"]:
        images = _flat(_positional(arguments, ("--platform",))[-1:])
    else:
        images = started(command)
    images = [image.removeprefix("docker://") for image in images]
    return [image for image in images if program not in _ASKING or "." in image.split("/")[0]]


def started(command: Command) -> list[str]:
    """The image that a command makes a container of, unless it is told not to pull it."""
    program, arguments = _program(command)
    if program not in _DOCKERS:
        return []
    arguments = arguments[1:] if arguments and arguments[0][0] == "container" else arguments
    if not arguments or arguments[0][0] not in ("run", "create") or "never" in _values(arguments, ("--pull",)):
        return []
    words = iter(arguments[1:])
    for word in words:
        if not word or not word[0].startswith("-"):
            return list(word)
        if _takes_the_next(word[0]):
            next(words, None)
    return []


def made(command: Command) -> list[str] | None:
    """The images that a command makes, so that they need not be pulled; None when it may make any."""
    program, arguments = _program(command)
    verb = _verb(arguments)
    if program in _COMPOSES or script(command) or program in ("pack", "mvn", "gradle", "npm", "yarn", "sam", "nix"):
        return None
    if program not in _DOCKERS:
        return []
    if verb[:1] in (["compose"], ["load"], ["import"]) or verb in (["image", "load"], ["buildx", "bake"]):
        return None
    if verb[:1] in (["tag"], ["commit"]) or verb == ["image", "tag"]:
        return _flat(_positional(arguments, ())[-1:])
    return _values(arguments, _TAGS) if "build" in verb else []


def script(command: Command) -> str:
    """The file of the source that a command runs, as a program or by one; empty when it runs none."""
    if not command or len(command[0]) != 1:
        return ""
    program = command[0][0]
    name = program.rsplit("/", 1)[-1]
    if name in ("make", "gmake"):
        return name
    if name in _INTERPRETERS:
        given = [values[0] for values in command[1:] if values]
        runs_text = any(one in ("-c", "-m", "-e", "--version", "-V") for one in given[:1])
        return "" if runs_text else next((one for one in given if not one.startswith("-")), "")
    return program if name.endswith(".sh") or program.startswith(("./", "../")) else ""


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


def _takes_the_next(option: str) -> bool:
    """Whether the value of an option of ``docker run`` is the next word."""
    if option.startswith("--"):
        return "=" not in option and option not in _RUN_SWITCHES
    letters = option[1:].lstrip(_RUN_LETTERS)
    return len(letters) == 1


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
