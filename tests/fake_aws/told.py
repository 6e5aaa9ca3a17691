"""DynamoDB, as far as conditional writes and queries of one table with two keys need it."""

from __future__ import annotations

import re
from typing import Any

from tests.fake_aws.core import Fault, Params

Item = dict[str, dict[str, Any]]


class FakeTold:
    """One table whose keys are the strings ``id`` and ``part``; what has expired stays, as on AWS for a day or more.

    Attributes:
        items: the items by their keys; a test may put anything there.
        size: items of a page.
    """

    name = "dynamodb"

    def __init__(self, table: str) -> None:
        self.table = table
        self.items: dict[tuple[str, str], Item] = {}
        self.size = 2

    def answer(self, operation: str, params: Params) -> dict[str, Any]:
        """The body of a response."""
        if params["TableName"] != self.table:
            raise Fault("ResourceNotFoundException", "Requested resource not found")
        if operation == "PutItem":
            return self._put(params)
        assert operation == "Query", operation
        assert params["ConsistentRead"], "a count that is late would not page"
        return self._query(params)

    def _put(self, params: Params) -> dict[str, Any]:
        item: Item = params["Item"]
        key = (item["id"]["S"], item["part"]["S"])
        condition = params.get("ConditionExpression")
        if condition and not holds(condition, self.items.get(key, {}), params):
            raise Fault("ConditionalCheckFailedException", "The conditional request failed")
        self.items[key] = item
        return {}

    def _query(self, params: Params) -> dict[str, Any]:
        assert params["KeyConditionExpression"] == "#id = :id"
        wanted = params["ExpressionAttributeValues"][":id"]["S"]
        start = params.get("ExclusiveStartKey", {}).get("part", {}).get("S", "")
        keys = sorted(key for key in self.items if key[0] == wanted and key[1] > start)
        read = keys[: self.size]
        items = [self.items[key] for key in read if holds(params["FilterExpression"], self.items[key], params)]
        last = {"LastEvaluatedKey": {"id": {"S": wanted}, "part": {"S": read[-1][1]}}} if len(keys) > len(read) else {}
        return {"Items": items, "Count": len(items), **last}


def holds(expression: str, item: Item, params: Params) -> bool:
    """Whether a condition of ``OR``, ``AND`` and simple comparisons holds for an item."""
    names, values = params["ExpressionAttributeNames"], params["ExpressionAttributeValues"]

    def term(text: str) -> bool:
        text = text.strip().strip("()") if not text.strip().startswith("attribute") else text.strip()
        if match := re.fullmatch(r"attribute_not_exists\((#\w+)\)", text):
            return names[match[1]] not in item
        if match := re.fullmatch(r"(#\w+) BETWEEN (:\w+) AND (:\w+)", text):
            have = item.get(names[match[1]])
            return have is not None and _plain(values[match[2]]) <= _plain(have) <= _plain(values[match[3]])
        match = re.fullmatch(r"(#\w+) (=|<=) (:\w+)", text)
        assert match, text
        have, value = item.get(names[match[1]]), values[match[3]]
        if have is None:
            return False
        return bool(_plain(have) <= _plain(value)) if match[2] == "<=" else have == value

    if "BETWEEN" in expression:
        return term(expression)
    return any(all(term(part) for part in each.split(" AND ")) for each in expression.split(" OR "))


def _plain(value: dict[str, Any]) -> Any:
    ((kind, held),) = value.items()
    return float(held) if kind == "N" else held
