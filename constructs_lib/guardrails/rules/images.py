"""Q3: what runs is known by its digest, and tags do not move."""

from __future__ import annotations

import re
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import TASK_DEFINITION, containers, name_of
from constructs_lib.guardrails.rules.repositories import movable
from constructs_lib.guardrails.rules.written import REPOSITORY, different, ends_open, shown, written
from constructs_lib.guardrails.templates.node import Node, NotKnown

_LATEST: Final = "latest"

_ASSETS: Final = re.compile(r"cdk-[a-z0-9_-]+-container-assets-.*")
_CONTENT_HASH: Final = re.compile(r"[0-9a-f]{64}")

_WHY: Final = (
    "ECS web application, April 2025: images had no tags of their own, latest moved with each build, and so the image "
    "that production ran could not be kept on purpose."
)
_FIX: Final = "Name the image by its digest, as repository@sha256:..., which a release sets."


def by_latest(container: Node) -> Fault | None:
    """Q3a."""
    tag = _tag(container)
    if tag is None:
        return None
    image = container.get("Image")
    if tag == "":
        return Fault(image, f"{name_of(container)} runs {_shown(image)} without a tag, which means {_LATEST}")
    if tag == _LATEST:
        return Fault(image, f"{name_of(container)} runs {_shown(image)}")
    if not different(tag, _LATEST):
        raise NotKnown(image, f"the tag of {_shown(image)} is known only when deployed")
    return None


def by_tag(container: Node) -> Fault | None:
    """Q3b. A tag that is known only when deployed is a tag all the same.

    The images that CDK builds by itself pass: they are tagged with the hash of what they are built of, in a repository
    that ``cdk bootstrap`` makes with immutable tags.
    """
    tag = _tag(container)
    image = container.get("Image")
    if tag in (None, "", _LATEST) or _is_asset(written(image) or "", tag or ""):
        return None
    return Fault(image, f"{name_of(container)} runs {_shown(image)}, by a tag and not by its digest")


def moving_tags(repository: Node) -> Fault | None:
    """Q3c. https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html"""
    mutability = repository.get("Properties", "ImageTagMutability")
    value = mutability.text()
    if movable(mutability):
        return Fault(mutability, f"tags of the repository can move: ImageTagMutability is {value or 'absent'}")
    if value == "IMMUTABLE_WITH_EXCLUSION":
        filters = repository.get("Properties", "ImageTagMutabilityExclusionFilters").items()
        for one in filters:
            text = written(one.get("ImageTagMutabilityExclusionFilterValue"))
            if text and not text.strip("*"):
                return Fault(one, "tags of the repository can move: an exclusion filter lets all of them")
    return None


def _tag(container: Node) -> str | None:
    """The tag of a container's image, perhaps with marks; empty without tag, and None with a digest or without image.

    Raises:
        NotKnown: what is unknown of the image may hold a tag.
    """
    image = container.get("Image")
    text = written(image)
    if not text or "@" in text:
        return None
    name, colon, tag = text.rpartition("/")[2].partition(":")
    if not colon and ends_open(name):
        raise NotKnown(image, f"{'the image' if text == name else _shown(image)} is known only when deployed")
    return tag


def _is_asset(image: str, tag: str) -> bool:
    """Whether CDK built it: https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html"""
    registry, _, name = image.partition("/")
    return ".dkr.ecr." in registry and bool(_ASSETS.match(name) and _CONTENT_HASH.fullmatch(tag))


def _shown(image: Node) -> str:
    return shown(written(image) or "")


RULES: Final = (
    Rule(
        id="MOOR-Q3a",
        severity="error",
        types=(TASK_DEFINITION,),
        title="no container runs latest",
        why=_WHY,
        fix=_FIX,
        subjects=containers,
        judge=by_latest,
    ),
    Rule(
        id="MOOR-Q3b",
        severity="warning",
        types=(TASK_DEFINITION,),
        title="every container's image is named by its digest",
        why=_WHY,
        fix=_FIX,
        subjects=containers,
        judge=by_tag,
    ),
    Rule(
        id="MOOR-Q3c",
        severity="warning",
        types=(REPOSITORY,),
        title="tags of a repository do not move",
        why=_WHY,
        fix="Set ImageTagMutability to IMMUTABLE, or to IMMUTABLE_WITH_EXCLUSION with a filter for pins (pin-*), and "
        "give each build a tag of its own.",
        judge=moving_tags,
    ),
)
