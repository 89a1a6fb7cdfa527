"""Settings, from the environment: read when a function starts, never later."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class MissingSetting(RuntimeError):
    """A variable that the function can't do without is not set."""


def required(name: str) -> str:
    """Raises MissingSetting, naming the variable, so that a wrong deployment fails at init."""
    value = os.environ.get(name)
    if not value:
        message = f"the environment variable {name} is not set"
        raise MissingSetting(message)
    return value


class InvalidSetting(RuntimeError):
    """A variable has a value that the function does not know."""


def one_of(name: str, choices: Collection[str]) -> str:
    """Raises MissingSetting, or InvalidSetting where it is not one of the choices."""
    value = required(name)
    if value not in choices:
        message = f"the environment variable {name} is one of {', '.join(choices)}"
        raise InvalidSetting(message)
    return value


def optional(name: str, default: str) -> str:
    """An empty variable counts as one that is not set."""
    return os.environ.get(name) or default
