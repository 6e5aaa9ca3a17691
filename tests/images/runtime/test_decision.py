"""Which pin goes where: the promise for every history, and each rule by itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_lib.images.lifecycle import Image, evaluate
from constructs_lib.images.policy import RetentionPolicy
from constructs_lib.images.runtime.decision import GRACE, MEMORY, MOST_TAGS, decide
from constructs_lib.images.runtime.model import Plan, StoredImage, Use, UsedImage
from constructs_lib.images.runtime.pins import is_pin, slot_name, slot_of
from constructs_lib.images.runtime.references import ImageReference, RepositoryId

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
OURS, THEIRS = "0a1b2c", "3d4e5f"
HERE = RepositoryId(registry="111111111111", region="eu-west-1", name="shop/staging/web")


def digest(number: int) -> str:
    """A digest."""
    return f"sha256:{number:064x}"


def use(of: int | str, owner: str = "web", *, starts: bool = True) -> UsedImage:
    """A use of an image, by digest or by tag."""
    reference = (
        ImageReference(repository=HERE, digest=digest(of))
        if isinstance(of, int)
        else ImageReference(repository=HERE, tag=of)
    )
    return UsedImage(reference=reference, use=Use(owner=owner, source="task", name="a", starts=starts))


def image(number: int, *tags: str, children: Iterable[int] = ()) -> StoredImage:
    """An image."""
    return StoredImage(digest=digest(number), tags=tags, children=tuple(map(digest, children)))


def tag(owner: str, number: int, writer: str = OURS) -> str:
    """The tag of a slot."""
    return f"pin-use-{writer}-{slot_name(owner)}-{number}"


def plan(
    images: Iterable[StoredImage],
    used: Iterable[UsedImage],
    *,
    idle_since: Mapping[str, datetime] | None = None,
    now: datetime = NOON,
    complete: bool = True,
    last_complete: datetime | None = NOON - QUARTER,
    pins_can_move: bool = True,
) -> Plan:
    """The decision, with usual values."""
    return decide(
        images=images,
        used=used,
        idle_since=idle_since or {},
        now=now,
        complete=complete,
        last_complete=last_complete,
        pins_can_move=pins_can_move,
        writer=OURS,
    )


def moved(plan: Plan) -> dict[str, tuple[str | None, str]]:
    """Where each tag of a plan comes from and goes to."""
    return {pin.tag: (pin.former, pin.digest) for pin in (*plan.additions, *plan.moves)}


def test_an_image_in_use_gets_a_slot() -> None:
    """The first slot of its owner."""
    assert moved(plan([image(1, "build-1")], [use(1)])) == {tag("web", 0): (None, digest(1))}


def test_a_tag_in_use_pins_what_it_means_now() -> None:
    """A reference by tag is resolved in the repository; a digest beside it decides."""
    both = UsedImage(reference=ImageReference(repository=HERE, tag="latest", digest=digest(2)), use=use(2, "job").use)
    planned = plan([image(1, "latest"), image(2)], [use("latest"), both])
    assert moved(planned) == {tag("web", 0): (None, digest(1)), tag("job", 0): (None, digest(2))}


def test_what_has_its_slot_is_left_alone() -> None:
    """A second scan changes nothing."""
    planned = plan([image(1, tag("web", 3))], [use(1)])
    assert moved(planned) == {}
    assert planned.idle_since == {}


def test_two_images_of_one_owner_have_two_slots() -> None:
    """As many slots as digests in use, in the lowest free numbers."""
    planned = plan([image(1, tag("web", 1)), image(2), image(3)], [use(1), use(2), use(3)])
    assert moved(planned) == {tag("web", 0): (None, digest(2)), tag("web", 2): (None, digest(3))}


def test_a_slot_of_another_guard_is_left_alone() -> None:
    """Staging's guard and production's may look after one repository; neither knows what the other's slots are for."""
    images = [image(1, tag("web", 0, THEIRS)), image(2)]
    planned = plan(images, [use(2)], idle_since={digest(1): NOON - GRACE})
    assert moved(planned) == {tag("web", 0): (None, digest(2))}
    assert planned.idle_since == {}
    assert moved(plan(images, [use(1)])) == {tag("web", 0): (None, digest(1))}


