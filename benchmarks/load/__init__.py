"""Three loads on a local AWS of its own, and what became of every order: `make load` runs it."""
