"""A promise a module, and what they share: the evidence, who saw what, the names of breaches."""
