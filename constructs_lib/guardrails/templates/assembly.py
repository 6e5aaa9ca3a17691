"""The templates that are judged together, and how they hang together: nested stacks and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar, cast

from constructs_lib.guardrails.templates.documents import Document, Place, parse, read
from constructs_lib.guardrails.templates.errors import UnusableInput, kind_of
from constructs_lib.guardrails.templates.foreach import ForEach
from constructs_lib.guardrails.templates.nesting import nested_file
from constructs_lib.guardrails.templates.values import as_text, mapping

MOST_TEMPLATES: Final = 1_000
"""Of an assembly, nested ones counted for each stack; what is beyond is judged once for all of its stacks."""

LIST_TYPES: Final = ("CommaDelimitedList", "List<")
"""How the types of parameters that are lists begin."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource:
    """A resource as it is written (lesson Q8).

    Args:
        template: the template that has it.
        logical_id: its name there.
        type: its type, such as ``AWS::ECS::Service``.
        body: its ``Properties``, ``Metadata`` and so on, with loops written out.
        place: where it stands in the document.
    """

    template: Template
    logical_id: str
    type: str
    body: Mapping[str, object]
    place: Place


@dataclass(slots=True, kw_only=True, eq=False)
class Template:
    """One template (lesson Q8).

    Args:
        number: its place in the assembly.
        file: its path as it was given, or another name.
        document: what it holds.
        resources: its resources by logical id.
        sections: its other sections by name, with loops written out.
        compared: the texts that its conditions compare each parameter with.
        parents: the stacks of other templates that deploy it.
    """

    number: int
    file: str
    document: Document
    resources: Mapping[str, Resource] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    compared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: list[Resource] = field(default_factory=list)

    def section(self, name: str) -> Mapping[str, object]:
        """A section such as ``Parameters``; empty when there is none."""
        return self.sections.get(name, {})


class Assembly:
    """Templates that are deployed together (lesson Q8).

    Args:
        documents: each template's document by its name, the path of its file if it has one.
        given: values of parameters that take the place of defaults.

    A template that cannot be used is left out, and told in ``problems``.
    """

    def __init__(self, documents: Mapping[str, Document], given: Mapping[str, str] | None = None) -> None:
        self.given = dict(given or {})
        self.templates: list[Template] = []
        self.problems: list[UnusableInput] = []
        self.children: dict[tuple[int, str], Template] = {}
        self._remembered: dict[object, object] = {}
        for name, document in documents.items():
            self._add(name, document)
        self._nest()
        self._by_type: dict[str, list[Resource]] = {}
        for template in self.templates:
            for resource in template.resources.values():
                self._by_type.setdefault(resource.type, []).append(resource)

    def of_type(self, *types: str) -> Sequence[Resource]:
        """All resources of some types."""
        return [resource for kind in types for resource in self._by_type.get(kind, [])]

    def resource(self, template: int, logical_id: str) -> Resource | None:
        """A resource, if the template has it."""
        return self.templates[template].resources.get(logical_id)

    def remember(self, make: Callable[[Assembly], T]) -> T:
        """What ``make`` gives for this assembly, made once."""
        if make not in self._remembered:
            self._remembered[make] = make(self)
        return cast("T", self._remembered[make])

    def _add(self, name: str, document: Document) -> Template | None:
        try:
            template = _template(len(self.templates), name, document, self.given)
        except UnusableInput as error:
            self.problems.append(error)
            return None
        self.templates.append(template)
        return template

    def _nest(self) -> None:
        """Finds the templates of nested stacks, and reads those that are files but were not given."""
        by_path: dict[Path, Template | None] = {Path(one.file).resolve(): one for one in self.templates}
        given = list(by_path)
        position = 0
        while position < len(self.templates):
            for resource in self.templates[position].resources.values():
                path = nested_file(resource.template.file, resource.type, resource.body, given)
                if path is None:
                    continue
                if path not in by_path:
                    by_path[path] = self._read(path)
                child = self._for_one_stack(by_path[path], self.templates[position])
                if child is not None:
                    child.parents.append(resource)
                    self.children[resource.template.number, resource.logical_id] = child
            position += 1

    def _for_one_stack(self, child: Template | None, parent: Template) -> Template | None:
        """A nested template, anew for each stack that deploys it; one that nests itself is the same again."""
        if child is None or not child.parents or len(self.templates) >= MOST_TEMPLATES:
            return child
        above: Template | None = parent
        while above is not None:
            if above.file == child.file:
                return above
            above = above.parents[0].template if above.parents else None
        return self._add(child.file, child.document)

    def _read(self, path: Path) -> Template | None:
        try:
            if not path.is_file():
                return None
            document = read(path)
        except OSError:  # a name too long
            return None
        except UnusableInput as error:
            self.problems.append(error)
            return None
        return self._add(_shown(path), document)


