"""One scan: what it reads, what it does, and the promise over arbitrary histories."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.images.runtime.memory import Memory
from constructs_lib.images.runtime.model import UsedImage
from constructs_lib.images.runtime.pins import slot_name, slot_of
from constructs_lib.images.runtime.report import lines
from tests.fake_aws.core import Fault
from tests.images.runtime.guard_world import TABLE, WEB, World, slot, used

DAY = timedelta(days=1)


def watch(world: World, **duration: float) -> None:
    """Scans every quarter of an hour, for so long."""
    end = world.now + timedelta(**duration)
    while world.now < end:
        world.wait(minutes=15)
        world.scan()


def test_an_image_in_use_is_pinned_and_others_are_not(world: World) -> None:
    """The report has the numbers."""
    running, _ = world.ecr.push(WEB, ["build-1"]), world.ecr.push(WEB, ["build-2"])
    world.start(running)
    report = world.scan()
    assert world.ecr.pins(WEB) == {slot(0): running}
    assert report.metrics == {
        "ImagesInUse": 1,
        "PinnedImages": 1,
        "ImagesAtRisk": 0,
        "ImagesMissing": 0,
        "ScanIncomplete": 0,
    }


def test_a_second_scan_puts_nothing(world: World) -> None:
    """It only reads: the same pins are right, and the memory of the repository is."""
    for number in range(5):
        world.start(world.ecr.push(WEB), f"service-{number}")
    world.stop(world.tasks[0])
    world.scan()
    watch(world, hours=2)
    world.aws.calls.clear()
    world.wait(minutes=15)
    world.scan()
    assert world.aws.calls == {
        "ecr.DescribeRepositories": 1,
        "ecr.DescribeImages": 1,
        "ecr.GetLifecyclePolicy": 1,
        "dynamodb.GetItem": 2,
        "dynamodb.PutItem": 2,
    }


def test_a_slot_moves_a_day_after_its_image_was_used_last(world: World) -> None:
    """The stopped task is listed for an hour, and then the day begins."""
    old, new = world.ecr.push(WEB), world.ecr.push(WEB)
    task = world.start(old)
    world.scan()
    world.stop(task)
    world.start(new)
    watch(world, hours=25)
    assert world.ecr.pins(WEB) == {slot(0): old, slot(1): new}
    newest = world.ecr.push(WEB)
    world.start(newest)
    watch(world, minutes=30)
    assert world.ecr.pins(WEB) == {slot(0): newest, slot(1): new}


def test_additions_come_before_moves(world: World) -> None:
    """What takes no pin from any image is done first."""
    old, new, other = (world.ecr.push(WEB) for _ in range(3))
    task = world.start(old)
    world.start(new, "other")
    world.scan()
    world.stop(task)
    watch(world, hours=25)
    world.wait(minutes=15)
    world.start(new)
    world.start(other)
    world.start(other, "another")
    world.ecr.taggings.clear()
    world.scan()
    formers = [tagging.former for tagging in world.ecr.taggings]
    assert formers == [None, None, old]


def test_the_pages_of_a_repository_without_uses_are_all_it_costs(world: World) -> None:
    """Indexes are not read where nothing is in use."""
    world.ecr.push(WEB, ["a"], index_of=[world.ecr.push(WEB)])
    world.scan()
    assert world.aws.calls["ecr.BatchGetImage"] == 0
    assert world.aws.calls["ecr.DescribeImages"] == 1


def test_a_repository_without_images(world: World) -> None:
    """Nothing is in use, and nothing is wrong."""
    report = world.scan()
    assert set(report.metrics.values()) == {0}


def test_an_index_whose_child_is_in_use_is_kept_with_all_its_children(world: World) -> None:
    """A task may be listed with the digest of its architecture, and the next one starts from the index."""
    arm, intel = world.ecr.push(WEB), world.ecr.push(WEB)
    index = world.ecr.push(WEB, ["build-1"], index_of=[arm, intel])
    world.start(arm)
    report = world.scan()
    assert set(world.ecr.pins(WEB).values()) == {arm, intel, index}
    assert report.metrics["ImagesInUse"] == 3


def test_only_indexes_that_matter_are_read(world: World) -> None:
    """Reading a manifest may count as a pull, so an index that nobody uses is left alone where that is certain."""
    child = world.ecr.push(WEB)
    indexes = [world.ecr.push(WEB, [f"build-{number}"], index_of=[child]) for number in range(3)]
    asked: list[str] = []

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.BatchGetImage":
            asked.extend(entry["imageDigest"] for entry in params["imageIds"])

    world.aws.before = before
    world.uses = [used(indexes[1]), used("build-2")]
    world.scan()
    assert indexes[0] not in asked
    assert set(indexes[1:]) <= set(asked)
    world.uses = [used(indexes[1]), used(child)]
    world.scan()
    assert indexes[0] in asked


def test_a_reference_by_tag_is_followed(world: World) -> None:
    """A task definition may name a tag."""
    digest = world.ecr.push(WEB, ["build-1"])
    world.uses = [used("build-1", source="task definition")]
    world.scan()
    assert world.ecr.pins(WEB) == {slot(0): digest}


def test_a_missing_image_is_reported(world: World) -> None:
    """What something can start counts; a former release whose image has gone does not."""
    world.uses = [used("gone"), used("former", source="former release", starts=False)]
    report = world.scan()
    assert report.metrics["ImagesMissing"] == 1
    assert report.metrics["ScanIncomplete"] == 0


def test_an_archived_image_in_use_is_restored_and_then_pinned(world: World) -> None:
    """Until it is ACTIVE it counts as missing, and there is nothing to pin."""
    digest = world.ecr.push(WEB)
    world.ecr.archive(WEB, digest)
    world.start(digest)
    report = world.scan()
    assert (report.metrics["ImagesMissing"], report.metrics["ImagesAtRisk"]) == (1, 0)
    assert report.outcomes[0].restores == {digest: None}
    world.wait(minutes=15)
    report = world.scan()
    assert report.outcomes[0].restores == {}
    assert report.metrics["ImagesMissing"] == 1
    world.wait(minutes=15)
    report = world.scan()
    assert report.metrics["ImagesMissing"] == 0
    assert world.ecr.pins(WEB) == {slot(0): digest}


def test_an_image_archived_while_it_is_pinned_is_reported(world: World) -> None:
    """An image is ACTIVE after it was pinned, or there is an alarm."""
    digest = world.ecr.push(WEB)
    world.start(digest)

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.DescribeImages" and "imageIds" in params:
            world.ecr.archive(WEB, digest)

    world.aws.before = before
    assert world.scan().metrics["ImagesMissing"] == 1


def test_an_immutable_repository_is_reported_and_gets_no_pin(world: World) -> None:
    """A pin that is there keeps its image at least, and the report says what to set."""
    world.ecr.repositories[WEB].mutability = "IMMUTABLE"
    pinned, bare = world.ecr.push(WEB, ["pin-release-web-0"]), world.ecr.push(WEB)
    world.start(pinned)
    world.start(bare)
    report = world.scan()
    assert world.aws.calls["ecr.PutImage"] == 0
    assert report.outcomes[0].plan.unpinnable == (bare,)
    assert report.metrics["ImagesAtRisk"] == 1


def test_a_deleted_repository_is_a_gap_and_its_images_in_use_are_missing(world: World) -> None:
    """The other repository is kept, and nothing raises."""
    world.start_anew(WEB, "api")
    world.start(world.ecr.push(WEB))
    gone = world.ecr.push("api")
    world.start(gone, "api", repository="api")
    del world.ecr.repositories["api"]
    report = world.scan()
    assert len(report.all_gaps) == 1
    assert "api" in report.all_gaps[0]
    assert report.metrics["ImagesMissing"] == 1
    assert len(world.ecr.pins(WEB)) == 1


def test_uses_of_repositories_that_are_not_looked_after_are_left_alone(world: World) -> None:
    """Another guard's images are not missing."""
    world.uses = [used("v1", repository="elsewhere")]
    assert world.scan().metrics["ImagesMissing"] == 0


