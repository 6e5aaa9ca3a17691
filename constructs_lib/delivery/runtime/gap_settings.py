"""What ``ReleaseGap`` tells its function, as one JSON text in its environment. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "MOORINGS_GAP"
"""The environment variable that holds the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the images and the ledger of an environment are (lesson Q5).

    Args:
        environment: the environment.
        account: its account, 12 digits.
        region: its region.
        reader_role: ARN of the role that reads there; empty where one's own may.
    """

    environment: str
    account: str
    region: str
    reader_role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service whose gap is measured (lesson Q5).

    Args:
        name: the service.
        repository: its repository here.
        upstream_repository: the repository of the same image in the environment before.
    """

    name: str
    repository: str
    upstream_repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GapSettings:
    """What one function measures (lesson Q5).

    Args:
        application: the application.
        here: the environment whose services are measured.
        upstream: the environment before.
        services: the services.
    """

    application: str
    here: Place
    upstream: Place
    services: tuple[Service, ...]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> GapSettings:
        """The settings of a function.

        Raises:
            KeyError: something is missing.
            ValueError: it is no JSON.
        """
        text = json.loads(environ[VARIABLE])
        return cls(
            application=text["application"],
            here=Place(**text["here"]),
            upstream=Place(**text["upstream"]),
            services=tuple(
                Service(name=name, repository=repository, upstream_repository=upstream)
                for name, repository, upstream in text["services"]
            ),
        )

    def release_parameter(self, service: Service) -> str:
        """As ``constructs_lib.naming.release_parameter_name``, which is not here at run time; a test compares them."""
        return f"/moorings/{self.application}/{self.here.environment}/{service.name}/digest"

    def upstream_ledger(self, service: Service) -> str:
        """As ``constructs_lib.naming.release_path``; a test compares them."""
        return f"/moorings/{self.application}/{self.upstream.environment}/{service.name}/releases"
