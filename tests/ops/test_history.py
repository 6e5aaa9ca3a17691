"""``moorings history``: the ledger as a person and as a program reads it."""

from __future__ import annotations

from tests.ops.delivery import JO, Account, build_tag, digest


def test_the_newest_comes_first_and_says_what_became_of_it_and_why(account: Account) -> None:
    """A release, one that failed and went back, and a rollback: each line aligned, reasons under them."""
    account.entry("shop/production/web", 9, digest(1), hours_ago=30, build_tag=build_tag(1), commit="0" * 11 + "1")
    account.entry(
        "shop/production/web",
        10,
        digest(2),
        hours_ago=20,
        state="failed",
        reason="A task stopped: exit code 1.\nSee its log.",
        origin="shop/staging/web release 4",
        check="digest",
        override="the login is broken",
    )
    account.entry("shop/production/web", 11, digest(1), action="rollback", hours_ago=1, build_tag=build_tag(1))
    done = account.moorings("history", "production")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "shop/production/web: 3 entries, newest first\n"
        f" 11  2026-04-01 11:00 UTC  rollback  successful  000000000001  {build_tag(1)}  {JO}\n"
        f" 10  2026-03-31 16:00 UTC  release   failed      000000000002  -{' ' * 36}  {JO}\n"
        "    from shop/staging/web release 4, known by its digest\n"
        "    outside the window: the login is broken\n"
        "    A task stopped: exit code 1. See its log.\n"
        f"  9  2026-03-31 06:00 UTC  release   successful  000000000001  {build_tag(1)}  {JO}\n"
    )


def test_json_has_every_field(account: Account) -> None:
    """What is empty is null, so every entry has the same keys."""
    account.entry("shop/production/web", 1, digest(1), hours_ago=1)
    told = account.moorings("history", "shop/production/web", "--json")
    assert (told.code, told.err) == (0, "")
    assert told.json == {
        "service": "shop/production/web",
        "releases": [
            {
                "number": 1,
                "action": "release",
                "state": "successful",
                "digest": digest(1),
                "previous": "none",
                "who": JO,
                "began": "2026-04-01T11:00:00+00:00",
                "ended": "2026-04-01T11:05:00+00:00",
                "lease": "2026-04-01T12:00:00+00:00",
                "build_tag": None,
                "commit": None,
                "origin": None,
                "check": "none",
                "override": None,
                "reason": None,
            }
        ],
    }


def test_before_the_first_release_there_is_nothing(account: Account) -> None:
    """An empty ledger is no error."""
    assert account.moorings("history", "production").out == "shop/production/web: no entry\n"
    assert account.moorings("history", "production", "--json").json["releases"] == []


def test_what_is_no_entry_is_one_sentence(account: Account) -> None:
    """A parameter that somebody edited by hand: exit code 2, and its name."""
    account.ssm.put("/moorings/shop/production/web/releases/1", "edited by hand")
    done = account.moorings("history", "production")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "/moorings/shop/production/web/releases/1" in done.err


def test_a_reason_cannot_move_the_terminals_cursor(account: Account) -> None:
    """Reasons come from containers too, so control letters are left out."""
    account.entry("shop/production/web", 1, digest(1), state="failed", reason="a\x1b[2Jb\r\x07c")
    assert "    a [2Jb c\n" in account.moorings("history", "production").out
