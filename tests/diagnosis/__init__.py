"""Tests of the diagnosis, with problems to learn, healthy trainings, and mistakes."""