def template_document(text: str, name: str) -> Document:
    """A text as a template.

    Raises:
        UnusableInput: it is none.
    """
    document = parse(text, name)
    check_template(name, document)
    return document


def check_template(name: str, document: Document) -> None:
    """Whether a document can be taken for a template.

    Raises:
        UnusableInput: it is none.
    """
    if not is_template(document.value):
        raise _no_template(name, document.value)


def is_template(value: object) -> bool:
    """Whether a document is a CloudFormation template; CDK writes an empty stack without ``Resources``."""
    if not isinstance(value, dict):
        return False
    empty = "Resources" not in value and ("AWSTemplateFormatVersion" in value or {"Parameters", "Rules"} <= set(value))
    return empty or isinstance(value.get("Resources"), dict)


def _template(number: int, name: str, document: Document, given: Mapping[str, str]) -> Template:
    value = document.value
    if not isinstance(value, dict) or not is_template(value):
        raise _no_template(name, value)
    parameters = mapping(value.get("Parameters"))

    def items(collection: object) -> Sequence[str] | None:
        if isinstance(collection, dict) and list(collection) == ["Ref"]:
            return parameter_list(parameters.get(str(collection["Ref"])), given.get(str(collection["Ref"])))
        if not isinstance(collection, list):
            return None
        found = [items(item) if isinstance(item, dict) else _single(item) for item in collection]
        if any(item is None for item in found):
            return None
        return [text for item in found for text in item or ()]

    loops = ForEach(items, name)
    template = Template(number=number, file=name, document=document)
    try:
        template.resources = {
            logical_id: Resource(
                template=template, logical_id=logical_id, type=str(body["Type"]), body=body, place=place
            )
            for logical_id, body, place in loops.entries(mapping(value.get("Resources")), ("Resources",))
            if isinstance(body, dict) and isinstance(body.get("Type"), str)
        }
        template.sections = {
            section: {key: entry for key, entry, _ in loops.entries(mapping(content), (section,))}
            for section, content in value.items()
            if section != "Resources" and isinstance(content, dict)
        }
    except RecursionError as error:
        raise UnusableInput(f"{name} is nested too deeply to be read; flatten it") from error
    template.compared = _compared(template.section("Conditions"))
    return template


def _compared(conditions: object) -> dict[str, tuple[str, ...]]:
    """What ``Fn::Equals`` compares parameters with, wherever it stands in the conditions."""
    found: dict[str, tuple[str, ...]] = {}
    left = [conditions]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += value
        elif isinstance(value, dict):
            left += value.values()
            pair = value.get("Fn::Equals")
            if isinstance(pair, list) and len(pair) == 2:
                for one, other in (pair, pair[::-1]):
                    name, text = mapping(one).get("Ref"), as_text(other)
                    if isinstance(name, str) and text is not None and text not in found.get(name, ()):
                        found[name] = (*found.get(name, ()), text)
    return found


def parameter_list(entry: object, given: str | None) -> list[str] | None:
    """The items of a parameter that is a list; None when they are not known."""
    declared = mapping(entry)
    if not str(declared.get("Type")).startswith(LIST_TYPES):
        return None
    text = as_text(declared.get("Default")) if given is None else given
    return None if text is None else [item.strip() for item in text.split(",")]


def _single(item: object) -> list[str] | None:
    text = as_text(item)
    return None if text is None else [text]


def _shown(path: Path) -> str:
    """A path as a person would write it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _no_template(name: str, value: object) -> UnusableInput:
    if isinstance(value, dict) and "Resources" in value:
        kind = kind_of(value["Resources"])
        return UnusableInput(f"{name} must be a CloudFormation template with a mapping of 'Resources', got {kind}")
    got = ", ".join(map(str, list(value)[:3])) if isinstance(value, dict) else kind_of(value)
    got = "an empty file" if value is None else got or "an empty mapping"
    return UnusableInput(f"{name} must be a CloudFormation template with 'Resources', got {got}")


def resources_of(assembly: Assembly) -> Iterator[Resource]:
    """All resources, in the order of the files."""
    for template in assembly.templates:
        yield from template.resources.values()
