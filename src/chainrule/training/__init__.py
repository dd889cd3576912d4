"""Gradient descent around a network: batches, the loop, callbacks and the record it leaves."""
