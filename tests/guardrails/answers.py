"""Answers for the tests of the reports: ordinary ones, and ones made of what should break a format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from constructs_lib.guardrails.reports.answer import Answer
from constructs_lib.guardrails.rule import Finding

FAIL = Finding(
    rule="MOOR-W2b",
    lesson="W2",
    severity="error",
    status="fail",
    file="stacks/web.yaml",
    line=12,
    logical_id="Task",
    path="Properties/ContainerDefinitions/0/LogConfiguration/Options/mode",
    message="Container 'web' waits. It froze.",
    fix="Do not wait.",
)
UNKNOWN = replace(FAIL, status="unknown", line=20, logical_id="Other", message="Nobody knows.")
WARNING = replace(FAIL, rule="MOOR-W2d", severity="warning", line=30)
NOTICE = replace(FAIL, rule="MOOR-T3d", lesson="T3", severity="notice", line=40, file="other.json")
OF_A_TEMPLATE = replace(FAIL, rule="MOOR-Q8a", lesson="Q8", logical_id="", path="Metadata/Moorings", line=1)

EVERY_KIND = Answer(
    findings=(FAIL, UNKNOWN, WARNING, OF_A_TEMPLATE, NOTICE), errors=("x.yaml is broken.",), templates=2
)

HOSTILE = (
    "two\nlines",
    "\r\n::error file=x::forged",
    "50%,a:b%0A",
    "\x1b[31mred\x00\x08\x7f\x85",
    "half \udcff of a pair \ud800",
    "日本語 😀",
    "]]>&<\"'</testcase>",
    "\ufffe\uffff\u2028\u202e",
    "{0} [text](target) `code` |",
    "",
)

texts = st.text(st.characters(categories=["L", "N", "P", "S", "Z", "C"]), max_size=20) | st.sampled_from(HOSTILE)
"""Any text, halves of surrogate pairs and control characters too."""


@st.composite
def answers(draw: Any) -> Answer:
    """Answers with any text wherever one can stand."""
    found = [
        Finding(
            rule=draw(st.sampled_from(["MOOR-W2b", "MOOR-Q8a", "MOOR-X9z"])),
            lesson="W2",
            severity=draw(st.sampled_from(["error", "warning", "notice"])),
            status=draw(st.sampled_from(["fail", "unknown"])),
            file=draw(texts.filter(lambda text: text.strip("./") and "\0" not in text)),
            line=draw(st.integers(1, 10**6)),
            logical_id=draw(texts),
            path=draw(texts),
            message=draw(texts.filter(bool)),
            fix=draw(texts),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]
    return Answer(
        findings=tuple(found),
        errors=tuple(draw(st.lists(texts.filter(bool), max_size=2))),
        templates=draw(st.integers(0, 3)),
        known=draw(st.integers(0, 2)),
    )
