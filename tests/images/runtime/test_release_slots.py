"""Where a release puts its pins: the promise for every history, kills among them, and each rule by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.delivery.ledger import RELEASES_KEPT
from constructs_lib.images.runtime.model import Pin, Status, StoredImage
from constructs_lib.images.runtime.pins import slot_name, slot_of
from constructs_lib.images.runtime.release_slots import release_pins, release_writer
from constructs_lib.images.runtime.settings import Settings

OURS, THEIRS = "0a1b2c", "3d4e5f"


def digest(number: int) -> str:
    """A digest."""
    return f"sha256:{number:064x}"


def tag(number: int, *, service: str = "web", writer: str = OURS, namespace: str = "release") -> str:
    """A slot's tag, written out."""
    return f"pin-{namespace}-{writer}-{slot_name(service)}-{number}"


def image(number: int, *tags: str, status: Status = "ACTIVE") -> StoredImage:
    """An image of the repository."""
    return StoredImage(digest=digest(number), tags=tags, status=status)


def pins(images: list[StoredImage], target: int, *needed: int) -> list[tuple[str, str, str | None]]:
    """The plan for the service ``web``."""
    plan = release_pins(
        images=images, target=digest(target), needed=[digest(n) for n in needed], writer=OURS, service="web"
    )
    return [(pin.tag, pin.digest, pin.former) for pin in plan]


@dataclass
class Tags:
    """A repository of ten images as far as its tags go, with another service's and another writer's pins in it."""

    where: dict[str, str] = field(
        default_factory=lambda: {
            tag(0, service="worker"): digest(3),
            tag(0, writer=THEIRS): digest(4),
            tag(0, namespace="use"): digest(5),
        }
    )

    def images(self) -> list[StoredImage]:
        """As ECR lists them."""
        return [
            StoredImage(digest=digest(n), tags=tuple(t for t, place in self.where.items() if place == digest(n)))
            for n in range(10)
        ]

    def put(self, pin: Pin) -> None:
        """What PutImage does."""
        assert self.where.get(pin.tag) == pin.former
        self.where[pin.tag] = pin.digest

    def ours(self) -> dict[str, str]:
        """The slots of the service."""
        prefix = f"pin-release-{OURS}-{slot_name('web')}-"
        return {t: place for t, place in self.where.items() if t.startswith(prefix)}


RELEASES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["successful", "failed", "killed"]), st.integers(0, 8)), max_size=40
)


@given(RELEASES)
def test_what_is_needed_never_loses_its_last_release_pin(releases: list[tuple[int, str, int]]) -> None:
    """Whatever is released, fails or is killed between two pins: target, running and last successful ones stay."""
    tags, running, past = Tags(), None, list[str]()
    others = dict(tags.where)
    for number, outcome, killed_after in releases:
        target = digest(number)
        needed = [*([running] if running else []), *[one for one in past if one != running][:RELEASES_KEPT]]
        plan = release_pins(images=tags.images(), target=target, needed=needed, writer=OURS, service="web")
        for pin in plan[:killed_after] if outcome == "killed" else plan:
            had = set(tags.ours().values()) & {target, *needed}
            tags.put(pin)
            assert had <= set(tags.ours().values())
        if outcome != "killed":
            assert {target, *needed} <= set(tags.ours().values())
        if outcome == "successful":
            running, past = target, [target, *[one for one in past if one != target]]
        assert len(tags.ours()) <= RELEASES_KEPT + 2
        assert {t: place for t, place in tags.where.items() if t not in tags.ours()} == others


def test_the_first_release_takes_the_first_slot() -> None:
    """Slot 0, and nothing has it before."""
    assert pins([image(1, "b-1")], 1) == [(tag(0), digest(1), None)]


def test_an_image_that_has_its_pin_gets_no_other() -> None:
    """A release of what is pinned already writes nothing."""
    assert pins([image(1, tag(0)), image(2, tag(1))], 2, 1) == []


def test_a_slot_leaves_what_nobody_needs() -> None:
    """The slot of image 1 goes to the target, those of 2 and 3 stay."""
    stored = [image(1, tag(0)), image(2, tag(1)), image(3, tag(2)), image(4)]
    assert pins(stored, 4, 3, 2) == [(tag(0), digest(4), digest(1))]


def test_a_second_slot_on_the_same_image_is_free() -> None:
    """An image needs one."""
    assert pins([image(1, tag(0), tag(3)), image(2)], 2, 1) == [(tag(3), digest(2), digest(1))]


def test_a_gap_in_the_numbers_is_filled() -> None:
    """A slot whose tag somebody took away is used first."""
    assert pins([image(1, tag(0)), image(2, tag(2)), image(3)], 3, 1, 2) == [(tag(1), digest(3), None)]


def test_what_a_rollback_may_need_is_pinned_too_after_the_target() -> None:
    """What ran before the first release with this version has no release pin yet."""
    assert [pin[1] for pin in pins([image(1), image(2), image(3)], 3, 2, 1)] == [digest(3), digest(2), digest(1)]


def test_what_has_gone_or_is_archived_gets_no_pin_and_keeps_the_one_it_has() -> None:
    """No pin can be put on them; a pin that an archived image has stays where it is."""
    stored = [image(1, status="ARCHIVED"), image(2, tag(0), status="ARCHIVED"), image(4)]
    assert pins(stored, 4, 1, 2, 3) == [(tag(1), digest(4), None)]


def test_a_target_that_is_not_listed_is_asked_for_all_the_same() -> None:
    """ECR's own error then says why it cannot be pinned."""
    assert pins([], 7) == [(tag(0), digest(7), None)]


def test_the_tags_are_slots_of_releases() -> None:
    """What the plan writes is read back as a slot of this environment's releases, however long the service's name."""
    (pin,) = release_pins(images=[], target=digest(1), needed=[], writer=OURS, service="a" * 90)
    slot = slot_of(pin.tag)
    assert slot is not None
    assert (slot.namespace, slot.writer, slot.name) == ("release", OURS, slot_name("a" * 90))
    assert len(pin.tag) <= 128


def test_the_mark_is_that_of_the_environments_guard() -> None:
    """One mark for an environment, and another for each other one."""
    guard = Settings(
        application="shop",
        environment="production",
        account="111111111111",
        region="eu-west-1",
        table="t",
        repositories=(),
        releases={},
        revisions_kept=1,
        releases_kept=1,
    )
    assert release_writer("111111111111", "eu-west-1", "shop", "production") == guard.writer
    assert release_writer("111111111111", "eu-west-1", "shop", "staging") != guard.writer
