"""W2: logs that cannot be delivered must not stop the container."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from constructs_lib.guardrails.rule import Fault, Rule
from constructs_lib.guardrails.rules.ecs import TASK_DEFINITION, containers, name_of
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.services.task.log_delivery import MIB
from constructs_lib.services.task.log_options import FIRELENS, ON_THE_HOST, size_bytes

_WHY: Final = (
    "WebORCA, March 2025: CloudWatch Logs could not be reached, and containers that wait for their logs stopped serving"
)


def no_driver(container: Node) -> Fault | None:
    """W2a."""
    configuration = container.get("LogConfiguration")
    if configuration.given:
        return None
    return Fault(configuration, f"{name_of(container)} has no log driver of its own")


def blocking(container: Node) -> Fault | None:
    """W2b."""
    return waits(container.get("LogConfiguration"), name_of(container))


def waits(configuration: Node, who: str) -> Fault | None:
    """What has a log configuration that waits for its delivery.

    The API's default was blocking until June 2025, and an account setting can still make it so.
    """
    driver = configuration.get("LogDriver").text()
    if driver is None or driver in ON_THE_HOST:
        return None
    mode = configuration.get("Options", "mode")
    value = mode.text()
    if value == "non-blocking" or (value is None and driver == FIRELENS):
        return None
    got = "no mode, which leaves it to the account" if value is None else f"mode {value!r}"
    return Fault(mode, f"{who} logs through {driver} with {got}")


def small_buffer(container: Node) -> Fault | None:
    """W2c."""
    return holds_little(container.get("LogConfiguration"), name_of(container))


def holds_little(configuration: Node, who: str) -> Fault | None:
    """What has a log configuration whose buffer is not chosen, or tiny."""
    size = configuration.get("Options", "max-buffer-size")
    if size.given and (_bytes(size) or 0) >= MIB:
        return None
    if not _has_buffer(configuration):
        return None
    if not size.given:
        return Fault(size, f"{who} has no max-buffer-size")
    if _bytes(size) is None:
        text = (size.text() or "")[:40]
        return Fault(size, f"max-buffer-size of {who} is {text!r}, which is no size such as 25m")
    return Fault(size, f"{who} has a log buffer of {_shown(size)}, less than 1 MiB")


def modest_buffer(container: Node) -> Fault | None:
    """W2d. Where the size is not known, W2c says so."""
    try:
        size = container.get("LogConfiguration", "Options", "max-buffer-size")
        count = _bytes(size) if size.given else None
    except NotKnown:
        return None
    if count is None or not MIB <= count < 10 * MIB or not _has_buffer(container.get("LogConfiguration")):
        return None
    return Fault(size, f"{name_of(container)} has a log buffer of {_shown(size)}, less than 10 MiB")


def known_containers(task_definition: Node) -> Iterable[Node]:
    """The containers, if they are known."""
    try:
        return containers(task_definition)
    except NotKnown:
        return ()


def _has_buffer(configuration: Node) -> bool:
    driver = configuration.get("LogDriver").text()
    if driver is None or driver in (*ON_THE_HOST, FIRELENS):
        return False
    return configuration.get("Options", "mode").text() == "non-blocking"


def _bytes(size: Node) -> int | None:
    """What a size comes to; None when it is none."""
    return size_bytes(size.text())


def _shown(size: Node) -> str:
    text = (size.text() or "").strip()
    return f"{text} bytes" if text.isdigit() else text


RULES: Final = (
    Rule(
        id="MOOR-W2a",
        severity="error",
        types=(TASK_DEFINITION,),
        title="every container names its log driver",
        why=f"{_WHY}; who names no driver does not decide what happens then.",
        fix="Give each container, sidecars too, a LogConfiguration with mode non-blocking and a max-buffer-size.",
        subjects=containers,
        judge=no_driver,
    ),
    Rule(
        id="MOOR-W2b",
        severity="error",
        types=(TASK_DEFINITION,),
        title="no container waits for its logs to be delivered",
        why=f"{_WHY}.",
        fix="Set the log option mode to non-blocking, and max-buffer-size, such as 25m.",
        subjects=containers,
        judge=blocking,
    ),
    Rule(
        id="MOOR-W2c",
        severity="error",
        types=(TASK_DEFINITION,),
        title="the log buffer is chosen, and holds at least 1 MiB",
        why=f"{_WHY}; who does not wait loses what the buffer cannot hold, and with it the evidence.",
        fix="Set the log option max-buffer-size to log rate x tolerated outage, such as 25m, within the task's memory.",
        subjects=containers,
        judge=small_buffer,
    ),
    Rule(
        id="MOOR-W2d",
        severity="warning",
        types=(TASK_DEFINITION,),
        title="the log buffer holds at least 10 MiB",
        why=f"{_WHY}; ECS's own default is 10 MiB, and AWS recommends 25.",
        fix="Set the log option max-buffer-size to log rate x tolerated outage, such as 25m, within the task's memory.",
        subjects=known_containers,
        judge=modest_buffer,
    ),
)
