"""What a command touches besides its arguments, so that tests can put something else there. No AWS is loaded here."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from constructs_lib.command_line import Console

if TYPE_CHECKING:
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
        connect: AWS clients of a region and a profile.
        sleep: waits for some seconds.
    """

    connect: Callable[[str | None, str | None], Clients]
    sleep: Callable[[float], None]


def real() -> Outside:
    """The real world."""
    return Outside(out=sys.stdout, err=sys.stderr, connect=_connect, now=lambda: datetime.now(UTC), sleep=time.sleep)


def _connect(region: str | None, profile: str | None) -> Clients:
    from boto3.session import Session
    from botocore.config import Config

    from constructs_lib.images.runtime.aws import config, connect

    # boto3 reads AWS_DEFAULT_REGION only; other tools of AWS, and many build services, use AWS_REGION.
    named = region or os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    session = Session(region_name=named, profile_name=profile)
    fewer = config().merge(Config(retries={"mode": "standard", "total_max_attempts": TRIES}))
    return replace(connect(session), ecr=session.client("ecr", config=fewer))


def add_format(parser: ArgumentParser) -> None:
    """The option that every command has."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="text for people, json for programs")
