"""The guard's memory: what comes back, what is written, and what is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from constructs_lib.images.runtime.memory import MOST_IDLE, Last, Memory
from tests.fake_aws.core import Fault
from tests.fake_aws.dynamodb import MOST_BYTES, size
from tests.images.runtime.guard_world import NOON, TABLE, World, repository_id

ID = repository_id()
ITEM = "ecr:eu-west-1:111111111111:repository/shop/staging/web"
MINUTE = timedelta(minutes=1)


def memory(world: World) -> Memory:
    """A memory as a new invocation has it."""
    return Memory(world.clients.dynamodb, TABLE)


def digest(number: int) -> str:
    """A digest."""
    return f"sha256:{number:064x}"


def test_an_empty_table_is_no_memory(world: World) -> None:
    """So it is at first, and no gap."""
    fresh = memory(world)
    assert fresh.last(NOON) == Last()
    assert fresh.idle_since(ID) == {}
    assert fresh.gaps == []


def test_times_come_back(world: World) -> None:
    """A scan that ended has been saved; one that was complete is remembered as such beside a later one."""
    memory(world).began(NOON)
    assert memory(world).last(NOON) == Last(began=NOON)
    assert not memory(world).last(NOON).saved
    memory(world).ended(NOON, complete=True)
    assert memory(world).last(NOON) == Last(began=NOON, ended=NOON, completed=NOON)
    assert memory(world).last(NOON).saved
    later = NOON + MINUTE
    memory(world).began(later)
    assert memory(world).last(later) == Last(began=later, ended=NOON, completed=NOON)
    assert not memory(world).last(later).saved
    memory(world).ended(later, complete=False)
    assert memory(world).last(later) == Last(began=later, ended=later, completed=NOON)


def test_a_scan_costs_one_read_and_two_writes_of_its_times(world: World) -> None:
    """However often they are asked for."""
    one = memory(world)
    one.last(NOON)
    one.began(NOON)
    one.last(NOON)
    one.ended(NOON, complete=True)
    assert world.aws.calls == {"dynamodb.GetItem": 1, "dynamodb.PutItem": 2}


def test_a_time_to_come_is_forgotten(world: World) -> None:
    """A clock that was wrong must not make the guard believe that it has seen what has yet to happen."""
    memory(world).began(NOON + MINUTE)
    memory(world).ended(NOON + MINUTE, complete=True)
    assert memory(world).last(NOON) == Last()
    assert memory(world).last(NOON + MINUTE).saved


def test_idle_images_come_back(world: World) -> None:
    """Part of a second counts as a whole one, so that no day is too short."""
    idle = {digest(1): NOON, digest(2): NOON + timedelta(seconds=1.5)}
    memory(world).keep_idle(ID, idle, known={})
    assert memory(world).idle_since(ID) == {digest(1): NOON, digest(2): NOON + timedelta(seconds=2)}
    assert memory(world).idle_since(repository_id("other")) == {}


def test_what_is_known_is_not_written_again(world: World) -> None:
    """In the steady state a scan writes nothing of any repository."""
    idle = {digest(1): NOON + timedelta(seconds=0.5)}
    memory(world).keep_idle(ID, idle, known={})
    known = memory(world).idle_since(ID)
    assert known is not None
    world.aws.calls.clear()
    memory(world).keep_idle(ID, known, known=known)
    assert not world.aws.calls
    memory(world).keep_idle(ID, {}, known=known)
    memory(world).keep_idle(ID, {}, known=None)
    assert world.aws.calls == {"dynamodb.PutItem": 2}
    assert memory(world).idle_since(ID) == {}


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"idle": {"S": "?"}},
        {"idle": {"M": {"sha256:1": {"S": "1"}}}},
        {"idle": {"M": {"sha256:1": {"N": "1e400"}}}},
        {"idle": {"M": {"sha256:1": {"N": "99999999999999999"}}}},
        {"idle": {"M": {"sha256:1": {"N": "1.5"}}}},
        {"idle": {"M": {"sha256:1": {"NULL": True}}}},
    ],
)
def test_garbage_is_no_memory(world: World, item: dict[str, Any]) -> None:
    """Whatever is in the table, the guard runs: bad data costs a day of grace."""
    world.dynamodb.tables[TABLE][ITEM] = {"id": {"S": ITEM}, **item}
    one = memory(world)
    assert one.idle_since(ID) == {}
    assert one.gaps == []


@pytest.mark.parametrize(
    "value", [{"S": "?"}, {"S": ""}, {"N": "12"}, {"S": "2026-11-01T11:00:00"}, {"M": {}}, {"S": "12:00+00:00"}]
)
def test_garbage_in_the_times_is_no_memory(world: World, value: dict[str, Any]) -> None:
    """A time without a zone is garbage as well: it cannot be compared with any other."""
    world.dynamodb.tables[TABLE]["scan"] = {"id": {"S": "scan"}, "began": value, "ended": value, "completed": value}
    one = memory(world)
    assert one.last(NOON) == Last()
    assert one.gaps == []


def test_good_entries_beside_garbage_are_used(world: World) -> None:
    """Only what is bad is forgotten."""
    good = {"N": str(int(datetime(2026, 10, 31, tzinfo=UTC).timestamp()))}
    idle = {"M": {digest(1): good, digest(2): {"S": "?"}}}
    world.dynamodb.tables[TABLE][ITEM] = {"id": {"S": ITEM}, "idle": idle}
    assert memory(world).idle_since(ID) == {digest(1): datetime(2026, 10, 31, tzinfo=UTC)}


def test_too_many_idle_images_keep_the_oldest(world: World) -> None:
    """The item stays within DynamoDB's limit, and those that lose their pins next are not forgotten."""
    idle = {digest(number): NOON + number * MINUTE for number in range(2 * MOST_IDLE)}
    one = memory(world)
    one.keep_idle(ID, idle, known={})
    assert one.gaps == []
    assert one.idle_since(ID) == dict(list(idle.items())[:MOST_IDLE])


def test_the_largest_item_fits() -> None:
    """With the longest name that a repository may have."""
    longest = {digest(number): {"N": "1793534400"} for number in range(MOST_IDLE)}
    assert size({"M": longest}) + 2 * 256 + 100 < MOST_BYTES


@pytest.mark.parametrize("code", ["AccessDeniedException", "ProvisionedThroughputExceededException"])
def test_an_error_of_aws_is_a_gap(world: World, code: str) -> None:
    """What cannot be read is not known, which is not the same as nothing; what cannot be written is told too."""

    def before(_operation: str, _params: Any) -> None:
        raise Fault(code, "no")

    world.aws.before = before
    one = memory(world)
    assert one.last(NOON) == Last()
    assert one.idle_since(ID) is None
    one.began(NOON)
    one.keep_idle(ID, {digest(1): NOON}, known={})
    assert [code in gap for gap in one.gaps] == [True] * 4
    assert "read" in one.gaps[0]
    assert "written" in one.gaps[3]
