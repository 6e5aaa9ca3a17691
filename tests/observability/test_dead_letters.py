"""What could not be delivered is told, and stays told until somebody has looked (lessons W3, W5)."""

from __future__ import annotations

from constructs_lib.naming import alarm_name
from constructs_lib.observability.dead_letters import dead_letters_alarm
from tests.support import TOKEN, refused, run_without_cdk


def test_one_letter_is_enough_and_silence_changes_nothing() -> None:
    """A queue with a message in it is red, and a period without data leaves it so (W5)."""
    alarm = dead_letters_alarm("evidence", queue="lost", of="messages to whoever is on call")
    assert (alarm.metric.namespace, alarm.metric.name) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert (dict(alarm.metric.dimensions), alarm.metric.statistic) == ({"QueueName": "lost"}, "Maximum")
    threshold = alarm.threshold
    assert (threshold.value, threshold.comparison) == (1, "GreaterThanOrEqualToThreshold")
    assert (threshold.periods, threshold.out_of, threshold.missing) == (1, 1, "ignore")
    assert (alarm.severity, alarm.felt, alarm.acts_if) == ("page", None, None)
    assert alarm.meaning.startswith("Not delivered: messages to whoever is on call. The queue that this")


def test_queues_of_one_component_have_alarms_of_their_own() -> None:
    """They share the runbook, and each has its name."""
    one = dead_letters_alarm("evidence", queue="a", of="events")
    other = dead_letters_alarm("evidence", queue="b", of="pages", what="lost-pages", severity="notice")
    names = {alarm_name("shop", "staging", alarm.component, alarm.what) for alarm in (one, other)}
    assert names == {"shop/staging/evidence/dead-letters", "shop/staging/evidence/lost-pages"}
    assert {alarm.runbook for alarm in (one, other)} == {"dead-letters"}
    assert other.severity == "notice"


def test_the_queues_name_may_be_known_later() -> None:
    """SQS makes it up, so it is a Token."""
    assert dead_letters_alarm("evidence", queue=TOKEN, of="events").metric.dimensions == {"QueueName": TOKEN}


def test_a_wrong_name_is_refused_without_cdk() -> None:
    """The fault names an alarm, and follows the rule for names."""
    refused(lambda: dead_letters_alarm("evidence", queue="a", of="b", what="Lost!"), "what", "Lost!", "lower-case")
    run_without_cdk(
        "from constructs_lib.observability.dead_letters import dead_letters_alarm\n"
        "dead_letters_alarm('evidence', queue='a', of='b', what='Lost!')"
    )
