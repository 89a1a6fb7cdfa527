"""The single table: its keys, its rows, and the repository over them."""
