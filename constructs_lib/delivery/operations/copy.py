"""Copies one image between two repositories of ECR, byte for byte, with ECR's own calls (lessons Q1, Q3).

It asks neither Docker nor any other registry, and it can be ended anywhere: what the target has already is skipped, so
the next run finishes. Everything is compared with its digest before it is put, and the image is read back after.

Layers go first, those of all children of an index too. The children of an index have no tag, so a lifecycle rule for
``untagged`` could take them, until their index is in use and the guard pins them with it: they are put when all layers
are there, one after the other, and their index straight after them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from constructs_lib.checks import digest as checked_digest
from constructs_lib.checks import invalid
from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.operations.download import Open, open_address
from constructs_lib.delivery.operations.layer_copy import CopiedLayers, copy_layers
from constructs_lib.delivery.operations.manifest import ACCEPTED, INDEXES, Manifest, read
from constructs_lib.delivery.operations.outcomes import Refused
from constructs_lib.delivery.operations.registry import (
    RepositoryAccess,
    StoredImage,
    asking,
    restore_first,
    stored,
)

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import BatchGetImageResponseTypeDef

_BATCH: Final = 100
"""The most images that BatchGetImage takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy did (lesson Q1).

    Args:
        digest: the image, the same in both repositories.
        tags: those that were put.
        manifests: how many manifests were put that were not there, children of an index among them.
        layers_copied: how many layers were copied.
        layers_present: how many were there already; none is counted when all manifests were there.
        bytes: how many bytes of layers were copied.
    """

    digest: str
    tags: tuple[str, ...] = ()
    manifests: int = 0
    layers_copied: int = 0
    layers_present: int = 0
    bytes: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.tags or self.manifests or self.layers_copied)


def copy_image(
    source: RepositoryAccess,
    target: RepositoryAccess,
    *,
    digest: str,
    tags: Sequence[str],
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
    open_address: Open = open_address,
) -> Copied:
    """Copies an image and its tags; what is there already is left as it is.

    ``say`` takes one line of progress. ``tags`` must hold at least one: an image without a tag soon expires.

    Raises:
        Refused: a tag is on another image.
        CouldNotRun: the image is missing or archived, ECR refused, or a download did not come through.
    """
    checked_digest("digest", digest)
    if not tags:
        raise invalid("tags", tags, "at least one tag", "an image without a tag soon expires; give its build tag")
    there = stored(target, {"imageDigest": digest})
    if there is not None and there.status == "ARCHIVED":
        raise CouldNotRun(restore_first(target, digest))
    new_tags = tuple(tag for tag in dict.fromkeys(tags) if there is None or tag not in there.tags)
    if there is not None and not new_tags and there.media_type not in INDEXES:
        return Copied(digest=digest)
    for tag in new_tags:
        _must_be_free(target, tag, digest)
    return _copy(source, target, digest, there, new_tags, say, sleep, open_address)


def _copy(
    source: RepositoryAccess,
    target: RepositoryAccess,
    digest: str,
    there: StoredImage | None,
    new_tags: tuple[str, ...],
    say: Callable[[str], None],
    sleep: Callable[[float], None],
    open_address: Open,
) -> Copied:
    *children, root = manifests = _tree(source, digest)
    present = _present(target, [child.digest for child in children]) | ({digest} if there is not None else set())
    new = [manifest for manifest in manifests if manifest.digest not in present]
    layers = CopiedLayers()
    blobs = {blob.digest: blob for manifest in new for blob in manifest.blobs}
    if blobs:
        layers = copy_layers(source, target, list(blobs.values()), say=say, sleep=sleep, open_address=open_address)
    for manifest in new[: len(new) - (there is None)]:
        say(f"image {manifest.digest} of the index")
        _put(target, manifest, None)
    for tag in new_tags:
        say(f"{tag}: {digest}")
        _put(target, root, tag)
    if new or new_tags:
        _read_back(target, [manifest.digest for manifest in new], digest, new_tags)
    return Copied(
        digest=digest,
        tags=new_tags,
        manifests=len(new),
        layers_copied=layers.copied,
        layers_present=layers.present,
        bytes=layers.bytes,
    )


def _must_be_free(target: RepositoryAccess, tag: str, digest: str) -> None:
    """Where tags may move, putting one would take it from another image."""
    holder = stored(target, {"imageTag": tag})
    if holder is not None and holder.digest != digest:
        raise Refused(_taken(target, tag, f"{holder.digest}, not {digest}"))


def _taken(target: RepositoryAccess, tag: str, where: str) -> str:
    return (
        f"the tag {tag} in {target} is on {where}, and build tags do not move; nothing was put under it: find out who"
        " wrote it, and build the image again for a tag of its own"
    )


def _tree(source: RepositoryAccess, digest: str) -> list[Manifest]:
    """The image, and before it what it names: children stand before their index."""
    found, wanted = dict[str, Manifest](), [digest]
    while wanted:
        level = _manifests(source, wanted, of=None if not found else digest)
        found |= {manifest.digest: manifest for manifest in level}
        wanted = list(dict.fromkeys(child for one in level for child in one.children if child not in found))
    return _children_first(found, digest)


def _children_first(found: dict[str, Manifest], digest: str) -> list[Manifest]:
    ordered = dict[str, Manifest]()

    def visit(one: Manifest) -> None:
        for child in one.children:
            if child not in ordered:
                visit(found[child])
        ordered[one.digest] = one

    visit(found[digest])
    return list(ordered.values())


def _manifests(source: RepositoryAccess, digests: Sequence[str], of: str | None) -> list[Manifest]:
    found = []
    for start in range(0, len(digests), _BATCH):
        answer = _get(source, digests[start : start + _BATCH])
        for failure in answer["failures"]:
            name = failure.get("imageId", {}).get("imageDigest", "")
            raise CouldNotRun(_unreadable(source, name, failure.get("failureCode", "Unknown"), of))
        for image in answer["images"]:
            name = image["imageId"]["imageDigest"]
            try:
                found.append(read(image["imageManifest"], image.get("imageManifestMediaType", ""), name))
            except ValueError as error:
                raise CouldNotRun(f"{name} of {source} cannot be copied: {error}") from error
    missing = set(digests) - {manifest.digest for manifest in found}
    for name in sorted(missing):
        raise CouldNotRun(_unreadable(source, name, "ImageNotFound", of))
    return found


def _unreadable(source: RepositoryAccess, digest: str, failure: str, of: str | None) -> str:
    if failure == "ImageInaccessible":
        return restore_first(source, digest)
    if failure != "ImageNotFound":
        return f"{digest} of {source} cannot be read: {failure}; look at the repository's encryption key and upstream"
    if of is not None:
        return (
            f"the index {of} names {digest}, which is not in {source} any more, so nothing was put; build the image"
            " again, as a single manifest, whose parts cannot expire before it"
        )
    return f"{digest} is not in {source}: it has expired, or was never there; name another, or build it again"


def _present(target: RepositoryAccess, digests: Sequence[str]) -> set[str]:
    """Which of these images the target has."""
    found = set[str]()
    for start in range(0, len(digests), _BATCH):
        answer = _get(target, digests[start : start + _BATCH])
        found |= {image["imageId"]["imageDigest"] for image in answer["images"]}
        for failure in answer["failures"]:
            if failure.get("failureCode") != "ImageNotFound":
                name = failure.get("imageId", {}).get("imageDigest", "")
                raise CouldNotRun(_unreadable(target, name, failure.get("failureCode", "Unknown"), None))
    return found


def _get(where: RepositoryAccess, digests: Sequence[str]) -> BatchGetImageResponseTypeDef:
    with asking(where):
        return where.ecr.batch_get_image(
            registryId=where.registry,
            repositoryName=where.name,
            imageIds=[{"imageDigest": digest} for digest in digests],
            acceptedMediaTypes=list(ACCEPTED),
        )


def _put(target: RepositoryAccess, manifest: Manifest, tag: str | None) -> None:
    exceptions = target.ecr.exceptions
    with asking(target):
        try:
            answer = target.ecr.put_image(
                registryId=target.registry,
                repositoryName=target.name,
                imageManifest=manifest.text,
                imageManifestMediaType=manifest.media_type,
                imageDigest=manifest.digest,
                **({"imageTag": tag} if tag is not None else {}),
            )
        except exceptions.ImageAlreadyExistsException:  # another copy was faster, or an answer was lost
            return
        except exceptions.ImageTagAlreadyExistsException as error:
            raise Refused(_taken(target, tag or "", f"another image, not {manifest.digest}")) from error
        except (exceptions.LayersNotFoundException, exceptions.ReferencedImagesNotFoundException) as error:
            raise CouldNotRun(
                f"what {manifest.digest} consists of has gone from {target} while it was copied; run this again"
            ) from error
    got = answer["image"]["imageId"].get("imageDigest")
    if got != manifest.digest:
        raise CouldNotRun(f"{target} stored {manifest.digest} as {got}; promote nothing until it is known why")


def _read_back(target: RepositoryAccess, new: Sequence[str], digest: str, tags: Sequence[str]) -> None:
    """Whether everything is there that was put."""
    children = [name for name in new if name != digest]
    for name in sorted(set(children) - _present(target, children)):
        raise CouldNotRun(f"{name} was put into {target}, and is not there; run this again")
    image = stored(target, {"imageDigest": digest})
    if image is None or image.status == "ARCHIVED" or not set(tags) <= set(image.tags):
        seen = "nothing" if image is None else f"{image.status} with the tags {', '.join(image.tags)}"
        raise CouldNotRun(
            f"{digest} was put into {target} with {', '.join(tags)}, and read back was {seen}; run this again"
        )