def test_two_guards_keep_both_of_their_images() -> None:
    """Scan by scan for three days, each image in use has the pin of the guard that sees it, and no tag goes back."""
    ours, theirs = World(), World(writer=THEIRS)
    theirs.tags = ours.tags
    theirs.pushed = ours.pushed = {digest(1): NOON, digest(2): NOON}
    ours.in_use, theirs.in_use = {"web": {digest(1)}}, {"web": {digest(2)}}
    for _ in range(3 * 24 * 4):
        for world in (ours, theirs):
            world.now += QUARTER / 2
            world.scan()
        assert ours.tags == {tag("web", 0): digest(1), tag("web", 0, THEIRS): digest(2)}


def test_a_slot_stays_for_a_day_after_the_last_use() -> None:
    """Until then a new image gets a slot of its own."""
    images = [image(1, tag("web", 0)), image(2)]
    first = plan(images, [use(2)])
    assert moved(first) == {tag("web", 1): (None, digest(2))}
    assert first.idle_since == {digest(1): NOON}
    almost = plan(images, [use(2)], idle_since={digest(1): NOON - GRACE + timedelta(seconds=1)})
    assert moved(almost) == {tag("web", 1): (None, digest(2))}
    after = plan(images, [use(2)], idle_since={digest(1): NOON - GRACE})
    assert moved(after) == {tag("web", 0): (digest(1), digest(2))}


def test_a_use_in_between_begins_the_day_anew() -> None:
    """An image that is in use again is not remembered as idle."""
    images = [image(1, tag("web", 0))]
    assert plan(images, [use(1)], idle_since={digest(1): NOON - GRACE}).idle_since == {}


def test_the_slot_of_an_owner_that_is_gone_is_parked() -> None:
    """A test environment that was deleted keeps no image for good; its slot waits on an image in use."""
    images = [image(1, tag("pr-7", 0)), image(2, tag("web", 0))]
    assert moved(plan(images, [use(2)], idle_since={digest(1): NOON - GRACE})) == {
        tag("pr-7", 0): (digest(1), digest(2))
    }


def test_a_parked_slot_is_used_again() -> None:
    """Before a new one is made."""
    images = [image(1, tag("web", 0), tag("web", 1)), image(2)]
    assert moved(plan(images, [use(1), use(2)])) == {tag("web", 1): (digest(1), digest(2))}


def test_a_parked_slot_stays_where_it_waits() -> None:
    """Two scans do not push it to and fro."""
    images = [image(1, tag("web", 0), tag("web", 1), tag("pr-7", 0)), image(2, tag("job", 0))]
    assert moved(plan(images, [use(1), use(2, "job")])) == {}


def test_an_owner_never_gets_the_slot_of_another() -> None:
    """A slot's name says who uses the image."""
    images = [image(1, tag("pr-7", 0)), image(2, tag("job", 0)), image(3)]
    assert moved(plan(images, [use(2, "job"), use(3)], idle_since={digest(1): NOON - GRACE})) == {
        tag("web", 0): (None, digest(3)),
        tag("pr-7", 0): (digest(1), digest(2)),
    }


def test_parked_slots_are_counted() -> None:
    """An image that is full after the first takes no second."""
    nearly = image(2, tag("web", 0), *(f"t{n}" for n in range(MOST_TAGS - 2)))
    images = [image(1, tag("pr-7", 0), tag("pr-8", 0)), nearly]
    assert list(moved(plan(images, [use(2)], idle_since={digest(1): NOON - GRACE}))) == [tag("pr-7", 0)]


