"""What the environment's own repository knows of an image. Reads only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from constructs_lib.delivery.build_tags import BuildTag, build_tag_of
from constructs_lib.delivery.operations.errors import code, failures, why
from constructs_lib.delivery.operations.manifest import ACCEPTED, INDEXES
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.readiness import Image, ImageStatus, Scan
from constructs_lib.delivery.settings import DeliverySettings

if TYPE_CHECKING:
    from types_boto3_ecr.type_defs import ImageDetailTypeDef, ImageTypeDef

_STATUSES: Final[Mapping[str, ImageStatus]] = {"ACTIVE": "ACTIVE", "ARCHIVED": "ARCHIVED", "ACTIVATING": "ACTIVATING"}


def newest_build(world: World, settings: DeliverySettings) -> str | None:
    """Digest of the ACTIVE image with the newest build tag, of whichever environment; ``None`` when there is none."""
    pages = world.clients.ecr.get_paginator("describe_images").paginate(
        registryId=settings.account,
        repositoryName=settings.repository,
        filter={"imageStatus": "ACTIVE"},
        PaginationConfig={"PageSize": 1000},
    )
    newest: tuple[BuildTag, str] | None = None
    for page in pages:
        for detail in page["imageDetails"]:
            tag = build_tag_of(detail.get("imageTags", ()))
            if tag is not None and (newest is None or (tag.at, tag.text) > (newest[0].at, newest[0].text)):
                newest = (tag, detail["imageDigest"])
    return newest[1] if newest else None


def image_of(world: World, settings: DeliverySettings, digest: str) -> Image:
    """The image with its platforms, and its scan when the settings have a threshold."""
    image = described(world, settings, digest)
    if image.status != "ACTIVE":
        return image
    unreadable: tuple[type[Exception], ...] = (*failures(), OSError, ValueError, KeyError, TypeError, AttributeError)
    try:
        image = replace(image, platforms=_platforms(world, settings, digest))
    except unreadable as error:
        # Whatever the reason, what cannot be read is not released; an address with its signature is in none of them.
        image = replace(image, unreadable=why(error))
    return replace(image, scan=_scan(world, settings, digest)) if settings.scan_threshold else image


def described(world: World, settings: DeliverySettings, digest: str) -> Image:
    """The image as ECR lists it."""
    try:
        answer = world.clients.ecr.describe_images(
            registryId=settings.account, repositoryName=settings.repository, imageIds=[{"imageDigest": digest}]
        )
    except world.clients.ecr.exceptions.ImageNotFoundException:
        return Image(digest=digest, status="missing")
    detail: ImageDetailTypeDef = answer["imageDetails"][0]
    status = _STATUSES.get(detail.get("imageStatus", "ACTIVE"), "ACTIVATING")
    return Image(digest=digest, status=status, tags=tuple(detail.get("imageTags", ())))


def _platforms(world: World, settings: DeliverySettings, digest: str) -> tuple[str, ...]:
    found = _manifests(world, settings, [digest]).get(digest)
    if found is None:
        raise ValueError("its manifest is not there")
    manifest = json.loads(found["imageManifest"])
    if found.get("imageManifestMediaType", manifest.get("mediaType", "")) not in INDEXES:
        return (_of_config(world, settings, manifest["config"]["digest"]),)
    children = {
        child["digest"]: f"{child['platform']['os']}/{child['platform']['architecture']}"
        for child in manifest["manifests"]
        if "platform" in child
    }
    there = _manifests(world, settings, list(children)) if children else {}
    return tuple(sorted({platform for child, platform in children.items() if child in there}))


def _manifests(world: World, settings: DeliverySettings, digests: Sequence[str]) -> dict[str, ImageTypeDef]:
    answer = world.clients.ecr.batch_get_image(
        registryId=settings.account,
        repositoryName=settings.repository,
        imageIds=[{"imageDigest": digest} for digest in digests[:100]],
        acceptedMediaTypes=list(ACCEPTED),
    )
    return {one["imageId"]["imageDigest"]: one for one in answer["images"]}


def _of_config(world: World, settings: DeliverySettings, digest: str) -> str:
    answer = world.clients.ecr.get_download_url_for_layer(
        registryId=settings.account, repositoryName=settings.repository, layerDigest=digest
    )
    config = json.loads(world.fetch(answer["downloadUrl"]))
    return f"{config['os']}/{config['architecture']}"


def _scan(world: World, settings: DeliverySettings, digest: str) -> Scan:
    """Asked for by its own call: DescribeImages does not tell what newer scans found.

    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html
    """
    try:
        answer = world.clients.ecr.describe_image_scan_findings(
            registryId=settings.account,
            repositoryName=settings.repository,
            imageId={"imageDigest": digest},
            maxResults=1,
        )
    except failures() as error:
        return Scan(status="none" if code(error) == "ScanNotFoundException" else why(error), counts={})
    findings = answer.get("imageScanFindings", {})
    status = answer.get("imageScanStatus", {}).get("status", "none")
    return Scan(
        status=status, counts={str(key): count for key, count in findings.get("findingSeverityCounts", {}).items()}
    )
