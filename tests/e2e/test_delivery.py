"""One image on its way: built, released, promoted, released again, and what happens when a step goes wrong.

The commands are the real ones; AWS is the local cloud, and ``local_cloud/README.md`` says what of it is our model.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from constructs_lib.command_line import BUSY, FINE, FOUND
from constructs_lib.delivery.ledger import ENDS
from constructs_lib.delivery.settings import DeliverySettings
from constructs_lib.naming import NOT_RELEASED, delivery_settings_name
from demo.cloud import ROOT
from demo.environments import demo_environments
from demo.image import Behaviour
from stacks.releases import ReleasePolicy
from tests.e2e.conftest import Deploy
from tests.e2e.delivery_support import Clock, Place, Said, story
from tests.e2e.killed import DIED

pytestmark = pytest.mark.e2e

_versions = count(1)


@dataclass(frozen=True)
class Shop:
    """Two environments of one application."""

    staging: Place
    production: Place


@dataclass(frozen=True)
class Delivered:
    """What was seen on the way of the first image into production."""

    digest: str
    before_promotion: Said
    promoted: Said
    promoted_again: Said
    released: Said


@pytest.fixture(scope="module")
def shop(deploy: Deploy) -> Shop:
    """Staging and production of an application that only this module uses."""
    patience = ReleasePolicy(steady_minutes=2)
    staging, production = (replace(config, application="delivery", release=patience) for config in demo_environments())
    deploy(staging, production, stacks="*/release")
    return Shop(Place(staging), Place(production))


@pytest.fixture(scope="module")
def first(shop: Shop) -> tuple[Said, tuple[object, ...]]:
    """The very first release, of an image whose target never answers; and what was there after it."""
    bad = shop.staging.build("never answers", "unhealthy")
    said = shop.staging.moorings("release", bad, clock=Clock(fast=True))
    return said, (shop.staging.value(), shop.staging.counts(), shop.staging.status())


@pytest.fixture(scope="module")
def delivered(shop: Shop, first: tuple[Said, tuple[object, ...]]) -> Delivered:
    """A good image, released in staging, promoted, and released in production."""
    assert first
    digest = shop.staging.build("first")
    assert shop.staging.moorings("release").code == FINE, "the newest build by default"
    return Delivered(
        digest=digest,
        before_promotion=shop.production.moorings("release", digest),
        promoted=shop.production.moorings("promote", digest),
        promoted_again=shop.production.moorings("promote", digest),
        released=shop.production.moorings("release"),
    )


@pytest.fixture
def staging(shop: Shop, delivered: Delivered) -> Place:
    """Staging, which runs a digest that all agree on."""
    assert delivered.digest
    shop.staging.consistent()
    return shop.staging


@pytest.fixture
def production(shop: Shop, delivered: Delivered) -> Place:
    """Production, which runs a digest that all agree on."""
    assert delivered.digest
    shop.production.consistent()
    return shop.production


def new(place: Place, behaviour: Behaviour = "") -> str:
    """A build that nobody else has."""
    return place.build(f"version {next(_versions)}", behaviour)


@contextmanager
def settings(place: Place, **changes: Any) -> Iterator[None]:
    """Other delivery settings for a while."""
    config = place.config
    name = delivery_settings_name(config.application, config.name, config.services[0].name)
    before = place.ssm.get_parameter(Name=name)["Parameter"]["Value"]
    changed = replace(DeliverySettings.from_json(before), **changes)
    place.ssm.put_parameter(Name=name, Value=changed.to_json(), Overwrite=True)
    try:
        yield
    finally:
        place.ssm.put_parameter(Name=name, Value=before, Overwrite=True)


def test_a_first_release_that_never_gets_healthy_ends_with_zero_tasks(
    first: tuple[Said, tuple[object, ...]], shop: Shop
) -> None:
    """ECS's breaker sees nothing, since the deployment began at zero; the release itself brings the service back."""
    said, (value, counts, status) = first
    assert said.code == FOUND
    assert (said.release["state"], said.release["previous"]) == ("failed", NOT_RELEASED)
    assert "ELB health checks" in said.release["reason"]
    assert (value, counts) == (NOT_RELEASED, (0, 0))
    assert status == "UPDATE_COMPLETE", "CloudFormation saw nothing either"
    assert shop.staging.history()[-1]["state"] == "failed"


