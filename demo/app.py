"""The app as ``cdk`` runs it for the demo: ``app.py`` with the demo's environments."""

from __future__ import annotations

from stacks.node import use_wheel_node


def main() -> None:
    """Synthesizes the demo's environments."""
    use_wheel_node()
    from demo.environments import demo_environments
    from stacks.application import application

    application(demo_environments()).synth()


if __name__ == "__main__":
    main()
