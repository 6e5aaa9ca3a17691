"""How long a change takes from hop to hop: all are watched at once, and each is told by the cloud's own time of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Probe = Callable[[], float | None]
"""When something happened, in seconds since 1970; None: not yet."""

PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One hop of the way.

    Args:
        what: what has happened at its end.
        probe: when it did.
        ours: whether the time it takes is that of our own code, and not of CloudWatch's minutes.
    """

    what: str
    probe: Probe
    ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A hop and when its end was reached.

    Args:
        hop: which.
        at: in seconds since 1970.
    """

    hop: Hop
    at: float


class TooLateError(RuntimeError):
    """Something has not happened in time; the message says what."""


def watch(hops: Sequence[Hop], *, seconds: float) -> list[Arrival]:
    """When each hop's end was reached, in the order of ``hops``.

    The first is only seen when it is asked for, a little late: so it is never later than the second, its consequence.

    Raises:
        TooLateError: not all were reached in time.
    """
    times: dict[int, float] = {}
    deadline = time.monotonic() + seconds
    while len(times) < len(hops):
        for number, hop in enumerate(hops):
            if number not in times and (at := hop.probe()) is not None:
                times[number] = at
        if time.monotonic() > deadline:
            waiting = [hop.what for number, hop in enumerate(hops) if number not in times]
            raise TooLateError(f"not within {seconds:.0f} s: {'; '.join(waiting)}")
        time.sleep(PAUSE_SECONDS)
    times[0] = min(times[0], times[1])
    return [Arrival(hop=hop, at=times[number]) for number, hop in enumerate(hops)]


def own_seconds(arrivals: Sequence[Arrival]) -> float:
    """From the last hop that is not ours to the last that is."""
    began = max(arrival.at for arrival in arrivals if not arrival.hop.ours)
    return max(max(arrival.at for arrival in arrivals if arrival.hop.ours) - began, 0.0)
