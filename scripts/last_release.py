"""Finds the last release in git: the newest version tag before this code.

Until there is a tag, the commit that last wrote VERSION stands for it. A release itself has the one
before as its last.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class UnknownRelease(Exception):
    """Says what this checkout lacks, and what to type."""


class Release(NamedTuple):
    """`found` says where: a tag, or the commit that stands for one."""

    version: str
    commit: str
    found: str

    def read(self, path: str) -> str:
        """Return a file as it was released."""
        return _git("show", f"{self.commit}:{path}")

    def names(self, directory: str) -> list[str]:
        """Return the files that a directory had."""
        return _git("ls-tree", "--name-only", f"{self.commit}:{directory}").split()


def last_release() -> Release:
    """Return it, or raise UnknownRelease."""
    if not (ROOT / ".git").exists():
        raise UnknownRelease("The last release is found in git, and this is not a clone.")
    try:
        _git("rev-parse", "HEAD")
    except FileNotFoundError:
        raise UnknownRelease("The last release is found in git, which is not installed.") from None
    except subprocess.CalledProcessError as error:  # such as a clone of another user's
        raise UnknownRelease(f"git can't read this clone: {error.stderr.strip()}") from None
    since = _newest_commit_before_this_code()
    try:
        tag = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", since).strip()
    except subprocess.CalledProcessError:
        return _untagged(since)
    return Release(tag.removeprefix("v"), _git("rev-list", "-1", tag).strip(), f"tag {tag}")


def _newest_commit_before_this_code() -> str:
    if _git("status", "--porcelain", "--untracked-files=no"):  # this code isn't committed yet
        return "HEAD"
    try:
        return _git("rev-parse", "--verify", "HEAD^").strip()
    except subprocess.CalledProcessError:  # the first commit, or a shallow clone's
        return "HEAD"


def _untagged(since: str) -> Release:
    if _git("rev-parse", "--is-shallow-repository").strip() == "true":
        raise UnknownRelease(
            "The last release is not in this clone, which is shallow: git fetch --unshallow --tags"
        )
    commit = _git("log", "-1", "--format=%H", since, "--", "VERSION").strip()
    if not commit:
        raise UnknownRelease("There is none: no earlier commit wrote VERSION.")
    version = _git("show", f"{commit}:VERSION").strip()
    return Release(version, commit, f"no tag v{version}: commit {commit[:7]} wrote it to VERSION")


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout
