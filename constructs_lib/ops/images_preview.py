"""What a lifecycle policy would do to a repository now, and after some more builds."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from constructs_lib.command_line import FINE, FOUND, CouldNotRun, whole
from constructs_lib.images.lifecycle import InvalidLifecyclePolicy
from constructs_lib.images.runtime.pins import is_pin
from constructs_lib.ops import uses
from constructs_lib.ops.aws_session import add_aws, clients, one_sentence
from constructs_lib.ops.forecast import Fate, Pattern, forecast, pattern_of
from constructs_lib.ops.images_list import verdict_as_json, verdict_in_words
from constructs_lib.ops.outside import Outside, add_format
from constructs_lib.ops.policy_files import contents_of
from constructs_lib.ops.repository import ListedImage, Repository, find, images_of, plan_of
from constructs_lib.ops.tables import age, counted, short, show

HELP: Final = "what a policy would do now and after more builds"

MOST_BUILDS: Final = 1_000

_MODEL: Final = "After each build ECR is taken to have acted; what is in use stays in use, with the pins it has."


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """All that the command tells (lesson Q2).

    Args:
        repository: the repository.
        at: the time.
        builds: how many more builds.
        pattern: how they come.
        images: the images, newest first.
        fates: what becomes of each, by digest.
        in_use: digests of images in use.
        gaps: what could not be read.
    """

    repository: Repository
    at: datetime
    builds: int
    pattern: Pattern
    images: tuple[ListedImage, ...]
    fates: dict[str, Fate]
    in_use: frozenset[str]
    gaps: tuple[str, ...]

    def endangered(self, image: ListedImage) -> bool:
        """Whether it is in use and would go."""
        return image.stored.digest in self.in_use and self.fates[image.stored.digest].after_builds is not None

    @property
    def fine(self) -> bool:
        """Whether nothing in use would go, as far as everything could be read."""
        return not self.gaps and not any(self.endangered(image) for image in self.images)


def configure(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_aws(parser)
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="the lifecycle policy, as JSON")
    parser.add_argument(
        "--builds", type=whole(0, MOST_BUILDS), default=100, metavar="K", help="how many more builds (%(default)s)"
    )
    uses.add_uses(parser)
    add_format(parser)
    parser.set_defaults(run=_run)


def _run(options: Namespace, outside: Outside) -> int:
    policy = _policy(options.policy)
    with one_sentence():
        preview = read(options, outside, policy)
    if options.format == "json":
        outside.say_json(_as_json(preview))
    else:
        _print(preview, outside)
    return FINE if preview.fine else FOUND


def _policy(path: Path) -> str:
    found = contents_of(path).policies
    if len(found) != 1 or found[0].resource is not None or found[0].text is None:
        raise CouldNotRun(f"--policy must be a lifecycle policy, got a template in {path}; save the policy's own text")
    return found[0].text


def read(options: Namespace, outside: Outside, policy: str) -> Preview:
    """Reads the repository and what uses it, and judges."""
    aws = clients(options, outside)
    repository = find(aws.ecr, options.repository)
    reading = uses.reading_of(options, aws, repository.id)
    images, unread = images_of(aws.ecr, repository.id)
    now = outside.now()
    judged = [image.image for image in images]
    pattern = pattern_of(judged, moves=repository.lets_move)
    try:
        fates = forecast(policy, judged, pattern=pattern, builds=options.builds, now=now)
    except InvalidLifecyclePolicy as error:
        raise CouldNotRun(f"--policy must be one that ECR takes, got {options.policy}: {error}") from error
    return Preview(
        repository=repository,
        at=now,
        builds=options.builds,
        pattern=pattern,
        images=tuple(images),
        fates=fates,
        in_use=frozenset(plan_of(repository.id, images, reading, now).in_use),
        gaps=(*reading.gaps, *unread),
    )


def _as_json(preview: Preview) -> dict[str, object]:
    where = preview.repository.id
    return {
        "repository": where.name,
        "registry": where.registry,
        "region": where.region,
        "at": preview.at.isoformat(),
        "builds": {
            "count": preview.builds,
            "pace_seconds": preview.pattern.pace.total_seconds(),
            "tags_like": list(preview.pattern.tags),
        },
        "images": [_image_as_json(preview, image) for image in preview.images],
        "gaps": list(preview.gaps),
    }


def _image_as_json(preview: Preview, image: ListedImage) -> dict[str, object]:
    fate = preview.fates[image.stored.digest]
    return {
        "digest": image.stored.digest,
        "tags": [tag for tag in image.stored.tags if not is_pin(tag)],
        "pins": [tag for tag in image.stored.tags if is_pin(tag)],
        "in_use": image.stored.digest in preview.in_use,
        "now": verdict_as_json(fate.now),
        "later": verdict_as_json(fate.later),
        "after_builds": fate.after_builds,
    }


def _print(preview: Preview, outside: Outside) -> None:
    where, pattern = preview.repository.id, preview.pattern
    now = sum(fate.after_builds == 0 for fate in preview.fates.values())
    later = sum(fate.after_builds is not None for fate in preview.fates.values())
    images, builds = counted(len(preview.images), "image"), counted(preview.builds, "more build")
    outside.say(
        f"{where.name} in {where.registry}, {where.region}: of {images} this policy would take "
        f"{now} now and {later} by the end of {builds}."
    )
    like = f"tagged like {', '.join(pattern.tags)}" if pattern.tags else "without tags, for there is none to go on from"
    outside.say(f"Our model: one build every {age(pattern.pace)}, {like}. {_MODEL}")
    if preview.images:
        columns = ("Digest", "Tags", "Pins", "In use", "Now", f"After {counted(preview.builds, 'build')}", "Look")
        show(outside, columns, [_row(preview, image) for image in preview.images])
    for gap in preview.gaps:
        outside.say(f"NOT READ {gap}")
    if preview.gaps:
        outside.say("What was not read may use any image here.")


def _row(preview: Preview, image: ListedImage) -> list[str]:
    stored, fate = image.stored, preview.fates[image.stored.digest]
    after = "" if not fate.after_builds else f", by build {fate.after_builds}"
    return [
        short(stored.digest),
        "\n".join(tag for tag in stored.tags if not is_pin(tag)),
        "\n".join(tag for tag in stored.tags if is_pin(tag)),
        "yes" if stored.digest in preview.in_use else "",
        verdict_in_words(fate.now),
        verdict_in_words(fate.later) + after,
        "! in use, and would go" if preview.endangered(image) else "",
    ]