def test_pins_of_releases_are_left_alone(world: World) -> None:
    """One writer has one namespace."""
    old = world.ecr.push(WEB, ["pin-release-web-0"])
    world.start(world.ecr.push(WEB))
    world.scan()
    watch(world, hours=30)
    assert world.ecr.pins(WEB)["pin-release-web-0"] == old
    assert not [tagging for tagging in world.ecr.taggings if tagging.tag.startswith("pin-release")]


def test_the_uses_are_read_before_the_images(world: World) -> None:
    """An image that is pushed and started in the middle of a scan is not reported missing."""

    def before(operation: str, _params: Any) -> None:
        if operation == "ecr.DescribeRepositories" and not world.tasks:
            world.start(world.ecr.push(WEB))

    world.aws.before = before
    assert world.scan().metrics["ImagesMissing"] == 0
    assert world.scan().metrics["PinnedImages"] == 1


@pytest.mark.parametrize("gaps", [(), ("no tasks",)])
def test_a_scan_without_trust_in_its_memory_begins_the_day_anew(world: World, gaps: tuple[str, ...]) -> None:
    """After a scan that broke off, an image remembered as idle may have been in use meanwhile."""
    old, new = world.ecr.push(WEB), world.ecr.push(WEB)
    world.stop(world.start(old))
    world.scan()
    watch(world, hours=24)
    world.start(new)
    world.wait(minutes=1)
    Memory(world.clients.dynamodb, TABLE).began(world.now)
    world.gaps = gaps
    watch(world, minutes=15)
    world.gaps = ()
    watch(world, hours=23, minutes=45)
    assert world.ecr.pins(WEB)[slot(0)] == old
    assert {one.former for one in world.ecr.taggings} == {None}
    watch(world, hours=2)
    assert old not in world.ecr.pins(WEB).values()


