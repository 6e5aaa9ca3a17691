"""Findings about the status page that we accept."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.accepted import Accepted
from stacks.config import EnvironmentConfig


def status_findings(config: EnvironmentConfig) -> Iterator[Accepted]:
    """What is accepted of an environment's status page."""
    if config.status_page is None:
        return
    yield _page(
        "IAM5[Resource::*]",
        "cloudwatch:DescribeAlarms gives composite alarms only to who may ask for all. It reads, in one region. "
        "stacks/gate.py refuses every other statement on '*'.",
    )
    yield _page("S1", "Nobody but the page's function and CloudFront reads or writes it; earlier versions are kept.")
    yield _page("CFR1", "A status page is meant to answer everybody, whatever the country.")
    yield _page("CFR2", "It serves four small files of a cache and takes no input; a web ACL has its own price.")
    yield _page("CFR3", "Who reads a status page is not recorded; errors are in CloudFront's own metrics.")
    if config.status_page.page.domain is None:
        yield _page(
            "CFR4", "CloudFront's own name has CloudFront's own certificate and protocols; a domain has TLS 1.2."
        )
    letters = "The queue is what dead letters go to, and an alarm tells that it holds any."
    yield _page("SQS3", letters)
    yield Accepted("status-source", "Source", "AwsSolutions::AwsSolutions-SQS3", letters)


def _page(rule: str, reason: str) -> Accepted:
    return Accepted("status", "Page", f"AwsSolutions::AwsSolutions-{rule}", reason)
