"""An alarm that tells of silence is not red only because it is new (lessons W3, Q2, Q5, T2, W1)."""

from __future__ import annotations

import pytest

from constructs_lib.alarm_spec import AlarmSpec
from constructs_lib.delivery.alarms import GapThreshold, gap_alarms
from constructs_lib.images.alarms import guard_alarms
from constructs_lib.observability.status_page.alarms import page_alarms
from constructs_lib.services.configuration.alarms import copy_alarm
from constructs_lib.services.ports.local_ports import WIDE
from constructs_lib.services.scaling.capacity import Capacity
from constructs_lib.services.sockets.alarms import socket_alarms
from constructs_lib.services.sockets.comparison_alarms import SocketChange, comparison_alarms
from constructs_lib.services.sockets.socket_metrics import SocketSource
from constructs_lib.services.worker_alarms import worker_alarms

PLACE = {"application": "shop", "environment": "staging"}
ALL: tuple[AlarmSpec, ...] = (
    *guard_alarms(**PLACE, interval_minutes=15),
    *gap_alarms(**PLACE, upstream="staging", services=["web"], threshold=GapThreshold()),
    copy_alarm(component="web", **PLACE, profile="web", notice_after_minutes=60),
    *comparison_alarms(**PLACE, rollbacks={"web": "moorings rollback"}, change=SocketChange()),
    *socket_alarms(SocketSource(**PLACE, service="web"), local_ports=WIDE, tasks=2),
    *page_alarms(function_name="page", queue_name="letters"),
    *worker_alarms("mailer", cluster="c", service="s", capacity=Capacity(), acts_if=None),
)
SILENCE = {alarm.what: alarm for alarm in ALL if alarm.threshold.missing == "breaching"}


def test_these_tell_of_silence() -> None:
    """Each with the minutes for which it judges nothing: at least those of the silence that it tells of."""
    assert {what: alarm.threshold.warm_up_minutes for what, alarm in SILENCE.items()} == {
        "guard-silent": 60,
        "gap-unknown": 360,
        "configuration-copy": 15,
        "sockets-not-compared": 60,
        "sockets-unseen": 20,
        "status-page-silent": 30,
        "too-few-running-tasks": 7,
        "no-running-tasks": 7,
    }


@pytest.mark.parametrize("alarm", SILENCE.values(), ids=SILENCE)
def test_silence_is_judged_when_there_has_been_time_for_it(alarm: AlarmSpec) -> None:
    """Before it has existed for as long as it asks for, nobody can say that something was silent."""
    asked = alarm.threshold.out_of * alarm.metric.period_seconds
    assert 60 * alarm.threshold.warm_up_minutes >= asked


@pytest.mark.parametrize("alarm", [one for one in ALL if one.what not in SILENCE], ids=lambda one: one.what)
def test_what_does_not_tell_of_silence_judges_at_once(alarm: AlarmSpec) -> None:
    """Errors in the first minute are errors."""
    assert alarm.threshold.warm_up_minutes == 0
