"""One line about an event, and the facts of one. Standard library only.

A build's variables and the commands of its phases are never shown: they may hold secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from ..plain_text import one_line  # noqa: TID252  (the package has another name in Lambda)
from .fields import members, number, reasons, service_of, task_of, text

REASON_LONGEST: Final = 800
"""Characters of what AWS says; its longest texts name an image twice and an address."""

_LINE_LONGEST: Final = 160
_NAME_LONGEST: Final = 300
_CONTAINERS: Final = 5
_ESCAPED_BREAKS: Final = re.compile(r"(\\n|\\r)+")  # AWS Health writes them out


def moment(event: object) -> datetime | None:
    """When an event happened, by its own account; ``None`` when it does not say."""
    try:
        found = datetime.fromisoformat(text(event, "time"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def said(event: object) -> str:
    """What AWS says of the fault, in one line."""
    described = [text(each, "latestDescription") for each in members(event, "detail", "eventDescription")]
    found = [*reasons(event), text(event, "detail", "reason"), *described]
    first = next((each for each in found if each), "")
    return one_line(_ESCAPED_BREAKS.sub(" ", first[: 8 * REASON_LONGEST]), REASON_LONGEST)


def facts(event: object) -> Iterator[tuple[str, str]]:
    """What else one needs to know, by a name; each value in one line."""
    at = moment(event)
    named = (
        ("When", f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else text(event, "time")),
        ("Service", service_of(event)),
        ("Task", task_of(event)),
        ("Stop code", text(event, "detail", "stopCode")),
        *_containers(event),
        ("Event", text(event, "detail", "eventName") or text(event, "detail", "eventTypeCode")),
        ("Deployment", text(event, "detail", "deploymentId")),
        ("Build", text(event, "detail", "build-id").rpartition("/")[2]),
        ("Status", text(event, "detail", "build-status") or text(event, "detail", "statusCode")),
        ("AWS Health", text(event, "detail", "eventArn")),
        ("Began", text(event, "detail", "startTime")),
    )
    for name, value in named:
        line = one_line(value, _NAME_LONGEST)
        if line:
            yield name, line


def line(event: object) -> str:
    """An event in one line, for the list of what happened before."""
    at = moment(event)
    detail = text(event, "detail-type")
    if detail == "ECS Task State Change":
        what = f"task {task_of(event)[:8]} {text(event, 'detail', 'lastStatus')} {text(event, 'detail', 'stopCode')}"
    elif text(event, "detail", "build-status"):
        what = f"build {text(event, 'detail', 'project-name')} {text(event, 'detail', 'build-status')}"
    elif text(event, "detail", "action-type"):
        digest = text(event, "detail", "image-digest")[:19]
        what = f"image {text(event, 'detail', 'action-type')} {text(event, 'detail', 'image-tag')} {digest}"
    elif text(event, "source") == "aws.health":
        what = f"AWS Health {text(event, 'detail', 'eventTypeCode')} {text(event, 'detail', 'statusCode')}"
    else:
        what = text(event, "detail", "eventName") or detail
    told = said(event)
    return one_line(f"{at:%H:%M:%S} {what}" if at else what, _LINE_LONGEST) + (
        one_line(f": {told}", _LINE_LONGEST) if told else ""
    )


def _containers(event: object) -> Iterator[tuple[str, str]]:
    for container in members(event, "detail", "containers")[:_CONTAINERS]:
        code = number(container, "exitCode")
        ended = "" if code is None else f", exit code {code}"
        image = text(container, "image")
        if text(container, "name"):
            yield "Container", f"{text(container, 'name')}{ended}" + (f", {image}" if image else "")
