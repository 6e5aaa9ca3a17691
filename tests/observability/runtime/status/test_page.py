"""The page as HTML and the feed as JSON: what is in them, and what never is."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from constructs_lib.observability.runtime.status.changes import (
    Announce,
    Change,
    Checked,
    Configured,
    Override,
    Post,
    Resolve,
    initial,
)
from constructs_lib.observability.runtime.status.icons import favicon
from constructs_lib.observability.runtime.status.page import render
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.style import page_csp, style_sheet
from constructs_lib.observability.runtime.status.values import LANGUAGES, Language, Text

from .pages import COMPONENTS, NOON, TITLES, WORDS, after, alarm, at, page, post

HTML = {"en": "index.html", "ja": "ja/index.html"}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> \"' & </p></article> "
    "\u202e\u2066dlrow\u200b \x1b[31mred\x00 javascript:alert(1) **bold** `code` @everyone &lt;b&gt;"
)


class Page(HTMLParser):
    """A page, read: its elements with attributes, and its text."""

    VOID = frozenset({"meta", "link", "path", "circle", "img", "br"})
    INLINE = frozenset({"a", "bdi", "time"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} has an attribute twice"
        self.found.append((tag, dict(attrs)))
        self.words += [] if tag in self.INLINE else [" "]
        if tag not in self.VOID and not self.source_ends_itself():
            self.open.append(tag)

    def source_ends_itself(self) -> bool:
        """Whether the element is written as ``<a/>``."""
        return (self.get_starttag_text() or "").endswith("/>")

    def handle_endtag(self, tag: str) -> None:
        self.words += [] if tag in self.INLINE else [" "]
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.found if name == tag]

    @property
    def text(self) -> str:
        """What is read, with single spaces."""
        return " ".join("".join(self.words).split())


def read(state: PageState, language: Language = "en", minutes: float = 60) -> Page:
    """A page as of some minutes after noon, with alarms just read."""
    state = after(state, Checked(), now=minutes)
    return Page(render(state, at(minutes))[HTML[language]].decode())


def feed(state: PageState, minutes: float = 60) -> dict[str, object]:
    """The feed as of some minutes after noon."""
    body: dict[str, object] = json.loads(render(state, at(minutes))["status.json"])
    return body


WELL = tuple(alarm(0, "OK", component=name) for name in ("web", "api", "mail"))
STATES: tuple[tuple[str, tuple[Change, ...], str, str], ...] = (
    ("operational", WELL, "Everything is operational", "すべて正常に稼働しています"),
    ("degraded", (alarm(1),), "Some of the service is degraded", "一部のサービスが不安定になっています"),
    ("outage", (alarm(1, felt="outage"),), "There is an outage", "ご利用いただけないサービスがあります"),
    (
        "maintenance",
        (Announce(at=NOON, entry="up", components=("web",), starts=at(1), ends=at(99), text=WORDS),),
        "Maintenance is under way",
        "メンテナンスを実施しています",
    ),
)


@pytest.mark.parametrize(("state", "changes", "english", "japanese"), STATES, ids=[row[0] for row in STATES])
def test_each_state_is_said_in_words_and_shape(
    state: str, changes: tuple[Change, ...], english: str, japanese: str
) -> None:
    """Heading, tab and component say it in the page's language; its shape is drawn beside each word."""
    made = after(page(), *changes, now=1)
    word = {"operational": "正常", "degraded": "不安定", "outage": "利用不可", "maintenance": "メンテナンス中"}[state]
    for language, headline, of_component, name in (
        ("en", english, state.capitalize(), "Web shop"),
        ("ja", japanese, word, "ウェブショップ"),
    ):
        shown = read(made, language)  # type: ignore[arg-type]
        page_name = {"en": "Shop status", "ja": "ショップの稼働状況"}[language]
        assert shown.text.startswith(f"{of_component} - {page_name} ")
        assert headline in shown.text
        assert f"{name} {of_component}" in shown.text
        assert len(shown.all("h1")) == 1
        assert all(svg["aria-hidden"] == "true" for svg in shown.all("svg"))
        words = [attributes["class"] for attributes in shown.all("span") if "state" in str(attributes.get("class"))]
        assert len(shown.all("svg")) == len(words) + 1
        assert f"state {state}" in words
    assert feed(made)["state"] == state


