"""What the guard remembers from one scan to the next, in one DynamoDB table.

Losing any of it is harmless: an image out of use keeps its pin for one more day. So what is missing or cannot be
understood counts as never known, and only AWS's own errors are gaps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from .errors import failures, why
from .references import RepositoryId

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef

KEY: Final = "id"
"""The table's partition key, a string."""

MOST_IDLE: Final = 4000
"""Images out of use that are remembered for a repository. An entry takes about 90 bytes of an item's 400 KB."""

_SCAN: Final = "scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """When the guard scanned last (lesson Q2).

    Args:
        began: when the last scan began, whatever became of it.
        ended: when the last scan began that came to its end and saved what it saw. It answers every event before it.
        completed: when the last scan began that could read everything.
    """

    began: datetime | None = None
    ended: datetime | None = None
    completed: datetime | None = None

    @property
    def saved(self) -> bool:
        """Whether the last scan saved what it saw. If not, an image may have been in use that is remembered as idle."""
        return self.began is not None and self.began == self.ended


class Memory:
    """The guard's memory during one scan (lesson Q2).

    Attributes:
        gaps: what could not be read or written, one sentence each.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self.gaps: list[str] = []
        self._client = client
        self._table = table
        self._last: Last | None = None

    def last(self, now: datetime) -> Last:
        """When the guard scanned last. A time that is still to come was written by a wrong clock, and is forgotten."""
        if self._last is None:
            item = self._get(_SCAN) or {}
            self._last = Last(
                began=_moment(item.get("began"), now),
                ended=_moment(item.get("ended"), now),
                completed=_moment(item.get("completed"), now),
            )
        return self._last

    def began(self, at: datetime) -> None:
        """A scan begins."""
        last = self.last(at)
        self._save(Last(began=at, ended=last.ended, completed=last.completed))

    def ended(self, began: datetime, *, complete: bool) -> None:
        """The scan that began then has ended, and everything was saved."""
        last = self.last(began)
        self._save(Last(began=began, ended=began, completed=began if complete else last.completed))

    def idle_since(self, id: RepositoryId) -> dict[str, datetime] | None:
        """Since when images of a repository have been out of use; None when that could not be read."""
        item = self._get(_key(id))
        if item is None:
            return None
        found = {}
        for digest, value in (item.get("idle", {}).get("M") or {}).items():
            since = _epoch(value)
            if since is not None:
                found[digest] = since
        return found

    def keep_idle(
        self, id: RepositoryId, idle: Mapping[str, datetime], *, known: Mapping[str, datetime] | None
    ) -> None:
        """Remembers since when images have been out of use; nothing is written when that is what is known.

        Of too many the oldest are kept: they lose their pins first, and so make room. Another begins its day anew.
        """
        oldest = sorted(idle.items(), key=lambda entry: (entry[1], entry[0]))[:MOST_IDLE]
        seconds = {digest: _seconds(since) for digest, since in oldest}
        if known is None or seconds != {digest: _seconds(since) for digest, since in known.items()}:
            idle_map: dict[str, AttributeValueTypeDef] = {digest: {"N": str(at)} for digest, at in seconds.items()}
            self._put({KEY: {"S": _key(id)}, "idle": {"M": idle_map}})

    def _save(self, last: Last) -> None:
        item: dict[str, AttributeValueTypeDef] = {KEY: {"S": _SCAN}}
        for name, at in (("began", last.began), ("ended", last.ended), ("completed", last.completed)):
            if at is not None:
                item[name] = {"S": at.isoformat()}
        self._last = last
        self._put(item)

    def _get(self, key: str) -> Mapping[str, AttributeValueTypeDef] | None:
        try:
            answer = self._client.get_item(TableName=self._table, Key={KEY: {"S": key}}, ConsistentRead=True)
        except failures() as error:
            self.gaps.append(f"the guard's memory of {key!r} could not be read: {why(error)}")
            return None
        return answer.get("Item", {})

    def _put(self, item: Mapping[str, AttributeValueTypeDef]) -> None:
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except failures() as error:
            self.gaps.append(f"the guard's memory of {item[KEY].get('S')!r} could not be written: {why(error)}")


def _key(id: RepositoryId) -> str:
    return f"ecr:{id.region}:{id.registry}:repository/{id.name}"


def _moment(value: AttributeValueTypeDef | None, now: datetime) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str((value or {})["S"]))
    except (KeyError, ValueError):
        return None
    return moment if moment.tzinfo and moment <= now else None


def _epoch(value: AttributeValueTypeDef) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(value["N"]), UTC)
    except (KeyError, OSError, OverflowError, ValueError):
        return None


def _seconds(moment: datetime) -> int:
    """Rounded up, so that no image is out of use for longer than it was."""
    return math.ceil(moment.timestamp())
