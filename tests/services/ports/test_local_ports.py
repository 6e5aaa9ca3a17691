"""Ranges of ports, and the widest one above every server's port (lesson W1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_lib.services.ports.local_ports import KERNEL, WIDE, LocalPorts, above
from tests.support import refused


def test_both_ranges_have_as_many_ports_as_linux_counts() -> None:
    """Both ends belong to the range."""
    assert (KERNEL.count, KERNEL.setting) == (28232, "32768 60999")
    assert (WIDE.count, WIDE.setting) == (55296, "10240 65535")
    assert LocalPorts(2000, 2001).count == LocalPorts(2000, 2002).count == 2


@pytest.mark.parametrize(
    ("low", "high", "what", "value"),
    [(1023, 2000, "low", 1023), (65535, 65535, "low", 65535), (2000, 65536, "high", 65536), (2000, 2000, "high", 2000)],
)
def test_a_range_that_is_none_is_refused(low: int, high: int, what: str, value: int) -> None:
    """Neither below 1024, nor above the last port, nor empty."""
    refused(lambda: LocalPorts(low, high), what, value, "")


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ((), WIDE),
        ((8080,), WIDE),
        ((10239,), WIDE),
        ((10240,), LocalPorts(10242, 65535)),
        ((10241,), LocalPorts(10242, 65535)),
        ((8080, 25888), LocalPorts(25890, 65535)),
        ((37301,), LocalPorts(37302, 65535)),
        ((37302,), None),
        ((37303,), None),
        ((65535,), None),
    ],
)
def test_the_range_begins_above_every_server(ports: tuple[int, ...], expected: LocalPorts | None) -> None:
    """It begins at an even port. From 37302 on what is left above is no more than the kernel's own 28,232."""
    assert above(ports) == expected


@given(st.lists(st.integers(1, 65535)))
def test_no_connection_takes_a_servers_port(ports: list[int]) -> None:
    """Whatever listens, it is outside the range, and the range is wider than the kernel's."""
    found = above(ports)
    if found is not None:
        assert all(port < found.low for port in ports)
        assert found.count > KERNEL.count
