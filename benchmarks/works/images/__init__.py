"""Training networks for images: ``side.py`` says what that is, the other files do it."""

import shutil

from benchmarks.targets import ShareOfPeak, Target
from benchmarks.work import Side, Work
from benchmarks.works.gemm import LargeProduct
from benchmarks.works.images.networks import product_flops
from benchmarks.works.images.side import Job
from benchmarks.works.images.torch_networks import MIRRORED
from benchmarks.works.images.with_chainrule import Chainrule, ReferenceEngine
from benchmarks.works.images.with_torch import Torch


def work(
    job: Job, *targets: Target, tolerance: float = 1e-4, score_tolerance: float = 0.03
) -> Work:
    """Return the training of a network for images.

    Parameters
    ----------
    job : Job
    *targets : Target
    tolerance : float
        For the losses of the first steps.
    score_tolerance : float
        For the accuracies in the end.
    """
    gauges: list[Side] = (
        [LargeProduct()] if any(isinstance(t, ShareOfPeak) for t in targets) else []
    )
    return Work(
        name=f"{job.model}-{job.batch_size}",
        title=f"training {job.model} in batches of {job.batch_size}",
        setting=(
            f"28 x 28 x 1, softmax cross-entropy, Adam, no dropout, float32; a run is an epoch "
            f"over {job.images:,} images, newly shuffled"
        ),
        sides=(
            ReferenceEngine(job),
            Chainrule(job),
            *_torchs(job),
            *gauges,
        ),
        tolerance=tolerance,
        score_tolerance=score_tolerance,
        unit="samples/s",
        samples=job.images,
        targets=targets,
        rounds=5,
    )


def _torchs(job: Job) -> list[Side]:
    """PyTorch's settings. Compiling helps resnet8 alone, and needs a C++ compiler."""
    settings = (("channels_last", "fused"), ("channels_last", "foreach"), ("NCHW", "fused"))
    made: list[Side] = [Torch(job, layout, adam) for layout, adam in settings]
    if job.model in MIRRORED:
        made.append(Torch(job, "channels_last", "fused", exact=False))
        if shutil.which("c++"):
            made.append(Torch(job, "NCHW", "fused", compiled=True))
    return made


def share_of_peak(job: Job, aim: float) -> ShareOfPeak:
    """Return the target for the time spent on anything but matrix products."""
    return ShareOfPeak(
        flops=lambda: job.images * product_flops(job.model, training=True),
        gauge=LargeProduct.name,
        aim=aim,
    )
