"""ECR's registry: repositories, images, tags that move or may not, storage classes.

What it does is in ECR's user guide or API reference. What no document settles, and is our assumption:

* a manifest of an archived image cannot be had (``ImageInaccessible``), and putting one restores it;
* ``DescribeImages`` by name finds an archived image too, unless ``hides_archived`` is set;
* restoring what is ACTIVE is refused;
* a manifest that ECR does not have is refused for its layers, whether or not they are still there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any

from tests.fake_aws.core import ACCOUNT, Fault, Params, page

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
RESTORING = timedelta(minutes=20)
MOST_TAGS = 1000


@dataclass(slots=True)
class Image:
    """One image as it is stored."""

    digest: str
    manifest: str
    media_type: str
    pushed_at: datetime
    tags: list[str] = field(default_factory=list)
    archived_at: datetime | None = None
    restored_at: datetime | None = None
    children: tuple[str, ...] = ()

    def status(self, now: datetime) -> str:
        """Its ``imageStatus`` at this time."""
        if self.archived_at is not None:
            return "ARCHIVED"
        restoring = self.restored_at is not None and now < self.restored_at + RESTORING
        return "ACTIVATING" if restoring else "ACTIVE"


@dataclass(slots=True)
class Repository:
    """One repository."""

    name: str
    mutability: str
    filters: tuple[str, ...]
    images: dict[str, Image] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def may_move(self, tag: str) -> bool:
        """Whether this tag is mutable."""
        excluded = any(fnmatchcase(tag, pattern) for pattern in self.filters)
        return self.mutability.startswith("MUTABLE") != (excluded and self.mutability.endswith("_WITH_EXCLUSION"))

    def put_tag(self, tag: str, image: Image) -> None:
        """Puts the tag on the image; the one that has it loses it and stays."""
        former = self.tags.get(tag)
        if former is not None:
            self.images[former].tags.remove(tag)
        image.tags.append(tag)
        self.tags[tag] = image.digest


@dataclass(frozen=True, slots=True)
class Tagging:
    """A tag that was put through the API."""

    repository: str
    tag: str
    digest: str
    former: str | None


class FakeEcr:
    """One registry.

    Attributes:
        now: the time, which a test sets.
        taggings: every tag that ``PutImage`` put on an image or moved there.
        policies: the lifecycle policy of each repository that has one, as text; nothing executes it.
        hides_archived: whether ``DescribeImages`` by name finds no image that is not ACTIVE.
    """

    name = "ecr"

    def __init__(self, *, registry: str = ACCOUNT, now: datetime = datetime(2026, 1, 5, tzinfo=UTC)) -> None:
        self.registry = registry
        self.now = now
        self.taggings: list[Tagging] = []
        self.policies: dict[str, str] = {}
        self.hides_archived = False
        self.repositories: dict[str, Repository] = {}
        self._pushed = 0

    # What a test builds.

    def repository(
        self, name: str, *, mutability: str = "IMMUTABLE_WITH_EXCLUSION", filters: Sequence[str] | None = None
    ) -> Repository:
        """A new repository; with an exclusion, of ``pin-*`` unless said otherwise."""
        excluded = mutability.endswith("_WITH_EXCLUSION")
        made = Repository(name, mutability, tuple(filters if filters is not None else ("pin-*",) if excluded else ()))
        self.repositories[name] = made
        return made

    def push(self, repository: str, tags: Iterable[str] = (), *, index_of: Sequence[str] = ()) -> str:
        """A new image, or an index of these images; its digest."""
        self._pushed += 1
        body: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX if index_of else MANIFEST}
        if index_of:
            body["manifests"] = [{"mediaType": MANIFEST, "digest": digest} for digest in index_of]
            body["annotations"] = {"number": str(self._pushed)}
        else:
            body["config"] = {"digest": f"sha256:{sha256(str(self._pushed).encode()).hexdigest()}"}
        manifest = json.dumps(body, indent=3)
        digest = f"sha256:{sha256(manifest.encode()).hexdigest()}"
        stored = Image(digest, manifest, body["mediaType"], self.now, children=tuple(index_of))
        self.repositories[repository].images[digest] = stored
        for tag in tags:
            self.repositories[repository].put_tag(tag, stored)
        return digest

    def tag(self, repository: str, tag: str, digest: str) -> None:
        """Puts a tag on an image, as another writer does."""
        self.repositories[repository].put_tag(tag, self.image(repository, digest))

    def delete(self, repository: str, digest: str) -> None:
        """Deletes an image with its tags, as a lifecycle policy does."""
        held = self.repositories[repository]
        for tag in held.images.pop(digest).tags:
            del held.tags[tag]

    def archive(self, repository: str, digest: str) -> None:
        """Archives an image."""
        self.image(repository, digest).archived_at = self.now

    def image(self, repository: str, digest: str) -> Image:
        """An image that is there."""
        return self.repositories[repository].images[digest]

    def pins(self, repository: str) -> dict[str, str]:
        """The digest of each pin."""
        tags = self.repositories[repository].tags
        return {tag: digest for tag, digest in sorted(tags.items()) if tag.startswith("pin-")}

    # What the API answers.

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of the response."""
        if operation == "DescribeRepositories":
            return self._describe_repositories(params)
        answers = {
            "DescribeImages": self._describe_images,
            "BatchGetImage": self._batch_get_image,
            "PutImage": self._put_image,
            "UpdateImageStorageClass": self._update_storage_class,
            "GetLifecyclePolicy": self._get_lifecycle_policy,
        }
        if operation not in answers:
            raise Fault("AccessDeniedException", f"the guard has no permission for {operation}")
        return answers[operation](self._find(params, params["repositoryName"]), params)

    def _find(self, params: Params, name: str) -> Repository:
        if params.get("registryId") != self.registry or name not in self.repositories:
            raise Fault("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")
        return self.repositories[name]

    def _describe_repositories(self, params: Params) -> dict[str, Any]:
        names = params["repositoryNames"]
        _at_most(names, 100, "repositoryNames")
        return {
            "repositories": [
                {
                    "repositoryName": held.name,
                    "registryId": self.registry,
                    "imageTagMutability": held.mutability,
                    **(
                        {
                            "imageTagMutabilityExclusionFilters": [
                                {"filterType": "WILDCARD", "filter": pattern} for pattern in held.filters
                            ]
                        }
                        if held.filters
                        else {}
                    ),
                }
                for held in [self._find(params, name) for name in names]
            ]
        }

    def _describe_images(self, held: Repository, params: Params) -> dict[str, Any]:
        if "imageIds" in params:
            if "maxResults" in params or "nextToken" in params:
                raise Fault("InvalidParameterException", "maxResults and nextToken do not go with imageIds")
            _at_most(params["imageIds"], 100, "imageIds")
            found = [_named(held, entry) for entry in params["imageIds"]]
            if self.hides_archived:
                found = [image if image and image.status(self.now) == "ACTIVE" else None for image in found]
            if None in found:
                raise Fault("ImageNotFoundException", "The image requested does not exist in the repository")
            unique = {image.digest: image for image in found if image is not None}
            return {"imageDetails": [self._detail(image) for image in unique.values()]}
        size = params.get("maxResults", 100)
        if not 1 <= size <= 1000:
            raise Fault("InvalidParameterException", f"maxResults {size}")
        status = params.get("filter", {}).get("imageStatus", "ACTIVE")
        listed = [image for image in held.images.values() if status in ("ANY", image.status(self.now))]
        shown, rest = page(listed, params, size=size)
        return {"imageDetails": [self._detail(image) for image in shown], **rest}

    def _detail(self, image: Image) -> dict[str, Any]:
        return {
            "registryId": self.registry,
            "imageDigest": image.digest,
            "imagePushedAt": image.pushed_at.timestamp(),
            "imageManifestMediaType": image.media_type,
            "imageStatus": image.status(self.now),
            **({"imageTags": list(image.tags)} if image.tags else {}),
        }

    def _get_lifecycle_policy(self, held: Repository, _params: Params) -> dict[str, Any]:
        if held.name not in self.policies:
            raise Fault("LifecyclePolicyNotFoundException", "Lifecycle policy does not exist")
        return {"repositoryName": held.name, "lifecyclePolicyText": self.policies[held.name]}

    def _batch_get_image(self, held: Repository, params: Params) -> dict[str, Any]:
        _at_most(params["imageIds"], 100, "imageIds")
        images, failures = [], []
        for entry in params["imageIds"]:
            image = _named(held, entry)
            code = "ImageNotFound" if image is None else "ImageInaccessible"
            if image is None or image.archived_at is not None:
                failures.append({"imageId": entry, "failureCode": code, "failureReason": "Requested image not found"})
            elif image.media_type not in params.get("acceptedMediaTypes", [image.media_type]):
                raise Fault("InvalidParameterException", f"{image.media_type} is not accepted")
            else:
                images.append(
                    {
                        "imageId": {"imageDigest": image.digest},
                        "imageManifest": image.manifest,
                        "imageManifestMediaType": image.media_type,
                    }
                )
        return {"images": images, "failures": failures}

    def _put_image(self, held: Repository, params: Params) -> dict[str, Any]:
        manifest, tag = params["imageManifest"], params["imageTag"]
        digest = f"sha256:{sha256(manifest.encode()).hexdigest()}"
        if params.get("imageDigest", digest) != digest:
            raise Fault("ImageDigestDoesNotMatchException", f"the manifest's digest is {digest}")
        image = held.images.get(digest)
        if image is None:
            raise Fault("LayersNotFoundException", f"the layers of {digest} are not there")
        if params.get("imageManifestMediaType", image.media_type) != image.media_type:
            raise Fault("InvalidParameterException", f"the media type is {image.media_type}")
        gone = [child for child in image.children if child not in held.images]
        if gone:
            raise Fault("ReferencedImagesNotFoundException", f"Images with digests {gone} do not exist")
        former = held.tags.get(tag)
        if former == digest:
            raise Fault("ImageAlreadyExistsException", f"Image with digest {digest} and tag {tag} already exists")
        if former is not None and not held.may_move(tag):
            raise Fault("ImageTagAlreadyExistsException", f"The image tag {tag} already exists and is immutable")
        if len(image.tags) >= MOST_TAGS:
            raise Fault("LimitExceededException", f"an image has at most {MOST_TAGS} tags")
        held.put_tag(tag, image)
        self._restore(image)
        self.taggings.append(Tagging(held.name, tag, digest, former))
        return {"image": {"imageId": {"imageDigest": digest, "imageTag": tag}}}

    def _update_storage_class(self, held: Repository, params: Params) -> dict[str, Any]:
        image = _named(held, params["imageId"])
        if image is None:
            raise Fault("ImageNotFoundException", "The image requested does not exist in the repository")
        if params["targetStorageClass"] != "STANDARD":
            raise Fault("AccessDeniedException", "the guard archives nothing")
        if image.archived_at is None:
            raise Fault("ImageStorageClassUpdateNotSupportedException", "the image is in this storage class")
        self._restore(image)
        return {"imageId": {"imageDigest": image.digest}, "imageStatus": image.status(self.now)}

    def _restore(self, image: Image) -> None:
        if image.archived_at is not None:
            image.archived_at, image.restored_at = None, self.now


def _named(held: Repository, entry: Params) -> Image | None:
    return held.images.get(entry.get("imageDigest") or held.tags.get(entry.get("imageTag", ""), ""))


def _at_most(items: Sequence[object], most: int, name: str) -> None:
    if not 1 <= len(items) <= most:
        raise Fault("InvalidParameterException", f"{name} has {len(items)} members; it may have {most}")
