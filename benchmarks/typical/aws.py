"""One session for all clients, so that boto3 reads its model of DynamoDB once."""

import boto3
from botocore.config import Config

SESSION = boto3.Session()
CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard"})
