"""Where the image of a sidecar is, and who may pull it."""

from __future__ import annotations

import pytest

from constructs_lib.private_images import private_repository

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}", None),
        (f"amazon/cloudwatch-agent@{DIGEST}", None),
        (
            f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/agents/cloudwatch@{DIGEST}",
            ("111122223333", "eu-west-1", "agents/cloudwatch"),
        ),
        (
            f"111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/cloudwatch:1.2@{DIGEST}",
            ("111122223333", "cn-north-1", "cloudwatch"),
        ),
        (f"111122223333.dkr-ecr.eu-west-1.on.aws/cloudwatch@{DIGEST}", ("111122223333", "eu-west-1", "cloudwatch")),
        (
            f"111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/cloudwatch@{DIGEST}",
            ("111122223333", "us-east-1", "cloudwatch"),
        ),
        (f"11112222333.dkr.ecr.eu-west-1.amazonaws.com/cloudwatch@{DIGEST}", None),
        (f"example.com/111122223333.dkr.ecr.eu-west-1.amazonaws.com/cloudwatch@{DIGEST}", None),
    ],
)
def test_a_private_repository_is_recognised(image: str, found: tuple[str, str, str] | None) -> None:
    """Whoever pulls from it needs a permission, and a task that cannot pull a sidecar does not start (Q4)."""
    assert private_repository(image) == found
