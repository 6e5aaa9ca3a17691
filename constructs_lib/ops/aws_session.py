"""How a command reaches AWS, and how AWS's errors become one sentence. boto3 is loaded when it is needed."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from constructs_lib.command_line import CouldNotRun
from constructs_lib.images.runtime.aws import Clients
from constructs_lib.images.runtime.errors import code, failures, why
from constructs_lib.ops.outside import Outside
from constructs_lib.ops.repository_name import repository_name

_NO_WAY: Final = "look at the network, --region and AWS_ENDPOINT_URL"
_AGAIN: Final = "log in to AWS again, such as by `aws sso login`"

_FIXES: Final = {
    "NoRegionError": "give --region",
    "NoCredentialsError": "log in to AWS, or give --profile",
    "PartialCredentialsError": "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile that has both",
    "ProfileNotFound": "`aws configure list-profiles` names those that are there",
    "EndpointConnectionError": _NO_WAY,
    "ConnectTimeoutError": _NO_WAY,
    "ReadTimeoutError": _NO_WAY,
    "ConnectionClosedError": _NO_WAY,
    "ProxyConnectionError": "look at HTTPS_PROXY and the network",
    "SSLError": "look at AWS_CA_BUNDLE, and at a proxy in between",
    "SSOTokenLoadError": _AGAIN,
    "TokenRetrievalError": _AGAIN,
    "UnauthorizedSSOTokenError": _AGAIN,
    "ExpiredToken": _AGAIN,
    "ExpiredTokenException": _AGAIN,
}
"""By the class of an error that comes before AWS is asked, or by AWS's code."""


def add_aws(parser: ArgumentParser) -> None:
    """The options of every command that calls AWS."""
    parser.add_argument(
        "repository", type=repository_name, metavar="REPOSITORY", help="the ECR repository's name, ARN or URI"
    )
    parser.add_argument(
        "--region", help="the AWS region; by default REPOSITORY's, AWS_DEFAULT_REGION, AWS_REGION, or the profile's"
    )
    parser.add_argument("--profile", help="the AWS profile, as boto3 finds it by default")


def clients(options: Namespace, outside: Outside) -> Clients:
    """The clients that the options ask for.

    Raises:
        CouldNotRun: there can be none.
    """
    of_repository: str | None = options.repository.region
    if options.region and of_repository not in (None, options.region):
        raise CouldNotRun(
            f"--region must be REPOSITORY's own, {of_repository}, got {options.region!r}; leave it out, for it is known"
        )
    try:
        found = outside.connect(options.region or of_repository, options.profile)
        _ = urlsplit(found.ecr.meta.endpoint_url).port  # botocore reads it only when it signs
    except failures():
        raise
    except (OSError, ValueError) as error:  # botocore's, for an endpoint or a setting that is none
        raise CouldNotRun(
            f"AWS cannot be asked: {error}; look at --region, AWS_ENDPOINT_URL and AWS's other variables"
        ) from error
    return found


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turns what boto3 raises into ``CouldNotRun``."""
    try:
        yield
    except failures() as error:
        if code(error) in _FIXES:
            raise CouldNotRun(f"AWS cannot be asked: {str(error).rstrip('.')}; {_FIXES[code(error)]}") from error
        raise CouldNotRun(f"AWS did not answer as needed: {why(error)}") from error


def elsewhere(clients: Clients) -> str | None:
    """The endpoint, when it is not one of AWS: what is seen there proves nothing about AWS."""
    url = clients.ecr.meta.endpoint_url
    host = urlsplit(url).hostname or ""
    domains = (
        "amazonaws.com", "api.aws", "on.aws", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "amazonaws.eu",
        "api.amazonwebservices.eu", "c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk", "csp.hci.ic.gov",
    )  # fmt: skip
    return None if any(host.endswith(f".{domain}") for domain in domains) else url
