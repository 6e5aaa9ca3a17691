"""What is watched of the status page itself (lesson T5). Standard library only."""

from __future__ import annotations

from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold

COMPONENT: Final = "status-page"
RUNBOOK: Final = "status-page"

_MINUTES: Final = 5


def page_alarms(*, function_name: str, queue_name: str) -> tuple[AlarmSpec, ...]:
    """What to watch where the page stands: its function fails, or is not called any more, or has left events behind.

    All are notices: visitors read a page that is not quite new, and alarms wake people by themselves.
    """
    of_function = {"FunctionName": function_name}
    return (
        AlarmSpec(
            component=COMPONENT,
            what="status-page-failing",
            meaning="The status page's function fails: it cannot write the page, or cannot read the alarms of the "
            "services' region. The page says since when. Its log says why.",
            severity="notice",
            metric=Metric(namespace="AWS/Lambda", name="Errors", dimensions=of_function, statistic="Sum"),
            threshold=Threshold(
                value=1,
                periods=_MINUTES,
                out_of=_MINUTES,
                missing_because="a function that is not called has no errors; status-page-silent tells of that",
            ),
            runbook=RUNBOOK,
            slower_because="one lost minute mends itself in the next; the page shows its age meanwhile",
        ),
        AlarmSpec(
            component=COMPONENT,
            what="status-page-silent",
            meaning="The status page's function is not called any more, so the page does not change by itself. "
            "A person can still write to it with `moorings status-page`.",
            severity="notice",
            metric=Metric(namespace="AWS/Lambda", name="Invocations", dimensions=of_function, statistic="Sum"),
            threshold=Threshold(
                value=1,
                comparison="LessThanThreshold",
                periods=_MINUTES,
                out_of=_MINUTES,
                missing="breaching",
                missing_because="it is called each minute, so silence is the fault",
            ),
            runbook=RUNBOOK,
            slower_because="one lost minute mends itself in the next; the page shows its age meanwhile",
        ),
        letters_alarm(what="status-page-letters", queue_name=queue_name),
    )


def letters_alarm(*, what: str, queue_name: str) -> AlarmSpec:
    """An event of an alarm reached nobody; the minute's reading has put the page right meanwhile."""
    return AlarmSpec(
        component=COMPONENT,
        what=what,
        meaning="Events of alarms did not reach the status page; they are in the dead-letter queue. The page is put "
        "right within a minute by reading the alarms, but was slower than it should be.",
        severity="notice",
        metric=Metric(
            namespace="AWS/SQS",
            name="ApproximateNumberOfMessagesVisible",
            dimensions={"QueueName": queue_name},
            statistic="Maximum",
            period_seconds=300,
        ),
        threshold=Threshold(value=1, missing_because="a queue that nobody uses has no data after six hours"),
        runbook=RUNBOOK,
        slower_because="nobody has to act at once: the page was put right by reading the alarms",
    )
