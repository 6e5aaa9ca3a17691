"""What both sides of the comparison with the features of lessons W1, T2 and T3 are told: images and a configuration."""

from __future__ import annotations

from typing import Final

_REGISTRY: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
"""A registry of one's own, as the docs advise: so the execution roles need a permission to pull."""

CLOUDWATCH_AGENT: Final = f"{_REGISTRY}/cloudwatch-agent@sha256:{'a' * 64}"
APPCONFIG_AGENT: Final = f"{_REGISTRY}/aws-appconfig-agent@sha256:{'b' * 64}"
SCHEMA: Final = '{"type": "object", "required": ["limit"]}'
CONTENT: Final = '{"limit": 5}'