def test_nothing_is_parked_on_an_image_full_of_tags() -> None:
    """ECR refuses more than 1,000 tags on an image; builds need room too."""
    full = image(2, tag("web", 0), *(f"t{n}" for n in range(MOST_TAGS)))
    assert moved(plan([image(1, tag("pr-7", 0)), full], [use(2)], idle_since={digest(1): NOON - GRACE})) == {}


def test_nothing_moves_after_an_incomplete_reading() -> None:
    """What was not read is not unused: new pins are put, none is taken."""
    images = [image(1, tag("web", 0)), image(2), image(3, tag("web", 1), tag("web", 2))]
    planned = plan(images, [use(2), use(3)], idle_since={digest(1): NOON - 2 * GRACE}, complete=False)
    assert planned.moves == ()
    assert [pin.digest for pin in planned.additions] == [digest(2)]
    assert all(pin.former is None for pin in planned.additions)


def test_every_pin_leaves_in_the_end() -> None:
    """Five hundred images were in use once; a day after the last change one is pinned, and no tag was lost."""
    world = World()
    for number in range(500):
        world.pushed[digest(number)] = world.now
        world.in_use = {"web": {digest(number)}, f"pr-{number % 7}": {digest(number)}}
        world.now += QUARTER
        world.scan()
    most = len(world.tags)
    assert most <= 2 * (GRACE / QUARTER + 2)
    for _ in range(100):
        world.now += QUARTER
        world.scan()
    assert set(world.tags.values()) == {digest(499)}
    assert len(world.tags) == most


def test_what_was_not_watched_counts_as_just_used() -> None:
    """After a week without the guard the day begins anew, for something may have run and ended unseen."""
    images = [image(1, tag("web", 0)), image(2)]
    idle = {digest(1): NOON - GRACE * 8}
    for last in (NOON - timedelta(days=7), NOON - MEMORY - timedelta(seconds=1), None, NOON + QUARTER):
        planned = plan(images, [use(2)], idle_since=idle, last_complete=last)
        assert planned.moves == ()
        assert planned.idle_since == {digest(1): NOON}
    assert plan(images, [use(2)], idle_since=idle, last_complete=NOON - MEMORY).moves


def test_a_memory_from_the_future_is_no_memory() -> None:
    """A clock that was wrong does not keep an image for years."""
    planned = plan([image(1, tag("web", 0))], [], idle_since={digest(1): NOON + timedelta(days=400)})
    assert planned.idle_since == {digest(1): NOON}


def test_a_lost_memory_only_prolongs_the_day() -> None:
    """The slot stays."""
    images = [image(1, tag("web", 0)), image(2)]
    planned = plan(images, [use(2)], idle_since={})
    assert planned.moves == ()
    assert planned.idle_since == {digest(1): NOON}


def test_a_missing_image_is_named_if_something_can_start_it() -> None:
    """A former revision whose image has gone is reported, and is no alarm."""
    planned = plan([image(1)], [use(9), use("gone"), use(8, starts=False)])
    assert [entry.reference.digest or entry.reference.tag for entry in planned.missing] == [digest(9), "gone"]
    assert [entry.reference.digest for entry in planned.forgotten] == [digest(8)]


def test_an_archived_image_in_use_is_restored() -> None:
    """It cannot be pulled and its manifest cannot be read, so the pin waits for the restore."""
    archived = StoredImage(digest=digest(1), tags=("build-1",), status="ARCHIVED")
    planned = plan([archived], [use(1)])
    assert (planned.restores, planned.inactive, moved(planned)) == ((digest(1),), (digest(1),), {})
    activating = replace(archived, status="ACTIVATING")
    planned = plan([activating], [use(1)])
    assert (planned.restores, planned.inactive, moved(planned)) == ((), (digest(1),), {})


def test_the_only_pin_of_an_archived_image_in_use_stays() -> None:
    """Its other pins cannot be put, so a slot of another owner does not leave it."""
    archived = StoredImage(digest=digest(1), tags=(tag("old", 0),), status="ARCHIVED")
    planned = plan([archived, image(2)], [use(1, "web"), use(2, "old")])
    assert planned.moves == ()


