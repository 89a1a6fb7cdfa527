"""Installs what is missing, and only that: `python3 scripts/install.py PART...`.

The work is in environments.py. This file and doctor.py run on Pythons that are too old for the
rest, to be able to say so.
"""

import sys

import doctor


def main():
    # type: () -> None
    """Install, or end with what is wrong and what to do about it."""
    python = doctor.python()
    if python.mark == doctor.PROBLEM:
        raise SystemExit("%s.\n%s" % (python.text, python.advice))
    import environments  # noqa: PLC0415 - older Pythons can't read it

    environments.main()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; the next command goes on from here.\n")
        sys.exit(130)
