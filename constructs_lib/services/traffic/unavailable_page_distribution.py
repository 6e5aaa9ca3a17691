"""A CloudFront distribution before a load balancer: it shows a page when no target answers (lesson Q4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from constructs_lib.checks import concrete, invalid, whole_number
from constructs_lib.services.traffic.timeouts import TimeoutBudget
from constructs_lib.services.traffic.unavailable_page import (
    PAGE_CODES,
    PAGE_PATHS,
    PAGE_STATUS,
    UNCACHED_CODES,
    EdgeWaits,
    UnavailablePage,
    edge_certificate_arn,
    response_seconds,
)

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
_CACHING_DISABLED: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_CACHING_OPTIMIZED: Final = "658327ea-f89d-4fab-a63d-7e88639e58f6"
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html
_ALL_VIEWER: Final = "216adef6-5c7f-47e4-b989-5492eafa07d3"
_HOST_HEADER_ONLY: Final = "bf0718e1-ba1e-49d1-88b1-f726733018ae"

_ALL_METHODS: Final = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")
_ORIGIN: Final = "load-balancer"
_DOMAIN: Final = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_COMMENT_LENGTH: Final = 128

_DEFAULT_PAGE: Final = UnavailablePage()
_DEFAULT_TIMEOUTS: Final = TimeoutBudget()
_DEFAULT_WAITS: Final = EdgeWaits()


class UnavailablePageDistribution(Construct):
    """Passes every request on to a load balancer, and shows a page where it would answer 502, 503 or 504 (lesson Q4).

    The page is a fixed response of the same load balancer, on a path of its own: no bucket, no function, and nothing
    that has to change during an outage. Nothing else is cached, not even an error. An application's own 502, 503 and
    504 are replaced too. See ``docs/decisions/0016-a-page-instead-of-504.md``.

    Args:
        load_balancer: an internet-facing application load balancer, anybody's.
        listener: its listener that CloudFront reaches: on port 443 with a ``certificate_arn`` or an ``origin_name``, on
            port 80 without.
        page: what visitors see.
        priority: of the page's rule on the listener, 1 to 50000, before any rule that could take its path; 1 by
            default.
        domain_names: the site's names, all of them in both certificates: this one and the listener's. None by default:
            visitors use CloudFront's own name, over HTTPS, and CloudFront speaks plain HTTP to the load balancer.
        certificate_arn: an ACM certificate for those names, in us-east-1, whatever region the load balancer is in.
        origin_name: a name of the load balancer that is in its listener's certificate. ``None``, the default: AWS's
            name of it; CloudFront then compares the certificate with the site's name, which it passes on.
        timeouts: CloudFront is the caller of this budget, and waits ``caller_seconds`` for an answer, at most 120.
        waits: how long CloudFront waits for a connection.

    Attributes:
        distribution: for ``aws_route53_targets.CloudFrontTarget`` and metrics.
        domain_name: CloudFront's name of the distribution: where the site's own records must point to.

    Raises:
        ValueError: a certificate of another region, names without certificate or the other way round, a name that is
            none, an internal load balancer, or ``caller_seconds`` that CloudFront does not wait.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        load_balancer: elbv2.IApplicationLoadBalancer,
        listener: elbv2.IApplicationListener,
        page: UnavailablePage = _DEFAULT_PAGE,
        priority: int = 1,
        domain_names: Sequence[str] = (),
        certificate_arn: str | None = None,
        origin_name: str | None = None,
        timeouts: TimeoutBudget = _DEFAULT_TIMEOUTS,
        waits: EdgeWaits = _DEFAULT_WAITS,
    ) -> None:
        whole_number("priority", priority, low=1, high=50000, fix="choose one before all rules that match any path")
        _check_names(domain_names, certificate_arn)
        answer_seconds = response_seconds(timeouts)
        if origin_name is not None:
            concrete("origin_name", origin_name, "pass a name from the listener's certificate")
        _check_scheme(load_balancer)
        super().__init__(scope, id)
        _page_rule(self, listener, page, priority)
        made = cloudfront.CfnDistribution(
            self,
            "Resource",
            distribution_config=cloudfront.CfnDistribution.DistributionConfigProperty(
                enabled=True,
                comment=f"{self.node.path}: a page when no target answers"[-_COMMENT_LENGTH:],
                http_version="http2",
                # The load balancer has IPv4 only, and so has the site's record.
                ipv6_enabled=False,
                aliases=list(domain_names) or None,
                viewer_certificate=_viewer_certificate(certificate_arn),
                origins=[
                    _origin(
                        origin_name or load_balancer.load_balancer_dns_name,
                        waits,
                        answer_seconds,
                        encrypted=certificate_arn is not None or origin_name is not None,
                    )
                ],
                default_cache_behavior=_everything(),
                cache_behaviors=[_the_page()],
                custom_error_responses=_error_responses(page),
            ),
        )
        self.domain_name = made.attr_domain_name
        self.distribution: cloudfront.IDistribution = cloudfront.Distribution.from_distribution_attributes(
            self, "Distribution", distribution_id=made.ref, domain_name=self.domain_name
        )


