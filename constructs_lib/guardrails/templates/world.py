"""What values come to in one possible deployment.

A template leaves things open: conditions, parameters that conditions compare, maps whose key is not known. A *world* is
one consistent set of answers. What is asked of it decides which answers are needed, and :func:`worlds` goes through all
of them, so that a rule judges each branch of each ``Fn::If`` that it looks at, and no combination that cannot be.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Final, TypeVar

from constructs_lib.guardrails.templates.assembly import LIST_TYPES, Assembly, Resource, Template, parameter_list
from constructs_lib.guardrails.templates.functions import Reduced, apply
from constructs_lib.guardrails.templates.values import (
    Reference,
    Text,
    Unknown,
    Value,
    as_text,
    canonical,
    function_of,
    joined,
    listed,
    mapping,
    names_in,
)  # fmt: skip

MOST_WORLDS: Final = 128
DEEPEST: Final = 60
"""References that are followed one after another; more means that they go in a circle."""

_LOOKED_UP: Final = "AWS::SSM::Parameter::Value"

T = TypeVar("T")


class World:
    """One possible deployment of an assembly (lesson Q8).

    Args:
        assembly: the templates.
        answers: which option is taken at each choice, in order; the first where they end.
    """

    def __init__(self, assembly: Assembly, answers: Sequence[int] = ()) -> None:
        self.assembly = assembly
        self.taken: list[tuple[int, int]] = []
        """The number of each option taken, and how many there were."""
        self.said: dict[str, str] = {}
        """What was chosen, in words."""
        self.defaults: set[str] = set()
        """The parameters whose default was taken for their value."""
        self.besides_defaults = False
        """Whether something was chosen that a parameter's default decides otherwise."""
        self.depth = 0
        self._answers = answers
        self._chosen: dict[Hashable, int] = {}
        self._truths: dict[tuple[int, str], bool] = {}
        self._condition = ""

    def choose(self, key: Hashable, options: Sequence[T], name: str = "") -> T:
        """One of the options; for the same key always the same."""
        if key not in self._chosen:
            number = 0
            if len(options) > 1:
                position = len(self.taken)
                number = self._answers[position] if position < len(self._answers) else 0
                self.taken.append((number, len(options)))
            self._chosen[key] = number
            if name and len(options) > 1:
                option = options[number]
                self.said[name] = "another value" if isinstance(option, Unknown) else as_text(option) or str(option)
        return options[min(self._chosen[key], len(options) - 1)]

    def exists(self, resource: Resource) -> bool:
        """Whether a resource is created."""
        condition = resource.body.get("Condition")
        if isinstance(condition, str) and not self.holds(resource.template, condition):
            return False
        parents = resource.template.parents
        if not parents or self.depth >= DEEPEST:
            return True
        self.depth += 1
        try:
            return self.exists(self.choose(("parent", resource.template.number), parents))
        finally:
            self.depth -= 1

    def holds(self, template: Template, name: str) -> bool:
        """Whether a condition is true."""
        expression = template.section("Conditions").get(name)
        if expression is None:
            return self.choose(("condition", template.number, name), (True, False), name)
        key = template.number, name
        if key not in self._truths:
            outer, self._condition = self._condition, name
            self._truths[key] = self._truth(template, expression)
            self._condition = outer
        return self._truths[key]

    def reduce(self, template: Template, raw: object) -> Reduced:
        """What a value comes to."""
        if isinstance(raw, str):
            return Reduced(value=_dynamic(raw), template=template)
        if isinstance(raw, Reference | Text | Unknown):  # an item of a list that was put together
            return Reduced(value=raw, template=template)
        found = function_of(raw)
        if found is None:
            value: Value = raw if isinstance(raw, None | bool | int | float | list | dict) else str(raw)
            return Reduced(value=value, template=template)
        name, argument = found
        if self.depth >= DEEPEST:
            return Reduced(value=Unknown(f"{name} goes in a circle"), template=template)
        self.depth += 1
        try:
            return apply(self, template, name, argument)
        finally:
            self.depth -= 1

    def value(self, template: Template, raw: object) -> Value:
        """What a value comes to, wherever it was written."""
        return self.reduce(template, raw).value

    def parameter(self, template: Template, name: str) -> Reduced:
        """What a parameter comes to: what a parent stack or the caller gives, or its default."""
        entry = mapping(template.section("Parameters").get(name))
        declared = str(entry.get("Type"))
        given = self.assembly.given.get(name)
        if given is None and template.parents:
            parent = self.choose(("parent", template.number), template.parents)
            passed = self.value(parent.template, dict(parent.body).get("Properties"))
            passed = self.value(parent.template, passed.get("Parameters")) if isinstance(passed, dict) else passed
            if isinstance(passed, Unknown):
                return Reduced(value=passed, template=template)
            if isinstance(passed, dict) and name in passed and not declared.startswith(_LOOKED_UP):
                return _passed(self.reduce(parent.template, passed[name]), name, declared)
        if declared.startswith(_LOOKED_UP):
            why = f"parameter {name} is looked up in Parameter Store when deployed"
            return Reduced(value=Unknown(why, key=f"{template.number}:{name}"), template=template)
        items = parameter_list(entry, given)
        if items is not None:
            self.defaults |= set() if given is not None else {name}
            return Reduced(value=list(items), template=template)
        return Reduced(value=self._single(template, name, entry, given), template=template)

    def pseudo(self, template: Template, name: str) -> Value:
        """What a pseudo parameter such as ``AWS::Region`` comes to."""
        compared = template.compared.get(name, ())
        unknown = Unknown(f"{name} is known only when deployed", key=name, never=frozenset(compared))
        options: list[Value] = [*compared, unknown]
        return self.choose(("pseudo", name, template.number), options, name)

    def _single(self, template: Template, name: str, entry: object, given: str | None) -> Value:
        if given is not None:
            return given
        declared = mapping(entry)
        plain = as_text(declared.get("Default"))
        compared = template.compared.get(name, ())
        unknown = Unknown(
            f"parameter {name} has no default" if plain is None else f"parameter {name} may have another value",
            key=f"{template.number}:{name}",
            never=frozenset(compared),
        )
        if plain is not None:
            self.defaults.add(name)
        allowed = declared.get("AllowedValues")
        texts = [text for item in (allowed if isinstance(allowed, list) else ()) if (text := as_text(item)) is not None]
        if not compared and (plain is not None or not texts):
            return unknown if plain is None else plain
        options: list[Value] = [*dict.fromkeys([*([] if plain is None else [plain]), *texts])]
        if not texts:
            options = [*dict.fromkeys([*map(str, options), *compared])]
            if plain is None or plain in compared:
                options.append(unknown)
        chosen = self.choose(("parameter", template.number, name), options, name)
        self.besides_defaults |= plain is not None and chosen != plain
        return chosen

    def _truth(self, template: Template, expression: object) -> bool:
        if self.depth >= DEEPEST or not isinstance(expression, dict) or len(expression) != 1:
            return self._open(template, expression)
        ((name, argument),) = expression.items()
        self.depth += 1
        try:
            if name == "Condition" and isinstance(argument, str):
                return self.holds(template, argument)
            if name == "Fn::Equals" and isinstance(argument, list) and len(argument) == 2:
                return self._equal(template, argument)
            if name in ("Fn::And", "Fn::Or", "Fn::Not") and isinstance(argument, list) and argument:
                truths = [self._truth(template, part) for part in argument]
                return {"Fn::And": all(truths), "Fn::Or": any(truths), "Fn::Not": not truths[0]}[name]
        finally:
            self.depth -= 1
        return self._open(template, expression)

    def _open(self, template: Template, expression: object) -> bool:
        return self.choose(("expression", template.number, canonical(expression)), (True, False), self._condition)

    def _equal(self, template: Template, pair: Sequence[object]) -> bool:
        left, right = (self.value(template, side) for side in pair)
        if isinstance(left, Unknown | Text | Reference) and left == right:
            return True
        texts = as_text(left), as_text(right)
        if None not in texts:
            same = texts[0] == texts[1]
            if any(self._by_default(template, side) for side in pair):
                key = "equal", template.number, canonical(list(pair))
                answer = self.choose(key, (same, not same), self._condition)
                self.besides_defaults |= answer != same
                return answer
            return same
        for one, text in ((left, texts[1]), (right, texts[0])):
            if isinstance(one, Unknown) and text is not None and text in one.never:
                return False
        return self._open(template, {"Fn::Equals": list(pair)})

    def _by_default(self, template: Template, raw: object) -> bool:
        """Whether a side of a comparison is made of a parameter's default; one that is the parameter has all values."""
        found = function_of(raw)
        if found is None or (found[0] == "Ref" and found[1] in template.compared and not template.parents):
            return False
        return any(self._is_default(template, name, 0) for name in names_in(raw))

    def _is_default(self, template: Template, name: str, depth: int) -> bool:
        """Whether a parameter is open, here or in the stack that passes it on."""
        if name not in template.section("Parameters") or name in self.assembly.given or depth > DEEPEST:
            return False
        if not template.parents:
            return True
        parent = self.choose(("parent", template.number), template.parents)
        passed = mapping(mapping(parent.body.get("Properties")).get("Parameters"))
        if name not in passed:
            return False
        return any(self._is_default(parent.template, one, depth + 1) for one in names_in(passed[name]))


