"""A repository as the commands read it: its images, its policy, and what uses them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from constructs_lib.command_line import CouldNotRun
from constructs_lib.images.lifecycle import Image
from constructs_lib.images.lifecycle_policy import TagPattern
from constructs_lib.images.runtime.decision import decide
from constructs_lib.images.runtime.model import Plan, Reading, StoredImage
from constructs_lib.images.runtime.references import RepositoryId
from constructs_lib.images.runtime.registry import (
    Listing,
    image_details,
    lists_children,
    read_children,
    status_of,
)
from constructs_lib.ops.repository_name import RepositoryName

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import ImageDetailTypeDef

_REGISTRY: Final = re.compile(r"registry with id '(\d{12})'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository and whether its tags move (lessons Q2, Q3).

    Args:
        id: which one.
        mutability: ``imageTagMutability``.
        filters: ``imageTagMutabilityExclusionFilters``.
    """

    id: RepositoryId
    mutability: str
    filters: tuple[Mapping[str, str], ...]

    def lets_move(self, tag: str) -> bool:
        """Whether a tag that is there may be put on another image."""
        excluded = any(TagPattern.glob(entry.get("filter", "")).matches(tag) for entry in self.filters)
        return self.mutability.startswith("MUTABLE") != (excluded and self.mutability.endswith("_WITH_EXCLUSION"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImage:
    """An image with what a person wants to know of it (lesson Q2).

    Args:
        stored: as the guard reads it.
        image: as the evaluator reads it.
        size: ``imageSizeInBytes``.
    """

    stored: StoredImage
    image: Image
    size: int


def find(ecr: ECRClient, named: RepositoryName) -> Repository:
    """The repository of a name. Only the account's own: what uses an image of another one is not seen from here.

    Raises:
        CouldNotRun: there is none.
    """
    try:
        (found,) = ecr.describe_repositories(repositoryNames=[named.name])["repositories"]
    except ecr.exceptions.RepositoryNotFoundException as error:
        told = _REGISTRY.search(str(error))  # ECR's own words are all that names the account
        raise _not_here(named, told[1] if told else "your account", ecr.meta.region_name) from error
    here = RepositoryId.from_arn(found["repositoryArn"])
    if named.registry not in (None, here.registry):
        raise _not_here(named, here.registry, here.region)
    filters = found.get("imageTagMutabilityExclusionFilters", [])
    return Repository(
        id=here,
        mutability=found["imageTagMutability"],
        filters=tuple({"filter": entry["filter"]} for entry in filters),
    )


def _not_here(named: RepositoryName, account: str, region: str) -> CouldNotRun:
    fix = "look at its name, --profile and --region"
    return CouldNotRun(f"REPOSITORY must be in this account and region ({account}, {region}), got {named}; {fix}")


def images_of(ecr: ECRClient, repository: RepositoryId) -> tuple[list[ListedImage], list[str]]:
    """All images, newest first, and what could not be read of them."""
    details = list(image_details(ecr, repository))
    images = {detail["imageDigest"]: _listed(detail) for detail in details}
    indexes = tuple(detail["imageDigest"] for detail in details if lists_children(detail))
    listing = Listing(images={digest: image.stored for digest, image in images.items()}, indexes=indexes)
    problems = read_children(ecr, repository, listing, listing.indexes)
    known = [_with_children(image, listing.images[digest]) for digest, image in images.items()]
    return sorted(known, key=lambda one: (one.image.pushed_at, one.image.digest), reverse=True), problems


def policy_of(ecr: ECRClient, repository: RepositoryId) -> str | None:
    """The lifecycle policy's text; None when there is none, so that nothing expires."""
    try:
        found = ecr.get_lifecycle_policy(registryId=repository.registry, repositoryName=repository.name)
    except ecr.exceptions.LifecyclePolicyNotFoundException:
        return None
    return found["lifecyclePolicyText"]


def plan_of(repository: RepositoryId, images: Sequence[ListedImage], reading: Reading, now: datetime) -> Plan:
    """Which images are in use, as the guard decides it; no pin is planned."""
    return decide(
        images=[image.stored for image in images],
        used=[entry for entry in reading.used if entry.reference.repository == repository],
        idle_since={},
        now=now,
        complete=not reading.gaps,
        last_complete=None,
        pins_can_move=False,
        writer="",
    )


def _listed(detail: ImageDetailTypeDef) -> ListedImage:
    stored = StoredImage(
        digest=detail["imageDigest"],
        tags=tuple(sorted(detail.get("imageTags", []))),
        status=status_of(detail),
    )
    archived = stored.status != "ACTIVE"
    image = Image(
        digest=stored.digest,
        tags=stored.tags,
        pushed_at=detail["imagePushedAt"],
        last_pulled_at=detail.get("lastRecordedPullTime"),
        storage_class="archive" if archived else "standard",
        # Without a time the push is taken, which is earlier: then a rule acts sooner, not later.
        archived_at=detail.get("lastArchivedAt", detail["imagePushedAt"]) if archived else None,
        last_activated_at=detail.get("lastActivatedAt"),
    )
    return ListedImage(stored=stored, image=image, size=detail.get("imageSizeInBytes", 0))


def _with_children(listed: ListedImage, stored: StoredImage) -> ListedImage:
    return replace(listed, stored=stored, image=replace(listed.image, children=stored.children))
