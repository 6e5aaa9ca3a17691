"""What the function that tells people may do, and who may fill its queue, as plain data. Standard library only.

``cloudwatch:DescribeAlarms`` stands on ``*``: a composite alarm is shown to nobody with less
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html). It only reads, only alarms,
and only those of one Region.
"""

from __future__ import annotations

from collections.abc import Sequence

from constructs_lib.iam_policy import PolicyDocument, Statement, allow, document, write_log


def message_permissions(
    *,
    region: str,
    topics: Sequence[str],
    key: str | None,
    table: str,
    evidence: str | None,
    dead_letters: str,
    log_group: str,
) -> PolicyDocument:
    """What the function may do.

    Args:
        region: where the alarms are.
        topics: ARNs of the topics that it publishes to; none: somebody else lets it.
        key: ARN of their key; ``None``: they have none, or somebody else lets it be used.
        table: ARN of its memory.
        evidence: ARN of the log group of events, with ``:*`` at the end; ``None``: there is none.
        dead_letters: ARN of the queue of events that it could not tell.
        log_group: ARN of its own log, with ``:*`` at the end.
    """
    read: list[Statement] = [allow([evidence], "logs:FilterLogEvents")] if evidence else []
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    publish = [allow(topics, "sns:Publish")] if topics else []
    publish += [allow([key], "kms:Decrypt", "kms:GenerateDataKey")] if key else []
    return document(
        *publish,
        allow([table], "dynamodb:PutItem", "dynamodb:Query"),
        allow(["*"], "cloudwatch:DescribeAlarms", condition={"StringEquals": {"aws:RequestedRegion": region}}),
        allow([dead_letters], "sqs:SendMessage"),
        *read,
        write_log(log_group),
    )
