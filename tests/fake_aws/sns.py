"""SNS, as far as it takes or refuses a message, by the rules of its Publish reference."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.fake_aws.core import Fault, Params

MOST_BYTES = 256 * 1024
MOST_SUBJECT = 100


@dataclass(frozen=True, slots=True)
class Published:
    """A message that SNS took."""

    topic: str
    subject: str
    bodies: dict[str, str]

    @property
    def text(self) -> str:
        """What a mail says."""
        return self.bodies["email"]

    @property
    def chat(self) -> dict[str, Any]:
        """What goes to chat."""
        found: dict[str, Any] = json.loads(self.bodies["https"])
        return found


class FakeSns:
    """Topics by ARN.

    Attributes:
        published: what was taken, in order.
    """

    name = "sns"

    def __init__(self, *topics: str) -> None:
        self.topics = set(topics)
        self.published: list[Published] = []

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        assert operation == "Publish", operation
        if params["TopicArn"] not in self.topics:
            raise Fault("NotFound", "Topic does not exist", 404)
        subject, message = params["Subject"], params["Message"]
        # The stricter of two readings of the reference: today's, and the one before it, which took ASCII only.
        if len(subject) >= MOST_SUBJECT or not re.fullmatch(r"[!-~][ -~]*", subject):
            raise Fault("InvalidParameter", "Invalid parameter: Subject")
        if len(message.encode()) > MOST_BYTES:
            raise Fault("InvalidParameter", "Invalid parameter: Message too long")
        bodies = json.loads(message)
        if params["MessageStructure"] != "json" or not isinstance(bodies.get("default"), str):
            raise Fault("InvalidParameter", "Invalid parameter: Message Structure - No default entry")
        self.published.append(Published(params["TopicArn"], subject, bodies))
        return {"MessageId": str(len(self.published))}
