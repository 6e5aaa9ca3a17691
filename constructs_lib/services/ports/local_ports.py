"""From which ports a task opens connections, and how many that are (lesson W1). Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import invalid, whole_number


@dataclass(frozen=True, slots=True)
class LocalPorts:
    """A range of ports that the kernel takes for connections that a program opens (lesson W1).

    It is ``net.ipv4.ip_local_port_range``. A task has one network namespace, and so one range.

    Args:
        low: the first port, 1024 to 65534.
        high: the last port, above ``low``, 65535 at most.

    Raises:
        ValueError: no such range.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        whole_number("low", self.low, low=1024, high=65534, fix="ports below 1024 are for servers")
        whole_number("high", self.high, low=2, high=65535, fix="there are no others")
        if self.high <= self.low:
            raise invalid("high", self.high, f"above low ({self.low})", "give the first port, then the last")

    @property
    def count(self) -> int:
        """Connections that fit to one destination, an address with a port, at the same time.

        The kernel looks at an even number of ports, so of an odd number it may leave one out, and that is not counted.
        """
        return (self.high - self.low + 1) // 2 * 2

    @property
    def setting(self) -> str:
        """The value of the kernel setting."""
        return f"{self.low} {self.high}"


KERNEL: Final = LocalPorts(32768, 60999)
"""What Linux has by itself: https://docs.kernel.org/networking/ip-sysctl.html"""

WIDE: Final = LocalPorts(10240, 65535)
"""As wide as leaves the ports that web servers commonly listen on alone. Some sidecars listen above its first port:
memcached (11211), OpenTelemetry's health check (13133), Fluentd (24224)."""


def above(container_ports: Iterable[int]) -> LocalPorts | None:
    """The widest range above every port that a container listens on; ``None`` where the kernel's own is no narrower.

    An outgoing connection may else take a port before its server does, and the server cannot start then.
    """
    highest = max(container_ports, default=0)
    if highest < WIDE.low:
        return WIDE
    low = highest + 2 - highest % 2
    return LocalPorts(low, WIDE.high) if WIDE.high - low >= KERNEL.count else None
