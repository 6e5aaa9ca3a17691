"""From an empty account to running tasks, with the real CDK command line on the local cloud.

What ECS and CloudFormation do here is our model of them; ``local_cloud/README.md`` says how far it goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from constructs_lib.services.policy import TaskSize
from stacks.config import EnvironmentConfig, ServiceSize
from tests.e2e.conftest import Deploy, Deployed

pytestmark = pytest.mark.e2e

SCALED_OUT = 5


@pytest.fixture(scope="module")
def empty(deploy: Deploy, staging: EnvironmentConfig) -> Deployed:
    """Staging after one ``cdk deploy`` into an account that holds nothing."""
    deploy(staging)
    return Deployed(staging)


@pytest.fixture(scope="module")
def first_sight(empty: Deployed) -> tuple[object, ...]:
    """What was there right after the first deployment."""
    return empty.status(), empty.counts(), empty.outputs(), empty.alarms_act()


@pytest.fixture(scope="module")
def released(empty: Deployed, first_sight: tuple[object, ...], deploy: Deploy, staging: EnvironmentConfig) -> Deployed:
    """Staging after its first release."""
    assert first_sight
    empty.release("first release")
    deploy(staging, stacks="*/services")
    return empty


@pytest.fixture
def busy(released: Deployed) -> Iterator[Deployed]:
    """A released service that scaling has brought to five tasks."""
    released.scale_to(SCALED_OUT)
    assert released.counts() == (SCALED_OUT, SCALED_OUT)
    yield released
    released.scale_to(2)


def test_the_first_deploy_of_an_empty_account_succeeds(first_sight: tuple[object, ...]) -> None:
    """One command, no image: the service stands with zero tasks, its alarms are quiet, and an output says so."""
    status, counts, outputs, alarms_act = first_sight
    assert status == "CREATE_COMPLETE"
    assert counts == (0, 0)
    assert any("zero tasks" in str(value) for value in outputs)  # type: ignore[attr-defined]
    assert alarms_act == {False}


def test_a_release_brings_the_service_up_by_digest(released: Deployed) -> None:
    """After the digest is written and the stack updated, the minimum of tasks runs exactly that digest."""
    digest = released.ssm.get_parameter(Name=released.parameter)["Parameter"]["Value"]
    assert released.counts() == (2, 2)
    assert released.digests() == {digest}
    assert released.alarms_act() == {True}


def test_a_deploy_does_not_undo_scaling(busy: Deployed, deploy: Deploy, staging: EnvironmentConfig) -> None:
    """A deployment that changes the task definition leaves the five tasks that scaling made."""
    bigger = ServiceSize(task=TaskSize(cpu=1024, memory_mib=2048))
    deploy(replace(staging, size=bigger), stacks="*/services")
    assert busy.counts() == (SCALED_OUT, SCALED_OUT)
    deploy(staging, stacks="*/services")
    assert busy.counts() == (SCALED_OUT, SCALED_OUT)


def test_a_deploy_without_a_change_changes_nothing(busy: Deployed, deploy: Deploy, staging: EnvironmentConfig) -> None:
    """The second of two equal deployments leaves stack and tasks as they are."""
    events = busy.cloudformation.describe_stack_events(StackName=busy.stack)["StackEvents"]
    deploy(staging)
    assert busy.cloudformation.describe_stack_events(StackName=busy.stack)["StackEvents"] == events
    assert busy.counts() == (SCALED_OUT, SCALED_OUT)


def test_a_deploy_after_the_parameter_is_gone_fails_and_touches_nothing(
    busy: Deployed, deploy: Deploy, staging: EnvironmentConfig
) -> None:
    """A lost parameter stops the deployment; it does not stand for ``none``, which would stop every task."""
    digest = busy.ssm.get_parameter(Name=busy.parameter)["Parameter"]["Value"]
    running = busy.digests()
    busy.ssm.delete_parameter(Name=busy.parameter)
    try:
        with pytest.raises(RuntimeError, match=busy.parameter):
            deploy(replace(staging, size=ServiceSize(task=TaskSize(cpu=1024, memory_mib=2048))))
        assert busy.counts() == (SCALED_OUT, SCALED_OUT)
        assert busy.digests() == running
    finally:
        busy.ssm.put_parameter(Name=busy.parameter, Value=digest, Type="String")


def test_two_applications_share_an_account(released: Deployed, deploy: Deploy, staging: EnvironmentConfig) -> None:
    """A second application with the same environment and service name stands beside the first."""
    api = replace(staging.services[0], name="api")
    other = replace(staging, application="second", services=(*staging.services, api))
    deploy(other)
    found = {repository["repositoryName"] for repository in released.ecr.describe_repositories()["repositories"]}
    assert {"first/staging/web", "second/staging/web", "second/staging/api"} <= found
    assert released.counts() == (2, 2)
