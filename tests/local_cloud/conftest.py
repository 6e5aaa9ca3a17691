"""One emulator for the whole session; each test has an account of its own in it."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_cloud import control, controls

REGION = "eu-central-1"
MINUTE = 0.5
"""How many seconds a minute of CloudWatch takes in the emulator of ``fast``."""
_accounts = itertools.count(100000000001)


@pytest.fixture(scope="session")
def emulator_python() -> Path:
    """The emulator's Python: its own virtual environment, unless the variable names another."""
    return Path(os.environ.get("MOORINGS_LOCAL_CLOUD_PYTHON", control.DEFAULT_PYTHON))


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory, emulator_python: Path) -> Iterator[control.Endpoint]:
    """A running emulator, stopped when the session ends."""
    state_dir = tmp_path_factory.mktemp("local-cloud")
    yield control.start(state_dir, python=emulator_python, idle_minutes=10)
    assert control.stop(state_dir)


@pytest.fixture(scope="session")
def fast(tmp_path_factory: pytest.TempPathFactory, emulator_python: Path) -> Iterator[control.Endpoint]:
    """An emulator of its own whose minute is short."""
    state_dir = tmp_path_factory.mktemp("fast-cloud")
    endpoint = control.start(state_dir, python=emulator_python, idle_minutes=10)
    controls.set_minute(endpoint, MINUTE)
    yield endpoint
    assert control.stop(state_dir)


def until(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    """Poll until the condition gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)
    return found


@dataclass(frozen=True)
class Aws:
    """Clients for one account and region of the emulator, and a few things that tests do often."""

    url: str
    account: str
    region: str = REGION

    def __call__(self, service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.account,
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def elsewhere(self, *, account: str | None = None, region: str | None = None) -> Aws:
        """The same emulator, seen from another account or region."""
        return Aws(self.url, account or self.account, region or self.region)

    def finished(self, name: str) -> dict[str, Any]:
        """Wait until no operation runs on the stack; return its description."""
        describe = self("cloudformation").describe_stacks

        def settled() -> dict[str, Any] | None:
            stack: dict[str, Any] = describe(StackName=name)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        found: dict[str, Any] = until(settled, f"stack {name} settled")
        return found

    def deploy(self, name: str, template: dict[str, Any], *, update: bool = False, **more: Any) -> dict[str, Any]:
        """Create or update a stack, wait, and return its description with the outputs as a plain dict."""
        cloudformation = self("cloudformation")
        call = cloudformation.update_stack if update else cloudformation.create_stack
        body = json.dumps(template)
        stack_id = call(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"], **more)["StackId"]
        stack = self.finished(stack_id)
        stack["Outputs"] = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return stack

    def delete(self, name: str) -> str:
        """Delete a stack, wait, and return its last status."""
        stack_id = self("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        self("cloudformation").delete_stack(StackName=name)
        status: str = self.finished(stack_id)["StackStatus"]
        return status

    def reasons(self, name: str) -> str:
        """All reasons that the events of a stack give, as one text."""
        events = self("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)

    def push(self, repository: str, tag: str | None = "v1", *, layer: str = "a") -> str:
        """Put an image that is unique to `layer` and return its digest."""
        manifest = json.dumps({"schemaVersion": 2, "layers": [{"digest": f"sha256:{layer}"}]})
        tagged = {"imageTag": tag} if tag else {}
        put = self("ecr").put_image(repositoryName=repository, imageManifest=manifest, **tagged)
        digest: str = put["image"]["imageId"]["imageDigest"]
        return digest


@pytest.fixture(scope="session")
def new_account(endpoint: control.Endpoint) -> Callable[[], Aws]:
    """Make an account that nobody else uses."""
    return lambda: Aws(endpoint.url, str(next(_accounts)))


@pytest.fixture
def aws(new_account: Callable[[], Aws]) -> Aws:
    """The test's own account."""
    return new_account()


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    """The polling helper."""
    return until
