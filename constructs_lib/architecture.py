"""The processors that Fargate runs; an image is built for the one of its service. Standard library only."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from constructs_lib.checks import invalid

Architecture: TypeAlias = Literal["arm64", "x86_64"]


def check_architecture(value: str) -> None:
    """Refuses an architecture that Fargate does not run."""
    if value not in get_args(Architecture):
        raise invalid("architecture", value, "'arm64' or 'x86_64'", "build and run the image for the same one")
