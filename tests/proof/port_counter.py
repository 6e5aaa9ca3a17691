"""Opens connections until the kernel refuses, and prints what it counted, as JSON.

It runs in a network namespace of its own, which has nothing but what is made here:
``unshare --net python -m tests.proof.port_counter <case> <low> <high> <arguments as JSON>``. It knows no formula: it
only counts.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .port_network import (
    ADDRESSES,
    IPV4,
    MOST,
    SERVER,
    TIME_WAIT,
    exchanges,
    network,
    opened,
    ours,
    server,
    setting,
    sockets,
)


def probe(low: int, high: int) -> Any:
    """Whether all of this can be done here: the range as the kernel has it now."""
    return {"range": setting("ip_local_port_range"), "asked": [low, high]}


def fresh(_low: int, _high: int, destinations: int) -> Any:
    """What a new network namespace has by itself; then, from the range given, some connections to many destinations."""
    ports = []
    for port in range(SERVER[1], SERVER[1] + destinations):
        KEPT.append(server((SERVER[0], port)))
        made, _ = opened((SERVER[0], port), most=5)
        KEPT.extend(made)
        ports += [one.getsockname()[1] for one in made]
    return {"default": DEFAULT, "range": setting("ip_local_port_range"), "low": min(ports), "high": max(ports)}


def fill(low: int, high: int, destinations: list[tuple[str, int]]) -> Any:
    """Connections to each destination in turn, all kept open."""
    KEPT.extend(server((address, port)) for address, port in destinations)
    counts, refusals = [], []
    first: list[int] = []
    for address, port in destinations:
        made, refused = opened((address, port))
        KEPT.extend(made)
        counts.append(len(made))
        refusals.append(refused)
        first = first or [one.getsockname()[1] for one in made]
    return {"opened": counts, "refused": refusals, "ports": first, "held": len(ours(low, high))}


def processes(low: int, high: int, number: int) -> Any:
    """Several processes, as the containers of one task, that open connections at the same time."""
    KEPT.append(server())
    counts = []
    hold, release = os.pipe()
    answers = [_child(hold, release) for _ in range(number)]
    for answer in answers:
        counts.append(int(os.read(answer, 16)))
    held = len(ours(low, high))
    os.close(release)  # every child waits for this end to close
    for _ in answers:
        os.wait()
    return {"opened": counts, "held": held}


def _child(hold: int, release: int) -> int:
    answer, write = os.pipe()
    if os.fork() == 0:
        os.close(release)
        made, _ = opened()
        os.write(write, str(len(made)).encode())
        os.read(hold, 1)
        os._exit(0)
    os.close(write)
    return answer


def client_closes(low: int, high: int, kept: int, most: int) -> Any:
    """Some connections stay open; others are opened and closed by the client until one is refused."""
    listening = server()
    for _ in range(kept):
        client = socket.create_connection(SERVER)
        KEPT.extend((client, listening.accept()[0]))
    files = len(list(Path("/proc/self/fd").iterdir()))
    closed, refused = exchanges(listening, most, client_first=True)
    waiting = [one for one in ours(low, high) if one.state == TIME_WAIT]
    return {
        "closed": closed,
        "refused": refused,
        "held": len(ours(low, high)),
        "time_wait": len(waiting),
        "longest_seconds": max((one.timer_seconds for one in waiting), default=0),
        "files": len(list(Path("/proc/self/fd").iterdir())) - files,
        "tcp_tw_reuse": setting("tcp_tw_reuse"),
        "elsewhere": _elsewhere(),
    }


def _elsewhere() -> str | None:
    """Whether another destination can be reached now."""
    KEPT.append(server((ADDRESSES[1], 8001)))
    made, refused = opened((ADDRESSES[1], 8001), most=1)
    KEPT.extend(made)
    return refused


def server_closes(low: int, high: int, most: int) -> Any:
    """Connections one after the other that the server closes."""
    closed, refused = exchanges(server(), most, client_first=False)
    waiting = [one for one in sockets() if one.state == TIME_WAIT]
    return {
        "closed": closed,
        "refused": refused,
        "time_wait_ours": len([one for one in waiting if low <= one.port <= high]),
        "time_wait_servers": len([one for one in waiting if one.port == SERVER[1]]),
    }


def reuse(low: int, high: int) -> Any:
    """Ports in TIME_WAIT, with the kernel's default and then with ``tcp_tw_reuse``, which needs them a second old."""
    listening = server()
    default = setting("tcp_tw_reuse")
    closed, refused = exchanges(listening, MOST, client_first=True)
    _reuse(1)
    _keep_until(1)
    _reuse(default[0])
    by_default = opened(most=1)[1]
    _reuse(1)
    _keep_until(high - low + 1)
    return {
        "default": default,
        "closed": closed,
        "refused": refused,
        "refused_by_default": by_default,
        "again": len({one.getsockname()[1] for one in KEPT}),
        "time_wait": len([one for one in ours(low, high) if one.state == TIME_WAIT]),
    }


