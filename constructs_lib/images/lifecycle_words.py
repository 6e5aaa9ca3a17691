"""A hazard of a lifecycle policy in words (lesson Q2). Standard library only."""

from __future__ import annotations

from constructs_lib.images.lifecycle import Hazard
from constructs_lib.images.lifecycle_policy import TagPattern
from constructs_lib.naming import PIN_PATTERN


def example(hazard: Hazard, *, pins: bool = True) -> str:
    """The smallest example in words: the images are a number, however many they are.

    Args:
        hazard: what the policy can do.
        pins: whether to speak of pins, which mean nothing to who has none.
    """
    in_use, *others = hazard.images
    index = [image for image in others if in_use.digest in image.children]
    newer = len(others) - len(index)
    days = (hazard.now - in_use.pushed_at).days
    words = ["an untagged child of an index in use" if index else "an image in use"]
    pin = TagPattern.glob(PIN_PATTERN)
    tags = [tag for tag in in_use.tags if pins or not pin.matches(tag)]
    words[0] += f" tagged {', '.join(tags)}" if tags else "" if index or in_use.tags else " without tags"
    if in_use.storage_class == "archive":
        words.append("archived")
    if index:
        words.append("then its index")
    if newer:
        words.append(f"then {newer} newer one{'' if newer == 1 else 's'}")
    elif days:
        words.append(f"a little more than {days} day{'' if days == 1 else 's'} later")
    return ", ".join(words)
