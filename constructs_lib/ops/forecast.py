"""What a lifecycle policy would do while builds go on: our model, not ECR's. Pure, standard library only.

Builds come at the repository's own median pace, each tagged like the newest one with its last number counted on. A tag
without a number, such as ``latest``, moves to each new build where the repository lets it, and else gets a number.
After each build ECR is taken to have acted. Images in use stay in use, with the tags that they have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from constructs_lib.images.lifecycle import Image, Verdict, evaluate
from constructs_lib.images.runtime.pins import is_pin

PACE_OF_ONE: Final = timedelta(days=1)
"""Taken for a repository whose pace cannot be seen: it has fewer than two builds."""

_LAST_NUMBER: Final = re.compile(r"([0-9]+)(?=[^0-9]*$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """How builds come (lesson Q2).

    Args:
        pace: from one push to the next.
        tags: the newest build's tags, which the next ones resemble; none when there is no build to go on from.
        moving: those among them that move to each new build.
    """

    pace: timedelta
    tags: tuple[str, ...]
    moving: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one image (lesson Q2).

    Args:
        now: the verdict before any other build.
        later: the verdict that takes it, or that keeps it to the end.
        after_builds: how many builds later it is taken, 0 for now; None when it is kept to the end.
    """

    now: Verdict
    later: Verdict
    after_builds: int | None


def pattern_of(images: Iterable[Image], *, moves: Callable[[str], bool]) -> Pattern:
    """How builds have come so far: a build is an image with a tag that is no pin.

    Args:
        images: the repository.
        moves: whether the repository lets a tag move.
    """
    tagged = [image for image in images if any(not is_pin(tag) for tag in image.tags)]
    builds = sorted(tagged, key=lambda image: (image.pushed_at, image.digest))
    if not builds:
        return Pattern(pace=PACE_OF_ONE, tags=())
    tags = tuple(tag for tag in builds[-1].tags if not is_pin(tag))
    moving = frozenset(tag for tag in tags if not _LAST_NUMBER.search(tag) and moves(tag))
    times = [build.pushed_at for build in builds]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    pace = timedelta(seconds=max(1.0, median(gaps))) if gaps else PACE_OF_ONE
    return Pattern(pace=pace, tags=tags, moving=moving)


def forecast(policy: str, images: Sequence[Image], *, pattern: Pattern, builds: int, now: datetime) -> dict[str, Fate]:
    """What becomes of each image that is there now, by digest.

    Args:
        policy: the lifecycle policy as JSON text.
        images: the repository.
        pattern: how builds come.
        builds: how many more of them.
        now: the time.

    Raises:
        InvalidLifecyclePolicy: ECR would refuse the policy.
    """
    first = evaluate(policy, images, now=now)
    fates = {digest: Fate(now=verdict, later=verdict, after_builds=None) for digest, verdict in first.items()}
    there = _acted(images, first, fates, at=now, number=0)
    for number in range(1, builds + 1):
        at = now + number * pattern.pace
        there = [*_without(there, pattern.moving), _build(pattern, number, at)]
        there = _acted(there, evaluate(policy, there, now=at), fates, at=at, number=number)
    return fates


def _acted(
    images: Iterable[Image], verdicts: dict[str, Verdict], fates: dict[str, Fate], *, at: datetime, number: int
) -> list[Image]:
    """The images that are left, and a note of what happens to each for the first time."""
    left = []
    for image in images:
        verdict = verdicts[image.digest]
        fate = fates.get(image.digest)
        if fate is not None and fate.after_builds is None:
            taken = None if verdict.action == "keep" else number
            fates[image.digest] = Fate(now=fate.now, later=verdict, after_builds=taken)
        if verdict.action == "keep":
            left.append(image)
        elif verdict.action == "archive":
            left.append(replace(image, storage_class="archive", archived_at=at))
    return left


def _without(images: Iterable[Image], moving: frozenset[str]) -> list[Image]:
    """The images after the moving tags have gone to a new build."""
    return [
        replace(image, tags=tuple(tag for tag in image.tags if tag not in moving))
        if moving.intersection(image.tags)
        else image
        for image in images
    ]


def _build(pattern: Pattern, number: int, at: datetime) -> Image:
    tags = tuple(tag if tag in pattern.moving else _counted_on(tag, number) for tag in pattern.tags)
    return Image(digest=f"build {number}", tags=tags, pushed_at=at)


def _counted_on(tag: str, number: int) -> str:
    found = _LAST_NUMBER.search(tag)
    if found is None:
        return f"{tag}-{number}"
    return tag[: found.start()] + str(int(found[1]) + number).zfill(len(found[1])) + tag[found.end() :]