def _keep_until(number: int) -> None:
    """Opens connections, and keeps them, until there are so many; for a limited time."""
    deadline = time.monotonic() + 20
    while len(KEPT) < number and time.monotonic() < deadline:
        made, _ = opened(most=number - len(KEPT))
        KEPT.extend(made)
        time.sleep(0.02)  # between two questions


def _reuse(value: int) -> None:
    (IPV4 / "tcp_tw_reuse").write_text(str(value))


def inbound(low: int, high: int, number: int) -> Any:
    """Connections that come in, from ports outside of the range; then those that go out."""
    listening = server()
    other = server((ADDRESSES[1], 8001))
    for port in range(high + 1, high + 1 + number):
        KEPT.extend(opened(SERVER, most=1, source=(ADDRESSES[2], port))[0])
        KEPT.append(listening.accept()[0])
    in_range = len(ours(low, high))
    KEPT.append(other)
    made, refused = opened((ADDRESSES[1], 8001))
    KEPT.extend(made)
    return {"inbound": number, "in_range": in_range, "opened": len(made), "refused": refused}


def late_server(_low: int, _high: int, container_port: int) -> Any:
    """A program opens connections, and then a server of the same task wants its port."""
    KEPT.append(server())
    made, _ = opened()
    KEPT.extend(made)
    try:
        KEPT.append(server(("0.0.0.0", container_port)))  # noqa: S104  (this namespace has no other network)
    except OSError as refused:
        return {"opened": len(made), "server": errno.errorcode[refused.errno or 0]}
    return {"opened": len(made), "server": "listens"}


def bound_first(_low: int, _high: int, destinations: list[tuple[str, int]]) -> Any:
    """As `fill`, by a client that binds its own address before it connects, as some proxies and libraries do."""
    KEPT.extend(server((address, port)) for address, port in destinations)
    counts, refusals = [], []
    for address, port in destinations:
        made, refused = opened((address, port), source=(ADDRESSES[0], 0))
        KEPT.extend(made)
        counts.append(len(made))
        refusals.append(refused)
    return {"opened": counts, "refused": refusals}


def files(low: int, high: int, limit: int, incoming: int) -> Any:
    """Connections in and out of one process until a limit of open files is reached, with ports left."""
    listening = server()
    for port in range(high + 1, high + 1 + incoming):
        _outside(port)
    accepted = [listening.accept()[0] for _ in range(incoming)]
    other = server((ADDRESSES[1], 8001))
    KEPT.extend((listening, other, *accepted))
    first_free = os.dup(0)  # the limit is one of numbers, and each file gets the lowest that is free
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free - incoming + limit, first_free - incoming + limit))
    made, refused = opened((ADDRESSES[1], 8001))
    KEPT.extend(made)
    return {
        "incoming": len(accepted),
        "opened": len(made),
        "refused": refused,
        "ports_left": high - low + 1 - len(made),
    }


def _outside(port: int) -> None:
    """A client in a process of its own, which goes when this one does: its socket is no file of ours."""
    ready, tell = os.pipe()
    if os.fork() == 0:
        _, _ = opened(SERVER, most=1, source=(ADDRESSES[2], port))
        os.write(tell, b"x")
        os._exit(0)
    os.read(ready, 1)
    os.close(ready)
    os.close(tell)
    os.wait()


KEPT: list[socket.socket] = []
"""Sockets that stay open until the program ends."""

DEFAULT: list[int] = []
CASES: dict[str, Callable[..., Any]] = {
    case.__name__: case
    for case in (
        *(probe, fresh, fill, processes, client_closes, server_closes),
        *(reuse, inbound, late_server, bound_first, files),
    )
}


def main() -> None:
    """Makes the network, counts one case, prints it."""
    name, low, high, arguments = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
    DEFAULT.extend(setting("ip_local_port_range"))
    network(low, high)
    json.dump(CASES[name](low, high, **arguments), sys.stdout)


if __name__ == "__main__":
    main()
