"""Figures as the benchmarks' parts keep them, in small; all of them meet their targets."""

from __future__ import annotations

from typing import Any

from benchmarks.functions import COMPARED
from benchmarks.systems import HTTP_FUNCTIONS

Values = dict[str, Any]

_CALLS = {
    "create": {"TransactWriteItems": 1},
    "create with key": {"TransactWriteItems": 1},
    "get": {"GetItem": 1},
    "page of 20": {"Query": 1},
    "update": {"GetItem": 1, "TransactWriteItems": 1},
    "update with key": {"BatchGetItem": 1, "TransactWriteItems": 1},
    "replayed create": {"GetItem": 1, "TransactWriteItems": 1},
    "replayed update": {"BatchGetItem": 1},
    "get, not modified": {"GetItem": 1},
    "page of 20, consistent": {"Query": 1},
    "status page of 20": {"Query": 8},
    "timeline": {"GetItem": 1, "Query": 1},
    "feed page of 100": {"Query": 8},
    "daily report": {"GetItem": 1},
}
_WRITE_UNITS = {"create": 9, "create with key": 11, "update": 10, "update with key": 12}


def functions() -> Values:
    return {
        "ours": {name: {"init_instructions": 1_000} for name in HTTP_FUNCTIONS},
        "typical": {"create-order": {"init_instructions": 10_000}},
        "bare call": {"create-order": {"init_instructions": 500}},
        "cpu ratios": {name: {"typical": [0.05], "bare call": [1.5]} for name in COMPARED},
    }


def operations() -> Values:
    ours = {
        name: {"calls": calls, "write_units": _WRITE_UNITS.get(name, 0), "log_bytes": 700}
        for name, calls in _CALLS.items()
    }
    return {"ours": ours, "typical": dict.fromkeys(("create", "get", "page of 20", "update"))}


def growth() -> Values:
    sizes = ("100", "1000000")
    return {"customer_page_first": {s: {"read_units": 1.5, "bytes_in": 1_000} for s in sizes}}


def artefact() -> Values:
    return {"zipped_bytes": 10_000_000}


def load() -> Values:
    quiet = {"lost_or_doubled": 0, "failed": {}, "all": {"own_p95_ms": 49}}
    return {name: dict(quiet) for name in ("light", "busy", "burst")}
