"""``moorings release``, ``rollback`` and ``restart``: what they ask for, and what each outcome comes to.

What a release does is tested where it is done; here its outcomes are given.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, TokenRetrievalError

from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.ledger_store import Busy as LedgerBusy
from constructs_lib.delivery.operations.ledger_store import LostRace, Overtaken
from constructs_lib.delivery.operations.outcomes import Busy, Interrupted, NeedsRepair, NothingToDo, Refused
from constructs_lib.delivery.operations.release import Request
from constructs_lib.delivery.operations.world import World
from constructs_lib.delivery.readiness import Check
from constructs_lib.delivery.settings import DeliverySettings
from tests.ops.delivery import JO, Account, build_tag, digest
from tests.ops.support import NOW

ENTRY = Entry(
    number=12,
    action="release",
    state="successful",
    digest=digest(2),
    previous=digest(1),
    who=JO,
    began=NOW,
    lease=NOW,
    ended=NOW,
    build_tag=build_tag(2),
    origin="shop/staging/web release 7",
    check="digest",
)
CHECKS = (
    Check(name="stack", result="OK", seen="shop--production--services is UPDATE_COMPLETE"),
    Check(name="scan", result="SKIP", seen="no threshold is set"),
    Check(name="window", result="NG", seen="outside Saturday at 02:00", fix="wait"),
)


class Asked:
    """Stands in for the release: notes what is asked, and ends as it is told."""

    def __init__(self, end: Entry | BaseException, lines: Sequence[str] = ()) -> None:
        self.end, self.lines = end, lines
        self.requests: list[tuple[str, Request]] = []

    def __call__(self, world: World, settings: DeliverySettings, request: Request) -> Entry:
        self.requests.append((settings.place, request))
        for line in self.lines:
            world.say(line)
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Asked]:
    """Makes every release end in one way."""

    def as_told(end: Entry | BaseException, lines: Sequence[str] = ()) -> Asked:
        asked = Asked(end, lines)
        monkeypatch.setattr("constructs_lib.ops.changes.run", asked)
        return asked

    return as_told


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        (["release"], Request(action="release")),
        (["release", digest(3)], Request(action="release", target=digest(3))),
        (
            ["release", "--now", "--reason", "login", digest(3)],
            Request(action="release", target=digest(3), now_reason="login"),
        ),
        (["release", "--now", "--reason", " login "], Request(action="release", now_reason="login")),
        (["rollback"], Request(action="rollback")),
        (["rollback", "--to", "9"], Request(action="rollback", target="9")),
        (["rollback", "--to", digest(3)], Request(action="rollback", target=digest(3))),
        (["rollback", "--to", digest(3)[7:19]], Request(action="rollback", target=digest(3)[7:19])),
        (["release", digest(3)[:14]], Request(action="release", target=digest(3)[:14])),
        (["release", build_tag(3)], Request(action="release", target=build_tag(3))),
        (["restart"], Request(action="restart")),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_what_is_asked_for(account: Account, ends: Callable[..., Asked], words: list[str], request_: Request) -> None:
    """Each command asks for exactly what its words say, of the one service that ENV means."""
    asked = ends(ENTRY)
    command, *rest = words
    assert account.moorings(command, "production", *rest).code == 0
    assert asked.requests == [("shop/production/web", request_)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["release"], "the following arguments are required: ENV"),
        (["release", "Production"], "argument ENV: must be an environment such as production"),
        (["release", "shop/production/web/x"], "argument ENV: must be an environment such as production"),
        (["release", "shop//web"], "argument ENV: must be an environment such as production"),
        (["release", "pin-x"], "argument ENV: must be an environment such as production"),
        (
            ["release", "production", "v42"],
            "argument DIGEST: must be a digest, at least 7 of its first digits, or a build tag such as",
        ),
        (["release", "production", digest(1).upper()], "argument DIGEST: must be"),
        (["release", "production", "--now"], "--now and --reason TEXT must be given together, got --now alone"),
        (["release", "production", "--reason", "x"], "--now and --reason TEXT must be given together, got --reason"),
        (["release", "production", "--now", "--reason", " "], "argument --reason: must be a text"),
        (["rollback", "production", "--to", "0"], "argument --to: must be a release's number such as 12"),
        (["rollback", "production", "--to", "v42"], "argument --to: must be a release's number such as 12"),
        (["rollback", "production", "--to", "abcdef"], "argument --to: must be a release's number such as 12"),
        (["verify", "production", "v42"], "argument DIGEST|N: must be a release's number such as 12"),
        (
            ["verify", "production", "12"],
            "a number such as 12 names what ran here before; use it with `--for rollback`",
        ),
        (["verify", "production", "--for", "restart", digest(1)], "a restart takes no DIGEST, got 'sha256:0000"),
        (["rollback", "production", digest(1)], "unrecognized arguments"),
        (["restart", "production", "--now"], "unrecognized arguments"),
        (["verify", "production", "--for", "x"], "argument --for: invalid choice"),
        (["release", "production", "--json", "v42"], "argument DIGEST: must be a digest"),
        (["release", "production", "--json", digest(1), digest(2)], "unrecognized arguments: sha256:0000"),
        (["release", "production", digest(1), "--json", digest(2)], "unrecognized arguments: sha256:0000"),
        (["release", "production", "--yes"], "unrecognized arguments: --yes"),
        (["status", "production", "--json", "x"], "unrecognized arguments: x"),
        (["diff", "production"], "the following arguments are required: ENV"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_words_are_one_sentence_and_call_nothing(account: Account, words: list[str], says: str) -> None:
    """Exit code 2, nothing on stdout, and AWS is not asked."""
    for json in ([], ["--json"]):
        done = account.moorings(*words, *json)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert done.err.startswith(f"moorings: {says}")
    assert not account.aws.calls


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ("prodution", "shop/production/web, shop/staging/web"),
        ("production", "shop/production/web, shop/production/worker"),
        ("desk/production", "shop/production/web, shop/production/worker, shop/staging/web"),
        ("shop/production/cron", "shop/production/web, shop/production/worker, shop/staging/web"),
    ],
)
def test_env_must_mean_one_service(account: Account, ends: Callable[..., Asked], env: str, says: str) -> None:
    """None or several is exit code 2, with the names to choose from."""
    if env != "prodution":
        account.add("shop/production/worker")
    asked = ends(ENTRY)
    done = account.moorings("release", env)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert says in done.err
    assert asked.requests == []


def test_a_whole_name_needs_no_list(account: Account, ends: Callable[..., Asked]) -> None:
    """A role may then do without the permission to list all parameters."""
    ends(ENTRY)
    assert account.moorings("release", "shop/production/web").code == 0
    assert account.aws.calls["ssm.DescribeParameters"] == 0


def test_success_is_one_line_and_where_it_comes_from(account: Account, ends: Callable[..., Asked]) -> None:
    """Exit code 0."""
    ends(ENTRY)
    done = account.moorings("release", "production")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        f"shop/production/web runs {digest(2)} ({build_tag(2)}): release 12 is successful\n"
        "  from shop/staging/web release 7, known by its digest\n"
    )


def test_a_release_that_failed_is_exit_code_1_with_the_reason(account: Account, ends: Callable[..., Asked]) -> None:
    """The reason is on stderr, and the whole entry in the JSON."""
    ends(replace(ENTRY, state="failed", reason="A task stopped:\nexit code 1."))
    done = account.moorings("release", "production")
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert done.err == (
        f"moorings: release 12 of shop/production/web failed; it runs {ENTRY.previous[:19]}, as before. Of {digest(2)} "
        f"({build_tag(2)}): A task stopped: exit code 1. `moorings status shop/production/web` says how it is now\n"
    )
    told = account.moorings("release", "production", "--json")
    assert told.code == 1
    assert (told.json["result"], told.json["reason"]) == ("failed", "A task stopped:\nexit code 1.")
    assert (told.json["release"]["number"], told.json["release"]["digest"]) == (12, digest(2))


def test_a_first_release_that_failed_says_that_nothing_runs(account: Account, ends: Callable[..., Asked]) -> None:
    """There is nothing to go back to but zero tasks."""
    ends(replace(ENTRY, state="failed", previous="none", reason="A task stopped."))
    assert "failed; it stands with zero tasks, as before. Of " in account.moorings("release", "production").err


OUTCOMES: list[tuple[BaseException, int, str]] = [
    (Refused("no release: the window is closed", CHECKS), 1, "refused"),
    (NeedsRepair("the stack is UPDATE_ROLLBACK_FAILED; mend it"), 1, "repair"),
    (Busy("another release is under way"), 3, "busy"),
    (LedgerBusy(replace(ENTRY, state="waiting"), "shop/production/web"), 3, "busy"),
    (LostRace(13, "shop/production/web"), 3, "busy"),
    (Overtaken(ENTRY, "shop/production/web"), 3, "busy"),
    (Interrupted("release 12 stays open; the next one takes it over"), 130, "interrupted"),
    (KeyboardInterrupt(), 130, "interrupted"),
]


@pytest.mark.parametrize(("end", "code", "word"), OUTCOMES, ids=lambda value: type(value).__name__)
def test_each_outcome_has_its_exit_code_its_word_and_one_sentence(
    account: Account, ends: Callable[..., Asked], end: BaseException, code: int, word: str
) -> None:
    """The sentence is on stderr, and in the JSON too."""
    ends(end)
    done = account.moorings("release", "production")
    assert (done.code, done.err.count("\n")) == (code, 1)
    told = account.moorings("release", "production", "--json")
    assert (told.code, told.err) == (code, done.err)
    assert set(told.json) == {"result", "reason", "release", "checks"}
    assert (told.json["result"], told.json["release"]) == (word, None)
    assert done.err == f"moorings: {told.json['reason']}\n"
    assert not str(end) or told.json["reason"] == str(end)


def test_nothing_to_do_is_fine(account: Account, ends: Callable[..., Asked]) -> None:
    """A script that releases what runs already has got what it wanted."""
    ends(NothingToDo("shop/production/web runs it already"))
    done = account.moorings("release", "production")
    assert (done.code, done.out, done.err) == (0, "shop/production/web runs it already\n", "")
    assert account.moorings("release", "production", "--json").json["result"] == "nothing to do"


def test_a_refusal_shows_the_checks_and_the_fix(account: Account, ends: Callable[..., Asked]) -> None:
    """As ``verify`` does."""
    ends(Refused("no release: the window is closed", CHECKS))
    assert account.moorings("release", "production").out == (
        "OK    stack   shop--production--services is UPDATE_COMPLETE\n"
        "SKIP  scan    no threshold is set\n"
        "NG    window  outside Saturday at 02:00\n"
        "              fix: wait\n"
    )
    assert account.moorings("release", "production", "--json").json["checks"][2] == {
        "check": "window",
        "result": "NG",
        "seen": "outside Saturday at 02:00",
        "fix": "wait",
    }


def test_ctrl_c_says_what_to_do_next(account: Account, ends: Callable[..., Asked]) -> None:
    """Also where it comes before a release could say anything."""
    ends(KeyboardInterrupt())
    done = account.moorings("release", "shop/production/web")
    assert done.err == "moorings: interrupted; `moorings status shop/production/web` says how things stand\n"


def test_progress_is_told_once_a_change(account: Account, ends: Callable[..., Asked]) -> None:
    """Lines with the time; the same line twice is one, and control letters are left out."""
    ends(ENTRY, ["1 of 2 tasks", "1 of 2 tasks", "2 of 2\x1b[2J tasks", "1 of 2 tasks"])
    lines = account.moorings("release", "production").out.splitlines()
    assert lines[:3] == ["12:00:00  1 of 2 tasks", "12:00:00  2 of 2 [2J tasks", "12:00:00  1 of 2 tasks"]


def test_with_json_progress_is_beside_the_result(account: Account, ends: Callable[..., Asked]) -> None:
    """stdout is one JSON object, and the lines are on stderr."""
    ends(ENTRY, ["1 of 2 tasks"])
    done = account.moorings("release", "production", "--json")
    assert done.err == "12:00:00  1 of 2 tasks\n"
    assert done.json["result"] == "successful"


class Gone(io.StringIO):
    """An output whose reader has gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_release_goes_on_when_nobody_reads_its_progress(account: Account, ends: Callable[..., Asked]) -> None:
    """``moorings release … | head -1`` must not leave a release half done."""
    asked = ends(ENTRY, ["1 of 2 tasks", "2 of 2 tasks"])
    done = account.moorings("release", "production", out=Gone())
    assert len(asked.requests) == 1
    assert (done.code, done.err) == (0, "")


