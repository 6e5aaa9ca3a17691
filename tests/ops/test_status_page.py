"""``moorings status-page``: what a person says is written, kept, and on the page."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.naming import status_page_parameter_name
from constructs_lib.observability.runtime.status.changes import Override, apply
from constructs_lib.observability.runtime.status.objects import TRIES
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.state_json import from_json, to_json
from tests.fake_aws.core import ACCOUNT, REGION
from tests.fake_aws.s3 import FakeS3
from tests.ops.delivery import Account
from tests.ops.support import Done

BUCKET = f"shop--production--status-{ACCOUNT}-{REGION}"
STATE = "state/state.json"
NAME = status_page_parameter_name("shop", "production")
PAGES = ("page/index.html", "page/ja/index.html", "page/status.json")


class Page:
    """An account with a status page, and the command."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.s3: FakeS3 = account.status_page()

    def __call__(self, command: str, *words: object, env: str = "production") -> Done:
        return self.account.moorings("status-page", command, env, *words)

    @property
    def state(self) -> PageState:
        """As it is in the bucket."""
        return from_json(self.s3.objects[f"{BUCKET}/{STATE}"])

    def page(self, key: str = "page/index.html") -> str:
        """What visitors get."""
        return self.s3.objects[f"{BUCKET}/{key}"].decode()

    def shown(self) -> str:
        """The state of the one component."""
        (component,) = json.loads(self.page("page/status.json"))["components"]
        return str(component["state"])


@pytest.fixture
def page(account: Account) -> Page:
    """A page whose component is red."""
    return Page(account)


def test_show_says_what_is_shown_and_why(page: Page) -> None:
    """By an alarm, since when, and what is open."""
    done = page("show")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "shop/production  https://d111111abcdef8.cloudfront.net",
        "revision 3, alarms read 2026-04-01 12:00 UTC",
        "  web  degraded  by alarms since 2026-04-01 11:55 UTC",
        "web-20260401t115500z  incident, open: web",
        "  2026-04-01 11:55 UTC  machine  degraded",
    ]
    page.account.clock.sleep(360)
    assert "; LATE" in page("show").out


def test_show_as_json(page: Page) -> None:
    """One object."""
    told = page("show", "--json").json
    assert (told["environment"], told["revision"], told["late"]) == ("shop/production", 3, False)
    assert told["components"] == [
        {"name": "web", "state": "degraded", "known": True, "by": "alarms", "since": "2026-04-01T11:55:00+00:00"}
    ]
    (entry,) = told["entries"]
    assert (entry["id"], entry["phase"], entry["updates"][0]["by"]) == ("web-20260401t115500z", "open", "machine")


def test_a_post_opens_an_incident_and_is_on_both_pages(page: Page) -> None:
    """In both languages, with the state that the person says; the answer names the incident."""
    done = page(
        "post", "--component", "web", "--state", "outage", "--en", "We lost a disk.", "--ja", "ディスク故障です。"
    )
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "shop/production: posted to incident-20260401t120000z"
    assert page.shown() == "outage"
    assert "We lost a disk." in page.page()
    assert "ディスク故障です。" in page.page("page/ja/index.html")
    revisions = {page.s3.metadata[f"{BUCKET}/{key}"]["revision"] for key in PAGES}
    assert revisions == {str(page.state.revision)}


def test_one_language_is_shown_on_both_pages(page: Page) -> None:
    """With its own language marked, for whoever hears the page."""
    assert page("post", "--component", "web", "--en", "We look into it.").code == 0
    assert "We look into it." in page.page("page/ja/index.html")
    assert 'lang="en"' in page.page("page/ja/index.html")


def test_a_post_adds_to_what_an_alarm_opened(page: Page) -> None:
    """And then only a person ends it."""
    assert page("post", "--id", "web-20260401t115500z", "--en", "A disk.").code == 0
    entry = page.state.entry("web-20260401t115500z")
    assert entry is not None
    assert [one.by for one in entry.updates] == ["machine", "person"]
    assert page.shown() == "degraded"


