"""What cannot be judged at all."""

from __future__ import annotations


class UnusableInput(Exception):  # noqa: N818  (it is what the exit code 2 means)
    """A file that cannot be read or is no template (lesson Q8); the message is one sentence."""


def kind_of(value: object) -> str:
    """What a value of JSON or YAML is, in the words of a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "a text"),
        ((int, float), "a number"),
        (list, "a list"),
        (dict, "a mapping"),
    )
    return next((told for kind, told in kinds if isinstance(value, kind)), "something else")
