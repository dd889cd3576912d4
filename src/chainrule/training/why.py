"""What one update of a training did, in words and numbers."""
