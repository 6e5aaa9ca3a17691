"""The bucket of a status page: private, kept, and with earlier versions of what people wrote."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.observability.status_page.policy import PAGE_PREFIX, STATE_PREFIX
from constructs_lib.private_bucket import private_bucket

STATE_VERSIONS_DAYS: Final = 30
PAGE_VERSIONS_DAYS: Final = 1


def status_bucket(scope: Construct, id: str, *, name: str) -> s3.CfnBucket:
    """A bucket that only its own account and one distribution can read.

    Its name is fixed, so one that a failed first deployment left would stop the second: that one goes, any other stays.

    Earlier versions of the state are kept for 30 days, to see and to put back what was; those of the pages, which
    follow from it, for a day.
    """
    forgets = (_forget(f"{STATE_PREFIX}/", STATE_VERSIONS_DAYS), _forget(f"{PAGE_PREFIX}/", PAGE_VERSIONS_DAYS))
    bucket = private_bucket(scope, id, name=name, forgets=forgets)
    bucket.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    return bucket


def _forget(prefix: str, days: int) -> s3.CfnBucket.RuleProperty:
    return s3.CfnBucket.RuleProperty(
        id=f"earlier-versions-of-{prefix.rstrip('/')}",
        status="Enabled",
        prefix=prefix,
        noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=days),
    )
