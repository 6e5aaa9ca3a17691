"""Each alarm ends with a link to its runbook, and its description is never too long for CloudWatch (lesson W3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.alarm_spec import AlarmSpec, Metric, Severity, Threshold
from constructs_lib.observability.runbooks import Runbooks, description, runbook_of
from tests.support import TOKEN, refused

BASE = "https://github.com/your-organisation/your-infrastructure/blob/main/docs/runbooks/"
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,29}(-[a-z0-9]{1,29})?", fullmatch=True)


def spec(*, what: str = "nat-ports-1", runbook: str | None = None, severity: Severity = "page") -> AlarmSpec:
    """An alarm with the longest meaning that there is."""
    return AlarmSpec(
        component="web",
        what=what,
        meaning="m" * 700,
        severity=severity,
        metric=Metric(namespace="N", name="M", dimensions={}, statistic="Sum"),
        threshold=Threshold(value=1, missing_because="no request, no error"),
        runbook=runbook,
    )


def test_an_alarm_opens_the_runbook_of_its_fault_or_the_one_that_it_names() -> None:
    """Two gateways share one runbook."""
    assert runbook_of(spec()) == "nat-ports-1"
    assert runbook_of(spec(runbook="nat-ports")) == "nat-ports"


def test_the_address_is_the_base_and_the_name() -> None:
    """With a base a link, without one the file in the repository."""
    assert Runbooks(base=BASE).address("nat-ports") == BASE + "nat-ports.md"
    assert Runbooks(base=BASE).place("nat-ports") == BASE + "nat-ports.md"
    assert Runbooks().address("nat-ports") is None
    assert Runbooks().place("nat-ports") == "docs/runbooks/nat-ports.md"


def test_a_description_says_severity_meaning_and_runbook() -> None:
    """The runbook stands last, where a phone's preview or a mail ends."""
    text = description(spec(runbook="nat-ports"), Runbooks(base=BASE))
    assert text == f"[page] {'m' * 700} Runbook: {BASE}nat-ports.md"
    assert description(spec(), Runbooks()).endswith("m Runbook: docs/runbooks/nat-ports-1.md")


@given(what=NAMES, runbook=st.none() | NAMES, severity=st.sampled_from(["page", "notice"]), length=st.integers(11, 200))
def test_no_description_is_too_long(what: str, runbook: str | None, severity: Severity, length: int) -> None:
    """With the longest meaning and base it is 1,024 characters at most, and the link is whole."""
    base = "https://a.b/" + "c" * (length - 13) + "/" * (length > 12)
    runbooks = Runbooks(base=base if length > 13 else "https://a.b/")
    text = description(spec(what=what, runbook=runbook, severity=severity), runbooks)
    assert len(text) <= 1024
    assert text.endswith(f" Runbook: {runbooks.base}{runbook or what}.md")


def test_the_longest_of_all_fits() -> None:
    """A notice with the longest meaning, base and name: reckoned by hand, 9 + 700 + 10 + 200 + 60 + 3."""
    base = "https://a.b/" + "c" * 187 + "/"
    text = description(spec(runbook="a" * 60, severity="notice"), Runbooks(base=base))
    assert len(text) == 982


@pytest.mark.parametrize(
    "base",
    [
        "",
        "http://example.com/runbooks/",
        "https://example.com/runbooks",
        "https://example.com/run books/",
        "https://example.com/?page=",
        "https://example.com/#/",
        "https:///runbooks/",
        "javascript:alert(1)/",
        "https://example.com/\n/",
        "https://example.com/é/",
        "https://user@example.com/",
        "https://a.b/" + "c" * 188 + "/",
        TOKEN,
    ],
)
def test_a_base_that_is_no_address_is_refused(base: str) -> None:
    """Https, with a slash at the end, not too long, and known before deployment."""
    assert "docs/runbooks/" in refused(lambda: Runbooks(base=base), "runbooks", base, "")


def test_a_runbook_that_is_no_name_is_refused() -> None:
    """Its name becomes a part of an address."""
    refused(lambda: Runbooks(base=BASE).address("../../etc"), "runbook", "../../etc", "lower-case")
    refused(lambda: spec(runbook="Nat ports"), "runbook", "Nat ports", "lower-case")
