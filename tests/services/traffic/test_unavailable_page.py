"""The page itself, and how long a visitor waits for it: pure text and numbers (lesson Q4)."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.traffic.timeouts import TimeoutBudget
from constructs_lib.services.traffic.unavailable_page import (
    EdgeWaits,
    UnavailablePage,
    edge_certificate_arn,
    response_seconds,
)
from tests.support import TOKEN, refused, run_without_cdk

CERTIFICATE = "arn:aws:acm:us-east-1:111122223333:certificate/84941bd4-6795-4871-99f6-e2e4697138da"
BUDGET = TimeoutBudget(idle_seconds=60, caller_seconds=90)
TAGS = ["html", "meta", "meta", "meta", "title", "style", "body", "h1", "p"]
"""Everything that the page is made of: nothing runs, and nothing is loaded."""

LINES = st.text(st.characters(exclude_categories=("C", "Z")) | st.sampled_from(" <>&\"'{}"), min_size=1)


class Reader(HTMLParser):
    """What a browser makes of the page: its tags, their attributes, and the text within each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.texts: dict[str, str] = {}
        self.declared: list[str] = []
        self.open = ""
        self.feed(page)
        self.close()

    def handle_decl(self, decl: str) -> None:
        self.declared.append(decl)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= dict(attrs)
        self.open = tag

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open
        self.open = ""

    def handle_data(self, data: str) -> None:
        self.texts[self.open] = self.texts.get(self.open, "") + data


def test_the_page_says_what_is_wrong_and_what_to_do() -> None:
    """A browser shows a heading and a sentence, on a phone too, in the reader's own colours."""
    read = Reader(UnavailablePage().html())
    assert read.declared == ["doctype html"]
    assert read.tags == TAGS
    assert read.texts["title"] == read.texts["h1"] == "Temporarily unavailable"
    assert read.texts["p"] == "This service cannot answer right now. Please try again in a few minutes."
    assert read.attributes["lang"] == "en"
    assert read.attributes["charset"] == "utf-8"
    assert "width=device-width" in UnavailablePage().html()


def test_the_page_asks_for_nothing_more() -> None:
    """No script, no picture, no font and no address: nothing that could fail too, and nobody who counts visitors."""
    page = UnavailablePage().html()
    for word in ("script", "src", "href", "http:", "https:", "url(", "@import", "onload", "<link", "<img", "refresh"):
        assert word not in page, word


def test_another_text_in_another_language() -> None:
    """Any script is shown, with its language for those who listen."""
    read = Reader(UnavailablePage(title="ただいま停止しています", sentence="数分後に。", language="ja").html())
    assert read.texts["h1"] == "ただいま停止しています"
    assert read.texts["p"] == "数分後に。"
    assert read.attributes["lang"] == "ja"


def test_markup_in_a_text_is_shown_as_it_is_written() -> None:
    """A text is a text: it cannot bring a script into the site."""
    read = Reader(UnavailablePage(title="<script>alert(1)</script>", sentence='A & B "quoted" </p>').html())
    assert read.tags == TAGS
    assert read.texts["title"] == read.texts["h1"] == "<script>alert(1)</script>"
    assert read.texts["p"] == 'A & B "quoted" </p>'


@given(title=LINES, sentence=LINES)
def test_every_text_is_shown_whole_or_refused(title: str, sentence: str) -> None:
    """No text makes a page that a load balancer would refuse, cut or show as something else."""
    try:
        body = UnavailablePage(title=title, sentence=sentence).html()
    except ValueError as error:
        said = str(error)
    else:
        said = ""
        read = Reader(body)
        assert body.isascii()
        assert len(body) <= 1024
        assert read.tags == TAGS
        assert (read.texts["title"], read.texts["h1"], read.texts["p"]) == (title, title, sentence)
    assert not said or (" must be " in said and "\n" not in said)


def test_the_largest_page_is_as_large_as_a_load_balancer_takes() -> None:
    """1,024 bytes: one letter more is refused before anything is deployed."""
    room = 1024 - len(UnavailablePage(sentence="x").html())
    assert len(UnavailablePage(sentence="x" * (room + 1)).html()) == 1024
    fix = refused(lambda: UnavailablePage(sentence="x" * (room + 2)), "title and sentence", 1025, "at most 1024 bytes")
    assert "shorten" in fix


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"title": ""}, "title", "not empty"),
        ({"title": "  "}, "title", "one line of text"),
        ({"sentence": "two\nlines"}, "sentence", "one line of text"),
        ({"sentence": "a\x00b"}, "sentence", "one line of text"),
        ({"sentence": "a\ud800"}, "sentence", "one line of text"),
        ({"sentence": TOKEN}, "sentence", "not a Token"),
        ({"title": 503}, "title", "a text"),
        ({"language": "English"}, "language", "a language tag"),
        ({"language": 'en" onload="x'}, "language", "a language tag"),
    ],
)
def test_a_wrong_text_is_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """Each in one sentence."""
    refused(lambda: UnavailablePage(**changes), what, changes[what], allowed)


