"""Reads the environment. Settings are read once, when a function starts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class InvalidSetting(RuntimeError):
    """A variable is not set, or has an unsupported value. It makes a function fail at init."""


def required(name: str) -> str:
    """Raises InvalidSetting, naming the variable."""
    value = os.environ.get(name)
    if not value:
        raise InvalidSetting(f"the environment variable {name} is not set")
    return value


def one_of(name: str, choices: Collection[str], default: str | None = None) -> str:
    """Raises InvalidSetting, naming the variable and the choices."""
    value = required(name) if default is None else optional(name, default)
    if value not in choices:
        raise InvalidSetting(f"the environment variable {name} must be one of {', '.join(choices)}")
    return value


def optional(name: str, default: str) -> str:
    """An empty variable counts as unset."""
    return os.environ.get(name) or default
