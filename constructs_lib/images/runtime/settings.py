"""What the construct tells the function, as one JSON text in its environment. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .references import RepositoryId

VARIABLE: Final = "MOORINGS_GUARD"
"""The environment variable that holds the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one guard looks after (lesson Q2).

    Args:
        application: a dimension of its metrics.
        environment: a dimension of its metrics.
        table: the DynamoDB table that holds its memory.
        repositories: the repositories in which it keeps pins.
        releases: the repository of each release parameter, by the parameter's name.
        revisions_kept: how many ACTIVE revisions of each task-definition family count as in use.
        releases_kept: how many released digests of each parameter count as in use.
    """

    application: str
    environment: str
    table: str
    repositories: tuple[RepositoryId, ...]
    releases: Mapping[str, RepositoryId]
    revisions_kept: int
    releases_kept: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of a function.

        Raises:
            KeyError: something is missing.
            ValueError: it is no JSON, or an ARN is none.
        """
        text = json.loads(environ[VARIABLE])
        repositories = {entry["arn"]: RepositoryId.from_arn(entry["arn"]) for entry in text["repositories"]}
        return cls(
            application=text["application"],
            environment=text["environment"],
            table=text["table"],
            repositories=tuple(repositories.values()),
            releases={name: repositories[entry["arn"]] for entry in text["repositories"] for name in entry["releases"]},
            revisions_kept=text["revisions_kept"],
            releases_kept=text["releases_kept"],
        )