def test_an_index_and_its_children_are_in_use_together() -> None:
    """A child in use keeps its index, and an index in use keeps all of its children."""
    images = [image(1, "build-1", children=[2, 3]), image(2), image(3), image(4)]
    for used in (1, 2):
        planned = plan(images, [use(used)])
        assert {pin.digest for pin in planned.additions} == {digest(1), digest(2), digest(3)}


def test_a_child_that_has_gone_is_missing() -> None:
    """An index in use cannot be pulled without its children; an index that only lists a child in use asks for none."""
    planned = plan([image(1, "v1", children=[2, 3]), image(3)], [use("v1")])
    assert set(planned.in_use) == {digest(1), digest(3)}
    assert [(entry.reference.digest, entry.use) for entry in planned.missing] == [(digest(2), use(1).use)]
    assert plan([image(1, children=[2, 3]), image(3)], [use(3)]).missing == ()


def test_a_repository_whose_tags_cannot_move_gets_no_pins() -> None:
    """A pin that is put there could never leave; the images in use are named instead."""
    planned = plan([image(1), image(2, "pin-by-hand")], [use(1), use(2)], pins_can_move=False)
    assert (moved(planned), planned.unpinnable) == ({}, (digest(1),))


def test_pins_of_others_are_not_touched() -> None:
    """A release's pin and one that was put by hand are not the guard's to move."""
    images = [image(1, "pin-release-web-1"), image(2, "pin-by-hand"), image(3), image(4, tag("web", 0))]
    planned = plan(images, [use(3), use(4)], idle_since={digest(1): NOON - GRACE, digest(2): NOON - GRACE})
    assert moved(planned) == {tag("web", 1): (None, digest(3))}


@dataclass
class World:
    """A repository and what uses it, through time."""

    now: datetime = NOON
    writer: str = OURS
    tags: dict[str, str] = field(default_factory=dict)
    pushed: dict[str, datetime] = field(default_factory=dict)
    in_use: dict[str, set[str]] = field(default_factory=dict)
    stopped: list[tuple[datetime, str, str]] = field(default_factory=list)
    last_use: dict[str, datetime] = field(default_factory=dict)
    idle: Mapping[str, datetime] = field(default_factory=dict)
    last_complete: datetime | None = None

    def images(self) -> list[StoredImage]:
        """What the repository holds."""
        return [
            StoredImage(digest=digest, tags=tuple(tag for tag, at in self.tags.items() if at == digest))
            for digest in self.pushed
        ]

    def used(self) -> list[UsedImage]:
        """What a complete reading finds: what runs, and what ended within the hour that ECS remembers."""
        pairs = [(owner, digest, True) for owner, digests in self.in_use.items() for digest in sorted(digests)]
        pairs += [(owner, digest, False) for at, owner, digest in self.stopped if self.now - at <= MEMORY]
        return [
            UsedImage(
                reference=ImageReference(repository=HERE, digest=digest),
                use=Use(owner=owner, source="task", name=owner, starts=starts),
            )
            for owner, digest, starts in pairs
        ]

    def running(self) -> set[str]:
        """Digests in use now."""
        return {digest for digests in self.in_use.values() for digest in digests}

    def scan(self, *, complete: bool = True) -> Plan:
        """One scan of the guard, carried out."""
        for digest in self.running():
            self.last_use[digest] = self.now
        planned = decide(
            images=self.images(),
            used=self.used() if complete else self.used()[::2],
            idle_since=self.idle,
            now=self.now,
            complete=complete,
            last_complete=self.last_complete,
            pins_can_move=True,
            writer=self.writer,
        )
        for pin in (*planned.additions, *planned.moves):
            assert self.tags.get(pin.tag) == pin.former
            self.tags[pin.tag] = pin.digest
        self.idle = planned.idle_since
        if complete:
            self.last_complete = self.now
        return planned

    def expire(self, policy: str) -> set[str]:
        """What ECR would delete now, deleted."""
        listed = [
            Image(digest=image.digest, tags=image.tags, pushed_at=self.pushed[image.digest]) for image in self.images()
        ]
        gone = {d for d, verdict in evaluate(policy, listed, now=self.now).items() if verdict.action == "expire"}
        for digest in gone:
            del self.pushed[digest]
        self.tags = {tag: digest for tag, digest in self.tags.items() if digest not in gone}
        return gone


