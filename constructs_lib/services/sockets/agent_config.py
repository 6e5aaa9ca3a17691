"""What the CloudWatch agent is told, as its own JSON, and what it needs to run (lesson W1). Standard library only.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Agent-Configuration-File-Details.html and the
agent's source, https://github.com/aws/amazon-cloudwatch-agent (version 1.300).
"""

from __future__ import annotations

import json
from typing import Final

from constructs_lib.services.policy import WritablePath
from constructs_lib.services.sockets.socket_metrics import (
    HOLDING,
    NAMESPACE,
    PERIOD_SECONDS,
    SocketMetrics,
    SocketSource,
)

CONFIG_VARIABLE: Final = "CW_CONFIG_CONTENT"
"""The agent reads its settings from it when it runs in a container and finds no file."""

FLUSH_SECONDS: Final = 5
"""How long a sample may wait in the agent. Its own default is a minute; there is one call a minute either way."""

_AGENT: Final = "/opt/aws/amazon-cloudwatch-agent"

WRITABLE_PATHS: Final = (WritablePath(path=f"{_AGENT}/etc"), WritablePath(path=f"{_AGENT}/var"))
"""When it starts it writes its settings, translated, to the first, and its process id to the second
(``cmd/start-amazon-cloudwatch-agent``). All else may be read-only: its log goes to the container's."""

_HEAP_SHARE: Final = (3, 4)
"""Of its memory. The Go runtime collects garbage more often to keep its heap within it; the rest is the program's."""


def agent_config(source: SocketSource) -> dict[str, object]:
    """Settings of an agent that counts sockets by state and does nothing else.

    ``append_dimensions`` is that of ``netstat`` and not the one of all metrics: that one takes EC2's keys alone, and
    asks EC2 for tags. Nothing is aggregated, so each sample is one task's.
    """
    return {
        "agent": {
            "metrics_collection_interval": PERIOD_SECONDS,
            "omit_hostname": True,
            "logfile": "",
        },
        "metrics": {
            "namespace": NAMESPACE,
            "force_flush_interval": FLUSH_SECONDS,
            "metrics_collected": {
                "netstat": {
                    "measurement": [
                        {"name": one.measurement, "rename": one.metric, "unit": "Count"} for one in HOLDING
                    ],
                    "append_dimensions": source.dimensions,
                }
            },
        },
    }


def agent_environment(metrics: SocketMetrics, source: SocketSource) -> dict[str, str]:
    """The environment of the agent's container."""
    share, of = _HEAP_SHARE
    return {
        CONFIG_VARIABLE: json.dumps(agent_config(source), separators=(",", ":")),
        "GOMEMLIMIT": f"{metrics.memory_mib * share // of}MiB",
    }
