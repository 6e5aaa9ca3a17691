"""A second, deliberately naive lifecycle evaluator, to hold the first against. It shares no code with it.

It plays ECR step by step: each rule marks what it would take, on its own; then the rules claim images in turn.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from constructs_lib.images.lifecycle import Image


def fits(pattern: str, tag: str) -> bool:
    """Whether a ``*`` pattern matches a tag, letter by letter."""
    if pattern == "":
        return tag == ""
    if pattern[0] == "*":
        return fits(pattern[1:], tag) or (tag != "" and fits(pattern, tag[1:]))
    return tag != "" and tag[0] == pattern[0] and fits(pattern[1:], tag[1:])


def chosen(selection: dict[str, Any], image: Image) -> bool:
    """Whether a rule's selection takes in an image."""
    if image.storage_class != selection.get("storageClass", "standard"):
        return False
    if selection["tagStatus"] == "any":
        return True
    if selection["tagStatus"] == "untagged":
        return len(image.tags) == 0
    missing = [
        prefix
        for prefix in selection.get("tagPrefixList", [])
        if not [tag for tag in image.tags if tag[: len(prefix)] == prefix]
    ]
    missing += [
        pattern
        for pattern in selection.get("tagPatternList", [])
        if not [tag for tag in image.tags if fits(pattern, tag)]
    ]
    return not missing


def marked(selection: dict[str, Any], image: Image, images: list[Image], now: datetime) -> bool:
    """Whether a rule, alone, would take an image."""
    if not chosen(selection, image):
        return False
    number = selection["countNumber"]
    if selection["countType"] == "imageCountMoreThan":

        def place(other: Image) -> tuple[datetime, str]:
            return (other.pushed_at if other.last_activated_at is None else other.last_activated_at, other.digest)

        younger = [other for other in images if chosen(selection, other) and place(other) > place(image)]
        return len(younger) >= int(number)
    since = image.pushed_at
    if selection["countType"] == "sinceImageTransitioned":
        since = image.archived_at or now
    if selection["countType"] == "sinceImagePulled":
        if image.last_activated_at is not None:
            since = image.last_activated_at
            if image.last_pulled_at is not None and image.last_pulled_at >= since:
                since = image.last_pulled_at
        elif image.last_pulled_at is not None:
            since = image.last_pulled_at
    days: float = (now - since) / timedelta(days=1)
    return days > int(number)


def outcomes(policy: dict[str, Any], images: list[Image], now: datetime) -> dict[str, tuple[str, int | None]]:
    """For each digest, what happens to it and which rule decided."""
    rules = list(policy["rules"])
    marks = {
        (rule["rulePriority"], image.digest): marked(rule["selection"], image, images, now)
        for rule in rules
        for image in images
    }
    result: dict[str, tuple[str, int | None]] = {image.digest: ("keep", None) for image in images}
    free = list(images)
    while rules:
        rule = min(rules, key=lambda candidate: int(candidate["rulePriority"]))
        rules.remove(rule)
        for image in [image for image in free if chosen(rule["selection"], image)]:
            free.remove(image)
            verb = "keep"
            if marks[rule["rulePriority"], image.digest]:
                verb = {"expire": "expire", "transition": "archive"}[rule["action"]["type"]]
            result[image.digest] = (verb, rule["rulePriority"])
    return result
