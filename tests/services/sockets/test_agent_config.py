"""What the agent is told is what it understands, and what its metrics then are called (lesson W1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from constructs_lib.services.sockets.agent_config import WRITABLE_PATHS, agent_config, agent_environment
from constructs_lib.services.sockets.socket_metrics import HOLDING, NAMESPACE, SocketMetrics, SocketSource
from tests.services.sockets.agent_schema import MEASURED_BY_NETSTAT, faults
from tests.support import DIGEST, run_without_cdk

SOURCE = SocketSource(application="shop", environment="staging", service="web")
METRICS = SocketMetrics(image=f"public.ecr.aws/cloudwatch-agent/cloudwatch-agent@{DIGEST}")


def config() -> Any:
    """What the agent reads, from its environment variable."""
    return json.loads(agent_environment(METRICS, SOURCE)["CW_CONFIG_CONTENT"])


def test_the_agent_accepts_it() -> None:
    """With settings that its schema refuses the agent does not start, and nothing is seen (W1)."""
    assert list(faults(config())) == []


def _unknown(found: Any) -> None:
    found["metrics"]["metrics_collected"]["netstat"]["dimensions"] = {"A": "b"}


def _empty(found: Any) -> None:
    del found["metrics"]["metrics_collected"]["netstat"]


def _text(found: Any) -> None:
    found["agent"]["metrics_collection_interval"] = "60"


def _zero(found: Any) -> None:
    found["metrics"]["force_flush_interval"] = 0


def _twice(found: Any) -> None:
    measured = found["metrics"]["metrics_collected"]["netstat"]["measurement"]
    measured.append(measured[0])


def _nameless(found: Any) -> None:
    del found["metrics"]["metrics_collected"]["netstat"]["measurement"][0]["name"]


def _nothing(found: Any) -> None:
    found["metrics"]["metrics_collected"]["netstat"]["append_dimensions"]["Service"] = ""


@pytest.mark.parametrize("spoil", [_unknown, _empty, _text, _zero, _twice, _nameless, _nothing])
def test_the_judge_finds_what_the_agent_would_refuse(spoil: Callable[[Any], None]) -> None:
    """A judge that accepts all says nothing."""
    found = config()
    spoil(found)
    assert len(list(faults(found))) == 1


def test_it_counts_what_the_agent_can_count() -> None:
    """A measurement that the agent does not know is left out without a word."""
    measured = config()["metrics"]["metrics_collected"]["netstat"]["measurement"]
    assert {one["name"] for one in measured} <= MEASURED_BY_NETSTAT
    assert len(measured) == 8


def test_states_without_a_local_port_are_not_counted() -> None:
    """A server that listens, a closed socket, and connections that others open take none of the task's ports (W1)."""
    counted = {one.measurement for one in HOLDING}
    assert {name for name in MEASURED_BY_NETSTAT if name.startswith("tcp_")} - counted == {
        *("tcp_listen", "tcp_close", "tcp_syn_recv", "tcp_none")
    }


def test_each_is_sent_under_our_name_as_a_count() -> None:
    """The alarms watch the names, so each state has its own."""
    measured = config()["metrics"]["metrics_collected"]["netstat"]["measurement"]
    assert {one["name"]: one["rename"] for one in measured} == {
        "tcp_established": "SocketsEstablished",
        "tcp_time_wait": "SocketsTimeWait",
        "tcp_close_wait": "SocketsCloseWait",
        "tcp_syn_sent": "SocketsSynSent",
        "tcp_fin_wait1": "SocketsFinWait1",
        "tcp_fin_wait2": "SocketsFinWait2",
        "tcp_last_ack": "SocketsLastAck",
        "tcp_closing": "SocketsClosing",
    }
    assert {one["unit"] for one in measured} == {"Count"}


def test_no_dimension_names_a_task_or_a_host() -> None:
    """Each task that ever ran would be eight metrics at 0.30 USD a month, and no alarm could name it."""
    found = config()
    assert found["agent"]["omit_hostname"] is True
    assert found["metrics"]["metrics_collected"]["netstat"]["append_dimensions"] == {
        "Application": "shop",
        "Environment": "staging",
        "Service": "web",
    }


def test_the_agent_asks_ec2_for_nothing() -> None:
    """Dimensions of all metrics would be EC2's, for which the agent reads tags, and it may not (least privilege)."""
    assert "append_dimensions" not in config()["metrics"]


def test_a_sample_is_one_task_in_one_minute_and_is_sent_at_once() -> None:
    """Nothing is added up on the way, so the most in a minute is the fullest task; five seconds is all it waits."""
    found = config()
    assert found["agent"]["metrics_collection_interval"] == 60
    assert found["metrics"]["force_flush_interval"] == 5
    assert "aggregation_dimensions" not in found["metrics"]
    assert found["metrics"]["namespace"] == NAMESPACE == "Moorings/Sockets"


def test_its_log_goes_where_every_log_goes() -> None:
    """An empty file name is the container's own log, which never blocks (W2)."""
    assert config()["agent"]["logfile"] == ""


def test_it_may_write_where_it_starts_and_nowhere_else() -> None:
    """It translates its settings when it starts, and writes its process id."""
    assert [path.path for path in WRITABLE_PATHS] == [
        "/opt/aws/amazon-cloudwatch-agent/etc",
        "/opt/aws/amazon-cloudwatch-agent/var",
    ]


@pytest.mark.parametrize(("memory", "heap"), [(128, "96MiB"), (256, "192MiB"), (1000, "750MiB")])
def test_its_heap_stays_below_the_limit_that_kills_it(memory: int, heap: str) -> None:
    """Go would let garbage double its heap; told of a limit it collects sooner."""
    metrics = SocketMetrics(image=METRICS.image, memory_mib=memory)
    assert agent_environment(metrics, SOURCE)["GOMEMLIMIT"] == heap


def test_it_is_told_nothing_else() -> None:
    """No secret, and no setting that nobody asked for."""
    assert set(agent_environment(METRICS, SOURCE)) == {"CW_CONFIG_CONTENT", "GOMEMLIMIT"}


def test_it_is_the_same_text_each_time() -> None:
    """Another order of keys would be another task definition, and so a deployment."""
    assert agent_environment(METRICS, SOURCE) == agent_environment(METRICS, SOURCE)
    assert (
        json.dumps(agent_config(SOURCE), separators=(",", ":"))
        == agent_environment(METRICS, SOURCE)["CW_CONFIG_CONTENT"]
    )


def test_it_is_made_without_cdk() -> None:
    """The module is data, so nothing of CDK is loaded."""
    run_without_cdk(
        "from constructs_lib.services.sockets.agent_config import agent_config\n"
        "from constructs_lib.services.sockets.socket_metrics import SocketSource\n"
        "raise ValueError(agent_config(SocketSource(application='a', environment='b', service='c')))"
    )