def test_the_same_digest_goes_through_all_environments(delivered: Delivered, shop: Shop) -> None:
    """What production runs is what staging runs, with its build tag, and the ledger says where it comes from (Q7)."""
    assert delivered.promoted.code == delivered.released.code == FINE
    assert shop.staging.consistent() == shop.production.consistent() == delivered.digest
    built = {tag for tag in shop.staging.tags(delivered.digest) if tag.startswith("staging-")}
    assert len(built) == 1
    assert built <= shop.production.tags(delivered.digest)
    entry = delivered.released.release
    assert {entry["build_tag"]} == built
    assert (entry["check"], entry["commit"]) == ("digest", next(iter(built)).rsplit("-", 1)[1])
    assert entry["origin"].startswith("delivery/staging/web")


def test_promoting_again_changes_nothing(delivered: Delivered) -> None:
    """The second promotion finds the digest and its tag, and says so."""
    assert delivered.promoted_again.code == FINE
    assert delivered.promoted_again.result != delivered.promoted.result


def test_what_is_not_in_the_repository_is_not_released(delivered: Delivered) -> None:
    """Before its promotion the image is refused in production, with the command that takes it there."""
    said = delivered.before_promotion
    assert said.code == FOUND
    assert said.result["release"] is None
    assert "promote" in json.dumps(said.result["checks"])


def test_an_image_that_staging_never_ran_is_refused(production: Place) -> None:
    """An image pushed straight into production's repository is not released; no entry, no pin, nothing changed (Q7)."""
    digest, before = new(production), (production.history(), production.pins(), production.value())
    said = production.moorings("release", digest)
    assert said.code == FOUND
    assert said.result["result"] == "refused"
    failed = [check["check"] for check in said.result["checks"] if check["result"] == "NG"]
    assert len(failed) == 1
    assert "staging" in said.result["reason"]
    assert (production.history(), production.pins(), production.value()) == before


@pytest.mark.parametrize(
    ("behaviour", "reason"), [("exits", "Essential container in task exited"), ("unhealthy", "ELB health checks")]
)
def test_a_bad_release_goes_back_by_itself(staging: Place, behaviour: Behaviour, reason: str) -> None:
    """The service runs what it ran, the parameter says so too, and the record says why it failed."""
    good, tasks = staging.consistent(), staging.counts()
    bad = new(staging, behaviour)
    said = staging.moorings("release", bad)
    assert said.code == FOUND
    assert (said.release["state"], said.release["digest"], said.release["previous"]) == ("failed", bad, good)
    assert reason in said.release["reason"]
    assert staging.status() == "UPDATE_ROLLBACK_COMPLETE"
    assert staging.consistent() == good
    assert staging.counts() == tasks
    assert staging.history()[0] == said.release


def test_a_rollback_takes_one_command(staging: Place) -> None:
    """It goes to the last successful release of another image, passing over a failed one, and the ledger tells it."""
    old = staging.consistent()
    newer, bad = new(staging), new(staging, "exits")
    known = len(staging.history())
    assert staging.moorings("release", newer).code == FINE
    assert staging.moorings("release", bad).code == FOUND
    said = staging.moorings("rollback")
    assert said.code == FINE
    assert staging.consistent() == old
    assert story(staging.history())[known:] == [
        ("release", "successful", newer),
        ("release", "failed", bad),
        ("rollback", "successful", old),
    ]
    assert {old, newer} <= set(staging.pins().values())
    number = said.release["number"]
    assert staging.moorings("rollback", "--to", str(number - 2)).code == FINE
    assert staging.consistent() == newer


def test_a_restart_replaces_the_tasks(staging: Place) -> None:
    """The same digest, new tasks, and an entry in the ledger (W5)."""
    digest, before = staging.consistent(), staging.task_arns()
    assert staging.moorings("restart").code == FINE
    assert staging.consistent() == digest
    assert not staging.task_arns() & before
    assert story(staging.history())[-1] == ("restart", "successful", digest)


def test_a_second_release_of_what_runs_does_nothing(staging: Place) -> None:
    """Nothing is recorded and no task is replaced."""
    before = (staging.history(), staging.task_arns())
    said = staging.moorings("release", staging.value())
    assert (said.code, said.result["result"]) == (FINE, "nothing to do")
    assert (staging.history(), staging.task_arns()) == before


