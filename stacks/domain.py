"""The names of an environment's services, their certificates, and what visitors see when no task answers.

Pure Python, like ``stacks/config.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from constructs_lib.checks import certificate_arn, invalid
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from constructs_lib.services.traffic.unavailable_page import UnavailablePage, edge_certificate_arn, response_seconds

_PLAIN_PAGE: Final = UnavailablePage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain name with its certificate: then the services speak HTTPS.

    Args:
        name: the domain, such as ``shop.example.com``.
        certificate_arn: an ACM certificate for it (and for ``*.<name>`` with several services), in the same region.
        hosted_zone_id: the Route 53 zone to write the names into; ``None``, the default: you write them yourself.
        edge_certificate_arn: another certificate for the same names, in us-east-1: then CloudFront stands before the
            load balancers of an internet-facing environment, and visitors see a page when no task answers. ``None``,
            the default: they see the load balancer's own 503 or 504.
        unavailable_page: the text of that page.
    """

    name: str
    certificate_arn: str
    hosted_zone_id: str | None = None
    edge_certificate_arn: str | None = None
    unavailable_page: UnavailablePage = _PLAIN_PAGE

    def __post_init__(self) -> None:
        if self.edge_certificate_arn is not None:
            edge_certificate_arn("edge_certificate_arn", self.edge_certificate_arn)
        elif self.unavailable_page != _PLAIN_PAGE:
            what, fix = "unavailable_page", "CloudFront shows the page, and needs a certificate in us-east-1"
            raise invalid(what, self.unavailable_page.title, "left out without an edge_certificate_arn", fix)
        if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}", self.name):
            raise invalid("name", self.name, "a domain name", "pass one such as 'shop.example.com'")
        certificate_arn("certificate_arn", self.certificate_arn)


def check_edge(domain: Domain | None, internet_facing: bool, timeouts: Sequence[TimeoutBudget]) -> None:
    """Refuses CloudFront where it could reach no load balancer, or would give up before one does."""
    if domain is None or domain.edge_certificate_arn is None:
        return
    if not internet_facing:
        raise invalid(
            "edge_certificate_arn",
            domain.edge_certificate_arn,
            "left out of an internal environment",
            "CloudFront cannot reach its load balancers; set internet_facing=True, or leave it out",
        )
    for budget in timeouts:
        response_seconds(budget)
