"""What Lambda needs a function's role for.

As docs.aws.amazon.com/lambda/latest/dg/ has it: monitoring-cloudwatchlogs.html, services-xray.html,
services-ddb-eventsourcemapping.html, services-sqs-configure.html.
"""

from __future__ import annotations

from typing import Final

LOG: Final = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})
TRACES: Final = frozenset({"xray:PutTelemetryRecords", "xray:PutTraceSegments"})
READ_STREAM: Final = frozenset(
    {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    }
)
READ_QUEUE: Final = frozenset({"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"})
