"""What every route shares: requests, callers, keys, preconditions, cursors, problems."""
