"""What production asks for before a release: that staging ran it, a window, a platform, a scan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from constructs_lib.command_line import CouldNotRun
from constructs_lib.delivery.ledger import Entry
from constructs_lib.delivery.operations.outcomes import Refused
from constructs_lib.delivery.settings import Upstream
from tests.delivery.operations.shop import Shop
from tests.fake_aws.core import ACCOUNT, REGION

NIGHT = "0 22 * * * for 240 minutes in UTC"


def promoted() -> tuple[Shop, str]:
    """A digest that staging ran, in production's repository."""
    shop = Shop(tasks=1)
    (digest,) = shop.given("staging", 1)
    shop.promote(digest)
    return shop, digest


def test_production_runs_what_staging_ran() -> None:
    """The same digest, and the entry says from which release and by which check (lesson Q7)."""
    shop, digest = promoted()
    entry = shop.run("production", "release")
    assert (entry.state, entry.digest) == ("successful", digest)
    assert (entry.check, entry.origin) == ("digest", "shop/staging/web release 1")
    assert shop.running("production") == digest


def test_production_takes_what_staging_runs_and_not_what_it_went_back_from() -> None:
    """A newer image was promoted, and staging went back from it: without DIGEST a release brings the older one."""
    shop, digest = promoted()
    newer = shop.build()
    assert shop.run("staging", "release").state == "successful"
    shop.promote(newer)
    assert shop.run("staging", "rollback").digest == digest
    assert shop.run("production", "release").digest == digest


def test_what_was_gone_back_from_is_brought_only_by_name() -> None:
    """A release without DIGEST after a rollback would bring the bad image again, in either environment."""
    shop, digest = promoted()
    assert shop.run("production", "release").digest == digest
    newer = shop.build()
    assert shop.run("staging", "release").digest == newer
    shop.promote(newer)
    assert shop.run("production", "release").digest == newer
    for environment in ("production", "staging"):
        assert shop.run(environment, "rollback").digest == digest
        if environment == "production":  # staging runs it still
            with pytest.raises(
                Refused, match=f"went back from {newer}.*`moorings release shop/production/web {newer}`"
            ):
                shop.run("production", "release")
    with pytest.raises(Refused, match=f"went back from {newer}.*`moorings release shop/staging/web {newer}`"):
        shop.run("staging", "release")
    assert shop.running("staging") == shop.running("production") == digest
    assert shop.run("staging", "release", newer).state == "successful"


def test_production_names_a_digest_when_staging_cannot_be_read() -> None:
    """What is released by default is known only there."""
    shop, _ = promoted()

    class Unreadable:
        def entries(self) -> list[Entry]:
            raise CouldNotRun("the role cannot be assumed")

    world = replace(shop.world(), upstream=lambda _settings: Unreadable())
    with pytest.raises(Refused, match="what ran in staging cannot be read, the role cannot be assumed; name a DIGEST"):
        shop.run("production", "release", world=world)
    assert shop.running("production") == "none"


def test_production_refuses_what_staging_never_ran() -> None:
    """Built and promoted, but never released in staging, or released there in vain."""
    shop, _ = promoted()
    for behaviour in ("good", "cannot start"):
        digest = shop.build(behaviour=behaviour)
        if behaviour == "cannot start":
            assert shop.run("staging", "release").state == "failed"
        shop.promote(digest)
        with pytest.raises(
            Refused, match=r"never ran sha256:[0-9a-f]{12} successfully .release it in shop/staging/web"
        ):
            shop.run("production", "release", digest)
    assert shop.entries("production") == []


def test_production_may_be_built_from_the_same_commit() -> None:
    """With the check ``commit`` another digest of a commit that staging ran is released, and the record says so."""
    shop, digest = promoted()
    own = shop.ecr.push(
        "shop/production/web", [shop.ecr.image("shop/staging/web", digest).tags[0].replace("00Z", "30Z")]
    )
    tag = shop.ecr.image("shop/production/web", own).tags[0]
    shop.ecr.delete("shop/production/web", digest)
    upstream = Upstream(environment="staging", account=ACCOUNT, region=REGION, repository="r", check="commit")
    with pytest.raises(Refused, match="upstream"):
        shop.run("production", "release", own)
    shop.change("production", upstream=upstream)
    entry = shop.run("production", "release", own)
    assert (entry.state, entry.check, entry.commit, entry.build_tag) == ("successful", "commit", tag[-12:], tag)


