"""Clients and the CDK command line, for the cloud on this machine only."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3

from demo.environments import ACCOUNT
from local_cloud import control
from local_cloud.environment import client_environment

ROOT = Path(__file__).resolve().parent.parent
CDK_MINUTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCloud:
    """A running local cloud, and an environment that cannot reach AWS whatever credentials the caller has."""

    endpoint: control.Endpoint
    state_dir: Path

    @classmethod
    def started(cls, state_dir: Path = control.DEFAULT_STATE) -> LocalCloud:
        """Starts the local cloud, or takes the one that runs for this folder."""
        return cls(endpoint=control.start(state_dir), state_dir=state_dir)

    def environment(self, region: str) -> dict[str, str]:
        """The process environment of whatever talks to the local cloud."""
        return client_environment(
            self.endpoint, account=ACCOUNT, region=region, base=os.environ, state_dir=self.state_dir
        )

    def enter(self, region: str) -> None:
        """Makes this process see the local cloud and nothing else: boto3 has no other environment from now on."""
        environment = self.environment(region)
        os.environ.clear()
        os.environ.update(environment)
        boto3.setup_default_session()  # the one that there may be has the credentials of before

    def cdk(self, *words: str, region: str) -> subprocess.CompletedProcess[str]:
        """Runs the CDK command line, bounded in time; what it prints goes into a log file beside the state.

        Raises:
            RuntimeError: it failed; the message holds the end of what it printed.
        """
        log = self.state_dir / "cdk.log"
        command = [str(Path(sys.executable).with_name("cdk")), *words]
        done = subprocess.run(
            command,
            # Where there is no cdk.json, the app is not synthesized for a command that does not need it.
            cwd=self.state_dir if words[0] == "bootstrap" else ROOT,
            env=self.environment(region),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=CDK_MINUTES * 60,
            check=False,
        )
        with log.open("a") as file:
            file.write(f"$ cdk {' '.join(words)}\n{done.stdout}\n")
        if done.returncode:
            tail = "\n".join(done.stdout.splitlines()[-25:])
            raise RuntimeError(f"`cdk {words[0]}` failed; the end of {log}:\n{tail}")
        return done
