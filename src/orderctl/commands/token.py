"""`token`: tokens for the API of the local stack."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

from local_stack import LocalStack
from orderctl.app import AsJson, Problem, Role, StageName, app, examples, needs
from orderctl.stage import LOCAL_DIRECTORY, find_stage
from orderctl.terminal import Terminal


@app.command(epilog=examples("token", "token --json | jq -r .STAFF_TOKEN"))
@needs(Role.READER, {"cloudformation:DescribeStacks": "the stack"})
def token(stage_name: StageName = None, *, as_json: AsJson = False) -> None:
    """Sign in a customer and a staff member of the local stack: `eval "$(./orderctl token)"`."""
    stage, terminal = find_stage(stage_name), Terminal(as_json=as_json)
    if not stage.is_local:
        raise Problem(
            f"Tokens for {stage.name} come from its issuer: sign in there. Only the local stack "
            "has users of its own."
        )
    port = urlsplit(stage.api_url).port or 0
    environment = LocalStack(LOCAL_DIRECTORY, port).sign_in_users()
    if as_json:
        terminal.json(environment)
    for name, value in environment.items():
        terminal.print(f"{name}={shlex.quote(value)}")
