"""The last release and this code on one table: each reads and goes on with what the other wrote.

Both run under Lambda's runtime client, each from its own source with its own libraries. They get
the same requests, and what the release responds with is in what this code responds with.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import pytest

from benchmarks.process import Code, Process
from benchmarks.systems import OURS, deployed, function_of
from check_compatibility import entries
from environments import uv_pip
from gateway import CUSTOMER_CLAIMS, MERGE_PATCH, STAFF_CLAIMS, order_body, request
from last_release import ROOT, UnknownRelease, last_release
from orders.adapters.dynamodb import keys
from orders.adapters.mock_payments import APPROVE
from orders.adapters.system import RandomIds
from orders.domain import timestamps
from prerequisites import missing
from proof.oracle import ROUTES, STALE_AFTER, STATUSES, Shows
from sample_requests import parameters, sample_target
from servers import aws_client, dynamodb_local, ministack
from stream_records import batch, failures, message, stream_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway import Event
    from last_release import Release

Item = dict[str, Any]

RECORD: Final = "IDEMPOTENCY RECORD"
"""The one kind of row that a release may break: it serves retries, and lasts a day."""
PAGES: Final = {Shows.SUMMARIES, Shows.TIMELINE, Shows.FEED}
SHOW_ROWS: Final = PAGES | {Shows.ORDER, Shows.REPORT}


class Source(NamedTuple):
    """A release's files, and where its libraries are if they are not this environment's."""

    root: Path
    libraries: Path | None = None
    breaking: str = ""
    """What the changelog says has broken since."""

    @property
    def functions(self) -> set[str]:
        modules = (self.root / "src" / "orders" / "functions").glob("*.py")
        return {
            module.stem.replace("_", "-")
            for module in modules
            if re.search(r"^handler\b", module.read_text(), re.MULTILINE)
        }

    @property
    def kinds_of_rows(self) -> set[str]:
        """As docs/table.md lists them: `ORDER DETAIL`."""
        page = (self.root / "docs" / "table.md").read_text()
        rows = re.findall(r"^\| [^|]+ \| `(\w+)#[^|]+` \| ([^|]+) \|", page, re.MULTILINE)
        return {
            f"{partition} {kind}"
            for partition, sorts in rows
            for kind in re.findall(r"`([A-Z]*)[^`]*`", sorts)
        }

    def settings(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Ours, and what the release's functions had besides."""
        files = [self.root / "serverless.yml", *(self.root / "infra").glob("*functions.yml")]
        names = {
            name
            for file in files
            for name in re.findall(r"^ +([A-Z_]+): ", file.read_text(), re.MULTILINE)
        }
        queues = {
            name: environment["DEAD_LETTER_QUEUE_URL"]
            for name in names
            if name.endswith("QUEUE_URL")
        }
        return queues | dict(environment)


