"""``moorings diff``: two environments side by side, also where one of them is not in this account."""

from __future__ import annotations

import pytest

from tests.ops.delivery import Account, build_tag
from tests.ops.support import NOW

STAGING, PRODUCTION = "shop/staging/web", "shop/production/web"


@pytest.fixture
def apart(account: Account) -> list[str]:
    """Production runs build 1, staging build 2."""
    for place in (STAGING, PRODUCTION):
        account.stack(place)
    images = [account.image(number, STAGING, PRODUCTION) for number in (1, 2)]
    for env, image in (("staging", images[0]), ("production", images[0]), ("staging", images[1])):
        assert account.moorings("release", env, image).code == 0
    return images


def test_what_differs_is_shown_side_by_side(account: Account, apart: list[str]) -> None:
    """As with diff, exit code 1 says that there is a difference."""
    done = account.moorings("diff", "staging", "production")
    assert (done.code, done.err) == (1, "")
    one, two = (image.removeprefix("sha256:")[:12] for image in apart)
    staging, production = account.ended(STAGING, 2), account.ended(PRODUCTION, 1)
    assert done.out.splitlines() == [
        "shop web: different images",
        f"  {STAGING}     {two}  {build_tag(2)}  000000000002  since {staging:%Y-%m-%d %H:%M} UTC",
        f"  {PRODUCTION}  {one}  {build_tag(1)}  000000000001  since {production:%Y-%m-%d %H:%M} UTC",
        f"  {PRODUCTION} is behind: {STAGING} has 1 newer build, waiting for 2.4 days; it ran there",
    ]


def test_the_other_way_round_it_is_still_production_that_is_behind(account: Account, apart: list[str]) -> None:
    """The gap does not depend on the order of the words; the sides do."""
    told = account.moorings("diff", "production", STAGING, "--json").json["services"]
    assert told == [
        {
            "service": "shop web",
            "same": False,
            "environments": [
                {
                    "service": PRODUCTION,
                    "digest": apart[0],
                    "build_tag": build_tag(1),
                    "commit": "000000000001",
                    "since": told[0]["environments"][0]["since"],
                },
                {
                    "service": STAGING,
                    "digest": apart[1],
                    "build_tag": build_tag(2),
                    "commit": "000000000002",
                    "since": told[0]["environments"][1]["since"],
                },
            ],
            "gap": {"behind": PRODUCTION, "builds": 1, "days": told[0]["gap"]["days"]},
        }
    ]
    assert NOW.isoformat() < told[0]["environments"][0]["since"] < told[0]["environments"][1]["since"]


def test_the_same_image_is_exit_code_0(account: Account, apart: list[str]) -> None:
    """And no gap."""
    assert account.moorings("release", "production", apart[1]).code == 0
    done = account.moorings("diff", "staging", "production")
    assert done.code == 0
    assert done.out.splitlines()[0] == "shop web: the same image"
    assert done.out.splitlines()[-1] == f"  {PRODUCTION} is not behind: {STAGING} has no newer build"


def test_before_the_first_release_there_is_no_image(account: Account) -> None:
    """Neither has one, so both are the same."""
    for place in (STAGING, PRODUCTION):
        account.stack(place)
    done = account.moorings("diff", "staging", "production")
    assert done.code == 0
    assert f"  {STAGING}     nothing was released yet\n" in done.out
    told = account.moorings("diff", "staging", "production", "--json").json["services"][0]
    assert told["environments"][0] == {
        "service": STAGING,
        "digest": None,
        "build_tag": None,
        "commit": None,
        "since": None,
    }


@pytest.mark.parametrize("words", [("staging", "production"), ("production", "staging")])
def test_an_environment_elsewhere_is_read_as_upstream(
    account: Account, apart: list[str], words: tuple[str, str]
) -> None:
    """Staging's settings are not here, as in another account: its ledger says what it runs."""
    account.add(STAGING, known=False)
    told = account.moorings("diff", *words, "--json").json["services"]
    sides = {side["service"]: side["digest"] for side in told[0]["environments"]}
    assert sides == {STAGING: apart[1], PRODUCTION: apart[0]}
    assert [side["service"].split("/")[1] for side in told[0]["environments"]] == list(words)
    assert told[0]["gap"]["behind"] == PRODUCTION


def test_two_environments_that_do_not_follow_each_other_have_no_gap(account: Account, apart: list[str]) -> None:
    """Which of them is behind would be a guess."""
    account.add("shop/trial/web")
    account.stack("shop/trial/web")
    told = account.moorings("diff", "trial", "production", "--json")
    assert (told.code, told.json["services"][0]["gap"]) == (1, None)
    assert len(apart) == 2


def test_who_went_back_is_not_ahead(account: Account, apart: list[str]) -> None:
    """Production runs the newest build, staging went back to an older one: production is the one that is ahead."""
    assert account.moorings("release", "production", apart[1]).code == 0
    assert account.moorings("rollback", "staging").code == 0
    done = account.moorings("diff", "staging", "production")
    assert done.code == 1
    assert done.out.splitlines()[-1] == f"  {PRODUCTION} is ahead: {STAGING} runs an older build, and has no newer one"


def test_two_builds_of_one_commit_differ_in_nothing_else(account: Account) -> None:
    """The images are different, and neither is ahead."""
    for place in (STAGING, PRODUCTION):
        account.stack(place)
    account.image(1, STAGING)
    assert account.moorings("release", "staging").code == 0
    own, tag = account.image(9, PRODUCTION, environment="production"), "production-20260330T050000Z-000000000001"
    account.ecr.tag(PRODUCTION, tag, own)
    account.entry(PRODUCTION, 1, own, build_tag=tag, commit=tag[-12:])
    account.ssm.put("/moorings/shop/production/web/digest", own)
    account.stacks.deploy("shop--production--services")
    done = account.moorings("diff", "staging", "production")
    assert done.out.splitlines()[-1] == (
        f"  {PRODUCTION} runs another build of the same commit; {STAGING} has no newer one"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("staging", "prodution"), "ENV must name services that can be released, got 'prodution'"),
        (("stagng", "production"), "ENV must name services that can be released, got 'stagng'"),
        (("production", "production"), "the two ENVs must differ, got 'production' twice"),
        (("staging", "staging"), "the two ENVs must differ, got 'staging' twice"),
        (("shop/staging/web", "desk/production"), "both ENVs must have a service in common, got 'shop/staging/web'"),
    ],
)
def test_there_must_be_two_that_have_a_service_in_common(account: Account, words: tuple[str, str], says: str) -> None:
    """Else there is nothing to compare: exit code 2, with what is wrong and the names that there are."""
    if "desk/production" in words:
        account.add("desk/production/web")
    done = account.moorings("diff", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"moorings: {says}")
    assert "shop/production/web, shop/staging/web" in done.err


def test_an_environment_elsewhere_is_no_wrong_word(account: Account) -> None:
    """Staging is known as what comes before production, so it is the pair that is wrong."""
    account.add(STAGING, known=False)
    account.add("shop/trial/web")
    done = account.moorings("diff", "trial", "staging")
    assert done.err.startswith("moorings: both ENVs must have a service in common, got 'trial' and 'staging'")


def test_each_service_is_compared_with_itself(account: Account) -> None:
    """Not the worker of one environment with the web of the other; one that is in one of them only is left out."""
    for place in (STAGING, PRODUCTION):
        account.stack(place)
    account.add("shop/production/worker")
    told = account.moorings("diff", "staging", "production", "--json").json["services"]
    assert [[side["service"] for side in one["environments"]] for one in told] == [[STAGING, PRODUCTION]]
