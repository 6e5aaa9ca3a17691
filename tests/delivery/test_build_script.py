"""``build.sh`` run for real, as CodeBuild runs it, with stubs of ``aws``, ``docker`` and ``date`` that record calls.

The stub ``aws`` evaluates the real ``--query`` page by page, as the AWS CLI does with text output.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from constructs_lib.delivery.buildspec import buildspec
from constructs_lib.naming import build_tag

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HOST = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
URI = f"{HOST}/shop/staging/web"
NOW = datetime(2026, 4, 1, 10, 15, tzinfo=UTC)
TAG = f"staging-20260401T101500Z-{COMMIT[:12]}"
DIGEST, OLD = "sha256:" + "a" * 64, "sha256:" + "b" * 64
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
BASH = shutil.which("bash") or "bash"

AWS = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
import jmespath

state = json.loads(Path(os.environ["STATE"]).read_text())
args = sys.argv[1:]
with Path(os.environ["CALLS"]).open("a") as calls:
    calls.write("aws " + " ".join(args) + "\\n")
if args[:2] == ["ecr", "get-login-password"]:
    if state["login_fails"]:
        sys.exit("AccessDeniedException")
    print("secret-token")
    sys.exit()
asked = "pushed" if "--image-ids" in args else "listing"
if state[asked + "_fails"]:
    sys.exit("An error occurred (AccessDeniedException) when calling the DescribeImages operation")
for page in state[asked]:
    result = jmespath.search(args[args.index("--query") + 1], {{"imageDetails": page}})
    for row in result if asked == "listing" else [result]:
        print("\\t".join("None" if cell is None else str(cell) for cell in row))
"""
DOCKER = """#!/usr/bin/env bash
echo "docker $*" >>"$CALLS"
case "$1" in
login) read -r token; echo "token on stdin: $token" >>"$CALLS" ;;
build) if [[ "${2-}" == --help ]]; then cat "$WORK/build_help"; else exit "$(cat "$WORK/build_code")"; fi ;;
push) cat "$WORK/push_log"; exit "$(cat "$WORK/push_code")" ;;
inspect) cat "$WORK/repo_digests" ;;
esac
"""
# What CodeBuild does with a phase: one shell, one command after the other, stop at the first that fails.
CODEBUILD = """
for command in "$@"; do eval "$command"; code=$?; if [[ $code != 0 ]]; then exit "$code"; fi; done
printf 'exported %s %s\\n' "$BUILD_TAG" "$IMAGE_DIGEST"
"""


@dataclass
class Outcome:
    code: int
    out: str
    err: str
    calls: list[str]

    @property
    def exported(self) -> list[tuple[str, str]]:
        return [(m[1], m[2]) for m in re.finditer(r"^exported (\S+) (\S+)$", self.out, re.MULTILINE)]

    @property
    def programs(self) -> list[str]:
        return [" ".join(call.split()[: 3 if call.startswith("aws") else 2]) for call in self.calls]


