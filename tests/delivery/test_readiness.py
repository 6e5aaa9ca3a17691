"""Each check before a release: what it lets through, what it stops, and what it says to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from constructs_lib.delivery import readiness
from constructs_lib.delivery.ledger import Entry, State
from constructs_lib.delivery.readiness import Image, ImageStatus, Scan
from constructs_lib.delivery.settings import DeliverySettings, Severity, Upstream

NOW = datetime(2026, 4, 1, 10, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
TAG = "staging-20260101T000000Z-0123456789ab"
UPSTREAM = Upstream(environment="staging", account="1" * 12, region="r", repository="shop/staging/web")
SETTINGS = DeliverySettings(
    application="shop",
    environment="production",
    service="web",
    account="1" * 12,
    region="eu-west-1",
    stack="shop--production--services",
    role="role",
    cluster="c",
    ecs_service="s",
    target_group="t",
    repository="shop/production/web",
    platform="linux/arm64",
    upstream=UPSTREAM,
)
IMAGE = Image(digest=DIGEST, status="ACTIVE", tags=(TAG,), platforms=("linux/arm64",))


def entry(number: int, state: State, digest: str = DIGEST, commit: str = "", lease: datetime = NOW) -> Entry:
    """An entry that began an hour ago."""
    return Entry(
        number=number,
        action="release",
        state=state,
        digest=digest,
        previous="none",
        who="somebody",
        began=NOW - timedelta(hours=1),
        lease=lease,
        commit=commit,
    )


@pytest.mark.parametrize(
    ("status", "taken_over", "result", "fix"),
    [
        ("UPDATE_COMPLETE", False, "OK", ""),
        ("UPDATE_ROLLBACK_COMPLETE", False, "OK", ""),
        ("UPDATE_IN_PROGRESS", False, "NG", "wait"),
        ("UPDATE_IN_PROGRESS", True, "OK", ""),
        ("UPDATE_ROLLBACK_FAILED", False, "NG", "continue-update-rollback"),
        ("UPDATE_ROLLBACK_FAILED", True, "NG", "continue-update-rollback"),
        ("", False, "NG", "cdk deploy"),
    ],
)
def test_stack(status: str, taken_over: bool, result: str, fix: str) -> None:
    """A stack that moves is waited for only when it moves because of a release that broke off."""
    check = readiness.stack_check(SETTINGS, status, taken_over=taken_over)
    assert check.result == result
    assert fix in check.fix
    assert bool(fix) == bool(check.fix)


def test_other_release() -> None:
    """Somebody at work stops it, and is named; what broke off or ended does not."""
    ended, later = entry(1, "successful"), NOW + timedelta(minutes=2)
    alive = readiness.other_release_check([ended, entry(2, "waiting", lease=later)], NOW)
    assert alive.result == "NG"
    assert "release 2 by somebody is under way, waiting" in alive.seen
    assert "10:02:00" in alive.fix
    assert readiness.other_release_check([ended, entry(2, "waiting", lease=NOW)], NOW).result == "OK"
    broken = readiness.other_release_check([ended, entry(2, "waiting", lease=NOW)], NOW)
    assert "broken off" in broken.seen
    assert readiness.other_release_check([ended], NOW).seen == "none under way"


def test_freeze_and_parameter() -> None:
    """A freeze stops, and says why; so does a parameter that was never made. Gone or different is a note."""
    assert readiness.freeze_check(SETTINGS, None).result == "OK"
    frozen = readiness.freeze_check(SETTINGS, "frozen by me: a sale")
    assert frozen.result == "NG"
    assert frozen.seen == "frozen by me: a sale"
    assert "`moorings thaw shop/production`" in frozen.fix
    assert readiness.parameter_check("/p", None, "none").result == "NG"
    assert readiness.parameter_check("/p", None, DIGEST).result == "OK"
    assert readiness.parameter_check("/p", DIGEST, DIGEST).seen == "/p is sha256:aaaaaaaaaaaa"
    differs = readiness.parameter_check("/p", DIGEST, OTHER)
    assert differs.result == "OK"
    assert "names sha256:bbbbbbbbbbbb" in differs.seen


@pytest.mark.parametrize(
    ("status", "fix"), [("missing", "promote"), ("ARCHIVED", "restore"), ("ACTIVATING", "20 minutes")]
)
def test_image_that_cannot_be_pulled(status: ImageStatus, fix: str) -> None:
    """An image that ECR still lists and nobody can pull is none (lesson Q2)."""
    check = readiness.image_check(SETTINGS, replace(IMAGE, status=status))
    assert check.result == "NG"
    assert fix in check.fix
    assert readiness.platform_check(SETTINGS, replace(IMAGE, status=status)).result == "SKIP"


def test_image_that_can_be_pulled() -> None:
    """It is named by digest and build tag."""
    check = readiness.image_check(SETTINGS, IMAGE)
    assert check.result == "OK"
    assert TAG in check.seen
    assert "sha256:aaaaaaaaaaaa" in check.seen


@pytest.mark.parametrize(
    ("platforms", "unreadable", "result"),
    [
        (("linux/arm64",), "", "OK"),
        (("linux/amd64", "linux/arm64"), "", "OK"),
        (("linux/amd64",), "", "NG"),
        ((), "", "NG"),
        ((), "HTTP 403", "NG"),
        (("linux/arm64",), "HTTP 403", "NG"),
    ],
)
def test_platform(platforms: tuple[str, ...], unreadable: str, result: str) -> None:
    """One that fits is enough; what cannot be read is no pass."""
    check = readiness.platform_check(SETTINGS, replace(IMAGE, platforms=platforms, unreadable=unreadable))
    assert check.result == result


@pytest.mark.parametrize(
    ("threshold", "scan", "result", "seen"),
    [
        ("", None, "SKIP", "no threshold"),
        ("high", None, "SKIP", "cannot be read"),
        ("high", Scan(status="COMPLETE", counts={}), "OK", "0 critical, 0 high"),
        ("high", Scan(status="COMPLETE", counts={"MEDIUM": 7, "LOW": 1}), "OK", "7 medium, 1 low"),
        ("high", Scan(status="COMPLETE", counts={"HIGH": 1}), "NG", "1 high"),
        ("high", Scan(status="ACTIVE", counts={"CRITICAL": 2}), "NG", "2 critical"),
        ("critical", Scan(status="COMPLETE", counts={"HIGH": 1}), "OK", "1 high"),
        ("low", Scan(status="COMPLETE", counts={"LOW": 1}), "NG", "1 low"),
        ("low", Scan(status="COMPLETE", counts={"INFORMATIONAL": 3}), "OK", "0 low"),
        ("low", Scan(status="UNSUPPORTED_IMAGE", counts={}), "NG", "cannot be scanned"),
        ("low", Scan(status="none", counts={}), "NG", "cannot be scanned"),
        ("low", Scan(status="FAILED", counts={}), "NG", "cannot be scanned"),
        ("low", Scan(status="IN_PROGRESS", counts={}), "NG", "IN_PROGRESS"),
    ],
)
def test_scan(threshold: Severity, scan: Scan | None, result: str, seen: str) -> None:
    """Findings from the threshold up stop; that an image cannot be scanned is said so, and is no pass."""
    check = readiness.scan_check(replace(SETTINGS, scan_threshold=threshold), replace(IMAGE, scan=scan))
    assert check.result == result
    assert seen in check.seen


def test_upstream_by_digest() -> None:
    """Only a successful entry of this very digest counts, and it is named (lesson Q7)."""
    ran = readiness.upstream_check(SETTINGS, IMAGE, [entry(3, "successful"), entry(4, "failed", OTHER)])
    assert ran.check.result == "OK"
    assert ran.origin == "shop/staging/web release 3"
    for entries in ([], [entry(1, "failed")], [entry(1, "waiting")], [entry(1, "successful", OTHER)]):
        refused = readiness.upstream_check(SETTINGS, IMAGE, entries)
        assert refused.check.result == "NG"
        assert refused.origin == ""
        assert "release it in shop/staging/web" in refused.check.fix


def test_a_restart_there_is_no_release() -> None:
    """That somebody restarted an image does not say that it ever passed."""
    restarted = replace(entry(1, "successful"), action="restart")
    assert readiness.upstream_check(SETTINGS, IMAGE, [restarted]).check.result == "NG"


def test_upstream_by_commit() -> None:
    """Another build of the same commit counts when the settings say so; without a build tag nobody knows the commit."""
    settings = replace(SETTINGS, upstream=replace(UPSTREAM, check="commit"))
    entries = [entry(5, "successful", OTHER, commit="0123456789ab")]
    assert readiness.upstream_check(settings, IMAGE, entries).check.result == "OK"
    assert readiness.upstream_check(settings, IMAGE, [replace(entries[0], commit="ffffffffffff")]).check.result == "NG"
    untagged = readiness.upstream_check(settings, replace(IMAGE, tags=()), [replace(entries[0], commit="")])
    assert untagged.check.result == "NG"
    assert "no build tag" in untagged.check.seen
    # With the check "digest" the same entry proves nothing.
    assert readiness.upstream_check(SETTINGS, IMAGE, entries).check.result == "NG"


def test_upstream_that_is_none_or_cannot_be_read() -> None:
    """Without an environment before there is nothing to ask; one that cannot be read is no pass."""
    assert readiness.upstream_check(replace(SETTINGS, upstream=None), IMAGE, None).check.result == "SKIP"
    unread = readiness.upstream_check(SETTINGS, IMAGE, None, "AccessDenied")
    assert unread.check.result == "NG"
    assert "AccessDenied" in unread.check.seen


def test_window() -> None:
    """Outside it stops, unless there is a reason, which is shown (lesson W6)."""
    assert readiness.window_check("", inside=False, override="", opens=None).result == "SKIP"
    assert readiness.window_check("nightly", inside=True, override="", opens=None).result == "OK"
    closed = readiness.window_check("nightly", inside=False, override="", opens=NOW)
    assert closed.result == "NG"
    assert "2026-04-01 10:00 UTC" in closed.fix
    assert "--now" in closed.fix
    overridden = readiness.window_check("nightly", inside=False, override="the site is down", opens=NOW)
    assert overridden.result == "OK"
    assert "overridden: the site is down" in overridden.seen


def test_alarms_are_a_note() -> None:
    """A red alarm stops nothing, but says that ECS goes back by no alarm."""
    red = readiness.alarms_check(["errors"])
    assert red.result == "OK"
    assert "errors is red already" in red.seen
    assert "ECS ignores alarms" in red.seen
    assert readiness.alarms_check([]).seen == "none is red"
    assert readiness.alarms_check([], "AccessDenied").result == "SKIP"
