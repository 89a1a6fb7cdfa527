"""The contract as a plain model in memory, and the machine that compares the platform with it."""
