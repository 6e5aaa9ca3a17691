"""Which configuration is deployed, and how slowly (lesson T2). Standard library only.

No secret belongs in a configuration: it is copied to S3, to the disk of every task and into the stack's template, and
each of these has readers of its own. Secrets have a way of their own (``ContainerSettings.secrets``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, NoReturn

from constructs_lib.checks import concrete, invalid, name, whole_number

AGENT_PORT: Final = 2772
"""Where the agent listens by default
(https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-integration-containers-agent-configuring.html)."""

AGENT_BACKUPS: Final = "/backups"
"""Where the agent keeps its backups. They are for its own restarts: the directory dies with the task."""

CLIENT_DIRECTORY: Final = "/var/lib/moorings"
"""Where the application keeps its own last good copy."""

LARGEST_CONTENT: Final = 128 * 1024
"""In bytes. The content is a text of the template, which takes 1 MB in all
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""

LARGEST_SCHEMA: Final = 32_768
"""In characters (https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_Validator.html)."""

LONGEST_NAME: Final = 64
"""Of an AppConfig application (https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_CreateApplication.html)."""

_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationDeployment:
    """How slowly a changed configuration reaches the tasks, and how long AppConfig may still go back (lesson T2).

    20 % of 10 minutes each: after 2 minutes another fifth of the tasks has it. Then AppConfig watches the alarms for
    the bake time. Only after that is it good, and copied for new tasks.

    Args:
        minutes: how long it takes to reach all tasks, 0 to 1440; 10 by default.
        growth_percent: the share of tasks that each step adds, 1 to 100; 20 by default.
        bake_minutes: how long AppConfig watches the alarms after that, 0 to 1440; 10 by default.

    Raises:
        ValueError: a number out of AppConfig's range
            (https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_CreateDeploymentStrategy.html).
    """

    minutes: int = 10
    growth_percent: int = 20
    bake_minutes: int = 10

    def __post_init__(self) -> None:
        whole_number("minutes", self.minutes, low=0, high=_DAY, fix="10 is a good start")
        whole_number("growth_percent", self.growth_percent, low=1, high=100, fix="20 is a good start")
        whole_number("bake_minutes", self.bake_minutes, low=0, high=_DAY, fix="10 is a good start")

    @property
    def longest_minutes(self) -> int:
        """From its start until AppConfig calls it complete."""
        return self.minutes + self.bake_minutes


def check_names(application: str, environment: str, profile: str) -> str:
    """AppConfig's name of the application: all three, so that none is the same for two environments of an account.

    Raises:
        ValueError: a wrong name, or more than 64 characters together.
    """
    for what, value in (("application", application), ("environment", environment), ("profile", profile)):
        name(what, value)
    joined = f"{application}-{environment}-{profile}"
    if len(joined) > LONGEST_NAME:
        raise invalid(
            "application, environment and profile",
            joined,
            f"at most {LONGEST_NAME} characters together",
            "choose a shorter profile",
        )
    return joined


def check_content(schema: str, content: str) -> None:
    """Refuses what AppConfig or the copy would refuse later. Whether the content fits the schema AppConfig judges.

    Raises:
        ValueError: a text that is no JSON object, or too large, or a schema of a draft that AppConfig does not know.
    """
    concrete("schema", schema, "pass the text of a JSON Schema")
    concrete("content", content, "pass the text of the configuration")
    if len(schema) > LARGEST_SCHEMA:
        raise invalid("schema", len(schema), f"at most {LARGEST_SCHEMA} characters", "AppConfig takes no longer one")
    size = len(content.encode())
    if size > LARGEST_CONTENT:
        raise invalid("content", size, f"at most {LARGEST_CONTENT} bytes", "keep data elsewhere, and its address here")
    draft = _json_object("schema", schema).get("$schema", "draft-04")
    if not (isinstance(draft, str) and "draft-04" in draft):
        # https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-configuration-and-profile-validators.html
        raise invalid("schema", draft, "of JSON Schema's draft 4", "AppConfig knows no other; change $schema")
    _json_object("content", content)


def _json_object(what: str, text: str) -> dict[str, object]:
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise invalid(what, text[:60], "the text of a JSON object", "it begins with { and ends with }")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)  # Python reads NaN and Infinity, and nobody else does


def agent_url(application: str, environment: str, profile: str) -> str:
    """Where the application asks the agent beside it; ids or names."""
    path = f"applications/{application}/environments/{environment}/configurations/{profile}"
    return f"http://localhost:{AGENT_PORT}/{path}"


def agent_settings(application: str, environment: str, profile: str) -> dict[str, str]:
    """The agent's plain settings; all others stay as AWS has them, such as a poll each 45 seconds.

    It fetches the configuration as it starts, so that the application's first question finds it there.
    """
    return {
        "BACKUP_DIRECTORY": AGENT_BACKUPS,
        "HTTP_PORT": str(AGENT_PORT),
        "PREFETCH_LIST": f"{application}:{environment}:{profile}",
    }


def client_settings(url: str, copy: str) -> dict[str, str]:
    """What the application's container is told, as the client in ``examples/fail_static`` reads it."""
    return {
        "MOORINGS_CONFIG_URL": url,
        "MOORINGS_CONFIG_COPY": copy,
        "MOORINGS_CONFIG_DIRECTORY": CLIENT_DIRECTORY,
    }


def copy_key(application: str, environment: str, profile: str) -> str:
    """The key of the copy in its bucket."""
    return f"last-good/{application}/{environment}/{profile}.json"
