"""Addresses, settings and sockets of a network namespace: what `port_counter.py` counts with. Standard library only."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3")
"""Addresses of the namespace's only interface. The kernel calls 127.0.0.0/8 loopback and nothing else, so TIME_WAIT is
here as on a real network."""

SERVER = (ADDRESSES[0], 8000)
IPV4 = Path("/proc/sys/net/ipv4")
MOST = 3000
"""More connections than any case has ports for: whoever gets here was never refused."""

SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP, IFF_RUNNING = 0x8914, 0x8916, 0x1, 0x40
TIME_WAIT = "06"


@dataclass(frozen=True)
class Held:
    """One TCP socket as the kernel lists it."""

    port: int
    peer: int
    state: str
    timer_seconds: float


def network(low: int, high: int) -> None:
    """Addresses, and the range of ports for connections that a program opens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING))
        for number, address in enumerate(ADDRESSES):
            name = f"lo:{number}".encode()
            packed = struct.pack("16sH2x4s8x", name, socket.AF_INET, socket.inet_aton(address))
            fcntl.ioctl(control, SIOCSIFADDR, packed)
    (IPV4 / "ip_local_port_range").write_text(f"{low} {high}")


def setting(name: str) -> list[int]:
    """What the kernel says of one of its settings."""
    return [int(word) for word in (IPV4 / name).read_text().split()]


def server(address: tuple[str, int] = SERVER) -> socket.socket:
    """A server that takes connections and leaves them waiting to be accepted."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(address)
    made.listen(MOST)
    return made


def opened(
    address: tuple[str, int] = SERVER, most: int = MOST, source: tuple[str, int] | None = None
) -> tuple[list[socket.socket], str | None]:
    """Connections to one destination until the kernel refuses one, and the name of the refusal."""
    made: list[socket.socket] = []
    while len(made) < most:
        try:
            one = socket.socket()
            made.append(one)
            if source:
                one.bind(source)
            one.connect(address)
        except OSError as refused:
            if made and made[-1].fileno() >= 0 and refused.errno != errno.EMFILE:
                made.pop().close()
            return made, errno.errorcode[refused.errno or 0]
    return made, None


def sockets() -> Iterator[Held]:
    """All TCP sockets of the namespace but listening ones; the timer is what is left of TIME_WAIT."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, _, timer, *_ = line.split()
        seconds = int(timer.partition(":")[2], 16) / os.sysconf("SC_CLK_TCK")
        port, peer = (int(end.rpartition(":")[2], 16) for end in (local, remote))
        if peer:
            yield Held(port, peer, state, seconds)


def ours(low: int, high: int) -> list[Held]:
    """Those that hold a port of the range."""
    return [one for one in sockets() if low <= one.port <= high]


def exchange(listening: socket.socket, *, client_first: bool, address: tuple[str, int] = SERVER) -> str | None:
    """One connection that is opened and closed in order; the name of the refusal when it cannot be opened."""
    with socket.socket() as client:
        try:
            client.connect(address)
        except OSError as refused:
            return errno.errorcode[refused.errno or 0]
        accepted, _ = listening.accept()
        first, last = (client, accepted) if client_first else (accepted, client)
        first.close()
        assert last.recv(1) == b""
        last.close()
    return None


def exchanges(listening: socket.socket, most: int, *, client_first: bool) -> tuple[int, str | None]:
    """How many connections one after the other were opened and closed before one was refused."""
    for number in range(most):
        refused = exchange(listening, client_first=client_first)
        if refused:
            return number, refused
    return most, None
