"""Why a repository wrote nothing: somebody else was there before."""

from __future__ import annotations


class StaleOrder(Exception):
    """The order is no longer at the version that the write was based on."""


class IdTaken(Exception):
    """Another order has the new order's id; nothing was written."""


class KeyInUse(Exception):
    """A live record of the idempotency key is already there; nothing was written."""
