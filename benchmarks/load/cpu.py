"""Whose CPU time a load took."""

from __future__ import annotations

from typing import Final, NamedTuple

import psutil

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
        own, ended = _seconds(process)
        if any(part.endswith(_FUNCTION) for part in process.cmdline()):
            all_functions += own
        else:
            all_emulator += own
            all_functions += ended
    return CpuSeconds(all_emulator, all_functions, _seconds(psutil.Process())[1])


def _seconds(process: psutil.Process) -> tuple[float, float]:
    """Return the process's own, and that of the children it has waited for."""
    times = process.cpu_times()
    return times.user + times.system, times.children_user + times.children_system
