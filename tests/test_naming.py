"""Names that cross stacks: readable, valid for their service, and never the same for two different things."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from constructs_lib import naming
from tests.support import TOKEN, refused

WORD = st.from_regex(r"[a-z][a-z0-9]{0,3}(-[a-z0-9]{1,3}){0,2}", fullmatch=True).filter(
    lambda word: word.split("-")[0] != "pin"  # no environment begins so
)
LONGEST = "a" * 30
COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOON = datetime(2026, 4, 1, 12, 15, tzinfo=UTC)

OF_THREE: dict[str, Callable[[str, str, str], str]] = {
    "stack": naming.stack_name,
    "repository": naming.repository_name,
    "build project": naming.build_project_name,
    "release parameter": naming.release_parameter_name,
    "release path": naming.release_path,
    "delivery settings": naming.delivery_settings_name,
    "promotion project": naming.promotion_project_name,
    "release project": naming.release_project_name,
}
OF_TWO: dict[str, Callable[[str, str], str]] = {
    "freeze": naming.freeze_parameter_name,
    "release role": naming.release_role_name,
    "reader role": naming.reader_role_name,
}
# The forms are AWS's, from the API reference of each service.
PARAMETER = r"(?!/(aws|ssm))(?=.{1,1011}$)(/[\w.-]+){1,15}"
PROJECT = r"[A-Za-z0-9][A-Za-z0-9\-_]{1,149}"
ROLE = r"[\w+=,.@-]{1,64}"
FORMS = {
    "stack": r"(?=.{1,128}$)[a-zA-Z][-a-zA-Z0-9]*",
    "repository": r"(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
    "build project": PROJECT,
    "release parameter": PARAMETER,
    "release path": r"(?=.{1,1000}$)" + PARAMETER,  # a number follows
    "delivery settings": PARAMETER,
    "promotion project": PROJECT,
    "release project": PROJECT,
    "freeze": PARAMETER,
    "release role": ROLE,
    "reader role": ROLE,
}
each_name = pytest.mark.parametrize("kind", OF_THREE)
each_of_two = pytest.mark.parametrize("kind", OF_TWO)


@each_name
@given(one=st.tuples(WORD, WORD, WORD), other=st.tuples(WORD, WORD, WORD))
def test_two_things_never_share_a_name(kind: str, one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Different application, environment or part: a different physical name, however the words are cut."""
    assume(one != other)
    assert OF_THREE[kind](*one) != OF_THREE[kind](*other)


@each_name
def test_words_that_only_differ_in_their_cut_stay_apart(kind: str) -> None:
    """``a-b`` + ``c`` and ``a`` + ``b-c`` are the pair that a single hyphen would join to one name."""
    assert "-".join(("a-b", "c", "web")) == "-".join(("a", "b-c", "web"))
    assert OF_THREE[kind]("a-b", "c", "web") != OF_THREE[kind]("a", "b-c", "web")


