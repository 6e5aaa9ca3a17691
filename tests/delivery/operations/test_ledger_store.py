"""The ledger against Parameter Store as AWS documents it: the lock, races, lag, broken-off writers, 250 releases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from constructs_lib.delivery.ledger import ENTRIES_KEPT, RELEASES_KEPT, Entry, State, left_open, successful
from constructs_lib.delivery.operations.ledger_store import LEASE, Busy, Ledger, LostRace, Overtaken
from constructs_lib.naming import release_path
from tests.fake_aws.core import FakeAws, Fault, Params
from tests.fake_aws.others import FakeSsm

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient

PATH = release_path("shop", "production", "web")
NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def draft(image: int = 1, who: str = "anna") -> Entry:
    return Entry(
        number=0, action="release", state="begun", digest=digest(image), previous="none", who=who, began=NOW, lease=NOW
    )


def stored(number: int, **changes: Any) -> Entry:
    """An entry as somebody else left it: good and ended, unless changed."""
    theirs = replace(draft(number, "ben"), number=number, state="successful", ended=NOW, token=f"token-{number}")
    return replace(theirs, **changes)


class World:
    """One service's ledger, in one account."""

    def __init__(self, aws: FakeAws, client: SSMClient) -> None:
        self.ssm, self.aws, self.client = FakeSsm(), aws, client
        aws.services = {"ssm": self.ssm}
        aws.calls.clear()
        self.pauses: list[float] = []
        self.ledger = Ledger(self.client, PATH, self.pauses.append)

    def put(self, *entries: Entry) -> None:
        """Entries that are there, past the API."""
        for one in entries:
            self.ssm.put(f"{PATH}/{one.number}", one.to_json())

    def entry(self, number: int) -> Entry:
        """What is stored, past the API."""
        return Entry.from_json(self.ssm.value(f"{PATH}/{number}"))

    def numbers(self) -> list[int]:
        """The numbers that are stored."""
        return sorted(int(name.rpartition("/")[2]) for name in self.ssm.parameters)

    @contextmanager
    def refusing(self, operation: str, *codes: str) -> Iterator[None]:
        """The next calls of an operation are answered by these errors."""
        left = list(codes)

        def refuse(called: str, _params: Params) -> None:
            if called == f"ssm.{operation}" and left:
                raise Fault(left.pop(0))

        self.aws.before = refuse
        yield
        self.aws.before = lambda _operation, _params: None
        assert not left, f"{operation} was not called often enough"


@pytest.fixture(scope="module")
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture(scope="module")
def client(aws: FakeAws) -> SSMClient:
    """One client for all tests, because making one takes longer than most of them."""
    made: SSMClient = aws.client("ssm")
    return made


@pytest.fixture
def world(aws: FakeAws, client: SSMClient) -> World:
    return World(aws, client)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own tries follow each other at once."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)


# Reading.


def test_entries_are_read_newest_first(world: World) -> None:
    """Numbers are sorted as numbers, over all pages of ten; the last call asks for the number that should follow."""
    world.put(*(stored(number) for number in range(1, 26)))
    assert [one.number for one in world.ledger.entries()] == list(range(25, 0, -1))
    assert world.aws.calls == {"ssm.GetParametersByPath": 3, "ssm.GetParameter": 1}


def test_no_release_yet_is_no_error(world: World) -> None:
    """A new service has an empty ledger."""
    assert world.ledger.entries() == []


def test_other_services_and_deeper_parameters_are_no_entries(world: World) -> None:
    """The ledger is what lies directly under its path."""
    world.put(stored(1))
    for name in (f"{PATH}-2/1", f"{PATH}/1/note", PATH, "/moorings/shop/production/web/delivery"):
        world.ssm.put(name, "something else")
    assert world.ledger.entries() == [stored(1)]


