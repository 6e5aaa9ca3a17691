"""One cause pages once, and says what users notice: a component's alarms speak together (lessons W3, T5)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.alarm_spec import AlarmSpec, Felt, Metric, Threshold
from constructs_lib.observability.composites import CHILDREN_AT_MOST, RULE_AT_MOST, Composite, any_of, composites
from tests.support import refused, run_without_cdk

SPEC = AlarmSpec(
    component="web",
    what="errors",
    meaning="The application answers 5xx.",
    severity="page",
    metric=Metric(namespace="Moorings", name="Errors", dimensions={}, statistic="Sum"),
    threshold=Threshold(value=1, missing_because="no errors are no fault"),
    felt="degraded",
)

NAMES = st.lists(
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters='"\\'), min_size=1, max_size=255),
    min_size=1,
    max_size=130,
    unique=True,
).filter(lambda names: all(name.isprintable() for name in names))


def spec(component: str, what: str, felt: Felt | None) -> AlarmSpec:
    """An alarm of a component."""
    return replace(SPEC, component=component, what=what, felt=felt)


def test_what_is_felt_speaks_together_and_an_outage_for_itself() -> None:
    """Components keep their order; what nobody feels has no part; an outage is a degradation too (T5)."""
    specs = [
        spec("web", "errors", "degraded"),
        spec("images", "missing-image", None),
        spec("web", "gone", "outage"),
        spec("mailer", "few", "degraded"),
        spec("web", "full", None),
    ]
    assert list(composites(specs)) == [
        Composite(component="web", kind="degraded", faults=("errors", "gone")),
        Composite(component="web", kind="outage", faults=("gone",)),
        Composite(component="mailer", kind="degraded", faults=("few",)),
    ]


def test_only_the_first_of_the_two_pages() -> None:
    """An outage makes the other red as well, and one cause pages once (W3)."""
    degraded, outage = composites([spec("web", "gone", "outage")])
    assert (degraded.pages, outage.pages) == (True, False)
    assert degraded.meaning.startswith("Those who use web notice a fault.")
    assert outage.meaning.startswith("Those who use web can do nothing.")


def test_different_conditions_are_no_matter() -> None:
    """An alarm that waits for its condition is never red, so it may stand beside one that acts (W3)."""
    specs = [spec("web", "errors", "degraded"), replace(spec("web", "few", "degraded"), acts_if="Released")]
    (made,) = composites(specs)
    assert made.faults == ("errors", "few")


def test_more_alarms_than_a_composite_takes_are_refused() -> None:
    """CloudWatch takes a hundred children."""
    many = [spec("web", f"fault-{number}", "degraded") for number in range(CHILDREN_AT_MOST + 1)]
    refused(lambda: list(composites(many)), "felt alarms of web", 101, "1 to 100")
    assert len(next(composites(many[:-1])).faults) == 100
    refused(lambda: Composite(component="web", kind="outage", faults=()), "felt alarms of web", 0, "1 to 100")


def test_names_stand_in_quotes() -> None:
    """Ours have slashes, and a rule without quotes takes none."""
    assert any_of(["shop/staging/web/errors"]) == 'ALARM("shop/staging/web/errors")'
    assert any_of(["a", "b c"]) == 'ALARM("a") OR ALARM("b c")'


@pytest.mark.parametrize("name", ['a" OR TRUE OR ALARM("b', "a\\", "", "a\nb", "a\x00"])
def test_a_name_that_would_change_the_rule_is_refused(name: str) -> None:
    """It would make the alarm red for ever, or never."""
    refused(lambda: any_of(["fine", name]), "an alarm's name", name, "printable, without quotes")


def test_a_rule_of_nothing_or_of_one_twice_is_refused() -> None:
    """CloudWatch would refuse it at deployment."""
    refused(lambda: any_of([]), "alarms of a rule", 0, "1 to 100")
    refused(lambda: any_of(["a", "a"]), "alarms of a rule", 2, "each once")


@given(NAMES)
def test_a_rule_names_each_alarm_once_or_is_refused(names: list[str]) -> None:
    """Whatever the names: the rule gives exactly them back, and is never over CloudWatch's limits."""
    too_long = sum(len(f'ALARM("{name}") OR ') for name in names) - len(" OR ") > RULE_AT_MOST
    if too_long or len(names) > CHILDREN_AT_MOST:
        with pytest.raises(ValueError, match="must be"):
            any_of(names)
        return
    rule = any_of(names)
    assert len(rule) <= RULE_AT_MOST
    assert re.findall(r'ALARM\("([^"]*)"\)', rule) == names
    assert rule.count(" OR ALARM(") == len(names) - 1


def test_our_own_longest_names_have_room() -> None:
    """A component with as many felt alarms as a composite takes, each with the longest names, is refused in one
    sentence and not by CloudWatch; sixty have room."""
    longest = f"{'a' * 30}/{'e' * 30}/{'c' * 30}/"
    assert len(any_of([f"{longest}{'w' * 28}{number:02}" for number in range(60)])) <= RULE_AT_MOST
    with pytest.raises(ValueError, match=r"the rule of a composite alarm must be at most 10240, got '\d+ char"):
        any_of([f"{longest}{'w' * 28}{number:02}" for number in range(100)])


def test_a_notice_of_what_is_felt_is_refused() -> None:
    """What users notice pages by its component's alarm, so a notice would be told to nobody (T5)."""
    refused(lambda: replace(SPEC, severity="notice"), "severity", "notice", "'page' where felt is set")


def test_a_wrong_rule_fails_before_node_starts() -> None:
    """Rules are written without loading CDK."""
    run_without_cdk("from constructs_lib.observability.composites import any_of\nany_of([])")
