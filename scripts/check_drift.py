"""Fails where `make generate` would change a file: it was edited by hand, or not written anew."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Generate everything and name the files that changed; they are left as generated."""
    before = digests()
    generated = subprocess.run(["make", "--no-print-directory", "generate"], cwd=ROOT, check=False)
    if generated.returncode != 0:
        raise SystemExit("`make generate` failed; its output is above.")
    after = digests()
    drifted = sorted(path for path in before | after if before.get(path) != after.get(path))
    if drifted:
        raise SystemExit(
            f"Out of date, now written anew: {', '.join(drifted)}\n"
            "Commit what `make generate` wrote."
        )
    sys.stdout.write("Generated files are up to date.\n")


def digests() -> dict[str, str]:
    """Return the digest of every file that git knows or would take."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        raise SystemExit(
            "git doesn't list the files here, so what `make generate` changes can't be seen: "
            "`make check` needs git, and a clone of your own."
        ) from None
    paths = [path for path in listed.stdout.split("\0") if (ROOT / path).is_file()]
    return {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in paths}


if __name__ == "__main__":
    main()
