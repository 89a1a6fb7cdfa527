"""Fails where clients of the last release would break and CHANGELOG.md doesn't say so.

Compares openapi.json and schemas/events with the last release's.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

from interface_changes import Finding, Place, Way, changes_of, changes_of_api, expanded
from last_release import ROOT, UnknownRelease, last_release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from last_release import Release


def main() -> None:
    """Compare, and explain what is wrong."""
    try:
        release = last_release()
    except UnknownRelease as reason:
        if os.environ.get("CI") == "true":
            raise SystemExit(str(reason)) from None
        sys.stdout.write(f"Compatibility was not checked. {reason}\n")
        return
    problem = judged(release, [*dict.fromkeys(findings(release))])
    since = f"{release.version} ({release.found})"
    if problem:
        raise SystemExit(f"Compared with the last release, {since}:\n{problem}")
    sys.stdout.write(f"Clients of {since} go on working, or CHANGELOG.md says what breaks.\n")


def judged(release: Release, found: list[Finding]) -> str:
    """Return what is wrong with CHANGELOG.md and VERSION, in view of the changes; empty if fine."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    headings = re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)
    newest = next(iter(headings), "none")
    if newest != version:
        return (
            f"VERSION says {version}, and CHANGELOG.md's newest version is {newest}: "
            "a release changes both."
        )
    if release.version not in headings:
        return f"CHANGELOG.md has no heading ## [{release.version}]."
    since = changelog.partition(f"## [{release.version}]")[0]
    breaking, wider = entries(since, "Breaking:"), entries(since, "Wider:")
    unsaid = [
        finding
        for finding in found
        if f"`{finding.place.name}`" not in breaking + ("" if finding.is_certain else wider)
    ]
    if unsaid:
        return explained(unsaid, release.version)
    numbers, before = (
        [int(number) for number in re.findall(r"\d+", each)[:3]]
        for each in (version, release.version)
    )
    decisive = 1 if before[0] else 2
    if breaking and numbers != before and numbers[:decisive] == before[:decisive]:
        return (
            f"CHANGELOG.md has entries that begin with Breaking:, so {version} is too little: "
            f"raise VERSION's {('first', 'second')[decisive - 1]} number."
        )
    return ""


def entries(text: str, start: str) -> str:
    """Return the changelog's entries that begin so."""
    found = re.findall(rf"^- {start}.*(?:\n  .*)*", text, re.MULTILINE)
    return "\n".join(found)


def explained(unsaid: list[Finding], version: str) -> str:
    """List the changes and say what to do."""
    certain, uncertain = (
        [finding for finding in unsaid if finding.is_certain is wanted] for wanted in (True, False)
    )
    lines = []
    if certain:
        lines += ["These changes break clients:", *(f"  {finding}" for finding in certain)]
    if uncertain:
        lines += [
            "These may break them, which only you can tell:",
            *(f"  {finding}" for finding in uncertain),
        ]
    lines += [
        "docs/versions.md says what may change. If you mean it, say so in CHANGELOG.md, above",
        f"## [{version}], in an entry with the name and its quotes:",
        f"  - Breaking: ... `{unsaid[0].place.name}` ... and what clients have to do.",
    ]
    if uncertain:
        lines += [f"  - Wider: ... `{uncertain[0].place.name}` ... if all stays valid that was."]
    return "\n".join(lines)


def findings(release: Release) -> Iterator[Finding]:
    """Compare this code's interface with the release's."""
    new = (ROOT / "openapi.json").read_text(encoding="utf-8")
    yield from changes_of_api(json.loads(release.read("openapi.json")), json.loads(new))
    for name in release.names("schemas/events"):
        file = f"schemas/events/{name}"
        place = Place("events", name.removesuffix(".json"))
        if not (ROOT / file).exists():
            yield Finding(place, "is gone")
            continue
        old, new = release.read(file), (ROOT / file).read_text(encoding="utf-8")
        place = Place(f"event {place.name}", place.name)
        yield from changes_of(
            expanded(json.loads(old)), expanded(json.loads(new)), place, Way.RESPONSE
        )


if __name__ == "__main__":
    main()