def test_a_list_that_lags_is_completed(world: World) -> None:
    """What was created a moment ago is missing in the list, and is found by its number."""
    world.put(stored(1), stored(2), stored(3))
    world.ssm.unlisted = {f"{PATH}/2", f"{PATH}/3"}
    assert [one.number for one in world.ledger.entries()] == [3, 2, 1]
    world.ssm.unlisted.add(f"{PATH}/1")
    assert [one.number for one in world.ledger.entries()] == [3, 2, 1]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("2", "none", "must be JSON"),
        ("2", stored(3).to_json(), "must hold the entry of that number, got number 3"),
        ("03", stored(3).to_json(), "must hold the entry of that number, got number 3"),
    ],
)
def test_a_newest_entry_that_cannot_be_read_is_named(world: World, name: str, value: str, why: str) -> None:
    """Failing open would be releasing past a lock that nobody can read; the sentence says which parameter it is."""
    world.put(stored(1))
    world.ssm.put(f"{PATH}/{name}", value)
    with pytest.raises(ValueError, match=f"the parameter {PATH}/{name} .*{why}.*; .*history in Parameter Store"):
        world.ledger.entries()


@pytest.mark.parametrize(("name", "value"), [("1", "none"), ("1", stored(3).to_json()), ("latest", "none")])
def test_an_old_entry_that_cannot_be_read_is_left_out_and_said(world: World, name: str, value: str) -> None:
    """It is no lock, so one can still go back; the sentence says which parameter it is."""
    world.put(stored(2))
    world.ssm.put(f"{PATH}/{name}", value)
    said: list[str] = []
    assert Ledger(world.client, PATH, world.pauses.append, said.append).entries() == [stored(2)]
    (line,) = said
    assert line.startswith(f"left out: the parameter {PATH}/{name} cannot be read") or f"{PATH}/{name} must" in line


# The lock.


def test_the_first_entry_is_number_one(world: World) -> None:
    """It is a plain parameter of the standard tier, which says what it is, and it holds what was begun."""
    world.ssm.default_tier = "Advanced"  # the account's setting, which costs money
    begun = world.ledger.begin(draft(), [], NOW)
    assert begun == replace(draft(), number=1, lease=NOW + LEASE, token=begun.token)
    assert begun.token
    assert world.entry(1) == begun
    kept = world.ssm.parameters[f"{PATH}/1"]
    assert (kept.kind, kept.tier, len(kept.versions)) == ("String", "Standard", 1)
    assert PATH in kept.description
    assert "do not edit" in kept.description


def test_numbers_go_on_from_the_newest(world: World) -> None:
    """When all but a few are pruned, the next is still the newest and one, in whatever order they were seen."""
    world.put(stored(3), stored(40))
    assert world.ledger.begin(draft(), [stored(3), stored(40)], NOW).number == 41


def test_a_release_that_is_under_way_is_not_disturbed(world: World) -> None:
    """While its lease runs nothing is written, and the sentence says whose it is and how long at most it holds."""
    theirs = stored(7, state="waiting", ended=None, lease=NOW + 2 * MINUTE)
    world.put(theirs)
    with pytest.raises(
        Busy, match=r"shop/production/web is busy: release 7 by ben is under way, waiting; .* until 12:02:00 UTC"
    ) as busy:
        world.ledger.begin(draft(), world.ledger.entries(), NOW)
    assert busy.value.entry == theirs
    assert world.numbers() == [7]
    assert world.aws.calls["ssm.PutParameter"] == 0


def test_a_release_whose_process_was_killed_is_followed(world: World) -> None:
    """When the lease has run out the next number is taken; the entry itself is left to whoever took over."""
    theirs = stored(7, state="written", ended=None, lease=NOW)
    world.put(theirs)
    assert world.ledger.begin(draft(), world.ledger.entries(), NOW).number == 8
    assert world.entry(7) == theirs


def test_a_release_that_was_only_slow_is_not_overtaken(world: World) -> None:
    """Its lease had run out when the ledger was read, and it renewed it before the next number was taken."""
    world.put(stored(7, state="waiting", ended=None, lease=NOW))
    seen = world.ledger.entries()
    world.put(stored(7, state="waiting", ended=None, lease=NOW + 3 * MINUTE))
    with pytest.raises(Busy):
        world.ledger.begin(draft(), seen, NOW)
    assert world.numbers() == [7]


