"""What a task asks of its kernel, and what nobody may (lesson W1)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from constructs_lib.services.ports.kernel_settings import KEYS, REFUSED, KernelSetting, KernelSettings
from constructs_lib.services.ports.local_ports import KERNEL, WIDE, LocalPorts
from constructs_lib.services.task.container_settings import ContainerSettings
from tests.support import TOKEN, refused, run_without_cdk

RANGE = "net.ipv4.ip_local_port_range"
WHY = "The firewall forgets a silent connection after 300 s, measured in May."


def keep_alive(**given: Any) -> KernelSetting:
    """A setting as somebody would write it."""
    made: dict[str, Any] = {"key": "net.ipv4.tcp_keepalive_time", "value": 290, "reason": WHY}
    return KernelSetting(**made | given)


def settings(**given: Any) -> KernelSettings:
    """Settings, perhaps of a wrong type."""
    return KernelSettings(**given)


@pytest.mark.parametrize(
    ("kernel", "ports", "expected"),
    [
        (KernelSettings(), (), {RANGE: "10240 65535"}),
        (KernelSettings(), (8080,), {RANGE: "10240 65535"}),
        (KernelSettings(), (30000,), {RANGE: "30002 65535"}),
        (KernelSettings(), (40000,), {}),
        (KernelSettings(listening_ports=(25888,)), (8080,), {RANGE: "25890 65535"}),
        (KernelSettings(local_ports=LocalPorts(20000, 65000)), (8080,), {RANGE: "20000 65000"}),
        (KernelSettings(local_ports=KERNEL), (8080,), {}),
        (KernelSettings(local_ports=KERNEL), (40000,), {}),
        (
            KernelSettings(others=(keep_alive(),)),
            (8080,),
            {RANGE: "10240 65535", "net.ipv4.tcp_keepalive_time": "290"},
        ),
        (KernelSettings(local_ports=KERNEL, others=(keep_alive(),)), (), {"net.ipv4.tcp_keepalive_time": "290"}),
    ],
)
def test_only_the_range_is_set_unless_more_is_asked_for(
    kernel: KernelSettings, ports: tuple[int, ...], expected: dict[str, str]
) -> None:
    """Above every port that somebody listens on; what the kernel has by itself is not written down."""
    assert kernel.settings(ports) == expected


def test_each_setting_is_said_with_its_reason() -> None:
    """The sentences are for the service's metadata."""
    wide = "Connections are opened from ports 10240 to 65535, 55296 to each destination instead of 28232: "
    assert KernelSettings(others=(keep_alive(),)).sentences((8080,)) == (
        f"{wide}no server listens there.",
        f"net.ipv4.tcp_keepalive_time is 290 instead of 7200: {WHY}",
    )
    assert KernelSettings().sentences((40000,)) == (
        "Connections are opened from ports 32768 to 60999, 28232 to each destination.",
        "Port 40000 is among them: an outgoing connection may take it before its server starts.",
    )


def test_a_range_with_a_servers_port_is_refused() -> None:
    """Of the application or of a sidecar; the ends belong to the range."""
    ports = LocalPorts(8080, 20000)
    given = KernelSettings(local_ports=ports)
    for taken in (8080, 20000):
        refused(partial(given.settings, (taken,)), "local_ports", "8080 20000", f"without {taken}")
        sidecars = partial(settings, local_ports=ports, listening_ports=(taken,))
        assert "begin above it" in refused(sidecars, "local_ports", "8080 20000", f"without {taken}")
    assert KernelSettings(local_ports=ports).ports_beside((8079, 20001)) == ports