def test_a_rollback_in_production_asks_nobody_else() -> None:
    """Staging may be gone: what ran here is known here, and the entry keeps where it came from."""
    shop, first = promoted()
    shop.run("production", "release")
    (second,) = shop.released("staging")
    shop.promote(second)
    assert shop.run("production", "release").digest == second

    def gone(_settings: object) -> None:
        raise CouldNotRun("the role may not be assumed")

    world = replace(shop.world(), upstream=gone)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="cannot be read: the role may not be assumed"):
        shop.run("production", "release", first, world=world)
    entry = shop.run("production", "rollback", world=world)
    assert (entry.digest, entry.check, entry.origin) == (first, "digest", "shop/staging/web release 1")


def test_the_window_holds_releases_and_no_rollback() -> None:
    """Outside it a release is refused, a rollback and a restart are not (lesson W6)."""
    shop = Shop(tasks=1)
    shop.given("staging")
    shop.change("staging", window=NIGHT)
    shop.build()
    with pytest.raises(Refused, match=r"window: outside .*wait until 2026-04-01 22:00 UTC, or `--now --reason TEXT`"):
        shop.run("staging", "release")
    assert shop.run("staging", "restart").override == ""
    assert shop.run("staging", "rollback").override == ""


def test_a_reason_overrides_the_window_and_nothing_else() -> None:
    """It is recorded; inside the window there is nothing to override, so nothing is recorded."""
    shop = Shop(tasks=1)
    shop.given("staging")
    shop.change("staging", window=NIGHT)
    shop.build()
    entry = shop.run("staging", "release", now_reason="the site is down")
    assert (entry.state, entry.override) == ("successful", "the site is down")
    bad = shop.build()
    shop.ecr.runs_on("shop/staging/web", bad, "linux/amd64")
    with pytest.raises(Refused, match="platform"):
        shop.run("staging", "release", now_reason="the site is down")
    shop.clock.sleep((datetime(2026, 4, 1, 22, 30, tzinfo=UTC) - shop.clock.now()).total_seconds())
    shop.build()
    assert shop.run("staging", "release", now_reason="the site is down").override == ""


def test_outside_the_window_a_release_may_wait() -> None:
    """It begins when the window opens, and holds no place until then."""
    shop = Shop(tasks=1)
    shop.given("staging")
    shop.change("staging", window=NIGHT, outside_window="wait")
    shop.build()
    open_before = []
    shop.clock.listeners.append(lambda now: open_before.append(now.hour < 22 and len(shop.entries("staging")) > 2))
    entry = shop.run("staging", "release")
    assert entry.state == "successful"
    assert entry.began == datetime(2026, 4, 1, 22, 0, tzinfo=UTC)
    assert not any(open_before)
    assert shop.lines[0] == "waiting for the window, which opens at 2026-04-01 22:00 UTC"


def test_an_index_needs_one_image_that_fits_and_is_there() -> None:
    """A child that expired does not count, though the index still names it."""
    shop = Shop(tasks=1)
    repository = "shop/staging/web"
    arm, amd = shop.ecr.push(repository), shop.ecr.push(repository)
    index = shop.ecr.push_index(repository, {"linux/arm64": arm, "linux/amd64": amd})
    assert shop.verify("staging", target=index)["platform"].seen == "linux/amd64, linux/arm64"
    shop.ecr.delete(repository, arm)
    check = shop.verify("staging", target=index)["platform"]
    assert (check.result, check.seen) == ("NG", "linux/amd64")


def test_a_platform_that_cannot_be_read_is_no_pass() -> None:
    """The address of the configuration does not open; the address itself is not said."""
    shop = Shop(tasks=1)
    digest = shop.build()
    shop.ecr.unreachable = True
    check = shop.verify("staging", target=digest)["platform"]
    assert check.result == "NG"
    assert "no route to host" in check.seen
    assert "layers.fake" not in check.seen


def test_scans_count_from_the_threshold() -> None:
    """The counts are asked for by their own call, and only when there is a threshold."""
    shop = Shop(tasks=1)
    digest = shop.build()
    assert shop.verify("staging")["scan"].result == "SKIP"
    assert shop.aws.calls["ecr.DescribeImageScanFindings"] == 0
    shop.change("staging", scan_threshold="high")
    assert "ECR says none" in shop.verify("staging")["scan"].seen
    shop.ecr.scans[digest] = ("COMPLETE", {"MEDIUM": 3})
    assert shop.verify("staging")["scan"].result == "OK"
    shop.ecr.scans[digest] = ("COMPLETE", {"CRITICAL": 1})
    assert shop.verify("staging")["scan"].result == "NG"


def test_a_tag_that_may_move_is_refused() -> None:
    """It names another image tomorrow (lesson Q3)."""
    shop = Shop(tasks=1)
    with pytest.raises(Refused, match=r"DIGEST must be a digest, .* or a build tag such as .*, got 'latest'"):
        shop.run("staging", "release", "latest")


