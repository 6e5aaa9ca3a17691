"""What happened before an event, from the log of evidence: bounded in time, and never a reason to say nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from .aws import failures, log
from .fields import text
from .kinds import ENVIRONMENT
from .message import EVENTS_SHOWN
from .place import Place
from .summary import line, moment

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_logs.type_defs import FilterLogEventsRequestTypeDef

SECONDS: Final = 2.0
"""How long is read at most; one call more may be under way then."""

LOOKS: Final = (timedelta(minutes=5), timedelta(hours=1))
"""How far back. The oldest come first, so in a storm of events the first look finds those that count."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def earlier(
    logs: CloudWatchLogsClient,
    group: str,
    event: object,
    place: Place,
    *,
    component: str,
    at: datetime,
    seconds: Callable[[], float],
) -> list[str] | None:
    """Lines about the last five events of a component; ``None`` when they could not be read in time.

    Args:
        logs: the client.
        group: name of the log group.
        event: it is left out itself.
        place: the environment.
        component: whose events; ``environment`` for those of all.
        at: since when to look back.
        seconds: a clock that only goes on.
    """
    until = seconds() + SECONDS
    kept: list[object] = []
    for look in LOOKS:
        try:
            found, whole = _read(logs, group, since=at - look, more=lambda: seconds() < until)
        except failures() as error:
            log("what happened before cannot be read", error=type(error).__name__)
            return [line(each) for each in kept] or None
        kept = _last(found, event, place, component) or kept
        if not whole:
            return [line(each) for each in kept] or None
        if len(kept) == EVENTS_SHOWN:
            break
    return [line(each) for each in kept]


def _read(
    logs: CloudWatchLogsClient, group: str, *, since: datetime, more: Callable[[], bool]
) -> tuple[list[object], bool]:
    """The events since then, and whether they are all."""
    request: FilterLogEventsRequestTypeDef = {
        "logGroupName": group,
        "startTime": int(since.timestamp() * 1000),
    }
    found: list[object] = []
    while more():
        answer = logs.filter_log_events(**request)
        found += list(_parsed(each.get("message", "") for each in answer.get("events", [])))
        if "nextToken" not in answer:
            return found, True
        request["nextToken"] = answer["nextToken"]
    return found, False


def _parsed(texts: Iterable[str]) -> Iterator[object]:
    for each in texts:
        try:
            yield json.loads(each)
        except (ValueError, RecursionError):
            continue


def _last(found: Iterable[object], event: object, place: Place, component: str) -> list[object]:
    own = [each for each in found if text(each, "id") != text(event, "id") and _concerns(each, place, component)]
    by_id = {text(each, "id"): each for each in own}  # at least once: some are there twice
    return sorted(by_id.values(), key=lambda each: moment(each) or _NEVER)[-EVENTS_SHOWN:]


def _concerns(event: object, place: Place, component: str) -> bool:
    if component == ENVIRONMENT or text(event, "source") == "aws.health":
        return True
    if text(event, "source") == "aws.codebuild":
        return place.project(event) == component
    if text(event, "source") == "aws.ecr":
        return text(event, "detail", "repository-name").rpartition("/")[2] == component
    return place.runs(event) and place.component(event) == component
