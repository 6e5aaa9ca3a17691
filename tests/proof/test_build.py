"""The project's real ``build.sh``, with a real dockerd and the real AWS command line.

The stack of one environment is deployed to the local cloud, and a build runs what its CodeBuild project then says.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import pytest

from constructs_lib.naming import build_tag

from .machine import PATH, Docker, until
from .shop import REPOSITORY, SINGLE, Shop, commit

pytestmark = pytest.mark.proof


def next_second(tag: str) -> None:
    """Wait until a new build gets another tag."""
    until(lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}" > tag.split("-")[1] or None, "the next second")


def test_a_new_commit_is_built_and_pushed_under_the_digest_that_the_build_exports(shop: Shop, builder: Docker) -> None:
    """What the registry has is what the build says: one plain image, byte for byte, with the build tag."""
    before = datetime.now(UTC).replace(microsecond=0)
    done = shop.build(commit("new"), builder)
    assert done.code == 0, done.said
    image = shop.images()[done.digest]
    assert image["imageTags"] == [done.tag]
    assert image["imageManifestMediaType"] in SINGLE
    manifest = shop.manifest(done.digest)
    assert "sha256:" + hashlib.sha256(manifest.encode()).hexdigest() == done.digest
    assert json.loads(manifest).keys() >= {"config", "layers"}
    assert "manifests" not in json.loads(manifest)
    at = datetime.strptime(done.tag.split("-")[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert done.tag == build_tag("staging", at, commit("new"))
    assert before <= at <= datetime.now(UTC)


def test_a_commit_that_has_an_image_builds_nothing_and_exports_the_same_digest(shop: Shop, builder: Docker) -> None:
    """The second build of a commit succeeds where there is no docker at all: it only asks the registry."""
    first = shop.build(commit("again"), builder)
    before = shop.images()
    again = shop.build(commit("again"), None)
    assert (again.code, again.tag, again.digest) == (0, first.tag, first.digest), again.said
    assert "is built already" in again.said
    assert shop.images() == before


def test_a_rebuild_pushes_a_second_image_and_leaves_the_first_as_it_was(shop: Shop, builder: Docker) -> None:
    """On a fresh machine, as CodeBuild gives one, REBUILD makes another digest; the first keeps its tag."""
    first = shop.build(commit("rebuilt"), builder)
    kept = shop.images()[first.digest]
    next_second(first.tag)
    second = shop.build(commit("rebuilt"), shop.machine.docker(), rebuild=True)
    assert second.code == 0, second.said
    assert second.digest != first.digest
    assert second.tag > first.tag
    assert shop.images()[first.digest] == kept
    newest = shop.build(commit("rebuilt"), None)
    assert (newest.tag, newest.digest) == (second.tag, second.digest)


def test_a_rebuild_from_a_full_cache_gives_the_same_image_a_second_tag(shop: Shop, builder: Docker) -> None:
    """Where docker has every layer already, the rebuilt image is the same one, and is then known by both tags."""
    first = shop.build(commit("cached"), builder)
    next_second(first.tag)
    second = shop.build(commit("cached"), builder, rebuild=True)
    assert (second.code, second.digest) == (0, first.digest), second.said
    assert sorted(shop.images()[first.digest]["imageTags"]) == [first.tag, second.tag]


def test_a_tag_that_is_taken_is_refused_and_does_not_move(shop: Shop, builder: Docker) -> None:
    """When two builds get the same tag, the later one fails and says why, and the tag stays where it was."""
    first = shop.build(commit("taken"), builder)
    before = shop.images()
    programs = shop.machine.work / "programs"
    programs.mkdir()
    clock = programs / "date"
    clock.write_text(f"#!/bin/sh\necho {first.tag.split('-')[1]}\n")
    clock.chmod(0o755)
    late = {"PATH": f"{programs}:{PATH}"}
    second = shop.build(commit("taken"), builder, rebuild=True, text="other", variables=late)
    assert (second.code, second.tag, second.digest) == (1, "", "")
    assert f"the tag {first.tag} is taken in {REPOSITORY} and tags do not move" in second.said
    assert shop.images() == before
