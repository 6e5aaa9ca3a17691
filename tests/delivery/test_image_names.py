"""Which image a person means by a digest, the beginning of one, or a build tag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from constructs_lib.delivery.image_names import (
    LEAST_DIGITS,
    NamedImage,
    NotOneImage,
    image_named,
    is_image_name,
    is_release_number,
    whole_digest,
)
from constructs_lib.naming import build_tag

HEX = "0123456789abcdef"
WHERE = "in shop/staging/web"
DIGESTS = st.text(HEX, min_size=64, max_size=64).map(lambda digits: f"sha256:{digits}")
# Few beginnings, so that they are shared.
ALIKE = st.tuples(st.sampled_from(["0" * 8, "0" * 7 + "1"]), st.text(HEX, min_size=56, max_size=56)).map(
    lambda parts: f"sha256:{''.join(parts)}"
)
LENGTHS = st.integers(LEAST_DIGITS, 64)


def tag(number: int, commit: str = "") -> str:
    """The tag of a build, an hour after the one before it."""
    at = datetime(2026, 4, 1, tzinfo=UTC) + timedelta(hours=number)
    return build_tag("staging", at, commit or f"{number:040x}")


def built(digests: list[str]) -> list[NamedImage]:
    """These images, each with a build tag and one that is none."""
    return [NamedImage(digest=one, tags=("latest", tag(number))) for number, one in enumerate(digests, 1)]


@given(st.lists(ALIKE, min_size=1, max_size=6, unique=True), st.data())
def test_a_beginning_names_the_one_image_that_has_it_or_none(digests: list[str], data: st.DataObject) -> None:
    """With ``sha256:`` and without: the image whose digest it begins, when no other's begins so too."""
    wanted, length = data.draw(st.sampled_from(digests)), data.draw(LENGTHS)
    digits = wanted.removeprefix("sha256:")[:length]
    same = [one for one in digests if one.removeprefix("sha256:").startswith(digits)]
    for text in (digits, f"sha256:{digits}"):
        assert is_image_name(text)
        if len(same) == 1:
            assert image_named(text, built(digests), WHERE) == wanted
            continue
        with pytest.raises(NotOneImage) as refused:
            image_named(text, built(digests), WHERE)
        assert str(refused.value).startswith(f"{len(same)} images {WHERE} have a digest that begins with {text!r}: ")
        assert sum(one in str(refused.value) for one in same) == min(len(same), 3)
        assert not any(one in str(refused.value) for one in digests if one not in same)


@given(st.lists(DIGESTS, max_size=4, unique=True), DIGESTS, LENGTHS)
def test_what_begins_no_digest_is_refused_with_the_newest(digests: list[str], other: str, length: int) -> None:
    """Never an image that was not meant; a whole digest need not be known, for the repository says so itself."""
    digits = other.removeprefix("sha256:")[:length]
    assume(not any(one.removeprefix("sha256:").startswith(digits) for one in digests))
    assume(digits.strip("0"))  # the commits here are zeros, and a commit is told of otherwise
    if length == 64:
        assert image_named(digits, built(digests), WHERE) == other
        return
    with pytest.raises(NotOneImage) as refused:
        image_named(digits, built(digests), WHERE)
    newest = [f"{one.digest[:19]} ({one.tags[1]})" for one in reversed(built(digests))][:3]
    told = f"the newest are {', '.join(newest)}" if newest else "there is none at all"
    assert str(refused.value) == f"no image {WHERE} has a digest that begins with {digits!r}; {told}"


@given(st.lists(DIGESTS, min_size=1, max_size=4, unique=True), st.data())
def test_a_build_tag_names_its_image(digests: list[str], data: st.DataObject) -> None:
    """All of them, when an image has several; the order does not matter."""
    images = built(digests)
    images[0] = NamedImage(digest=images[0].digest, tags=(tag(99), *images[0].tags))
    one = data.draw(st.sampled_from(images))
    for text in one.tags:
        if text == "latest":
            continue
        assert image_named(text, data.draw(st.permutations(images)), WHERE) == one.digest


@given(st.text(max_size=80))
def test_no_text_is_a_number_and_an_image(text: str) -> None:
    """So ``--to 1234567`` is a digest and ``--to 123456`` a release, without asking anybody."""
    assert not (is_release_number(text) and is_image_name(text))


@given(st.integers(1, 10**64 - 1))
def test_digits_are_a_number_or_an_image(number: int) -> None:
    """By their count alone."""
    assert is_release_number(str(number)) == (number < 1_000_000)
    assert is_image_name(str(number)) == (number >= 1_000_000)
    assert not is_release_number(f"0{number}")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "latest",
            "v42",
            "abcdef",
            "sha256:",
            "sha256:abcdef",
            "sha512:" + "a" * 64,
            "a" * 65,
            "ABCDEF0",
            "pin-x",
        ),
        *(
            " abcdef0",
            "abcdef0\n",
            "sha256:sha256:abcdef0",
            "staging-20261301T000000Z-0123456789ab",
            "--help",
            "\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        ),
    ],
)
def test_what_names_no_image(text: str) -> None:
    """Other tags may move, six digits may be a release's number, and upper case is nobody's digest."""
    assert not is_image_name(text)
    assert whole_digest(text) is None
    with pytest.raises(NotOneImage, match="an image must be named by a digest"):
        image_named(text, [NamedImage(digest="sha256:" + "a" * 64, tags=(text,))], WHERE)


def test_a_whole_digest_is_known_by_itself() -> None:
    """With and without its algorithm, and without any list."""
    digits = "0123456789abcdef" * 4
    assert whole_digest(digits) == whole_digest(f"sha256:{digits}") == f"sha256:{digits}"
    assert image_named(digits, [], WHERE) == f"sha256:{digits}"
    assert whole_digest(digits[:63]) is None


def test_a_commit_is_told_from_a_digest() -> None:
    """People have it at hand, and it looks like the beginning of a digest."""
    known = [NamedImage(digest="sha256:" + "a" * 64, tags=("pin-use-web-0", tag(1, "0123456789abcdef")))]
    with pytest.raises(NotOneImage, match=f"that is the commit of {tag(1, '0123456789abcdef')}: name the build tag"):
        image_named("0123456", known, WHERE)


def test_a_tag_that_is_nowhere_is_refused_as_a_tag() -> None:
    """A longer tag is another; images without a build tag come last among those that are named instead."""
    known = [NamedImage(digest="sha256:" + "f" * 64, tags=(f"qa-{tag(7)}-old",)), *built(["sha256:" + "a" * 64])]
    with pytest.raises(NotOneImage) as refused:
        image_named(tag(7), known, WHERE)
    assert str(refused.value) == (
        f"no image {WHERE} has the tag {tag(7)!r}; the newest are sha256:{'a' * 12} ({tag(1)}), sha256:{'f' * 12}"
    )


def test_one_image_that_is_listed_twice_is_one() -> None:
    """As in a ledger that released it twice."""
    one = NamedImage(digest="sha256:" + "a" * 64, tags=(tag(1),))
    assert image_named("a" * 7, [one, one], WHERE) == image_named(tag(1), [one, one], WHERE) == one.digest
