"""The log lines of a scan."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from constructs_lib.images.runtime.model import Pin, Plan, Use
from constructs_lib.images.runtime.pinning import PinResult
from constructs_lib.images.runtime.report import MOST_CHARACTERS, MOST_USES, Outcome, Report, lines
from tests.images.runtime.guard_world import NOON, repository_id, slot, used

ID = repository_id()
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
WEB_TASK = Use(owner="web", source="task", name="arn:task/1", starts=True)
WORKER_TASK = Use(owner="worker", source="task", name="arn:task/2", starts=True)


def told(outcome: Outcome | None = None, *, gaps: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The lines, read back."""
    report = Report(began=NOON, outcomes=(outcome,) if outcome else (), gaps=gaps)
    return [
        json.loads(line)
        for line in lines(report, application="shop", environment="staging", at=NOON + timedelta(minutes=1))
    ]


def test_the_last_line_is_an_embedded_metric() -> None:
    """CloudWatch makes metrics of it: every name that it announces is a number at the top, each dimension a text."""
    plan = Plan(
        in_use={A: (WEB_TASK,), B: (WEB_TASK,), C: (WEB_TASK,)},
        missing=(used("gone"), used("gone", name="other"), used("lost")),
        inactive=(C,),
    )
    *_, line = told(Outcome(repository=ID, plan=plan, pinned=frozenset({A, C, "sha256:old", "sha256:older"})))
    assert line == {
        "_aws": {
            "Timestamp": 1793534460000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "Moorings",
                    "Dimensions": [["Application", "Environment"]],
                    "Metrics": [
                        {"Name": "ImagesInUse", "Unit": "Count"},
                        {"Name": "PinnedImages", "Unit": "Count"},
                        {"Name": "ImagesAtRisk", "Unit": "Count"},
                        {"Name": "ImagesMissing", "Unit": "Count"},
                        {"Name": "ScanIncomplete", "Unit": "Count"},
                    ],
                }
            ],
        },
        "Application": "shop",
        "Environment": "staging",
        "ImagesInUse": 3,
        "PinnedImages": 4,
        "ImagesAtRisk": 1,
        "ImagesMissing": 3,
        "ScanIncomplete": 0,
    }


def test_a_gap_anywhere_makes_the_scan_incomplete() -> None:
    """Each gap has its line."""
    first, second, metrics = told(Outcome(repository=ID, gaps=("web is closed",)), gaps=("no clusters",))
    assert {first["what"], second["what"]} == {"web is closed", "no clusters"}
    assert metrics["ScanIncomplete"] == 1


def test_a_pin_is_told_with_its_reasons() -> None:
    """A reader of the log sees who made the guard put it."""
    plan = Plan(in_use={A: (WEB_TASK, WORKER_TASK)})
    result = PinResult(pin=Pin(tag=slot(0), digest=A), status="ACTIVE")
    line, _ = told(Outcome(repository=ID, plan=plan, results=(result,), pinned=frozenset({A})))
    assert line == {
        "message": "pin put",
        "tag": slot(0),
        "digest": A,
        "uses": [{"owner": "web", "source": "task", "name": "arn:task/1"}],
        "more": 0,
        "repository": "shop/staging/web",
    }


def test_a_move_is_told_with_the_image_that_lost_the_pin() -> None:
    """A slot that no owner needs is told with all uses of the image that it is kept on."""
    plan = Plan(in_use={A: (WEB_TASK, WORKER_TASK)})
    result = PinResult(pin=Pin(tag=slot(0, "gone"), digest=A, former=B), status="ACTIVE")
    line, _ = told(Outcome(repository=ID, plan=plan, results=(result,), pinned=frozenset({A})))
    assert (line["message"], line["former"]) == ("pin moved", B)
    assert [use["owner"] for use in line["uses"]] == ["web", "worker"]


