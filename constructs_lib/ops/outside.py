"""What a command touches besides its arguments, so that tests can put something else there. No AWS is loaded here."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from constructs_lib.command_line import Console

if TYPE_CHECKING:
    from boto3.session import Session

    from constructs_lib.images.runtime.aws import Clients

FORMATS: Final = ("text", "json")

TRIES: Final = 3
"""Of a call to ECR. It is asked first, so an endpoint that is silent is told soon; the others keep the guard's tries,
for where many share a service's request rate fewer would leave gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside(Console):
    """The world as a command sees it (lesson Q2).

    Args:
        out: where results go.
        err: where errors go.
        now: the time.
        connect: AWS clients of a region and a profile, for the commands about images.
        sleep: waits for some seconds.
        session: boto3's session of a region and a profile, for the commands about releases.
        environ: the environment's variables.
        fetch: gets the bytes behind one of ECR's pre-signed addresses.
    """

    connect: Callable[[str | None, str | None], Clients]
    sleep: Callable[[float], None]
    session: Callable[[str | None, str | None], Session] = field(default_factory=lambda: _session)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    fetch: Callable[[str], bytes] = field(default_factory=lambda: _fetch)


def real() -> Outside:
    """The real world."""
    return Outside(out=sys.stdout, err=sys.stderr, connect=_connect, now=lambda: datetime.now(UTC), sleep=time.sleep)


def _session(region: str | None, profile: str | None) -> Session:
    from boto3.session import Session

    # boto3 reads AWS_DEFAULT_REGION only; other tools of AWS, and many build services, use AWS_REGION.
    named = region or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    return Session(region_name=named, profile_name=profile)


def _fetch(url: str) -> bytes:
    from constructs_lib.delivery.operations.world import fetch

    return fetch(url)


def _connect(region: str | None, profile: str | None) -> Clients:
    from botocore.config import Config

    from constructs_lib.images.runtime.aws import config, connect

    session = _session(region, profile)
    fewer = config().merge(Config(retries={"mode": "standard", "total_max_attempts": TRIES}))
    return replace(connect(session), ecr=session.client("ecr", config=fewer))


def add_format(parser: ArgumentParser) -> None:
    """The option that every command has."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="text for people, json for programs")
