"""What a good configuration is, and what its copy looks like: pure functions. Standard library only.

What they keep: *a copy holds what AppConfig had deployed to the end and did not take back, and says since when nobody
has confirmed that.*
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

COMPLETE: Final = "COMPLETE"
"""The only state of a deployment that was watched to its end, and not taken back
(https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_DeploymentSummary.html). A deployment that was
reverted after it was complete says ``REVERTED``, and the one before it is in force again."""

_TOLERATED: Final = timedelta(minutes=5)
"""Clocks differ a little; a copy that was confirmed later than that is none of ours."""


class UnreadableError(Exception):
    """What was read is no configuration, or no copy of one (lesson T2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment of an environment (lesson T2).

    Args:
        number: AppConfig's sequence number.
        state: AppConfig's state.
        version: the version of the configuration.
        due_at: when it is to be complete, if that is known.
    """

    number: int
    state: str
    version: str
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The last good copy (lesson T2).

    Args:
        version: AppConfig's version of the configuration.
        confirmed_at: when AppConfig was last seen to have it in force.
        content: the configuration.
    """

    version: str
    confirmed_at: datetime
    content: Mapping[str, object]

    def to_json(self) -> bytes:
        """The text that stands in S3."""
        at = self.confirmed_at.isoformat(timespec="seconds")
        found = {"version": self.version, "confirmed_at": at, "content": dict(self.content)}
        return json.dumps(found, allow_nan=False).encode()

    @classmethod
    def from_json(cls, text: bytes, now: datetime) -> Copy:
        """A copy as it was written.

        Raises:
            UnreadableError: it is none, or of a time to come: it would never grow old.
        """
        found = content_of(text)
        version, at, content = found.get("version"), found.get("confirmed_at"), found.get("content")
        if not (isinstance(version, str) and isinstance(at, str) and isinstance(content, dict)):
            raise UnreadableError("the object is no copy of a configuration")
        try:
            confirmed_at = datetime.fromisoformat(at)
        except ValueError as error:
            raise UnreadableError(f"{at[:40]!r} is no time") from error
        if confirmed_at.tzinfo is None or confirmed_at > now + _TOLERATED:
            raise UnreadableError(f"{at[:40]!r} is no time that has come")
        return cls(version=version, confirmed_at=confirmed_at, content=content)


def content_of(text: bytes) -> dict[str, object]:
    """A configuration's text as the JSON object that it must be.

    Raises:
        UnreadableError: it is none.
    """
    try:
        found = json.loads(text.decode(), parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"it is no JSON: {' '.join(str(error).split())[:120]}") from error
    if not isinstance(found, dict):
        raise UnreadableError(f"it is no JSON object but a {type(found).__name__}")
    return found


def in_force(deployments: Iterable[Deployment]) -> Deployment | None:
    """The newest deployment that is complete: what AppConfig goes back to when the one under way fails."""
    complete = [one for one in deployments if one.state == COMPLETE]
    return max(complete, key=lambda one: one.number, default=None)


def minutes_since(then: datetime, now: datetime) -> float:
    """How long ago it was; never less than 0."""
    return max(0.0, (now - then).total_seconds() / 60)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is too large a number")
    return number
