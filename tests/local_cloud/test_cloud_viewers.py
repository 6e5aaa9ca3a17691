"""The address at which a browser sees what a CloudFront distribution serves."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest

from local_cloud import control, controls


def opened(address: str) -> Any:
    """What a browser gets."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=10)


POLICY = "default-src 'none'; style-src 'self'"


def template(bucket: str) -> dict[str, Any]:
    """A private bucket that insists on TLS behind a distribution with security headers, HTTPS only."""
    arn = {"Fn::Sub": "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Page}"}
    tls_only = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
    }
    headers = {
        "Name": "page",
        "SecurityHeadersConfig": {
            "ContentSecurityPolicy": {"ContentSecurityPolicy": POLICY, "Override": True},
            "ContentTypeOptions": {"Override": True},
            "FrameOptions": {"FrameOption": "DENY", "Override": True},
        },
    }
    origin = {
        "Id": "bucket",
        "DomainName": {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]},
        "OriginAccessControlId": {"Fn::GetAtt": ["Access", "Id"]},
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    access = {
        "Name": "page",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    behavior = {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "ResponseHeadersPolicyId": {"Ref": "Headers"},
    }
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
            "Headers": {
                "Type": "AWS::CloudFront::ResponseHeadersPolicy",
                "Properties": {"ResponseHeadersPolicyConfig": headers},
            },
            "Access": {
                "Type": "AWS::CloudFront::OriginAccessControl",
                "Properties": {"OriginAccessControlConfig": access},
            },
            "Page": {
                "Type": "AWS::CloudFront::Distribution",
                "Properties": {
                    "DistributionConfig": {
                        "Enabled": True,
                        "DefaultRootObject": "index.html",
                        "Origins": [origin],
                        "DefaultCacheBehavior": behavior,
                    }
                },
            },
            "Policy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": [tls_only, statement]}},
            },
        },
        "Outputs": {"Page": {"Value": {"Ref": "Page"}}},
    }


def test_a_browser_sees_the_page_with_its_headers(aws: Any, endpoint: control.Endpoint) -> None:
    """The default root object, a folder's page, the security headers, 403 for what is not there; GET only from here."""
    bucket = f"page-{aws.account}"
    made = aws.deploy("page", template(bucket))
    assert made["StackStatus"] == "CREATE_COMPLETE", aws.reasons("page")
    for key, body in (("index.html", "<h1>fine</h1>"), ("ja/index.html", "<h1>正常</h1>")):
        aws("s3").put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="text/html; charset=utf-8")
    address = controls.viewer_address(endpoint, account=aws.account, distribution=made["Outputs"]["Page"])
    assert address.startswith("http://127.0.0.1:")
    with opened(address) as page:
        assert page.read() == b"<h1>fine</h1>"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert page.headers["Content-Security-Policy"] == POLICY
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["X-Cache"] == "Miss from cloudfront"
    with opened(f"{address}ja/index.html") as page:
        assert page.read().decode() == "<h1>正常</h1>"
    with pytest.raises(urllib.error.HTTPError) as missing:
        opened(f"{address}state.json")
    assert missing.value.code in (403, 404)
    again = controls.viewer_address(endpoint, account=aws.account, distribution=made["Outputs"]["Page"])
    assert again == address, "asked twice, it is the same"


def test_an_unknown_distribution_has_no_address(aws: Any, endpoint: control.Endpoint) -> None:
    """One sentence says so."""
    with pytest.raises(control.LocalCloudError, match="there is no distribution E123"):
        controls.viewer_address(endpoint, account=aws.account, distribution="E123")
