"""What is stored in ECR: the guard's reading side. It knows nothing of what a pin means."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from .aws import batches
from .errors import code, failures, why
from .model import Status, StoredImage
from .pins import can_move
from .references import ImageReference, RepositoryId

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import ImageDetailTypeDef, ImageIdentifierTypeDef

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


def knows_the_archive(ecr: ECRClient) -> None:
    """Refuses a boto3 from before ECR had an archive: it could not list archived images, and every scan would fail.

    Lambda chooses the boto3 that its runtime has.

    Raises:
        RuntimeError: that boto3 is too old.
    """
    if "UpdateImageStorageClass" not in ecr.meta.service_model.operation_names:
        from botocore import __version__

        raise RuntimeError(
            f"botocore must know ECR's UpdateImageStorageClass, got {__version__}; move the function to a newer runtime"
        )


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


def image_details(ecr: ECRClient, id: RepositoryId) -> Iterator[ImageDetailTypeDef]:
    """All images of a repository as ECR lists them, whatever their status. What AWS refuses is raised.

    Without a filter only ACTIVE images are listed
    (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImagesFilter.html), and an archived image
    would seem to be missing.
    """
    pages = ecr.get_paginator("describe_images").paginate(
        registryId=id.registry,
        repositoryName=id.name,
        filter={"imageStatus": "ANY"},
        PaginationConfig={"PageSize": PAGE},
    )
    for page in pages:
        yield from page["imageDetails"]


def lists_children(detail: ImageDetailTypeDef) -> bool:
    """Whether it is an index whose manifest can be read."""
    return status_of(detail) == "ACTIVE" and detail.get("imageManifestMediaType") in INDEXES


def read_images(ecr: ECRClient, id: RepositoryId) -> Listing:
    """All images of a repository. What AWS refuses is raised."""
    images: dict[str, StoredImage] = {}
    indexes: list[str] = []
    for detail in image_details(ecr, id):
        digest = detail["imageDigest"]
        images[digest] = StoredImage(digest=digest, tags=tuple(detail.get("imageTags", ())), status=status_of(detail))
        if lists_children(detail):
            indexes.append(digest)
    return Listing(images=images, indexes=tuple(indexes))


def read_children(ecr: ECRClient, id: RepositoryId, listing: Listing, digests: Iterable[str]) -> list[str]:
    """Adds the children of these indexes to the listing; what could not be read is returned, a sentence each."""
    problems = []
    for batch in batches(digests, BATCH):
        texts, errors = manifests(ecr, id, batch)
        problems += [f"index {digest}: {error}" for digest, error in errors.items()]
        for digest, (manifest, _) in texts.items():
            try:
                children = tuple(str(child["digest"]) for child in json.loads(manifest)["manifests"] if _runs(child))
            except (KeyError, TypeError, ValueError):
                problems.append(f"index {digest}: its manifest lists no images")
            else:
                listing.images[digest] = replace(listing.images[digest], children=children)
    return problems


def _runs(child: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether a child of an index is an image. An attestation has the platform ``unknown``, and no task pulls it
    (https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md)."""
    return child.get("platform", {}).get("os") != "unknown"


def look_again(ecr: ECRClient, id: RepositoryId, listing: Listing, references: Iterable[ImageReference]) -> bool:
    """Asks for images by name that the pages did not show, and adds what is there; whether anything was.

    An image that is pushed, and a tag that moves, between two pages is on neither.
    """
    found = False
    for reference in dict.fromkeys(references):
        name: ImageIdentifierTypeDef = (
            {"imageDigest": reference.digest} if reference.digest else {"imageTag": reference.tag or ""}
        )
        try:
            answer = ecr.describe_images(registryId=id.registry, repositoryName=id.name, imageIds=[name])
        except failures():
            continue  # what cannot be confirmed stays missing
        for detail in answer["imageDetails"]:
            digest = detail["imageDigest"]
            listing.images[digest] = StoredImage(
                digest=digest, tags=tuple(detail.get("imageTags", ())), status=status_of(detail)
            )
            found = True
    return found


def read_policy(ecr: ECRClient, id: RepositoryId) -> str | Unreadable | None:
    """The text of a repository's lifecycle policy; None when it has none, and so nothing expires."""
    try:
        return ecr.get_lifecycle_policy(registryId=id.registry, repositoryName=id.name)["lifecyclePolicyText"]
    except failures() as error:
        return None if code(error) == "LifecyclePolicyNotFoundException" else Unreadable(why=why(error))


def manifests(
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


def status_of(detail: ImageDetailTypeDef) -> Status:
    """ACTIVE where ECR says nothing, as before images could be archived."""
    return detail.get("imageStatus", "ACTIVE")
