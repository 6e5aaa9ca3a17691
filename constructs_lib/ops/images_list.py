"""Every image of a repository: its tags, what the lifecycle policy makes of it now, who uses it, and what keeps it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from constructs_lib.command_line import FINE, FOUND
from constructs_lib.images.lifecycle import InvalidLifecyclePolicy, Verdict, evaluate
from constructs_lib.images.runtime.model import Plan, Use, UsedImage
from constructs_lib.images.runtime.pins import is_pin
from constructs_lib.ops import uses
from constructs_lib.ops.aws_session import add_aws, clients, one_sentence
from constructs_lib.ops.outside import Outside, add_format
from constructs_lib.ops.repository import ListedImage, Repository, find, images_of, plan_of, policy_of
from constructs_lib.ops.tables import age, counted, short, show, size

HELP: Final = "every image, what the policy makes of it, and who uses it"

Mark: TypeAlias = Literal["not pinned", "policy takes it", "cannot be pulled"]

_LIFECYCLE: Final = {
    "present": "its lifecycle policy is judged as of now",
    "none": "it has no lifecycle policy, so nothing expires",
    "invalid": "its lifecycle policy cannot be judged",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All that the command tells (lesson Q2).

    Args:
        repository: the repository.
        at: the time.
        lifecycle: ``present``, ``none``, or ``invalid``.
        images: the images, newest first.
        verdicts: what the policy makes of each, by digest; none when it cannot be judged.
        plan: who uses what.
        gaps: what could not be read.
    """

    repository: Repository
    at: datetime
    lifecycle: Literal["present", "none", "invalid"]
    images: tuple[ListedImage, ...]
    verdicts: dict[str, Verdict]
    plan: Plan
    gaps: tuple[str, ...]

    def marks(self, image: ListedImage) -> list[Mark]:
        """What is wrong with an image in use; nothing for others."""
        if image.stored.digest not in self.plan.in_use:
            return []
        verdict = self.verdicts.get(image.stored.digest)
        wrong: list[tuple[Mark, bool]] = [
            ("not pinned", not any(is_pin(tag) for tag in image.stored.tags)),
            ("policy takes it", verdict is not None and verdict.action != "keep"),
            ("cannot be pulled", image.stored.status != "ACTIVE"),
        ]
        return [mark for mark, applies in wrong if applies]

    @property
    def fine(self) -> bool:
        """Whether nothing is marked, missing or unread."""
        return not (self.gaps or self.plan.missing or any(self.marks(image) for image in self.images))


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_aws(parser)
    uses.add_uses(parser)
    add_format(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    with one_sentence():
        listing = read(options, outside)
    if options.format == "json":
        outside.say_json(_as_json(listing))
    else:
        _print(listing, outside)
    return FINE if listing.fine else FOUND


def read(options: Namespace, outside: Outside) -> Listing:
    """Reads the repository and what uses it. The uses come first: an image that is pushed meanwhile is then listed."""
    aws = clients(options, outside)
    repository = find(aws.ecr, options.repository)
    reading = uses.reading_of(options, aws, repository.id)
    images, unread = images_of(aws.ecr, repository.id)
    policy = policy_of(aws.ecr, repository.id)
    now = outside.now()
    gaps = [*reading.gaps, *unread]
    lifecycle: Literal["present", "none", "invalid"] = "none" if policy is None else "present"
    verdicts = {
        image.stored.digest: Verdict(action="keep", rule_priority=None, reason="there is no lifecycle policy")
        for image in images
    }
    if policy is not None:
        try:
            verdicts = evaluate(policy, [image.image for image in images], now=now)
        except InvalidLifecyclePolicy as error:
            lifecycle, verdicts = "invalid", {}
            gaps.append(f"the repository's lifecycle policy cannot be judged: {error}")
    return Listing(
        repository=repository,
        at=now,
        lifecycle=lifecycle,
        images=tuple(images),
        verdicts=verdicts,
        plan=plan_of(repository.id, images, reading, now),
        gaps=tuple(gaps),
    )


def _as_json(listing: Listing) -> dict[str, object]:
    where = listing.repository.id
    return {
        "repository": where.name,
        "registry": where.registry,
        "region": where.region,
        "at": listing.at.isoformat(),
        "lifecycle_policy": listing.lifecycle,
        "images": [_image_as_json(listing, image) for image in listing.images],
        "missing": [_missing_as_json(entry) for entry in listing.plan.missing],
        "gaps": list(listing.gaps),
    }


def _image_as_json(listing: Listing, image: ListedImage) -> dict[str, object]:
    verdict = listing.verdicts.get(image.stored.digest)
    return {
        "digest": image.stored.digest,
        "tags": [tag for tag in image.stored.tags if not is_pin(tag)],
        "pins": [tag for tag in image.stored.tags if is_pin(tag)],
        "pushed_at": image.image.pushed_at.astimezone(UTC).isoformat(),
        "size_bytes": image.size,
        "status": image.stored.status,
        "verdict": verdict_as_json(verdict),
        "uses": uses.as_json(listing.plan.in_use.get(image.stored.digest, ())),
        "marks": list(listing.marks(image)),
    }


def verdict_as_json(verdict: Verdict | None) -> dict[str, object] | None:
    """A verdict; None when there could be none."""
    if verdict is None:
        return None
    return {"action": verdict.action, "rule": verdict.rule_priority, "reason": verdict.reason}


def verdict_in_words(verdict: Verdict | None) -> str:
    """A verdict and the rule that gives it."""
    if verdict is None:
        return "unknown"
    return verdict.action if verdict.rule_priority is None else f"{verdict.action} (rule {verdict.rule_priority})"


def _missing_as_json(entry: UsedImage) -> dict[str, object]:
    return {"reference": str(entry.reference), **uses.as_json([entry.use])[0]}


def _print(listing: Listing, outside: Outside) -> None:
    where = listing.repository.id
    count = counted(len(listing.images), "image")
    outside.say(f"{where.name} in {where.registry}, {where.region}: {count}; {_LIFECYCLE[listing.lifecycle]}.")
    if listing.images:
        columns = ("Digest", "Tags", "Age", "Size", "Status", "Policy now", "Used by", "Pins", "Look")
        show(outside, columns, [_row(listing, image) for image in listing.images])
    for line in _notes(listing):
        outside.say(line)


def _row(listing: Listing, image: ListedImage) -> list[str]:
    stored = image.stored
    return [
        short(stored.digest),
        "\n".join(tag for tag in stored.tags if not is_pin(tag)),
        age(listing.at - image.image.pushed_at),
        size(image.size),
        stored.status,
        verdict_in_words(listing.verdicts.get(stored.digest)),
        uses.in_words(listing.plan.in_use.get(stored.digest, ())),
        "\n".join(tag for tag in stored.tags if is_pin(tag)),
        "\n".join(f"! {mark}" for mark in listing.marks(image)),
    ]


def _notes(listing: Listing) -> Iterator[str]:
    missing: dict[str, list[Use]] = {}
    for entry in listing.plan.missing:
        missing.setdefault(str(entry.reference), []).append(entry.use)
    for reference, users in missing.items():
        refer = f"{counted(len(users), 'use')} {'refers' if len(users) == 1 else 'refer'} to it"
        yield f"MISSING {reference}: {refer}, and no image is there; {uses.in_words(users)}"
    for gap in listing.gaps:
        yield f"NOT READ {gap}"
    if listing.gaps:
        yield "What was not read may use any image here."
