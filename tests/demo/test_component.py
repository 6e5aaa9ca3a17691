"""What the demo breaks must be there."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from demo.cloud import LocalCloud
from demo.component import Component
from demo.environments import demo_environments
from local_cloud import control


class _HalfWay:
    """CloudFormation after a deployment that failed before the services' stack."""

    def describe_stack_resources(self, **_: str) -> None:
        """No such stack."""
        raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "DescribeStackResources")


def test_a_service_that_is_not_deployed_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No traceback: `make demo-break` after a demo that failed half-way says what to do."""
    monkeypatch.setattr(boto3, "client", lambda *_, **__: _HalfWay())
    cloud = LocalCloud(endpoint=control.Endpoint(url="http://127.0.0.1:1", port=1, pid=1), state_dir=tmp_path)
    with pytest.raises(RuntimeError, match="shop/staging/web is not deployed; `make demo` deploys it"):
        Component(cloud, demo_environments()[0])
