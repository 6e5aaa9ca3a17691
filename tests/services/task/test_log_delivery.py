"""W2: the buffer follows from how much is logged, and is part of the task's memory."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.task.log_delivery import LogDelivery
from tests.support import TOKEN, refused

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MIB = 1_048_576

lines = st.integers(min_value=1, max_value=1_000_000)
sizes = st.integers(min_value=1, max_value=262_144)
seconds = st.integers(min_value=1, max_value=86_400)


def buffer_mib(lines_per_second: int, bytes_per_line: int, tolerated_outage_seconds: int) -> int:
    """The buffer for these numbers."""
    return LogDelivery.non_blocking(
        lines_per_second=lines_per_second,
        bytes_per_line=bytes_per_line,
        tolerated_outage_seconds=tolerated_outage_seconds,
    ).buffer_mib


def test_the_default_is_what_aws_recommends() -> None:
    """Without numbers: 25 MiB, three months, CloudWatch's own key."""
    default = LogDelivery()
    assert (default.mode, default.buffer_mib, default.retention_days) == ("non-blocking", 25, 90)
    assert default.kms_key_arn is None


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ((1000, 300, 120), 35),  # 36,000,000 bytes are 34.3 MiB
        ((200, 200, 60), 25),  # 2.3 MiB, so the floor
        ((1024, 1024, 25), 25),  # exactly 25 MiB
        ((1024, 1024, 26), 26),  # exactly 26 MiB
        ((1024 * 26 + 1, 1024, 1), 27),  # a little more than 26 MiB
        ((1024, 1024, 1024), 1024),  # exactly the largest
        ((1_000_000, 1, 86_400 // 86_400), 25),
        ((1, 262_144, 100), 25),
        ((1, 1, 86_400), 25),
    ],
)
def test_the_buffer_is_rate_times_outage(numbers: tuple[int, int, int], expected: int) -> None:
    """Lines x bytes x seconds, rounded up to MiB, and never less than 25."""
    assert buffer_mib(*numbers) == expected


@given(lines, sizes, seconds)
def test_a_buffer_holds_the_outage_or_is_refused(rate: int, size: int, outage: int) -> None:
    """Whatever the numbers: the buffer holds them and wastes less than a MiB above the floor, or there is none."""
    needed = rate * size * outage
    if needed > 1024 * MIB:
        with pytest.raises(ValueError, match=r"^tolerated_outage_seconds must be at most \d+ for "):
            buffer_mib(rate, size, outage)
        return
    chosen = buffer_mib(rate, size, outage)
    assert needed <= chosen * MIB
    assert chosen == 25 or (chosen - 1) * MIB < needed


def test_a_buffer_that_is_too_large_is_refused_with_the_arithmetic() -> None:
    """10,000 lines of 1 KiB for five minutes are 2,930 MiB; 104 seconds would fit."""
    fix = refused(
        lambda: buffer_mib(10_000, 1024, 300),
        "tolerated_outage_seconds",
        300,
        "at most 104 for 10000 lines of 1024 bytes a second (10000 x 1024 x 300 is 2930 MiB, and the largest buffer "
        "1024 MiB)",
    )
    assert fix == "log less, tolerate a shorter outage, or buffer on disk with FireLens"
    assert buffer_mib(10_000, 1024, 104) == 1016


@pytest.mark.parametrize(
    ("changes", "what", "allowed"),
    [
        ({"lines_per_second": 0}, "lines_per_second", "from 1 to 1000000"),
        ({"lines_per_second": 1_000_001}, "lines_per_second", "from 1 to 1000000"),
        ({"lines_per_second": 1.5}, "lines_per_second", "a whole number"),
        ({"bytes_per_line": 0}, "bytes_per_line", "from 1 to 262144"),
        ({"bytes_per_line": 262_145}, "bytes_per_line", "from 1 to 262144"),
        ({"tolerated_outage_seconds": 0}, "tolerated_outage_seconds", "from 1 to 86400"),
        ({"tolerated_outage_seconds": 86_401}, "tolerated_outage_seconds", "from 1 to 86400"),
        ({"retention_days": 91}, "retention_days", "one of 1, 3, 5"),
    ],
)
def test_a_wrong_number_is_refused(changes: dict[str, Any], what: str, allowed: str) -> None:
    """Each number is checked by its own name before anything is computed."""
    values = {"lines_per_second": 10, "bytes_per_line": 100, "tolerated_outage_seconds": 60, **changes}
    refused(lambda: LogDelivery.non_blocking(**values), what, changes[what], allowed)


def test_the_rest_is_passed_on() -> None:
    """Retention and key are those of the class."""
    made = LogDelivery.non_blocking(
        lines_per_second=1, bytes_per_line=1, tolerated_outage_seconds=1, retention_days=400, kms_key_arn=KEY
    )
    assert made == LogDelivery(buffer_mib=25, retention_days=400, kms_key_arn=KEY)
    default = LogDelivery.non_blocking(lines_per_second=1, bytes_per_line=1, tolerated_outage_seconds=1)
    assert default == LogDelivery()


@pytest.mark.parametrize("value", [25, 1024])
def test_the_ends_of_the_range_are_accepted(value: int) -> None:
    """25 and 1024 MiB can be had by hand."""
    assert LogDelivery(buffer_mib=value).buffer_mib == value


