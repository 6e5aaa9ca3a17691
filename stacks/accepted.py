"""A finding of the checks that we accept."""

from __future__ import annotations

from typing import NamedTuple


class Accepted(NamedTuple):
    """One finding, in one kind of stack."""

    stack: str
    construct: str
    """The id of a construct in the stack; empty for the whole stack."""
    id: str
    """``<partition>``, ``<region>`` and ``<account>`` in it stand for the stack's own."""
    reason: str
