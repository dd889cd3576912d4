"""``fit`` of the scikit-learn estimators, beside scikit-learn's own: ``side.py`` does it."""

from benchmarks.targets import TimesAsFast
from benchmarks.work import Work, thread_counts
from benchmarks.works.estimators.data import DATA
from benchmarks.works.estimators.side import PEER, Chainrule, Job, ScikitLearn

SOLVERS = ("lbfgs", "sgd", "adam")


def work(job: Job, enough: float, tolerance: float) -> Work:
    """Return one job as a work, with how many times as fast as scikit-learn it is to be."""
    threads = [1] if job.data == "tiny" else thread_counts()  # products too small for more
    return Work(
        name=f"fit-{job.data}-{job.solver}",
        title=f"MLPClassifier(solver={job.solver!r}).fit, {DATA[job.data].title}",
        setting=job.setting,
        sides=(ScikitLearn(job, threads), Chainrule(job, threads)),
        tolerance=tolerance,
        score_tolerance=0.01,
        unit="ms",
        targets=(TimesAsFast(peer=PEER, enough=enough),),
        rounds=7,
    )


# How many epochs, or iterations of L-BFGS, and how many times as fast is enough. Long enough that
# what goes before the first step does not decide, except where that is the question.
_JOBS = {
    "digits": ({"lbfgs": 60, "sgd": 20, "adam": 20}, 1.0),
    "table": ({"lbfgs": 20, "sgd": 5, "adam": 5}, 3.0),
    "images": ({"lbfgs": 3, "sgd": 2, "adam": 2}, 3.0),
    "tiny": ({"lbfgs": 20, "sgd": 20, "adam": 20}, 1.0),
}

WORKS: list[Work] = [
    # L-BFGS divides by differences of gradients, which makes rounding larger; and scikit-learn's
    # computes in float64 also for float32 data. On the images its line search takes another step
    # from the fifth iteration on.
    work(Job(name, solver, iterations[solver]), enough, 1e-2 if solver == "lbfgs" else 1e-3)
    for name, (iterations, enough) in _JOBS.items()
    for solver in SOLVERS
]
