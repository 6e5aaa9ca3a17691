"""Base images of Docker Hub: as nobody, as a user, through a cache (lesson Q6). Docker Hub is front.py's, over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .internet import HUB_PASSWORD, HUB_USER, Internet
from .machine import REGISTRY, Docker, until
from .shop import Shop, commit
from .test_refusals import faults, with_program

pytestmark = pytest.mark.proof

BASE = "library/base"
CACHED = "docker-hub/library/base"
GENERATOR = "proof/generator"
ON_BASE = """
ARG DOCKER_HUB=docker.io
FROM ${DOCKER_HUB}/library/base:1
COPY index.html /www/index.html
"""
LOGIN = {
    "DOCKER_HUB_SECRET": "docker-hub/reader",
    "DOCKER_HUB_USERNAME": HUB_USER,
    "DOCKER_HUB_PASSWORD": HUB_PASSWORD,
}
WRITE = 'cat "$BUILDKIT_SCAN_SOURCE/www/index.html" >"$BUILDKIT_SCAN_DESTINATION/$(basename "$BUILDKIT_SCAN_SOURCE")'


@pytest.fixture(scope="module")
def published(shop: Shop, builder: Docker) -> str:
    """What Docker Hub and the cache have: a base image, and a generator of SBOMs, of which this is the digest."""
    source = shop.machine.work / "published"
    source.mkdir()
    busybox = source / "busybox"
    busybox.write_bytes(Path(shop.machine.run("which", "busybox").stdout.strip()).read_bytes())
    busybox.chmod(0o755)
    base = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "mkdir", "-p", "/tmp", "/run"]\n'
    entry = json.dumps(["/bin/busybox", "sh", "-c", f'{WRITE}.spdx.json"'])
    said = ""
    for name, text in {BASE: base, CACHED: base, GENERATOR: f"{base}ENTRYPOINT {entry}\n"}.items():
        shop.machine.aws("ecr", "create-repository", "--repository-name", name)
        (source / "Dockerfile").write_text(text)
        builder("build", "--quiet", "--tag", f"{REGISTRY}/{name}:1", str(source))
        said = builder("push", f"{REGISTRY}/{name}:1")
        builder("rmi", f"{REGISTRY}/{name}:1")
    return next(word for word in said.split() if word.startswith("sha256:"))


@pytest.fixture
def fresh(published: str, outside: Internet) -> Iterator[Docker]:
    """A dockerd that has pulled nothing yet, as each build has."""
    assert published
    docker = outside.machine.docker()
    yield docker
    docker.stop()


def test_before_nobody_reaches_the_limit(shop: Shop, fresh: Docker, outside: Internet) -> None:
    """BEFORE: without a login the build fails at Docker Hub's limit, and says what to set."""
    done = shop.build(commit("as nobody"), fresh, dockerfile=ON_BASE)
    (fault,) = faults(done.said)
    assert (done.code, done.digest) == (1, "")
    assert "Docker Hub's limit for anonymous pulls is reached: set 'docker_hub' of the BuildPipeline" in fault
    assert set(outside.asked("name")) <= {"docker.io"}  # docker looks whether the registry is a machine of its own


def test_a_user_is_not_limited_and_its_password_is_nowhere_to_be_seen(shop: Shop, fresh: Docker) -> None:
    """AFTER: the build succeeds; the password is in no log, no image, no container and no file that is left."""
    done = shop.build(commit("as a user"), fresh, dockerfile=ON_BASE, variables=LOGIN)
    assert done.code == 0, done.said
    image = done.said.split(" (")[0].rsplit(" ", 1)[-1]
    seen = [done.said, fresh("inspect", image), fresh("history", "--no-trunc", image), shop.manifest(done.digest)]
    files = [p.read_text(errors="replace") for p in (shop.machine.work / ".docker").rglob("*") if p.is_file()]
    assert not [text for text in [*seen, *files] if HUB_PASSWORD in text]
    logins = {host for text in files for host in json.loads(text).get("auths", {})}
    assert not [host for host in logins if "docker.io" in host], "another test's killed build may have left its own"


def test_the_password_is_in_no_process_while_docker_logs_in_and_builds(shop: Shop, fresh: Docker) -> None:
    """Only the shell that CodeBuild itself started has it, where CodeBuild puts it: in its environment."""
    real = shop.machine.run("which", "docker").stdout.strip()
    for name, command in [("at-login", "login"), ("at-build", "build")]:
        held = f"if [[ $1 == {command} && $2 != --help && $* != *AWS* ]]; then sleep 600; fi"
        path = with_program(shop.machine.work / name, "docker", f'{held}; exec {real} "$@"')
        build = shop.start(commit(name), fresh, dockerfile=ON_BASE, variables={**LOGIN, **path})
        running = until(lambda: asleep(shop), f"docker {command} runs")
        shop.kill(build)
        assert [line for line, _ in running if HUB_PASSWORD in line] == []
        holders = {line.split("\0")[0] for line, variables in running if HUB_PASSWORD in variables}
        assert holders <= {"bash", "nsenter"}, holders


def asleep(shop: Shop) -> list[tuple[str, str]] | None:
    """All processes, as soon as the program that waits is among them."""
    running = list(shop.machine.processes())
    return running if any(line.startswith("sleep\0") for line, _ in running) else None


def test_a_wrong_password_names_the_secret(shop: Shop, fresh: Docker, outside: Internet) -> None:
    """Docker Hub is asked once, and nothing is built as nobody instead."""
    outside.password("hub", f"{HUB_USER}:another")
    done = shop.build(commit("wrong password"), fresh, dockerfile=ON_BASE, variables=LOGIN)
    (fault,) = faults(done.said)
    assert (done.code, done.digest) == (1, "")
    assert "Docker Hub refuses the user or the password in the secret docker-hub/reader" in fault
    assert HUB_PASSWORD not in done.said
    assert not [line for line in outside.asked("hub") if "manifests" in line]


def test_through_the_cache_docker_hub_is_not_asked(shop: Shop, fresh: Docker, outside: Internet) -> None:
    """AFTER, the other way: the Dockerfile gets the cache's place, and every byte comes from the registry."""
    done = shop.build(commit("cached"), fresh, dockerfile=ON_BASE, variables={"CACHE_PREFIX": "docker-hub"})
    assert done.code == 0, done.said
    assert (outside.asked("hub"), outside.asked("name")) == ([], [])


def test_a_list_of_what_is_in_the_image_is_kept_under_its_tag(shop: Shop, fresh: Docker, published: str) -> None:
    """The generator sees the finished image's files; the image stays a single manifest without an attestation."""
    shop.machine.aws("s3api", "create-bucket", "--bucket", "sboms", "--create-bucket-configuration",
                     "LocationConstraint=eu-central-1")  # fmt: skip
    sbom = {"SBOM_GENERATOR": f"{GENERATOR}@{published}", "SBOM_BUCKET": "sboms"}
    done = shop.build(commit("listed"), fresh, variables={**LOGIN, **sbom})
    assert done.code == 0, done.said
    repository = shop.project["name"].replace("--", "/")
    kept = shop.machine.run("aws", "s3", "cp", f"s3://sboms/{repository}/{done.tag}.spdx.json", "-").stdout
    assert kept == commit("listed")
    assert "manifests" not in json.loads(shop.manifest(done.digest))
