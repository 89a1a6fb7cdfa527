"""`pause` and `resume`: a function's triggers, switched off and on."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from orderctl.app import AsJson, NothingToDo, Problem, Role, StageName, Yes, app, examples, needs
from orderctl.operations import RECORDS, recorded
from orderctl.sending import queue_name
from orderctl.stage import find_stage
from orderctl.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orderctl.stage import Stage

_SWITCH_SECONDS: Final = 120
"""AWS takes up to a minute to switch a trigger."""

_NEEDS: Final = {
    "cloudformation:DescribeStacks": "the stack",
    "cloudformation:ListStackResources": "the stack",
    "lambda:ListEventSourceMappings": "*",
    "lambda:UpdateEventSourceMapping": "the triggers",
    "sqs:GetQueueAttributes": "the queues",
    **RECORDS,
}

Function = Annotated[
    str,
    typer.Argument(
        metavar="FUNCTION", help="settle-payments, publish-order-events, or a consumer of your own."
    ),
]


@app.command(
    epilog=examples("pause settle-payments", "pause publish-order-events --stage prod --yes")
)
@needs(Role.OPERATOR, _NEEDS)
def pause(
    function: Function, stage_name: StageName = None, *, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Switch a function's trigger off. What it would process waits."""
    _switch(find_stage(stage_name), Terminal(as_json=as_json), function, yes=yes, on=False)


@app.command(epilog=examples("resume settle-payments", "resume settle-payments --stage prod --yes"))
@needs(Role.OPERATOR, _NEEDS)
def resume(
    function: Function, stage_name: StageName = None, *, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Switch a function's trigger on. It continues where it stopped."""
    _switch(find_stage(stage_name), Terminal(as_json=as_json), function, yes=yes, on=True)


def _switch(stage: Stage, terminal: Terminal, function: str, *, yes: bool, on: bool) -> None:
    triggers = find_triggers(stage, function)
    wanted = "Enabled" if on else "Disabled"
    if all(one["State"] == wanted for one in triggers):
        raise NothingToDo(f"The trigger of {function} is {'on' if on else 'off'} already.")
    for consequence in dict.fromkeys(_consequence(stage, one, on=on) for one in triggers):
        terminal.note(consequence)
    verb = "Resume" if on else "Pause"
    terminal.confirm(f"{verb} {function} on {stage.name}?", yes=yes)
    with recorded(stage, verb.lower(), function=function):
        for one in triggers:
            stage.client("lambda").update_event_source_mapping(UUID=one["UUID"], Enabled=on)
        deadline = time.monotonic() + _SWITCH_SECONDS
        while any(one["State"] != wanted for one in find_triggers(stage, function)):
            if time.monotonic() > deadline:
                raise Problem(f"The trigger of {function} is still not {wanted.lower()}.")
            time.sleep(0.5)
    terminal.print(f"{function} is {'on' if on else 'paused'}.")
    if terminal.as_json:
        terminal.json({"function": function, "state": wanted})


def find_triggers(stage: Stage, function: str) -> list[dict[str, Any]]:
    """AWS's descriptions of the function's triggers. Raises Problem: it has none."""
    triggers = defaultdict(list)
    for one in list_triggers(stage):
        triggers[stage.short_name(one["FunctionArn"])].append(one)
    if function not in triggers:
        known = ", ".join(sorted(triggers))
        raise Problem(f"{function} has no trigger to switch. These have: {known}.")
    return triggers[function]


def list_triggers(stage: Stage) -> list[dict[str, Any]]:
    """AWS's descriptions of the stack's triggers."""
    of_stack = set(stage.resources.get("AWS::Lambda::EventSourceMapping", ()))
    pages = stage.client("lambda").get_paginator("list_event_source_mappings").paginate()
    return [one for page in pages for one in page["EventSourceMappings"] if one["UUID"] in of_stack]


def _waiting(stage: Stage, trigger: Mapping[str, Any]) -> str:
    """How much there is in the trigger's queue; a stream doesn't say."""
    name = trigger["EventSourceArn"].rpartition(":")[2]
    for url in stage.resources.get("AWS::SQS::Queue", ()):
        if queue_name(url) == name:
            attributes = stage.client("sqs").get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            return f"{name}: {attributes['ApproximateNumberOfMessages']} waiting. "
    return ""


def _consequence(stage: Stage, trigger: Mapping[str, Any], *, on: bool) -> str:
    """What happens to the waiting work."""
    if on:
        return f"{_waiting(stage, trigger)}It continues with what waits, oldest first."
    if ":dynamodb:" in trigger["EventSourceArn"]:
        return (
            "Events stay in the stream, unpublished. Resume within 20 hours: after 24 the stream "
            f"forgets them, and `{stage.command('replay')}` has to send them."
        )
    return (
        f"{_waiting(stage, trigger)}Orders with a payment token stay PENDING. Resume within 4 "
        f"days: then the queue forgets them, and `{stage.command('replay')}` has to send them."
    )
