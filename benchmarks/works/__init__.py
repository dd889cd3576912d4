"""The works, in the order they are run. A new one is a file beside this and a line here."""

from benchmarks.targets import TimesAsFast, TwoThreads
from benchmarks.work import REFERENCE, Work
from benchmarks.works import (
    first_fit,
    images,
    import_time,
    many_seeds,
    memory,
    mlp_training,
    truth_table,
)
from benchmarks.works.growth import Growth
from benchmarks.works.images.side import Job
from benchmarks.works.prediction import many_images, rows

_TORCH, _JAX = "PyTorch", "JAX, whole epoch compiled"
_MLP = (
    TimesAsFast(peer=_JAX, enough=1.15, aim=1.4),
    TimesAsFast(peer=_TORCH, enough=2.0),
)
_THREADS = TwoThreads(enough=1.7, aim=1.9)
_LENET = TimesAsFast(peer=_TORCH, enough=1.5, aim=3.0)
_SMALL_CNN = TimesAsFast(peer=_TORCH, enough=1.6, aim=2.0)
_RESNET = TimesAsFast(peer=_TORCH, enough=1.2, aim=1.6)


def _lenet(batch_size: int) -> Job:
    return Job("lenet5", batch_size, images=12_800, compared=50)


def _small_cnn(batch_size: int) -> Job:
    return Job("small-cnn", batch_size, images=6_400, compared=15)


ALL: list[Work | Growth] = [
    truth_table.WORK,
    many_seeds.WORK,
    mlp_training.work(128, *_MLP, _THREADS, TimesAsFast(peer=_TORCH, enough=1.0, of=REFERENCE)),
    mlp_training.work(32, *_MLP),
    images.work(_lenet(64), _LENET),
    images.work(_lenet(128), _LENET, _THREADS),
    images.work(_small_cnn(64), _SMALL_CNN, images.share_of_peak(_small_cnn(64), aim=0.7)),
    images.work(
        _small_cnn(128), _SMALL_CNN, images.share_of_peak(_small_cnn(128), aim=0.7), _THREADS
    ),
    # Batch normalization divides by small numbers, which makes rounding larger; and accuracy still
    # rises fast at the end of the run.
    images.work(
        Job("resnet8", 64, images=3_200, compared=5),
        _RESNET,
        _THREADS,
        tolerance=1e-3,
        score_tolerance=0.08,
    ),
    rows.work(
        1,
        TimesAsFast(peer="PyTorch inference_mode", enough=1.6, aim=3.0),
        TimesAsFast(peer="onnxruntime", enough=1.0),
    ),
    rows.work(1000),
    many_images.work(
        TimesAsFast(peer="PyTorch inference_mode", enough=1.3),
        TimesAsFast(peer="onnxruntime", enough=0.65, aim=1.0),
    ),
    *first_fit.WORKS,
    memory.WORK,
    Growth(),
    import_time.WORK,
]
