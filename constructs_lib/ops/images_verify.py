"""Tries out on a real repository what our proof takes for granted about ECR. It moves a canary pin, deletes nothing."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Final

from constructs_lib.command_line import COULD_NOT_RUN, FINE, FOUND
from constructs_lib.ops.aws_session import add_aws, clients, elsewhere, one_sentence
from constructs_lib.ops.images_verification import CANARY, Canary, Check, Verification, build_tag, place
from constructs_lib.ops.outside import Outside, add_format
from constructs_lib.ops.repository import Repository, find, images_of

HELP: Final = "tries out on a real repository what our proof assumes"

_STAYS: Final = f"{CANARY} stays where it is and keeps that image; the next run moves it."


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_aws(parser)
    parser.add_argument("--yes", action="store_true", help=f"write the tag {CANARY}; else say what would be done")
    add_format(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    text = options.format == "text"
    checks: list[Check] = []
    with one_sentence():
        aws = clients(options, outside)
        repository = find(aws.ecr, options.repository)
        endpoint = elsewhere(aws)
        if text:
            _introduce(repository, endpoint, outside)
        canary = place(repository, images_of(aws.ecr, repository.id)[0])
        would = [] if options.yes else _plan(repository, canary)
        if options.yes:
            verification = Verification(
                ecr=aws.ecr, repository=repository, canary=canary, now=outside.now, sleep=outside.sleep
            )
            for check in verification.run():
                checks.append(check)
                if text:
                    outside.say(f"{check.result:<5}{check.name}: {check.seen}")
    if text:
        for line in would:
            outside.say(f"would {line}")
        if checks and canary.newest is not None:
            outside.say(_STAYS)
    else:
        outside.say_json(_as_json(repository, endpoint, would, checks))
    return _code(checks, outside)


def _introduce(repository: Repository, endpoint: str | None, outside: Outside) -> None:
    where = repository.id
    outside.say(f"{where.name} in {where.registry}, {where.region}")
    if endpoint:
        outside.say(f"{endpoint} is not AWS: what is seen there proves nothing about AWS.")


def _plan(repository: Repository, canary: Canary) -> list[str]:
    """What would be written, in order."""
    if canary.older is None or canary.newest is None:
        return [f"put no canary: {canary.refusal}", "ask ECR for a preview of the repository's lifecycle policy"]
    older, newest = canary.older.stored.digest, canary.newest.stored.digest
    held = canary.former not in (None, older)
    first = f"move {CANARY} from {canary.former} to {older}" if held else f"put {CANARY} on {older}"
    tag = build_tag(repository, canary.newest)
    return [
        first,
        "ask ECR for a preview of a policy of two rules, the shield and 'keep 1 of any', which is not set",
        f"move {CANARY} to {newest}",
        *([f"try to move {tag} to {older}, which ECR must refuse, and put it back if ECR does not"] if tag else []),
        "ask ECR for a preview of the repository's lifecycle policy",
    ]


def _code(checks: Sequence[Check], outside: Outside) -> int:
    """Without the canary nothing is verified, and without ECR's word on the shield its most important half is not."""
    if any(check.result == "NG" for check in checks):
        return FOUND
    if not checks:
        outside.complain("nothing was verified; run it again with --yes")
        return COULD_NOT_RUN
    skipped = sum(check.result == "SKIP" for check in checks)
    for check, what in ((checks[1], "pin"), (checks[2], "shield")):
        if check.result == "SKIP":
            outside.complain(f"the {what} was not tried; {skipped} of {len(checks)} checks could not run")
            return COULD_NOT_RUN
    return FINE


def _as_json(
    repository: Repository, endpoint: str | None, would: Sequence[str], checks: Sequence[Check]
) -> dict[str, object]:
    where = repository.id
    return {
        "repository": where.name,
        "registry": where.registry,
        "region": where.region,
        "proves_aws": endpoint is None,
        "would": list(would),
        "checks": [{"check": check.name, "result": check.result, "seen": check.seen} for check in checks],
    }
