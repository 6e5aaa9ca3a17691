"""DynamoDB, as far as the guard's memory needs it: items of one string key."""

from __future__ import annotations

from typing import Any

from tests.fake_aws.core import Fault, Params

MOST_BYTES = 400 * 1024
"""The largest item (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html)."""

Item = dict[str, dict[str, Any]]


class FakeDynamoDb:
    """Tables whose key is the string ``id``.

    Attributes:
        tables: the items of each table by key; a test may put anything there.
    """

    name = "dynamodb"

    def __init__(self, *tables: str) -> None:
        self.tables: dict[str, dict[str, Item]] = {table: {} for table in tables}

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of the response."""
        table = self.tables.get(params["TableName"])
        if table is None:
            raise Fault("ResourceNotFoundException", "Requested resource not found")
        if operation == "GetItem":
            item = table.get(params["Key"]["id"]["S"])
            return {} if item is None else {"Item": item}
        if operation == "PutItem":
            if sum(len(name.encode()) + size(value) for name, value in params["Item"].items()) > MOST_BYTES:
                raise Fault("ValidationException", "Item size has exceeded the maximum allowed size")
            table[params["Item"]["id"]["S"]] = params["Item"]
            return {}
        raise Fault("AccessDeniedException", f"the guard has no permission for {operation}")


def size(value: dict[str, Any]) -> int:
    """The bytes of an attribute value (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)."""
    ((kind, held),) = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + size(inner) for name, inner in held.items())
    if kind == "N":
        return len(held) // 2 + 2
    return len(str(held).encode())
