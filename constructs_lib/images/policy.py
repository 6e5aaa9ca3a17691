"""What a repository keeps, as a value (lessons Q2, Q3). Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from constructs_lib.checks import whole_number
from constructs_lib.naming import PIN_PATTERN

Rule: TypeAlias = Mapping[str, object]

_SHIELD_COUNT: Final = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """Which images a repository may forget (lesson Q2).

    Three rules, in this order. An image that the first selects cannot be acted on by a later one; that is how ECR
    evaluates priorities (https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html).

    1. The shield: images with a ``pin-*`` tag are kept, however many builds follow.
    2. The last ``keep_builds`` tagged images are kept, by push time. Pinned images count too, but cannot go.
    3. Untagged images go after ``untagged_days`` days.

    No rule selects ``any``: "keep the last 10 of any" is what deleted the image that production ran.

    Args:
        keep_builds: how many tagged images are kept, 10 to 9999; 30 by default.
        untagged_days: days since the push after which an untagged image goes, 7 to 3650; 14 by default.

    Raises:
        ValueError: a number out of its range.
    """

    keep_builds: int = 30
    untagged_days: int = 14

    def __post_init__(self) -> None:
        whole_number(
            "keep_builds",
            self.keep_builds,
            low=10,
            high=_SHIELD_COUNT,
            fix="an image that is released late must still be there; storage costs about 0.10 USD per GB and month",
        )
        whole_number(
            "untagged_days",
            self.untagged_days,
            low=7,
            high=3650,
            fix="a week leaves time to notice that a tag was lost",
        )

    def rules(self) -> tuple[Rule, ...]:
        """The rules as ECR's lifecycle policy has them, highest priority first."""
        return (
            _rule(
                1,
                "Shield: an image with a pin is in use and is never expired (lesson Q2)",
                {
                    "tagStatus": "tagged",
                    "tagPatternList": [PIN_PATTERN],
                    "countType": "imageCountMoreThan",
                    "countNumber": _SHIELD_COUNT,
                },
            ),
            _rule(
                2,
                f"Keep the last {self.keep_builds} tagged images",
                {
                    "tagStatus": "tagged",
                    "tagPatternList": ["*"],
                    "countType": "imageCountMoreThan",
                    "countNumber": self.keep_builds,
                },
            ),
            _rule(
                3,
                f"Forget untagged images after {self.untagged_days} days",
                {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": self.untagged_days,
                },
            ),
        )

    def text(self) -> str:
        """The lifecycle policy as the JSON text that ECR takes."""
        return json.dumps({"rules": self.rules()}, separators=(",", ":"))


def _rule(priority: int, description: str, selection: Rule) -> Rule:
    return {
        "rulePriority": priority,
        "description": description,
        "selection": selection,
        "action": {"type": "expire"},
    }
