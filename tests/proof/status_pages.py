"""The pages that the browser opens: every state, late reports, hostile and long text; and one as they often are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from constructs_lib.observability.runtime.status.changes import (
    AlarmChanged,
    Announce,
    Change,
    Checked,
    Configured,
    Override,
    Post,
    Resolve,
    apply,
    initial,
)
from constructs_lib.observability.runtime.status.page import render
from constructs_lib.observability.runtime.status.state import PageState
from constructs_lib.observability.runtime.status.values import AlarmValue, Felt, Text

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TITLES = Text(en="Shop status", ja="ショップの稼働状況")
COMPONENTS = (
    ("web", Text(en="Web shop", ja="ウェブショップ")),
    ("api", Text(en="Partner API", ja="パートナー API")),
    ("mail", Text(en="Order e-mails", ja="注文メール")),
    ("search", Text(en="Search", ja="商品検索")),
)
SORRY = Text(
    en="We see errors at checkout. No order is lost; please try again later.\nNext word at 12:30 UTC.",
    ja="決済画面でエラーが発生しています。ご注文内容は失われていません。\n次のお知らせは21:30（日本時間）の予定です。",  # noqa: RUF001
)
WORK = Text(en="We upgrade the mail queue.", ja="メール配信システムを更新しています。")
HOSTILE = (
    "<script>document.title='taken'</script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a> "
    "</p></article></main><h1>All is well</h1> \u202eesrever\u202c \u200b\x1b[31m @everyone **b** &amp; "
    'onclick="x" מִלָּה Z' + "\u0300" * 40
)
LONG = "x" * 400 + " " + "とても長い説明文です" * 40


def before(minutes: float) -> datetime:
    """So many minutes before the time of the pages."""
    return NOW - timedelta(minutes=minutes)


def alarm(component: str, minutes: float, felt: Felt = "degraded", value: AlarmValue = "ALARM") -> tuple[Change, float]:
    """What CloudWatch says of one alarm, and how long ago."""
    return AlarmChanged(component=component, felt=felt, value=value, timestamp=before(minutes)), minutes


def maintenance(component: str, entry: str, starts: float, hours: float) -> tuple[Change, float]:
    """A maintenance, announced three hours ago, that starts so many minutes ago."""
    start = before(starts)
    ends = start + timedelta(hours=hours)
    return Announce(at=before(180), entry=entry, components=(component,), starts=start, ends=ends, text=WORK), 180


def made(
    *changes: tuple[Change, float],
    titles: Text = TITLES,
    components: tuple[tuple[str, Text], ...] = COMPONENTS,
    checked: float | None = 0,
) -> PageState:
    """A page after changes, each so many minutes ago; before that all was well, where alarms were ever read."""
    long_ago = before(90 * 24 * 60)
    state = apply(initial(titles), Configured(titles=titles, components=components), long_ago)
    for name, _ in components if checked is not None else ():
        state = apply(state, AlarmChanged(component=name, felt="degraded", value="OK", timestamp=long_ago), long_ago)
    for change, minutes in changes:
        state = apply(state, change, before(minutes))
    return state if checked is None else apply(state, Checked(), before(checked))


def states() -> Mapping[str, PageState]:
    """The pages by their names."""
    flap = (alarm("search", 3000), alarm("search", 2985, value="OK"))
    outage = (alarm("web", 12), alarm("web", 10, "outage"))
    said = Post(at=before(6), entry="web-20261122t114800z", text=SORRY), 6.0
    override = Override(at=before(4), component="search", state="operational"), 4.0
    mixed = (*flap, maintenance("mail", "queue", 30, 2), *outage, said, alarm("api", 3), override)
    hostile = Text(en=HOSTILE[:80], ja=HOSTILE[:80])
    attack = Post(
        at=before(5), entry="attack", text=Text(en=HOSTILE, ja=HOSTILE), components=("web",), state="degraded"
    )
    long = Text(en=LONG[:1000], ja=LONG[:1000])
    tale = Post(at=before(5), entry="a" * 80, text=long, components=("web", "api"), state="outage")
    return {
        "operational": made(*flap),
        "degraded": made(alarm("api", 3)),
        "outage": made(*outage, said),
        "maintenance": made(maintenance("mail", "queue", 30, 2), maintenance("web", "database", -4000, 4)),
        "mixed": made(*mixed, maintenance("web", "database", -4000, 4)),
        "late": made(*outage, checked=17),
        "never": made(checked=None),
        "hostile": made(
            (attack, 5),
            (Resolve(at=before(4), entry="attack", text=Text(en=HOSTILE)), 4),
            titles=hostile,
            components=(("web", hostile), *COMPONENTS[1:]),
        ),
        "long": made(
            (tale, 5), titles=Text(en="w" * 80), components=tuple((name, Text(en="w" * 80)) for name, _ in COMPONENTS)
        ),
    }


def files() -> Mapping[str, bytes]:
    """What is served: each page's files in a folder of its name, and the page as they often are."""
    found = {f"{name}/{key}": body for name, state in states().items() for key, body in render(state, NOW).items()}
    return {**found, "before/index.html": BEFORE.encode()}


BEFORE = """<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="refresh" content="30">
<title>Status</title><style>body{width:640px;color:#aaa;background:#fff}.list{list-style:none}
.list span{display:inline-block;width:16px;height:16px}</style></head>
<body><div style="font-size:2em">Status</div><ul class="list"><li>Web shop <span style="background:#e74c3c"></span></li>
<li>Search <span style="background:#2ecc71"></span></li></ul><div id="incidents"></div>
<script>document.getElementById("incidents").textContent = "Web shop: outage since 11:50"</script></body></html>"""
"""A status page of the usual kind: colour says the state, a script writes the incidents, a timer loads it anew."""
