"""Which pins a release puts, and where: a pure function. No AWS, no clock, no log. Standard library only.

What it keeps: *no step of the plan takes the last release pin from an image that is still needed*, so a release can be
killed between any two steps. A service never has more slots than it once needed images at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from .model import Pin, StoredImage
from .pins import Slot, slot_name, slot_of


def release_writer(account: str, region: str, application: str, environment: str) -> str:
    """What an environment's release pins are marked with: the same mark as that of its guard."""
    place = ":".join((account, region, application, environment))
    return hashlib.sha256(place.encode()).hexdigest()[:6]


def release_pins(
    *, images: Iterable[StoredImage], target: str, needed: Sequence[str], writer: str, service: str
) -> tuple[Pin, ...]:
    """The pins to put, the target's first (lesson Q2).

    Args:
        images: all images of the repository.
        target: what shall run. It gets a pin even if it is not among the images: then ECR says why it cannot.
        needed: what else must stay, the most important first: what runs now, and what a rollback may go to. What has
            gone, or is archived, is left out: no pin can be put on it.
        writer: the mark of the environment's release pins.
        service: whose pins. Those of other services are not touched.
    """
    stored = {image.digest: image for image in images}
    name = slot_name(service)
    holder = {
        slot.number: image.digest
        for image in stored.values()
        for slot in map(slot_of, image.tags)
        if slot is not None and (slot.namespace, slot.writer, slot.name) == ("release", writer, name)
    }
    wanted = list(dict.fromkeys((target, *needed)))
    held: dict[str, int] = {}
    for number, digest in sorted(holder.items()):
        if digest in wanted:
            held.setdefault(digest, number)
    free = sorted(set(holder) - set(held.values()))
    pins = []
    for digest in wanted:
        if digest in held or (digest != target and not _can_be_pinned(stored.get(digest))):
            continue
        number = free.pop(0) if free else next(n for n in range(len(holder) + 1) if n not in holder)
        former = holder.get(number)
        holder[number] = digest
        tag = Slot(namespace="release", writer=writer, name=name, number=number).tag
        pins.append(Pin(tag=tag, digest=digest, former=former))
    return tuple(pins)


def _can_be_pinned(image: StoredImage | None) -> bool:
    return image is not None and image.status == "ACTIVE"
