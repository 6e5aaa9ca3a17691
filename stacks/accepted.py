"""A finding of the checks that we accept."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple


class Accepted(NamedTuple):
    """One finding, in one kind of stack."""

    stack: str
    construct: str
    """The id of a construct in the stack; empty for the whole stack."""
    id: str
    """``<partition>``, ``<region>`` and ``<account>`` in it stand for the stack's own."""
    reason: str


def logical_id(path: str, named: str) -> str:
    """CDK's logical id of a resource: its path's words without other characters, and a hash of the path.

    Args:
        path: from the stack, such as ``web/Service/Service``.
        named: those words of it that CDK keeps, such as ``webService``.
    """
    digest = hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()[:8].upper()
    return f"{re.sub('[^A-Za-z0-9]', '', named)}{digest}"
