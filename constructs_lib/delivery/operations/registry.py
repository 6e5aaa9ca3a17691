"""A repository as the copy reaches it, and ECR's refusals as sentences that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.image_names import NamedImage
from constructs_lib.delivery.operations.errors import code, failures, why

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient
    from types_boto3_ecr.type_defs import ImageIdentifierTypeDef

_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})

_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryAccess:
    """A repository, and the client that reaches it (lesson Q1).

    Args:
        ecr: a client in the repository's region, with credentials that may use it.
        registry: the account that owns it, 12 digits.
        name: its name.
    """

    ecr: ECRClient
    registry: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} in {self.registry}, {self.ecr.meta.region_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """What ECR says of an image (lesson Q4).

    Args:
        digest: its digest.
        tags: its tags.
        status: ``ACTIVE``, ``ARCHIVED`` or ``ACTIVATING``.
        media_type: of its manifest.
    """

    digest: str
    tags: tuple[str, ...]
    status: str
    media_type: str


def stored(where: RepositoryAccess, name: ImageIdentifierTypeDef) -> StoredImage | None:
    """The image of this digest or tag; None when there is none.

    Raises:
        CouldNotRun: ECR could not be asked.
    """
    with asking(where):
        try:
            answer = where.ecr.describe_images(registryId=where.registry, repositoryName=where.name, imageIds=[name])
        except where.ecr.exceptions.ImageNotFoundException:
            return None
    detail = next(iter(answer["imageDetails"]), None)
    if detail is None:
        return None
    return StoredImage(
        digest=detail["imageDigest"],
        tags=tuple(detail.get("imageTags", ())),
        status=detail.get("imageStatus", "ACTIVE"),
        media_type=detail.get("imageManifestMediaType", ""),
    )


def named_images(where: RepositoryAccess) -> list[NamedImage]:
    """Every image with its tags, archived ones too: whether it can be pulled is another question.

    Raises:
        CouldNotRun: ECR could not be asked.
    """
    with asking(where):
        pages = where.ecr.get_paginator("describe_images").paginate(
            registryId=where.registry,
            repositoryName=where.name,
            filter={"imageStatus": "ANY"},
            PaginationConfig={"PageSize": 1000},
        )
        return [
            NamedImage(digest=one["imageDigest"], tags=tuple(one.get("imageTags", ())))
            for page in pages
            for one in page["imageDetails"]
        ]


def restore_first(where: RepositoryAccess, digest: str) -> str:
    """The sentence for an archived image."""
    return (
        f"{digest} is archived in {where} and cannot be pulled; restore it with `aws ecr update-image-storage-class"
        f" --repository-name {where.name} --image-id imageDigest={digest} --target-storage-class STANDARD`,"
        " which takes about 20 minutes, and run this again"
    )


@contextmanager
def asking(where: RepositoryAccess) -> Iterator[None]:
    """Turns what ECR refuses into one sentence.

    Raises:
        CouldNotRun: it refused, or could not be reached.
    """
    with explained(str(where)):
        yield


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turns what AWS refuses into one sentence, which names ``where``.

    Raises:
        CouldNotRun: it refused, or could not be reached.
    """
    try:
        yield
    except failures() as error:
        raise CouldNotRun(_sentence(error, where)) from error


def _sentence(error: Exception, where: str) -> str:
    name = code(error)
    if name in _EXPIRED:
        return f"the session that reaches {where} has expired; run this again: it goes on after what is copied already"
    if name in _DENIED:
        return (
            f"the credentials may not reach {where}; allow the call to their role, and across accounts to the role that"
            f" they assume ({why(error)})"
        )
    if name == "RepositoryNotFoundException":
        return f"there is no repository {where}; deploy the images' stack of its environment first"
    return f"AWS could not be asked about {where}: {why(error)}"
