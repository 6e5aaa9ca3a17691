"""What a lifecycle policy does to a repository's images now (lesson Q2). Standard library only.

Written from "Lifecycle policy evaluation rules" in ECR's user guide
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html). No document settles these points;
each is read so that more images go:

- That the shield holds within a storage class. The guide's own pair of rules on ``any``, one that archives and one
  that expires from the archive, makes sense only so.
- That ``sinceImagePushed`` counts from the push even after a restore, as its own sentence says. The sentence on order
  ("``last_activated_at`` is used instead of ``pushed_at_time``") is taken to be about count rules.
- That "older than N days" begins a moment after N times 24 hours.
- That a child of an index may go. The guide says that it cannot before its index does, but practice is contested
  (containers-roadmap #1466 and #2613, buildx #940): see ``children_protected``.

Which of two images pushed in the same instant counts as older is not documented; here the smaller digest is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from constructs_lib.checks import invalid
from constructs_lib.images.lifecycle_policy import Json, LifecycleRule, StorageClass, parse

Outcome: TypeAlias = Literal["keep", "expire", "archive"]

_EVENTS = {
    "sinceImagePushed": "push",
    "sinceImagePulled": "last pull",
    "sinceImageTransitioned": "archiving",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One manifest in a repository, as ``DescribeImages`` lists it (lesson Q2).

    Args:
        digest: its name in the repository.
        tags: the tags that point to it; none for an untagged image.
        pushed_at: ``imagePushedAt``; a new tag does not refresh it.
        last_pulled_at: ``lastRecordedPullTime``; None when it was never pulled.
        storage_class: ``standard`` or ``archive``.
        archived_at: ``lastArchivedAt``; needed for an archived image.
        last_activated_at: ``lastActivatedAt``, when it was last restored from the archive.
        children: digests that it lists when it is a multi-architecture index.

    Raises:
        ValueError: a time without a time zone, an unknown storage class, or no time of archiving.
    """

    digest: str
    tags: tuple[str, ...] = ()
    pushed_at: datetime
    last_pulled_at: datetime | None = None
    storage_class: StorageClass = "standard"
    archived_at: datetime | None = None
    last_activated_at: datetime | None = None
    children: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _aware("pushed_at", self.pushed_at)
        for what in ("last_pulled_at", "archived_at", "last_activated_at"):
            moment = getattr(self, what)
            if moment is not None:
                _aware(what, moment)
        if self.storage_class not in ("standard", "archive"):
            raise invalid("storage_class", self.storage_class, "'standard' or 'archive'", "an image is in one of them")
        if self.storage_class == "archive" and self.archived_at is None:
            raise invalid("archived_at", None, "a time for an archived image", "pass lastArchivedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a policy does to one image (lesson Q2).

    Args:
        action: ``keep``, ``expire`` or ``archive``.
        rule_priority: the rule that decides, be it by keeping the image; None when no rule selects it.
        reason: why, in one sentence.
    """

    action: Outcome
    rule_priority: int | None
    reason: str


def evaluate(
    policy: Json | str, images: Iterable[Image], *, now: datetime, children_protected: bool = False
) -> dict[str, Verdict]:
    """What a policy does to each image of a repository at one moment, by digest (lesson Q2).

    All rules are evaluated against all images. The first rule by priority that selects an image decides, even by
    keeping it: no later one can act on it (the shield). So an image that an earlier rule takes still counts for a
    later rule. Actions are due within 24 hours on ECR; here they are named as soon as they are due.

    Args:
        policy: the policy as JSON text or as data.
        images: all images of the repository; a rule that counts needs them all.
        now: the moment, with a time zone.
        children_protected: whether a child stays while an index that lists it is in the repository and not archived.
            False by default, for that is unverified.

    Raises:
        InvalidLifecyclePolicy: ECR would refuse the policy.
        ValueError: ``now`` has no time zone, or two images have one digest.
    """
    rules = parse(policy)
    _aware("now", now)
    repository = list(images)
    verdicts: dict[str, Verdict] = {}
    for image in repository:
        if image.digest in verdicts:
            raise invalid("images", image.digest, "listed once each", "pass one Image with all its tags")
        verdicts[image.digest] = Verdict(action="keep", rule_priority=None, reason="no rule selects it")
    for rule in reversed(rules):
        selected = [image for image in repository if rule.selects(image.tags, image.storage_class)]
        due = _due(rule, selected, now)
        for image in selected:
            verdicts[image.digest] = _verdict(rule, due.get(image.digest))
    if children_protected:
        for child in {c for image in repository if image.storage_class == "standard" for c in image.children}:
            if child in verdicts and verdicts[child].action != "keep":
                verdicts[child] = Verdict(
                    action="keep", rule_priority=verdicts[child].rule_priority, reason="an index lists it"
                )
    return verdicts


def _verdict(rule: LifecycleRule, reason: str | None) -> Verdict:
    if reason is None:
        kept = f"rule {rule.priority} selects it and keeps it, so no later rule can act on it"
        return Verdict(action="keep", rule_priority=rule.priority, reason=kept)
    return Verdict(action=rule.action, rule_priority=rule.priority, reason=f"rule {rule.priority} {reason}")


def _due(rule: LifecycleRule, selected: Sequence[Image], now: datetime) -> dict[str, str]:
    """The images that a rule would act on if it were alone, with the reason."""
    if rule.count_type == "imageCountMoreThan":
        newest_first = sorted(selected, key=lambda image: (_ordered_by(image), image.digest), reverse=True)
        return {
            image.digest: f"keeps the newest {rule.number} of the images that it selects, and this is number {place}"
            for place, image in enumerate(newest_first[rule.number :], rule.number + 1)
        }
    longest = timedelta(days=min(rule.number, timedelta.max.days))
    due = {}
    for image in selected:
        age = now - _counted_from(rule, image)
        if age > longest:
            event = _EVENTS[rule.count_type]
            due[image.digest] = f"acts {rule.number} days after the {event}, which was {age.days} full days ago"
    return due


def _ordered_by(image: Image) -> datetime:
    return image.last_activated_at or image.pushed_at


def _counted_from(rule: LifecycleRule, image: Image) -> datetime:
    if rule.count_type == "sinceImagePushed":
        return image.pushed_at
    if rule.count_type == "sinceImageTransitioned":
        assert image.archived_at is not None  # Image refuses an archived one without it
        return image.archived_at
    pulled, restored = image.last_pulled_at, image.last_activated_at
    if pulled is not None and (restored is None or pulled >= restored):
        return pulled
    return restored or image.pushed_at


def _aware(what: str, moment: datetime) -> None:
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise invalid(what, moment, "a datetime with a time zone", "pass one such as datetime.now(UTC)")
