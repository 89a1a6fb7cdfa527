"""What the simulated event source hands to a function after each of its responses.

A record is named by its sequence number here, a batch by those of its records.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from infrastructure.templates import compiled
from proof.event_source import (
    RETENTION_SECONDS,
    FunctionFailed,
    Mapping,
    NotInvoked,
    StreamSource,
)

NOON = 1_795_435_200
FAILS = FunctionFailed()
THROTTLED = NotInvoked()
OURS = Mapping(batch_size=4, bisect=True, reports_failures=True)
WHOLE = {"bisect": False}
WHOLE_BATCHES = replace(OURS, bisect=False)


def record(number: int, sk: str = "DETAIL", created: float = NOON) -> dict[str, Any]:
    return {
        "eventID": f"event-{number}",
        "eventName": "INSERT",
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/x",
        "dynamodb": {
            "ApproximateCreationDateTime": created,
            "Keys": {"pk": {"S": "ORDER#1"}, "sk": {"S": sk}},
            "SequenceNumber": str(number),
        },
    }


def reports(*numbers: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


class Run:
    """A shard with some records, read for a function that returns these responses, then succeeds.

    A response that is an exception is raised.
    """

    def __init__(self, mapping: Mapping, *responses: object, records: int = 4) -> None:
        self.shard = [record(number) for number in range(1, records + 1)]
        self.responses = list(responses)
        self.batches: list[str] = []
        self.discarded: list[dict[str, Any]] = []
        self.time: float = NOON
        self.destination_is_down = False
        self.source = StreamSource(
            mapping,
            read=self.read,
            invoke=self.invoke,
            on_failure=self.tell,
            now=lambda: self.time,
            function_arn="the function",
            shard_id="the shard",
        )

    def read(self, after: str | None, limit: int) -> list[dict[str, Any]]:
        behind = int(after or 0)
        found = [one for one in self.shard if int(one["dynamodb"]["SequenceNumber"]) > behind]
        return found[:limit]

    def invoke(self, event: dict[str, Any]) -> object:
        numbers = [one["dynamodb"]["SequenceNumber"] for one in event["Records"]]
        self.batches.append(" ".join(numbers))
        response = self.responses.pop(0) if self.responses else reports()
        if isinstance(response, Exception):
            raise response
        return response

    def tell(self, told: dict[str, Any]) -> None:
        if self.destination_is_down:
            raise ConnectionError
        self.discarded.append(told)

    def to_the_end(self) -> list[str]:
        """What the function was handed until nothing was left."""
        while self.source.step():
            pass
        assert self.source.checkpoint == str(len(self.shard))
        return self.batches

    def conditions(self) -> list[tuple[str, int, str, str]]:
        """Why, after how many calls, from where and to where records were given up."""
        return [
            (
                told["requestContext"]["condition"],
                told["requestContext"]["approximateInvokeCount"],
                told["DDBStreamBatchInfo"]["startSequenceNumber"],
                told["DDBStreamBatchInfo"]["endSequenceNumber"],
            )
            for told in self.discarded
        ]


EXHAUSTED = "RetryAttemptsExhausted"


@pytest.mark.parametrize(
    ("settings", "responses", "batches", "given_up"),
    [
        ({}, [], ["1 2 3 4"], []),
        ({}, [reports("3")], ["1 2 3 4", "3 4"], []),
        ({}, [reports("4", "2")], ["1 2 3 4", "2 3 4"], []),
        ({}, [reports("1")], ["1 2 3 4", "1 2 3 4"], []),
        ({}, [reports("2"), reports("2"), reports("4")],
         ["1 2 3 4", "2 3 4", "2 3 4", "4"], []),
        # Bisecting.
        ({}, [FAILS], ["1 2 3 4", "1 2", "3 4"], []),
        ({}, [FAILS, FAILS], ["1 2 3 4", "1 2", "1", "2", "3 4"], []),
        ({}, [FAILS, FAILS, FAILS], ["1 2 3 4", "1 2", "1", "1", "2", "3 4"], []),
        ({}, [FAILS, reports("2")], ["1 2 3 4", "1 2", "2", "3 4"], []),
        ({}, [reports("2"), FAILS], ["1 2 3 4", "2 3 4", "2", "3 4"], []),
        (WHOLE, [reports("3")], ["1 2 3 4", "3 4"], []),
        (WHOLE, [FAILS], ["1 2 3 4", "1 2 3 4"], []),
        (WHOLE, [reports("3"), FAILS], ["1 2 3 4", "3 4", "3 4"], []),
        # A report that the mapping does not ask for.
        ({"reports_failures": False}, [reports("3")], ["1 2 3 4"], []),
        # The batch is given up after its last retry, and the shard goes on.
        (WHOLE | {"max_retries": 2}, [FAILS] * 3, ["1 2 3 4"] * 3, [(EXHAUSTED, 3, "1", "4")]),
        # A split uses up no retry.
        ({"max_retries": 1}, [FAILS] * 4, ["1 2 3 4", "1 2", "1", "1", "2", "3 4"],
         [(EXHAUSTED, 4, "1", "1")]),
        # Neither does a call that did not reach the function.
        ({"max_retries": 0}, [THROTTLED] * 9, ["1 2 3 4"] * 10, []),
        # A report of the first record does.
        ({"max_retries": 1}, [reports("2")] * 3, ["1 2 3 4", "2 3 4", "2 3 4"],
         [(EXHAUSTED, 3, "2", "4")]),
        # A mapping without a limit retries for ever.
        (WHOLE, [FAILS] * 2_000, ["1 2 3 4"] * 2_001, []),
    ],
)  # fmt: skip
def test_what_is_retried_and_what_is_given_up(
    settings: dict[str, Any],
    responses: list[object],
    batches: list[str],
    given_up: list[tuple[str, int, str, str]],
) -> None:
    run = Run(replace(OURS, **settings), *responses)
    assert run.to_the_end() == batches
    assert run.conditions() == given_up


EMPTY: list[object] = [
    None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}, {"other": 1}
]  # fmt: skip
UNREADABLE: list[object] = [
    *(reports(*numbers) for numbers in ([""], [None], ["3", ""], ["5"], ["event-3"], [3])),
    *({"batchItemFailures": failures} for failures in ({"itemIdentifier": "3"}, "")),
    *({"batchItemFailures": [failure]} for failure in ({"identifier": "3"}, "3")),
    *("3", []),
]


@pytest.mark.parametrize(
    ("response", "batches"),
    [(empty, ["1 2 3 4"]) for empty in EMPTY]
    + [(unreadable, ["1 2 3 4", "1 2", "3 4"]) for unreadable in UNREADABLE],
)
def test_an_empty_response_is_success_and_an_unreadable_one_fails_the_whole_batch(
    response: object, batches: list[str]
) -> None:
    assert Run(OURS, response).to_the_end() == batches


class TestBatches:
    def test_a_batch_is_done_before_the_next_one_begins(self) -> None:
        run = Run(OURS, reports("4"), FAILS, records=9)
        assert run.to_the_end() == ["1 2 3 4", "4", "4", "5 6 7 8", "9"]

    def test_records_that_come_later_come_next(self) -> None:
        run = Run(OURS, records=1)
        run.to_the_end()
        assert not run.source.step()
        run.shard += [record(2), record(3)]
        assert run.to_the_end() == ["1", "2 3"]

    def test_the_checkpoint_passes_records_that_the_filter_drops(self) -> None:
        pattern = {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"Keys": {"sk": {"S": ["A"]}}}}
        run = Run(replace(OURS, batch_size=3, filter_patterns=(pattern,)), reports("5"))
        run.shard = [record(number, sk) for number, sk in enumerate("BBBBAABAB", 1)]
        run.shard[7]["eventName"] = "REMOVE"
        assert run.to_the_end() == ["5 6", "5 6"]

    @pytest.mark.parametrize(
        ("patterns", "batches"),
        [
            ([{"dynamodb": {"Keys": {"sk": {"S": ["A", {"prefix": "B#"}]}}}}], ["1 3 4"]),
            ([{"eventName": ["REMOVE"]}, {"eventName": ["INSERT"]}], ["1 2 3 4 5"]),
            ([{"dynamodb": {"Keys": {"sk": {"N": ["1"]}}, "eventID": {"S": ["x"]}}}], []),
        ],
        ids=["prefix", "either of two", "an attribute that the records lack"],
    )
    def test_a_pattern_selects_records(
        self, patterns: list[dict[str, Any]], batches: list[str]
    ) -> None:
        run = Run(replace(OURS, batch_size=5, filter_patterns=tuple(patterns)))
        keys = ["A", "A#", "B#", "B#1", "B"]
        run.shard = [record(number, sk) for number, sk in enumerate(keys, 1)]
        assert run.to_the_end() == batches


class TestAge:
    @pytest.mark.parametrize(
        ("setting", "lifetime"), [(60, 60), (-1, RETENTION_SECONDS), (86_400, 86_400)]
    )
    def test_a_record_is_given_up_when_it_is_too_old(self, setting: int, lifetime: int) -> None:
        run = Run(replace(OURS, max_age_seconds=setting), *[FAILS] * 2, records=1)
        assert run.source.step()
        run.time += lifetime
        assert run.source.step()
        assert run.discarded == []
        run.time += 1
        assert run.to_the_end() == ["1", "1"]
        assert run.conditions() == [("RecordAgeExceeded", 2, "1", "1")]

    def test_a_record_that_is_too_old_when_it_is_read_never_reaches_the_function(self) -> None:
        run = Run(replace(OURS, max_age_seconds=60))
        run.time += 61
        assert run.to_the_end() == []
        assert run.conditions() == [("RecordAgeExceeded", 0, "1", "4")]
        assert "responseContext" not in run.discarded[0]

    def test_younger_records_behind_it_are_retried(self) -> None:
        run = Run(replace(WHOLE_BATCHES, max_age_seconds=60), FAILS)
        run.shard[2:] = [record(3, created=NOON + 1), record(4, created=NOON + 1)]
        run.source.step()
        run.time += 61
        assert run.to_the_end() == ["1 2 3 4", "3 4"]
        assert run.conditions() == [("RecordAgeExceeded", 1, "1", "2")]


class TestCheckpoint:
    def test_it_stands_before_the_first_record_that_is_not_done(self) -> None:
        run = Run(OURS, FAILS, reports("2"), records=5)
        checkpoints = []
        while run.source.step():
            checkpoints.append(run.source.checkpoint)
        assert run.batches == ["1 2 3 4", "1 2", "2", "3 4", "5"]
        assert checkpoints == [None, "1", "2", "4", "5"]

    def test_another_poller_continues_from_it_and_knows_nothing_else(self) -> None:
        run = Run(replace(OURS, max_retries=1), FAILS, reports("2"), FAILS, records=5)
        for _ in range(3):
            run.source.step()
        run.source.restart()
        run.responses = [reports("2")]
        assert run.to_the_end() == ["1 2 3 4", "1 2", "2", "2 3 4 5", "2 3 4 5"]
        assert run.discarded == []

    def test_a_poller_that_dies_during_a_call_leaves_it(self) -> None:
        run = Run(OURS, reports("3"), ProcessLookupError())
        run.source.step()
        with pytest.raises(ProcessLookupError):
            run.source.step()
        assert run.source.checkpoint == "2"
        assert run.to_the_end() == ["1 2 3 4", "3 4", "3 4"]


class TestOnFailure:
    def test_the_destination_learns_where_the_records_were(self) -> None:
        run = Run(replace(WHOLE_BATCHES, max_retries=0), FAILS)
        run.shard[3] = record(4, created=NOON + 5.25)
        run.time += 10.5
        run.to_the_end()
        (told,) = run.discarded
        assert told["requestContext"].pop("requestId")
        assert told == {
            "requestContext": {
                "functionArn": "the function",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 1,
            },
            "responseContext": {
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": "2026-11-23T12:00:10.500Z",
            "DDBStreamBatchInfo": {
                "shardId": "the shard",
                "startSequenceNumber": "1",
                "endSequenceNumber": "4",
                "approximateArrivalOfFirstRecord": "2026-11-23T12:00:00Z",
                "approximateArrivalOfLastRecord": "2026-11-23T12:00:05Z",
                "batchSize": 4,
                "streamArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/x",
            },
        }

    def test_nothing_is_given_up_before_the_destination_knows(self) -> None:
        run = Run(replace(WHOLE_BATCHES, max_retries=0), FAILS, FAILS)
        run.destination_is_down = True
        with pytest.raises(ConnectionError):
            run.source.step()
        run.destination_is_down = False
        assert run.to_the_end() == ["1 2 3 4", "1 2 3 4"]
        assert len(run.discarded) == 1


class TestSettings:
    def test_they_come_from_the_template(self) -> None:
        assert Mapping.of(compiled("prod").triggers["publish-order-events"]) == Mapping(
            batch_size=100,
            bisect=True,
            max_retries=-1,
            max_age_seconds=72_000,
            reports_failures=True,
            filter_patterns=(
                {
                    "eventName": ["INSERT"],
                    "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "EVENT#"}]}}},
                },
            ),
        )

    def test_a_setting_missing_in_the_template_has_awss_default(self) -> None:
        assert Mapping.of({"StartingPosition": "TRIM_HORIZON"}) == Mapping(100, max_retries=-1)

    @pytest.mark.parametrize(
        "setting",
        [
            {"Enabled": False},
            {"MaximumBatchingWindowInSeconds": 1},
            {"ParallelizationFactor": 2},
            {"StartingPosition": "LATEST"},
            {"TumblingWindowInSeconds": 1},
        ],
    )
    def test_a_setting_that_is_not_simulated_is_refused(self, setting: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(setting))):
            Mapping.of(setting)

    @pytest.mark.parametrize(
        "operator", [{"suffix": "RT"}, {"prefix": "IN", "suffix": "RT"}, {"prefix": ["IN"]}]
    )
    def test_a_pattern_with_another_operator_is_refused(self, operator: dict[str, Any]) -> None:
        run = Run(replace(OURS, filter_patterns=({"eventName": [operator]},)))
        with pytest.raises(ValueError, match="fix"):
            run.source.step()