@pytest.mark.parametrize("value", [24, 10, 1025, 25.0, True, "25m"])
def test_a_buffer_below_the_recommendation_or_above_the_range_is_refused(value: Any) -> None:
    """AWS measured loss with less than 25 MiB; the sentence names the way to compute it."""
    fix = refused(lambda: LogDelivery(buffer_mib=value), "buffer_mib", value, "a whole number from 25 to 1024")
    assert fix == "AWS recommends 25; LogDelivery.non_blocking computes it from how much is logged"


@pytest.mark.parametrize("mode", ["blocking", "sometimes", ""])
def test_blocking_is_refused_with_its_reason(mode: Any) -> None:
    """Who asks for blocking mode, or for any other, is told what it did."""
    fix = refused(lambda: LogDelivery(mode=mode), "mode", mode, "'non-blocking'")
    assert fix == "a blocking driver stops the container when logs cannot be delivered (lesson W2)"


def test_a_value_stays_what_was_checked() -> None:
    """It cannot be changed after its check, has no other attributes, and names each argument."""
    delivery: Any = LogDelivery()
    with pytest.raises(FrozenInstanceError):
        delivery.buffer_mib = 1
    assert not hasattr(delivery, "__dict__")
    make: Any = LogDelivery
    with pytest.raises(TypeError):
        make("non-blocking", 25)


def test_numbers_are_named() -> None:
    """Three numbers in a row would be mixed up one day."""
    with pytest.raises(TypeError):
        LogDelivery.non_blocking(10, 100, 60)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "arn",
    [
        KEY,
        "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        TOKEN,
    ],
)
def test_a_key_is_named_by_its_arn(arn: str) -> None:
    """Also in other partitions, and as the Token of a key that the app makes itself."""
    assert LogDelivery(kms_key_arn=arn).kms_key_arn == arn


@pytest.mark.parametrize(
    "arn",
    [
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "alias/logs",
        "arn:aws:kms:eu-west-1:111122223333:alias/logs",
        f"{KEY} ",
        f"{KEY}/x",
        KEY.replace("arn:aws:", "arn:aw:"),
        KEY.replace("111122223333", "11112222333"),
    ],
)
def test_what_is_no_arn_of_a_key_is_refused(arn: str) -> None:
    """CloudWatch Logs takes neither an id nor an alias, and would say so in the middle of a deployment."""
    fix = refused(
        lambda: LogDelivery(kms_key_arn=arn), "kms_key_arn", arn, "the ARN of a KMS key, 'arn:aws:kms:<region>"
    )
    assert fix == "CloudWatch Logs takes neither an id nor an alias; read it with `aws kms describe-key`"


@pytest.mark.parametrize("arn", ["", 5])
def test_a_key_that_is_no_text_is_refused(arn: Any) -> None:
    """An empty text, as from a setting that nobody filled in, is not taken for None."""
    refused(lambda: LogDelivery(kms_key_arn=arn), "kms_key_arn", arn, "a text that is not empty")


@pytest.mark.parametrize(
    ("containers", "buffer", "memory", "sentence"),
    [
        (1, 257, 1024, "(1 x 257 = 257 MiB, a quarter of 1024 MiB is 256 MiB)"),
        (3, 86, 1024, "(3 x 86 = 258 MiB, a quarter of 1024 MiB is 256 MiB)"),
        (6, 25, 512, "(6 x 25 = 150 MiB, a quarter of 512 MiB is 128 MiB)"),
        (2, 25, 199, "(2 x 25 = 50 MiB, a quarter of 199 MiB is 49.75 MiB)"),
    ],
)
def test_too_many_buffers_are_refused_with_the_arithmetic(
    containers: int, buffer: int, memory: int, sentence: str
) -> None:
    """The sentence shows containers x buffer and the quarter that it exceeds."""
    delivery = LogDelivery(buffer_mib=buffer)
    count = f"at most a quarter of the task's {memory} MiB for all {containers} containers together {sentence}"
    fix = refused(lambda: delivery.check_memory(containers, memory), "buffer_mib", buffer, count)
    assert fix == "the buffers are part of the task's memory; shrink them or give the task more"


@pytest.mark.parametrize(("containers", "buffer", "memory"), [(1, 256, 1024), (5, 25, 500), (4, 32, 512)])
def test_buffers_of_exactly_a_quarter_are_accepted(containers: int, buffer: int, memory: int) -> None:
    """The limit itself is allowed."""
    LogDelivery(buffer_mib=buffer).check_memory(containers, memory)


@given(st.integers(1, 20), st.integers(25, 1024), st.integers(1, 122_880))
def test_accepted_buffers_fill_a_quarter_at_most(containers: int, buffer: int, memory: int) -> None:
    """By the driver's count; short lines take about twice that, which is half of the task."""
    delivery = LogDelivery(buffer_mib=buffer)
    if containers * buffer <= memory / 4:
        delivery.check_memory(containers, memory)
    else:
        with pytest.raises(ValueError, match=r"^buffer_mib must be at most a quarter of the task's "):
            delivery.check_memory(containers, memory)
