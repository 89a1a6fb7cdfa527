"""`make smoke`. Exit codes: 0 every claim holds, 1 one doesn't, 2 wrong usage."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

import httpx

from orderctl.aws import EXPLAINED, explain
from smoke.claims import CLAIMS, Failed, NotApplicable, NotTried, Run
from smoke.report import Outcome, Report, Row
from smoke.session import Session
from smoke.target import WrongUsage, read_target

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED: Final = 1
WRONG_USAGE: Final = 2
LIMIT_SECONDS: Final = 90
"""The tokens are good for longer: the clean-up needs them still."""

CLEAN_UP: Final = "Every order of this run is canceled"


def main() -> int:
    """Claim, clean up whatever happens, and print what was seen."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # not every terminal has every character
    started = datetime.now(UTC)
    try:
        target = read_target(os.environ, started.timestamp())
        session = Session(target)
    except WrongUsage as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USAGE
    except (ImportError, OSError, ValueError) as error:  # of HTTPS_PROXY, SSLKEYLOGFILE ...
        sys.stderr.write(f"A variable of the environment can't be used: {error}\n")
        return WRONG_USAGE
    with session:
        run = Run(session)
        rows = smoke(run)
    report = Report(target, run.version, started, rows)
    report.write(sys.stdout)
    return FAILED if report.has_failed else 0


def smoke(run: Run) -> list[Row]:
    """Try each claim in turn, and cancel the orders that this took."""
    rows: list[Row] = []
    signal.signal(signal.SIGALRM, out_of_time)
    signal.alarm(LIMIT_SECONDS)
    try:
        for claim in CLAIMS:
            rows.append(tried(claim.text, lambda claim=claim: claim.holds(run)))  # type: ignore[misc]  # its default is its value
            if rows[0].outcome is Outcome.FAILED:
                sys.stderr.write("The API isn't there, or isn't well: nothing else was tried.\n")
                break
    except KeyboardInterrupt as reason:
        signal.alarm(0)
        seen = str(reason) or "interrupted"
        rows.append(Row("All claims were tried", seen, 0, Outcome.FAILED))
        sys.stderr.write(f"{seen.capitalize()}. Canceling the orders of this run ...\n")
    finally:
        signal.alarm(0)
    rows.append(tried(CLEAN_UP, lambda: clean_up(run.session)))
    return rows


def out_of_time(*_: object) -> None:
    """Raises KeyboardInterrupt: what was begun is cleaned up in the same way."""
    raise KeyboardInterrupt(f"not within {LIMIT_SECONDS} s")


def clean_up(session: Session) -> str:
    """Raises Failed: some orders may be left."""
    made = len(session.left)
    with suppress(KeyboardInterrupt):
        session.cancel_all()
    if session.left:
        raise Failed(f"these may be left; cancel them at the desk: {', '.join(session.left)}")
    return f"{made} orders"


def tried(text: str, hold: Callable[[], str]) -> Row:
    """The row of a claim."""
    started = time.perf_counter()
    try:
        seen, outcome = hold(), Outcome.OK
    except NotApplicable as error:
        seen, outcome = str(error), Outcome.NOT_APPLICABLE
    except NotTried as error:
        seen, outcome = str(error), Outcome.NOT_TRIED
    except Failed as error:
        seen, outcome = str(error), Outcome.FAILED
    except httpx.HTTPError as error:
        seen, outcome = f"no response: {type(error).__name__} {error}", Outcome.FAILED
    except EXPLAINED as error:
        seen, outcome = explain(error), Outcome.FAILED
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # A response of another form than is documented.
        seen, outcome = f"the response can't be read: {error!r}", Outcome.FAILED
    return Row(text, seen, (time.perf_counter() - started) * 1000, outcome)


if __name__ == "__main__":
    sys.exit(main())
