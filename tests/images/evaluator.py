"""ECR's lifecycle evaluation, written from its user guide, to replay what a policy would delete.

All rules are judged against all images; then, by priority, a rule acts on the images over its count or age that no
rule of a higher priority has selected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Image:
    """An image: its name here, its age in days, and its tags."""

    name: str
    age: float
    tags: tuple[str, ...] = ()


def expired(rules: Iterable[Mapping[str, Any]], images: Sequence[Image]) -> set[str]:
    """The names of the images that a lifecycle policy deletes."""
    selected: set[str] = set()
    gone: set[str] = set()
    for rule in sorted(rules, key=lambda rule: int(rule["rulePriority"])):
        assert rule["action"] == {"type": "expire"}
        of_rule = [image for image in images if _selects(rule["selection"], image)]
        gone |= {image.name for image in _over(rule["selection"], of_rule)} - selected
        selected |= {image.name for image in of_rule}
    return gone


def _selects(selection: Mapping[str, Any], image: Image) -> bool:
    status = selection["tagStatus"]
    if status == "any":
        return True
    if status == "untagged":
        return not image.tags
    if "tagPrefixList" in selection:
        return all(any(tag.startswith(prefix) for tag in image.tags) for prefix in selection["tagPrefixList"])
    patterns = [re.compile(".*".join(map(re.escape, text.split("*")))) for text in selection["tagPatternList"]]
    return all(any(pattern.fullmatch(tag) for tag in image.tags) for pattern in patterns)


def _over(selection: Mapping[str, Any], images: list[Image]) -> list[Image]:
    number = selection["countNumber"]
    if selection["countType"] == "imageCountMoreThan":
        return sorted(images, key=lambda image: image.age)[number:]
    assert (selection["countType"], selection["countUnit"]) == ("sinceImagePushed", "days")
    return [image for image in images if image.age > number]
