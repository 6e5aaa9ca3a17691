"""The status page in Debian's Chromium: every state, both languages, phone and desktop, with and without scripts.

The pages are what ``render`` makes, served on this machine with the header that CloudFront sends. See README.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.observability.runtime.status.style import CSP

from .status_pages import files, states

pytestmark = pytest.mark.proof

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-proof" / "bin" / "python"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = "MOORINGS_SCREENSHOTS"
"""The environment variable with a folder for screenshots, such as docs/status-page; without it none is made."""

KEYS = {"en": "index.html", "ja": "ja/index.html"}
WIDTHS = {"phone": 320, "desktop": 1280}
NAMES = tuple(states())
KEPT = {
    "mixed/en/desktop/on": "mixed-en",
    "mixed/ja/phone/on": "mixed-ja-phone",
    "operational/ja/desktop/on": "operational-ja",
    "late/en/phone/on": "late-en-phone",
    "mixed/en/dark": "mixed-en-dark",
    "mixed/en/forced": "mixed-en-forced-colours",
}
"""Screenshots that are kept, by visit."""

Found = dict[str, Any]


def missing() -> str | None:
    """Why the browser cannot run here, in one sentence, or None."""
    if shutil.which("chromium") is None:
        return "chromium is missing: scripts/install_proof_tools.sh installs it on Debian"
    if subprocess.run([str(PYTHON), "-c", "import playwright"], capture_output=True, check=False).returncode:
        return "Playwright is missing in .venv-proof: `make proof` installs it"
    if not AXE.exists():
        return "axe-core is missing in node_modules: `make setup` installs it"
    fonts = subprocess.run(["fc-list", ":lang=ja"], capture_output=True, text=True, check=False).stdout  # noqa: S607
    return None if fonts.strip() else "no Japanese font: scripts/install_proof_tools.sh installs one on Debian"


class Handler(BaseHTTPRequestHandler):
    """Serves the pages with CloudFront's header; the page as they often are comes without."""

    pages = files()

    def do_GET(self) -> None:
        """One page, or 404."""
        body = self.pages.get(self.path.lstrip("/"))
        self.send_response(404 if body is None else 200)
        kind = "application/json" if self.path.endswith(".json") else "text/html"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("X-Content-Type-Options", "nosniff")
        if not self.path.startswith("/before/"):
            self.send_header("Content-Security-Policy", CSP)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the pages are served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


def visits(address: str) -> dict[str, Found]:
    """Every state in every way, the schemes of one of them, and the page as they often are."""
    jobs: dict[str, Found] = {}
    for name in NAMES:
        for language, key in KEYS.items():
            for device, width in WIDTHS.items():
                for scripts in (True, False):
                    place = f"{name}/{language}/{device}/{'on' if scripts else 'off'}"
                    url = f"{address}/{name}/{key}"
                    jobs[place] = {"url": url, "width": width, "scripts": scripts, "language": language}
    page = {"url": f"{address}/mixed/index.html", "width": 800, "scripts": True, "language": "en"}
    jobs["mixed/en/dark"] = {**page, "scheme": "dark"}
    jobs["mixed/en/forced"] = {**page, "forced": "active", "motion": "reduce"}
    jobs["mixed/en/keys"] = {**page, "scripts": False, "keys": True, "follow": "日本語"}
    jobs["mixed/en/feed"] = {**page, "scripts": False, "follow": "The same as JSON"}
    usual = {**page, "url": f"{address}/before/index.html", "width": 320}
    jobs |= {"before/on": usual, "before/off": {**usual, "scripts": False}}
    folder = os.environ.get(SCREENSHOTS)
    for place, name in KEPT.items() if folder else ():
        jobs[place]["screenshot"] = str((ROOT / str(folder) / f"{name}.png").resolve())
    return jobs


