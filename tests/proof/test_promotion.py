"""From one repository to another with the project's own copy, and nothing from anywhere else (lessons Q1, Q3)."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from constructs_lib.naming import repository_name

from .internet import Internet
from .machine import ACCOUNT, REGION, REGISTRY, ROOT, Docker, ProofError, until
from .shop import REPOSITORY, Build, Shop, commit
from .test_running import GONE, RUN, answer

pytestmark = pytest.mark.proof

PRODUCTION = repository_name("shop", "production", "web")


def copy(shop: Shop, what: str, image: Build, target: str) -> Any:
    """What copy_steps.py says."""
    program = (sys.executable, "-m", "tests.proof.copy_steps", what, ACCOUNT, REGION)
    done = shop.machine.run(*program, REPOSITORY, target, image.digest, image.tag, cwd=ROOT)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def production(shop: Shop) -> str:
    """The repository of the next environment."""
    words = ("--repository-name", PRODUCTION, "--image-tag-mutability", "IMMUTABLE")
    shop.machine.aws("ecr", "create-repository", *words)
    return PRODUCTION


def test_before_the_next_environment_has_no_such_image(shop: Shop, builder: Docker, production: str) -> None:
    """BEFORE: a digest is known only where it was pushed."""
    image = shop.build(commit("not promoted"), builder)
    assert image.code == 0, image.said
    with pytest.raises(ProofError, match=GONE):
        shop.machine.docker()("pull", f"{REGISTRY}/{production}@{image.digest}")


def test_a_promoted_image_runs_by_the_same_digest_on_a_fresh_machine(
    shop: Shop, builder: Docker, production: str, outside: Internet
) -> None:
    """AFTER: the digest and the tag are the same, docker checks every byte of it, and no other host was asked for."""
    image = shop.build(commit("promoted"), builder)
    assert image.code == 0, image.said
    done = copy(shop, "copy", image, production)
    assert (done["digest"], done["tags"]) == (image.digest, [image.tag])
    (listed,) = shop.machine.aws("ecr", "describe-images", "--repository-name", production)["imageDetails"]
    assert (listed["imageDigest"], listed["imageTags"]) == (image.digest, [image.tag])

    fresh = shop.machine.docker()
    reference = f"{REGISTRY}/{production}@{image.digest}"
    fresh(*RUN, reference)
    assert until(lambda: answer(shop), "the container answers") == commit("promoted")
    assert reference in fresh("inspect", "--format", "{{json .RepoDigests}}", reference)
    fresh.stop()
    assert (outside.asked("name"), outside.asked("hub")) == ([], [])

    again = copy(shop, "copy", image, production)
    assert (again["tags"], again["manifests"], again["layers_copied"]) == ([], 0, 0)


def test_another_host_would_have_been_seen(shop: Shop, outside: Internet) -> None:
    """The machine has a loopback interface and nothing else, and whoever wants out asks the name server first."""
    links = shop.machine.run("busybox", "ip", "-o", "link").stdout.splitlines()
    assert [line.split()[1] for line in links] == ["lo:"]
    shop.machine.run("busybox", "wget", "-q", "-O", "-", "http://mirror.example.com/", check=False)
    assert "mirror.example.com" in outside.asked("name")


def test_a_copy_that_is_killed_before_any_of_its_requests_is_finished_by_the_next(
    shop: Shop, builder: Docker, outside: Internet
) -> None:
    """Whenever it is killed, the tag is not there or its image is complete; the next run makes it the same image."""
    image = shop.build(commit("copied in steps"), builder)
    steps = copy(shop, "break", image, "shop/production/steps")
    assert {"GetDownloadUrlForLayer", "UploadLayerPart", "CompleteLayerUpload", "PutImage"} <= {
        step["request"] for step in steps
    }
    assert [step for step in steps if step["tagged"] != step["had"]] == []
    assert [step for step in steps if not (step["same"] and step["has"])] == []
    assert not all(step["had"] for step in steps)
    assert (outside.asked("name"), outside.asked("hub")) == ([], [])
