"""The checks of ``moorings images verify``: what our proof takes for granted about ECR. Nothing is deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from constructs_lib.images.lifecycle import InvalidLifecyclePolicy
from constructs_lib.images.runtime.model import Pin
from constructs_lib.images.runtime.pinning import put_pins
from constructs_lib.images.runtime.pins import can_move, is_pin
from constructs_lib.naming import PIN_PATTERN
from constructs_lib.ops.ecr_preview import NoPreview, agreement, preview
from constructs_lib.ops.repository import ListedImage, Repository, images_of, policy_of

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

CANARY: Final = "pin-verify-canary"
"""A pin that is nobody's slot, so neither the guard nor a release moves it."""

Result: TypeAlias = Literal["OK", "NG", "SKIP"]

_SHIELD_AND_COUNT: Final = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "tagged",
                    "tagPatternList": [PIN_PATTERN],
                    "countType": "imageCountMoreThan",
                    "countNumber": 9999,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            },
        ]
    }
)
"""The shield, and after it the harshest rule there is. It is only previewed, never set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check and what was seen (lesson Q2).

    Args:
        name: what is checked.
        result: ``OK``, ``NG`` for not good, or ``SKIP`` when it could not be tried.
        seen: what was seen, or why it was not tried.
    """

    name: str
    result: Result
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """Where the canary pin goes (lesson Q2).

    Args:
        older: it goes on this image first,
        newest: then it moves to this one.
        former: the image that has it now; None when none has.
        refusal: why it goes nowhere; empty when it may.
    """

    older: ListedImage | None = None
    newest: ListedImage | None = None
    former: str | None = None
    refusal: str = ""


def place(repository: Repository, images: Sequence[ListedImage]) -> Canary:
    """The two newest images that keep a tag of their own when the canary leaves them.

    An image whose last tag moves away is untagged, and the rule on untagged images would take it.
    """
    if not can_move(repository.mutability, repository.filters):
        return Canary(refusal="pins cannot move here")
    holder = next((image for image in images if CANARY in image.stored.tags), None)
    if holder is not None and holder.stored.tags == (CANARY,):
        fix = "give that image another tag first, for without any it could expire"
        return Canary(refusal=f"{CANARY} is the only tag of {holder.stored.digest}; {fix}")
    fit = [image for image in images if image.stored.status == "ACTIVE" and image.stored.tags]
    if len(fit) < 2:
        return Canary(refusal=f"it needs two images that can be pulled and have a tag of their own, got {len(fit)}")
    return Canary(older=fit[1], newest=fit[0], former=holder.stored.digest if holder else None)


