"""What is uploaded to Lambda: the zip's size, and what in it is large."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Final

from benchmarks import figures
from benchmarks.gates import ARTEFACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LARGEST: Final = 8


def main() -> None:
    """Build it, and keep its figures."""
    script = figures.ROOT / "scripts" / "build_artifact.py"
    subprocess.run([sys.executable, str(script), "--output", str(ARTEFACT)], check=True)
    zipped: Counter[str] = Counter()
    unpacked: Counter[str] = Counter()
    with zipfile.ZipFile(ARTEFACT) as archive:
        for entry in archive.infolist():
            package = entry.filename.partition("/")[0]
            zipped[package] += entry.compress_size
            unpacked[package] += entry.file_size
    values = {
        "zipped_bytes": ARTEFACT.stat().st_size,
        "unpacked_bytes": unpacked.total(),
        "packages": dict(zipped.most_common(LARGEST)),
    }
    figures.keep("artefact", list(_report(values, unpacked)), values)


def _report(values: Mapping[str, object], unpacked: Mapping[str, int]) -> Iterator[str]:
    yield from (
        "### Artefact",
        "",
        f"{values['zipped_bytes']:,} bytes zipped, {values['unpacked_bytes']:,} unpacked, with",
        "bytecode, for arm64. The largest packages in it:",
        "",
        "| | Zipped | Unpacked |",
        "|---|--:|--:|",
    )
    packages = values["packages"]
    assert isinstance(packages, dict)  # noqa: S101 - made above
    for package, size in packages.items():
        yield f"| {package} | {size:,} | {unpacked[package]:,} |"


if __name__ == "__main__":
    main()
