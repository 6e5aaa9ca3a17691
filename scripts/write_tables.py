"""Writes the tables that follow from data into the documents: ``python -m scripts.write_tables``."""

from __future__ import annotations

import re
from pathlib import Path

from constructs_lib.guardrails.described import described
from constructs_lib.guardrails.explanation import index, page
from constructs_lib.incidents import table as lessons
from constructs_lib.network.policy import (
    ENDPOINTS_OF,
    HOURS_PER_MONTH,
    INTERFACE_ENDPOINT_USD_PER_HOUR,
    NAT_GATEWAY_USD_PER_HOUR,
)
from constructs_lib.observability.detection.table import markdown, timings
from scripts.alarms import every_alarm, missing_data

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "docs" / "rules"
RUNBOOKS = ROOT / "docs" / "runbooks"
DETECTION = ROOT / "docs" / "lessons" / "W3-seen-before-customers.md"


def prices() -> str:
    """What each feature's endpoints, and a NAT gateway, cost a month."""
    rows = ["| feature | interface endpoints | USD a month in each zone |", "|---|---|---|"]
    for feature, endpoints in ENDPOINTS_OF.items():
        price = len(endpoints) * INTERFACE_ENDPOINT_USD_PER_HOUR * HOURS_PER_MONTH
        rows.append(f"| `{feature}` | {', '.join(endpoints)} | {price:.2f} |")
    rows.append(f"| (a NAT gateway, with its address) | | {NAT_GATEWAY_USD_PER_HOUR * HOURS_PER_MONTH:.2f} |")
    return "\n".join(rows) + "\n"


def rules() -> dict[Path, str]:
    """A page for each rule, and the table of them."""
    told = described()
    return {RULES / "README.md": index(told)} | {RULES / f"{rule.id}.md": page(rule) for rule in told}


def runbooks() -> str:
    """Every runbook, by its title."""
    rows = ["| runbook | when |", "|---|---|"]
    for path in sorted(RUNBOOKS.glob("*.md")):
        if path.stem != "README":
            when = path.read_text().splitlines()[0].removeprefix(f"# {path.stem}: ")
            rows.append(f"| [{path.stem}]({path.name}) | {when} |")
    return "\n".join(rows) + "\n"


def documents() -> dict[Path, str]:
    """Each document that holds such a table, or is made as a whole, as it should be."""
    return {
        **rules(),
        ROOT / "README.md": _filled(ROOT / "README.md", "lessons", lessons()),
        DETECTION: _detection(),
        RUNBOOKS / "README.md": _filled(RUNBOOKS / "README.md", "runbooks", runbooks()),
        ROOT / "docs" / "network.md": _filled(ROOT / "docs" / "network.md", "prices", prices()),
    }


def _detection() -> str:
    text = DETECTION.read_text()
    for name, table in (
        ("timings", timings()),
        ("detection", markdown(every_alarm())),
        ("missing", missing_data()),
    ):
        text = _replaced(text, DETECTION, name, table)
    return text


def _filled(path: Path, name: str, table: str) -> str:
    return _replaced(path.read_text(), path, name, table)


def _replaced(text: str, path: Path, name: str, table: str) -> str:
    pattern = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    text, count = pattern.subn(lambda match: f"{match[1]}{table}{match[2]}", text)
    if count != 1:
        raise ValueError(f"{path} must hold one table called {name}, got {count}; put its two comment lines back")
    return text


if __name__ == "__main__":
    RULES.mkdir(exist_ok=True)
    for left_over in set(RULES.iterdir()) - rules().keys():
        left_over.unlink()
    for document, text in documents().items():
        document.write_text(text)
