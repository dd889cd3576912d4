"""What is true of every registered class, tested once. A new class is found by its registry."""