class Functions:
    """As a context manager: the functions of one source."""

    def __init__(self, source: Source, environment: Mapping[str, str]) -> None:
        self.source, self.environment = source, environment
        path = [source.root / "src", *([source.libraries] if source.libraries else [])]
        addresses = {"AWS_ENDPOINT_URL": dynamodb_local(), "AWS_ENDPOINT_URL_SQS": ministack()}
        self._code = Code(source.settings(environment) | addresses, path)
        self._processes: dict[str, Process] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def invoked(self) -> set[str]:
        return {*self._processes}

    def invoke(self, function: str, event: Event) -> Any:  # noqa: ANN401 - whatever it returns
        """Raises AssertionError if it logs anything but information: no row may be left out."""
        if function not in self._processes:
            handler = f"orders.functions.{function.replace('-', '_')}.handler"
            self._processes[function] = self._open.enter_context(Process(self._code, handler))
        handled = self._processes[function].handle([event])
        lines = [json.loads(line) for line in handled.log.splitlines() if line.startswith("{")]
        unusual = [line for line in lines if line.get("level", "INFO") != "INFO"]
        assert not unusual, f"{function}: {unusual}"
        return handled.responses[0]

    def respond(self, event: Event) -> Event:
        """Raises AssertionError if the request is refused."""
        response: Event = self.invoke(function_of(event), event)
        assert response["statusCode"] < 300, response
        return response

    def send(self, event: Event) -> Any:  # noqa: ANN401 - whatever the route responds with
        return json.loads(self.respond(event)["body"])

    def get(self, target: str) -> Any:  # noqa: ANN401 - likewise
        return self.send(request("GET", target, claims=STAFF_CLAIMS))

    def create(self, customer: str, **more: object) -> Event:
        """The new order."""
        return self.send(create(customer, **more))  # type: ignore[no-any-return]  # JSON

    def patch(self, order: Event, status: str, **headers: str) -> Event:
        return self.send(change(order, status, **headers))  # type: ignore[no-any-return]  # JSON

    def publish(self, order: Event, version: int = 1) -> Event:
        """Send an event from its row; return the message that arrives in the queue."""
        key = keys.event(order["orderId"], version)
        record = stream_record("INSERT", None, key)
        record["dynamodb"]["NewImage"] = item(self.environment, key)
        assert failures(self.invoke("publish-order-events", batch(record))) == []
        sqs, queue = aws_client("sqs", ministack()), self.environment["QUEUE_URL"]
        (sent,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=sent["ReceiptHandle"])
        return json.loads(sent["Body"])  # type: ignore[no-any-return]  # JSON

    def settle(self, event: Event) -> None:
        assert failures(self.invoke("settle-payments", batch(message(json.dumps(event))))) == []


def create(customer: str, **more: object) -> Event:
    headers = {"idempotency_key": str(more.pop("key"))} if "key" in more else {}
    body = order_body(customerId=customer, metadata={"channel": "web"}, **more)
    return request(
        "POST", "/orders", body, claims=CUSTOMER_CLAIMS | {"sub": customer}, headers=headers
    )


def change(order: Event, status: str, **headers: str) -> Event:
    body = {"status": status, "reason": "asked for"}
    headers = {"content_type": MERGE_PATCH} | headers
    return request(
        "PATCH", f"/orders/{order['orderId']}", body, claims=STAFF_CLAIMS, headers=headers
    )


def item(environment: Mapping[str, str], key: keys.Key) -> Item:
    """A row, in DynamoDB's JSON."""
    found: Item = aws_client("dynamodb", dynamodb_local()).get_item(
        TableName=environment["TABLE_NAME"],
        Key={name: {"S": value} for name, value in key.items()},
    )["Item"]
    return found


def all_items(environment: Mapping[str, str]) -> list[Item]:
    database = aws_client("dynamodb", dynamodb_local())
    found: list[Item] = database.scan(TableName=environment["TABLE_NAME"])["Items"]
    return found


def kind_of(row: Item) -> str:
    partition, sort = row["pk"]["S"].partition("#")[0], row["sk"]["S"]
    return f"{partition} {re.match('[A-Z]*', sort)[0]}"  # type: ignore[index]  # it always matches


def made_stale(environment: Mapping[str, str], order: Event) -> Event:
    """Move an order's rows to a day so long ago that it expires: an id holds its time."""
    at = datetime.now(UTC) - STALE_AFTER - timedelta(days=1)
    new = RandomIds().order_id(at)
    while keys.shard_of(new) != keys.shard_of(order["orderId"]):
        new = RandomIds().order_id(at)
    database = aws_client("dynamodb", dynamodb_local())
    for row in all_items(environment):
        text = json.dumps(row)
        if order["orderId"] in text:
            text = text.replace(order["orderId"], new)
            moved = json.loads(text.replace(order["createdAt"], timestamps.to_text(at)))
            database.put_item(TableName=environment["TABLE_NAME"], Item=moved)
            key = {name: row[name] for name in ("pk", "sk")}
            database.delete_item(TableName=environment["TABLE_NAME"], Key=key)
    return order | {"orderId": new}


