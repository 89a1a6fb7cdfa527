"""What can be done with orders: one use case a module, and the ports they need."""