@pytest.fixture(scope="module")
def found(address: str) -> dict[str, Found]:
    """What the browser found, of each visit; skips with the reason where there is none."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    job = {"axe": str(AXE), "browser": str(shutil.which("chromium")), "visits": visits(address)}
    done = subprocess.run(
        [str(PYTHON), str(ROOT / "tests" / "proof" / "status_browser.py")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Found] = json.loads(done.stdout)
    print(f"\nChromium {answer.pop('browser')['version']}, {len(answer)} visits")
    return answer


def places(*, scripts: str = "*") -> list[str]:
    """The visits of the matrix."""
    return [
        f"{name}/{language}/{device}/{way}"
        for name in NAMES
        for language in KEYS
        for device in WIDTHS
        for way in ("on", "off")
        if scripts in ("*", way)
    ]


def test_axe_finds_nothing_wrong_in_any_state(found: dict[str, Found]) -> None:
    """WCAG 2.0 to 2.2, A and AA, and axe's own good practice: no violation, and nothing that axe could not decide."""
    assert {place: found[place]["violations"] for place in places(scripts="on") if found[place]["violations"]} == {}
    assert {place: found[place]["undecided"] for place in places(scripts="on") if found[place]["undecided"]} == {}
    assert all(found[place]["passed"] >= 25 for place in places(scripts="on")), "axe hardly ran"
    for scheme in ("dark", "forced"):
        assert found[f"mixed/en/{scheme}"]["violations"] == {}


def test_the_page_is_the_same_without_scripts(found: dict[str, Found]) -> None:
    """Every word and the whole outline that a screen reader has."""
    for place in places(scripts="on"):
        without = found[place.removesuffix("on") + "off"]
        for what in ("status", "title", "lang", "text", "outline", "wide", "states"):
            assert found[place][what] == without[what], (place, what)
        assert found[place]["status"] == 200


def test_no_page_is_wider_than_its_screen(found: dict[str, Found]) -> None:
    """At 320 pixels, with the longest words, and with letters twice as large and spaced as WCAG 1.4.12 says."""
    assert {place: found[place]["wide"] for place in places() if found[place]["wide"] > found[place]["room"]} == {}
    assert [place for place in places(scripts="on") if not found[place]["spaced"]] == []


def test_a_page_loads_nothing_and_complains_of_nothing(found: dict[str, Found], address: str) -> None:
    """One request, no message in the console, no dialog: its Content-Security-Policy fits it, hostile text or not."""
    for place in places():
        name, language, *_ = place.split("/")
        assert found[place]["asked"] == [f"{address}/{name}/{KEYS[language]}"], place
        assert found[place]["complaints"] == [], place
        assert found[place]["moving"] == 0, place


@pytest.mark.parametrize(
    ("language", "rows"),
    [
        (
            "en",
            [
                "Web shop Outage Since 22 Nov 2026, 11:50 UTC.",
                "Partner API Degraded Since 22 Nov 2026, 11:57 UTC.",
                "Order e-mails Maintenance Since 22 Nov 2026, 11:30 UTC.",
                "Search Operational Set by our staff at 22 Nov 2026, 11:56 UTC.",
            ],
        ),
        (
            "ja",
            [
                "ウェブショップ 利用不可 2026年11月22日 20:50 JSTから",
                "パートナー API 不安定 2026年11月22日 20:57 JSTから",
                "注文メール メンテナンス中 2026年11月22日 20:30 JSTから",
                "商品検索 正常 2026年11月22日 20:56 JSTに担当者が設定",
            ],
        ),
    ],
)
def test_every_state_is_read_in_words(found: dict[str, Found], language: str, rows: list[str]) -> None:
    """All four at once, as a reader finds them, with the language of the page and the worst first in its title."""
    page = found[f"mixed/{language}/phone/off"]
    assert page["states"] == rows
    assert page["lang"] == language
    assert page["title"] == {"en": "Outage - Shop status", "ja": "利用不可 - ショップの稼働状況"}[language]