def agree(older: object, newer: object, where: str = "") -> None:
    """All that the release says, this code says too; cursors are its own."""
    if isinstance(older, dict):
        assert isinstance(newer, dict), where
        for name in older.keys() - {"nextCursor"}:
            assert name in newer, f"{where}.{name} is missing"
            agree(older[name], newer[name], f"{where}.{name}")
    elif isinstance(older, list):
        assert isinstance(newer, list), where
        assert len(older) == len(newer), where
        for number, pair in enumerate(zip(older, newer, strict=True)):
            agree(*pair, f"{where}[{number}]")
    else:
        assert older == newer, where


class TwoReleases:
    """`older` and `newer` on one table, one of which is the `writer`, the other the `reader`."""

    def __init__(self, older: Functions, newer: Functions, *, writer: str) -> None:
        self.older, self.newer = older, newer
        self.writer, self.reader = (older, newer) if writer == "older" else (newer, older)
        self.customer, self.key = str(uuid.uuid4()), str(uuid.uuid4())
        self.known = older.source.functions & newer.source.functions
        self.reads = [
            key
            for key, route in ROUTES.items()
            if key.startswith("GET ") and route.shows in SHOW_ROWS and route.function in self.known
        ]

    def check(self) -> None:
        self.write()
        self.read()
        self.walk()
        if f"`{RECORD}`" in self.older.source.breaking:
            with pytest.raises(AssertionError, match="idempotency record"):
                self.retry()
        else:
            self.retry()
        self.go_on()
        self.read()
        self.report()
        used = {name for name, one in deployed().items() if "TABLE_NAME" in one.environment}
        assert self.reader.invoked == (used | {"publish-order-events"}) & self.known

    def write(self) -> None:
        """Every kind of row, and an order in each status; three are left for the reader."""
        writer, customer = self.writer, self.customer
        first = writer.create(customer, paymentToken=APPROVE, key=self.key)
        writer.settle(writer.publish(first))
        self.pending, self.to_settle, to_expire, to_cancel = (
            writer.create(customer, paymentToken=APPROVE) for _ in range(4)
        )
        self.shipped = writer.patch(first, "SHIPPED", idempotency_key=self.key)
        writer.patch(to_cancel, "CANCELED")
        self.day = first["createdAt"][:10]
        writer.invoke("daily-report", {"date": self.day})
        self.to_expire = made_stale(writer.environment, to_expire)
        self.orders = [first, self.pending, self.to_settle, self.to_expire, to_cancel]
        kinds = {kind_of(row) for row in all_items(writer.environment)}
        assert kinds == writer.source.kinds_of_rows

    def targets(self, key: str) -> set[str]:
        """The route about each order, each status, each day that there is."""
        found = {
            sample_target(
                key,
                orderId=order["orderId"],
                customerId=self.customer,
                date=self.day,
                status=status,
            )
            for order in self.orders
            for status in STATUSES
        }
        if any(each["name"] == "consistent" for each in parameters(key)):
            found |= {f"{target}?consistent=true" for target in found}
        return found

    def read(self) -> None:
        for key in self.reads:
            for target in self.targets(key):
                agree(self.older.get(target), self.newer.get(target), target)

    def walk(self) -> None:
        """Page by page, each release with the other's cursor."""
        for key in self.reads:
            for target in self.targets(key) if ROUTES[key].shows in PAGES else ():
                whole = self.older.get(target)["items"]
                walked: list[Event] = []
                cursor = ""
                joint = "&" if "?" in target else "?"
                while len(walked) < len(whole):
                    asked = (self.reader, self.writer)[len(walked) % 2]
                    page = asked.get(f"{target}{joint}limit=1{cursor}")
                    walked += page["items"]
                    assert page["items"]
                    cursor = f"&cursor={page['nextCursor']}"
                agree(whole, walked, target)

    def retry(self) -> None:
        """A key that the writer used gets the writer's response from the reader."""
        for event in (
            create(self.customer, paymentToken=APPROVE, key=self.key),
            change(self.shipped, "SHIPPED", idempotency_key=self.key),
        ):
            first, again = self.writer.respond(event), self.reader.respond(event)
            assert again["body"] == first["body"]
            assert again["headers"]["Idempotent-Replayed"] == "true"

    def go_on(self) -> None:
        """The reader publishes, settles, changes and expires what the writer wrote."""
        events = self.older.publish(self.to_settle), self.newer.publish(self.to_settle)
        agree(*events, "event")
        for event in events:
            self.reader.settle(event)
        self.reader.patch(self.pending, "PAID")
        self.writer.patch(self.pending, "SHIPPED")
        assert self.reader.invoke("expire-stale-orders", {})["expired"] == 1
        statuses = {
            order["orderId"]: self.writer.get(f"/orders/{order['orderId']}")["status"]
            for order in (self.to_settle, self.pending, self.to_expire)
        }
        assert [*statuses.values()] == ["PAID", "SHIPPED", "CANCELED"]

    def report(self) -> None:
        """Either makes the report of a day that both wrote on."""
        reports = []
        for functions in (self.older, self.newer):
            functions.invoke("daily-report", {"date": self.day})
            reports.append(self.reader.get(f"/reports/daily/{self.day}"))
        assert [each["leftOut"] for each in reports] == [0, 0]
        assert reports[0]["orders"] == reports[1]["orders"]


