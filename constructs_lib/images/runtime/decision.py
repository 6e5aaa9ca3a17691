"""Which pin goes where in one repository: a pure function. No AWS, no clock, no log. Standard library only.

What it keeps: *every image in use that is there and can be read has a pin when the plan is carried out, and no step of
the plan takes the last pin from an image that was in use within a day.*
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from .model import Pin, Plan, StoredImage, Use, UsedImage
from .pins import Slot, is_pin, slot_name, slot_of

GRACE: Final = timedelta(days=1)
"""How long an image keeps its pin after it was last seen in use."""

MEMORY: Final = timedelta(hours=1)
"""How long ECS lists a stopped task at least. After a longer gap between two complete readings, something may have run
and ended unseen, so every image counts as just used."""

MOST_TAGS: Final = 900
"""An image may have 1,000 tags (https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html); a slot
that nobody needs is not put on one that has this many."""


def decide(
    *,
    images: Iterable[StoredImage],
    used: Iterable[UsedImage],
    idle_since: Mapping[str, datetime],
    now: datetime,
    complete: bool,
    last_complete: datetime | None,
    pins_can_move: bool,
    writer: str,
) -> Plan:
    """The plan for one repository (lessons Q2, Q4).

    Args:
        images: all images of the repository.
        used: what refers to images of it.
        idle_since: what the last plan said.
        now: the time.
        complete: whether everything could be read. If not, nothing is moved away from any image.
        last_complete: when everything could be read last; None: never.
        pins_can_move: whether the repository lets a pin move. If not, no pin is put there: it could never leave.
        writer: the mark of the guard's own slots; it moves no others, for it does not know why they are there.
    """
    stored = {image.digest: image for image in images}
    in_use, absent = _resolve(stored, used)
    _with_relatives(stored, in_use)
    plan = _Slots(stored, in_use, writer) if pins_can_move else None
    idle = _idle(stored, in_use, idle_since, now, writer, complete=complete, last_complete=last_complete)
    expired = {digest for digest, since in idle.items() if now - since >= GRACE}
    additions, moves = plan.pins(expired, may_move=complete) if plan else ((), ())
    return Plan(
        in_use={digest: tuple(sorted(uses)) for digest, uses in in_use.items()},
        additions=additions,
        moves=moves,
        restores=tuple(digest for digest in in_use if stored[digest].status == "ARCHIVED"),
        missing=tuple(entry for entry in absent if entry.use.starts),
        forgotten=tuple(entry for entry in absent if not entry.use.starts),
        inactive=tuple(digest for digest in in_use if stored[digest].status != "ACTIVE"),
        unpinnable=() if plan else tuple(d for d in in_use if not any(is_pin(tag) for tag in stored[d].tags)),
        idle_since=idle,
    )


def _resolve(
    stored: Mapping[str, StoredImage], used: Iterable[UsedImage]
) -> tuple[dict[str, set[Use]], tuple[UsedImage, ...]]:
    """The images in use by digest, and the references that lead to none: not, or not to every child of an index."""
    by_tag = {tag: image.digest for image in stored.values() for tag in image.tags}
    in_use: dict[str, set[Use]] = {}
    absent: dict[UsedImage, None] = {}
    for entry in used:
        digest = entry.reference.digest or by_tag.get(entry.reference.tag or "")
        if digest is None or digest not in stored:
            absent[entry] = None
            continue
        in_use.setdefault(digest, set()).add(entry.use)
        for child in stored[digest].children:
            if child not in stored:
                absent[replace(entry, reference=replace(entry.reference, digest=child))] = None
    return in_use, tuple(absent)


def _with_relatives(stored: Mapping[str, StoredImage], in_use: dict[str, set[Use]]) -> None:
    """A child in use keeps its index, and an index in use its children: neither is protected by the other on ECR."""
    parents: defaultdict[str, list[str]] = defaultdict(list)
    for image in stored.values():
        for child in image.children:
            parents[child].append(image.digest)
    for digest, uses in list(in_use.items()):
        indexes = {digest, *parents[digest]}
        for relative in indexes | {child for index in indexes for child in stored[index].children}:
            if relative in stored:
                in_use.setdefault(relative, set()).update(uses)


def _idle(
    stored: Mapping[str, StoredImage],
    in_use: Mapping[str, object],
    idle_since: Mapping[str, datetime],
    now: datetime,
    writer: str,
    *,
    complete: bool,
    last_complete: datetime | None,
) -> dict[str, datetime]:
    """Since when each image with a slot of the guard has been out of use; never longer than it was watched."""
    watched = last_complete is not None and timedelta() <= now - last_complete <= MEMORY
    idle = {}
    for image in stored.values():
        if image.digest not in in_use and any(True for _ in _slots(image, writer)):
            since = idle_since.get(image.digest, now) if watched or not complete else now
            idle[image.digest] = min(since, now)
    return idle


class _Slots:
    """The guard's slots of one repository, and who needs them."""

    def __init__(self, stored: Mapping[str, StoredImage], in_use: Mapping[str, Iterable[Use]], writer: str) -> None:
        self.writer = writer
        self.holder = {slot: image.digest for image in stored.values() for slot in _slots(image, writer)}
        self.tags = {image.digest: len(image.tags) for image in stored.values()}
        self.in_use = in_use
        wanted = [(slot_name(use.owner), digest) for digest, uses in in_use.items() for use in uses]
        have = {(slot.name, digest): slot for slot, digest in sorted(self.holder.items(), key=_by_number, reverse=True)}
        self.needed = {have[pair] for pair in wanted if pair in have}
        self.wanting = sorted({pair for pair in wanted if pair not in have and stored[pair[1]].status == "ACTIVE"})

    def pins(self, expired: set[str], *, may_move: bool) -> tuple[tuple[Pin, ...], tuple[Pin, ...]]:
        """New slots, and moves of those that are free."""
        free = self._free(expired) if may_move else {}
        additions, moves = [], []
        for name, digest in self.wanting:
            slot = next((slot for slot in free if slot.name == name), None)
            if slot is None:
                additions.append(Pin(tag=self._new(name).tag, digest=digest))
            else:
                moves.append(Pin(tag=slot.tag, digest=digest, former=free.pop(slot)))
        moves += self._parked({slot: digest for slot, digest in free.items() if digest in expired})
        return tuple(additions), tuple(moves)

    def _free(self, expired: set[str]) -> dict[Slot, str]:
        """Slots that may leave their image: it is out of use for a day, or it has another slot that stays.

        Neither depends on anything else in the plan, so no step of it can fail and leave an image without its pin.
        """
        kept = {self.holder[slot] for slot in self.needed}
        free = {
            slot: digest
            for slot, digest in sorted(self.holder.items(), key=_by_number)
            if slot not in self.needed and (digest in expired or digest in kept)
        }
        return dict(sorted(free.items(), key=lambda item: item[1] in kept))

    def _new(self, name: str) -> Slot:
        taken = {slot.number for slot in self.holder if slot.name == name}
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        slot = Slot(namespace="use", writer=self.writer, name=name, number=number)
        self.holder[slot] = ""
        return slot

    def _parked(self, leftover: Mapping[Slot, str]) -> Iterator[Pin]:
        """Slots that nobody needs go to an image in use, so that the image they are on can be forgotten.

        Else each owner that is gone, such as a test environment, would keep its last image for good.
        """
        places = {self.holder[slot] for slot in self.needed}
        for slot, digest in leftover.items():
            roomy = [(self.tags[place], place) for place in places if self.tags[place] < MOST_TAGS]
            if not roomy:
                return
            _, place = min(roomy)
            self.tags[place] += 1
            yield Pin(tag=slot.tag, digest=place, former=digest)


def _slots(image: StoredImage, writer: str) -> Iterator[Slot]:
    for tag in image.tags:
        slot = slot_of(tag)
        if slot is not None and slot.namespace == "use" and slot.writer == writer:
            yield slot


def _by_number(item: tuple[Slot, str]) -> tuple[str, int]:
    return item[0].name, item[0].number