def test_words_from_a_file(page: Page, tmp_path: Path) -> None:
    """Long ones are written in an editor."""
    (tmp_path / "en.txt").write_text("First line.\nSecond line.\n")
    assert page("post", "--component", "web", "--en", f"@{tmp_path / 'en.txt'}").code == 0
    (entry,) = [one for one in page.state.entries if one.by_person]
    assert entry.updates[0].text is not None
    assert entry.updates[0].text.en == "First line.\nSecond line."


@pytest.mark.parametrize("words", ["@/does/not/exist", "", "  ", "@{empty}", "@{latin}", "@{large}"])
def test_words_that_are_none(words: str, page: Page, tmp_path: Path) -> None:
    """One sentence, exit code 2, and nothing is written."""
    files = {"empty": b" \n", "latin": b"\xe9\xe8", "large": b"x" * 10_001}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    done = page("post", "--component", "web", "--en", words.format(**{name: tmp_path / name for name in files}))
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert page.state.revision == 3


def test_resolve_ends_it_and_lifts_what_was_said(page: Page) -> None:
    """The alarms speak again, and so the component is what they say."""
    page("post", "--id", "disk", "--component", "web", "--state", "outage", "--en", "A disk.")
    done = page("resolve", "disk", "--en", "Replaced.")
    assert (done.code, done.out.splitlines()[0]) == (0, "shop/production: resolved disk")
    assert page.shown() == "degraded"
    assert "Replaced." in page.page()
    without_words = page("post", "--id", "other", "--component", "web", "--en", "x")
    assert without_words.code == page("resolve", "other").code == 0


def test_an_override_stays_until_it_is_ended(page: Page) -> None:
    """Whatever the alarms say."""
    done = page("override", "web", "--state", "operational")
    assert (done.code, done.out.splitlines()[0]) == (0, "shop/production: web is shown as operational")
    assert page.shown() == "operational"
    done = page("override", "web", "--end")
    assert done.out.splitlines()[0] == "shop/production: alarms speak for web"
    assert page.shown() == "degraded"


def test_who_is_heard_less_than_another_is_told(page: Page) -> None:
    """Somebody else's clock is two minutes ahead: the older word changes nothing, and the command does not say so."""
    now = page.account.clock.now()
    newer = Override(at=now + timedelta(minutes=2), component="web", state="outage")
    page.s3.objects[f"{BUCKET}/{STATE}"] = to_json(apply(page.state, newer, now)).encode()
    done = page("override", "web", "--end")
    assert (done.code, done.out) == (2, "")
    assert "when somebody set 'web' to outage" in done.err
    assert page.state.revision == 4


@pytest.mark.parametrize("words", [(), ("--state", "outage", "--end"), ("--state", "red")])
def test_an_override_says_one_thing(words: tuple[str, ...], page: Page) -> None:
    """A state or the end."""
    done = page("override", "web", *words)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert page.state.revision == 3


def test_two_maintenances_of_one_hour_are_two(page: Page) -> None:
    """The second, announced without an id, would take the components of the first."""
    hours = ("--starts", "2026-04-02T22:00+09:00", "--ends", "2026-04-03T02:00+09:00")
    assert page("maintenance", "--component", "web", *hours, "--en", "New disks.").code == 0
    page.account.clock.sleep(60)
    done = page("maintenance", "--component", "web", *hours, "--en", "New network.")
    assert (done.code, done.out) == (2, "")
    assert "id must be given, for 'maintenance-20260402t1300z' is there already, of web" in done.err
    (entry,) = [one for one in page.state.entries if one.kind == "maintenance"]
    assert len(entry.updates) == 1
    assert page("maintenance", "--id", "network", "--component", "web", *hours, "--en", "New network.").code == 0
    assert page("maintenance", "--id", entry.id, "--component", "web", *hours, "--en", "Later.").code == 0