def worlds(assembly: Assembly) -> Iterator[World]:
    """All worlds that matter to who asks; ask each before the next is taken.

    After :data:`MOST_WORLDS` it stops; the last world then still has options left (:func:`more`).
    """
    answers: list[int] = []
    for _ in range(MOST_WORLDS):
        world = World(assembly, answers)
        yield world
        if not more(world):
            return
        taken = list(world.taken)
        while taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        answers = [number for number, _ in taken]
        answers[-1] += 1


def more(world: World) -> bool:
    """Whether there are worlds after this one."""
    return any(number + 1 < count for number, count in world.taken)


def _passed(found: Reduced, name: str, declared: str) -> Reduced:
    """What a parent stack passes: a list is passed as a text with commas."""
    if not declared.startswith(LIST_TYPES) or isinstance(found.value, list | Unknown):
        return Reduced(value=found.value, template=found.template)
    items = listed(found.value)
    value: Value = Unknown(f"parameter {name} is a list that is known in part") if items is None else items
    return Reduced(value=value, template=found.template)


def _dynamic(text: str) -> Value:
    """A text, in which dynamic references such as ``{{resolve:ssm:name}}`` are not known."""
    if "{{resolve:" not in text:
        return text
    parts: list[object] = []
    while "{{resolve:" in text:
        before, text = text.split("{{resolve:", 1)
        name, _, text = text.partition("}}")
        parts += [before, Unknown("it is a dynamic reference", key=f"resolve:{name}")]
    return joined([*parts, text])