@pytest.mark.parametrize(
    ("make", "what", "value", "allowed"),
    [
        (lambda: settings(local_ports="1 2"), "local_ports", "1 2", "LocalPorts"),
        (lambda: settings(listening_ports=[1]), "listening_ports", [1], "a tuple of int"),
        (lambda: settings(listening_ports=(0,)), "listening_ports", 0, "from 1 to 65535"),
        (lambda: settings(others=keep_alive()), "others", keep_alive(), "a tuple of KernelSetting"),
        (lambda: keep_alive(value=0), "value of net.ipv4.tcp_keepalive_time", 0, "from 1 to 32767"),
        (lambda: keep_alive(value="290"), "value of net.ipv4.tcp_keepalive_time", "290", "from 1 to 32767"),
        (lambda: keep_alive(reason=""), "reason", "", "a text that is not empty"),
        (lambda: keep_alive(reason="because"), "reason", "because", "a sentence"),
        (lambda: keep_alive(key=TOKEN), "key", TOKEN, "known before deployment"),
    ],
)
def test_what_cannot_be_is_refused(make: Any, what: str, value: object, allowed: str) -> None:
    """In one sentence, before Node starts."""
    refused(make, what, value, allowed)


def test_one_key_twice_is_refused() -> None:
    """One of the two would be forgotten."""
    with pytest.raises(ValueError, match="others must be of different keys"):
        KernelSettings(others=(keep_alive(), keep_alive(value=100)))


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("net.ipv4.tcp_tw_recycle", "behind a NAT"),
        ("net.ipv4.tcp_max_tw_buckets", "manual forbids"),
        ("net.ipv4.ip_local_port_range", "local_ports="),
        ("net.core.rmem_max", "#2368"),
        ("net.core.wmem_max", "#2368"),
        ("net.core.somaxconn", "keeps the task from starting"),
        ("kernel.pid_max", "keeps the task from starting"),
        ("net.ipv6.conf.all.disable_ipv6", "keeps the task from starting"),
    ],
)
def test_a_key_that_is_not_allowed_says_why(key: str, why: str) -> None:
    """A key that Fargate does not know keeps every task from starting, so it must not reach a template (W1)."""
    fix = refused(lambda: keep_alive(key=key), "key", key, "one of net.ipv4.tcp_tw_reuse, ")
    assert why in fix


def test_every_key_that_is_allowed_has_a_range_and_says_what_it_does() -> None:
    """The kernel's default is within it, the ends are accepted, and none is refused by name."""
    assert set(KEYS).isdisjoint(REFUSED)
    for key, known in KEYS.items():
        assert key.startswith("net.ipv4.tcp_")
        assert known.low <= known.default <= known.high
        for value in (known.low, known.high):
            assert keep_alive(key=key, value=value).value == value
        for value in (known.low - 1, known.high + 1):
            with pytest.raises(ValueError, match="a whole number from"):
                keep_alive(key=key, value=value)
        assert len(known.does.split()) > 5


def test_fin_timeout_is_no_way_around_time_wait() -> None:
    """People set it for that, so whoever gets it wrong reads that it does nothing of the kind."""
    fix = refused(
        lambda: keep_alive(key="net.ipv4.tcp_fin_timeout", value=61), "value of net.ipv4.tcp_fin_timeout", 61, "1 to 60"
    )
    assert "not the time in TIME_WAIT" in fix


@pytest.mark.parametrize("given", [None, {RANGE: "10240 65535"}])
def test_what_is_no_kernel_settings_is_refused_by_the_container(given: Any) -> None:
    """Such as Docker's sysctls; to have the kernel's own range one says so."""
    refused(lambda: ContainerSettings(kernel=given), "kernel", given, "KernelSettings")
    assert ContainerSettings(kernel=KernelSettings(local_ports=KERNEL)).kernel.settings((8080,)) == {}


def test_the_default_is_the_wide_range() -> None:
    """For a task that listens on nothing, too."""
    assert KernelSettings().ports_beside(()) == WIDE


def test_a_wrong_setting_is_refused_without_node() -> None:
    """The module is plain Python."""
    said = run_without_cdk(
        "from constructs_lib.services.ports.kernel_settings import KernelSetting\n"
        "KernelSetting(key='net.ipv4.tcp_tw_recycle', value=1, reason='a blog says so')"
    )
    assert "Linux 4.12" in said
