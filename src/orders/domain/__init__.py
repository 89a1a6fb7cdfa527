"""What an order is. Standard library only; knows nothing of AWS or HTTP."""