class Flushed(io.StringIO):
    """An output that notes what had been written whenever it was flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def flush(self) -> None:
        self.seen.append(self.getvalue())


def test_progress_is_seen_while_it_happens(account: Account, ends: Callable[..., Asked]) -> None:
    """In CodeBuild's log, which is no terminal, a line must not wait in a buffer until the end."""
    out = Flushed()
    ends(ENTRY, ["1 of 2 tasks", "2 of 2 tasks"])
    account.moorings("release", "production", out=out)
    assert out.seen[0] == "12:00:00  1 of 2 tasks\n"


@pytest.mark.parametrize("command", ["release", "rollback", "restart", "verify", "status", "history", "freeze", "thaw"])
def test_what_aws_refuses_is_one_sentence(account: Account, command: str) -> None:
    """No permission: exit code 2, nothing on stdout, and AWS's words."""
    from tests.fake_aws.core import Fault

    def refuse(operation: str, _params: Any) -> None:
        raise Fault("AccessDeniedException", f"User: {JO} is not authorized to perform: {operation}")

    account.aws.before = refuse
    words = ["--reason", "x"] if command == "freeze" else []
    done = account.moorings(command, "production", *words, "--json")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("moorings: AWS did not answer as needed: AccessDeniedException")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (EndpointConnectionError(endpoint_url="https://ssm.eu-wst-1.amazonaws.com/"), "look at the network, --region"),
        (ConnectTimeoutError(endpoint_url="https://ssm.eu-west-1.amazonaws.com/"), "look at the network, --region"),
        (TokenRetrievalError(provider="sso", error_msg="expired"), "log in to AWS again, such as by `aws sso login`"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_reach_aws_has_a_fix(account: Account, error: Exception, fix: str) -> None:
    """A wrong region, no network, or a login that has run out."""

    def refuse(_operation: str, _params: Any) -> None:
        raise error

    account.aws.before = refuse
    done = account.moorings("status", "production")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith("moorings: AWS cannot be asked: ")
    assert f"; {fix}" in done.err


def test_region_and_profile_are_the_commands(account: Account) -> None:
    """They choose the session."""
    account.moorings("history", "production", "--region", "eu-west-1", "--profile", "work")
    assert account.sessions.asked == [("eu-west-1", "work")]
