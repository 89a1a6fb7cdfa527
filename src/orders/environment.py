"""Settings, from the environment: read when a function starts, never later."""

from __future__ import annotations

import os


class MissingSetting(RuntimeError):
    """A variable that the function can't do without is not set."""


def required(name: str) -> str:
    """Raises MissingSetting, naming the variable, so that a wrong deployment fails at init."""
    value = os.environ.get(name)
    if not value:
        message = f"the environment variable {name} is not set"
        raise MissingSetting(message)
    return value


def optional(name: str, default: str) -> str:
    """An empty variable counts as one that is not set."""
    return os.environ.get(name) or default