def test_a_screen_reader_finds_its_way(found: dict[str, Found]) -> None:
    """Landmarks, headings in order and lists, from Chromium's own accessibility tree."""
    outline = found["mixed/en/phone/off"]["outline"]
    for part in (
        "- banner:",
        '- navigation "Languages":',
        "- main:",
        "- contentinfo:",
        '- heading "There is an outage" [level=1]',
        '- region "Components":',
        '- heading "Components" [level=2]',
        "'article \"Incident: Web shop\"'",
    ):
        assert part in outline, part
    assert outline.count("[level=1]") == 1
    assert "img" not in outline, "shapes are not read aloud beside the words"


def test_late_reports_are_seen_first(found: dict[str, Found]) -> None:
    """The banner stands between the time of the page and the components."""
    text = found["late/en/phone/off"]["text"]
    banner = text.index("Automatic reports are late: the last one came at 22 Nov 2026, 11:43 UTC.")
    assert text.index("As of 22 Nov 2026, 12:00 UTC") < banner < text.index("Components")
    assert "自動監視からの報告が遅れています" in found["late/ja/phone/off"]["text"]
    assert "Automatic reports have not begun yet." in found["never/en/phone/off"]["text"]
    assert found["never/en/phone/off"]["states"][0] == "Web shop Not known"
    assert found["never/ja/phone/off"]["states"][0] == "ウェブショップ 不明"
    assert "Automatic reports are late" not in found["outage/en/phone/off"]["text"]


def test_hostile_text_is_only_text(found: dict[str, Found]) -> None:
    """It is read as it was written; it makes no element, runs nothing and does not turn what follows round."""
    page = found["hostile/en/phone/on"]
    assert "<script>document.title='taken'</script><img src=x onerror=alert(1)>" in page["text"]
    assert page["title"].startswith("Operational - <script>document.title=")
    assert page["outline"].count("[level=1]") == 1
    assert not {"\u202e", "\u200b", "\x1b"} & set(page["text"])


def test_japanese_is_drawn_and_not_boxes(found: dict[str, Found]) -> None:
    """Eleven characters have eleven shapes; without a Japanese font all would be the same box."""
    for place in places(scripts="on"):
        assert found[place]["shapes"] == found[place]["letters"] == 11, place
        assert not found[place]["empty"]


def test_dark_and_forced_colours_are_the_readers(found: dict[str, Found]) -> None:
    """Dark where the device asks for it; with forced colours every shape has the colour of the words beside it."""
    light, dark, forced = (found[place] for place in ("mixed/en/desktop/on", "mixed/en/dark", "mixed/en/forced"))
    assert light["words"] < 0.2 < 0.9 < light["ground"]
    assert dark["ground"] < 0.2 < 0.9 < dark["words"]
    assert light["text"] == dark["text"] == forced["text"]
    for page in (light, dark, forced):
        assert len(page["icons"]) >= 4
        assert all(page["icons"])


def test_everything_is_reached_by_keyboard(found: dict[str, Found], address: str) -> None:
    """Four links in the order of the page, each seen in focus and none too small; the other language works."""
    page = found["mixed/en/keys"]
    assert page["keys"] == [["English", True], ["日本語", True], ["Reload", True], ["The same as JSON", True]]
    assert page["followed"] == [f"{address}/mixed/ja/index.html", "ja"]
    assert found["mixed/en/feed"]["followed"][0] == f"{address}/mixed/status.json"
    assert {place: found[place]["small"] for place in places() if found[place]["small"]} == {}


def test_t5_before_the_usual_page_fails_each_of_these(found: dict[str, Found]) -> None:
    """Colour alone, a timed reload, no language, a script that writes the incident, a fixed width: all are found."""
    on, off = found["before/on"], found["before/off"]
    assert {"meta-refresh", "html-has-lang", "color-contrast", "landmark-one-main"} <= set(on["violations"])
    assert on["states"] == off["states"] == ["Web shop", "Search"]
    assert "outage since 11:50" in on["text"]
    assert "outage" not in off["text"]
    assert on["wide"] > on["room"]
