"""What a status page and its feed may do, as plain data (lesson T5). Standard library only."""

from __future__ import annotations

from constructs_lib.iam_policy import PolicyDocument, Statement, allow, document, write_log
from constructs_lib.observability.status_page.policy import OBJECTS, PAGE_PREFIX


def page_permissions(
    *, bucket_arn: str, queue_arn: str, source_region: str, log_group_arn: str, account: str
) -> PolicyDocument:
    """What the page's function may do: read and write its own bucket, and read alarms of the services' region.

    ``cloudwatch:DescribeAlarms`` is allowed on ``*``: a composite alarm is given to nobody who asks with less
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html). It only reads, and in
    that one region. ``s3:ListBucket`` is what makes S3 say 404 of an object that is not there, and not 403.
    """
    return document(
        allow([f"{bucket_arn}/{key}" for key in OBJECTS], "s3:GetObject", "s3:PutObject"),
        allow([bucket_arn], "s3:ListBucket", condition={"StringEquals": {"aws:ResourceAccount": account}}),
        allow(["*"], "cloudwatch:DescribeAlarms", condition={"StringEquals": {"aws:RequestedRegion": source_region}}),
        allow([queue_arn], "sqs:SendMessage"),
        write_log(log_group_arn),
    )


def bucket_policy(*, bucket_arn: str, distribution_arn: str) -> PolicyDocument:
    """CloudFront reads the page and nothing else; everything goes over TLS; nobody writes blindly.

    A write without a precondition could put an older page over a newer one, or a machine's state over what a person
    wrote: so S3 itself refuses it
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html).
    """
    everything = [bucket_arn, f"{bucket_arn}/*"]
    return document(
        _deny(everything, "s3:*", {"Bool": {"aws:SecureTransport": "false"}}),
        _deny([f"{bucket_arn}/*"], "s3:PutObject", {"Null": {"s3:if-match": "true", "s3:if-none-match": "true"}}),
        {
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": f"{bucket_arn}/{PAGE_PREFIX}/*",
            "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
        },
    )


def feed_permissions(bus_arn: str) -> PolicyDocument:
    """What EventBridge may do in the services' region: send events to the page's bus, and to no other."""
    return document(allow([bus_arn], "events:PutEvents"))


def bus_policy(*, bus_arn: str, partition: str, account: str, feed_role_arn: str) -> PolicyDocument:
    """Only the feed's role may send, and only what CloudWatch says.

    In one account a role's own policy is enough to send, and this adds nothing. It is what the bus admits should the
    account's other policies be narrowed.
    """
    return document(
        {
            "Sid": "FeedOnly",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
            "Action": "events:PutEvents",
            "Resource": bus_arn,
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": feed_role_arn},
                "StringEquals": {"events:source": "aws.cloudwatch"},
            },
        }
    )


def _deny(resources: list[str], action: str, condition: dict[str, dict[str, str]]) -> Statement:
    return {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": action,
        "Resource": resources[0] if len(resources) == 1 else resources,
        "Condition": condition,
    }
