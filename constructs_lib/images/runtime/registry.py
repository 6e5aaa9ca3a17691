"""ECR as the guard uses it: it reads images, puts tags on them and restores them. It never deletes and never uploads.

It knows nothing of what a pin means, so the guard's pins and those of releases go through the same code.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from .aws import batches
from .errors import code, failures, why
from .model import Pin, Status, StoredImage
from .pins import can_move
from .references import RepositoryId

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import ImageDetailTypeDef

INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Media types of a multi-architecture index."""

MANIFESTS: Final = (
    *INDEXES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
"""All of them are accepted, so that a manifest comes as it was pushed: another form has another digest."""

PAGE: Final = 1000
BATCH: Final = 100
"""The most that DescribeImages lists on a page, and that one call takes by name."""

_OF_ONE: Final = frozenset({"RepositoryNotFoundException", "AccessDeniedException"})
"""One repository with such an error fails the call for all of them. Other errors would only be met again for each."""

MOST_PUTS: Final = 3
"""How often a pin is put while another writer keeps taking it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why something could not be read (lesson Q2).

    Args:
        why: the error in one line.
    """

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The images of a repository (lesson Q2).

    Args:
        images: all of them, by digest, whatever their status.
        indexes: those whose children can be read.
    """

    images: dict[str, StoredImage]
    indexes: tuple[str, ...] = ()


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


def read_settings(ecr: ECRClient, ids: Sequence[RepositoryId]) -> dict[RepositoryId, bool | Unreadable]:
    """Whether pins can move in each repository."""
    found: dict[RepositoryId, bool | Unreadable] = {}
    by_registry: defaultdict[str, list[RepositoryId]] = defaultdict(list)
    for one in ids:
        by_registry[one.registry].append(one)
    for of_one_registry in by_registry.values():
        for batch in batches(of_one_registry, BATCH):
            found |= _settings(ecr, batch)
    return found


def _settings(ecr: ECRClient, ids: Sequence[RepositoryId]) -> dict[RepositoryId, bool | Unreadable]:
    try:
        answer = ecr.describe_repositories(registryId=ids[0].registry, repositoryNames=[one.name for one in ids])
    except failures() as error:
        if len(ids) == 1 or code(error) not in _OF_ONE:
            return dict.fromkeys(ids, Unreadable(why=why(error)))
        return {one: _settings(ecr, [one])[one] for one in ids}
    by_name = {
        entry["repositoryName"]: can_move(
            entry.get("imageTagMutability", "IMMUTABLE"),
            [{"filter": one.get("filter", "")} for one in entry.get("imageTagMutabilityExclusionFilters", ())],
        )
        for entry in answer["repositories"]
    }
    return {one: by_name.get(one.name, Unreadable(why="ECR did not list it")) for one in ids}


def read_images(ecr: ECRClient, id: RepositoryId) -> Listing:
    """All images of a repository. What AWS refuses is raised.

    Without a filter only ACTIVE images are listed
    (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImagesFilter.html), and an archived image
    would seem to be missing.
    """
    images: dict[str, StoredImage] = {}
    indexes: list[str] = []
    pages = ecr.get_paginator("describe_images").paginate(
        registryId=id.registry,
        repositoryName=id.name,
        filter={"imageStatus": "ANY"},
        PaginationConfig={"PageSize": PAGE},
    )
    for page in pages:
        for detail in page["imageDetails"]:
            digest, status = detail["imageDigest"], _status(detail)
            images[digest] = StoredImage(digest=digest, tags=tuple(detail.get("imageTags", ())), status=status)
            if status == "ACTIVE" and detail.get("imageManifestMediaType") in INDEXES:
                indexes.append(digest)
    return Listing(images=images, indexes=tuple(indexes))


def read_children(ecr: ECRClient, id: RepositoryId, listing: Listing, digests: Iterable[str]) -> list[str]:
    """Adds the children of these indexes to the listing; what could not be read is returned, a sentence each."""
    problems = []
    for batch in batches(digests, BATCH):
        manifests, errors = _manifests(ecr, id, batch)
        problems += [f"index {digest}: {error}" for digest, error in errors.items()]
        for digest, (manifest, _) in manifests.items():
            try:
                children = tuple(str(child["digest"]) for child in json.loads(manifest)["manifests"])
            except (KeyError, TypeError, ValueError):
                problems.append(f"index {digest}: its manifest lists no images")
            else:
                listing.images[digest] = replace(listing.images[digest], children=children)
    return problems


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
        manifests, errors = _manifests(ecr, id, batch)
        for pin in pins:
            if pin.digest in manifests:
                error = _put_one(ecr, id, pin, *manifests[pin.digest])
            else:
                error = errors.get(pin.digest)
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


def _manifests(
    ecr: ECRClient, id: RepositoryId, digests: Sequence[str]
) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Manifest and media type of at most 100 images, and why the others' could not be had."""
    try:
        answer = ecr.batch_get_image(
            registryId=id.registry,
            repositoryName=id.name,
            imageIds=[{"imageDigest": digest} for digest in digests],
            acceptedMediaTypes=list(MANIFESTS),
        )
    except failures() as error:
        return {}, dict.fromkeys(digests, why(error))
    found = {
        image["imageId"]["imageDigest"]: (image["imageManifest"], image.get("imageManifestMediaType", ""))
        for image in answer["images"]
    }
    failed = {
        failure.get("imageId", {}).get("imageDigest", ""): " ".join(
            (failure.get("failureCode", "Unknown"), failure.get("failureReason", ""))
        ).strip()
        for failure in answer["failures"]
    }
    return found, {digest: failed.get(digest, "ECR gave no manifest") for digest in digests if digest not in found}


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
        tag: (detail["imageDigest"], _status(detail))
        for detail in answer["imageDetails"]
        for tag in detail.get("imageTags", ())
        if tag in asked
    }


def _status(detail: ImageDetailTypeDef) -> Status:
    """ACTIVE where ECR says nothing, as before images could be archived."""
    return detail.get("imageStatus", "ACTIVE")
