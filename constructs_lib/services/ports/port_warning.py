"""A warning before whoever synthesizes, for ports that may not hold (lesson W1); for any construct."""

from __future__ import annotations

from typing import Final

from aws_cdk import Annotations
from constructs import Construct

WARNING_ID: Final = "moorings:ports"
"""For who has looked: ``Annotations.of(service).acknowledge_warning("moorings:ports", "measured in May")``."""


def warn_of_ports(scope: Construct, said: str) -> None:
    """Warns of ports that may not hold at the peak.

    Args:
        scope: what it is about; ``Annotations.of(scope)`` acknowledges it.
        said: the arithmetic, from :func:`constructs_lib.services.ports.peak_budget.checked` or ``shortage``.
    """
    Annotations.of(scope).add_warning_v2(WARNING_ID, said)
