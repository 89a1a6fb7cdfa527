"""Three loads on a local AWS of its own: `make load`. Fails where a promise was broken."""

from __future__ import annotations

import signal
import sys
from typing import Final

from benchmarks import figures
from benchmarks.load import report
from benchmarks.load.run import BURST, BUSY, LIGHT, PUBLISHER, PublishedEvents, run
from emulator import ROOT, StackError
from local_stack import LocalStack
from offline import free_port
from proof.proxy import Proxy
from proof.stack import Platform

STACK: Final = ROOT / ".local" / "load"


def main() -> None:
    """Run the loads one after the other, and keep their tables."""
    # Stopped by SIGTERM, it stops what it started, as by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    stack, published = LocalStack(STACK, free_port()), PublishedEvents()
    try:
        stack.clean()
        environment = stack.up()
        platform = Platform(stack)
        with Proxy(stack.endpoint, published) as proxy:
            platform.route_through(proxy, only={PUBLISHER})
            outcomes = [
                run(profile, platform, environment, published) for profile in (LIGHT, BUSY, BURST)
            ]
    except StackError as error:
        raise SystemExit(f"\n{error}") from error
    finally:
        stack.stop()
    figures.keep("load", report.lines(outcomes), report.values(outcomes))
    if report.verdicts(outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
