"""Texts with marks for what is not known, so that two of them can be compared: names, ARNs and images.

A mark is one character of Unicode's private use, a key and another such character: YAML and JSON let it pass. The same
unknown value has the same mark. What ``Ref`` and ``Fn::GetAtt`` give of an ECR repository is written out as AWS does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from constructs_lib.guardrails.templates.assembly import Assembly, Resource
from constructs_lib.guardrails.templates.node import Node, NotKnown
from constructs_lib.guardrails.templates.values import Reference, Text, Unknown
from constructs_lib.guardrails.templates.world import World

REPOSITORY: Final = "AWS::ECR::Repository"

ANY: Final = "\ue000"
"""Begins the mark of a value that may be anything."""

NAMED: Final = "\ue002"
"""Begins the mark of a resource's own name: no other resource has it, and nobody writes it by hand."""

END: Final = "\ue001"
_MARK: Final = re.compile(f"([{ANY}{NAMED}])([^{END}]*){END}")
_TOKEN: Final = re.compile(f"[{ANY}{NAMED}][^{END}]*{END}|.", re.DOTALL)
_FOREIGN: Final = dict.fromkeys(map(ord, (ANY, NAMED, END)), "\ufffd")
_PLAIN: Final = re.compile(r"\w+\.[\w.]+")

_SAME_EVERYWHERE: Final = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
"""They differ between partitions only, and nothing reaches from one into another."""


def mark(key: str) -> str:
    """The mark of an unknown value; ``key`` is a template's number and a name with ``:`` between, or any text."""
    plain = key.replace(":", ".")
    return f"{ANY}{plain if _PLAIN.fullmatch(plain) else '.' + key.encode(errors='surrogatepass').hex()}{END}"


def written(node: Node) -> str | None:
    """A value as a text with marks; None when there is nothing.

    Raises:
        NotKnown: it is a list or mapping.
    """
    value = node.value
    if not isinstance(value, Text | Reference | Unknown):
        text = node.text()
        return None if text is None else _plain(text)
    parts = value.parts if isinstance(value, Text) else (value,)
    return "".join(
        _plain(part) if isinstance(part, str) else _part(node, part, place) for place, part in enumerate(parts)
    )


def repository_name(world: World, repository: Resource) -> str:
    """A repository's name: its own mark unless the template tells it."""
    own = f"{NAMED}{repository.template.number}.{repository.logical_id}{END}"
    try:
        name = Node.of(world, repository).get("Properties", "RepositoryName").value
    except NotKnown:
        return own
    return _plain(name) if isinstance(name, str) and name else own


def own_name(node: Node, name: str) -> str:
    """A name that only looks unknown: that of a repository of the same template, which was given it there."""
    return node.world.assembly.remember(_given_names).get((node.template.number, name), name)


def marked(text: str) -> bool:
    """Whether some of it may be anything."""
    return ANY in text


def literal(text: str) -> str:
    """What of it is known."""
    return _MARK.sub("", text)


def ends_open(text: str) -> bool:
    """Whether it ends with what may be anything."""
    return text.endswith(END) and text.rfind(ANY) > text.rfind(NAMED)


def shown(text: str) -> str:
    """For a message."""
    return _MARK.sub(lambda found: f"${{{_name(found[2])}}}", text)


def different(one: str, other: str) -> bool:
    """Whether two texts surely are not the same."""
    left, right = _TOKEN.findall(one), _TOKEN.findall(other)
    alike = _alike(left, right)
    left, right = left[alike:], right[alike:]
    alike = _alike(left[::-1], right[::-1])
    left, right = left[: len(left) - alike], right[: len(right) - alike]
    if not any(marked(token) for token in left):
        left, right = right, left
    if any(marked(token) for token in right):
        return False
    return not _glob(["*" if marked(token) else token for token in left], right)


def matches(pattern: str, text: str) -> bool:
    """Whether IAM's wildcards in a pattern surely let a text through, which may have wildcards of its own."""
    return _glob(_TOKEN.findall(pattern), _TOKEN.findall(text))


def _name(key: str) -> str:
    """What a mark stands for, of a key such as ``0.AWS..Region``."""
    name = key.split(".", 1)[-1].replace("..", "::")
    return name if key[0] != "." else "…"


def _plain(text: str) -> str:
    """A template's own text, in which nothing is taken for a mark."""
    return text if text.isascii() else text.translate(_FOREIGN)


def _part(node: Node, part: Reference | Unknown, place: int) -> str:
    if isinstance(part, Unknown):
        if part.key in _SAME_EVERYWHERE:
            return _SAME_EVERYWHERE[part.key]
        if part.key.startswith("AWS::"):
            return mark(f"{node.template.number}:{part.key}")
        return mark(part.key or f"?{node.resource.logical_id}{node.place}{place}")
    resource = node.world.assembly.resource(part.template, part.logical_id)
    if resource is not None and resource.type == REPOSITORY:
        name = repository_name(node.world, resource)
        account, region = mark(f"{part.template}:AWS::AccountId"), mark(f"{part.template}:AWS::Region")
        if part.attribute == "Arn":
            return f"arn:aws:ecr:{region}:{account}:repository/{name}"
        if part.attribute == "RepositoryUri":
            return f"{account}.dkr.ecr.{region}.amazonaws.com/{name}"
        if part.attribute == "Ref":
            return name
    return mark(f"{part.template}:{part.logical_id}:{part.attribute}")


def _given_names(assembly: Assembly) -> Mapping[tuple[int, str], str]:
    world = World(assembly)
    found: dict[tuple[int, str], str] = {}
    for repository in assembly.of_type(REPOSITORY):
        try:
            name = written(Node.of(world, repository).get("Properties", "RepositoryName"))
        except NotKnown:
            continue
        if name is not None and marked(name):
            found[repository.template.number, name] = repository_name(world, repository)
    return found


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens are the same from the start."""
    differing = (place for place, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(differing, min(len(one), len(other)))


def _glob(pattern: Sequence[str], text: Sequence[str]) -> bool:
    """Tokens against tokens; ``*`` is any number of them and ``?`` is one. It takes no more than length x length."""
    at, place = 0, 0
    star: tuple[int, int] | None = None
    while place < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star = at, place
            at += 1
        elif at < len(pattern) and pattern[at] in (text[place], "?"):
            at, place = at + 1, place + 1
        elif star is not None:
            star = star[0], star[1] + 1
            at, place = star[0] + 1, star[1]
        else:
            return False
    return set(pattern[at:]) <= {"*"}
