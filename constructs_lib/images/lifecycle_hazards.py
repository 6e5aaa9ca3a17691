"""Whether a lifecycle policy could ever take an image in use, by reasoning (lesson Q2). Standard library only.

The first rule that selects an image decides over it. So a rule endangers pinned images if and only if

1. some set of tags, a pinned one among them, is selected by the rule and by no earlier rule of its storage class, and
2. the rule's count can be exceeded while such an image is the oldest.

Of 1, one set of tags need be tried. Fill each ``*`` of the pinned pattern, and of each of the rule's own patterns, with
a character that no pattern names. A pattern that matches the filled tag can have met this character only with a ``*``
of its own, so it matches *every* tag of the pattern that was filled. Hence whatever selects this image selects all
images that have a pinned tag and that the rule selects: if this one does not escape the earlier rules, none does.

Of 2: an age is reached by waiting. A count is exceeded by pushing, unless a pattern without ``*`` lets only one image
be selected (a tag is on one image at a time), or all that the rule selects is pinned and pins are fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, count, islice
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final

from constructs_lib.checks import invalid
from constructs_lib.images.lifecycle_evaluation import Image, evaluate
from constructs_lib.images.lifecycle_policy import Action, Json, LifecycleRule, TagPattern, parse
from constructs_lib.naming import PIN_PATTERN

MOST_IMAGES: Final = 100_000
"""ECR's quota of images in a repository."""

MOST_PINNED: Final = 100
"""How many pinned images a repository is assumed to have at most, unless the caller says otherwise."""

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST_DAYS: Final = (datetime.max.replace(tzinfo=UTC) - _START).days - 1
_PRIVATE_USE: Final = 0xE000