def test_without_the_lock_two_would_win(world: World) -> None:
    """Before: two who read the same ledger and write with Overwrite are both told that they hold number 1."""
    for who in ("anna", "ben"):
        world.ledger.save(replace(draft(1, who), number=1))
    assert world.entry(1).who == "ben"


def test_of_two_at_once_one_wins(world: World) -> None:
    """After: both read the same ledger and begin at the same moment; one holds the number, the other is told whose."""
    world.put(stored(1))
    both, ends = threading.Barrier(2), dict[str, object]()

    def run(who: str) -> None:
        ledger = Ledger(world.aws.client("ssm"), PATH, lambda _seconds: None)
        seen = ledger.entries()
        both.wait()
        try:
            ends[who] = ledger.begin(draft(2, who), seen, NOW)
        except Busy as busy:
            ends[who] = busy.entry

    threads = [threading.Thread(target=run, args=(who,)) for who in ("anna", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.numbers() == [1, 2]
    assert ends == {"anna": world.entry(2), "ben": world.entry(2)}


def test_what_was_decided_from_an_old_ledger_is_not_done(world: World) -> None:
    """A whole release happened since the ledger was read, so the former digest is another: look again."""
    world.put(stored(1))
    seen = world.ledger.entries()
    world.put(stored(2))
    with pytest.raises(
        LostRace, match=r"entry 2 of its ledger was begun by somebody else .*`moorings history shop/production/web`"
    ) as lost:
        world.ledger.begin(draft(), seen, NOW)
    assert lost.value.number == 2
    assert world.pauses == []
    assert world.entry(2) == stored(2)
    assert world.numbers() == [1, 2]


def test_a_refused_creation_is_the_truth_before_reading_is(world: World) -> None:
    """The winner's entry is not readable for a second, and is waited for; then it is busy, not lost."""
    theirs = stored(1, state="begun", ended=None, lease=NOW + LEASE)
    world.put(theirs)
    world.ssm.unread = {f"{PATH}/1"}

    def pause(seconds: float) -> None:
        world.pauses.append(seconds)
        if len(world.pauses) == 2:
            world.ssm.unread = set()

    with pytest.raises(Busy) as busy:
        Ledger(world.client, PATH, pause).begin(draft(), [], NOW)
    assert busy.value.entry == theirs
    assert world.pauses == [0.5, 1.0]


def test_it_does_not_wait_for_ever(world: World) -> None:
    """A number that is taken and stays unreadable is given up after a few seconds."""
    world.put(stored(1))
    world.ssm.unread = {f"{PATH}/1"}
    with pytest.raises(LostRace):
        world.ledger.begin(draft(), [], NOW)
    assert world.pauses == [0.5, 1.0, 2.0]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("visible_after", [0, 1])
def test_an_answer_that_was_lost_is_no_defeat(world: World, visible_after: int) -> None:
    """The entry was created, the answer got lost, botocore asked again and was refused: the lock is one's own."""
    real, lost = world.ssm.answer, list[str]()

    def answer(operation: str, params: Params) -> dict[str, Any]:
        answered = real(operation, params)
        if operation == "PutParameter" and not lost:
            lost.append(operation)
            world.ssm.unread = {f"{PATH}/1"} if visible_after else set()
            raise ConnectionClosedError(endpoint_url="https://ssm")
        return answered

    def pause(seconds: float) -> None:
        world.pauses.append(seconds)
        world.ssm.unread = set()

    world.ssm.answer = answer  # type: ignore[method-assign]
    begun = Ledger(world.client, PATH, pause).begin(draft(), [], NOW)
    assert world.entry(1) == begun
    assert world.aws.calls["ssm.PutParameter"] == 2 + visible_after
    assert len(world.pauses) == visible_after


def test_the_same_request_of_another_is_not_taken_for_ones_own(world: World) -> None:
    """Two builds of one person, begun in the same microsecond for the same image, are still two."""
    first = world.ledger.begin(draft(), [], NOW)
    with pytest.raises(Busy) as busy:
        world.ledger.begin(draft(), [], NOW)
    assert busy.value.entry == first


def test_a_write_at_the_very_same_moment_is_tried_again(world: World) -> None:
    """Parameter Store may refuse both of two writers; one of them then gets the number."""
    with world.refusing("PutParameter", "TooManyUpdates", "TooManyUpdates"):
        assert world.ledger.begin(draft(), [], NOW).number == 1
    assert world.pauses == [0.5, 1.0]


# Going on.


def test_an_entry_is_saved_over_itself(world: World) -> None:
    """Every state that is reached is written down, and what the parameter says of itself stays."""
    begun = world.ledger.begin(draft(), [], NOW)
    world.ledger.save(begun.ending("failed", NOW + MINUTE, "no task started"))
    assert world.ledger.entries() == [begun.ending("failed", NOW + MINUTE, "no task started")]
    assert PATH in world.ssm.parameters[f"{PATH}/1"].description


def test_saving_meets_another_writer(world: World) -> None:
    """A state is written after a pause when Parameter Store is busy with it, and not given up at once."""
    begun = world.ledger.begin(draft(), [], NOW)
    with world.refusing("PutParameter", "TooManyUpdates", "TooManyUpdates", "TooManyUpdates"):
        world.ledger.save(replace(begun, state="pinned"))
    assert world.entry(1).state == "pinned"
    with world.refusing("PutParameter", *["TooManyUpdates"] * 4), pytest.raises(ClientError, match="TooManyUpdates"):
        world.ledger.save(replace(begun, state="written"))


def test_an_owner_knows_that_it_was_overtaken(world: World) -> None:
    """A slow owner must not write to AWS after somebody took over; the next number says so, listed or not."""
    begun = world.ledger.begin(draft(), [], NOW)
    assert not world.ledger.overtaken(begun)
    world.put(stored(2, state="begun", ended=None))
    world.ssm.unlisted = {f"{PATH}/2"}
    assert world.ledger.overtaken(begun)
    assert world.aws.calls["ssm.GetParameter"] == 2


def test_a_lease_is_renewed_about_once_a_minute(world: World) -> None:
    """Calling every ten seconds for three minutes writes three times, and each time three minutes are left again."""
    entry = world.ledger.begin(draft(), [], NOW)
    for step in range(1, 19):
        now = NOW + timedelta(seconds=10 * step)
        entry = world.ledger.renew(entry, now)
        assert entry.lease - now > 2 * MINUTE
        assert world.entry(1) == entry
    assert world.aws.calls["ssm.PutParameter"] == 1 + 3
    assert entry.lease == NOW + 3 * MINUTE + LEASE


def test_who_was_overtaken_renews_nothing(world: World) -> None:
    """Its entry stays as the new owner closed it."""
    entry = world.ledger.begin(draft(), [], NOW)
    closed = entry.ending("failed", NOW + 5 * MINUTE, "broken off")
    world.put(stored(2), closed)
    with pytest.raises(
        Overtaken,
        match=r"release 1 of shop/production/web was taken over by entry 2 .*`moorings history shop/production/web`",
    ) as overtaken:
        world.ledger.renew(entry, NOW + 6 * MINUTE)
    assert overtaken.value.entry == entry
    assert world.entry(1) == closed


def renew_often(world: World, entry: Entry) -> None:
    for step in range(1, 151):
        entry = world.ledger.renew(entry, NOW + step * MINUTE)


def test_a_release_may_wait_for_hours(world: World) -> None:
    """Parameter Store keeps 100 versions and drops the oldest silently, so 150 renewals are no fault."""
    renew_often(world, world.ledger.begin(draft(), [], NOW))
    versions = world.ssm.parameters[f"{PATH}/1"].versions
    assert (len(versions), versions[0].number, versions[-1].number) == (100, 52, 151)


def test_a_label_would_stop_renewals(world: World) -> None:
    """Before: with a label on the oldest version, Parameter Store refuses the hundred-and-first; entries have none."""
    entry = world.ledger.begin(draft(), [], NOW)
    world.client.label_parameter_version(Name=f"{PATH}/1", Labels=["begun"])
    with pytest.raises(ClientError, match="ParameterMaxVersionLimitExceeded"):
        renew_often(world, entry)
    assert len(world.ssm.parameters[f"{PATH}/1"].versions) == 100


@pytest.mark.usefixtures("at_once")
def test_throttling_is_waited_out(world: World) -> None:
    """Parameter Store's request rate is shared by the whole account; a throttled call is made again."""
    with world.refusing("PutParameter", "ThrottlingException", "ThrottlingException"):
        assert world.ledger.begin(draft(), [], NOW).number == 1
    with world.refusing("GetParametersByPath", "ThrottlingException"):
        assert len(world.ledger.entries()) == 1


def test_what_may_not_be_called_is_an_error_and_no_empty_ledger(world: World) -> None:
    """Without the right to read, nothing is concluded."""
    world.put(stored(1))
    with (
        world.refusing("GetParametersByPath", "AccessDeniedException"),
        pytest.raises(ClientError, match="AccessDenied"),
    ):
        world.ledger.entries()
    with world.refusing("GetParameter", "AccessDeniedException"), pytest.raises(ClientError, match="AccessDenied"):
        world.ledger.overtaken(stored(1))


# Pruning.


def test_old_entries_are_deleted_ten_at_a_time(world: World) -> None:
    """Of 61 entries the newest 30 stay, and 31 are deleted by four calls; deleting them again is no error."""
    world.put(*(stored(number) for number in range(1, 62)))
    seen = world.ledger.entries()
    assert world.ledger.prune(seen) == list(range(1, 32))
    assert world.numbers() == list(range(32, 62))
    assert world.aws.calls["ssm.DeleteParameters"] == 4
    world.ledger.prune(seen)
    assert world.numbers() == list(range(32, 62))


def test_nothing_to_prune_calls_nothing(world: World) -> None:
    """A young ledger costs no call."""
    world.put(stored(1))
    assert world.ledger.prune([stored(1)]) == []
    assert not world.aws.calls


# Whole releases.


class Killed(BaseException):
    """The process is gone; nothing that it would do on an error is done."""


STATES: tuple[State, ...] = ("pinned", "written", "updating", "waiting")


def release(world: World, now: datetime, image: int, *, good: bool = True) -> Entry:
    """A release as far as the ledger sees it: it closes what was left open, and stops when it is overtaken."""
    ledger = Ledger(world.client, PATH, world.pauses.append)
    seen = ledger.entries()
    entry = ledger.begin(replace(draft(image), began=now), seen, now)
    closed = [one.ending("failed", now, "broken off") for one in left_open(seen, entry.number)]
    for one in closed:
        ledger.save(one)
    for state in STATES:
        if ledger.overtaken(entry):
            raise Overtaken(entry, "shop/production/web")
        entry = replace(entry, state=state)
        ledger.save(entry)
    entry = entry.ending("successful" if good else "failed", now + MINUTE)
    ledger.save(entry)
    ledger.prune([entry, *seen])
    return entry


def test_250_releases(world: World) -> None:
    """Numbers go up by one, few entries stay, a rollback finds what it needs, and no release costs more calls."""
    good: list[str] = []
    most = 0
    for number in range(1, 251):
        before = sum(world.aws.calls.values())
        is_good = number % 40 != 0 and not 150 < number <= 200
        entry = release(world, NOW + number * 10 * MINUTE, image=number, good=is_good)
        assert entry.number == number
        if is_good:
            good.insert(0, digest(number))
        most = max(most, sum(world.aws.calls.values()) - before)
        kept = world.ledger.entries()
        assert len(kept) <= ENTRIES_KEPT + RELEASES_KEPT + 1
        assert kept[0].number == number
        assert [one.digest for one in successful(kept)][: RELEASES_KEPT + 1] == good[: RELEASES_KEPT + 1]
    # Four pages and what should follow, the lock, four states with their fence, the end, and pruning.
    assert most <= 4 + 1 + 1 + 2 * len(STATES) + 1 + 1
    assert world.pauses == []


def prepare(world: World) -> None:
    """Enough entries that the killed release prunes, and an open one that it takes over."""
    world.put(*(stored(number) for number in range(1, 41)))
    world.put(stored(41, state="updating", ended=None, lease=NOW))


LOCK, FENCED, CALLS = 7, 15, 20
"""Of the release below: the call that is the lock, the last one before which the fence is looked at, and how many."""


def test_the_calls_of_a_release_are_counted(world: World) -> None:
    """The tests below stop and disturb a release at each of its calls, so they must know how many it makes."""
    prepare(world)
    called: list[str] = []
    world.aws.before = lambda operation, _params: called.append(operation)
    release(world, NOW + 10 * MINUTE, image=42)
    world.aws.before = lambda _operation, _params: None
    assert len(called) == CALLS
    assert called[LOCK] == "ssm.PutParameter"
    assert "ssm.PutParameter" not in called[:LOCK]
    assert called[FENCED] == "ssm.GetParameter"
    assert "ssm.GetParameter" not in called[FENCED + 1 :]


@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "after it"])
@pytest.mark.parametrize("killed_at", range(CALLS))
def test_a_release_is_killed_at_every_call(world: World, killed_at: int, answered: bool) -> None:
    """The next is busy while the lease runs; after it, it follows, closes what was left open, and nothing is lost."""
    prepare(world)
    die(world, after=killed_at, answered=answered)
    with pytest.raises(Killed):
        release(world, NOW + 10 * MINUTE, image=42)
    live(world)

    newest = world.ledger.entries()[0]
    begun = newest.number == 42
    assert begun == (killed_at + answered > LOCK)
    assert [one.digest for one in successful(world.ledger.entries())][:1] in ([digest(40)], [digest(42)])
    soon = NOW + 10 * MINUTE + timedelta(seconds=30)
    if begun and newest.open:
        with pytest.raises(Busy):
            release(world, soon, image=43)
    later = release(world, NOW + 20 * MINUTE, image=44)
    assert later.number == (43 if begun else 42)
    entries = world.ledger.entries()
    assert [one for one in entries if one.open] == []
    assert [one.number for one in entries] == list(range(later.number, later.number - ENTRIES_KEPT, -1))
    assert entries[0] == later