@dataclass
class Machine:
    """A build machine with stub programs. Change its fields, then :meth:`run`."""

    work: Path
    listing: list[list[dict[str, Any]]] = field(default_factory=lambda: [[]])
    pushed: dict[str, Any] = field(
        default_factory=lambda: {"imageManifestMediaType": OCI, "imageTags": [TAG], "imageStatus": "ACTIVE"}
    )
    login_fails: bool = False
    listing_fails: bool = False
    pushed_fails: bool = False
    push_log: str = f"1d0c: Pushed\n{TAG}: digest: {DIGEST} size: 528\n"
    push_code: int = 0
    build_code: int = 0
    build_help: str = "      --provenance string   Shorthand\n"
    repo_digests: str = f"{URI}@{DIGEST}\n"
    date: str = "20260401T101500Z"
    environment: str = "staging"
    variables: dict[str, str] = field(default_factory=dict)

    def run(self) -> Outcome:
        programs = {"aws": AWS, "docker": DOCKER, "date": f'#!/bin/sh\n[ "$1" = -u ] && echo {self.date}\n'}
        (self.work / "bin").mkdir(exist_ok=True)
        for name, text in programs.items():
            program = self.work / "bin" / name
            program.write_text(text)
            program.chmod(0o755)
        for name in ("push_log", "push_code", "build_code", "build_help", "repo_digests"):
            (self.work / name).write_text(str(getattr(self, name)))
        state = {key: getattr(self, key) for key in ("login_fails", "listing", "listing_fails", "pushed_fails")}
        (self.work / "state").write_text(json.dumps({**state, "pushed": [[self.pushed]]}))
        (self.work / "calls").write_text("")
        source = self.work / "source"
        source.mkdir(exist_ok=True)
        (source / "Dockerfile").write_text("FROM scratch\n")
        spec: Any = buildspec()
        done = subprocess.run(
            [BASH, "-c", CODEBUILD, "codebuild", *spec["phases"]["build"]["commands"]],
            cwd=source,
            env={
                "PATH": f"{self.work / 'bin'}:/usr/bin:/bin",
                "TMPDIR": str(self.work),
                "WORK": str(self.work),
                "STATE": str(self.work / "state"),
                "CALLS": str(self.work / "calls"),
                "REPOSITORY_URI": URI,
                "ENVIRONMENT_NAME": self.environment,
                "DOCKERFILE": "Dockerfile",
                "CONTEXT": ".",
                "PLATFORM": "linux/arm64",
                "REBUILD": "no",
                "CODEBUILD_RESOLVED_SOURCE_VERSION": COMMIT,
                **self.variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr, (self.work / "calls").read_text().splitlines())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def built(tag: str = TAG, **changes: Any) -> dict[str, Any]:
    return {"imageDigest": OLD, "imageManifestMediaType": OCI, "imageStatus": "ACTIVE", "imageTags": [tag], **changes}


def test_a_new_commit_is_built_pushed_checked_and_handed_on(machine: Machine) -> None:
    done = machine.run()
    assert (done.code, done.exported) == (0, [(TAG, DIGEST)]), done.err
    login = ["aws ecr get-login-password", "docker login", "token on"]  # in parallel: a pipe
    assert sorted(done.programs[1:4]) == login
    assert [call for call in done.programs if call not in login] == [
        "aws ecr describe-images",
        "docker build",
        "docker build",
        "docker push",
        "docker inspect",
        "aws ecr describe-images",
    ]
    assert f"docker login --username AWS --password-stdin {HOST}" in done.calls
    assert "token on stdin: secret-token" in done.calls
    assert (
        "docker build --provenance=false --sbom=false --platform linux/arm64 "
        f"--file Dockerfile --tag {URI}:{TAG} ." in done.calls
    )
    assert f"docker push {URI}:{TAG}" in done.calls
    assert "secret-token" not in done.out + done.err


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


FAILURES: list[tuple[str, dict[str, Any], str]] = [
    ("no Dockerfile", {"variables": {"DOCKERFILE": "web/Dockerfile"}}, "there is no file web/Dockerfile in the source"),
    ("no context", {"variables": {"CONTEXT": "web"}}, "there is no folder web in the source"),
    ("a variable is missing", {"variables": {"PLATFORM": ""}}, "the variable PLATFORM is not set"),
    ("no login", {"login_fails": True}, f"no login to {HOST}"),
    ("the build fails", {"build_code": 1}, "the image could not be built"),
    ("the push fails", {"push_code": 1, "push_log": "denied: not authorized\n"}, "the image could not be pushed"),
    (
        "the tag is taken",
        {"push_code": 1, "push_log": "tag invalid: The image tag already exists and cannot be overwritten because\n"},
        f"the tag {TAG} is taken in shop/staging/web",
    ),
    ("no digest", {"push_log": "latest: pushed\n"}, "docker push gave no digest"),
    ("another digest", {"repo_digests": f"{URI}@{OLD}\n"}, f"docker push said {DIGEST}, but"),
    ("two digests", {"repo_digests": f"{URI}@{OLD}\n{URI}@{DIGEST}\n"}, f"docker push said {DIGEST}, but"),
    ("another repository's digest", {"repo_digests": f"{URI}-2@{DIGEST}\n"}, f"docker push said {DIGEST}, but"),
    ("the registry does not know it", {"pushed_fails": True}, f"the registry does not know {DIGEST}"),
    (
        "an index was pushed",
        {"pushed": {"imageManifestMediaType": INDEX, "imageTags": [TAG]}},
        f"is no single manifest but '{INDEX}'",
    ),
    ("no media type", {"pushed": {"imageTags": [TAG]}}, "is no single manifest but 'None'"),
    ("the tag is not there", {"pushed": {"imageManifestMediaType": OCI, "imageTags": ["x"]}}, f"without the tag {TAG}"),
    (
        "the same image is archived",
        {"pushed": {"imageManifestMediaType": OCI, "imageTags": [TAG], "imageStatus": "ARCHIVED"}},
        "is ARCHIVED: restore it",
    ),
]


@pytest.mark.parametrize(("changes", "message"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES])
def test_a_failure_stops_the_build_with_one_line_and_hands_nothing_on(
    machine: Machine, changes: dict[str, Any], message: str
) -> None:
    for key, value in changes.items():
        setattr(machine, key, value)
    done = machine.run()
    assert (done.code, done.exported) == (1, [])
    assert [line for line in done.err.splitlines() if line.startswith("moorings: ") and message in line], done.err


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
