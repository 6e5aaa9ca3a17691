"""The copy of a configuration in S3, and what keeps it (lesson T2)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_s3 as s3
from constructs import Construct

from constructs_lib.iam_policy import PolicyDocument, allow, document, write_log
from constructs_lib.private_bucket import private_bucket
from constructs_lib.python_function import python_function
from constructs_lib.services.configuration.alarms import EVERY_MINUTES
from constructs_lib.services.configuration.policy import copy_key

_VARIABLE: Final = "MOORINGS_COPY"  # as runtime/settings.py reads it
_TIMEOUT_MINUTES: Final = 3
_VERSIONS_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The configuration that is copied (lesson T2).

    Args:
        application: its name in metrics.
        environment: its name in metrics.
        profile: its name in metrics, and AppConfig's of the profile.
        application_id: AppConfig's id.
        environment_id: AppConfig's id.
        profile_id: AppConfig's id.
        application_arn: AppConfig's ARN of the application.
    """

    application: str
    environment: str
    profile: str
    application_id: str
    environment_id: str
    profile_id: str
    application_arn: str


class LastGoodCopy(Construct):
    """A private bucket with the last good copy, and a function that confirms it every five minutes (lesson T2).

    The bucket is versioned, encrypted with S3's own keys, answers over TLS only, and stays when the stack goes. Only
    the function's role may write to it; versions that were replaced go after 30 days.

    Args:
        source: what is copied.

    Attributes:
        bucket: the bucket.
        bucket_name: its name.
        bucket_arn: its ARN.
        key: the copy's key.
        function: the Lambda function (Python, arm64, 256 MB, 3 minutes); its log is kept for 90 days.
        role: what it may do.
    """

    def __init__(self, scope: Construct, id: str, *, source: Source) -> None:
        super().__init__(scope, id)
        self.key = copy_key(source.application, source.environment, source.profile)
        self.bucket = _bucket(self)
        self.bucket_arn = self.bucket.attr_arn
        self.bucket_name = self.bucket.ref
        settings = {
            "application": source.application,
            "environment": source.environment,
            "profile": source.profile,
            "application_id": source.application_id,
            "environment_id": source.environment_id,
            "profile_id": source.profile_id,
            "bucket": self.bucket_name,
            "key": self.key,
        }
        # No Token here stands for a text with a character that JSON escapes, so they can stay in the text.
        text = json.dumps(settings, separators=(",", ":"))
        made = python_function(
            self,
            folder=Path(__file__).parent,
            handler="runtime.handler.main",
            description="Keeps the last good copy of a configuration (lesson T2)",
            schedule=f"rate({EVERY_MINUTES} minutes)",
            environment={_VARIABLE: text},
            permissions=lambda log_group: _permissions(source, self.bucket_arn, self.key, log_group),
            may="Copies a configuration for tasks that start while AppConfig is down (lesson T2)",
            timeout_minutes=_TIMEOUT_MINUTES,
        )
        self.function, self.role = made.function, made.role
        s3.CfnBucketPolicy(
            self,
            "BucketPolicy",
            bucket=self.bucket_name,
            policy_document=_bucket_policy(self.bucket_arn, self.role.role_arn),
        )


def _bucket(scope: Construct) -> s3.CfnBucket:
    replaced = s3.CfnBucket.RuleProperty(
        id="replaced-copies",
        status="Enabled",
        noncurrent_version_expiration=s3.CfnBucket.NoncurrentVersionExpirationProperty(noncurrent_days=_VERSIONS_DAYS),
    )
    bucket = private_bucket(scope, "Bucket", forgets=[replaced])
    bucket.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    return bucket


def _bucket_policy(bucket_arn: str, writer_arn: str) -> dict[str, object]:
    """Denials only: TLS for everybody, and one writer, whatever others are allowed elsewhere."""
    everything = [bucket_arn, f"{bucket_arn}/*"]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "s3:*",
                "Resource": everything,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
            {
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "s3:PutObject",
                "Resource": f"{bucket_arn}/*",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": writer_arn}},
            },
        ],
    }


def _permissions(source: Source, bucket_arn: str, key: str, log_group_arn: str) -> PolicyDocument:
    """What the function may do: read one application of AppConfig, read and write one object, write its log.

    The versions of a configuration are numbered as they are made, so their ARNs end with ``*``. Without
    ``s3:ListBucket`` S3 answers 403 for an object that is not there, as for one that may not be read
    (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
    """
    application = source.application_arn
    profile = f"{application}/configurationprofile/{source.profile_id}"
    return document(
        allow([application, f"{application}/environment/{source.environment_id}"], "appconfig:ListDeployments"),
        allow(
            [application, profile, f"{profile}/hostedconfigurationversion/*"], "appconfig:GetHostedConfigurationVersion"
        ),
        allow([f"{bucket_arn}/{key}"], "s3:GetObject", "s3:PutObject"),
        allow([bucket_arn], "s3:ListBucket"),
        write_log(log_group_arn),
    )
