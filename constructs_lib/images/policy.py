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

    1. The shield: images with a ``pin-*`` tag are kept, whatever their age and however many builds follow.
    2. Other tagged images go ``keep_days`` days after their push.
    3. Untagged images go after as many days. They are not of less worth: the images that a multi-architecture index
       lists are untagged, and must not go before it does.

    No rule counts images, and none selects ``any``: "keep the last 10 of any" is what deleted the image that production
    ran. An age leaves a fixed time in which whatever sets the pins may fail; a count leaves as little time as builds
    are quick. A digest that is pushed again keeps the time of its first push.

    Args:
        keep_days: days since the push after which an image without a pin goes, 14 to 3650; 30 by default.

    Raises:
        ValueError: a number out of its range.
    """

    keep_days: int = 30

    def __post_init__(self) -> None:
        whole_number(
            "keep_days",
            self.keep_days,
            low=14,
            high=3650,
            fix="an image must outlive a week in which nothing sets pins; storage costs 0.10 USD per GB and month",
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
                f"Forget images without a pin after {self.keep_days} days",
                {
                    "tagStatus": "tagged",
                    "tagPatternList": ["*"],
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": self.keep_days,
                },
            ),
            _rule(
                3,
                f"Forget untagged images after {self.keep_days} days",
                {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": self.keep_days,
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
