"""What was asked of the emulated DynamoDB, asked again of DynamoDB Local, which is stricter."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, Final

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from servers import aws_client, dynamodb_local, table_definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from proof.proxy import Request

CREATES: Final = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
TYPES: Final = {"B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"}
"""How DynamoDB's JSON says of what type a value is."""
INVALID: Final = re.compile(r"Validation|Serialization")
EXPRESSION: Final = re.compile(
    r"attribute_\w+\(|begins_with\(|[=<>] ?:\w|\bBETWEEN\b|\b(SET|REMOVE) "
)


def of_each_form(requests: Iterable[Request]) -> list[Request]:
    """One request of each operation with the same parts, expressions and types of values."""
    return list({form(request): request for request in requests}.values())


def form(request: Request) -> str:
    return f"{request.operation} {json.dumps(without_values(json.loads(request.body)))}"


def without_values(part: Any) -> Any:  # noqa: ANN401 - JSON
    """What is left if only the types of the values matter."""
    if isinstance(part, list):
        return [without_values(one) for one in part]
    if not isinstance(part, dict):
        return part
    if len(part) == 1 and part.keys() <= TYPES:
        return next(iter(part))
    own = {"ClientRequestToken", "Limit"} & part.keys()
    return {name: name if name in own else without_values(part[name]) for name in part}


def refused_by_dynamodb_local(requests: Iterable[Request]) -> list[str]:
    """What it says against a request; that a condition doesn't hold there is nothing against it."""
    client = aws_client("dynamodb", dynamodb_local())
    refused = []
    for request in requests:
        body = json.loads(request.body)
        for name in set(named(body, "TableName")) | set(body.get("RequestItems", ())):
            if name not in client.list_tables()["TableNames"]:
                properties = {key: table_definition()[key] for key in CREATES}
                client.create_table(TableName=name, **properties)
        try:
            getattr(client, xform_name(request.operation))(**body)
        except (BotoCoreError, ClientError) as error:
            if not isinstance(error, ClientError) or INVALID.search(str(error)):
                refused.append(f"{request.caller}: {form(request)}: {error}")
    return refused


def expressions_in(requests: Iterable[Request]) -> set[str]:
    """All that were sent."""
    names = ("Condition", "Filter", "KeyCondition", "Projection", "Update")
    bodies = [json.loads(request.body) for request in requests]
    return {one for name in names for one in named(bodies, f"{name}Expression")}


def named(part: Any, name: str) -> Iterator[Any]:  # noqa: ANN401 - JSON
    """The values that have this name, at any depth."""
    if isinstance(part, dict):
        yield from [part[name]] if name in part else ()
    for inner in (
        part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    ):
        yield from named(inner, name)


def never_sent(source: Path, requests: Iterable[Request]) -> list[str]:
    """The expressions that the code holds, or their parts, and that no request had."""
    sent = expressions_in(requests)
    return [
        f"{path.relative_to(source)}:{node.lineno}: {pattern}"
        for path in sorted(source.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for pattern in [pattern_of(node)]
        if EXPRESSION.search(re.sub(r"\\(.)", r"\1", pattern))
        if "\n" not in pattern  # a docstring
        if not any(re.search(pattern, expression) for expression in sent)
    ]


def pattern_of(node: ast.expr) -> str:
    """What matches the text, with anything in place of what is put in when it runs."""
    if isinstance(node, ast.JoinedStr):
        return "".join(pattern_of(part) for part in node.values)
    return (
        re.escape(node.value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        else ".*"
    )
