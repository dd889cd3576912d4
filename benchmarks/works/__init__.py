"""The works, in the order they are run. A new one is a file beside this and a line here."""

from benchmarks.work import Target, Work
from benchmarks.works import import_time, mlp_training, prediction, truth_table

ALL: list[Work] = [
    truth_table.WORK,
    mlp_training.work(128, Target(at_most=1.0, peer="PyTorch eager")),
    mlp_training.work(32),
    prediction.work(rows=1),
    prediction.work(rows=1000),
    import_time.WORK,
]
