"""What ``build.sh`` does with a login to Docker Hub, a cache and an SBOM generator (lessons Q3, Q6)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .build_machine import DIGEST, HOST, OLD, TAG, URI, Machine, built

LOGIN = {"DOCKER_HUB_SECRET": "hub/reader", "DOCKER_HUB_USERNAME": "reader", "DOCKER_HUB_PASSWORD": "s3cret pass"}
GENERATOR = "docker/buildkit-syft-scanner@" + OLD
SBOM = {"SBOM_GENERATOR": GENERATOR, "SBOM_BUCKET": "sboms"}
STORED = f"s3://sboms/shop/staging/web/{TAG}.spdx.json"


def test_before_nothing_is_asked_of_docker_hub(machine: Machine) -> None:
    """BEFORE: without a login there is one login only, to ECR, and base images are pulled anonymously."""
    done = machine.run()
    assert done.code == 0
    assert [call for call in done.calls if "login" in call or "logout" in call] == [
        "aws ecr get-login-password",
        f"docker login --username AWS --password-stdin {HOST}",
        f"docker logout {HOST}",
    ]
    assert "DOCKER_HUB=" not in "".join(done.calls)


def test_the_password_goes_to_docker_by_stdin_and_nowhere_else(machine: Machine) -> None:
    """AFTER: docker gets it before the build; no program has it in its arguments or environment, and no log has it."""
    machine.variables = LOGIN
    done = machine.run()
    assert (done.code, done.exported) == (0, [(TAG, DIGEST)]), done.err
    at = done.calls.index("docker login --username reader --password-stdin")
    assert done.calls[at + 1] == "on stdin: s3cret pass"
    assert at < min(i for i, call in enumerate(done.calls) if call.startswith("docker build"))
    assert "s3cret" not in done.seen + done.out + done.err
    assert json.loads(done.seen.splitlines()[0])[1]["DOCKER_HUB_SECRET"] == "hub/reader"


def test_docker_forgets_its_logins_at_the_end(machine: Machine) -> None:
    """A machine that is used again must not have them, whether the build went well or not."""
    machine.variables = LOGIN
    assert machine.run().calls[-2:] == [f"docker logout {HOST}", "docker logout"]
    machine.docker = {"build": ("", 1)}
    failed = machine.run()
    assert (failed.code, failed.calls[-2:]) == (1, [f"docker logout {HOST}", "docker logout"])


def test_a_commit_that_is_built_already_needs_no_login(machine: Machine) -> None:
    """The secret is not even handed to the program that looks."""
    machine.variables = LOGIN
    machine.listing = [[built()]]
    done = machine.run()
    assert (done.code, done.programs) == (0, ["aws ecr describe-images"])
    assert "s3cret" not in done.seen + done.out + done.err


def test_the_dockerfile_is_told_where_the_cache_is(machine: Machine) -> None:
    """The build argument is the registry and the rule's prefix, to be followed by the image's name on Docker Hub."""
    machine.variables = {"CACHE_PREFIX": "docker-hub"}
    machine.dockerfile = "ARG DOCKER_HUB=docker.io\nFROM ${DOCKER_HUB}/library/python:3.13-slim\n"
    done = machine.run()
    assert done.code == 0
    (build,) = [call for call in done.calls if "--file" in call]
    assert f" --build-arg DOCKER_HUB={HOST}/docker-hub " in build
    assert "does not use DOCKER_HUB" not in done.out


def test_a_dockerfile_that_goes_round_the_cache_is_named(machine: Machine) -> None:
    """It may have its base images from elsewhere, so this is a note and no failure."""
    machine.variables = {"CACHE_PREFIX": "docker-hub"}
    done = machine.run()
    assert done.code == 0
    assert "moorings: Dockerfile does not use DOCKER_HUB" in done.out


@pytest.mark.parametrize(("cache", "place"), [({}, "docker.io"), ({"CACHE_PREFIX": "hub"}, f"{HOST}/hub")])
def test_the_list_is_made_of_the_images_own_files_and_kept_under_its_tag(
    machine: Machine, cache: dict[str, str], place: str
) -> None:
    """The generator has no network, gets the files read-only, and comes from where base images come from."""
    machine.variables = {**SBOM, **cache}
    done = machine.run()
    assert (done.code, done.exported) == (0, [(TAG, DIGEST)]), done.err
    assert json.loads((machine.work / "stored").read_text()) == [STORED, "packages of test"]
    (run,) = [call for call in done.calls if call.startswith("docker run")]
    assert " --network none " in run
    assert ":/run/image:ro " in run
    assert run.endswith(f" {place}/{GENERATOR}")
    assert f"docker create --platform linux/arm64 {URI}:{TAG} sbom" in done.calls


def test_no_image_is_pushed_without_its_list(machine: Machine) -> None:
    """The list is stored before the push: a build that breaks off between them leaves no image, and is built again."""
    machine.variables = SBOM
    programs = machine.run().programs
    assert programs.index("aws s3 cp") < programs.index("docker push")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"docker": {"create": ("", 1)}}, f"no container of {URI}:{TAG} could be made"),
        ({"docker": {"export": ("", 1)}}, f"the files of {URI}:{TAG} could not be taken out"),
        ({"docker": {"run": ("", 125)}}, f"{GENERATOR} could not list what is in the image"),
        ({"generator_is_silent": True}, f"{GENERATOR} wrote no image.spdx.json"),
        ({"bucket_fails": True}, "the SBOM could not be written to sboms: the role needs s3:PutObject"),
    ],
)
def test_a_list_that_cannot_be_made_or_kept_stops_the_build(
    machine: Machine, changes: dict[str, Any], message: str
) -> None:
    """Whoever asked for lists never has an image without one."""
    machine.variables = SBOM
    for key, value in changes.items():
        setattr(machine, key, value)
    done = machine.run()
    assert (done.code, done.exported) == (1, [])
    assert f"moorings: {message}" in done.err
    assert "docker push" not in done.programs
