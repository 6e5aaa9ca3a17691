"""A hazard of a lifecycle policy in words (lesson Q2). Standard library only."""

from __future__ import annotations

from constructs_lib.images.lifecycle import Hazard


def example(hazard: Hazard) -> str:
    """The smallest example in words: the images are a number, however many they are."""
    in_use, *others = hazard.images
    index = [image for image in others if in_use.digest in image.children]
    newer = len(others) - len(index)
    days = (hazard.now - in_use.pushed_at).days
    words = ["an untagged child of an index in use" if index else "an image in use"]
    words[0] += f" tagged {', '.join(in_use.tags)}" if in_use.tags else "" if index else " without tags"
    if in_use.storage_class == "archive":
        words.append("archived")
    if index:
        words.append("then its index")
    if newer:
        words.append(f"then {newer} newer one{'' if newer == 1 else 's'}")
    elif days:
        words.append(f"a little more than {days} day{'' if days == 1 else 's'} later")
    return ", ".join(words)