def test_a_freeze_holds_releases_until_it_is_lifted(staging: Place) -> None:
    """The refusal says who froze it and why; ``--now`` does not lift it, thaw does (W6)."""
    digest, before = new(staging), staging.consistent()
    environment = staging.name.rpartition("/")[0]
    assert staging.moorings("freeze", "--reason", "the annual sale", place=environment).code == FINE
    for words in ((), ("--now", "--reason", "urgent")):
        said = staging.moorings("release", digest, *words)
        assert said.code == FOUND
        assert "the annual sale" in said.result["reason"]
    assert staging.consistent() == before
    assert staging.moorings("thaw", place=environment).code == FINE
    assert staging.moorings("release", digest).code == FINE
    assert staging.consistent() == digest


def test_outside_the_window_a_release_is_refused_and_a_rollback_is_not(staging: Place) -> None:
    """``--now`` with a reason overrides the window and is recorded; a rollback never waits for a window (W6)."""
    old, digest = staging.consistent(), new(staging)
    other_half = (datetime.now(UTC).hour + 12) % 24
    with settings(staging, window=f"0 {other_half} * * * for 1 minutes in UTC"):
        said = staging.moorings("release", digest)
        assert (said.code, said.result["result"]) == (FOUND, "refused")
        assert staging.consistent() == old
        said = staging.moorings("release", digest, "--now", "--reason", "the shop is down")
        assert (said.code, said.release["override"]) == (FINE, "the shop is down")
        assert staging.consistent() == digest
        assert staging.moorings("rollback").code == FINE
        assert staging.consistent() == old


STEPS = (
    "the entry",
    "the pin",
    "the state pinned",
    "the parameter",
    "the state written",
    "the update",
    "the state updating",
    "the state waiting",
    "the end",
)
"""What a good release writes, in its order."""


@pytest.mark.parametrize("point", [f"after {step}" for step in STEPS])
def test_a_killed_release_is_finished_by_the_next_one(staging: Place, point: str) -> None:
    """Whatever it had done, the next release of the same image ends with it running, pinned, and nothing open."""
    good, digest = staging.consistent(), new(staging)
    killed(staging, point, "release", digest)
    value = staging.value()
    assert value in (good, digest)
    assert value in staging.pins().values(), "what the parameter names is pinned at every moment"
    again(staging, "release", digest)
    assert staging.consistent() == digest
    ends = [entry for entry in staging.history() if entry["digest"] == digest]
    assert "successful" in {entry["state"] for entry in ends}


@pytest.mark.parametrize("point", ["after the parameter", "after the state waiting"])
def test_a_killed_release_is_undone_by_a_rollback(staging: Place, point: str) -> None:
    """The rollback closes what was broken off, and ends with an image that ran before."""
    good = staging.consistent()
    known = {entry["digest"] for entry in staging.history() if entry["state"] == "successful"}
    digest = new(staging)
    killed(staging, point, "release", digest)
    said = again(staging, "rollback")
    assert staging.consistent() == said.release["digest"]
    assert said.release["digest"] in known - {digest}
    assert good in staging.pins().values()


@pytest.mark.parametrize("point", ["after the state undoing", "after the parameter 2", "before the bad end"])
def test_a_killed_undoing_is_finished_by_the_next_one(staging: Place, point: str) -> None:
    """A bad release dies while it goes back; the next release of a good image ends with that one running."""
    bad, digest = new(staging, "exits"), new(staging)
    killed(staging, point, "release", bad)
    again(staging, "release", digest)
    assert staging.consistent() == digest
    assert {entry["state"] for entry in staging.history() if entry["digest"] == bad} == {"failed"}


def killed(place: Place, point: str, command: str, *words: str) -> None:
    """Runs a command in a process of its own, which dies at the point."""
    given = [point, command, place.name, *words, "--region", place.config.region]
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.killed", *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == DIED, done.stdout + done.stderr


def again(place: Place, command: str, *words: str) -> Said:
    """The next command: busy while the dead one may be alive, and done when its lease has run out."""
    if place.history()[0]["state"] not in ENDS:
        assert place.moorings(command, *words).code == BUSY, "the dead one may still be alive"
        assert place.die_out()
    said = place.moorings(command, *words)
    assert said.code == FINE, said
    return said
