"""Order processing on AWS: an HTTP API, a DynamoDB table, and the events that come out of it."""
