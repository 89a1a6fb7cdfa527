"""Every shell block of the README and of docs/api.md runs as printed, one after another.

A block fenced as `sh` runs, unless it begins with `make`: that is about the stack, and the tests
have one. A block fenced as `http` shows what the `sh` block before it prints with `curl -i`. It may
leave out headers and members of the body (`…`), but what it shows must be so.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from emulator import ROOT
from local_stack import sample_order
from system.deployment import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from system.deployment import Deployment, Json

FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A command, and what the page shows that it prints."""

    command: str
    shown: str


def blocks(page: str) -> list[Block]:
    fences = FENCE.findall((ROOT / page).read_text(encoding="utf-8"))
    return [
        Block(content, shown if language_of_next == "http" else "")
        for (language, content), (language_of_next, shown) in pairwise([*fences, ("", "")])
        if language == "sh" and not content.startswith("make ")
    ]


def responses(printed: str) -> list[Json]:
    """Every response in a text; `…` before a bracket stands for further members."""
    complete = re.sub(r",?\s*…(?=\s*[}\]])", "", printed.replace("\r", ""))
    found: list[Json] = []
    for text in re.split(r"HTTP/[\d.]+ (?=\d{3})", complete)[1:]:
        head, _, body = text.partition("\n\n")
        status, *headers = head.strip().split("\n")
        found.append(
            {"status": int(status[:3])}
            | {"headers": dict(line.lower().split(": ", 1) for line in headers)}
            | ({"body": json.loads(body)} if body.strip() else {})
        )
    return found


def agrees(shown: object, actual: object) -> bool:
    """A text with a digit in it is an example of an id, a number, a time; so is one with `…`."""
    if isinstance(shown, dict) and isinstance(actual, dict):
        return all(key in actual and agrees(value, actual[key]) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(actual, list):
        return len(shown) <= len(actual) and all(map(agrees, shown, actual))
    if isinstance(shown, str) and isinstance(actual, str):
        return shown == actual or re.search(r"[\d…]", shown) is not None
    return bool(shown == actual)


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_every_shell_block_prints_the_response_that_the_page_shows(
    deployment: Deployment, tmp_path: Path, page: str
) -> None:
    customer, staff = deployment.new_customer(), deployment.staff
    settings = {
        "API_URL": deployment.stack.api_url,
        "CUSTOMER_TOKEN": customer.token,
        "STAFF_TOKEN": staff.token,
        "CUSTOMER_ID": customer.id,
    }
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "env").write_text(
        "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    )
    (tmp_path / ".local" / "order.json").write_text(json.dumps(sample_order(customer.id)))
    customer.place()
    eventually(lambda: staff.http.get("/events").json()["items"], bool)

    steps = blocks(page)
    script = "\n".join(f"{step.command}\nprintf '\\0'" for step in steps)
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = run.stdout.split("\0")
    assert run.returncode == 0, f"{steps[len(printed) - 1].command}\n{printed[-1]}\n{run.stderr}"

    for step, output in zip(steps, printed, strict=False):
        shown, actual = responses(step.shown), responses(output)
        assert len(shown) == len(actual), f"{step.command}\n{output}"
        assert agrees(shown, actual), f"{step.command}\n{step.shown}\nprinted:\n{output}"
