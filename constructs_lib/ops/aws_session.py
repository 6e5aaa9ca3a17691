"""How a command reaches AWS, and how AWS's errors become one sentence. boto3 is loaded when it is needed."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from constructs_lib.images.runtime.aws import Clients
from constructs_lib.images.runtime.errors import failures, why
from constructs_lib.ops.outside import CouldNotRun, Outside


def add_aws(parser: ArgumentParser) -> None:
    """The options of every command that calls AWS."""
    parser.add_argument("repository", metavar="REPOSITORY", help="the ECR repository's name")
    parser.add_argument("--region", help="the AWS region, as boto3 finds it by default")
    parser.add_argument("--profile", help="the AWS profile, as boto3 finds it by default")


def clients(options: Namespace, outside: Outside) -> Clients:
    """The clients that the options ask for."""
    return outside.connect(options.region, options.profile)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turns what boto3 raises into ``CouldNotRun``."""
    try:
        yield
    except failures() as error:
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