OWNERS = st.sampled_from(["web", "worker", "job"])
STEPS = st.one_of(
    st.tuples(st.just("push"), st.integers(1, 12)),
    st.tuples(st.just("start"), OWNERS, st.integers(0, 30)),
    st.tuples(st.just("stop"), OWNERS),
    st.tuples(st.just("scan")),
    st.tuples(st.just("partial scan")),
    st.tuples(st.just("watch"), st.sampled_from([1, 22, 25])),
    st.tuples(st.just("wait"), st.sampled_from([15, 60, 61, 1500, 20_000])),
)


@settings(deadline=None, max_examples=300)
@given(steps=st.lists(STEPS, max_size=40))
def test_an_image_in_use_is_never_planned_for_expiry(steps: list[tuple[object, ...]]) -> None:
    """After a scan ECR's rules take nothing that is in use, in whatever order things happen: incident Q's negation.

    Behind our shield the lifecycle policy is the harshest there is, keep one, and it is applied after every scan.
    """
    shield, *_ = RetentionPolicy().rules()
    one = {"tagStatus": "tagged", "tagPatternList": ["*"], "countType": "imageCountMoreThan", "countNumber": 1}
    harshest = json.dumps({"rules": [shield, {"rulePriority": 2, "selection": one, "action": {"type": "expire"}}]})
    world = World()
    for step in steps:
        match step:
            case ("push", int(builds)):
                for _ in range(builds):
                    world.now += timedelta(seconds=1)
                    made = digest(int(world.now.timestamp()))
                    world.pushed[made] = world.now
                    world.tags[f"build-{made[-12:]}"] = made
            case ("start", str(owner), int(which)) if world.pushed:
                world.in_use.setdefault(owner, set()).add(sorted(world.pushed)[which % len(world.pushed)])
            case ("stop", str(owner)):
                for ended in world.in_use.pop(owner, ()):
                    world.last_use[ended] = world.now
                    world.stopped.append((world.now, owner, ended))
            case ("wait", int(minutes)):
                world.now += timedelta(minutes=minutes)
            case ("watch", int(hours)):
                for _ in range(hours):
                    world.now += timedelta(hours=1)
                    _scan_and_check(world, harshest, complete=True)
            case ("scan",):
                _scan_and_check(world, harshest, complete=True)
            case ("partial scan",):
                _scan_and_check(world, harshest, complete=False)


def _scan_and_check(world: World, policy: str, *, complete: bool) -> None:
    before = dict(world.tags)
    for pin in world.scan(complete=complete).moves:
        _check_move(world, pin.former, pin.tag, before)
    if complete:
        assert all(any(is_pin(t) for t, d in world.tags.items() if d == used) for used in world.running())
        assert not world.expire(policy) & world.running()
        assert moved(world.scan()) == {}, "a second scan at once changes nothing"
        _check_slots(world)


def _check_move(world: World, former: str | None, moved_tag: str, before: Mapping[str, str]) -> None:
    """A pin leaves an image only a day after its last use, or when the image keeps another that stays."""
    assert former is not None
    stays = [t for t, d in before.items() if d == former and t != moved_tag and world.tags[t] == former and is_pin(t)]
    unused = former not in world.running() and world.now - world.last_use.get(former, NOON) >= GRACE
    assert unused or stays


def _check_slots(world: World) -> None:
    """Each owner has a slot on each of its images in use."""
    for owner, digests in world.in_use.items():
        for used in digests:
            assert any((s := slot_of(t)) and s.name == slot_name(owner) for t, d in world.tags.items() if d == used)
