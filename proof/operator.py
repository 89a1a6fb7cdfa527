"""An operator, who uses orderctl again and again while clients work and faults strike."""

from __future__ import annotations

import json
import random
import shlex
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from emulator import wait_until
from proof import oracle
from proof.history import OPERATOR, Command
from proof.stack import FEED_DELAY_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from proof.history import Json
    from proof.workload import Notes

_PAUSE: Final = ("pause", oracle.SETTLEMENT)
_RESUME: Final = ("resume", oracle.SETTLEMENT)
_REDRIVE: Final = ("dead-letters", "redrive")

_BEGINNINGS: Final = (_PAUSE, _RESUME, _REDRIVE, ("replay", "--order"), ("replay", "--since"))
"""Of each command. The publisher's trigger is not switched: a run reads the stream itself."""

_FLAGS: Final = ("--yes", "--json")
_NOTHING_TO_DO: Final = 3
_SLOW, _FAST = "20", "1000"
"""Events a second."""
_INTERRUPTED_AFTER: Final = (0.0, 2.0)
_BETWEEN: Final = (0.0, 2.0)
"""Seconds."""
_IDLE_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 120


def left_undone(commands: Sequence[Command]) -> list[str]:
    """What an operator should have done in a run, and these commands did not."""
    done = [command.arguments for command in commands if command.code == 0]
    undone = [
        f"success of orderctl {' '.join(beginning)}"
        for beginning in _BEGINNINGS
        if not any(arguments[:2] == [*beginning] for arguments in done)
    ]
    if not any("--after" in arguments for arguments in done):
        undone.append("replay that went on after a position")
    return undone


class Operator:
    """Runs one command at a time, each in a process of its own, and writes it down."""

    def __init__(
        self,
        environment: Mapping[str, str],
        notes: Notes,
        replayed: Sequence[Json],
        seed: int,
    ) -> None:
        """Choices follow from the seed; the environment says where AWS is.

        `replayed` grows by what the queue takes from the operator.
        """
        self.commands: list[Command] = []
        self._environment = environment
        self._notes = notes
        self._replayed = replayed
        self._choose = random.Random(f"{seed} {OPERATOR}")  # noqa: S311 - to be repeatable

    def run(self, over: Callable[[], bool]) -> None:
        """Do one thing after another, each as often as the others."""
        actions = [self._pause, self._redrive, self._replay_order, self._replay_range]
        while not over():
            self._choose.shuffle(actions)
            for action in actions:
                if not over():
                    action()
                    time.sleep(self._choose.uniform(*_BETWEEN))

    def finish(self) -> None:
        """Leave the trigger on, and no message in the hands of a command that was killed.

        Raises:
            StackError: that can't be done.
        """
        for command in (_RESUME, _REDRIVE):
            wait_until(
                lambda command=command: self._run(*command).code in {0, _NOTHING_TO_DO},  # type: ignore[misc]  # bound early
                _PATIENCE_SECONDS,
                f"`orderctl {shlex.join(command)}` fails, though no fault strikes.",
            )

    def _pause(self) -> None:
        self._run(*_PAUSE)
        time.sleep(self._choose.uniform(*_BETWEEN))
        self._run(*_RESUME)

    def _redrive(self) -> None:
        self._run(*_REDRIVE)

    def _replay_order(self) -> None:
        if known := self._notes.orders:
            self._run("replay", "--order", self._choose.choice(known).order_id)

    def _replay_range(self) -> None:
        """From when an order was made, sometimes of one type. What a Ctrl-C interrupted goes on."""
        until = oracle.instant(datetime.fromtimestamp(time.time() - FEED_DELAY_SECONDS, UTC))
        known = [order.created_at for order in self._notes.orders if order.created_at < until]
        if not known:
            return
        since = self._choose.choice(known[: -(-len(known) // 2)])
        arguments = ["--since", since, "--until", until]
        if self._choose.random() < 0.3:  # noqa: PLR2004 - now and then
            arguments += ["--type", self._choose.choice(oracle.EVENT_TYPES)]
        arguments += ["--rate", _SLOW]
        replay = self._run("replay", *arguments, interrupt=True)
        if replay.output and (rest := json.loads(replay.output).get("continue")):
            arguments = shlex.split(rest)[1:]
            self._run(*(one for one in arguments if one not in _FLAGS), "--rate", _FAST)

    def _run(self, *arguments: str, interrupt: bool = False) -> Command:
        """Run a command to its end, or press Ctrl-C soon after the queue took its first events."""
        start = self._notes.now()
        process = subprocess.Popen(
            [sys.executable, "-m", "orderctl", *arguments, *_FLAGS],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if interrupt:
            before = len(self._replayed)
            while process.poll() is None and len(self._replayed) == before:
                time.sleep(_IDLE_SECONDS)
            time.sleep(self._choose.uniform(*_INTERRUPTED_AFTER))
            process.send_signal(signal.SIGINT)
        output, said = process.communicate()
        command = Command(
            arguments=[*arguments],
            start=start,
            end=self._notes.now(),
            code=process.returncode,
            output=output,
            said=said.rstrip().rpartition("\n")[2],
        )
        self.commands.append(command)
        return command
