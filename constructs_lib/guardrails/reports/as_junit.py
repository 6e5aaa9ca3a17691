"""JUnit's XML, which build services show as tests. Pure.

It knows no severities: only an error that is certain is a failure. What is unknown is a skipped test, and warnings and
notices are tests that pass with an output.
"""

from __future__ import annotations

import re
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from constructs_lib.guardrails.reports.answer import Answer, by_file, printable
from constructs_lib.guardrails.rule import Finding

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def render(answer: Answer) -> str:
    """A suite for each file, and one for what could be judged; some services refuse a report without any test."""
    top = Element("testsuites", name="moorings")
    for file, findings in by_file(answer.findings).items():
        suite = SubElement(top, "testsuite", name=_text(file))
        for finding in findings:
            _add(suite, finding)
        _count(suite)
    suite = SubElement(top, "testsuite", name="moorings check")
    judged = f"{answer.templates} judged"
    SubElement(suite, "testcase", classname="moorings check", name=judged)
    for number, error in enumerate(answer.errors, start=1):
        case = SubElement(suite, "testcase", classname="moorings check", name=f"not judged {number}")
        SubElement(case, "error", message=_text(error), type="unusable input").text = _text(error)
    _count(suite)
    _count(top)
    written: bytes = tostring(top, encoding="us-ascii", xml_declaration=True)
    return written.decode("ascii") + "\n"


def _add(suite: Element, finding: Finding) -> None:
    name = " ".join(filter(None, (finding.rule, finding.logical_id, finding.path)))
    case = SubElement(suite, "testcase", classname=_text(finding.file), name=_text(name))
    case.attrib |= {"file": _text(finding.file), "line": str(finding.line)}
    told = _text(f"{finding.severity}: {finding.message}\nFix: {finding.fix}\n{finding.file}:{finding.line}")
    if finding.status == "unknown":
        SubElement(case, "skipped", message=_text(finding.message)).text = told
    elif finding.severity == "error":
        SubElement(case, "failure", message=_text(finding.message), type=finding.rule).text = told
    else:
        SubElement(case, "system-out").text = told


def _count(element: Element) -> None:
    element.attrib |= {
        "tests": str(len(element.findall(".//testcase"))),
        "failures": str(len(element.findall(".//failure"))),
        "errors": str(len(element.findall(".//error"))),
        "skipped": str(len(element.findall(".//skipped"))),
    }


def _text(text: str) -> str:
    return _NO_XML.sub(lambda match: printable(match[0]), text)