def test_a_maintenance_is_announced_in_any_zone(page: Page) -> None:
    """Its hours are on the page, and it begins by the clock (W6)."""
    hours = ("--starts", "2026-04-02T22:00+09:00", "--ends", "2026-04-02T15:00Z")
    done = page("maintenance", "--component", "web", *hours, "--en", "New disks.")
    assert done.code == 0, done.err
    entry = page.state.entry("maintenance-20260402t1300z")
    assert entry is not None
    assert [one.isoformat() for one in (entry.starts, entry.ends) if one] == [
        "2026-04-02T13:00:00+00:00",
        "2026-04-02T15:00:00+00:00",
    ]
    assert "New disks." in page.page()
    assert "2026-04-02 13:00 UTC to 2026-04-02 15:00 UTC" in page("show").out
    later = page(
        "maintenance", "--id", entry.id, "--component", "web", *hours[:3], "2026-04-02T16:00Z", "--en", "Longer."
    )
    assert later.code == 0
    changed = page.state.entry(entry.id)
    assert changed is not None
    assert changed.ends is not None
    assert changed.ends.hour == 16


@pytest.mark.parametrize(
    "words",
    [
        ("--starts", "2026-04-02T22:00", "--ends", "2026-04-03T15:00Z"),
        ("--starts", "tomorrow", "--ends", "2026-04-02T15:00Z"),
        ("--starts", "2026-04-02T16:00Z", "--ends", "2026-04-02T15:00Z"),
        ("--starts", "2026-03-02T14:00Z", "--ends", "2026-03-02T15:00Z"),
        ("--ends", "2026-04-02T15:00Z"),
    ],
)
def test_hours_that_cannot_be(words: tuple[str, ...], page: Page) -> None:
    """Without a zone, the wrong way round, or over already."""
    done = page("maintenance", "--component", "web", *words, "--en", "x")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert page.state.revision == 3


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        ("post", ("--component", "api", "--en", "x"), "component must be one that the page shows"),
        ("post", ("--en", "x"), "components must be named for the new incident"),
        ("post", ("--component", "web"), "words for users must be given"),
        ("post", ("--component", "web", "--id", "No Id", "--en", "x"), "must be lower-case"),
        ("post", ("--component", "web", "--en", "x" * 1001), "at most 1000 characters"),
        ("resolve", ("nope",), "entry must be one of web-20260401t115500z"),
        ("override", ("api", "--end"), "component must be one"),
        (
            "maintenance",
            ("--starts", "2026-04-02T14:00Z", "--ends", "2026-04-02T15:00Z", "--en", "x"),
            "give --component",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(command: str, words: tuple[str, ...], said: str, page: Page) -> None:
    """Exit code 2, nothing written, and the sentence says what can be."""
    done = page(command, *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err
    assert page.state.revision == 3


def test_words_that_would_move_the_cursor_are_shown_as_words(page: Page) -> None:
    """Of whoever has written them."""
    page("post", "--component", "web", "--en", "red\x1b[31m\nline")
    assert "red [31m line" in page("show").out
    assert "\x1b" not in page("show").out + page.page()


def test_who_is_overtaken_loses_nothing(page: Page) -> None:
    """Read again, and added."""
    page.s3.faults["PutObject", STATE] = [("PreconditionFailed", 412), ("ConditionalRequestConflict", 409)]
    assert page("post", "--component", "web", "--en", "We look into it.").code == 0
    assert "We look into it." in page.page()


def test_who_is_always_overtaken_is_told(page: Page) -> None:
    """Exit code 3, and that nothing was written."""
    page.s3.faults["PutObject", STATE] = [("PreconditionFailed", 412)] * TRIES
    done = page("post", "--component", "web", "--en", "x", "--json")
    assert (done.code, done.json["result"], done.err.count("\n")) == (3, "busy", 1)
    assert "nothing was written" in done.err
    assert page.state.revision == 3


@pytest.mark.parametrize("fault", [("AccessDenied", 403), ("InternalError", 500)])
def test_words_are_kept_when_the_pages_cannot_be_written(fault: tuple[str, int], page: Page) -> None:
    """Exit code 1; the page's function writes them within a minute."""
    page.s3.failing["HeadObject"] = fault
    done = page("post", "--component", "web", "--en", "We look into it.", "--json")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "what you wrote is kept, as revision" in done.err
    assert done.json["late"]
    assert page.state.revision == done.json["revision"] > 3


def test_pages_that_others_write_meanwhile(page: Page) -> None:
    """Likewise."""
    page.s3.faults["PutObject", "page/index.html"] = [("PreconditionFailed", 412)] * TRIES
    done = page("post", "--component", "web", "--en", "x")
    assert done.code == 1
    assert "not all pages could be written" in done.err


@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_who_may_not_is_told(operation: str, page: Page) -> None:
    """In AWS's words, exit code 2."""
    page.s3.failing[operation] = ("AccessDenied", 403)
    done = page("post", "--component", "web", "--en", "x")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "AccessDenied" in done.err
    page.s3.failing.clear()
    assert page.state.revision == 3


def test_a_state_that_is_broken_is_left_alone(page: Page) -> None:
    """And a page that was never made says so."""
    page.s3.objects[f"{BUCKET}/{STATE}"] = b"{"
    for words in (("show",), ("post", "--component", "web", "--en", "x")):
        done = page(*words)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "restore an earlier version of the object" in done.err
    assert page.s3.objects[f"{BUCKET}/{STATE}"] == b"{"
    del page.s3.objects[f"{BUCKET}/{STATE}"]
    assert "its function makes it within a minute" in page("show").err
    assert "deploy the status page" in page("post", "--component", "web", "--en", "x").err


# Which page.


def test_a_whole_name_needs_no_list(page: Page) -> None:
    """One parameter is read; `production` alone is looked for."""
    assert page("show", env="shop/production").code == 0
    assert page.account.aws.calls["ssm.DescribeParameters"] == 0
    assert page("show").code == 0
    assert page.account.aws.calls["ssm.DescribeParameters"] == 1


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("staging", "there are: shop/production"),
        ("shop/staging", "there must be a parameter /moorings/shop/staging/status-page in eu-west-1"),
        ("shop/production/web", "and no service"),
        ("Production", "must be an environment"),
    ],
)
def test_a_page_that_is_not_there(env: str, said: str, page: Page) -> None:
    """The sentence names those that are."""
    done = page("show", env=env)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert said in done.err


