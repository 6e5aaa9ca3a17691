"""The proof tier: one private machine for all its tests. In CI a test that is skipped has failed."""

from __future__ import annotations

import os
import platform
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from .internet import Internet
from .machine import ACCOUNT, ARCHITECTURES, REGION, Docker, Machine, missing, until
from .shop import PROJECT, REPOSITORY, Shop


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``CI`` set, a skip of this tier is a failure: otherwise it could stop running and nobody would know."""
    report = yield
    if (
        report.skipped
        and not hasattr(report, "wasxfail")
        and os.environ.get("CI", "").lower() not in ("", "0", "false")
    ):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"CI is set, so this may not be skipped. {reason}"
    return report


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The private machine, with the local cloud running; skips with the reason where it cannot be had."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with Machine(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack with the repository and the build of one environment, for the processor of this machine."""
    from aws_cdk import App, DefaultStackSynthesizer, Environment, Stack

    from constructs_lib.delivery.pipeline import BuildPipeline
    from constructs_lib.delivery.policy import GitHubSource
    from constructs_lib.images.repository import PinnedRepository

    app = App(outdir=str(tmp_path_factory.mktemp("assembly")))
    stack = Stack(
        app,
        "Shop",
        env=Environment(account=ACCOUNT, region=REGION),
        synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )
    BuildPipeline(
        stack,
        "Build",
        repository=PinnedRepository(stack, "Images", repository_name=REPOSITORY).repository,
        environment_name="staging",
        source=GitHubSource(owner="example", repository="shop"),
        project_name=PROJECT,
        architecture=ARCHITECTURES[platform.machine()],
    )
    return Path(app.synth().get_stack_by_name("Shop").template_full_path)


@pytest.fixture(scope="session")
def shop(machine: Machine, template: Path) -> Shop:
    """The stack, deployed."""
    body = f"file://{template}"
    create = ("create-stack", "--stack-name", "Shop", "--template-body", body, "--capabilities", "CAPABILITY_IAM")
    machine.aws("cloudformation", *create)

    def settled() -> str | None:
        (stack,) = machine.aws("cloudformation", "describe-stacks", "--stack-name", "Shop")["Stacks"]
        status = str(stack["StackStatus"])
        return None if status.endswith("IN_PROGRESS") else status

    assert until(settled, "the stack is there") == "CREATE_COMPLETE"
    (project,) = machine.aws("codebuild", "batch-get-projects", "--names", PROJECT)["projects"]
    return Shop(machine, project)


@pytest.fixture(scope="session")
def builder(internet: Internet) -> Docker:
    """A dockerd that builds; it reads the certificate of our Docker Hub when it starts."""
    return internet.machine.docker()


@pytest.fixture(scope="session")
def internet(machine: Machine) -> Iterator[Internet]:
    """What would be outside: Docker Hub, a name server, and a front of the registry; it starts before any dockerd."""
    with Internet(machine) as internet:
        yield internet


@pytest.fixture
def outside(internet: Internet) -> Iterator[Internet]:
    """The same, with nothing asked of it yet, letting everything pass."""
    internet.reset()
    yield internet
    internet.reset()
