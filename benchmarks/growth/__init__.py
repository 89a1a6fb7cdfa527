"""How calls, units, bytes and time grow with the orders, items and events that there are."""

from __future__ import annotations

import os
from typing import Final

ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "ap-southeast-1",
    "AWS_SECRET_ACCESS_KEY": "local",
    "POWERTOOLS_METRICS_NAMESPACE": "Orders",
    "POWERTOOLS_SERVICE_NAME": "orders",
    "TABLE_NAME": "orders_app",
}
"""Of the functions, and of this process: their modules read it when they are imported."""

for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)
