"""Runs actors in every order of their steps.

An actor is a thread that stops before each call of a `Stepwise` object. Only one runs at a time,
and which one goes on at each stop is a choice; the sequences of choices are tried one by one.
"""

from __future__ import annotations

from threading import Semaphore, Thread, local
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_INTERRUPTIONS: Final = 2

_here: Final = local()


class Actor(Thread):
    """Runs `work` step by step; what it raises is kept in `error`."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.error: Exception | None = None
        self.is_done = False
        self._go = Semaphore(0)
        self._stopped = Semaphore(0)
        self.start()

    def run(self) -> None:
        _here.actor = self
        self._go.acquire()
        try:
            self.work()
        except Exception as error:  # noqa: BLE001 - kept for whoever runs the actor
            self.error = error
        self.is_done = True
        self._stopped.release()

    def step(self) -> None:
        """Let it run to its next stop."""
        self._go.release()
        self._stopped.acquire()

    def stop(self) -> None:
        self._stopped.release()
        self._go.acquire()


class Stepwise:
    """Stops the actor that calls it before each call, then passes the call on."""

    def __init__(self, target: object) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the target has
        method = getattr(self._target, name)

        def call(*arguments: object, **named: object) -> object:
            actor: Actor | None = getattr(_here, "actor", None)
            if actor:
                actor.stop()
            return method(*arguments, **named)

        return call


def each_interleaving(
    actors: Callable[[], Sequence[Callable[[], object]]],
) -> Iterator[list[Exception | None]]:
    """Makes the actors anew for each order of their steps; yields what they raised in it.

    Orders in which an actor that could go on is interrupted more than `MAX_INTERRUPTIONS` times
    are left out: there are very many, and what goes wrong goes wrong in few interruptions
    (Musuvathi and Qadeer, "Iterative Context Bounding", 2007).
    """
    choices: list[int] = []
    while True:
        cast = [Actor(work) for work in actors()]
        trail: list[tuple[int, int]] = []
        interruptions = 0
        running: Actor | None = None
        while ready := [actor for actor in cast if not actor.is_done]:
            goes_on = running is not None and not running.is_done
            if running and goes_on:
                ready = [running, *(actor for actor in ready if actor is not running)]
            options = 1 if goes_on and interruptions == MAX_INTERRUPTIONS else len(ready)
            chosen = choices[len(trail)] if len(trail) < len(choices) else 0
            trail.append((chosen, options))
            interruptions += goes_on and chosen != 0
            running = ready[chosen]
            running.step()
        yield [actor.error for actor in cast]
        while trail and trail[-1][0] + 1 == trail[-1][1]:
            trail.pop()
        if not trail:
            return
        choices = [chosen for chosen, _ in trail]
        choices[-1] += 1
