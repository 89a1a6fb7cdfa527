"""Three loads on a local AWS of its own: `make load`. Fails where a promise was broken."""

from __future__ import annotations

import signal
import sys
from typing import Final

from benchmarks import figures
from benchmarks.load import plot, report
from benchmarks.load.aftermath import PUBLISHER, SentEvents
from benchmarks.load.profiles import PROFILES
from benchmarks.load.run import run
from local_stack import ROOT, LocalStack, StackError
from offline import free_port
from proof.proxy import Proxy
from proof.stack import Platform

STACK: Final = ROOT / ".local" / "load"
PLOT: Final = ROOT / "benchmarks" / "load.png"


def main() -> None:
    """Run the loads one after the other, and leave their tables and the plot."""
    # Stopped by SIGTERM, it stops what it started, as by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    stack, sent = LocalStack(STACK, free_port()), SentEvents()
    try:
        stack.clean()
        environment = stack.up()
        platform = Platform(stack)
        with Proxy(stack.endpoint, sent) as proxy:
            platform.route_through(proxy, only={PUBLISHER})
            outcomes = [run(profile, platform, environment, sent) for profile in PROFILES]
    except StackError as error:
        raise SystemExit(f"\n{error}") from error
    finally:
        stack.down()
    plot.draw(outcomes, PLOT)
    figures.keep("load", report.lines(outcomes), report.values(outcomes))
    sys.stdout.write(f"\nLatency over time: {PLOT.relative_to(ROOT)}\n")
    if report.verdicts(outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