class History:
    """A random history, and what must be true of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.last_used: dict[str, datetime] = {}
        self.most: Counter[str] = Counter()
        self.starts: dict[str, list[tuple[str, datetime]]] = defaultdict(list)

    @property
    def images(self) -> list[str]:
        """The images that are there."""
        return list(self.world.ecr.repositories[WEB].images)

    def used_within(self, length: timedelta, owner: str | None = None) -> set[str]:
        """The images that tasks have run in the last so many hours."""
        now = self.world.now
        return {
            task.digest
            for task in self.world.tasks
            if (task.stopped is None or now - task.stopped < length) and owner in (None, task.owner)
        }

    def expire(self) -> None:
        """The hungriest lifecycle policy: every image without a pin that no task runs."""
        running = self.used_within(timedelta())
        for digest in self.images:
            if digest not in running and digest not in self.world.ecr.pins(WEB).values():
                self.world.ecr.delete(WEB, digest)

    def scan(self, **given: Any) -> None:
        """Scans, and looks at each pin that it put, in order."""
        pins = self.world.ecr.pins(WEB)
        self.world.ecr.taggings.clear()
        recent = self.used_within(DAY)
        stored = self.world.ecr.repositories[WEB].images.values()
        active = {image.digest for image in stored if image.status(self.world.now) == "ACTIVE"}
        try:
            report = self.world.scan(**given)
        except RuntimeError:
            report = None
        for tagging in self.world.ecr.taggings:
            pins[tagging.tag] = tagging.digest
            lost = tagging.former is not None and tagging.former not in pins.values()
            assert not (lost and tagging.former in recent), "the last pin of an image that was in use within a day"
        if report is not None and not report.all_gaps:
            assert self.used_within(timedelta()) & active <= set(pins.values()), "an image in use without a pin"
            assert report.metrics["ImagesAtRisk"] == 0
        for owner in {task.owner for task in self.world.tasks}:
            # The day, the hour that ECS lists a stopped task, and a scan's interval at each end.
            wanted = self.used_within(DAY + timedelta(hours=3), owner)
            self.most[owner] = max(self.most[owner], len(wanted))

    def check_slots(self) -> None:
        """No owner has more slots than it ever needed at one time."""
        slots = Counter(found.name for tag in self.world.ecr.pins(WEB) if (found := slot_of(tag)))
        for owner, most in self.most.items():
            assert slots[slot_name(owner)] <= most, f"{owner} has too many slots"


OWNERS = st.sampled_from(["web", "worker"])
PICK = st.integers(0, 99)
QUIET = st.one_of(
    st.tuples(st.just("push")),
    st.tuples(st.just("start"), PICK, OWNERS),
    st.tuples(st.just("stop"), PICK),
    st.tuples(st.just("expire")),
    st.tuples(st.just("wait"), st.sampled_from([1, 15, 59])),
    st.tuples(st.just("night")),
)
ROUGH = st.one_of(
    QUIET,
    st.tuples(st.just("wait"), st.sampled_from([61, 600, 1500, 10000])),
    st.tuples(st.just("archive"), PICK),
    st.tuples(st.just("gap"), PICK),
    st.tuples(st.just("crash"), st.integers(1, 12)),
    st.tuples(st.just("refuse"), st.integers(1, 12)),
    st.tuples(st.just("forget")),
)


def _some(third: int) -> Callable[[UsedImage], bool]:
    """A third of the uses."""
    return lambda one: int(str(one.reference.digest)[-4:], 16) % 3 == third


def play(history: History, steps: list[tuple[Any, ...]]) -> None:
    """Plays a history, with a scan after each step."""
    world = history.world
    for step in steps:
        kind, *values = step
        given: dict[str, Any] = {}
        if kind == "push":
            world.ecr.push(WEB)
        elif kind == "start" and history.images:
            world.start(history.images[values[0] % len(history.images)], values[1])
        elif kind == "stop" and (running := [task for task in world.tasks if task.stopped is None]):
            world.stop(running[values[0] % len(running)])
        elif kind == "expire":
            history.expire()
        elif kind == "archive" and history.images:
            world.ecr.archive(WEB, history.images[values[0] % len(history.images)])
        elif kind == "wait":
            world.wait(minutes=values[0])
        elif kind == "night":
            for _ in range(26):
                world.wait(minutes=59)
                history.scan()
        elif kind == "forget":
            world.dynamodb.tables[TABLE].clear()
        elif kind == "gap":
            world.unread = _some(values[0] % 3)
            world.gaps = ("some tasks could not be read",)
        elif kind in ("crash", "refuse"):
            calls = [values[0]]

            def before(_operation: str, _params: Any, kind: str = kind, calls: list[int] = calls) -> None:
                calls[0] -= 1
                if calls[0] == 0:
                    raise RuntimeError("the function died") if kind == "crash" else Fault("AccessDeniedException", "no")

            world.aws.before = before
        history.scan(**given)
        world.unread, world.gaps = (lambda _one: False), ()
        world.aws.before = lambda _operation, _params: None


@given(steps=st.lists(ROUGH, max_size=25))
@settings(max_examples=60)
def test_an_image_in_use_keeps_a_pin_whatever_happens(one_world: World, steps: list[tuple[Any, ...]]) -> None:
    """Silences, gaps, refusals, broken scans and lost memory: each image used within a day keeps the pin it has."""
    one_world.start_anew()
    play(History(one_world), steps)


@given(steps=st.lists(QUIET, max_size=30))
@settings(max_examples=30)
def test_an_owner_has_no_more_slots_than_it_ever_needed(one_world: World, steps: list[tuple[Any, ...]]) -> None:
    """While the guard runs, slots are used again: there are as many as images in use, and idle for a day."""
    one_world.start_anew()
    history = History(one_world)
    play(history, steps)
    history.check_slots()


KEEP_TEN = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}


def test_before_a_pin_is_no_help_under_the_policy_of_the_incident(world: World) -> None:
    """The guard pins the image all the same, and says that the policy can take it, and the fix (Q2)."""
    digest = world.ecr.push(WEB, ["build-1"])
    world.start(digest)
    world.ecr.policies[WEB] = json.dumps(KEEP_TEN)
    report = world.scan()
    assert world.ecr.pins(WEB) == {slot(0): digest}
    assert (report.metrics["ImagesAtRisk"], report.metrics["ScanIncomplete"]) == (1, 0)
    told = [json.loads(line) for line in lines(report, application="shop", environment="staging", at=world.now)]
    (fault,) = (line for line in told if line.get("message") == "the lifecycle policy does not spare pins")
    assert "tagPatternList ['pin-*']" in fault["fix"]


def test_after_our_policy_spares_the_pin(world: World) -> None:
    """With a shield in front nothing is at risk; nor is it where no policy is."""
    world.start(world.ecr.push(WEB, ["build-1"]))
    assert world.scan().metrics["ImagesAtRisk"] == 0
    world.ecr.policies[WEB] = RetentionPolicy().text()
    assert world.scan().metrics["ImagesAtRisk"] == 0


def test_a_policy_that_cannot_be_read_is_a_gap(world: World) -> None:
    """It is not taken for a good one."""
    world.start(world.ecr.push(WEB, ["build-1"]))

    def before(operation: str, _params: Any) -> None:
        if operation == "ecr.GetLifecyclePolicy":
            raise Fault("AccessDeniedException", "no")

    world.aws.before = before
    assert "lifecycle policy" in world.scan().all_gaps[0]


def test_a_tag_that_moves_between_two_pages_is_not_missing(world: World) -> None:
    """On neither page it is seen; before anybody is paged it is asked for by name."""
    world.ecr.repositories.clear()
    world.ecr.repository(WEB, mutability="MUTABLE")
    for number in range(1000):
        world.ecr.push(WEB, [f"build-{number}"])
    late = world.ecr.push(WEB, ["latest"])
    early = next(iter(world.ecr.repositories[WEB].images))
    world.uses.append(used("latest"))
    pages: list[str] = []

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.DescribeImages" and "nextToken" in params:
            pages.append(operation)
            world.ecr.tag(WEB, "latest", early)

    world.aws.before = before
    report = world.scan()
    assert pages
    assert report.metrics["ImagesMissing"] == 0
    assert world.ecr.pins(WEB) == {slot(0): early}
    assert late != early


def test_a_missing_image_stays_missing_when_asked_by_name(world: World) -> None:
    """By tag or by digest, and also when ECR refuses to say."""
    world.uses += [used("gone"), used("sha256:" + "0" * 63 + "1")]
    assert world.scan().metrics["ImagesMissing"] == 2

    def before(operation: str, params: Any) -> None:
        if operation == "ecr.DescribeImages" and "imageIds" in params:
            raise Fault("AccessDeniedException", "no")

    world.aws.before = before
    assert world.scan().metrics["ImagesMissing"] == 2


def test_a_child_of_an_index_in_use_that_has_gone_is_missing(world: World) -> None:
    """The next task could not pull it: that is incident Q, one level down (Q4)."""
    arm, intel = world.ecr.push(WEB), world.ecr.push(WEB)
    world.start(world.ecr.push(WEB, ["v1"], index_of=[arm, intel]))
    world.ecr.delete(WEB, arm)
    assert world.scan().metrics["ImagesMissing"] == 1


def test_an_incomplete_scan_does_not_say_that_all_is_well(world: World) -> None:
    """A page is not called off because the next scan could not look; what an incomplete scan does find, it tells."""
    world.uses.append(used("gone"))
    assert world.scan().metrics["ImagesMissing"] == 1
    world.gaps = ("ECS does not answer",)
    assert world.scan().metrics["ImagesMissing"] == 1
    world.uses.clear()
    metrics = world.scan().metrics
    assert metrics["ScanIncomplete"] == 1
    assert not {"ImagesMissing", "ImagesAtRisk"} & set(metrics)
