"""Opens pages in Debian's Chromium and says what a reader would find there. Run by ``.venv-proof``'s Python.

It reads a job as JSON from standard input and writes the findings as JSON: it judges nothing but the rules of axe.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-color-profile=srgb"),
)
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice")

FACTS = """() => {
  const shade = colour => { const c = colour.match(/[\\d.]+/g).map(Number); return (c[0] + c[1] + c[2]) / 765 };
  const style = element => getComputedStyle(element);
  return {
    title: document.title, lang: document.documentElement.lang,
    wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth,
    ground: shade(style(document.body).backgroundColor), words: shade(style(document.body).color),
    moving: document.getAnimations().length,
    small: [...document.querySelectorAll("a")].filter(a => a.getBoundingClientRect().height < 24).length,
    icons: [...document.querySelectorAll(".state svg")].map(
      svg => style(svg).stroke === style(svg.parentElement).color),
    states: [...document.querySelectorAll(".list > li")].map(li => li.innerText.replace(/\\s+/g, " ").trim()),
  }
}"""

SPACED = """() => {
  const style = document.body.style;
  style.lineHeight = 1.5; style.letterSpacing = ".12em"; style.wordSpacing = ".16em";
  document.documentElement.style.fontSize = "200%";
  return document.documentElement.scrollWidth <= document.documentElement.clientWidth;
}"""

# A glyph that a font lacks is drawn as the same box for all characters, so two different ones would look the same.
GLYPHS = """() => {
  const font = getComputedStyle(document.body).fontFamily;
  const drawn = letter => {
    const canvas = document.createElement("canvas"); canvas.width = canvas.height = 48;
    const brush = canvas.getContext("2d"); brush.font = "32px " + font; brush.fillText(letter, 4, 38);
    return canvas.toDataURL();
  };
  const letters = [..."正常不安定利用可ウェブ"];
  return { letters: letters.length, shapes: new Set(letters.map(drawn)).size, empty: drawn(" ") === drawn("正") };
}"""


def visit(browser: Browser, job: dict[str, Any], axe: str) -> dict[str, Any]:
    """One page as one reader sees it."""
    context = browser.new_context(
        viewport={"width": job["width"], "height": 800},
        java_script_enabled=job["scripts"],
        color_scheme=job.get("scheme", "light"),
        forced_colors=job.get("forced", "none"),
        reduced_motion=job.get("motion", "no-preference"),
        locale=job["language"],
    )
    try:
        return looked_at(context, job, axe)
    finally:
        context.close()


def looked_at(context: BrowserContext, job: dict[str, Any], axe: str) -> dict[str, Any]:
    """What is found on the page, with what it loaded and complained of."""
    page = context.new_page()
    page.set_default_timeout(20_000)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
    response = page.goto(job["url"])
    found: dict[str, Any] = {
        "status": None if response is None else response.status,
        "text": page.inner_text("body"),
        "outline": page.locator("body").aria_snapshot(),
        **page.evaluate(FACTS),
    }
    if job.get("keys"):
        found["keys"] = keyboard(page)
    if job.get("screenshot"):
        page.screenshot(path=job["screenshot"], full_page=job.get("full", False))
    if job["scripts"]:
        found |= page.evaluate(GLYPHS)
        page.evaluate(axe)
        found |= judged(page)
        found["spaced"] = page.evaluate(SPACED)
    if job.get("follow"):
        page.get_by_role("link", name=job["follow"]).click()
        page.wait_for_load_state()
        found["followed"] = [page.url, page.evaluate("document.documentElement.lang")]
    return found | {"asked": asked, "complaints": complaints}


def judged(page: Page) -> dict[str, Any]:
    """What axe says: what breaks a rule, and what it could not decide."""
    result = page.evaluate(f"axe.run({{runOnly: {json.dumps(RULES)}, resultTypes: ['violations', 'incomplete']}})")
    return {
        "violations": {rule["id"]: [node["html"][:200] for node in rule["nodes"]] for rule in result["violations"]},
        "undecided": sorted(rule["id"] for rule in result["incomplete"]),
        "passed": len(result["passes"]),
    }


def keyboard(page: Page) -> list[list[object]]:
    """The links in the order of the Tab key, and whether each shows that it has the focus."""
    keys: list[list[object]] = []
    for _ in range(page.locator("a").count()):
        page.keyboard.press("Tab")
        focus = "[document.activeElement.innerText, getComputedStyle(document.activeElement).outlineStyle !== 'none']"
        keys.append(page.evaluate(focus))
    return keys


def main() -> None:
    """All visits of a job, in one browser."""
    job = json.load(sys.stdin)
    axe = Path(job["axe"]).read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=job["browser"], args=list(ARGUMENTS))
        found = {name: visit(browser, each, axe) for name, each in job["visits"].items()}
        found["browser"] = {"version": browser.version}
        browser.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
