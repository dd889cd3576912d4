"""Files of every format there has been load, and predict what they predicted when they were made.

``files/format-N-NAME.safetensors`` was written by the chainrule that wrote format N;
``format-N-NAME.json`` beside it holds inputs and predictions of that time. None may be changed.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule import saving
from chainrule.saving.model_file import FORMAT

FILES = Path(__file__).parent / "files"
MODELS = sorted(FILES.glob("format-*.safetensors"))


@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_old_files_predict_what_they_did(path: Path, engine: str) -> None:
    noted: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    found = saving.load(path)
    network = found.network
    network.engine = engine
    assert found.extra == noted["extra"]
    assert repr(network) == noted["repr"]
    storage = network.parameter_vector.storage.astype(np.float64)
    assert storage.tolist() == noted["storage"]
    # Another processor adds up in another order, so the last digits may differ.
    tolerance = 1e-12 if network.dtype == np.float64 else 1e-5
    predicted = network.predict(np.array(noted["x"]))
    np.testing.assert_allclose(predicted, noted["prediction"], rtol=tolerance, atol=tolerance)


def test_every_format_is_there() -> None:
    kept = {int(path.stem.split("-")[1]) for path in MODELS}
    assert kept == set(range(1, FORMAT + 1))


def test_a_checkpoint_of_format_2_goes_on(tmp_path: Path) -> None:
    path = shutil.copy(FILES / "checkpoint-format-2.safetensors", tmp_path)
    noted = json.loads((FILES / "checkpoint-format-2.json").read_text())
    history = saving.resume(path, noted["x"], noted["y"], validation=0.25)
    np.testing.assert_allclose(history.losses, noted["losses"], rtol=1e-9)
    assert history.epochs.keys() == noted["epochs"].keys()
    assert history.stopped_because.startswith("validation_loss has not improved since epoch 1")
