"""How CloudWatch turns datapoints into a state: M of N, missing data, metric math. Pure; no MiniStack here.

What missing data means is AWS's table:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

EXTRA_PERIODS: Final = 2
"""CloudWatch looks at more periods than an alarm asks for, and does not say at how many. AWS's example has 5 for 3."""

Value = float | None
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_ARITHMETIC: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_RELATION: Final[dict[type[ast.cmpop], Callable[[float, float], bool]]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def state(values: Sequence[Value], alarm: Mapping[str, Any]) -> str | None:
    """The state that the periods give, oldest first; None: the alarm stays as it is."""
    periods = alarm["EvaluationPeriods"]
    needed, missing = alarm.get("DatapointsToAlarm") or periods, alarm.get("TreatMissingData") or "missing"
    compare = _COMPARE[alarm["ComparisonOperator"]]
    real = [value for value in values if value is not None][-periods:]
    wrong, filled = sum(compare(value, alarm["Threshold"]) for value in real), periods - len(real)
    if filled and missing == "breaching":
        wrong += filled
    if wrong >= needed:
        return "ALARM"
    if not filled or missing in ("breaching", "notBreaching"):
        return "OK"
    if not real:
        return None if missing == "ignore" else "INSUFFICIENT_DATA"
    if wrong == len(real):  # nothing speaks against the alarm
        return None if missing == "ignore" else "ALARM"
    return "OK"


class UnknownExpressionError(ValueError):
    """Metric math that this model does not know."""


def check(expression: str) -> None:
    """Raises UnknownExpressionError where there is more than numbers, ids, + - * /, comparisons and IF."""
    reckon(expression, {node.id: None for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name)})


def reckon(expression: str, values: Mapping[str, Value]) -> Value:
    """One period's value. Of two that are added, a missing one counts as 0 while the other is there.

    A quotient by 0 or by a missing value has no value: that is our reading, no AWS page says.
    """
    return _value(_parsed(expression).body, values)


def _parsed(expression: str) -> ast.Expression:
    try:
        return ast.parse(expression, mode="eval")
    except SyntaxError as error:
        raise UnknownExpressionError(f"metric math {expression!r} cannot be read") from error


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _combined(op, _value(left, values), _value(right, values))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _RELATION:
            one, other = _value(left, values), _value(right, values)
            return None if one is None or other is None else float(_RELATION[type(op)](one, other))
        case ast.Call(func=ast.Name(id="IF"), args=[condition, then, otherwise]):
            decided, chosen, refused = (_value(each, values) for each in (condition, then, otherwise))
            return None if decided is None else chosen if decided else refused
        case _:
            raise UnknownExpressionError(f"metric math {ast.unparse(node)!r} is not part of this emulator")


def _combined(op: ast.operator, left: Value, right: Value) -> Value:
    if isinstance(op, ast.Add | ast.Sub) and (left is None) != (right is None):
        return _ARITHMETIC[type(op)](left or 0.0, right or 0.0)
    if left is None or right is None or (isinstance(op, ast.Div) and right == 0):
        return None
    return _ARITHMETIC[type(op)](left, right)