def test_the_four_shapes_differ() -> None:
    """Who sees no colours tells the states apart."""
    shapes = set()
    for _, changes, _, _ in STATES:
        source = read(after(page(), *changes, now=1)).source
        shapes.add(source[source.index("<h1>") :].split("<svg", 1)[1].split("</svg>")[0])
    assert len(shapes) == 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_its_landmarks_and_languages(language: Language) -> None:
    """One header, navigation, main and footer; the language is named, and so is that of each link to the other."""
    shown = read(after(page(), alarm(1)), language)
    for landmark in ("header", "nav", "main", "footer", "h1", "title"):
        assert len(shown.all(landmark)) == 1, landmark
    assert shown.all("html") == [{"lang": language}]
    ids = [attributes["id"] for _, attributes in shown.found if "id" in attributes]
    assert len(set(ids)) == len(ids)
    for attributes in (*shown.all("section"), *shown.all("article")):
        assert attributes["aria-labelledby"] in ids
    up = "../" if language == "ja" else ""
    assert [(a["href"], a["lang"], a.get("aria-current")) for a in shown.all("a") if "hreflang" in a] == [
        (f"{up}index.html", "en", "page" if language == "en" else None),
        (f"{up}ja/index.html", "ja", "page" if language == "ja" else None),
    ]
    links = [(link.get("rel"), link.get("hreflang"), link.get("type"), link["href"]) for link in shown.all("link")]
    assert links[1:] == [
        ("alternate", "en", None, f"{up}index.html"),
        ("alternate", "ja", None, f"{up}ja/index.html"),
        ("alternate", None, "application/json", f"{up}status.json"),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_runs_nothing_and_loads_nothing(language: Language) -> None:
    """No script, no handler, no form, no timed reload, no address but its own; and it says so to the browser."""
    shown = read(after(page(), alarm(1), post(2)), language)
    tags = {tag for tag, _ in shown.found}
    assert tags.isdisjoint({"script", "iframe", "form", "input", "img", "object", "embed", "base", "button"})
    for tag, attributes in shown.found:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")], tag
    equivalents = {meta["http-equiv"]: meta["content"] for meta in shown.all("meta") if "http-equiv" in meta}
    assert equivalents == {"Content-Security-Policy": page_csp(style_sheet())}
    assert f"<style>{style_sheet()}</style>" in shown.source
    for attributes in (*shown.all("a"), *shown.all("link")):
        assert ":" not in str(attributes["href"]) or str(attributes["href"]).startswith("data:image/svg+xml,")


def test_the_page_says_of_when_it_is() -> None:
    """In words and for programs, with a link that loads it anew."""
    shown = read(page())
    assert "As of 22 Nov 2026, 13:00 UTC. Reload" in shown.text
    assert shown.all("time")[0] == {"datetime": "2026-11-22T13:00:00Z"}
    assert "2026年11月22日 22:00 JST現在（13:00 UTC） 再読み込み" in read(page(), "ja").text  # noqa: RUF001
    assert [a["href"] for a in shown.all("a") if a.get("class") == "reload"] == ["index.html"]
    assert [a["href"] for a in read(page(), "ja").all("a") if a.get("class") == "reload"] == ["../ja/index.html"]


def test_late_reports_are_said_with_their_last_time() -> None:
    """After five minutes without, both languages and the feed say since when; before the first, that there is none."""
    state = after(page(), Checked(), now=0)
    pages = {minutes: render(state, at(minutes)) for minutes in (5, 6)}
    assert b"late" not in pages[5]["index.html"].split(b"<main>")[1].split(b"</main>")[0]
    english, japanese = (Page(pages[6][key].decode()).text for key in ("index.html", "ja/index.html"))
    assert "Automatic reports are late: the last one came at 22 Nov 2026, 12:00 UTC." in english
    assert "自動監視からの報告が遅れています。最後の報告は2026年11月22日 21:00 JSTです。" in japanese
    assert feed(state, 5)["reports"] == {"late": False, "last": "2026-11-22T12:00:00Z"}
    assert feed(state, 6)["reports"] == {"late": True, "last": "2026-11-22T12:00:00Z"}
    assert english.startswith("Not known - ")
    for text in (english, japanese):
        assert "Everything is operational" not in text
        assert "すべて正常" not in text
    assert "It is not known whether everything is operational" in english
    assert "現在の状況を確認できていません" in japanese
    assert (
        "There is an outage" in Page(render(after(state, alarm(1, felt="outage")), at(99))["index.html"].decode()).text
    )
    never = Page(render(page(), NOON)["index.html"].decode()).text
    assert "Automatic reports have not begun yet." in never
    assert feed(page())["reports"] == {"late": True, "last": None}


def test_a_component_that_no_alarm_has_told_of_is_not_green() -> None:
    """Its service is not deployed yet, or it has another name than its alarms: row, heading, tab and feed say so."""
    state = after(page(), *WELL[:2], Checked(), now=0)
    english, japanese = (Page(render(state, NOON)[key].decode()) for key in ("index.html", "ja/index.html"))
    assert "Order e-mails Not known" in english.text
    assert "注文メール 不明" in japanese.text
    for shown in (english, japanese):
        words = [attributes["class"] for attributes in shown.all("span") if "state" in str(attributes.get("class"))]
        assert words == ["state operational", "state operational", "state"]
        (tab,) = [link["href"] for link in shown.all("link") if link.get("rel") == "icon"]
        assert tab == favicon(None) != favicon("operational")
    assert "It is not known whether everything is operational" in english.text
    assert "Automatic reports" not in english.text.split("Components")[0], "the others are not late"
    told = feed(state, 0)
    assert (told["known"], told["state"]) == (False, "operational")
    known = after(state, WELL[2], now=0)
    assert "Everything is operational" in read(known, minutes=0).text
    assert feed(known, 0)["known"] is True
    assert feed(known, 6)["known"] is False
    person = after(state, Override(at=NOON, component="mail", state="operational"), now=0)
    assert "Everything is operational" in read(person, minutes=0).text


def test_all_is_not_simply_well_while_an_incident_is_open() -> None:
    """Somebody wrote of trouble and did not say what the components are: the heading knows of it."""
    state = after(page(), *WELL, post(2), now=2)
    for language, headline, well in (
        ("en", "All components are operational, and an incident is still open", "Everything is operational"),
        ("ja", "各サービスは正常に稼働していますが、対応中の障害情報があります", "すべて正常に稼働しています"),
    ):
        text = read(state, language).text  # type: ignore[arg-type]
        assert headline in text
        assert well not in text
    assert "Everything is operational" in read(after(state, Resolve(at=at(3), entry="checkout"), now=3)).text


def test_an_incident_is_told_with_the_newest_line_first() -> None:
    """Who says it, when, and in which words; then how long it was."""
    state = after(page(), alarm(1), post(2, "web-20261122t120100z"), alarm(3, "OK"))
    text = read(state).text
    assert (
        "What is going on Incident: Web shop Ongoing Degraded Since 22 Nov 2026, 12:01 UTC "
        "22 Nov 2026, 12:03 UTC · Automatic report Our monitoring sees Web shop operational again. "
        "22 Nov 2026, 12:02 UTC · Our staff We see errors at checkout. "
        "22 Nov 2026, 12:01 UTC · Automatic report Our monitoring sees Web shop degraded: it may be slow, or fail"
    ) in text
    over = read(after(state, Resolve(at=at(46), entry="web-20261122t120100z"))).text
    assert "22 Nov 2026, 12:01 UTC to 12:46 UTC (45 minutes)" in over
    assert "This is over." in over
    assert "What is going on" not in over


def test_what_a_person_set_is_marked_as_set_by_a_person() -> None:
    """Readers can tell it from what alarms say."""
    state = after(page(), alarm(1), Override(at=at(2), component="web", state="operational"))
    assert "Web shop Operational Set by our staff at 22 Nov 2026, 12:02 UTC." in read(state).text
    assert "2026年11月22日 21:02 JSTに担当者が設定" in read(state, "ja").text
    claim = Post(at=at(3), entry="checkout", text=WORDS, components=("api",), state="outage")
    assert "Our staff set this to outage." in read(after(state, claim)).text


def test_what_monitoring_sees_during_a_maintenance_is_said() -> None:
    """The announced word is not a cover for an outage."""
    window = Announce(at=NOON, entry="up", components=("web",), starts=at(1), ends=at(99), text=WORDS)
    state = after(page(), window, alarm(2, felt="outage"), now=2)
    assert "Our monitoring sees an outage of it during this maintenance." in read(state).text
    assert "自動監視で障害を検知しています" in read(state, "ja").text
    assert "during this maintenance" not in read(after(state, alarm(3, "OK", "outage"))).text
    assert "during this maintenance" not in read(state, "en", 100).text


def test_entries_stand_in_the_order_that_matters() -> None:
    """Going on: the worst first. Planned: the soonest first. Past: the newest first."""
    state = page()
    for start, name, length in ((500, "late", 9), (300, "soon", 400)):
        end = at(start + length)
        window = Announce(at=NOON, entry=name, components=("mail",), starts=at(start), ends=end, text=WORDS)
        state = after(state, window, now=0)
    state = after(state, alarm(1), alarm(2, "OK"), alarm(30), alarm(40, felt="outage", component="api"))
    state = after(state, Post(at=at(41), entry="note", text=WORDS, components=("mail",)))
    ids = [str(article["aria-labelledby"]) for article in read(state).all("article")]
    assert ids == [
        "api-20261122t124000z",
        "web-20261122t123000z",
        "note",
        "soon",
        "late",
        "web-20261122t120100z",
    ]


def test_a_maintenance_says_its_times_and_phase() -> None:
    """Planned, under way, completed, called off; and its time as it was announced."""
    window = Announce(at=NOON, entry="up", components=("web", "api"), starts=at(10), ends=at(130), text=WORDS)
    state = after(page(), window, now=0)
    for minutes, phase, japanese in ((5, "Planned", "予定"), (60, "Under way", "実施中"), (200, "Completed", "終了")):
        times = "22 Nov 2026, 12:10 UTC to 14:10 UTC (2 hours)"
        assert f"Maintenance: Web shop, API {phase} {times}" in read(state, "en", minutes).text
        assert f"メンテナンス：ウェブショップ、API {japanese}" in read(state, "ja", minutes).text  # noqa: RUF001
    off = after(state, Resolve(at=at(5), entry="up"), now=5)
    assert f"Called off {times}" in read(off, "en", 60).text


def test_words_in_the_other_language_are_marked_as_such() -> None:
    """A reader aloud needs to know; with both there, each page has its own."""
    both = read(after(page(), post(1)), "ja")
    assert WORDS.ja in both.text
    assert WORDS.en not in both.text
    assert [p for p in both.all("p") if "lang" in p] == []
    english_only = after(page(), post(1, text=Text(en="Only in English.")))
    assert [p for p in read(english_only, "ja").all("p") if "lang" in p] == [
        {"class": "said", "dir": "auto", "lang": "en"}
    ]
    japanese_only = after(page(), post(1, text=Text(ja="日本語のみ。")))
    assert [p for p in read(japanese_only).all("p") if "lang" in p] == [{"class": "said", "dir": "auto", "lang": "ja"}]


@pytest.mark.parametrize("language", LANGUAGES)
def test_hostile_text_is_text(language: Language) -> None:
    """Markup is read and not obeyed, marks that turn or hide text are gone, and every piece stands by itself."""
    hostile = Text(en=HOSTILE[:80], ja=HOSTILE[:80])
    state = after(initial(hostile), Configured(titles=hostile, components=(("web", hostile), *COMPONENTS[1:])))
    said = Text(en=HOSTILE, ja=HOSTILE)
    state = after(state, post(1, text=said), Resolve(at=at(2), entry="checkout", text=said), alarm(3))
    shown = read(state, language)
    assert {tag for tag, _ in shown.found}.isdisjoint({"script", "img", "b"})
    assert "<script>alert(1)</script><img src=x onerror=alert(1)>" in shown.text
    assert "&lt;b&gt;" in shown.text
    assert not {"\u202e", "\u2066", "\u200b", "\x1b", "\x00"} & set(shown.source)
    assert shown.all("bdi")
    assert [p["dir"] for p in shown.all("p") if p.get("class") == "said"] == ["auto", "auto"]
    raw = render(state, at(60))["status.json"].decode()
    assert not {"\u202e", "\u2066", "\u200b", "\x1b", "\x00"} & set(raw)


def test_line_breaks_stay_and_do_not_pile_up() -> None:
    """A person's paragraphs are kept; a thousand empty lines are one."""
    state = after(page(), post(1, text=Text(en="First." + "\n" * 300 + "\u2028" * 9 + "Second.\nThird.\n\n")))
    assert '<p class="said" dir="auto">First.\n\nSecond.\nThird.</p>' in read(state).source


def test_what_a_component_was_called_is_not_lost_with_it() -> None:
    """The history of one that is removed names it by its name."""
    state = after(page(), alarm(1), Configured(titles=TITLES, components=COMPONENTS[1:]))
    assert "Incident: web" in read(state).text


def test_the_feed_is_as_documented() -> None:
    """Every field, by hand; a program that reads the page reads this."""
    state = after(page(), alarm(1), post(2, "web-20261122t120100z"), Checked(), now=3)
    window = Announce(at=at(3), entry="up", components=("api",), starts=at(10), ends=at(20), text=Text(en="Work."))
    state = after(state, window, Override(at=at(4), component="mail", state="degraded"), now=4)
    assert feed(state, 5) == {
        "version": 1,
        "revision": 6,
        "as_of": "2026-11-22T12:05:00Z",
        "title": {"en": "Shop status", "ja": "ショップの稼働状況"},
        "state": "degraded",
        "known": True,
        "reports": {"late": False, "last": "2026-11-22T12:03:00Z"},
        "components": [
            {
                "name": "web",
                "title": {"en": "Web shop", "ja": "ウェブショップ"},
                "state": "degraded",
                "known": True,
                "by": "alarms",
                "since": "2026-11-22T12:01:00Z",
                "alarms": "degraded",
            },
            {
                "name": "api",
                "title": {"en": "API", "ja": "API"},
                "state": "operational",
                "known": False,
                "by": "alarms",
                "since": None,
                "alarms": "operational",
            },
            {
                "name": "mail",
                "title": {"en": "Order e-mails", "ja": "注文メール"},
                "state": "degraded",
                "known": True,
                "by": "person",
                "since": "2026-11-22T12:04:00Z",
                "alarms": "operational",
            },
        ],
        "incidents": [
            {
                "id": "web-20261122t120100z",
                "phase": "open",
                "components": ["web"],
                "opened": "2026-11-22T12:01:00Z",
                "resolved": None,
                "updates": [
                    {
                        "at": "2026-11-22T12:02:00Z",
                        "by": "person",
                        "line": "note",
                        "component": None,
                        "text": {"en": WORDS.en, "ja": WORDS.ja},
                    },
                    {
                        "at": "2026-11-22T12:01:00Z",
                        "by": "machine",
                        "line": "degraded",
                        "component": "web",
                        "text": None,
                    },
                ],
            }
        ],
        "maintenances": [
            {
                "id": "up",
                "phase": "planned",
                "components": ["api"],
                "opened": "2026-11-22T12:03:00Z",
                "resolved": None,
                "starts": "2026-11-22T12:10:00Z",
                "ends": "2026-11-22T12:20:00Z",
                "updates": [
                    {
                        "at": "2026-11-22T12:03:00Z",
                        "by": "person",
                        "line": "note",
                        "component": None,
                        "text": {"en": "Work.", "ja": ""},
                    }
                ],
            }
        ],
    }


def test_an_empty_page_is_a_page() -> None:
    """Before anything is known it says just that."""
    shown = Page(render(initial(TITLES), NOON)["index.html"].decode())
    assert "No components are shown here yet." in shown.text
    assert "Nothing was reported in this time." in shown.text


def test_the_same_state_and_time_give_the_same_bytes() -> None:
    """Two writers at once write the same page."""
    state = after(page(), alarm(1), post(2))
    assert render(state, at(3)) == render(state, at(3))
    assert b'<meta name="revision" content="3">' in render(state, at(3))["index.html"]
