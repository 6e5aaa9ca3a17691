"""A part of a template as a rule sees it: in one world, with intrinsic functions gone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from constructs_lib.guardrails.templates.assembly import Resource, Template
from constructs_lib.guardrails.templates.documents import Place
from constructs_lib.guardrails.templates.values import ABSENT, Reference, Text, Unknown, Value, as_text, canonical
from constructs_lib.guardrails.templates.world import World

_TRUTHS: Final = {"true": True, "false": False}


class NotKnown(Exception):  # noqa: N818  (it says what the matter is)
    """A rule asked for a value that only CloudFormation can tell, or that CloudFormation would refuse (lesson Q8).

    Args:
        node: the value.
        why: in words that follow "it is unknown, for".
    """

    def __init__(self, node: Node, why: str) -> None:
        super().__init__(why)
        self.node = node
        self.why = why


class Node:
    """A value in a resource, and where it stands (lesson Q8).

    Args:
        world: the deployment that is looked at.
        resource: the resource that is judged.
        template: the template that the value was written in; not the resource's, when it came from a parent stack.
        raw: the value as it was written.
        place: where in the resource, from its top.
    """

    __slots__ = ("_value", "place", "raw", "resource", "template", "world")

    def __init__(self, world: World, resource: Resource, template: Template, raw: object, place: Place) -> None:
        self.world = world
        self.resource = resource
        self.raw = raw
        found = world.reduce(template, raw)
        self.template = found.template
        self.place = (*place, *found.steps)
        self._value = found.value

    @classmethod
    def of(cls, world: World, resource: Resource) -> Node:
        """A resource as a whole."""
        return cls(world, resource, resource.template, resource.body, ())

    @property
    def value(self) -> Value:
        """What it comes to; the parts of a list or mapping are as they were written."""
        return self._value

    @property
    def given(self) -> bool:
        """Whether there is a value, be it unknown."""
        return self._value is not ABSENT and self._value is not None

    def get(self, *keys: str) -> Node:
        """What a mapping has under a key, under a key of that, and so on; absent where there is nothing.

        Raises:
            NotKnown: a mapping on the way is unknown.
        """
        node = self
        for key in keys:
            value = node._value
            if isinstance(value, Unknown | Reference | Text):
                raise NotKnown(node, node._why())
            inner: object = ABSENT
            if isinstance(value, dict):
                inner = value.get(key, ABSENT)
                if inner is ABSENT and "Fn::Transform" in value:
                    raise NotKnown(node, "a transform may add to it")
            node = node._child(inner, key)
        return node

    def items(self) -> list[Node]:
        """A list's items without the absent ones; a single value is a list of one, and nothing an empty list.

        Raises:
            NotKnown: the list is unknown.
        """
        value = self._value
        if isinstance(value, Unknown):
            raise NotKnown(self, value.why)
        if not self.given:
            return []
        if not isinstance(value, list):
            return [self]
        children = [self._child(item, number) for number, item in enumerate(value)]
        return [child for child in children if child.given]

    def sequence(self) -> list[Node]:
        """The items of what must be a list: a reference in its place may give one.

        Raises:
            NotKnown: the list is unknown.
        """
        if isinstance(self._value, Reference | Text):
            raise NotKnown(self, self._why())
        return self.items()

    def entries(self) -> Iterator[tuple[str, Node]]:
        """A mapping's entries without the absent ones.

        Raises:
            NotKnown: the mapping is unknown.
        """
        if isinstance(self._value, Unknown):
            raise NotKnown(self, self._value.why)
        for key in self._value if isinstance(self._value, dict) else ():
            if key == "Fn::Transform":
                continue
            child = self.get(key)
            if child.given:
                yield key, child

    def text(self) -> str | None:
        """A text, or another plain value as CloudFormation writes it; None when there is nothing.

        Raises:
            NotKnown: some of it is unknown, or it is a list or mapping.
        """
        if not self.given:
            return None
        text = as_text(self._value)
        if text is None:
            raise NotKnown(self, self._why())
        return text

    def shape(self) -> str | None:
        """A text with a hole (``HOLE``) for each part that is unknown; None when there is nothing.

        Raises:
            NotKnown: all of it is unknown, or it is a list or mapping.
        """
        return self._value.shape if isinstance(self._value, Text) else self.text()

    def number(self) -> float | None:
        """A number; None when there is nothing.

        Raises:
            NotKnown: it is unknown, or no number.
        """
        text = self.text()
        if text is None:
            return None
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise NotKnown(self, f"{text[:40]!r} is no number")
        return number

    def truth(self) -> bool | None:
        """True or false; None when there is nothing.

        Raises:
            NotKnown: it is unknown, or neither.
        """
        text = self.text()
        if text is None:
            return None
        if text.lower() not in _TRUTHS:
            raise NotKnown(self, f"{text[:40]!r} is neither true nor false")
        return _TRUTHS[text.lower()]

    def target(self) -> Resource | None:
        """The resource of the assembly that it refers to; None when it refers to none, as far as is known."""
        if isinstance(self._value, Reference):
            return self.world.assembly.resource(self._value.template, self._value.logical_id)
        return None

    def identity(self) -> str:
        """The same text for what is surely the same value, unknown or not."""
        if isinstance(self._value, Unknown):
            return self._value.key or f"{self.template.number}:{canonical(self.raw)}"
        if isinstance(self._value, Reference):
            return f"{self._value.template}:{self._value.logical_id}:{self._value.attribute}"
        return as_text(self._value) or f"{self.template.number}:{canonical(self.raw)}"

    def _child(self, raw: object, key: str | int) -> Node:
        if raw is ABSENT:
            return _Absent(self, key)
        return Node(self.world, self.resource, self.template, raw, (*self.place, key))

    def _why(self) -> str:
        if isinstance(self._value, Unknown):
            return self._value.why
        if isinstance(self._value, Reference):
            return f"{self._value.logical_id} is known only when deployed"
        if isinstance(self._value, Text):
            unknown = next((part for part in self._value.parts if isinstance(part, Unknown)), None)
            return "some of it is known only when deployed" if unknown is None else unknown.why
        return "it is no text"


class _Absent(Node):
    """What is not there, with the place where it would stand."""

    __slots__ = ()

    def __init__(self, holder: Node, key: str | int) -> None:  # nothing is to be reduced
        self.world, self.resource, self.template = holder.world, holder.resource, holder.template
        self.raw = None
        self.place = (*holder.place, key)
        self._value = ABSENT