def test_two_of_one_name_must_be_told_apart(page: Page) -> None:
    """As with other commands."""
    page.account.ssm.put(status_page_parameter_name("blog", "production"), "{}")
    done = page("show")
    assert done.code == 2
    assert "say which: blog/production, shop/production" in done.err


def test_without_any_page(account: Account) -> None:
    """It is said how to get one."""
    done = account.moorings("status-page", "show", "production")
    assert done.code == 2
    assert "give the environment a status_page" in done.err


@pytest.mark.parametrize("value", ["{", "[]", "{}", '{"region": "eu-west-1"}'])
def test_a_parameter_that_somebody_else_wrote(value: str, page: Page) -> None:
    """One sentence."""
    page.account.ssm.put(NAME, value)
    done = page("show")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "deploy" in done.err


def test_a_page_in_another_region_is_found_from_the_services(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """The services' region says where; with --region of the page that region need not be asked."""
    there = page.account.ssm.value(NAME).replace('"region": "eu-west-1"', '"region": "eu-central-1"')
    page.account.ssm.put(NAME, json.dumps({"page_region": "eu-central-1"}))
    asked: list[tuple[str, str | None]] = []
    sessions: Any = page.account.sessions
    real = type(sessions).client

    def client(_self: Any, name: str, region_name: str | None = None, config: object = None) -> Any:
        asked.append((name, region_name))
        if (name, region_name) == ("ssm", "eu-central-1"):
            page.account.ssm.put(NAME, there)
        return real(sessions, name, config=config)

    monkeypatch.setattr(type(sessions), "client", client)
    assert page("show").code == 0
    assert asked == [("ssm", None), ("ssm", "eu-central-1"), ("s3", "eu-central-1")]
    asked.clear()
    assert page("show", "--region", "eu-central-1").code == 0
    assert asked == [("ssm", None), ("s3", "eu-central-1")]
    assert page.account.sessions.asked[-1] == ("eu-central-1", None)
