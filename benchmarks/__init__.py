"""Measures what an order costs: instructions, calls, bytes, units, money. `make bench` runs it."""
