"""Puts pins on images, and restores archived ones. Nothing here deletes, and nothing uploads.

It knows nothing of what a pin means, so the guard's pins and those of releases go through the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .aws import batches
from .errors import code, failures, why
from .model import Pin, Status
from .references import RepositoryId
from .registry import BATCH, Unreadable, manifests, status_of

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

MOST_PUTS: Final = 3
"""How often a pin is put while another writer keeps taking it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinResult:
    """What became of a pin (lessons Q2, Q4).

    Args:
        pin: what was to be put.
        status: the image's status, read after the pin was put; None when that failed.
        error: why the pin is not there, or not known to be; None when it was read back.
    """

    pin: Pin
    status: Status | None = None
    error: str | None = None


def put_pins(ecr: ECRClient, id: RepositoryId, pins: Iterable[Pin]) -> list[PinResult]:
    """Puts each pin on its image and reads back where it is. What AWS refuses is a result, never raised.

    ECR has no compare-and-swap: a pin that is found elsewhere was taken by another writer, and is put again.
    """
    done: dict[str, PinResult] = {}
    wanted = {pin.tag: pin for pin in pins}
    left = list(wanted.values())
    for _ in range(MOST_PUTS):
        done |= {result.pin.tag: result for result in _put(ecr, id, left)}
        left = [pin for pin in left if pin.tag not in done]
        found = _read_back(ecr, id, [pin.tag for pin in left])
        for pin in left:
            place = found.get(pin.tag)
            if isinstance(place, Unreadable):
                done[pin.tag] = PinResult(pin=pin, error=f"put, but it could not be read back: {place.why}")
            elif place is not None and place[0] == pin.digest:
                done[pin.tag] = PinResult(pin=pin, status=place[1])
        left = [pin for pin in left if pin.tag not in done]
    lost = f"put {MOST_PUTS} times, and each time it was not on the image afterwards: something else writes this tag"
    return [done.get(tag, PinResult(pin=pin, error=lost)) for tag, pin in wanted.items()]


def restore(ecr: ECRClient, id: RepositoryId, digest: str) -> str | None:
    """Begins to restore an archived image; an error is returned as one line."""
    try:
        ecr.update_image_storage_class(
            registryId=id.registry,
            repositoryName=id.name,
            imageId={"imageDigest": digest},
            targetStorageClass="STANDARD",
        )
    except failures() as error:
        return why(error)
    return None


def _put(ecr: ECRClient, id: RepositoryId, pins: Sequence[Pin]) -> list[PinResult]:
    """Puts the pins; only those that failed are returned."""
    failed = []
    for batch in batches(dict.fromkeys(pin.digest for pin in pins), BATCH):
        texts, errors = manifests(ecr, id, batch)
        for pin in pins:
            error = _put_one(ecr, id, pin, *texts[pin.digest]) if pin.digest in texts else errors.get(pin.digest)
            if error is not None:
                failed.append(PinResult(pin=pin, error=error))
    return failed


def _put_one(ecr: ECRClient, id: RepositoryId, pin: Pin, manifest: str, media_type: str) -> str | None:
    try:
        ecr.put_image(
            registryId=id.registry,
            repositoryName=id.name,
            imageManifest=manifest,
            imageManifestMediaType=media_type,
            imageTag=pin.tag,
            imageDigest=pin.digest,
        )
    except failures() as error:
        # The pin is there already: nothing to do.
        return None if code(error) == "ImageAlreadyExistsException" else why(error)
    return None


def _read_back(ecr: ECRClient, id: RepositoryId, tags: Sequence[str]) -> dict[str, tuple[str, Status] | Unreadable]:
    """Where each tag is, and the image's status; a tag that is on no image is left out."""
    found: dict[str, tuple[str, Status] | Unreadable] = {}
    for batch in batches(tags, BATCH):
        found |= _describe(ecr, id, batch)
    return found


def _describe(ecr: ECRClient, id: RepositoryId, tags: Sequence[str]) -> dict[str, tuple[str, Status] | Unreadable]:
    try:
        answer = ecr.describe_images(
            registryId=id.registry, repositoryName=id.name, imageIds=[{"imageTag": tag} for tag in tags]
        )
    except failures() as error:
        if code(error) != "ImageNotFoundException":
            return dict.fromkeys(tags, Unreadable(why=why(error)))
        # One tag that is on no image fails the call for all of them.
        return {tag: place for one in tags for tag, place in _describe(ecr, id, [one]).items()} if len(tags) > 1 else {}
    asked = set(tags)
    return {
        tag: (detail["imageDigest"], status_of(detail))
        for detail in answer["imageDetails"]
        for tag in detail.get("imageTags", ())
        if tag in asked
    }
