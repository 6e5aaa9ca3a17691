"""What both sides are told of the features that a service may have: images of agents, and a configuration."""

from __future__ import annotations

from typing import Final

AGENTS_ACCOUNT: Final = "111122223333"
"""Whose registry has the agents: one's own, as the docs advise, so each execution role needs a permission to pull."""

CLOUDWATCH_AGENT: Final = "cloudwatch-agent"
APPCONFIG_AGENT: Final = "aws-appconfig-agent"
AGENT_DIGEST: Final = f"sha256:{'a' * 64}"
SCHEMA: Final = '{"type": "object", "required": ["limit"]}'
CONTENT: Final = '{"limit": 5}'


def agent_image(repository: str) -> str:
    """The image of an agent, by digest."""
    return f"{AGENTS_ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{repository}@{AGENT_DIGEST}"
