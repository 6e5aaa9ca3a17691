"""A bucket that nobody else can read, and whose earlier versions are kept for a while (lessons T2, T5)."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_s3 as s3
from constructs import Construct


def private_bucket(
    scope: Construct, id: str, *, forgets: Sequence[s3.CfnBucket.RuleProperty], name: str | None = None
) -> s3.CfnBucket:
    """An L1: encrypted with S3's own keys, versioned, without ACLs, and never public.

    S3's own keys, so that there is no key that all who use the bucket would have to reach too.

    Args:
        scope: the construct that it belongs to.
        id: its construct id.
        forgets: which versions go, and when.
        name: the bucket's name; ``None``, the default: CloudFormation makes one.
    """
    return s3.CfnBucket(
        scope,
        id,
        bucket_name=name,
        bucket_encryption=s3.CfnBucket.BucketEncryptionProperty(
            server_side_encryption_configuration=[
                s3.CfnBucket.ServerSideEncryptionRuleProperty(
                    server_side_encryption_by_default=s3.CfnBucket.ServerSideEncryptionByDefaultProperty(
                        sse_algorithm="AES256"
                    )
                )
            ]
        ),
        public_access_block_configuration=s3.CfnBucket.PublicAccessBlockConfigurationProperty(
            block_public_acls=True, block_public_policy=True, ignore_public_acls=True, restrict_public_buckets=True
        ),
        ownership_controls=s3.CfnBucket.OwnershipControlsProperty(
            rules=[s3.CfnBucket.OwnershipControlsRuleProperty(object_ownership="BucketOwnerEnforced")]
        ),
        versioning_configuration=s3.CfnBucket.VersioningConfigurationProperty(status="Enabled"),
        lifecycle_configuration=s3.CfnBucket.LifecycleConfigurationProperty(rules=list(forgets)),
    )
