"""What a value in a CloudFormation template comes to, as far as it can be known without deploying. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")
_PLAIN_TYPES: Final = ("String", "Number")
"""A parameter of another type is a list, or the name of something whose value is looked up when it is deployed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A text that is known before anything is deployed (lesson Q2).

    Args:
        text: the text.
        defaults: the parameters whose default was taken for it.
    """

    text: str
    defaults: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A template's parameters (lesson Q2).

    Args:
        declared: its section ``Parameters``.
        given: values that take the place of defaults, by name.
    """

    declared: Mapping[str, object] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: object) -> Known | None:
        """What a parameter comes to; None for one without a default, and for anything else that has the name."""
        entry = self.declared.get(name) if isinstance(name, str) else None
        if not isinstance(name, str) or not isinstance(entry, dict) or entry.get("Type") not in _PLAIN_TYPES:
            return None
        if name in self.given:
            return Known(text=self.given[name])
        default = _plain(entry.get("Default"))
        return None if default is None else Known(text=default, defaults=frozenset({name}))


def known(value: object, parameters: Parameters) -> Known | None:
    """The text that a value comes to; None when only CloudFormation can tell."""
    plain = _plain(value)
    if plain is not None:
        return Known(text=plain)
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((function, argument),) = value.items()
    if function == "Ref":
        return parameters.value(argument)
    if function == "Fn::Sub":
        return _substituted(argument, parameters)
    if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
        return _joined(argument[0], argument[1], parameters)
    if function == "Fn::ToJsonString" and not _holds_intrinsic(argument):
        return Known(text=json.dumps(argument))
    return None


def is_intrinsic(value: Mapping[str, object]) -> bool:
    """Whether a mapping is a function, or holds one beside other keys."""
    return any(str(key) == "Ref" or str(key).startswith("Fn::") for key in value)


def _plain(value: object) -> str | None:
    """A text, or a whole number as CloudFormation writes it."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _substituted(argument: object, parameters: Parameters) -> Known | None:
    """``Fn::Sub`` of a text, or of a text and values of its own."""
    own: Mapping[object, object] = {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
        argument, own = argument
    if not isinstance(argument, str):
        return None
    names = {name for literal, name in _VARIABLE.findall(argument) if not literal}
    found = {name: known(own[name], parameters) if name in own else parameters.value(name) for name in names}
    values = {name: value for name, value in found.items() if value is not None}
    if len(values) != len(found):
        return None
    text = _VARIABLE.sub(lambda match: f"${{{match[2]}}}" if match[1] else values[match[2]].text, argument)
    return Known(text=text, defaults=_defaults(values.values()))


def _joined(delimiter: object, parts: object, parameters: Parameters) -> Known | None:
    if not isinstance(delimiter, str) or not isinstance(parts, list):
        return None
    found = [known(part, parameters) for part in parts]
    texts = [part for part in found if part is not None]
    if len(texts) != len(found):
        return None
    return Known(text=delimiter.join(part.text for part in texts), defaults=_defaults(texts))


def _defaults(values: Iterable[Known]) -> frozenset[str]:
    return frozenset(name for value in values for name in value.defaults)


def _holds_intrinsic(value: object) -> bool:
    if isinstance(value, dict):
        return is_intrinsic(value) or any(_holds_intrinsic(item) for item in value.values())
    return isinstance(value, Sequence) and not isinstance(value, str) and any(_holds_intrinsic(item) for item in value)