@pytest.mark.parametrize("how", ["beginning", "with its algorithm", "build tag"])
def test_an_image_is_released_by_a_shorter_name(how: str) -> None:
    """The ledger has the whole digest, whatever was typed."""
    shop = Shop(tasks=1)
    shop.given("staging")
    digest = shop.build()
    shop.build()
    name = {
        "beginning": digest.removeprefix("sha256:")[:12],
        "with its algorithm": digest[:14],
        "build tag": shop.ecr.image("shop/staging/web", digest).tags[0],
    }[how]
    entry = shop.run("staging", "release", name)
    assert (entry.state, entry.digest) == ("successful", digest)
    assert shop.running("staging") == shop.parameter("staging") == digest


def test_a_whole_digest_costs_no_list() -> None:
    """The repository is listed for a shorter name only; the pins' own list comes later."""
    shop = Shop(tasks=1)
    digest = shop.build()
    shop.verify("staging", target=digest)
    assert shop.aws.calls["ecr.DescribeImages"] == 1
    shop.verify("staging", target=digest[:19])
    assert shop.aws.calls["ecr.DescribeImages"] == 3


def test_a_name_of_no_image_is_a_check_with_those_that_there_are() -> None:
    """Nothing is written, and the other checks are told all the same."""
    shop = Shop(tasks=1)
    digest = shop.build()
    tag = shop.ecr.image("shop/staging/web", digest).tags[0]
    checks = shop.verify("staging", target="0123456")
    assert (checks["image"].result, checks["image"].fix) == ("NG", "")
    assert checks["image"].seen == (
        f"no image in shop/staging/web has a digest that begins with '0123456'; the newest are {digest[:19]} ({tag})"
    )
    assert checks["upstream"].seen == "there is no image to ask for"
    with pytest.raises(Refused, match=r"no release of shop/staging/web: image: no image in .*\)$"):
        shop.run("staging", "release", "0123456")
    assert shop.entries("staging") == []


def test_an_archived_image_is_found_by_its_build_tag() -> None:
    """It is named with what to do about it, and not as one that never was."""
    shop = Shop(tasks=1)
    digest = shop.build()
    shop.ecr.archive("shop/staging/web", digest)
    check = shop.verify("staging", target=shop.ecr.image("shop/staging/web", digest).tags[0])["image"]
    assert "is ARCHIVED: it cannot be pulled" in check.seen
    assert "restore it" in check.fix


def test_a_hotfix_is_built_from_a_tag_and_released_by_its_build_tag() -> None:
    """Where production is built again, a commit that staging never ran is refused until staging has run it (Q7)."""
    shop, digest = promoted()
    upstream = Upstream(environment="staging", account=ACCOUNT, region=REGION, repository="r", check="commit")
    shop.change("production", upstream=upstream)
    hotfix = "production-20260402T000000Z-" + "f" * 12
    own = shop.ecr.push("shop/production/web", [hotfix])
    with pytest.raises(Refused, match=r"upstream: shop/staging/web never ran commit f{12} successfully"):
        shop.run("production", "release", hotfix)
    theirs = shop.ecr.push("shop/staging/web", ["staging-20260402T000100Z-" + "f" * 12])
    assert shop.run("staging", "release", theirs).state == "successful"
    entry = shop.run("production", "release", hotfix)
    assert (entry.state, entry.digest, entry.build_tag, entry.check) == ("successful", own, hotfix, "commit")
    assert shop.running("staging") == theirs != own != digest


def test_a_hotfix_that_staging_went_back_from_is_refused_by_its_commit() -> None:
    """Another build of the same commit is no better; the way to insist is named."""
    shop, _ = promoted()
    upstream = Upstream(environment="staging", account=ACCOUNT, region=REGION, repository="r", check="commit")
    shop.change("production", upstream=upstream)
    theirs = shop.ecr.push("shop/staging/web", ["staging-20260402T000100Z-" + "f" * 12])
    assert shop.run("staging", "release", theirs).state == "successful"
    shop.run("staging", "rollback")
    shop.ecr.push("shop/production/web", ["production-20260402T000000Z-" + "f" * 12])
    with pytest.raises(
        Refused, match=f"shop/staging/web went back from commit f{{12}} .*`moorings release shop/staging/web {theirs}`"
    ):
        shop.run("production", "release", "production-20260402T000000Z-" + "f" * 12)


def test_a_stack_or_parameter_that_is_gone() -> None:
    """Both are said with what to do."""
    shop = Shop(tasks=1)
    shop.build()
    del shop.ssm.parameters[shop.stack("staging").parameter]
    shop.cloudformation.stacks.pop("shop--staging--services")
    checks = shop.verify("staging")
    assert (checks["stack"].result, checks["parameter"].result) == ("NG", "NG")
    assert "does not exist" in checks["stack"].seen
