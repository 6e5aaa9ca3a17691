"""What the construct tells the function, as one JSON text in its environment. Standard library only."""

from __future__ import annotations

import hashlib
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
        account: where it stands.
        region: where it stands; all its repositories are there.
        table: the DynamoDB table that holds its memory.
        repositories: the repositories in which it keeps pins.
        releases: the repository of each release parameter, by the parameter's name.
        revisions_kept: how many ACTIVE revisions of each task-definition family count as in use.
        releases_kept: how many released digests of each parameter count as in use.
    """

    application: str
    environment: str
    account: str
    region: str
    table: str
    repositories: tuple[RepositoryId, ...]
    releases: Mapping[str, RepositoryId]
    revisions_kept: int
    releases_kept: int

    @property
    def writer(self) -> str:
        """What the guard's own slots are marked with, so that two guards of one repository leave each other's alone."""
        place = ":".join((self.account, self.region, self.application, self.environment))
        return hashlib.sha256(place.encode()).hexdigest()[:6]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of a function.

        A repository is given as the name of one of the guard's own account and region, or as an ARN.

        Raises:
            KeyError: something is missing.
            ValueError: it is no JSON, or an ARN is none.
        """
        text = json.loads(environ[VARIABLE])
        here = (text["account"], text["region"])
        repositories = [(_repository(entry["repository"], *here), entry["releases"]) for entry in text["repositories"]]
        return cls(
            application=text["application"],
            environment=text["environment"],
            account=text["account"],
            region=text["region"],
            table=text["table"],
            repositories=tuple(dict.fromkeys(repository for repository, _ in repositories)),
            releases={name: repository for repository, names in repositories for name in names},
            revisions_kept=text["revisions_kept"],
            releases_kept=text["releases_kept"],
        )


def _repository(text: str, account: str, region: str) -> RepositoryId:
    if text.startswith("arn:"):
        return RepositoryId.from_arn(text)
    return RepositoryId(registry=account, region=region, name=text)