def test_a_pin_that_failed_is_told_and_its_image_is_at_risk() -> None:
    """It is in use, could be pulled, and nothing keeps it."""
    plan = Plan(in_use={A: (WEB_TASK,)})
    result = PinResult(pin=Pin(tag=slot(0), digest=A), error="LimitExceededException: no")
    failed, risk, metrics = told(Outcome(repository=ID, plan=plan, results=(result,)))
    assert (failed["message"], failed["error"]) == ("pin failed", "LimitExceededException: no")
    assert (risk["message"], risk["digest"]) == ("image in use has no pin", A)
    assert "fix" not in risk
    assert metrics["ImagesAtRisk"] == 1


def test_an_image_that_cannot_be_pinned_is_told_with_the_fix() -> None:
    """The setting is named, and the values that are allowed."""
    plan = Plan(in_use={A: (WEB_TASK,)}, unpinnable=(A,))
    risk, metrics = told(Outcome(repository=ID, plan=plan))
    assert "IMMUTABLE_WITH_EXCLUSION" in risk["fix"]
    assert "pin-*" in risk["fix"]
    assert metrics["ImagesAtRisk"] == 1


def test_an_image_with_any_pin_is_not_at_risk() -> None:
    """A release's pin keeps it as well as the guard's."""
    plan = Plan(in_use={A: (WEB_TASK,)})
    result = PinResult(pin=Pin(tag=slot(0), digest=A), error="no")
    _, metrics = told(Outcome(repository=ID, plan=plan, results=(result,), pinned=frozenset({A})))
    assert metrics["ImagesAtRisk"] == 0


def test_a_missing_image_is_told_once_with_all_that_refers_to_it() -> None:
    """A thousand tasks of one image are one missing image."""
    plan = Plan(missing=(used("gone", name="a"), used("gone", name="b")))
    line, metrics = told(Outcome(repository=ID, plan=plan))
    assert (line["message"], line["image"]) == ("image in use is missing", "shop/staging/web:gone")
    assert [use["name"] for use in line["uses"]] == ["a", "b"]
    assert metrics["ImagesMissing"] == 1


def test_an_image_that_is_not_active_is_told_and_counts_as_missing() -> None:
    """As listed, or as read back after its pin was put; but once."""
    plan = Plan(in_use={A: (WEB_TASK,), B: (WORKER_TASK,)}, inactive=(B,), restores=(B,))
    results = tuple(PinResult(pin=Pin(tag=slot(n), digest=A), status="ARCHIVED") for n in range(2))
    outcome = Outcome(
        repository=ID, plan=plan, results=results, restores={B: None, A: "AccessDenied"}, pinned=frozenset({A})
    )
    *_, metrics = printed = told(outcome)
    assert [line["digest"] for line in printed if line.get("message") == "image in use is not ACTIVE"] == [B, A]
    assert (metrics["ImagesMissing"], metrics["ImagesAtRisk"]) == (2, 0)
    assert [line["digest"] for line in printed if line.get("message") == "restore begun"] == [B]
    assert [line["error"] for line in printed if line.get("message") == "restore failed"] == ["AccessDenied"]


def test_former_images_that_have_gone_share_a_line() -> None:
    """They are no alarm, and there may be many of them in every scan."""
    gone = tuple(used(f"v{number}", starts=False) for number in range(MOST_USES + 5))
    line, metrics = told(Outcome(repository=ID, plan=Plan(forgotten=gone)))
    assert len(line["images"]) == MOST_USES
    assert line["more"] == 5
    assert metrics["ImagesMissing"] == 0


def test_no_line_grows_without_end() -> None:
    """A service of a thousand tasks has a few of them named and the rest counted, and long texts are cut."""
    many = tuple(Use(owner="web", source="task", name="n" * 9999, starts=True) for _ in range(1000))
    result = PinResult(pin=Pin(tag=slot(0), digest=A), error="e" * 9999)
    plan = Plan(in_use={A: many}, missing=tuple(used("gone") for _ in range(1000)))
    outcome = Outcome(repository=ID, plan=plan, results=(result,), gaps=("g" * 9999,))
    report = Report(began=NOON, outcomes=(outcome,))
    printed = list(lines(report, application="shop", environment="staging", at=NOON))
    assert json.loads(printed[0])["more"] == 1000 - MOST_USES
    assert max(len(line) for line in printed) < 2 * MOST_CHARACTERS * MOST_USES
    assert all("\n" not in line for line in printed)
