"""What every route shares: requests, claims, idempotency, preconditions, lists and problems."""
