"""One module per Lambda function; each exports `handler`."""

import gc

gc.set_threshold(20_000)
"""Imports make some ten thousand objects and no garbage; by default they are looked through again
and again, for a twentieth of a start."""
