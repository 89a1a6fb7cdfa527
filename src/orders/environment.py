"""Settings from the environment, read only when a function starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class MissingSetting(RuntimeError):
    """A required variable is not set."""


def required(name: str) -> str:
    """Raises MissingSetting, naming the variable, so that a wrong deployment fails at init."""
    value = os.environ.get(name)
    if not value:
        message = f"the environment variable {name} is not set"
        raise MissingSetting(message)
    return value


class InvalidSetting(RuntimeError):
    """A variable has an unsupported value."""


def one_of(name: str, choices: Collection[str]) -> str:
    """Raises MissingSetting, or InvalidSetting if the value is not one of the choices."""
    value = required(name)
    if value not in choices:
        message = f"the environment variable {name} is one of {', '.join(choices)}"
        raise InvalidSetting(message)
    return value


def optional(name: str, default: str) -> str:
    """An empty variable counts as unset."""
    return os.environ.get(name) or default