@given(one=st.tuples(WORD, WORD, WORD, WORD), other=st.tuples(WORD, WORD, WORD, WORD))
def test_two_alarms_never_share_a_name(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> None:
    """An alarm's name is the application, the environment, the component and the fault, and nothing else has it."""
    assume(one != other)
    assert naming.alarm_name(*one) != naming.alarm_name(*other)


@each_name
@given(parts=st.tuples(WORD, WORD, WORD))
def test_a_name_has_the_form_that_aws_takes(kind: str, parts: tuple[str, str, str]) -> None:
    """Whatever valid words it is made of, AWS accepts the name."""
    assert re.fullmatch(FORMS[kind], OF_THREE[kind](*parts))


@each_name
def test_the_longest_name_is_not_too_long(kind: str) -> None:
    """Three of the longest words still make a name that AWS accepts."""
    assert re.fullmatch(FORMS[kind], OF_THREE[kind](LONGEST, LONGEST, LONGEST))


@each_of_two
@settings(max_examples=30)
@given(one=st.tuples(WORD, WORD), other=st.tuples(WORD, WORD))
def test_two_environments_never_share_a_name(kind: str, one: tuple[str, str], other: tuple[str, str]) -> None:
    """Another application or environment has a role and a freeze of its own, and AWS accepts the name."""
    assert re.fullmatch(FORMS[kind], OF_TWO[kind](*one))
    assume(one != other)
    assert OF_TWO[kind](*one) != OF_TWO[kind](*other)


LONG_WORD = st.from_regex(r"[a-z][a-z0-9]{24,29}", fullmatch=True)


@settings(max_examples=30)
@given(one=st.tuples(LONG_WORD, LONG_WORD), last=st.sampled_from("abcdefgh"))
def test_a_role_name_that_is_cut_stays_apart(one: tuple[str, str], last: str) -> None:
    """IAM takes 64 characters; two environments that only differ in what is cut off still have two roles."""
    other = (one[0], one[1][:-1] + last)
    assume(one != other)
    names = {function(*of) for function in (naming.release_role_name, naming.reader_role_name) for of in (one, other)}
    assert len(names) == 4
    assert all(re.fullmatch(ROLE, name) for name in names)


@pytest.mark.parametrize("suffix", ["release", "reader"])
def test_a_role_name_is_cut_only_when_it_must_be(suffix: str) -> None:
    """A name of 64 characters is readable to its end; one more, and it ends with a hash after three hyphens."""
    function = {"release": naming.release_role_name, "reader": naming.reader_role_name}[suffix]
    room = 64 - len(f"----{suffix}")
    fits, cut = "a" * 30, "a" * (room - 30)
    assert function(fits, cut) == f"{fits}--{cut}--{suffix}"
    assert len(function(fits, cut)) == 64
    longer = function(fits, cut + "a")
    assert re.fullmatch(rf"{fits}--a{{21}}---[0-9a-f]{{8}}", longer)
    assert len(longer) == 64


@each_of_two
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("wrong", ["a--b", "a/b", "A", "", TOKEN, LONGEST + "a"])
def test_an_environment_whose_name_is_none_is_refused(kind: str, position: int, wrong: str) -> None:
    """What could make two names one is refused here too, by the name of its position."""
    parts = ["shop", "staging"]
    parts[position] = wrong
    refused(lambda: OF_TWO[kind](*parts), ("application", "environment")[position], wrong, "")


@settings(max_examples=30)
@given(one=st.tuples(WORD, WORD, WORD), other=st.tuples(WORD, WORD, WORD))
def test_no_parameter_is_taken_for_one_of_another_kind(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """A service may be called ``freeze``, ``delivery`` or ``releases``: digest, ledger, settings and freeze differ."""
    for service in (other[2], "freeze", "delivery", "releases", "digest", "secrets"):
        there = (other[0], other[1], service)
        kinds = [
            {naming.release_parameter_name(*of) for of in (one, there)},
            {f"{naming.release_path(*of)}/{number}" for of in (one, there) for number in (1, 2)},
            {naming.delivery_settings_name(*of) for of in (one, there)},
            {naming.freeze_parameter_name(*of[:2]) for of in (one, there)},
            {naming.secret_parameter_name(*of, "RELEASES") for of in (one, there)},
        ]
        assert len(set().union(*kinds)) == sum(map(len, kinds))


@settings(max_examples=30)
@given(one=st.tuples(WORD, WORD, WORD), other=st.tuples(WORD, WORD, WORD))
def test_no_project_is_taken_for_one_of_another_kind(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """The button that builds, the one that promotes and the one that releases are three, whatever the names are."""
    for image in (other[2], "promotion", "release"):
        there = (other[0], other[1], image)
        kinds = [
            {function(*of) for of in (one, there)}
            for function in (naming.build_project_name, naming.promotion_project_name, naming.release_project_name)
        ]
        assert len(set().union(*kinds)) == sum(map(len, kinds))


def test_names_are_what_the_documentation_says() -> None:
    """People and other tools type these names, so their form is a promise."""
    assert naming.stack_name("shop", "staging", "images") == "shop--staging--images"
    assert naming.repository_name("shop", "staging", "web") == "shop/staging/web"
    assert naming.build_project_name("shop", "staging", "web") == "shop--staging--web"
    assert naming.release_parameter_name("shop", "staging", "web") == "/moorings/shop/staging/web/digest"
    assert naming.alarm_name("shop", "staging", "web", "unhealthy-targets") == "shop/staging/web/unhealthy-targets"
    assert naming.release_path("shop", "staging", "web") == "/moorings/shop/staging/web/releases"
    assert naming.delivery_settings_name("shop", "staging", "web") == "/moorings/shop/staging/web/delivery"
    assert naming.freeze_parameter_name("shop", "staging") == "/moorings/shop/staging/freeze"
    assert naming.promotion_project_name("shop", "staging", "web") == "shop--staging--web--promotion"
    assert naming.release_project_name("shop", "staging", "web") == "shop--staging--web--release"
    assert naming.release_role_name("shop", "staging") == "shop--staging--release"
    assert naming.reader_role_name("shop", "staging") == "shop--staging--reader"


@each_name
@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("wrong", ["a--b", "a/b", "A", "", TOKEN, LONGEST + "a"])
def test_a_word_that_could_make_two_names_one_is_refused(kind: str, position: int, wrong: str) -> None:
    """A separator inside a word is refused in every position of every name, and the sentence names the position."""
    parts = ["shop", "staging", "web"]
    parts[position] = wrong
    what = ("application", "environment", "name")[position]
    refused(lambda: OF_THREE[kind](*parts), what, wrong, "")


def test_a_build_tag_says_environment_time_and_commit() -> None:
    """A tag is read by people: environment, UTC time and twelve digits of the commit (lesson Q3)."""
    assert naming.build_tag("staging", NOON, COMMIT) == "staging-20260401T121500Z-0123456789ab"


def test_a_build_tag_is_in_utc_wherever_it_was_made() -> None:
    """A build in Tokyo and one in London at the same moment carry the same time."""
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert naming.build_tag("staging", tokyo, COMMIT) == naming.build_tag("staging", NOON, COMMIT)


@given(
    one=st.tuples(WORD, st.integers(0, 10**9), st.sampled_from(["0" * 40, "1" * 40])),
    other=st.tuples(WORD, st.integers(0, 10**9), st.sampled_from(["0" * 40, "1" * 40])),
)
def test_two_builds_never_share_a_tag(one: tuple[str, int, str], other: tuple[str, int, str]) -> None:
    """Another environment, second or commit gives another tag, so that no tag has to move."""
    assume(one != other)

    def tag(environment: str, second: int, commit: str) -> str:
        return naming.build_tag(environment, NOON + timedelta(seconds=second), commit)

    assert tag(*one) != tag(*other)


@given(environment=WORD)
def test_a_build_tag_is_one_that_ecr_takes_and_no_pin(environment: str) -> None:
    """A build tag fits ECR's form and is immutable: it does not match the tags that may move."""
    tag = naming.build_tag(environment, NOON, COMMIT)
    assert re.fullmatch(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", tag)
    assert not fnmatchcase(tag, naming.PIN_PATTERN)


@pytest.mark.parametrize("environment", ["pin", "pin-test"])
def test_an_environment_whose_build_tags_would_be_pins_is_refused(environment: str) -> None:
    """Tags ``pin-test-2026…`` would be mutable and shielded for ever, so there is no such environment."""
    refused(lambda: naming.build_tag(environment, NOON, COMMIT), "environment", environment, "begin with 'pin'")
    refused(lambda: naming.repository_name("shop", environment, "web"), "environment", environment, "begin with 'pin'")


def test_a_time_without_a_zone_is_refused() -> None:
    """A local time would make tags that lie about their order."""
    naive = datetime(2026, 4, 1, 12, 15)
    fix = refused(lambda: naming.build_tag("staging", naive, COMMIT), "at", naive, "a time with a time zone")
    assert "datetime.now(UTC)" in fix


@pytest.mark.parametrize("commit", ["", "0123456789a", "0123456789AB", "main", "g" * 12, "0" * 65])
def test_a_commit_that_is_none_is_refused(commit: str) -> None:
    """A branch or a short id does not say which source an image came from."""
    refused(lambda: naming.build_tag("staging", NOON, commit), "commit", commit, "12 lower-case hexadecimal digits")


def test_the_word_for_not_released_is_no_digest() -> None:
    """The value before the first release cannot be mistaken for an image."""
    assert not naming.NOT_RELEASED.startswith("sha256:")


def test_a_secret_has_a_parameter_of_its_own() -> None:
    """People write the value under this name; it is below the service's, and is not the release parameter."""
    name = naming.secret_parameter_name("shop", "staging", "web", "DATABASE_URL")
    assert name == "/moorings/shop/staging/web/secrets/DATABASE_URL"
    assert re.fullmatch(FORMS["release parameter"], name)


SETTING = st.from_regex(r"[A-Z][A-Z0-9]{0,3}(_[A-Z0-9]{1,3}){0,2}", fullmatch=True)


@given(one=st.tuples(WORD, WORD, WORD, SETTING), other=st.tuples(WORD, WORD, WORD, SETTING))
def test_two_secrets_never_share_a_parameter(one: tuple[str, str, str, str], other: tuple[str, str, str, str]) -> None:
    """No service reads the secret of another service or environment, nor takes one for its digest."""
    assume(one != other)
    assert naming.secret_parameter_name(*one) != naming.secret_parameter_name(*other)
    assert naming.secret_parameter_name(*one) != naming.release_parameter_name(*other[:3])


@pytest.mark.parametrize("setting", ["", "database", "A-B", "A/B", "_A", "A_", "A__B", "1A", "A\n", TOKEN])
def test_a_secret_setting_that_is_no_name_is_refused(setting: str) -> None:
    """A setting is an environment variable's name, and holds no separator of parameter paths."""
    refused(
        lambda: naming.secret_parameter_name("shop", "staging", "web", setting), "setting", setting, "upper-case words"
    )
