"""What the construct tells the function, as one JSON text in its environment. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from .changes import Configured
from .values import FELT, Felt, Text

VARIABLE: Final = "MOORINGS_STATUS"
"""The environment variable that holds the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSettings:
    """What one status page is about (lesson T5).

    Args:
        application: the application.
        environment: the environment.
        account: whose alarms it follows, and whose bucket it is.
        source_region: where the alarms are.
        bucket: where the state and the pages are.
        titles: the name of the page.
        components: name and titles of each.
    """

    application: str
    environment: str
    account: str
    source_region: str
    bucket: str
    titles: Text
    components: tuple[tuple[str, Text], ...]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> StatusSettings:
        """The settings of a function.

        Raises:
            KeyError: something is missing.
            ValueError: it is no JSON, or a title is none.
        """
        text = json.loads(environ[VARIABLE])
        return cls(
            application=text["application"],
            environment=text["environment"],
            account=text["account"],
            source_region=text["source_region"],
            bucket=text["bucket"],
            titles=Text(en=text["en"], ja=text["ja"]),
            components=tuple((name, Text(en=en, ja=ja)) for name, en, ja in text["components"]),
        )

    @property
    def configured(self) -> Configured:
        """What the page shows, as deployed."""
        return Configured(titles=self.titles, components=self.components)

    @property
    def alarms(self) -> Mapping[str, tuple[str, Felt]]:
        """Component and meaning of each composite alarm, by its name.

        The names are those of ``constructs_lib.naming.alarm_name``; a test compares them.
        """
        return dict(self._alarms())

    def _alarms(self) -> Iterator[tuple[str, tuple[str, Felt]]]:
        for component, _ in self.components:
            for felt in FELT:
                yield f"{self.application}/{self.environment}/{component}/{felt}", (component, felt)
