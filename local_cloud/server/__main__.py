"""Entry point of the emulator's process; `local_cloud.control` starts it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from local_cloud.control import TOKEN_VARIABLE


def main() -> None:
    """Prepare the environment, add our parts, serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--idle-minutes", type=float, required=True)
    options = parser.parse_args()
    url = f"http://127.0.0.1:{options.port}"
    # MiniStack reads these while it is imported, and its Lambda workers inherit them.
    os.environ.update(
        BIND_HOST="127.0.0.1",
        MINISTACK_HOST="127.0.0.1",
        GATEWAY_PORT=str(options.port),
        AWS_ENDPOINT_URL=url,
        AWS_ENDPOINT_URL_S3=url,
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="127.0.0.1,localhost",
        DOCKER_HOST="unix:///nonexistent/docker.sock",
        SFTP_ENABLED="0",
        IOT_MTLS_ENABLED="0",
    )
    try:
        from local_cloud.server import emulator
    except RuntimeError as error:
        sys.exit(str(error))
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    from local_cloud.server import (
        alarm_clock,
        alarm_events,
        alarms,
        autoscaling,
        event_targets,
        events,
        functions,
        health,
        images,
        layers,
        network,
        records,
        services,
        stacks,
        tasks,
    )
    from local_cloud.server.controls import Controls
    from local_cloud.server.lifetime import Lifetime

    for addition in (events, event_targets, network, layers, images, health, tasks, services, autoscaling, stacks):
        addition.install()
    for addition in (alarm_events, alarms, alarm_clock, records, functions):
        addition.install()
    config = Config()
    config.bind = [f"fd://{options.fd}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    lifetime = Lifetime(Controls(emulator.app.app), os.environ.get(TOKEN_VARIABLE, ""), options.idle_minutes * 60)
    try:
        asyncio.run(serve(lifetime, config, shutdown_trigger=lifetime.ended))
    finally:
        emulator.lambda_runtime.reset()  # ends the Lambda workers and waits for them


if __name__ == "__main__":
    main()