def _everything() -> cloudfront.CfnDistribution.DefaultCacheBehaviorProperty:
    return cloudfront.CfnDistribution.DefaultCacheBehaviorProperty(
        target_origin_id=_ORIGIN,
        viewer_protocol_policy="redirect-to-https",
        allowed_methods=list(_ALL_METHODS),
        cache_policy_id=_CACHING_DISABLED,
        origin_request_policy_id=_ALL_VIEWER,
    )


def _the_page() -> cloudfront.CfnDistribution.CacheBehaviorProperty:
    return cloudfront.CfnDistribution.CacheBehaviorProperty(
        path_pattern=PAGE_PATHS,
        target_origin_id=_ORIGIN,
        viewer_protocol_policy="redirect-to-https",
        # All of them: no document says with which one CloudFront asks for the page after a POST has failed.
        allowed_methods=list(_ALL_METHODS),
        # A day, because a fixed response says nothing of caching: so an edge that has the page can go on showing it
        # when the load balancer itself is out of reach.
        cache_policy_id=_CACHING_OPTIMIZED,
        # CloudFront compares the listener's certificate with this header.
        origin_request_policy_id=_HOST_HEADER_ONLY,
    )


def _page_rule(
    scope: Construct, listener: elbv2.IApplicationListener, page: UnavailablePage, priority: int
) -> elbv2.CfnListenerRule:
    """The page itself. 200, because CloudFront shows what it gets for another status, and keeps none of it."""
    rule = elbv2.CfnListenerRule
    return rule(
        scope,
        "Page",
        listener_arn=listener.listener_arn,
        priority=priority,
        conditions=[
            rule.RuleConditionProperty(
                field="path-pattern", path_pattern_config=rule.PathPatternConfigProperty(values=[PAGE_PATHS])
            )
        ],
        actions=[
            rule.ActionProperty(
                type="fixed-response",
                fixed_response_config=rule.FixedResponseConfigProperty(
                    status_code="200", content_type="text/html", message_body=page.html()
                ),
            )
        ],
    )


def _origin(
    name: str, waits: EdgeWaits, answer_seconds: int, *, encrypted: bool
) -> cloudfront.CfnDistribution.OriginProperty:
    return cloudfront.CfnDistribution.OriginProperty(
        id=_ORIGIN,
        domain_name=name,
        connection_attempts=waits.attempts,
        connection_timeout=waits.connect_seconds,
        custom_origin_config=cloudfront.CfnDistribution.CustomOriginConfigProperty(
            origin_protocol_policy="https-only" if encrypted else "http-only",
            origin_ssl_protocols=["TLSv1.2"],
            origin_read_timeout=answer_seconds,
        ),
    )


def _viewer_certificate(arn: str | None) -> cloudfront.CfnDistribution.ViewerCertificateProperty:
    if arn is None:
        return cloudfront.CfnDistribution.ViewerCertificateProperty(cloud_front_default_certificate=True)
    return cloudfront.CfnDistribution.ViewerCertificateProperty(
        acm_certificate_arn=arn, ssl_support_method="sni-only", minimum_protocol_version="TLSv1.2_2021"
    )


def _error_responses(page: UnavailablePage) -> list[cloudfront.CfnDistribution.CustomErrorResponseProperty]:
    """Nothing is kept: when a target is back, the next request reaches it."""
    response = cloudfront.CfnDistribution.CustomErrorResponseProperty
    path = page.path()
    shown = [
        response(error_code=code, error_caching_min_ttl=0, response_code=PAGE_STATUS, response_page_path=path)
        for code in PAGE_CODES
    ]
    return shown + [response(error_code=code, error_caching_min_ttl=0) for code in UNCACHED_CODES]


def _check_names(names: Sequence[str], certificate_arn: str | None) -> None:
    if isinstance(names, str):
        raise invalid("domain_names", names, "a sequence of names", f"write it as [{names!r}]")
    for name in names:
        concrete("domain_names", name)
        if not _DOMAIN.fullmatch(name):
            raise invalid("domain_names", name, "domain names in lower case", "pass one such as 'shop.example.com'")
        if list(names).count(name) > 1:
            raise invalid("domain_names", list(names), "all different", f"name {name!r} once")
    if certificate_arn is not None:
        edge_certificate_arn("certificate_arn", certificate_arn)
    if bool(names) != (certificate_arn is not None):
        raise invalid(
            "domain_names and certificate_arn",
            (list(names), certificate_arn),
            "given together, or neither of them",
            "CloudFront answers to a name of yours only with a certificate for it",
        )


def _check_scheme(load_balancer: elbv2.IApplicationLoadBalancer) -> None:
    """Of a load balancer that is imported nobody knows it before deployment."""
    made = load_balancer.node.default_child
    if isinstance(made, elbv2.CfnLoadBalancer) and made.scheme != "internet-facing":
        raise invalid(
            "load_balancer",
            load_balancer.node.path,
            "internet-facing",
            "CloudFront reaches it over the internet; people who are inside need no CloudFront",
        )