@dataclass(slots=True, kw_only=True)
class Verification:
    """The checks of one repository, in the order in which they build on each other (lesson Q2).

    Args:
        ecr: the client.
        repository: the repository.
        canary: where the canary goes.
        now: the time.
        sleep: waits for some seconds.
    """

    ecr: ECRClient
    repository: Repository
    canary: Canary
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    _pinned: bool = field(default=False, init=False)
    _moved: bool = field(default=False, init=False)

    def run(self) -> Iterator[Check]:
        """Each check as soon as it is done."""
        yield self.mutability()
        yield self._pinned_first()
        yield self._shield()
        yield self._pin_moves()
        yield self._build_tag()
        yield self._policy()

    def mutability(self) -> Check:
        """Whether the repository's settings let pins move."""
        texts = ", ".join(entry["filter"] for entry in self.repository.filters)
        seen = f"{self.repository.mutability}{f', except {texts}' if texts else ''}"
        good = can_move(self.repository.mutability, self.repository.filters)
        return Check(name="settings let pins move", result="OK" if good else "NG", seen=seen)

    def _pinned_first(self) -> Check:
        name, canary = "an image can be pinned", self.canary
        if canary.older is None:
            return Check(name=name, result="SKIP", seen=canary.refusal)
        error = self._put(canary.older, canary.former)
        self._pinned = error is None
        seen = error or f"{CANARY} is on {canary.older.stored.digest}"
        return Check(name=name, result="NG" if error else "OK", seen=seen)

    def _shield(self) -> Check:
        name = "ECR keeps a pinned image from a later rule"
        if not self._pinned:
            return Check(name=name, result="SKIP", seen="nothing is pinned")
        check = self._compare(name, _SHIELD_AND_COUNT)
        if check.result == "OK":
            return Check(name=name, result="OK", seen=f"in ECR's preview of shield and 'keep 1 of any', {check.seen}")
        return check

    def _pin_moves(self) -> Check:
        name, older, newest = "a pin moves, and the image that had it stays", self.canary.older, self.canary.newest
        if older is None or newest is None or not self._pinned:
            return Check(name=name, result="SKIP", seen="nothing is pinned")
        error = self._put(newest, older.stored.digest)
        if error:
            return Check(name=name, result="NG", seen=error)
        images, _ = images_of(self.ecr, self.repository.id)
        now = {image.stored.digest: image.stored for image in images}
        left, got = now.get(older.stored.digest), now.get(newest.stored.digest)
        own = set(older.stored.tags) - {CANARY}
        if left is None:
            return Check(name=name, result="NG", seen=f"{older.stored.digest} has gone")
        if got is None or CANARY not in got.tags:
            return Check(name=name, result="NG", seen=f"{CANARY} is not on {newest.stored.digest}")
        if set(left.tags) != own or left.status != "ACTIVE":
            had = f"{left.status} with {', '.join(left.tags) or 'no tag'}, not ACTIVE with {', '.join(sorted(own))}"
            return Check(name=name, result="NG", seen=f"{older.stored.digest} is {had}")
        self._moved = True
        seen = f"{CANARY} is on {newest.stored.digest}; {older.stored.digest} is ACTIVE with {', '.join(left.tags)}"
        return Check(name=name, result="OK", seen=seen)

    def _build_tag(self) -> Check:
        """Tried only where the settings say that it is refused, and while the canary keeps the image it is tried on."""
        name, older, newest = "a build tag does not move", self.canary.older, self.canary.newest
        if older is None or newest is None or not self._moved:
            return Check(name=name, result="SKIP", seen="no canary keeps the image meanwhile")
        tag = build_tag(self.repository, newest)
        if tag is None:
            seen = f"{self.repository.mutability} lets the newest image's tags move, so trying would move one"
            return Check(name=name, result="SKIP", seen=seen)
        (tried,) = put_pins(self.ecr, self.repository.id, [Pin(tag=tag, digest=older.stored.digest)])
        if tried.error is None:
            (back,) = put_pins(self.ecr, self.repository.id, [Pin(tag=tag, digest=newest.stored.digest)])
            after = f"could not be put back: {back.error}" if back.error else "was put back"
            return Check(name=name, result="NG", seen=f"{tag} moved to {older.stored.digest}, and {after}")
        refused = tried.error.startswith("ImageTagAlreadyExistsException")
        return Check(name=name, result="OK" if refused else "SKIP", seen=f"{tag}: {tried.error}")

    def _policy(self) -> Check:
        name = "ECR's preview of the repository's policy agrees with ours"
        policy = policy_of(self.ecr, self.repository.id)
        if policy is None:
            return Check(name=name, result="SKIP", seen="it has no lifecycle policy, so nothing expires")
        return self._compare(name, policy)

    def _compare(self, name: str, policy: str) -> Check:
        before, _ = images_of(self.ecr, self.repository.id)
        try:
            theirs = preview(self.ecr, self.repository.id, policy, sleep=self.sleep)
            after, unread = images_of(self.ecr, self.repository.id)
            if unread or [image.stored for image in after] != [image.stored for image in before]:
                why = unread[0] if unread else "images came, went or changed meanwhile; run it again"
                return Check(name=name, result="SKIP", seen=why)
            good, seen = agreement(policy, [image.image for image in after], theirs, self.now())
        except (NoPreview, InvalidLifecyclePolicy) as error:
            refused = isinstance(error, InvalidLifecyclePolicy)
            seen = f"ECR has a policy that ours would refuse: {error}" if refused else str(error)
            return Check(name=name, result="NG" if refused else "SKIP", seen=seen)
        return Check(name=name, result="OK" if good else "NG", seen=seen)

    def _put(self, image: ListedImage, former: str | None) -> str | None:
        pin = Pin(tag=CANARY, digest=image.stored.digest, former=former)
        (result,) = put_pins(self.ecr, self.repository.id, [pin])
        return result.error


def build_tag(repository: Repository, image: ListedImage) -> str | None:
    """A tag of the image that the settings keep where it is; None when there is none."""
    tags = (tag for tag in image.stored.tags if not is_pin(tag) and not repository.lets_move(tag))
    return next(tags, None)