def die(world: World, *, after: int, answered: bool) -> None:
    """The process is killed in the call after so many, before or after it has an effect."""
    real, left = FakeSsm.answer, [after]

    def answer(operation: str, params: Params) -> dict[str, Any]:
        left[0] -= 1
        if left[0] == -1 and not answered:
            raise Killed
        try:
            return real(world.ssm, operation, params)
        finally:
            if left[0] == -1:
                raise Killed

    world.ssm.answer = answer  # type: ignore[method-assign]


def live(world: World) -> None:
    """Calls are answered again."""
    vars(world.ssm).pop("answer")


@pytest.mark.parametrize("taken_at", range(CALLS))
def test_two_releases_meet_at_every_call(world: World, taken_at: int) -> None:
    """Another takes the next number before any call: until the lock this one begins nothing, and then it stops."""
    prepare(world)
    real, left = FakeSsm.answer, [taken_at]
    theirs = stored(42, state="begun", ended=None, lease=NOW + 13 * MINUTE)

    def answer(operation: str, params: Params) -> dict[str, Any]:
        left[0] -= 1
        if left[0] == -1:
            begun = f"{PATH}/42" in world.ssm.parameters
            world.put(replace(theirs, number=43) if begun else theirs)
        return real(world.ssm, operation, params)

    world.ssm.answer = answer  # type: ignore[method-assign]
    if taken_at <= FENCED:
        with pytest.raises(Busy if taken_at <= LOCK else Overtaken):
            release(world, NOW + 10 * MINUTE, image=42)
    else:
        release(world, NOW + 10 * MINUTE, image=42)
    live(world)
    entries = {one.number: one for one in world.ledger.entries()}
    if taken_at <= LOCK:
        assert entries[42] == theirs
        assert 43 not in entries
        assert entries[41].open
    else:
        assert entries[43] == replace(theirs, number=43)
        assert entries[42].who == "anna"
        assert entries[42].open == (taken_at <= FENCED)
