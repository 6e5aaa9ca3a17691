"""What is watched of a task's ports, as data (lesson W1). Standard library only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Final

from constructs_lib.alarm_spec import AlarmSpec, Metric, Threshold
from constructs_lib.checks import whole_number
from constructs_lib.services.ports.local_ports import LocalPorts
from constructs_lib.services.sockets.agent_config import FLUSH_SECONDS
from constructs_lib.services.sockets.socket_metrics import (
    METRIC_NAMES,
    NAMESPACE,
    PERIOD_SECONDS,
    SocketSource,
    sockets,
)

NOTICE_AT: Final = Fraction(1, 2)
"""Half of the ports: callers who all ask again double the connections."""

PAGE_AT: Final = Fraction(4, 5)

_NOTICE_MINUTES: Final = 3
_SILENT_MINUTES: Final = 10

_UNTIL_SENT_SECONDS: Final = PERIOD_SECONDS + FLUSH_SECONDS
_SILENT_AGENT: Final = "an agent that sends nothing may do so because sockets are so many"

_LOOK: Final = (
    "Look at the sockets by state in the namespace Moorings/Sockets: much TIME_WAIT is a connection for each request, "
    "much ESTABLISHED a pool without a limit, much CLOSE_WAIT connections that the application forgets to close. "
    "Compare with before the last release; going back is `moorings rollback`."
)


def socket_alarms(
    source: SocketSource, *, local_ports: LocalPorts, destinations: int = 1, tasks: int = 0, acts_if: str | None = None
) -> tuple[AlarmSpec, ...]:
    """A page at 80 % of the ports that the fullest task has, and notices at 50 % and when nobody counts.

    The count is an upper bound: the load balancer's connections to the task are in it, and each state's fullest task
    may be another one. So an alarm may come early, and never late, as long as the connections are spread over the
    destinations as evenly as was said.

    One minute is enough for the page: a closed connection holds its port for a minute, so no short burst is missed and
    the number does not jump. A task that sends nothing keeps the alarm as it is: silence is not "no ports in use", and
    an agent may fall silent just because there are so many. Silence has a notice of its own.

    Args:
        source: whose sockets; its service is the alarms' component.
        local_ports: from which ports a task opens connections.
        destinations: addresses that the connections are spread over evenly; 1 by default.
        tasks: tasks that run at any time, at least: fewer samples a minute than that are agents that send nothing. With
            0, the default, silence is no fault, because there may be no task.
        acts_if: condition under which the alarms notify; see :class:`AlarmSpec`.

    Raises:
        ValueError: a number out of its range.
    """
    whole_number("destinations", destinations, low=1, high=1000, fix="count addresses, not their names")
    whole_number("tasks", tasks, low=0, high=5000, fix="pass the fewest that ever run, such as min_tasks")
    return tuple(_alarms(source, local_ports.count, destinations, tasks, acts_if))


def _alarms(
    source: SocketSource, ports: int, destinations: int, tasks: int, acts_if: str | None
) -> Iterator[AlarmSpec]:
    spec = partial(AlarmSpec, component=source.service, acts_if=acts_if)
    room = ports * destinations
    said = f"{room} ports" if destinations == 1 else f"{room} ports to {destinations} destinations"
    used = sockets(source, "Maximum")
    yield spec(
        what="ports-nearly-used-up",
        meaning=f"A task uses 80 % of its {said} or more; without a free one it cannot connect to its database, cache "
        f"or anything else. {_LOOK}",
        severity="page",
        metric=used,
        threshold=Threshold(value=math.ceil(room * PAGE_AT), missing="ignore", missing_because=_SILENT_AGENT),
        fault_seconds=_UNTIL_SENT_SECONDS,
        slower_because="a fifth of the ports is still free, and the notice ports-half-used came before",
    )
    yield spec(
        what="ports-half-used",
        meaning=f"A task has used half of its {said} for {_NOTICE_MINUTES} minutes. {_LOOK}",
        severity="notice",
        metric=used,
        threshold=Threshold(
            value=math.ceil(room * NOTICE_AT),
            periods=_NOTICE_MINUTES,
            out_of=_NOTICE_MINUTES,
            missing="ignore",
            missing_because=_SILENT_AGENT,
        ),
        fault_seconds=_UNTIL_SENT_SECONDS,
    )
    if tasks:
        yield spec(
            what="sockets-unseen",
            meaning=f"For {_SILENT_MINUTES} minutes fewer than {tasks} tasks have told of their sockets, so ports may "
            "run out unseen. Look at the log and the last stop of the container cloudwatch-agent, its memory first.",
            severity="notice",
            metric=Metric(
                namespace=NAMESPACE, name=METRIC_NAMES[0], dimensions=source.dimensions, statistic="SampleCount"
            ),
            threshold=Threshold(
                value=tasks,
                comparison="LessThanThreshold",
                periods=_SILENT_MINUTES,
                out_of=_SILENT_MINUTES,
                missing="breaching",
                missing_because="silence is the fault: nobody counts the sockets",
                # Twice: in a first release the first tasks must start before their agents send anything.
                warm_up_minutes=2 * _SILENT_MINUTES,
            ),
            fault_seconds=_UNTIL_SENT_SECONDS,
        )
