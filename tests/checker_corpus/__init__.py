"""Networks as people write them, right and wrong: what the checker is scored on."""
