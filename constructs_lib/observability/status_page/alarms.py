"""What is watched of the status page itself (lesson T5). Standard library only."""

from __future__ import annotations

from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.observability.dead_letters import dead_letters_alarm

COMPONENT: Final = "status-page"
RUNBOOK: Final = "status-page"

_MINUTES: Final = 5
_WARM_UP_MINUTES: Final = 30
"""Until a first deployment has come so far that the function is called."""


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
                warm_up_minutes=_WARM_UP_MINUTES,
                missing_because="it is called each minute, so silence is the fault",
            ),
            runbook=RUNBOOK,
            slower_because="one lost minute mends itself in the next; the page shows its age meanwhile",
        ),
        letters_alarm(what="status-page-letters", queue_name=queue_name),
    )


def letters_alarm(*, what: str, queue_name: str) -> AlarmSpec:
    """A notice: nobody has to act at once, because the minute's reading of the alarms has put the page right."""
    lost = "events of alarms for the status page, which reads all alarms each minute and is right by now"
    return dead_letters_alarm(COMPONENT, queue=queue_name, of=lost, what=what, severity="notice")
