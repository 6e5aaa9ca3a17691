"""What cannot be judged at all."""

from __future__ import annotations


class UnusableInput(Exception):  # noqa: N818  (it is what the exit code 2 means)
    """A file that cannot be read or is no template (lesson Q8); the message is one sentence."""
