"""Stands for the pager and the mailbox: a queue that is told what the topics of an environment send."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it arrived.

    Args:
        topic: the ARN of the topic that sent it.
        subject: its first line.
        text: all of it.
        at: when it arrived, in seconds since 1970.
    """

    topic: str
    subject: str
    text: str
    at: float


class Pager:
    """What has arrived so far."""

    def __init__(self, region: str, url: str) -> None:
        self._sqs = boto3.client("sqs", region_name=region)
        self._url = url
        self._messages: list[Message] = []

    def messages(self, topic: str) -> list[Message]:
        """All messages of a topic, the first one first."""
        while batch := self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
        ).get("Messages", []):
            for one in batch:
                body: Mapping[str, str] = json.loads(one["Body"])
                at = int(one["Attributes"]["SentTimestamp"]) / 1000
                subject = body.get("Subject") or "(no subject)"
                found = Message(topic=body["TopicArn"], subject=subject, text=body["Message"], at=at)
                self._messages.append(found)
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=one["ReceiptHandle"])
        return sorted((one for one in self._messages if one.topic == topic), key=lambda one: one.at)


@contextmanager
def pager(region: str, *topics: str) -> Iterator[Pager]:
    """Listens to the topics, and leaves nothing behind."""
    sqs, sns = boto3.client("sqs", region_name=region), boto3.client("sns", region_name=region)
    url = sqs.create_queue(QueueName=f"moorings-demo-pager-{secrets.token_hex(4)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscriptions = [
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
        for topic in topics
    ]
    try:
        yield Pager(region, url)
    finally:
        for subscription in subscriptions:
            sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=url)
