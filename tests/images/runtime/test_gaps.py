"""What AWS refuses is written down, and nothing else stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError

from constructs_lib.images.runtime.gaps import GIVE_UP, TIME_LIMIT, Gaps

ARNS = ["arn:a", "arn:b", "arn:c"]


def refuse(code: str = "AccessDeniedException") -> str:
    """A call that AWS refuses."""
    raise ClientError({"Error": {"Code": code, "Message": "not you"}}, "ListTasks")


def test_an_answer_is_handed_on() -> None:
    """And leaves no gap."""
    gaps = Gaps()
    assert (gaps.ask("ecs:ListTasks", "main", lambda: "tasks"), gaps.sentences) == ("tasks", ())


def test_a_refusal_names_the_call_what_it_is_about_and_the_code() -> None:
    """So a reader knows which permission is missing."""
    gaps = Gaps()
    assert gaps.ask("ecs:ListTasks", "cluster main", refuse) is None
    assert gaps.sentences == ("ecs:ListTasks of cluster main failed: AccessDeniedException: not you",)


def test_a_service_that_cannot_be_reached_is_a_gap() -> None:
    """No answer is no answer, whoever is to blame."""
    gaps = Gaps()

    def unreachable() -> str:
        raise EndpointConnectionError(endpoint_url="https://ecs")

    assert gaps.ask("ecs:ListTasks", "main", unreachable) is None
    assert "EndpointConnectionError" in gaps.sentences[0]


@pytest.mark.parametrize("error", [ParamValidationError(report="no such parameter"), KeyError("taskArns")])
def test_a_programming_error_is_raised(error: Exception) -> None:
    """A bug must not look like an outage."""

    def wrong() -> str:
        raise error

    with pytest.raises(type(error)):
        Gaps().ask("ecs:ListTasks", "main", wrong)


def test_gaps_are_told_in_an_order_of_their_own() -> None:
    """Several calls are under way at a time; two readings with the same gaps are equal."""
    gaps, expected = Gaps(), tuple(f"gap {number:02}" for number in range(30))
    for sentence in reversed(expected):
        gaps.add(sentence)
    assert gaps.sentences == expected


def test_what_has_gone_is_no_gap() -> None:
    """A list may name what was deleted a moment later."""
    gaps = Gaps()
    assert gaps.ask("ecs:ListTasks", "main", lambda: refuse("ClusterNotFoundException")) is None
    assert gaps.sentences == ()


def test_the_pages_before_a_refusal_are_kept() -> None:
    """A list that breaks off is used as far as it goes, and told."""
    gaps = Gaps()

    def pages() -> Iterator[str]:
        yield "first"
        yield refuse("ThrottlingException")

    assert list(gaps.pages("ecs:ListTasks", "main", pages())) == ["first"]
    assert len(gaps.sentences) == 1


def test_a_call_that_is_always_refused_is_given_up() -> None:
    """In an outage, the time that is left is for pinning what is known. Other calls go on."""
    gaps = Gaps()
    asked = []

    def ask() -> str:
        asked.append(1)
        return refuse()

    for number in range(GIVE_UP + 5):
        gaps.ask("ecs:ListTasks", f"cluster {number}", ask)
    assert len(asked) == GIVE_UP
    assert any("was refused 20 times in a row" in sentence for sentence in gaps.sentences)
    assert gaps.ask("ecs:ListServices", "main", lambda: "services") == "services"


def test_an_answer_between_refusals_keeps_a_call_going() -> None:
    """Some things may be forbidden without an outage."""
    gaps = Gaps()
    for number in range(3 * GIVE_UP):
        gaps.ask("ecs:ListTasks", f"cluster {number}", refuse if number % GIVE_UP else lambda: "tasks")
    assert gaps.ask("ecs:ListTasks", "main", lambda: "tasks") == "tasks"


class Clock:
    """A clock that goes on by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_after_the_time_limit_nothing_is_asked_and_one_sentence_tells() -> None:
    """However many calls are left: services that hang must not take the time in which the rest is pinned."""
    clock = Clock()
    gaps = Gaps(clock=clock)
    asked = []

    def ask() -> str:
        asked.append(clock.now)
        return "answer"

    clock.now = 1_000.0 + TIME_LIMIT - 0.1
    assert (gaps.ask("ecs:ListTasks", "main", ask), gaps.sentences) == ("answer", ())
    clock.now = 1_000.0 + TIME_LIMIT
    for call in ("ecs:ListTasks", "ecs:ListServices", "events:ListRules"):
        assert gaps.ask(call, "main", ask) is None
        assert list(gaps.pages(call, "main", (ask() for _ in range(3)))) == []
    assert len(asked) == 1
    (sentence,) = gaps.sentences
    assert sentence.startswith(f"reading took more than {TIME_LIMIT:.0f} seconds, so the rest was not asked for; ")


def test_a_long_list_ends_with_the_time() -> None:
    """Its pages are calls of their own; those that came are used."""
    clock = Clock()
    gaps = Gaps(clock=clock)

    def pages() -> Iterator[str]:
        for number in range(100):
            clock.now += TIME_LIMIT / 4
            yield f"page {number}"

    assert list(gaps.pages("ecs:ListTasks", "main", pages())) == [f"page {number}" for number in range(4)]
    assert len(gaps.sentences) == 1


def test_failures_in_an_answer_are_gaps() -> None:
    """They come with HTTP 200, so nobody sees them unless they look."""
    gaps = Gaps()
    gaps.check("ecs:DescribeTasks", ARNS, ["a", "b"], [{"arn": "arn:c", "reason": "ACCESS", "detail": "denied"}])
    assert gaps.sentences == ("ecs:DescribeTasks of arn:c failed: ACCESS, denied",)


@pytest.mark.parametrize(("may_be_missing", "gaps_expected"), [({"arn:c"}, 0), ({"arn:a"}, 1), (set(), 1)])
def test_only_what_may_be_missing_may_be_missing(may_be_missing: set[str], gaps_expected: int) -> None:
    """A task that runs does not disappear; one that has stopped does."""
    gaps = Gaps()
    failure = {"arn": "arn:c", "reason": "MISSING"}
    gaps.check("ecs:DescribeTasks", ARNS, ["a", "b"], [failure], may_be_missing=may_be_missing)  # type: ignore[list-item]
    assert len(gaps.sentences) == gaps_expected


def test_an_answer_that_leaves_something_out_is_a_gap() -> None:
    """Neither answered nor named as a failure."""
    gaps = Gaps()
    gaps.check("ecs:DescribeTasks", ARNS, ["a", "b"], [])
    assert gaps.sentences == ("ecs:DescribeTasks answered 2 of 3 and named 0 failures: arn:a …",)
