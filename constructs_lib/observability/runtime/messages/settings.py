"""What the construct tells the function, as one JSON text in its environment. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .kinds import Severity
from .place import Place

VARIABLE: Final = "MOORINGS_MESSAGES"
"""The environment variable that holds the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where messages come from and go to (lesson W5).

    Args:
        place: the environment that events are read for.
        topics: ARN of the topic of each severity.
        table: the DynamoDB table that remembers what was told.
        evidence: name of the log group that keeps events; ``None``: there is none to read.
        runbooks: base address of the runbooks; ``None``: nobody has said.
    """

    place: Place
    topics: Mapping[Severity, str]
    table: str
    evidence: str | None
    runbooks: str | None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of a function.

        Raises:
            KeyError: something is missing.
            ValueError: it is no JSON.
        """
        found = json.loads(environ[VARIABLE])
        return cls(
            place=Place(
                application=found["application"],
                environment=found["environment"],
                clusters=tuple(found["clusters"]),
                build_projects=tuple(found["build_projects"]),
                components=tuple(found["components"]),
            ),
            topics={"page": found["page"], "notice": found["notice"]},
            table=found["table"],
            evidence=found["evidence"],
            runbooks=found["runbooks"],
        )
