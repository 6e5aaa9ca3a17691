"""AppConfig, S3 and a clock: what the function that keeps the copy lives in."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from constructs_lib.services.configuration.runtime import handler
from constructs_lib.services.configuration.runtime.clients import Clients
from constructs_lib.services.configuration.runtime.settings import CopySettings
from tests.fake_aws.appconfig import FakeAppConfig
from tests.fake_aws.core import FakeAws
from tests.fake_aws.s3 import FakeS3

START = datetime(2026, 4, 1, 10, tzinfo=UTC)
PLACE = "copies/last-good/shop/staging/web.json"
SETTINGS = CopySettings(
    application="shop",
    environment="staging",
    profile="web",
    application_id="app1",
    environment_id="env1",
    profile_id="prof1",
    bucket="copies",
    key="last-good/shop/staging/web.json",
)


@dataclass
class World:
    """One world; its clients are made once for all."""

    aws: FakeAws
    clients: Clients
    now: datetime = START
    appconfig: FakeAppConfig = field(default_factory=FakeAppConfig)
    s3: FakeS3 = field(default_factory=FakeS3)

    def __post_init__(self) -> None:
        self.aws.services |= {"appconfig": self.appconfig, "s3": self.s3}
        self.aws.calls.clear()
        self.aws.before = lambda _operation, _params: None

    def run(self) -> dict[str, str]:
        """What Lambda does."""
        return handler.handle(SETTINGS, self.clients, clock=lambda: self.now)

    def later(self, minutes: float) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    @property
    def copy(self) -> dict[str, Any]:
        """The copy as the client reads it."""
        found: dict[str, Any] = json.loads(self.s3.objects[PLACE])
        return found


def made() -> tuple[FakeAws, Clients]:
    """Real clients, whose requests are answered here."""
    aws = FakeAws(FakeAppConfig(), FakeS3())
    return aws, Clients(appconfig=aws.client("appconfig"), s3=aws.client("s3"))