_WHY: Final = {
    "imageCountMoreThan": "keeps the {n} newest that it selects, by push time, which no use and no new tag refreshes",
    "sinceImagePushed": "acts {n} days after the push, however long the image is in use",
    "sinceImagePulled": "acts {n} days after the last pull, and a task that keeps running pulls nothing",
    "sinceImageTransitioned": "acts {n} days after archiving, be it by hand or before the pin was set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """A rule that can take an image in use, with an example that ``evaluate`` confirms (lesson Q2).

    Args:
        rule_priority: the rule.
        action: what it does: ``expire`` or ``archive``.
        reason: why, in one sentence.
        digest: the image in use, among ``images``.
        images: a repository, as small as the rule allows.
        now: the moment at which the rule acts.
    """

    rule_priority: int
    action: Action
    reason: str
    digest: str
    images: tuple[Image, ...]
    now: datetime


def endangers(
    policy: Json | str,
    *,
    pinned: str | None = PIN_PATTERN,
    multi_arch: bool = False,
    most_pinned: int = MOST_PINNED,
) -> list[Hazard]:
    """The rules that could expire or archive an image in use, in some history of the repository (lesson Q2).

    An empty list is a proof for every history of pushes, tags, pulls, archiving and time, given ECR's evaluation as in
    :func:`evaluate` and these assumptions:

    - At most ``most_pinned`` images carry a pin at a time. A rule that selects nothing but pins and keeps as many is a
      shield; one that keeps fewer is a hazard.
    - A repository has at most 100,000 images (ECR's quota), and a tag is on one image at a time.
    - Images are single manifests. With ``multi_arch`` they may be indexes, whose untagged children are in use as well
      and are not protected by ECR (unverified; see :mod:`constructs_lib.images.lifecycle_evaluation`). Children with
      tags of their own need pins of their own.

    Nothing is assumed about which texts can be tags, and an archived image may be pinned: more is reported for it,
    never less.

    Args:
        policy: anybody's lifecycle policy, as JSON text or as data.
        pinned: the pattern of the tags that mark images in use; None for an image in use with any tags, or none.
        multi_arch: whether children of an index must be safe too.
        most_pinned: how many images may be pinned at a time.

    Raises:
        InvalidLifecyclePolicy: ECR would refuse the policy.
        ValueError: ``pinned`` is empty, or ``most_pinned`` below 1.
    """
    if pinned is not None and (not isinstance(pinned, str) or not pinned):
        raise invalid("pinned", pinned, "a pattern such as 'pin-*', or None", "say which tags mark images in use")
    if not isinstance(most_pinned, int) or most_pinned < 1:
        raise invalid("most_pinned", most_pinned, "a whole number of at least 1", "count the images in use")
    rules = parse(policy)
    pin = None if pinned is None else TagPattern.glob(pinned)
    return [
        hazard
        for place, rule in enumerate(rules)
        if (hazard := _Search(policy, rules[: place + 1], pin, most_pinned).hazard(multi_arch)) is not None
    ]


class _Search:
    """The question whether the last of some rules is a hazard, in spite of those before it."""

    def __init__(
        self, policy: Json | str, rules: Sequence[LifecycleRule], pin: TagPattern | None, most_pinned: int
    ) -> None:
        self.policy = policy
        self.earlier, self.rule = rules[:-1], rules[-1]
        self.pin = pin
        self.most_pinned = most_pinned
        patterns = [*(pattern for rule in rules for pattern in rule.patterns), *([pin] if pin else [])]
        named = {character for pattern in patterns for text in pattern.texts for character in text}
        self.fresh = list(islice(_unnamed(named), 10))

    def hazard(self, multi_arch: bool) -> Hazard | None:
        """The hazard with its smallest example, or None, which is a proof."""
        if self._out_of_reach():
            return None
        for tags in self._tags_in_use():
            if self._decides(tags):
                return self._confirmed(tags, index=False)
        if multi_arch and self._decides(()):
            return self._confirmed((), index=True)
        return None

    def _out_of_reach(self) -> bool:
        """Whether the count can never be exceeded."""
        if self.rule.count_type != "imageCountMoreThan":
            return self.rule.number > _LONGEST_DAYS
        if any(pattern.literal for pattern in self.rule.patterns):
            return True
        return self.rule.number >= min(MOST_IMAGES, self.most_pinned if self._only_pins() else MOST_IMAGES)

    def _only_pins(self) -> bool:
        """Whether each image that the rule selects has a pin, whatever else is pushed."""
        return self.pin is not None and any(self.pin.matches(p.filled(self.fresh[0])) for p in self.rule.patterns)

    def _tags_in_use(self) -> Iterator[tuple[str, ...]]:
        """Tags of an image in use that the rule selects and earlier rules leave to it, if any tags are such."""
        if self.pin is None and self.rule.tag_status != "tagged":
            yield ()
        needed = [*([self.pin] if self.pin else []), *self.rule.patterns]
        tags = {pattern.filled(self.fresh[0]) for pattern in needed or [TagPattern.glob("*")]}
        for tag in sorted(tags, key=lambda tag: (-len(tag), tag)):
            fewer = tags - {tag}
            if fewer and all(any(pattern.matches(other) for other in fewer) for pattern in needed):
                tags = fewer
        yield tuple(sorted(tags))

    def _decides(self, tags: tuple[str, ...]) -> bool:
        """Whether the rule is the first to select an image with these tags."""
        storage_class = self.rule.storage_class
        return self.rule.selects(tags, storage_class) and not any(
            rule.selects(tags, storage_class) for rule in self.earlier
        )

    def _confirmed(self, tags: tuple[str, ...], *, index: bool) -> Hazard:
        images, now = self._example(tags, index=index)
        hazard = Hazard(
            rule_priority=self.rule.priority,
            action=self.rule.action,
            reason=f"rule {self.rule.priority} {_WHY[self.rule.count_type].format(n=self.rule.number)}"
            + ("; the image is an untagged child of an index in use" if index else ""),
            digest=images[0].digest,
            images=images,
            now=now,
        )
        verdict = evaluate(self.policy, images, now=now)[hazard.digest]
        if (verdict.action, verdict.rule_priority) != (hazard.action, hazard.rule_priority):
            raise RuntimeError(f"rule {self.rule.priority}: the example is not confirmed, which is a defect of ours")
        return hazard

    def _example(self, tags: tuple[str, ...], *, index: bool) -> tuple[tuple[Image, ...], datetime]:
        archived = self.rule.storage_class == "archive"
        in_use = Image(
            digest=_digest(0),
            tags=tags,
            pushed_at=_START,
            last_pulled_at=_START,
            storage_class=self.rule.storage_class,
            archived_at=_START if archived else None,
        )
        images = [in_use]
        if index:
            pins = () if self.pin is None else (self.pin.filled(self.fresh[0]),)
            images.append(
                Image(digest=_digest(1), tags=pins, pushed_at=_START + timedelta(minutes=1), children=(in_use.digest,))
            )
        if self.rule.count_type != "imageCountMoreThan":
            return tuple(images), _START + timedelta(days=self.rule.number, minutes=1)
        counted = sum(self.rule.selects(image.tags, image.storage_class) for image in images)
        for number, other in enumerate(islice(self._others(), self.rule.number + 1 - counted), len(images)):
            pushed_at = _START + timedelta(minutes=number)
            images.append(Image(digest=_digest(number), tags=other, pushed_at=pushed_at, last_pulled_at=pushed_at))
        return tuple(images), _START + timedelta(minutes=len(images))

    def _others(self) -> Iterator[tuple[str, ...]]:
        """Tags of ever more images that the rule selects, which are no pins if the rule selects any others.

        No tag is used twice: each has a number of six digits where its pattern has ``*``, in characters that no
        pattern names. The image in use has the digit 0 there.
        """
        for number in count(1):
            code = "".join(self.fresh[int(digit)] for digit in f"{number:06}")
            yield tuple(sorted({pattern.filled(code) for pattern in self.rule.patterns}))


def _unnamed(named: set[str]) -> Iterator[str]:
    """Characters that no pattern names: digits and letters first, and there is always another."""
    usual = digits + ascii_lowercase + ascii_uppercase
    return (character for character in chain(usual, map(chr, count(_PRIVATE_USE))) if character not in named)


def _digest(number: int) -> str:
    return f"sha256:{number:064x}"
