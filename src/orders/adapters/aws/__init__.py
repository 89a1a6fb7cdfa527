"""Calls of AWS's JSON services, over libcurl."""
