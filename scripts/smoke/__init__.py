"""`make smoke`: the contract's claims against a deployed API, with two tokens and nothing else."""
