"""What ``FailStaticConfig`` tells its function, as one JSON text in its environment. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VARIABLE: Final = "MOORINGS_COPY"
"""The environment variable that holds the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySettings:
    """Which configuration is copied, and where to (lesson T2).

    Args:
        application: a dimension of the metric.
        environment: a dimension of the metric.
        profile: a dimension of the metric, and AppConfig's name of the configuration profile.
        application_id: AppConfig's id of the application.
        environment_id: AppConfig's id of the environment.
        profile_id: AppConfig's id of the configuration profile.
        bucket: where the copy is.
        key: its key there.
    """

    application: str
    environment: str
    profile: str
    application_id: str
    environment_id: str
    profile_id: str
    bucket: str
    key: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> CopySettings:
        """The settings of a function.

        Raises:
            KeyError: there are none.
            TypeError: something is missing.
            ValueError: it is no JSON.
        """
        return cls(**json.loads(environ[VARIABLE]))
