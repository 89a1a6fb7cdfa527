"""What is uploaded to Lambda: the zip's size, and what in it is large."""

from __future__ import annotations

import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Final

from benchmarks import figures
from benchmarks.gates import build_artefact

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST: Final = 8


def main() -> None:
    """Build it, and keep its figures."""
    artefact = build_artefact()
    zipped: Counter[str] = Counter()
    unpacked: Counter[str] = Counter()
    with zipfile.ZipFile(artefact) as archive:
        for entry in archive.infolist():
            package = entry.filename.partition("/")[0]
            zipped[package] += entry.compress_size
            unpacked[package] += entry.file_size
    size = artefact.stat().st_size
    values = {
        "zipped_bytes": size,
        "unpacked_bytes": unpacked.total(),
        "packages": dict(zipped.most_common(LARGEST)),
    }
    figures.keep("artefact", _report(size, zipped, unpacked), values)


def _report(size: int, zipped: Counter[str], unpacked: Counter[str]) -> Iterator[str]:
    yield from (
        "### Artefact",
        "",
        f"{size:,} bytes zipped, {unpacked.total():,} unpacked, with",
        "bytecode, for arm64. The largest packages in it:",
        "",
        "| | Zipped | Unpacked |",
        "|---|--:|--:|",
    )
    for package, packed in zipped.most_common(LARGEST):
        yield f"| {package} | {packed:,} | {unpacked[package]:,} |"


if __name__ == "__main__":
    main()
