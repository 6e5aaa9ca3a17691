"""The part of the CloudWatch agent's own JSON schema that our settings touch, and a judge for it.

The agent refuses to start with settings that its schema does not accept. This is what its schema says, in our words:
https://github.com/aws/amazon-cloudwatch-agent/blob/main/translator/config/schema.json. What we do not use is left out:
a key that is unknown here is unknown to the agent, or must be read up there first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_SECONDS: Final = {"type": int, "low": 1, "high": 172_800}
_NAME: Final = {"type": str, "shortest": 1, "longest": 255}
_DIMENSION: Final = {"type": str, "shortest": 1, "longest": 1024}

MEASUREMENT: Final = {"type": dict, "keys": {"name": _NAME, "rename": _NAME, "unit": _NAME}, "required": {"name"}}

NETSTAT: Final = {
    "type": dict,
    "keys": {
        "metrics_collection_interval": _SECONDS,
        "append_dimensions": {"type": dict, "each": _DIMENSION, "most": 30},
        "measurement": {"type": list, "each": MEASUREMENT, "unique": True},
    },
    "required": {"measurement"},
}

SCHEMA: Final = {
    "type": dict,
    "keys": {
        "agent": {
            "type": dict,
            "keys": {
                "metrics_collection_interval": _SECONDS,
                "omit_hostname": {"type": bool},
                "logfile": {"type": str, "longest": 4096},
            },
        },
        "metrics": {
            "type": dict,
            "keys": {
                "namespace": _NAME,
                "force_flush_interval": _SECONDS,
                "metrics_collected": {"type": dict, "keys": {"netstat": NETSTAT}, "least": 1},
            },
            "required": {"metrics_collected"},
        },
    },
}

MEASURED_BY_NETSTAT: Final = {
    *("tcp_established", "tcp_syn_sent", "tcp_syn_recv", "tcp_fin_wait1", "tcp_fin_wait2", "tcp_time_wait"),
    *("tcp_close", "tcp_close_wait", "tcp_last_ack", "tcp_listen", "tcp_closing", "tcp_none", "udp_socket"),
}
"""https://github.com/influxdata/telegraf/tree/master/plugins/inputs/netstat"""


def faults(value: object, schema: Mapping[str, Any] = SCHEMA, at: str = "") -> Iterator[str]:
    """What the schema has against a value."""
    kind = schema["type"]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield f"{at}: no {kind.__name__}"
    elif isinstance(value, int) and kind is int and not schema["low"] <= value <= schema["high"]:
        yield f"{at}: {value} is out of range"
    elif isinstance(value, str) and not schema.get("shortest", 0) <= len(value) <= schema["longest"]:
        yield f"{at}: too short or too long"
    elif isinstance(value, list):
        if schema.get("unique") and any(value.count(item) > 1 for item in value):
            yield f"{at}: twice the same"
        for number, item in enumerate(value):
            yield from faults(item, schema["each"], f"{at}[{number}]")
    elif isinstance(value, dict):
        yield from _faults_of_keys(value, schema, at)


def _faults_of_keys(value: Mapping[str, object], schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if not schema.get("least", 0) <= len(value) <= schema.get("most", 1000):
        yield f"{at}: too few or too many"
    for missing in sorted(schema.get("required", set()) - set(value)):
        yield f"{at}: no {missing}"
    for key, item in value.items():
        known = schema.get("each") or schema["keys"].get(key)
        if known is None:
            yield f"{at}.{key}: unknown"
        else:
            yield from faults(item, known, f"{at}.{key}")