def released(release: Release, directory: Path) -> Source:
    """Its files and libraries."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    breaking = entries(changelog.partition(f"## [{release.version}]")[0], "Breaking:")
    archive = subprocess.run(
        ["git", "archive", release.commit], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(directory, filter="data")
    libraries = directory / "libraries"
    try:
        uv_pip(
            "install", "--no-deps", "--require-hashes", "--python", sys.executable,
            "--target", str(libraries),
            "--requirement", str(directory / "requirements" / "lambda.txt"),
        )  # fmt: skip
    except SystemExit as failure:
        missing(f"The libraries of {release.version} can't be installed: {failure}")
    return Source(directory, libraries, breaking)


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Source:
    try:
        release = last_release()
    except UnknownRelease as reason:
        missing(str(reason))
    print(f"The last release: {release.version} ({release.found})")
    return released(release, tmp_path_factory.mktemp("release"))


def check(older: Source, *, writer: str) -> None:
    environment = OURS.set_up(dynamodb_local(), ministack()) | {"FEED_DELAY_SECONDS": "0"}
    with Functions(older, environment) as old, Functions(Source(ROOT), environment) as new:
        TwoReleases(old, new, writer=writer).check()


@pytest.mark.parametrize("writer", ["older", "newer"])
def test_each_reads_and_goes_on_with_what_the_other_wrote(last: Source, writer: str) -> None:
    check(last, writer=writer)


@pytest.mark.parametrize(
    ("module", "text", "instead", "what"),
    [
        ("rows.py", "SCHEMA_VERSION: Final = 1", "SCHEMA_VERSION: Final = 2", "row left out"),
        ("rows.py", '"quantity"', '"count"', "order .* can't be read: no 'quantity'"),
        ("rows.py", '"response"', '"answer"', "idempotency record .* can't be read"),
        ("keys.py", "CUST_ORDERS#", "CUSTOMER_ORDERS#", "^/customers/.*/orders.items"),
    ],
)
def test_a_release_with_other_rows_is_found(
    tmp_path: Path, module: str, text: str, instead: str, what: str
) -> None:
    """A pretended one: this code with one change."""
    for part in ("docs", "infra", "src", "serverless.yml"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    changed = tmp_path / "src" / "orders" / "adapters" / "dynamodb" / module
    before = changed.read_text()
    assert text in before
    changed.write_text(before.replace(text, instead))
    with pytest.raises(AssertionError, match=what):
        check(Source(tmp_path), writer="older")
