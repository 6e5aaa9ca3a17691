"""A build whose machine is lost at any point: the next one builds the commit or finds it built; nothing is half there.

A lost machine is a build and a dockerd that are killed at once.
"""

from __future__ import annotations

import pytest

from .internet import Internet
from .machine import Docker, until
from .shop import DOCKERFILE, FRONT_URI, REPOSITORY, URI, Shop, commit
from .test_refusals import with_program

pytestmark = pytest.mark.proof

FRONT = {"REPOSITORY_URI": FRONT_URI}


@pytest.fixture
def lost(shop: Shop) -> Docker:
    """A dockerd that will be killed."""
    return shop.machine.docker()


def test_lost_while_it_builds(shop: Shop, builder: Docker, lost: Docker, outside: Internet) -> None:
    """Nothing was pushed, so the commit is built anew."""
    before = shop.images()
    slow = f'{DOCKERFILE}RUN ["/bin/busybox", "sleep", "600"]\n'
    build = shop.start(commit("while building"), lost, variables=FRONT, dockerfile=slow)
    until(lambda: lost("ps", "--quiet").strip() or None, "the build's container runs")
    shop.kill(build)
    lost.lose()
    assert shop.images() == before
    assert [line for line in outside.asked("registry") if not line.startswith("GET")] == []
    finish(shop, builder, "while building")


@pytest.mark.parametrize(
    "held", ["^POST .*/blobs/uploads/$", f"^PUT /v2/{REPOSITORY}/manifests/"], ids=["first layer", "manifest"]
)
def test_lost_while_it_pushes(shop: Shop, builder: Docker, lost: Docker, outside: Internet, held: str) -> None:
    """Layers may be there, but an image only when its manifest is, and that comes last."""
    before = shop.images()
    outside.mode(f"hold {held}")
    build = shop.start(commit(held), lost, variables=FRONT)
    until(lambda: outside.asked("held") or None, "the push is held")
    shop.kill(build)
    lost.lose()
    outside.mode("pass")
    assert shop.images() == before
    finish(shop, builder, held)


@pytest.mark.usefixtures("outside")
def test_lost_after_the_push(shop: Shop, lost: Docker) -> None:
    """The image is there and complete, though nobody was told its digest: the next build finds it and tells."""
    before = set(shop.images())
    reached = shop.machine.work / "reached"
    real = shop.machine.run("which", "docker").stdout.strip()
    slow = f'if [[ $1 == inspect ]]; then : >{reached}; exec sleep 600; fi; exec {real} "$@"'
    variables = {**FRONT, **with_program(shop.machine.work / "slow", "docker", slow)}
    build = shop.start(commit("after pushing"), lost, variables=variables)
    until(lambda: reached.exists() or None, "the image is pushed")
    shop.kill(build)
    lost.lose()
    (digest,) = set(shop.images()) - before
    again = shop.build(commit("after pushing"), None, variables=FRONT)
    assert (again.code, again.digest) == (0, digest), again.said
    assert "is built already" in again.said
    assert "Downloaded newer image" in shop.machine.docker()("pull", f"{URI}@{digest}")


def finish(shop: Shop, builder: Docker, name: str) -> None:
    """The next build of the commit succeeds, and its image can be pulled."""
    done = shop.build(commit(name), builder, variables=FRONT)
    assert done.code == 0, done.said
    assert shop.images()[done.digest]["imageTags"] == [done.tag]
    assert "Downloaded newer image" in shop.machine.docker()("pull", f"{URI}@{done.digest}")
