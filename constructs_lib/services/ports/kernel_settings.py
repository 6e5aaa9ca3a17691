"""What a task asks of its kernel: a wide range of ports, and little else (lesson W1). Standard library only.

A task on Fargate is one network namespace, so a setting of one container is one of all
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_SystemControl.html). What each key does is from
https://docs.kernel.org/networking/ip-sysctl.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from constructs_lib.checks import concrete, invalid, tuple_of, whole_number
from constructs_lib.services.ports.local_ports import KERNEL, LocalPorts, above

RANGE_KEY: Final = "net.ipv4.ip_local_port_range"


class _Known(NamedTuple):
    """A key that may be set."""

    low: int
    high: int
    default: int
    does: str


_IF_ASKED: Final = "only of sockets for which the program asked for keep-alive (SO_KEEPALIVE)"

KEYS: Final = {
    "net.ipv4.tcp_tw_reuse": _Known(
        0,
        2,
        2,
        "1 lets a new connection take a port in TIME_WAIT after a second, when both sides use timestamps; it shortens "
        "no TIME_WAIT, does nothing for connections that others open, and a NAT gateway may still know the old one; "
        "2 does so on the loopback alone",
    ),
    "net.ipv4.tcp_keepalive_time": _Known(
        1,
        32767,
        7200,
        f"seconds without data until the kernel asks whether the other side is there, {_IF_ASKED}; it makes no program "
        "use a connection again",
    ),
    "net.ipv4.tcp_keepalive_intvl": _Known(1, 32767, 75, f"seconds between two such questions, {_IF_ASKED}"),
    "net.ipv4.tcp_keepalive_probes": _Known(
        1, 127, 9, f"questions without an answer until the connection is closed, {_IF_ASKED}"
    ),
    "net.ipv4.tcp_fin_timeout": _Known(
        1,
        60,
        60,
        "seconds in FIN-WAIT-2, when the other side does not close; it is not the time in TIME_WAIT, which is always "
        "60 s, and frees none of those ports",
    ),
    "net.ipv4.tcp_syn_retries": _Known(
        1,
        127,
        6,
        "times that a connection is asked for again, 6 of them take about 127 s; a time-out of the program is better, "
        "for it knows what it waits for",
    ),
    "net.ipv4.tcp_retries2": _Known(
        3,
        15,
        15,
        "times that unanswered data is sent again, 15 of them take about 15 minutes; below 8 a short fault of the "
        "network cuts connections that were well",
    ),
}
"""What else may be set. ECS takes what exists in a container's network namespace, as these do; no AWS page names them
one by one, but for ``tcp_keepalive_time``."""

_START: Final = "the task does not start: it is not in a container's namespace (aws/containers-roadmap #2368)"

REFUSED: Final = {
    "net.ipv4.tcp_tw_recycle": "Linux 4.12 took it away, because it dropped callers from behind a NAT",
    "net.ipv4.tcp_max_tw_buckets": "fewer would drop sockets in TIME_WAIT, which the kernel's manual forbids",
    RANGE_KEY: "pass KernelSettings(local_ports=LocalPorts(…)), which knows the container's port",
    "net.core.rmem_max": _START,
    "net.core.wmem_max": _START,
}
"""What people ask for, and why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSetting:
    """A kernel setting that is not a default of ours, with the reason written down (lesson W1).

    Args:
        key: one of ``KEYS``, such as ``net.ipv4.tcp_keepalive_time``.
        value: a whole number in the key's own unit, within the key's range.
        reason: why, in words, for whoever finds it in five years; it goes into the service's ``Metadata``.

    Raises:
        ValueError: a key that is not allowed, a value out of its range, or no reason.
    """

    key: str
    value: int
    reason: str

    def __post_init__(self) -> None:
        concrete("key", self.key)
        if self.key not in KEYS:
            why = REFUSED.get(self.key, "a key that is not in a container's namespace keeps the task from starting")
            raise invalid("key", self.key, f"one of {', '.join(KEYS)}", why)
        known = KEYS[self.key]
        whole_number(f"value of {self.key}", self.value, low=known.low, high=known.high, fix=known.does)
        concrete("reason", self.reason, "say what it is for")
        if len(self.reason.split()) < 3:
            raise invalid("reason", self.reason, "a sentence", "say what it is for, and what was measured")


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSettings:
    """What a task asks of its kernel (lesson W1).

    ECS takes it from one container and gives it to all of the task, so it belongs to the application's only.

    Args:
        local_ports: from which ports the task opens connections; ``None``, the default: 10240 to 65535, or as many as
            are above every port that is listened on. ``KERNEL`` leaves the kernel its own, 32768 to 60999.
        listening_ports: ports that sidecars listen on, beside the application's own; none by default.
        others: other settings, each with its reason; none by default.

    Raises:
        ValueError: no such port, ports that are listened on within ``local_ports``, or one key twice.
    """

    local_ports: LocalPorts | None = None
    listening_ports: tuple[int, ...] = ()
    others: tuple[KernelSetting, ...] = ()

    def __post_init__(self) -> None:
        if self.local_ports is not None and not isinstance(self.local_ports, LocalPorts):
            raise invalid("local_ports", self.local_ports, "LocalPorts or None", "write LocalPorts(20000, 65535)")
        tuple_of("listening_ports", self.listening_ports, int, "(20000,)")
        for port in self.listening_ports:
            whole_number("listening_ports", port, low=1, high=65535, fix="there are no others")
        tuple_of("others", self.others, KernelSetting, "(KernelSetting(…),)")
        keys = [one.key for one in self.others]
        for key in keys:
            if keys.count(key) > 1:
                raise invalid("others", keys, "of different keys", f"leave one {key!r}")
        self.ports_beside(())

    def ports_beside(self, container_ports: Iterable[int]) -> LocalPorts:
        """From which ports connections are opened, beside containers that listen on some.

        Raises:
            ValueError: ``local_ports`` was given, and has one of them.
        """
        taken = (*container_ports, *self.listening_ports)
        if self.local_ports is None:
            return above(taken) or KERNEL
        if self.local_ports != KERNEL:
            for port in taken:
                if self.local_ports.low <= port <= self.local_ports.high:
                    fix = "an outgoing connection may take it before the server starts; begin above it"
                    raise invalid("local_ports", self.local_ports.setting, f"without {port}", fix)
        return self.local_ports

    def settings(self, container_ports: Iterable[int] = ()) -> dict[str, str]:
        """Values by key; what the kernel has by itself is left out."""
        ports = self.ports_beside(container_ports)
        widened = {} if ports == KERNEL else {RANGE_KEY: ports.setting}
        return widened | {one.key: str(one.value) for one in self.others}

    def sentences(self, container_ports: Iterable[int] = ()) -> tuple[str, ...]:
        """Why they are what they are."""
        return tuple(self._sentences(tuple(container_ports)))

    def _sentences(self, container_ports: tuple[int, ...]) -> Iterator[str]:
        ports = self.ports_beside(container_ports)
        said = f"Connections are opened from ports {ports.low} to {ports.high}, {ports.count} to each destination"
        yield f"{said}." if ports == KERNEL else f"{said} instead of {KERNEL.count}: no server listens there."
        for port in sorted({*container_ports, *self.listening_ports}):
            if ports.low <= port <= ports.high:
                yield f"Port {port} is among them: an outgoing connection may take it before its server starts."
        for one in self.others:
            yield f"{one.key} is {one.value} instead of {KEYS[one.key].default}: {one.reason}"
