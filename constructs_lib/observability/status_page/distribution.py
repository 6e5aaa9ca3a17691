"""CloudFront before the bucket of a status page: TLS, security headers, and a cache of seconds."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_route53 as route53
from constructs import Construct

from constructs_lib.observability.status_page.policy import PAGE_PREFIX, StatusDomain

LONGEST_SECONDS: Final = 10
"""What an edge keeps at most, whatever an object says of itself."""

_SHORT_SECONDS: Final = 5
_ERROR_SECONDS: Final = 1
_ERRORS: Final = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
"""All whose caching CloudFront lets one set
(https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html)."""
_YEAR_SECONDS: Final = 31_536_000
_ORIGIN: Final = "bucket"
_DISTRIBUTION_ZONE: Final = "Z2FDTNDATAQYW2"
"""Of all distributions
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-route53-aliastarget.html)."""


def status_distribution(
    scope: Construct, *, name: str, bucket_domain: str, domain: StatusDomain | None, content_security_policy: str
) -> cloudfront.CfnDistribution:
    """A distribution of the objects under ``page/``, and of nothing else. No invalidation is ever needed.

    An invalidation would go by CloudFront's control plane in us-east-1
    (https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/appendix-b---edge-network-global-service-guidance.html),
    which may be what is down.
    """
    access = cloudfront.CfnOriginAccessControl(
        scope,
        "Access",
        origin_access_control_config=cloudfront.CfnOriginAccessControl.OriginAccessControlConfigProperty(
            name=name, origin_access_control_origin_type="s3", signing_behavior="always", signing_protocol="sigv4"
        ),
    )
    config = cloudfront.CfnDistribution.DistributionConfigProperty(
        enabled=True,
        comment=f"{name}: the status page",
        http_version="http2and3",
        ipv6_enabled=True,
        default_root_object="index.html",
        aliases=[domain.name] if domain else None,
        viewer_certificate=_certificate(domain),
        origins=[
            cloudfront.CfnDistribution.OriginProperty(
                id=_ORIGIN,
                domain_name=bucket_domain,
                origin_path=f"/{PAGE_PREFIX}",
                origin_access_control_id=access.ref,
                s3_origin_config=cloudfront.CfnDistribution.S3OriginConfigProperty(origin_access_identity=""),
            )
        ],
        default_cache_behavior=cloudfront.CfnDistribution.DefaultCacheBehaviorProperty(
            target_origin_id=_ORIGIN,
            viewer_protocol_policy="redirect-to-https",
            allowed_methods=["GET", "HEAD"],
            compress=True,
            cache_policy_id=_cache(scope, name).ref,
            response_headers_policy_id=_headers(scope, name, content_security_policy).ref,
        ),
        custom_error_responses=[
            cloudfront.CfnDistribution.CustomErrorResponseProperty(
                error_code=error, error_caching_min_ttl=_ERROR_SECONDS
            )
            for error in _ERRORS
        ],
    )
    return cloudfront.CfnDistribution(scope, "Distribution", distribution_config=config)


def name_page(scope: Construct, domain: StatusDomain, distribution: cloudfront.CfnDistribution) -> None:
    """Writes the name into its zone, if there is one to write into."""
    if domain.hosted_zone_id is None:
        return
    target = route53.CfnRecordSet.AliasTargetProperty(
        dns_name=distribution.attr_domain_name, hosted_zone_id=_DISTRIBUTION_ZONE
    )
    for kind in ("A", "AAAA"):
        route53.CfnRecordSet(
            scope,
            f"Record{kind}",
            name=f"{domain.name}.",
            type=kind,
            hosted_zone_id=domain.hosted_zone_id,
            alias_target=target,
        )


def _certificate(domain: StatusDomain | None) -> cloudfront.CfnDistribution.ViewerCertificateProperty:
    if domain is None:
        return cloudfront.CfnDistribution.ViewerCertificateProperty(cloud_front_default_certificate=True)
    return cloudfront.CfnDistribution.ViewerCertificateProperty(
        acm_certificate_arn=domain.certificate_arn,
        ssl_support_method="sni-only",
        minimum_protocol_version="TLSv1.2_2021",
    )


def _cache(scope: Construct, name: str) -> cloudfront.CfnCachePolicy:
    """Seconds, and one copy for all: neither a header nor a cookie nor a query asks for another page."""
    policy = cloudfront.CfnCachePolicy
    return policy(
        scope,
        "Cache",
        cache_policy_config=policy.CachePolicyConfigProperty(
            name=name,
            comment="A status page is at most seconds old",
            min_ttl=0,
            default_ttl=_SHORT_SECONDS,
            max_ttl=LONGEST_SECONDS,
            parameters_in_cache_key_and_forwarded_to_origin=policy.ParametersInCacheKeyAndForwardedToOriginProperty(
                enable_accept_encoding_brotli=True,
                enable_accept_encoding_gzip=True,
                headers_config=policy.HeadersConfigProperty(header_behavior="none"),
                cookies_config=policy.CookiesConfigProperty(cookie_behavior="none"),
                query_strings_config=policy.QueryStringsConfigProperty(query_string_behavior="none"),
            ),
        ),
    )


def _headers(scope: Construct, name: str, content_security_policy: str) -> cloudfront.CfnResponseHeadersPolicy:
    policy = cloudfront.CfnResponseHeadersPolicy
    return policy(
        scope,
        "Headers",
        response_headers_policy_config=policy.ResponseHeadersPolicyConfigProperty(
            name=name,
            comment="A status page runs nothing, loads nothing and is framed by nobody",
            security_headers_config=policy.SecurityHeadersConfigProperty(
                content_security_policy=policy.ContentSecurityPolicyProperty(
                    content_security_policy=content_security_policy, override=True
                ),
                content_type_options=policy.ContentTypeOptionsProperty(override=True),
                frame_options=policy.FrameOptionsProperty(frame_option="DENY", override=True),
                referrer_policy=policy.ReferrerPolicyProperty(referrer_policy="no-referrer", override=True),
                strict_transport_security=policy.StrictTransportSecurityProperty(
                    access_control_max_age_sec=_YEAR_SECONDS, override=True
                ),
            ),
        ),
    )
