"""Training networks for images: ``side.py`` says what that is, the other files do it."""

from benchmarks.targets import ShareOfPeak, Target
from benchmarks.work import Side, Work
from benchmarks.works.gemm import LargeProduct
from benchmarks.works.images.networks import product_flops
from benchmarks.works.images.side import Job
from benchmarks.works.images.with_chainrule import Chainrule, ReferenceEngine
from benchmarks.works.images.with_torch import TorchEager


def work(job: Job, *targets: Target, tolerance: float = 1e-4) -> Work:
    """Return the training of a network for images.

    Parameters
    ----------
    job : Job
    *targets : Target
    tolerance : float
        For the losses of the first steps.
    """
    gauges: list[Side] = (
        [LargeProduct()] if any(isinstance(t, ShareOfPeak) for t in targets) else []
    )
    settings = (("channels_last", "fused"), ("channels_last", "foreach"), ("NCHW", "fused"))
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
            *(TorchEager(job, layout, adam) for layout, adam in settings),
            *gauges,
        ),
        tolerance=tolerance,
        score_tolerance=0.03,
        unit="samples/s",
        samples=job.images,
        targets=targets,
        rounds=5,
    )


def share_of_peak(job: Job, aim: float) -> ShareOfPeak:
    """Return the target for the time spent on anything but matrix products."""
    return ShareOfPeak(
        flops=lambda: job.images * product_flops(job.model, training=True),
        gauge=LargeProduct.name,
        aim=aim,
    )
