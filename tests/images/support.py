"""Images by age, and what a policy deletes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from constructs_lib.images.lifecycle import Image, evaluate

NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)


def aged(name: str, days: float, *tags: str) -> Image:
    """An image that was pushed so many days ago; its name here stands for its digest."""
    return Image(digest=name, tags=tags, pushed_at=NOW - timedelta(days=days))


def expired(policy: Mapping[str, object] | str, images: Iterable[Image]) -> set[str]:
    """The names of the images that a policy deletes now."""
    verdicts = evaluate(policy, images, now=NOW)
    assert all(verdict.action in ("keep", "expire") for verdict in verdicts.values())
    return {name for name, verdict in verdicts.items() if verdict.action == "expire"}
