"""Makes a release parameter if it is absent, and tells CloudFormation. Gather, decide, act."""

from __future__ import annotations

import json
import logging
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .decision import (
    ALLOWED_PATTERN,
    DESCRIPTION,
    NOT_RELEASED,
    Action,
    InvalidRequestError,
    answer,
    decide,
    how_to_restore,
    parameter_name,
)

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

Send = Callable[[str, bytes], None]
"""Puts an answer to CloudFormation's pre-signed address."""

_log = logging.getLogger(__name__)


def main(event: Mapping[str, object], _context: object) -> None:
    """What Lambda calls."""
    handle(event, connect, put)


def handle(event: Mapping[str, object], connect: Callable[[], SSMClient], send: Send) -> None:
    """Does what the request asks and always answers: a request without an answer holds the stack for minutes.

    When the answer itself cannot be sent, the error is raised: CloudFormation calls a function asynchronously, so
    Lambda tries twice more (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html), and
    doing this again is harmless.
    """
    failure: str | None
    try:
        failure = _act(event, connect)
        reply = answer(event, failure)
    except Exception as error:
        # Nothing of an unknown error goes into the stack's events, where more people read than in the log.
        _log.exception("unexpected")
        failure = f"{type(error).__name__}, see the log of this function"
        reply = answer(event, failure)
    print(event.get("RequestType"), reply["PhysicalResourceId"], failure or "done", sep=": ")
    send(str(event["ResponseURL"]), json.dumps(reply).encode())


def connect() -> SSMClient:
    """A client that gives up well before this function's own time-out, so that there is time to answer."""
    import boto3
    from botocore.config import Config

    return boto3.client("ssm", config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3}))


def put(url: str, body: bytes) -> None:
    """Sends the answer. The address is a secret for as long as it is valid, so it is never logged."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("the answer's address must be http or https")
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310  (the scheme is checked above)
        pass


def _act(event: Mapping[str, object], connect: Callable[[], SSMClient]) -> str | None:
    """Why it failed, or None."""
    from botocore.exceptions import ClientError

    try:
        action = decide(event)
        if action is Action.LEAVE:
            return None
        name = parameter_name(event)
    except InvalidRequestError as error:
        return str(error)
    ssm = connect()
    try:
        if action is Action.REQUIRE:
            ssm.get_parameter(Name=name)
        else:
            ssm.put_parameter(
                Name=name,
                Value=NOT_RELEASED,
                Type="String",
                Tier="Standard",
                Overwrite=False,
                AllowedPattern=ALLOWED_PATTERN,
                Description=DESCRIPTION,
            )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ParameterAlreadyExists":
            return None
        if code == "ParameterNotFound":
            return how_to_restore(name)
        return f"{error.operation_name} of {name} failed: {code}: {error.response['Error'].get('Message', '')}"
    return None
