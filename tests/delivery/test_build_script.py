"""``build.sh``: one commit, one image, one digest that the build is sure of (lessons Q1, Q3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.delivery.buildspec import buildspec
from constructs_lib.naming import build_tag

from .build_machine import COMMIT, DIGEST, HOST, INDEX, NOW, OCI, OLD, TAG, URI, Machine, built


def test_a_new_commit_is_built_pushed_checked_and_handed_on(machine: Machine) -> None:
    done = machine.run()
    assert (done.code, done.exported) == (0, [(TAG, DIGEST)]), done.err
    assert done.programs == [
        "aws ecr describe-images",
        "aws ecr get-login-password",
        "docker login",
        "on stdin:",
        "docker build",
        "docker build",
        "docker push",
        "docker inspect",
        "aws ecr describe-images",
        "docker logout",
    ]
    assert f"docker login --username AWS --password-stdin {HOST}" in done.calls
    assert "on stdin: secret-token" in done.calls
    assert (
        "docker build --provenance=false --sbom=false --platform linux/arm64 "
        f"--file Dockerfile --tag {URI}:{TAG} ." in done.calls
    )
    assert f"docker push {URI}:{TAG}" in done.calls
    assert "secret-token" not in done.out + done.err + done.seen
    assert f"docker logout {HOST}" in done.calls


def test_a_docker_that_makes_no_attestations_gets_no_flag_that_it_does_not_know(machine: Machine) -> None:
    machine.build_help = "      --platform string\n"
    done = machine.run()
    assert done.code == 0
    assert f"docker build --platform linux/arm64 --file Dockerfile --tag {URI}:{TAG} ." in done.calls


@pytest.mark.parametrize("status", [{"imageStatus": "ACTIVE"}, {"imageStatus": None}])
def test_a_commit_that_has_an_active_image_is_not_built_again(machine: Machine, status: dict[str, Any]) -> None:
    earlier = TAG.replace("0401", "0301")
    machine.listing = [[], [{"imageDigest": DIGEST}, built(earlier, **status)]]
    done = machine.run()
    assert (done.code, done.exported) == (0, [(earlier, OLD)]), done.err
    assert done.programs == ["aws ecr describe-images"]
    assert "is built already" in done.out


def test_the_newest_of_several_images_of_a_commit_is_taken(machine: Machine) -> None:
    newest = TAG.replace("2026", "2027")
    machine.listing = [[built(newest, imageDigest=DIGEST, imageTags=["pin-1", newest])], [built()]]
    assert machine.run().exported == [(newest, DIGEST)]


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(built(imageStatus="ARCHIVED"), id="archived: it cannot be pulled"),
        pytest.param(built(imageStatus="ACTIVATING"), id="being restored"),
        pytest.param(built(imageManifestMediaType=INDEX), id="an index that an earlier build refused"),
        pytest.param(built(TAG.replace(COMMIT[:12], "f" * 12)), id="another commit"),
        pytest.param(built(TAG.replace("staging", "production")), id="another environment"),
        pytest.param(built(f"x-{TAG}"), id="another name that ends alike"),
        pytest.param(built(f"pin-{COMMIT[:12]}"), id="a pin"),
    ],
)
def test_an_image_that_is_no_good_build_of_this_commit_does_not_count(machine: Machine, image: dict[str, Any]) -> None:
    machine.listing = [[image]]
    assert machine.run().exported == [(TAG, DIGEST)]


def test_rebuild_builds_a_commit_again(machine: Machine) -> None:
    machine.listing = [[built()]]
    machine.variables = {"REBUILD": "yes"}
    done = machine.run()
    assert done.exported == [(TAG, DIGEST)]
    assert done.programs.count("aws ecr describe-images") == 1  # the check after the push


def test_a_listing_that_fails_stops_the_build_and_never_means_none(machine: Machine) -> None:
    machine.listing_fails = True
    done = machine.run()
    assert (done.code, done.exported, done.programs) == (1, [], ["aws ecr describe-images"])
    assert "could not be listed, so it is not known whether 0123456789ab is built already" in done.err


@pytest.mark.parametrize("commit", ["", "main", COMMIT[:12], COMMIT.upper(), "arn:aws:s3:::x/y", COMMIT + "\n;ls"])
def test_what_is_no_commit_is_refused_before_anything_is_called(machine: Machine, commit: str) -> None:
    machine.variables = {"CODEBUILD_RESOLVED_SOURCE_VERSION": commit}
    done = machine.run()
    assert (done.code, done.exported, done.calls) == (1, [], [])
    assert "is no full commit id: start the build from the GitHub source" in done.err


def test_the_digest_of_another_repository_does_not_disturb(machine: Machine) -> None:
    machine.repo_digests = f"{HOST}/other@{OLD}\n{URI}@{DIGEST}\n"
    assert machine.run().exported == [(TAG, DIGEST)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    environment=st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5}){0,2}", fullmatch=True),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)),
    commit=st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
)
def test_the_tag_is_the_one_that_naming_gives(machine: Machine, environment: str, at: datetime, commit: str) -> None:
    expected = build_tag(environment, at, commit)
    machine.environment = environment
    machine.date = f"{at:%Y%m%dT%H%M%SZ}"
    machine.variables = {"CODEBUILD_RESOLVED_SOURCE_VERSION": commit}
    machine.pushed = {"imageManifestMediaType": OCI, "imageTags": [expected]}
    assert machine.run().exported == [(expected, DIGEST)]


def test_the_clock_is_asked_for_utc_in_the_form_that_naming_has() -> None:
    spec: Any = buildspec()
    assert 'at="$(date -u +%Y%m%dT%H%M%SZ)"' in spec["phases"]["build"]["commands"][1]
    assert build_tag("staging", NOW, COMMIT) == TAG
