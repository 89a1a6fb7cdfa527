"""Whose CPU time a load took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import psutil

if TYPE_CHECKING:
    from psutil._common import pcputimes

_FUNCTION: Final = "_worker.py"
"""What the emulator runs each function's processes with."""


class CpuSeconds(NamedTuple):
    """The emulator is gateway, table, stream, queue and logs in one process."""

    emulator: float
    functions: float
    clients: float

    def since(self, before: CpuSeconds) -> CpuSeconds:
        """Return what was used since then."""
        return CpuSeconds(*(now - then for now, then in zip(self, before, strict=True)))


def used(emulator: int) -> CpuSeconds:
    """Return what was used until now; the clients are those of this process that have ended."""
    first = psutil.Process(emulator)
    all_functions = all_emulator = 0.0
    for process in (first, *first.children(recursive=True)):
        times = process.cpu_times()
        if any(part.endswith(_FUNCTION) for part in process.cmdline()):
            all_functions += _own(times)
        else:
            all_emulator += _own(times)
            all_functions += _ended(times)
    return CpuSeconds(all_emulator, all_functions, _ended(psutil.Process().cpu_times()))


def _own(times: pcputimes) -> float:
    return float(times.user + times.system)


def _ended(times: pcputimes) -> float:
    """Of a process's children that it has waited for."""
    return float(times.children_user + times.children_system)
