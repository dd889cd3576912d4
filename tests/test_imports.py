"""Imports run downwards only: the architecture, read from the source itself.

``ORDER`` is the drawing of docs/architecture.md as a list. A module may import those that stand
before it and no others, so there can be no circle. Imports for type checkers alone do not count:
they are never run.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from contracts.examples import members

import chainrule as cr
from chainrule.metrics import Metric

ORDER = {
    "the ground": "errors checks registry randomness files",
    "one layer": "layer activation activations initializers",
    "the layers": """
        layers.dense layers.dropout layers.windows layers.shape layers.correlation layers.kernel
        layers.convolution layers.transposed layers.window_pooling layers.pooling
        layers.global_pooling layers.channels layers.batch_normalization
        layers.feature_normalization layers.residual layers
        """,
    "what to learn": """
        targets stored loss losses metrics samples attribution data.augmentation data
        """,
    "how to learn": "schedules optimizer optimizers",
    "pictures": """
        plots.canvas plots.mosaic plots.columns plots.activity plots.boundary plots.classes
        plots.diagram plots.filters plots.images plots.importance plots.landscape plots.losses
        plots.predictions plots.step_parts plots.step_layout plots.step_arrows
        plots.step
        plots
        """,
    "layers together": "parameters engines engines.reference engines.choice stack",
    "the compiled engine": """
        engines.compiled.native engines.compiled.blas engines.compiled.cache
        engines.compiled.lanes engines.compiled.kernel engines.compiled.exponential
        engines.compiled.elementary engines.compiled.elementwise engines.compiled.workers
        engines.compiled.loop engines.compiled.plan engines.compiled.randomness
        engines.compiled.program
        engines.compiled.twin
        engines.compiled.scalar_forms engines.compiled.reading engines.compiled.activation
        engines.compiled.definitions engines.compiled.vector_activations
        engines.compiled.rectifiers engines.compiled.activations
        engines.compiled.twins engines.compiled.python_layer
        engines.compiled.cross_entropies engines.compiled.losses engines.compiled.updates
        engines.compiled.adaptive engines.compiled.optimizers engines.compiled.samples
        engines.compiled.gradients engines.compiled.splitting engines.compiled.dense
        engines.compiled.geometry
        engines.compiled.padding engines.compiled.summing engines.compiled.tiles
        engines.compiled.winograd engines.compiled.depthwise engines.compiled.correlation
        engines.compiled.kernel_layer engines.compiled.convolution engines.compiled.transposed
        engines.compiled.window_pooling engines.compiled.pooling engines.compiled.global_pooling
        engines.compiled.channels engines.compiled.moments engines.compiled.batch_normalization
        engines.compiled.feature_normalization
        engines.compiled.dropout engines.compiled.shape engines.compiled.residual
        engines.compiled.tiny engines.compiled.report
        engines.compiled.training engines.compiled.many engines.compiled.prediction
        engines.compiled.tracing
        engines.compiled
        """,
    "compiled programs": "engines.programs",
    "training": """
        training.state training.recorded training.history training.callbacks training.batches
        training.divergence training.interrupt training.progress training.plan
        training.settings training.snapshots training.rewinding training.branching training.units
        training.why training.update training.recording training.compiled_descent
        training.full_batch
        training.loop
        training
        """,
    "the network's own tools": """
        arguments gradient_check summary training_path plane landscape
        """,
    "diagnosis": """
        diagnosis.symptom diagnosis.places diagnosis.scale diagnosis.curve diagnosis.trial
        diagnosis.evidence diagnosis.inputs diagnosis.targets diagnosis.leakage diagnosis.outputs
        diagnosis.symmetry diagnosis.units diagnosis.gradients diagnosis.steps
        diagnosis.overfitting diagnosis.report diagnosis.callback diagnosis
        """,
    "explanations": """
        explain.expression explain.evaluation explain.reading explain.stable
        explain.document explain.symbols
        explain.forms explain.forms.numbers explain.forms.looks explain.forms.signs
        explain.forms.printer
        explain.forms.notation explain.forms.text explain.forms.sympy explain.forms.words
        explain.forms.wrapping explain.forms.columns explain.forms.layout explain.forms.terminal
        explain.forms.latex_words explain.forms.latex_formula explain.forms.equations
        explain.forms.latex explain.forms.markdown explain.forms.mathml explain.forms.style
        explain.forms.html
        explain.abbreviation explain.windows explain.operations explain.elements explain.place
        explain.probing explain.loss_terms explain.layout explain.update explain.step
        explain.flow explain.source explain.differences explain.chain explain.shown
        explain.quantity explain.meanings
        explain.telling explain.whole_step explain.record explain.explanation explain.derivation
        explain
        """,
    "what the network's methods load on use": "saving",
    "the waist": "network",
    "networks with a name": "models",
    "many networks": "many_trainings many",
    "data": """
        data.four_rows data.bundled data.columns data.csv data.target data.preprocessing
        data.split data.idx data.images data.image_files
        """,
    "files": """
        saving.content
        saving.onnx.graph saving.onnx.writer saving.onnx.write_activations
        saving.onnx.formula saving.onnx.write_formula saving.onnx.write_rows
        saving.onnx.write_windows saving.onnx.write_normalization saving.onnx.write_residual
        saving.onnx.export saving.onnx.write_classes saving.onnx.export_estimator
        saving.onnx.write_table saving.onnx.export_trained
        saving.onnx.wire saving.onnx.file saving.onnx.node saving.onnx.constants
        saving.onnx.patterns saving.onnx.chain saving.onnx.operators saving.onnx.reader
        saving.onnx.channels
        saving.onnx.affine saving.onnx.order saving.onnx.windows saving.onnx.read_activations
        saving.onnx.read_convolution saving.onnx.read_images saving.onnx.read_normalization
        saving.onnx.read_pooling saving.onnx.read_residual saving.onnx.read_rows
        saving.onnx.read_shapes saving.onnx.ending saving.onnx.load
        saving.onnx
        saving.eject.repeats saving.eject.functions saving.eject.code saving.eject.layout
        saving.eject.source saving.eject.comments saving.eject.activations saving.eject.windows
        saving.eject.operations saving.eject.layers saving.eject.walk saving.eject.loss
        saving.eject.schedule saving.eject.optimizer saving.eject.numbers saving.eject.methods
        saving.eject.module saving.eject.check saving.eject.export saving.eject
        saving.json_text saving.description saving.model_file_container
        saving.model_file_training saving.model_file
        saving.checkpoint_data saving.checkpoint_content saving.checkpoint saving.checkpoint_resume
        saving.weights.tensors saving.weights.safetensors_file saving.weights.hdf5_listing
        saving.weights.hdf5_file saving.weights.keras_file saving.weights.open_file
        saving.weights.places saving.weights.groups saving.weights.matching
        saving.weights.pytorch saving.weights.keras saving.weights.load
        saving.weights.keras_settings saving.weights.keras_layers saving.weights.keras_network
        saving.weights.sklearn_network saving.weights
        """,
    "the public names": "chainrule",
    "the estimators": """
        estimators.scikit_learn estimators.sparse estimators.weights estimators.starting
        estimators.parts estimators.fitted estimators.base estimators.classifier_base
        estimators.regressor_base
        estimators.bookkeeping estimators.descent estimators.perceptron estimators.mlp_classifier
        estimators.mlp_regressor
        estimators.build_function estimators.built estimators.network_classifier
        estimators.network_regressor
        estimators
        """,
    "a learner's program": "learner_process",
    "the checker": """
        checker.source checker.instrument checker.recorder checker.nudging checker.stand_ins
        checker.drive
        checker.rehearsing checker.child checker.process checker.paths checker.scattered
        checker.expressions checker.comparing checker.rows_read checker.events checker.updated
        checker.states checker.evidence checker.reports
        checker.functions checker.forward checker.chains checker.search
        checker.steps checker.targets checker.slips checker.memory
        checker.explanation checker.scales checker.fitting checker.remembering checker.explain
        checker.judged
        checker.single_numbers checker.other_findings checker.stale_outputs checker.judge
        checker.looks checker.derivatives checker.reported_penalty checker.reported_loss
        checker.piled_lines checker.forward_lines checker.lines
        checker.names checker.repairs checker.habits checker.scene
        checker.mended checker.slope_repairs checker.sign_repairs checker.memory_repairs
        checker.composing checker.product_repairs
        checker.sum_repairs checker.factor_repairs checker.update_repairs
        checker.order_repairs checker.mending
        checker.bias_findings checker.shape_lines checker.batch_lines checker.start_lines
        checker.finding_lines
        checker.no_network checker.rates checker.data_findings checker.judgement
        checker.verdict checker.troubles checker.wording checker.answers checker.saying
        checker.later_code checker.checking checker
        """,
    "the exercises": """
        exercises.child exercises.sandbox exercises.exercise
        exercises.definitions.activation exercises.definitions.adam
        exercises.definitions.backprop exercises.definitions.bias
        exercises.definitions.convolution exercises.definitions.dropout
        exercises.definitions.feedforward exercises.definitions.learning_rate
        exercises.definitions.loss exercises.definitions.mini_batches
        exercises.definitions.pooling exercises.definitions.softmax
        exercises.definitions.update
        exercises.definitions exercises.verdict exercises.troubles exercises.numbers
        exercises.lines exercises.compare exercises.check exercises.hints
        exercises.bugs.architecture exercises.bugs.pieces exercises.bugs.rows exercises.bugs.others
        exercises.bugs.hunt exercises.bugs.check exercises.bugs exercises
        """,
    "who a person meets": """
        cli.terminal cli.pictures cli.scores cli.sources cli.tables cli.table_model cli.choices
        cli.prepare cli.report cli.training cli.image_choices cli.train_kept cli.train_table
        cli.tune_space cli.tune_halving cli.tune_search cli.tune
        cli.image_sets cli.image_model cli.image_report cli.train_images cli.documents
        cli.demo_many cli.demo_explained cli.demo cli.check cli.train cli.predict_table
        cli.predict_images cli.predict cli.explain_rows
        cli.explain_table cli.explain_images cli.explain_numbers cli.explain_number
        cli.explain_overview cli.explain_output cli.explain cli.eject cli.export cli.exercise_output
        cli.exercise_bug cli.exercise
        cli.inspect_findings cli.inspect_network cli.inspect_checkpoint cli.inspect_model
        cli.inspect_folder cli.inspect_onnx cli.inspect_weights cli.inspect_python cli.inspect
        cli.app cli
        """,
}

# Imports inside functions are for other people's packages, which load on use. And these:
LAZY = {
    ("cli", "cli.app"),  # built on typer and rich, which may not be installed
    ("cli.tune", "cli.tune_search"),  # loads scikit-learn, which chainrule --help can do without
    ("checks", "difflib"),  # costs a tenth of all of chainrule and serves a message
}

# What costs time to import, and is not needed before someone uses it.
HEAVY = (
    "h5py matplotlib mlxtend numba onnx pandas PIL plotext rich safetensors scipy sklearn sympy "
    "tqdm typer"
)

SOURCE = Path(cr.__file__).parent


def short_name(path: Path) -> str:
    """``src/chainrule/engines/reference.py`` -> ``engines.reference``."""
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) or "chainrule"


MODULES = {short_name(path): path for path in sorted(SOURCE.rglob("*.py"))}
LISTED = [module for level in ORDER.values() for module in level.split()]


@dataclass(frozen=True)
class Import:
    """One name that a module imports."""

    target: str  # a module of ours by its short name, or the top package of somebody else's
    is_ours: bool
    in_function: bool
    line: int


def imports_of(path: Path) -> list[Import]:
    """Read every import of a file, except those for type checkers."""
    return list(_walk(ast.parse(path.read_text(encoding="utf-8")), in_function=False))


def _walk(node: ast.AST, *, in_function: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield _import(alias.name, in_function, child.lineno)
        elif isinstance(child, ast.ImportFrom):
            assert not child.level, "write the full name: from chainrule.layer import Layer"
            for alias in child.names:
                whole = f"{child.module}.{alias.name}"
                is_module = whole.removeprefix("chainrule.") in MODULES
                yield _import(whole if is_module else str(child.module), in_function, child.lineno)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, in_function=in_function or is_function)


def _import(module: str, in_function: bool, line: int) -> Import:
    top = module.partition(".")[0]
    if top == "chainrule":
        return Import(module.removeprefix("chainrule."), True, in_function, line)
    return Import(top, False, in_function, line)


def test_every_module_has_its_place() -> None:
    assert len(LISTED) == len(set(LISTED))
    missing, gone = set(MODULES) - set(LISTED), set(LISTED) - set(MODULES)
    assert not missing, f"say in ORDER above where these belong: {sorted(missing)}"
    assert not gone, f"take these out of ORDER above: {sorted(gone)}"


@pytest.mark.parametrize("module", [module for module in LISTED if module in MODULES])
def test_imports_run_downwards_only(module: str) -> None:
    below = LISTED[: LISTED.index(module)]
    for found in imports_of(MODULES[module]):
        assert not found.is_ours or found.target in below, (
            f"{module}, line {found.line}, imports {found.target}, which stands above it in ORDER"
        )


@pytest.mark.parametrize("module", [module for module in LISTED if module in MODULES])
def test_no_import_hides_inside_a_function(module: str) -> None:
    for found in imports_of(MODULES[module]):
        if found.in_function and (module, found.target) not in LAZY:
            ours_or_pythons = found.is_ours or found.target in sys.stdlib_module_names
            assert not ours_or_pythons, (
                f"{module}, line {found.line}: import {found.target} at the top of the file"
            )


def test_the_readers_of_imports_find_them(tmp_path: Path) -> None:
    source = tmp_path / "example.py"
    source.write_text(
        "import os.path, numpy as np\n"
        "from chainrule import plots, Dense\n"
        "from chainrule.engines import reference\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    from chainrule.network import NeuralNetwork\n"
        "class A:\n"
        "    def b(self):\n"
        "        from chainrule.layer import Layer\n"
        "        import scipy.special\n"
    )
    assert [(found.target, found.is_ours, found.in_function) for found in imports_of(source)] == [
        ("os", False, False),
        ("numpy", False, False),
        ("plots", True, False),
        ("chainrule", True, False),
        ("engines.reference", True, False),
        ("typing", False, False),
        ("layer", True, True),
        ("scipy", False, True),
    ]


def test_importing_chainrule_loads_nothing_heavy() -> None:
    program = "import sys, chainrule; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True
    )
    packages = {module.partition(".")[0] for module in loaded.stdout.split()}
    assert "numpy" in packages
    assert not packages.intersection(HEAVY.split())


@pytest.mark.parametrize(
    "family", [cr.Layer, cr.Loss, cr.Optimizer, cr.Schedule, cr.Initializer, Metric]
)
def test_what_takes_settings_has_a_public_name(family: type[cr.Layer]) -> None:
    """A name such as "huber" gives the default; ``cr.Huber(delta=2)`` is the only way to more."""
    for member in members(family):
        if member.setting_names():
            assert member.__name__ in cr.__all__
            assert getattr(cr, member.__name__) is member


def test_all_public_names_exist_and_stand_in_order() -> None:
    assert all(hasattr(cr, name) for name in cr.__all__)
    assert len(cr.__all__) == len(set(cr.__all__))
