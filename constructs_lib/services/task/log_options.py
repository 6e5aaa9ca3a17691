"""A task's containers with log options that let none of them wait (lesson W2). Standard library only.

The containers are as CDK resolves them: dictionaries with CDK's own names, where one such as ``{"Ref": …}`` stands for
what only CloudFormation knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import invalid
from constructs_lib.services.task.log_delivery import MIB, SMALLEST_BUFFER_MIB, LogDelivery

ON_THE_HOST: Final = ("json-file", "journald", "local", "none")
"""Drivers that deliver nothing over a network."""

FIRELENS: Final = "awsfirelens"
"""Its driver to the router is asynchronous by itself: https://docs.docker.com/engine/logging/drivers/fluentd/"""

_BUFFERED: Final = ("awslogs", "splunk", "fluentd", "gelf", "syslog")
"""Other drivers of ECS. ``mode`` and ``max-buffer-size`` are options of all of them:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html"""

_SIZE: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(?:([kmgt])i?)?b?", re.IGNORECASE)
"""As https://pkg.go.dev/github.com/docker/go-units#RAMInBytes reads it."""
_UNITS: Final = {"": 1, "k": 1024, "m": MIB, "g": 1024 * MIB, "t": MIB * MIB}
_MEMORY: Final = re.compile(r"([0-9]{1,6}) ?(GB)?", re.IGNORECASE)
_NO_VALUE: Final = {"Ref": "AWS::NoValue"}
_OWN_DRIVER: Final = "pass logging=log_driver(…) of constructs_lib.services.task.log_rendering (lesson W2)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeLogs:
    """The containers of one task definition, as safe as they can be made (lesson W2).

    Args:
        containers: the containers, with the options that were missing.
        refusals: what no option mends, a sentence each.
        buffers: size of each buffer in bytes.
    """

    containers: object
    refusals: tuple[str, ...]
    buffers: tuple[int, ...]


class _RefusedError(Exception):
    """A sentence about one container that no option mends."""


def safe_logs(containers: object, delivery: LogDelivery) -> SafeLogs:
    """The same containers, with ``mode`` and ``max-buffer-size`` where they are missing, blocking or too small."""
    try:
        listed = _known("the containers", containers)
    except _RefusedError as refused:
        return SafeLogs(containers=containers, refusals=(str(refused),), buffers=())
    if not isinstance(listed, list):
        return SafeLogs(containers=containers, refusals=(), buffers=())
    safe: list[object] = []
    refusals: list[str] = []
    buffers: list[int] = []
    for index, container in enumerate(listed):
        try:
            written, size = _safe(container, _name(container, index), delivery)
        except _RefusedError as refused:
            written, size = container, 0
            refusals.append(str(refused))
        safe.append(written)
        buffers += [size] if size else []
    return SafeLogs(containers=safe, refusals=tuple(refusals), buffers=tuple(buffers))


def crowded(buffers: Sequence[int], memory: object) -> tuple[str, ...]:
    """A sentence when the buffers may take more than a quarter of the task's memory, if its size is known."""
    found = _MEMORY.fullmatch(memory.strip()) if isinstance(memory, str) else None
    if found is None:
        return ()
    memory_mib = int(found[1]) * (1024 if found[2] else 1)
    together = sum(buffers)
    if together * 4 <= memory_mib * MIB:
        return ()
    terms = " + ".join(f"{size / MIB:g}" for size in buffers)
    refused = invalid(
        "the log buffers",
        f"{together / MIB:g} MiB",
        f"at most a quarter of the task's memory ({terms} = {together / MIB:g} MiB, a quarter of {memory_mib} MiB is "
        f"{memory_mib / 4:g} MiB)",
        "they are part of the task's memory; give it more, or fewer containers (lesson W2)",
    )
    return (str(refused),)


def _safe(container: object, name: str, delivery: LogDelivery) -> tuple[object, int]:
    """A container with safe log options, and the size of its buffer in bytes, 0 when it has none."""
    if not isinstance(container, Mapping) or _known(name, container) is None:
        return container, 0
    configuration = _known(f"the log configuration of {name}", container.get("logConfiguration"))
    if not isinstance(configuration, Mapping):
        raise _RefusedError(invalid(f"the log driver of {name}", None, "named", _OWN_DRIVER))
    driver = _known(f"the log driver of {name}", configuration.get("logDriver"))
    if driver in ON_THE_HOST:
        return container, 0
    options = _known(f"the log options of {name}", configuration.get("options"))
    given = options if isinstance(options, Mapping) else {}
    mode = _known(f"the log option mode of {name}", given.get("mode"))
    if driver == FIRELENS:
        if mode in (None, "non-blocking"):
            return container, 0
        raise _RefusedError(
            invalid(f"the log option mode of {name}", mode, "left out with awsfirelens", "take it away")
        )
    if driver not in _BUFFERED:
        allowed = f"one of {', '.join((*_BUFFERED, FIRELENS, *ON_THE_HOST))}"
        raise _RefusedError(invalid(f"the log driver of {name}", driver, allowed, _OWN_DRIVER))
    written = {**given, "mode": "non-blocking"}
    size = size_bytes(_known(f"the log option max-buffer-size of {name}", given.get("max-buffer-size")))
    if size is None or size < SMALLEST_BUFFER_MIB * MIB:
        size = delivery.buffer_mib * MIB
        written["max-buffer-size"] = f"{delivery.buffer_mib}m"
    return {**container, "logConfiguration": {**configuration, "options": written}}, size


def _name(container: object, index: int) -> str:
    name = container.get("name") if isinstance(container, Mapping) else None
    return f"container {name!r}" if isinstance(name, str) else f"container number {index + 1}"


def _known(what: str, value: object) -> object:
    """The value, ``None`` when it is none, refused when only CloudFormation knows it."""
    if value == _NO_VALUE:
        return None
    if isinstance(value, Mapping) and len(value) == 1:
        (function,) = value
        if function == "Ref" or str(function).startswith("Fn::"):
            fix = "write the value down: what a parameter or condition decides nobody can promise (lesson W2)"
            raise _RefusedError(invalid(what, function, "known before deployment", fix))
    return value


def size_bytes(size: object) -> int | None:
    """What a size comes to; ``None`` when it is none."""
    match = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    return None if match is None else int(float(match[1]) * _UNITS[(match[2] or "").lower()])
