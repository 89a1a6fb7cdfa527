"""What our functions are measured against: the same API as most teams would write it."""