def test_another_text_has_another_path() -> None:
    """An edge that kept the text before it is not asked for it again; the same text keeps its path."""
    plain, other = UnavailablePage(), UnavailablePage(title="Closed")
    assert plain.path() == UnavailablePage().path()
    assert plain.path() != other.path()
    for page in (plain, other):
        start, end = page.path()[:-12], page.path()[-12:]
        assert start == "/moorings/unavailable/"
        assert set(end) <= set("0123456789abcdef")


def test_how_long_a_visitor_waits() -> None:
    """By hand: a load balancer tries a target for 10 s, and waits 60 s for one that hangs; CloudFront tries twice."""
    assert EdgeWaits().seconds_to_page(BUDGET) == {
        "no target is registered": 0,
        "a target refuses connections": 0,
        "a target is gone": 10,
        "a target hangs": 60,
        "the load balancer cannot be reached": 10,
        "the load balancer hangs": 180,
    }
    waits = EdgeWaits(connect_seconds=3, attempts=1).seconds_to_page(replace(BUDGET, idle_seconds=40))
    assert (waits["a target hangs"], waits["the load balancer cannot be reached"]) == (40, 3)
    assert waits["the load balancer hangs"] == 90


@given(idle=st.integers(2, 119), more=st.integers(1, 118))
def test_cloudfront_never_gives_up_before_the_load_balancer(idle: int, more: int) -> None:
    """Whatever the budget, the load balancer's own 504 comes first, or the budget is refused."""
    caller = idle + more
    budget = TimeoutBudget(
        upstream_seconds=1, longest_request_seconds=1, idle_seconds=idle, caller_seconds=caller, keep_alive_seconds=4001
    )
    if caller > 120:
        refused(lambda: response_seconds(budget), "caller_seconds", caller, "at most 120 behind CloudFront")
    else:
        assert idle < response_seconds(budget) == caller


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"connect_seconds": 0}, "from 1 to 10"),
        ({"connect_seconds": 11}, "from 1 to 10"),
        ({"attempts": 0}, "from 1 to 3"),
        ({"attempts": 4}, "from 1 to 3"),
        ({"attempts": 1.5}, "a whole number"),
    ],
)
def test_waits_that_cloudfront_has_not_are_refused(changes: dict[str, Any], allowed: str) -> None:
    """CloudFront would refuse them in the middle of a deployment."""
    ((what, value),) = changes.items()
    refused(lambda: EdgeWaits(**changes), what, value, allowed)


@pytest.mark.parametrize("edge", [{"connect_seconds": 1}, {"connect_seconds": 10}, {"attempts": 1}, {"attempts": 3}])
def test_the_ends_of_the_ranges_are_accepted(edge: dict[str, int]) -> None:
    """1 and 10 seconds, 1 and 3 attempts are CloudFront's own limits."""
    ((what, value),) = edge.items()
    assert getattr(EdgeWaits(**edge), what) == value


def test_a_certificate_of_another_region_is_refused() -> None:
    """CloudFront takes certificates of us-east-1, wherever the load balancer is."""
    assert edge_certificate_arn("certificate_arn", CERTIFICATE) == CERTIFICATE
    assert edge_certificate_arn("certificate_arn", TOKEN) == TOKEN
    local = CERTIFICATE.replace("us-east-1", "eu-west-1")
    refused(lambda: edge_certificate_arn("certificate_arn", local), "certificate_arn", local, "in us-east-1")
    refused(lambda: edge_certificate_arn("certificate_arn", "x"), "certificate_arn", "x", "the ARN of an ACM")


def test_a_wrong_page_fails_before_node_starts() -> None:
    """The page is a value: no CDK is needed to see that it is too long."""
    code = (
        "from constructs_lib.services.traffic.unavailable_page import UnavailablePage\nUnavailablePage(title='x' * 999)"
    )
    assert "at most 1024 bytes" in run_without_cdk(code)
