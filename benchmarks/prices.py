"""What AWS charges, in dollars a unit, beyond free tiers and before discounts for volume.

Prices of US East (N. Virginia). Of ap-southeast-1, the platform's default region, published prices
were found for some services only: `SINGAPORE` has those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Prices: TypeAlias = Mapping[str, float]

REGION: Final = "US East (N. Virginia)"

HTTP_API: Final = "HTTP API"
LAMBDA_REQUESTS: Final = "Lambda requests"
LAMBDA_TIME: Final = "Lambda time"
WRITES: Final = "DynamoDB writes"
READS: Final = "DynamoDB reads"
SQS: Final = "SQS"
LOGS: Final = "CloudWatch Logs"
TRACES: Final = "X-Ray"

_MILLION: Final = 1e6
_GB: Final = 1e9

US_EAST: Final[Prices] = {
    # Requests of up to 512 KB. https://aws.amazon.com/api-gateway/pricing/, 2026.
    HTTP_API: 1.00 / _MILLION,
    # Also on arm64. https://aws.amazon.com/lambda/pricing/; AWS Price List of August 2026.
    LAMBDA_REQUESTS: 0.20 / _MILLION,
    # A GB-second on arm64. Likewise.
    LAMBDA_TIME: 0.0000133334,
    # Units on demand, since 2024-11-01. https://aws.amazon.com/dynamodb/pricing/on-demand/;
    # AWS Price List of July 2026.
    WRITES: 0.625 / _MILLION,
    READS: 0.125 / _MILLION,
    # Standard queues, requests of up to 64 KB. https://aws.amazon.com/sqs/pricing/, June 2026.
    SQS: 0.40 / _MILLION,
    # Bytes taken in, standard class. https://aws.amazon.com/cloudwatch/pricing/, 2026.
    LOGS: 0.50 / _GB,
    # Traces recorded, in all regions. https://aws.amazon.com/xray/pricing/, 2026.
    TRACES: 5.00 / _MILLION,
}

SINGAPORE: Final[Prices] = {
    # AWS Price List, AmazonApiGateway, published 2026-09-21: APS1-ApiGatewayHttpRequest.
    HTTP_API: 1.25 / _MILLION,
    # AWS Price List, AWSLambda, read 2026-08-12: APS1-Request-ARM, APS1-Lambda-GB-Second-ARM.
    LAMBDA_REQUESTS: 0.20 / _MILLION,
    LAMBDA_TIME: 0.0000133334,
    # AWS Price List, AmazonCloudWatch, published 2026-09-22: APS1-DataProcessing-Bytes.
    LOGS: 0.70 / _GB,
}

UNITS: Final = {
    HTTP_API: "requests",
    LAMBDA_REQUESTS: "requests",
    LAMBDA_TIME: "GB-seconds",
    WRITES: "write units",
    READS: "read units",
    SQS: "requests",
    LOGS: "bytes",
    TRACES: "traces",
}

PUBLISHED: Final = {
    HTTP_API: "2026",
    LAMBDA_REQUESTS: "August 2026",
    LAMBDA_TIME: "August 2026",
    WRITES: "July 2026",
    READS: "July 2026",
    SQS: "June 2026",
    LOGS: "2026",
    TRACES: "2026",
}
"""When what is named above of US East was published."""

PRICED_FOR: Final = {
    LAMBDA_TIME: (1, "GB-second"),
    LOGS: (_GB, "GB"),
} | {
    service: (_MILLION, f"million {UNITS[service]}")
    for service in (HTTP_API, LAMBDA_REQUESTS, WRITES, READS, SQS, TRACES)
}
"""How much of a service AWS names its price for, and what it calls that."""
