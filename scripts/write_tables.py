"""Writes the tables that follow from data into the documents: ``python -m scripts.write_tables``."""

from __future__ import annotations

import re
from pathlib import Path

from constructs_lib.incidents import table as lessons
from constructs_lib.network.policy import (
    ENDPOINTS_OF,
    HOURS_PER_MONTH,
    INTERFACE_ENDPOINT_USD_PER_HOUR,
    NAT_GATEWAY_USD_PER_HOUR,
)

ROOT = Path(__file__).resolve().parent.parent


def prices() -> str:
    """What each feature's endpoints, and a NAT gateway, cost a month."""
    rows = ["| feature | interface endpoints | USD a month in each zone |", "|---|---|---|"]
    for feature, endpoints in ENDPOINTS_OF.items():
        price = len(endpoints) * INTERFACE_ENDPOINT_USD_PER_HOUR * HOURS_PER_MONTH
        rows.append(f"| `{feature}` | {', '.join(endpoints)} | {price:.2f} |")
    rows.append(f"| (a NAT gateway, with its address) | | {NAT_GATEWAY_USD_PER_HOUR * HOURS_PER_MONTH:.2f} |")
    return "\n".join(rows) + "\n"


def documents() -> dict[Path, str]:
    """Each document that holds such a table, as it should be."""
    return {
        ROOT / "README.md": _filled(ROOT / "README.md", "lessons", lessons()),
        ROOT / "docs" / "network.md": _filled(ROOT / "docs" / "network.md", "prices", prices()),
    }


def _filled(path: Path, name: str, table: str) -> str:
    pattern = re.compile(rf"(<!-- {name}: [^>]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    text, count = pattern.subn(lambda match: f"{match[1]}{table}{match[2]}", path.read_text())
    if count != 1:
        raise ValueError(f"{path} must hold one table called {name}, got {count}; put its two comment lines back")
    return text


if __name__ == "__main__":
    for document, text in documents().items():
        document.write_text(text)
