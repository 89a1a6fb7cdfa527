"""How calls, units, bytes and time grow with the orders, items and events that there are."""

from __future__ import annotations

import os

# The functions' modules, whose routes run in this process too, read them when they are imported.
for _name, _value in {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "AWS_REGION": "ap-southeast-1",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "POWERTOOLS_METRICS_NAMESPACE": "Orders",
    "POWERTOOLS_SERVICE_NAME": "orders",
    "TABLE_NAME": "orders_app",
}.items():
    os.environ.setdefault(_name, _value)
