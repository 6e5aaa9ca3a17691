"""AppConfig's control plane, as far as a copy of a configuration needs it: deployments and hosted versions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest

from tests.fake_aws.core import Answer, RawService, page


class FakeAppConfig(RawService):
    """One application with one environment, ``app1`` and ``env1``.

    Attributes:
        deployments: all of them, the oldest first; a test may change their state.
        versions: texts by profile and version; a test may take one away.
        down: an error's code and status that each call gets.
        page_size: how many deployments a page has.
    """

    name = "appconfig"

    def __init__(self) -> None:
        self.deployments: list[dict[str, Any]] = []
        self.versions: dict[tuple[str, int], bytes] = {}
        self.down: tuple[str, int] | None = None
        self.page_size = 50

    def deploy(
        self, content: str, *, state: str = "COMPLETE", profile: str = "prof1", at: datetime | None = None
    ) -> int:
        """A new version, and its deployment; the deployment's number."""
        version = 1 + max((number for name, number in self.versions if name == profile), default=0)
        self.versions[profile, version] = content.encode()
        return self.deploy_version(version, state=state, profile=profile, at=at)

    def deploy_version(
        self, version: int, *, state: str = "COMPLETE", profile: str = "prof1", at: datetime | None = None
    ) -> int:
        """Another deployment of a version that is there; its number."""
        number = len(self.deployments) + 1
        self.deployments.append(
            {
                "DeploymentNumber": number,
                "ConfigurationProfileId": profile,
                "ConfigurationName": {"prof1": "web"}.get(profile, profile),
                "ConfigurationVersion": str(version),
                "State": state,
                "StartedAt": (at or datetime(2026, 4, 1, 9, tzinfo=UTC)).isoformat(),
                "DeploymentDurationInMinutes": 10,
                "FinalBakeTimeInMinutes": 10,
            }
        )
        return number

    def becomes(self, number: int, state: str) -> None:
        """A deployment goes on."""
        self.deployments[number - 1]["State"] = state

    def respond(self, operation: str, request: AWSPreparedRequest) -> Answer:
        """The answer to a request."""
        if self.down is not None:
            return _error(*self.down)
        place = urlsplit(request.url)
        parts = place.path.strip("/").split("/")
        assert parts[:2] == ["applications", "app1"], place.path
        if operation == "ListDeployments":
            assert parts[2:] == ["environments", "env1", "deployments"], place.path
            query = parse_qs(place.query)
            params = {"next_token": query["next_token"][0]} if "next_token" in query else {}
            newest_first = list(reversed(self.deployments))
            found, rest = page(newest_first, params, size=self.page_size, token="next_token")
            token = {"NextToken": rest["next_token"]} if rest else {}
            return 200, {}, json.dumps({"Items": found, **token}).encode()
        assert operation == "GetHostedConfigurationVersion", operation
        key = parts[3], int(parts[5])
        if key not in self.versions:
            return _error("ResourceNotFoundException", 404)
        return 200, {"Content-Type": "application/json", "Version-Number": str(key[1])}, self.versions[key]


def _error(code: str, status: int) -> Answer:
    return status, {"x-amzn-errortype": code}, json.dumps({"Message": code}).encode()
