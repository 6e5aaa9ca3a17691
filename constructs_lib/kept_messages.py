"""A queue of what somebody must look at, as data: how long it keeps, and when it is a fault. Standard library only."""

from __future__ import annotations

from typing import Final

from constructs_lib.alarm_spec import Metric, Threshold

KEPT_SECONDS: Final = 14 * 24 * 3600
"""SQS keeps a message no longer
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html)."""

IDLE_QUEUE_SECONDS: Final = 15 * 60
"""SQS's metrics may come so late, say those who use them (https://cubeapm.com/faqs/aws-sqs-metrics-to-monitor/); most
after a queue was idle, as such a one should be. No AWS page that we could read gives the time."""

ANY_MESSAGE: Final = Threshold(
    value=1,
    missing="ignore",
    missing_because="SQS reports while a queue is active; its messages are still there",
)
"""One is enough, and it stays a fault until somebody has looked and deleted it. SQS reports while a queue is active,
and one that holds messages is, so no data leaves the alarm as it is
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html)."""


def messages_kept(queue: str) -> Metric:
    """How many messages a queue holds.

    Args:
        queue: SQS's name of it; it may be a Token.
    """
    return Metric(
        namespace="AWS/SQS",
        name="ApproximateNumberOfMessagesVisible",
        dimensions={"QueueName": queue},
        statistic="Maximum",
    )
