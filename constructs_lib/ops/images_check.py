"""Can a lifecycle policy take an image in use? Decided offline, for any policy or CloudFormation template."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from constructs_lib.command_line import COULD_NOT_RUN, FINE, FOUND, CouldNotRun, assignment
from constructs_lib.images.lifecycle import Hazard, InvalidLifecyclePolicy, endangers
from constructs_lib.images.lifecycle_words import example
from constructs_lib.naming import PIN_PATTERN
from constructs_lib.ops.outside import Outside, add_format
from constructs_lib.ops.policy_files import FoundPolicy, contents_of, templates_in

HELP: Final = "can a lifecycle policy take an image in use? offline"

Result: TypeAlias = Literal["safe", "none", "hazard", "invalid", "unknown"]

_PASSES: Final = ("safe", "none")
"""``unknown`` is not among them: what cannot be read is not safe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is said of one policy (lesson Q2).

    Args:
        policy: the policy.
        result: ``safe``: proved; ``none``: no policy, so nothing expires; ``hazard``; ``invalid``: ECR would refuse it;
            ``unknown``: only CloudFormation can tell.
        reason: why it is invalid or unknown; None otherwise.
        hazards: the rules that can take an image in use.
    """

    policy: FoundPolicy
    result: Result
    reason: str | None = None
    hazards: tuple[Hazard, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file and what is in it (lesson Q2).

    Args:
        file: its path.
        error: why it could not be read; None when it could.
        judgements: one for each policy and each repository.
        parameters: the names of a template's parameters.
    """

    file: str
    error: str | None = None
    judgements: tuple[Judgement, ...] = ()
    parameters: frozenset[str] = frozenset()


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a policy, a template, or cdk.out")
    pins = parser.add_mutually_exclusive_group()
    pins.add_argument("--pinned", default=PIN_PATTERN, metavar="PATTERN", help="tags of images in use (%(default)s)")
    pins.add_argument("--no-pins", action="store_true", help="images in use carry no special tag")
    parser.add_argument("--multi-arch", action="store_true", help="images may be indexes with untagged children")
    parser.add_argument(
        "--parameter",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="the value of a template's parameter, in place of its default; may be repeated",
    )
    add_format(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    pinned: str | None = None if options.no_pins else options.pinned
    if pinned == "":
        raise CouldNotRun(f"--pinned must be a pattern such as '{PIN_PATTERN}', got ''; for no tag, use --no-pins")
    given = dict(options.parameter)
    checked = [
        one for path in options.files for one in check(path, pinned=pinned, multi_arch=options.multi_arch, given=given)
    ]
    for file in checked:
        if file.error:
            outside.complain(file.error)
    nowhere = set(given).difference(*(file.parameters for file in checked))
    if nowhere:
        raise CouldNotRun(f"--parameter must name a parameter of a template, got {min(nowhere)!r}; look at its name")
    if options.format == "json":
        assumed = {"pinned": pinned, "multi_arch": options.multi_arch}
        outside.say_json({**assumed, "files": [_as_json(file) for file in checked]})
    else:
        safe = _safe(pinned, multi_arch=options.multi_arch)
        for line in _as_text(checked, safe):
            outside.say(line)
    if any(file.error for file in checked):
        return COULD_NOT_RUN
    return FINE if all(one.result in _PASSES for file in checked for one in file.judgements) else FOUND


def check(
    path: Path, *, pinned: str | None, multi_arch: bool, given: Mapping[str, str] | None = None
) -> Iterator[CheckedFile]:
    """Judges a file, or each template of a directory."""
    try:
        files = templates_in(path)
    except CouldNotRun as error:
        yield CheckedFile(file=str(path), error=str(error))
        return
    for file in files:
        try:
            found = contents_of(file, given)
        except CouldNotRun as error:
            yield CheckedFile(file=str(file), error=str(error))
        else:
            judgements = tuple(judge(policy, pinned=pinned, multi_arch=multi_arch) for policy in found.policies)
            yield CheckedFile(file=str(file), judgements=judgements, parameters=found.parameters)


def judge(policy: FoundPolicy, *, pinned: str | None, multi_arch: bool) -> Judgement:
    """What is to say of one policy."""
    if policy.unknown is not None:
        return Judgement(policy=policy, result="unknown", reason=policy.unknown)
    if policy.text is None:
        return Judgement(policy=policy, result="none")
    try:
        hazards = tuple(endangers(policy.text, pinned=pinned, multi_arch=multi_arch))
    except InvalidLifecyclePolicy as error:
        return Judgement(policy=policy, result="invalid", reason=str(error))
    return Judgement(policy=policy, result="hazard" if hazards else "safe", hazards=hazards)


def _as_json(file: CheckedFile) -> dict[str, object]:
    return {
        "file": file.file,
        "error": file.error,
        "policies": [
            {
                "resource": judgement.policy.resource,
                "type": judgement.policy.type,
                "result": judgement.result,
                "reason": judgement.reason,
                "defaults": list(judgement.policy.defaults),
                "hazards": [
                    {
                        "rule": hazard.rule_priority,
                        "action": hazard.action,
                        "reason": hazard.reason,
                        "example": example(hazard),
                    }
                    for hazard in judgement.hazards
                ],
            }
            for judgement in file.judgements
        ],
    }


def _safe(pinned: str | None, *, multi_arch: bool) -> str:
    """What is proved of a safe policy, and no more."""
    tagged = "whatever its tags" if pinned is None else f"tagged {pinned}"
    single = "" if multi_arch else "; images are taken to be single manifests (else give --multi-arch)"
    return f"safe: no rule can ever take an image {tagged}{single}"


def _as_text(checked: Sequence[CheckedFile], safe: str) -> Iterator[str]:
    for file in checked:
        if file.error is None and not file.judgements:
            yield f"{file.file}: no ECR repository in it"
        for judgement in file.judgements:
            resource = judgement.policy.resource
            where = f"{file.file}: {resource}" if resource else file.file
            yield f"{where}: {_sentence(judgement, safe)}"
            for name in judgement.policy.defaults:
                yield f"  the default of parameter {name} was taken; --parameter {name}=VALUE takes another value"
            for hazard in judgement.hazards:
                yield f"  {hazard.reason}"
                yield f"  {hazard.action}s: {example(hazard)}"


def _sentence(judgement: Judgement, safe: str) -> str:
    if judgement.result == "hazard":
        count = len(judgement.hazards)
        return f"HAZARD, {count} rule{'' if count == 1 else 's'} can take an image in use"
    return {
        "safe": safe,
        "none": "no lifecycle policy, so nothing expires",
        "invalid": f"INVALID, {judgement.reason}",
        "unknown": f"UNKNOWN, it {judgement.reason}",
    }[judgement.result]
