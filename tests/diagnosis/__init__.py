"""Tests of the diagnosis, with problems to learn, healthy trainings, and mistakes."""

from chainrule import diagnosis

# Before any test, which would forget them again, as it forgets whatever it has defined itself.
diagnosis.load_all()
