"""What was told already, in one DynamoDB table, so that one fault is told once.

Two functions at once, and an event that comes twice, are one conditional write: only one of them gets the claim. A
claim is held by an invocation. Lambda calls again with the same request id when one has failed
(https://repost.aws/knowledge-center/lambda-function-duplicate-invocations), so a message that could not be sent is sent
by the next try; and it expires soon if there is no next try. When the table does not answer, the message goes out: told
twice is better than not told.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from .aws import failures, log
from .kinds import QUIET_MINUTES

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

KEY: Final = "id"
SORT: Final = "part"
EXPIRES: Final = "expires"
"""The table's keys, both strings, and the attribute by which DynamoDB deletes what is old."""

HELD: Final = timedelta(minutes=2)
"""How long an invocation may take for its message: longer than the function's time-out."""

_CLAIM: Final = "-"
_KEPT: Final = timedelta(days=2)
_FREE: Final = "attribute_not_exists(#id) OR #until <= :now OR (#holder = :holder AND #sent = :no)"


class Told:
    """The memory of messages (lesson W5)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, key: str, holder: str, now: datetime) -> bool:
        """Whether the message of this fault is this invocation's to send."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_claim(key, holder, until=now + HELD, sent=False),
                ConditionExpression=_FREE,
                ExpressionAttributeNames={"#id": KEY, "#until": "until", "#holder": "holder", "#sent": "sent"},
                ExpressionAttributeValues={
                    ":now": _seconds(now),
                    ":holder": {"S": holder},
                    ":no": {"BOOL": False},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        except failures() as error:
            log("what was told cannot be read, so it is told", error=type(error).__name__)
        return True

    def sent(self, key: str, holder: str, now: datetime, *, minutes: int) -> None:
        """The message is out: no more of the same fault for some minutes."""
        try:
            self._client.put_item(
                TableName=self._table, Item=_claim(key, holder, until=now + timedelta(minutes=minutes), sent=True)
            )
        except failures() as error:
            log("that it was told cannot be written, so it may be told again", error=type(error).__name__)

    def times(self, key: str, task: str, at: datetime) -> list[datetime] | None:
        """Notes that this happened to a task, and says when it happened to others lately; ``None``: nobody knows.

        A task counts once, however often it is told.
        """
        length = timedelta(minutes=QUIET_MINUTES)
        query: QueryInputTypeDef = {
            "TableName": self._table,
            "KeyConditionExpression": "#id = :id",
            "FilterExpression": "#at BETWEEN :from AND :to",
            "ExpressionAttributeNames": {"#id": KEY, "#at": "at"},
            "ExpressionAttributeValues": {
                ":id": {"S": _hashed("seen", key)},
                ":from": _seconds(at - length),
                ":to": _seconds(at + length),
            },
            "ConsistentRead": True,
        }
        found: list[datetime] = []
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    KEY: {"S": _hashed("seen", key)},
                    SORT: {"S": _hashed("task", task)},
                    "at": _seconds(at),
                    EXPIRES: _seconds(at + _KEPT),
                },
            )
            while True:
                answer = self._client.query(**query)
                found += [datetime.fromtimestamp(float(item["at"]["N"]), UTC) for item in answer["Items"]]
                if "LastEvaluatedKey" not in answer:
                    return found
                query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        except failures() as error:
            log("what happened to other tasks cannot be read", error=type(error).__name__)
            return None


def _claim(key: str, holder: str, *, until: datetime, sent: bool) -> dict[str, AttributeValueTypeDef]:
    return {
        KEY: {"S": _hashed("told", key)},
        SORT: {"S": _CLAIM},
        "holder": {"S": holder},
        "until": _seconds(until),
        "sent": {"BOOL": sent},
        EXPIRES: _seconds(until + _KEPT),
    }


def _hashed(what: str, text: str) -> str:
    """Of any text a key that DynamoDB takes."""
    return f"{what}/{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"


def _seconds(at: datetime) -> AttributeValueTypeDef:
    return {"N": str(int(at.timestamp()))}
