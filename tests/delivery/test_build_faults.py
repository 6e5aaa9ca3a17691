"""What ``build.sh`` says when something goes wrong: one line with what it means and how to mend it."""

from __future__ import annotations

from typing import Any

import pytest

from .build_machine import DIGEST, HOST, INDEX, OCI, OLD, TAG, URI, Machine, Outcome

LOGIN = {"DOCKER_HUB_SECRET": "hub/reader", "DOCKER_HUB_USERNAME": "reader", "DOCKER_HUB_PASSWORD": "s3cret"}
CACHE = {"CACHE_PREFIX": "docker-hub"}

FAILURES: list[tuple[str, dict[str, Any], str]] = [
    ("no Dockerfile", {"variables": {"DOCKERFILE": "web/Dockerfile"}}, "there is no file web/Dockerfile in the source"),
    ("no context", {"variables": {"CONTEXT": "web"}}, "there is no folder web in the source"),
    ("a variable is missing", {"variables": {"PLATFORM": ""}}, "the variable PLATFORM is not set"),
    ("no login", {"login_fails": True}, f"no login to {HOST}"),
    ("the build fails", {"docker": {"build": ("exit code: 1\n", 1)}}, "the image could not be built"),
    ("the push fails", {"docker": {"push": ("EOF\n", 1)}}, "the image could not be pushed"),
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


def faults(done: Outcome) -> list[str]:
    """What the script itself said that went wrong; the build must have failed."""
    assert (done.code, done.exported) == (1, [])
    return [line.removeprefix("moorings: ") for line in done.err.splitlines() if line.startswith("moorings: ")]


# What BuildKit, dockerd's own builder and the registries really say, from their sources and public reports.
LIMIT = (
    "ERROR: failed to solve: docker.io/library/python:3.13-slim: failed to copy: httpReadSeeker: failed open:"
    " unexpected status code https://registry-1.docker.io/v2/library/python/manifests/sha256:1: 429 Too Many Requests -"
    " Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.\n"
)
OLD_LIMIT = "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating\n"
DENIED = (
    "ERROR: failed to solve: acme/base: failed to resolve source metadata for docker.io/acme/base:latest: pull access"
    " denied, repository does not exist or may require authorization: server message: insufficient_scope:"
    " authorization failed\n"
)
OLD_DENIED = (
    "pull access denied for acme/base, repository does not exist or may require 'docker login': denied: requested"
    " access to the resource is denied\n"
)
FORBIDDEN = (
    "ERROR: failed to solve: unexpected status from HEAD request to https://1.dkr.ecr.eu-west-1.amazonaws.com/v2/a/b:"
    " 403 Forbidden\n"
)
ABSENT = "ERROR: failed to solve: python:3.99: failed to resolve source metadata for python:3.99: not found\n"
OLD_ABSENT = "manifest for python:3.99 not found: manifest unknown: manifest unknown\n"
NO_REPOSITORY = (
    "ERROR: failed to solve: failed to copy: name unknown: The repository with name 'docker-hub/library/python' does"
    " not exist in the registry with id '111122223333'\n"
)
PLATFORM = "no matching manifest for linux/arm64/v8 in the manifest list entries\n"
NEW_PLATFORM = "ERROR: failed to solve: acme/base: no match for platform in manifest: not found\n"
EXEC = (
    '#6 0.102 exec /bin/sh: exec format error\n------\nERROR: failed to solve: process "/bin/sh -c apt-get update" did'
    " not complete successfully: exit code: 255\n"
)
FULL = (
    '#6 9.21 tar: write error: No space left on device\n------\nERROR: failed to solve: process "/bin/sh -c tar xf x"'
    " did not complete successfully: exit code: 1\n"
)
CODE_403 = (
    "#6 1.20 E: 403 Forbidden denied: toomanyrequests [IP: 10.0.0.1 80]\n------\n > [2/2] RUN apt-get update:\n------\n"
    'ERROR: failed to solve: process "/bin/sh -c apt-get update" did not complete successfully: exit code: 100\n'
)
BUILDS: list[tuple[str, dict[str, str], str, str]] = [
    ("limit", {}, LIMIT, "Docker Hub's limit for anonymous pulls is reached: set 'docker_hub' of the BuildPipeline"),
    ("old limit", {}, OLD_LIMIT, "Docker Hub's limit for anonymous pulls is reached"),
    ("limit of a user", LOGIN, LIMIT, "Docker Hub's limit for the user in the secret hub/reader is reached"),
    ("limit beside a cache", CACHE, LIMIT, "does Dockerfile start every image of Docker Hub with ${DOCKER_HUB}/?"),
    ("denied", {}, DENIED, "a base image may not be pulled: is its name right, and is it public"),
    ("old denied", {}, OLD_DENIED, "a base image may not be pulled: is its name right, and is it public"),
    ("forbidden", {}, FORBIDDEN, "a base image may not be pulled: is its name right, and is it public"),
    ("denied to a user", LOGIN, DENIED, "may the user in the secret hub/reader pull it?"),
    ("denied through a cache", CACHE, DENIED, f"is there a pull-through rule with the prefix docker-hub in {HOST},"),
    ("absent", {}, ABSENT, "a base image does not exist: look at the FROM lines of Dockerfile"),
    ("old absent", {}, OLD_ABSENT, "a base image does not exist: look at the FROM lines of Dockerfile"),
    ("no rule", CACHE, NO_REPOSITORY, f"there must be a pull-through rule with the prefix docker-hub in {HOST}"),
    ("platform", {}, PLATFORM, "something in the image is for another processor than linux/arm64"),
    ("new platform", {}, NEW_PLATFORM, "something in the image is for another processor than linux/arm64"),
    ("exec format", {}, EXEC, "something in the image is for another processor than linux/arm64"),
    ("disk full", {}, FULL, "the disk is full: leave out files with .dockerignore, or set a larger 'compute'"),
    ("a program in the build is refused something", {}, CODE_403, "the image could not be built: see docker's own"),
]


@pytest.mark.parametrize(("variables", "said", "message"), [case[1:] for case in BUILDS], ids=[c[0] for c in BUILDS])
def test_a_build_that_fails_says_what_its_message_means(
    machine: Machine, variables: dict[str, str], said: str, message: str
) -> None:
    """Docker's own words come first, then one sentence; what a program in the build said is not taken for docker's."""
    machine.variables = variables
    machine.docker = {"build": (said, 1)}
    done = machine.run()
    (fault,) = faults(done)
    assert message in fault
    assert said in done.out
    assert not [call for call in done.calls if call.startswith("docker push")]


PUSHES: list[tuple[str, str, str]] = [
    (
        "taken",
        f"tag invalid: The image tag '{TAG}' already exists in the 'shop/staging/web' repository and cannot be"
        " overwritten because the tag is immutable.\n",
        f"the tag {TAG} is taken in shop/staging/web and tags do not move: start the build again",
    ),
    ("no login", "no basic auth credentials\n", "the login is missing or over; start the build again"),
    (
        "login over",
        "denied: Your authorization token has expired. Reauthenticate and try again.\n",
        "the login is missing or over; start the build again",
    ),
    (
        "refused",
        "denied: User: arn:aws:sts::111122223333:assumed-role/b/c is not authorized to perform: ecr:InitiateLayerUpload"
        " on resource: arn:aws:ecr:eu-west-1:111122223333:repository/shop/production/web\n",
        f"could not be pushed to {URI}: the registry refuses this role; it may push to its own only",
    ),
    ("forbidden", "unexpected status from POST request: 403 Forbidden\n", "the registry refuses this role"),
    (
        "no repository",
        "name unknown: The repository with name 'shop/staging/web' does not exist in the registry with id '1'\n",
        f"there is no repository shop/staging/web in {HOST}",
    ),
    ("limited", "toomanyrequests: Rate exceeded\n", "ECR limits requests at the moment"),
    ("disk full", "write /var/lib/docker/tmp/x: no space left on device\n", "the disk is full: set a larger"),
    ("unknown", "EOF\n", f"the image could not be pushed to {URI}: see docker's own message above"),
]


@pytest.mark.parametrize(("said", "message"), [case[1:] for case in PUSHES], ids=[case[0] for case in PUSHES])
def test_a_push_that_fails_says_what_its_message_means(machine: Machine, said: str, message: str) -> None:
    """The registry's own words come first, then one sentence, and no digest is asked for."""
    machine.docker = {"push": (said, 1)}
    done = machine.run()
    (fault,) = faults(done)
    assert message in fault
    assert said in done.out
    assert not [call for call in done.calls if call.startswith("docker inspect")]


NO_DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
WRONG = "Error response from daemon: login attempt to https://x/v2/ failed with status: 400 Bad Request\n"
WRONG_USER = "Error response from daemon: Get https://registry-1.docker.io/v2/: unauthorized: incorrect username\n"
LOGINS: list[tuple[str, dict[str, tuple[str, int]], str]] = [
    ("no docker", {"login": (NO_DAEMON, 1)}, "no docker runs here: the project's privileged mode must be on"),
    ("token refused", {"login": (WRONG, 1)}, f"no login to {HOST}: it refused the token"),
    ("wrong user", {"hub_login": (WRONG_USER, 1)}, "refuses the user or the password in the secret hub/reader"),
    ("limited", {"hub_login": ("toomanyrequests: too many failed logins\n", 1)}, "Docker Hub limits logins"),
    ("no network", {"hub_login": ("dial tcp: i/o timeout\n", 1)}, "no login to Docker Hub with the secret hub/reader"),
]


@pytest.mark.parametrize(("docker", "message"), [case[1:] for case in LOGINS], ids=[case[0] for case in LOGINS])
def test_a_login_that_fails_says_which_one_and_why(
    machine: Machine, docker: dict[str, tuple[str, int]], message: str
) -> None:
    """Nothing is built without the logins that the build was given."""
    machine.variables = LOGIN
    machine.docker = docker
    done = machine.run()
    (fault,) = faults(done)
    assert message in fault
    assert not [call for call in done.calls if call.startswith("docker build")]
    assert "s3cret" not in done.out + done.err + done.seen


@pytest.mark.parametrize("key", ["DOCKER_HUB_USERNAME", "DOCKER_HUB_PASSWORD"])
def test_a_secret_without_a_key_is_named(machine: Machine, key: str) -> None:
    """The message names the secret and its keys, and Docker Hub is not asked."""
    machine.variables = {**LOGIN, key: ""}
    done = machine.run()
    (fault,) = faults(done)
    assert fault.startswith("the secret hub/reader gave no user or no password")
    assert done.programs.count("docker login") == 1  # the one to ECR
