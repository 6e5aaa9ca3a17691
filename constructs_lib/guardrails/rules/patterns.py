"""Which events a pattern of EventBridge lets through, as far as a template tells.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, Union

from constructs_lib.guardrails.templates.assembly import Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import HOLE, Reference, Text, Unknown, as_text

_DEEPEST: Final = 20

Answer: TypeAlias = bool | None
"""None when the template alone does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A field of an event that is the name of a resource, or an ARN that ends with it (lesson W5).

    Args:
        resources: what is meant, if the assembly has it.
        name: its name; None or absent where CloudFormation makes one up.
    """

    resources: Sequence[Resource] = ()
    name: Node | None = None


Event: TypeAlias = Mapping[str, Union[str, Named, "Event"]]
"""What is known of an event; a field that is not here may have any value."""


def matches(pattern: Node, event: Event) -> Answer:
    """Whether a pattern lets an event through."""
    return _matches(pattern, event, 0)


def any_of(answers: Iterable[Answer]) -> Answer:
    """Whether one of the answers is yes."""
    unknown = False
    for answer in answers:
        if answer:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _all_of(answers: Iterable[Answer]) -> Answer:
    return _not(any_of(_not(answer) for answer in answers))


def _not(answer: Answer) -> Answer:
    return None if answer is None else not answer


def _matches(pattern: Node, event: Event, depth: int) -> Answer:
    if not isinstance(pattern.value, dict) or not pattern.value or depth > _DEEPEST:
        return None
    try:
        return _all_of(_field(key, wanted, event.get(key), event, depth) for key, wanted in pattern.entries())
    except NotKnown:
        return None


def _field(key: str, wanted: Node, got: Event | Named | str | None, event: Event, depth: int) -> Answer:
    if isinstance(wanted.value, Unknown):
        return None
    if key == "$or":
        return any_of(_matches(alternative, event, depth + 1) for alternative in wanted.items())
    if isinstance(wanted.value, dict):
        return False if isinstance(got, str | Named) else _matches(wanted, got or {}, depth + 1)
    if got is None:
        return True
    if isinstance(got, str):
        return any_of(_accepts(item, got) for item in wanted.items())
    return any_of(_means(item, got) for item in wanted.items()) if isinstance(got, Named) else False


def _accepts(item: Node, got: str) -> Answer:
    """Whether an item of a pattern accepts a text."""
    if isinstance(item.value, dict):
        return _all_of(_operator(name, argument, got) for name, argument in item.entries())
    if isinstance(item.value, Unknown | Text | Reference):
        return None
    text = as_text(item.value)
    return None if text is not None and HOLE in text else text == got


def _operator(name: str, argument: Node, got: str) -> Answer:
    try:
        return _operated(name, argument, got)
    except NotKnown:
        return None


def _operated(name: str, argument: Node, got: str) -> Answer:
    if name == "exists":
        return argument.truth()
    if name == "anything-but":
        return _not(any_of(_accepts(item, got) for item in argument.items()))
    if name in ("numeric", "cidr"):
        return False
    test = _TESTS.get(name)
    return None if test is None else any_of(_passes(test, item, got) for item in argument.items())


def _passes(test: Callable[[str, str], bool], item: Node, got: str) -> Answer:
    folded = isinstance(item.value, dict)
    text = (item.get("equals-ignore-case") if folded else item).shape()
    if text is None or HOLE in text:
        return None
    return test(got.lower(), text.lower()) if folded else test(got, text)


def _wildcard(got: str, wanted: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in re.split(r"\*+", wanted))
    return re.fullmatch(pattern, got, re.DOTALL) is not None


_TESTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda got, wanted: got.lower() == wanted.lower(),
    "wildcard": _wildcard,
}


def _means(item: Node, thing: Named) -> Answer:
    """Whether an item of a pattern means a resource."""
    if isinstance(item.value, dict):
        return any_of([_meaning(name, argument, thing) for name, argument in item.entries()])
    parts = item.value.parts if isinstance(item.value, Text) else (item.value,)
    named = [(part.template, part.logical_id) for part in parts if isinstance(part, Reference)]
    if named:
        meant = [(one.template.number, one.logical_id) for one in thing.resources]
        return any(key in meant for key in named) if meant else None
    name = thing.name
    if name is None or not name.given:
        return None
    if isinstance(parts[-1], Unknown) and isinstance(name.value, Unknown):
        return True if parts[-1].key and parts[-1].key == name.value.key else None
    if as_text(name.value) is None:
        return None
    return _ends_with(item.shape() or "", name.text() or "")


def _meaning(operator: str, argument: Node, thing: Named) -> Answer:
    if operator == "exists":
        return argument.truth()
    if operator == "anything-but" and not isinstance(argument.value, dict):
        return _not(any_of([_means(item, thing) for item in argument.items()]))
    return _means(argument, thing) if operator == "suffix" else None


def _ends_with(shape: str, name: str) -> Answer:
    """Whether a text, with holes, is a name or an ARN that ends with it."""
    if shape == name or shape.endswith((f"/{name}", f":{name}")):
        return True
    return None if HOLE in shape and f"/{name}".endswith(shape.rsplit(HOLE, 1)[-1]) else False
