"""Whether a lifecycle policy spares images with a pin (lesson Q2). Standard library only.

A pin is worth nothing where no rule respects it: the policy of incident Q expires pinned images as gladly as others.
The function is shipped without the evaluator of ``constructs_lib.images.lifecycle``, so this is a shorter and stricter
test; what passes it is safe by ``endangers`` too, which a test holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from .pins import PIN_PREFIX, covers_all_pins

MOST_PINNED: Final = 1000
"""A rule that selects pins only and keeps as many never acts on one; more images are not pinned at a time."""

MOST_IMAGES: Final = 100_000
"""A rule that selects other images too must keep as many as a repository can have
(https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html)."""


def spares_pins(policy: str) -> bool:
    """Whether the policy's text can never take an image with a pin of the guard.

    Of the rules on stored images that a tagged image can meet, the first must select all pins of the guard and keep
    more than there can be: no later rule can act on what it selects.
    """
    try:
        rules = sorted(json.loads(policy)["rules"], key=lambda rule: int(rule["rulePriority"]))
        selections = [rule["selection"] for rule in rules]
        met = [one for one in selections if one["tagStatus"] != "untagged" and _of_stored_images(one)]
        return not met or _is_shield(met[0])
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _of_stored_images(selection: Mapping[str, object]) -> bool:
    """An image in use that is archived is restored and told of; the rules on the archive are not looked at."""
    return selection.get("storageClass", "standard") != "archive"


def _is_shield(selection: Mapping[str, object]) -> bool:
    prefixes, patterns = selection.get("tagPrefixList"), selection.get("tagPatternList")
    texts = [f"{text}*" for text in prefixes] if isinstance(prefixes, list) else patterns
    number = selection.get("countNumber")
    return (
        selection["tagStatus"] == "tagged"
        and isinstance(texts, list)
        and len(texts) == 1
        and covers_all_pins(texts[0])
        and selection["countType"] == "imageCountMoreThan"
        and isinstance(number, int)
        and number >= (MOST_PINNED if texts[0].startswith(PIN_PREFIX) else MOST_IMAGES)
    )
