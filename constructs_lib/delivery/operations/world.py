"""What a release needs from outside: AWS, time, a place for progress, pins, and the environment before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.clients import Clients
from constructs_lib.delivery.settings import DeliverySettings


class Pins(Protocol):
    """Keeps images of releases from expiring (lesson Q2)."""

    def put(self, settings: DeliverySettings, digest: str, keep: Sequence[str]) -> str | None:
        """Pins ``digest`` and ``keep``; the reason when ``digest`` or one of them that exists could not be pinned.

        An image of ``keep`` that is gone is no reason: nobody can pin it any more.
        """


class UpstreamReader(Protocol):
    """Reads the environment that comes before (lesson Q7)."""

    def entries(self) -> Sequence[Entry]:
        """Its ledger, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a release needs from outside (lessons W4, Q5).

    Args:
        clients: AWS, in the service's account and region.
        now: the time, with a time zone.
        sleep: waits for some seconds.
        say: takes one line of progress.
        pins: keeps images from expiring.
        upstream: a reader of the environment that ``settings.upstream`` names, which must not be ``None``.
        fetch: gets the bytes behind one of ECR's pre-signed addresses.
        who: who asks, for the ledger; by default the caller's ARN. In CodeBuild that is the project's role, whoever
            pressed the button.
    """

    clients: Clients
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    pins: Pins
    upstream: Callable[[DeliverySettings], UpstreamReader]
    fetch: Callable[[str], bytes]
    who: Callable[[], str] | None = None


def fetch(url: str) -> bytes:
    """Gets at most 4 MiB over HTTPS. The address is a secret while it is valid, so it stands in no message."""
    import urllib.request

    if not url.startswith(("https://", "http://")):
        raise ValueError("the address must be http or https")
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310  (the scheme is checked above)
        body: bytes = answer.read(4 * 1024 * 1024)
    return body
