"""What an impatient person does wrong: one sentence on stderr each, an exit status, no traceback.

Status 1: something that was named cannot be used. Status 2: the command line itself is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]

FILES: dict[str, bytes] = {
    "empty.csv": b"",
    "header.csv": b"a,b,c\n",
    "picture.csv": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0",
    "random.csv": bytes(range(256)) * 9,
    "latin.csv": "a,b\n1,é\n".encode("latin-1"),
    "ragged.csv": b"a,b\n1,2\n3,4,5\n",
    "doubled.csv": b"a,a,b\n1,2,3\n4,5,6\n",
    "missing.csv": b"a,b\n1,\n2,NA\n",
    "single.csv": b"a,b\n1,x\n2,x\n3,x\n",
    "constant.csv": b"a,b\n5,1\n5,2\n5,3\n5,4\n",
    "names.csv": b"name,b\nann,1.5\nbob,2.5\ncid,3\ndan,4.5\n",
    "one.csv": b"a,b\n1,2\n",
    "two.csv": b"a,b\n1,x\n2,y\n",
    "texts.csv": b"a,b\n1,p\n2,q\n3,r\n4,s\n",
    "minus.csv": b"a,b\n1,-1.5\n2,2.5\n3,0\n4,7\n5,8\n",
}

# Arguments (PENGUINS and MODEL stand for those files), status, and what the sentence says.
WRONG: list[tuple[str, int, str]] = [
    # files and columns
    ("train PENGUINS --target specie", 1, "no column 'specie'. Did you mean 'species'?"),
    ("train PENGUINS --target SPECIES", 1, "Did you mean 'species'?"),
    ("train PENGUINS", 1, "Name it with --target. "),
    ("train nope.csv --target b", 1, "There is no file nope.csv."),
    ("train irs", 1, "For scikit-learn's data set write iris alone."),
    ("train iris.csv --target b", 1, "write iris alone."),
    ("train . --target b", 1, "--target is for tables, and . is taken as images"),
    ("train empty.csv --target b", 1, "empty.csv is empty"),
    ("train header.csv --target b", 1, "and no rows below it"),
    ("train picture.csv --target b", 1, "is not a text file"),
    ("train random.csv --target b", 1, "is not a text file"),
    ("train latin.csv --target b", 1, "is not text in UTF-8"),
    ("train ragged.csv --target b", 1, "Expected 2 fields in line 3, saw 3"),
    ("train doubled.csv --target b", 1, "2 columns called 'a'"),
    ("train missing.csv --target b", 1, "has no values: all 2 are missing"),
    ("train single.csv --target b", 1, "is 'x' in every row"),
    ("train constant.csv --target b", 1, "No column is left to predict 'b' from ('a': always"),
    ("train names.csv --target b", 1, "No column is left"),
    ("train one.csv --target b", 1, "at least two different values"),
    ("train two.csv --target b", 1, "too few to set"),
    ("train texts.csv --target b", 1, "4 different values in 4 rows: too many"),
    ("train MODEL --target b", 1, "is not a text file"),
    ("train", 2, "Missing argument 'FILE'"),
    ("train PENGUINS more --target species", 2, "unexpected extra argument"),
    # settings
    ("train PENGUINS --target species --hidden abc", 2, "as 32,16; received 'abc'"),
    ("train PENGUINS --target species --hidden 8,,4", 2, "received '8,,4'"),
    ("train PENGUINS --target species --hidden 0", 2, "received '0'"),
    ("train PENGUINS --target species --hidden -8", 2, "received '-8'"),
    ("train PENGUINS --target species --hidden 2.5", 2, "received '2.5'"),
    ("train PENGUINS --target species --activation rleu", 1, "Did you mean 'relu'?"),
    ("train PENGUINS --target species --activation relu,tanh,elu", 1, "names 3 activations"),
    ("train PENGUINS --target species --hidden 8 --activation relu,tanh", 1, "1 hidden layer (8)"),
    ("train PENGUINS --target species --epochs -1", 2, "--epochs"),
    ("train PENGUINS --target species --epochs many", 2, "--epochs"),
    ("train PENGUINS --target species --learning-rate 0", 2, "above 0; received 0"),
    ("train PENGUINS --target species --learning-rate nan", 2, "above 0; received nan"),
    ("train PENGUINS --target species --learning-rate 1e30", 1, "Try a smaller learning rate"),
    ("train PENGUINS --target species --batch-size 0", 2, "--batch-size"),
    ("train PENGUINS --target species --optimizer adm", 1, "Did you mean 'adam'?"),
    ("train iris --optimizer lbfgs --learning-rate 1", 1, "leave out --learning-rate"),
    ("train PENGUINS --target species --seed -1", 2, "--seed"),
    ("train PENGUINS --target species --validation 0", 2, "between 0 and 1; received 0"),
    ("train PENGUINS --target species --validation 1.5", 2, "received 1.5"),
    ("train PENGUINS --target species --validation 0.999", 1, "too few to set 344 aside"),
    ("train PENGUINS --target species --ignore iland", 1, "Did you mean 'island'?"),
    ("train PENGUINS --target species --ignore species", 1, "cannot be ignored too"),
    ("train PENGUINS --target species --category iland", 1, "Did you mean 'island'?"),
    ("train PENGUINS --target species --bogus", 2, "No such option"),
    # losses that do not fit
    ("train PENGUINS --target species --loss mse", 1, "There is no loss called 'mse'"),
    ("train PENGUINS --target species --loss huber", 1, "holds text (Adelie"),
    ("train PENGUINS --target species --loss hinge", 1, "tells two classes apart"),
    ("train PENGUINS --target body_mass_g --loss hinge", 1, "Use a loss for numbers"),
    ("train minus.csv --target b --loss poisson", 1, "expects counts of 0 or more"),
    # places to write to
    ("train iris --output nope/model", 1, "there is no folder nope"),
    ("train iris --output .", 1, ". is a folder"),
    ("train iris --plot nope/loss.png", 1, "there is no folder nope"),
    ("train iris --plot loss.txt", 1, "ends in .png or .svg"),
    # predict
    ("predict", 2, "Missing argument 'MODEL'"),
    ("predict MODEL", 2, "Missing argument 'FILE...'"),
    ("predict nope PENGUINS", 1, "There is no model file nope"),
    ("predict . PENGUINS", 1, "is a folder; expected a model file"),
    ("predict PENGUINS PENGUINS", 1, "is not a model file"),
    ("predict empty.csv PENGUINS", 1, "is not a model file"),
    ("predict MODEL nope.csv", 1, "There is no file nope.csv"),
    ("predict MODEL picture.csv", 1, "is not a text file"),
    ("predict MODEL header.csv", 1, "and no rows below it"),
    ("predict MODEL iris", 1, "The table has no columns 'island', 'bill_length_mm'"),
    ("predict MODEL PENGUINS --output PENGUINS", 1, "is the file to read"),
    ("predict MODEL PENGUINS --output nope/out.csv", 1, "there is no folder nope"),
    # explain
    ("explain", 2, "Missing argument 'MODEL'"),
    ("explain nope", 1, "There is no model file nope"),
    ("explain .", 1, "is a folder; expected a model file"),
    ("explain PENGUINS", 1, "is not a model file"),
    ("explain MODEL --data nope.csv", 1, "There is no file nope.csv"),
    ("explain MODEL --data picture.csv", 1, "is not a text file"),
    ("explain MODEL --data header.csv", 1, "and no rows below it"),
    ("explain MODEL --data photo.png", 1, "was trained on a table, and photo.png holds no table"),
    ("explain MODEL --data .", 1, "was trained on a table, and . holds no table"),
    ("explain MODEL --data mnist-5k", 1, "was trained on a table, and mnist-5k holds no table"),
    ("explain MODEL --data iris", 1, "The table has no columns 'island', 'bill_length_mm'"),
    ("explain MODEL --row 345", 1, "has 344 rows. Expected a number from 1 to 344."),
    ("explain MODEL --row 0", 2, "expected numbers from 1, as 3, as 1,2,5 or as 1-4; received '0'"),
    ("explain MODEL --row -3", 2, "received '-3'"),
    ("explain MODEL --row 4-2", 2, "received '4-2'"),
    ("explain MODEL --row three", 2, "received 'three'"),
    ("explain MODEL --row 1,,2", 2, "received '1,,2'"),
    ("explain MODEL --row 1-344000", 2, "expected at most 1,000 rows"),
    ("explain MODEL --actual Dodo", 1, "species 'Dodo', which the network does not know"),
    ("explain MODEL --weight 9,0,0", 1, "The network has no layer 9; expected one of 1, 2, 3."),
    ("explain MODEL --weight layer1weihgts,0,0", 1, "Did you mean 'weights'?"),
    ("explain MODEL --weight 1,99,0", 1, "received the index (99, 0)"),
    ("explain MODEL --weight 1,0", 1, "one number for each of its axes"),
    ("explain MODEL --weight 1,0,0.5", 2, "--weight: expected"),
    ("explain MODEL --weight weights,0,0", 1, "'weights' is nothing of the whole network"),
    ("explain MODEL --weight ?", 2, '"layer 1 weights, 0, 2"'),
    ("explain MODEL --html page.txt", 1, "ends in .html"),
    ("explain MODEL --html nope/page.html", 1, "there is no folder nope"),
    ("explain MODEL --output step.pdf", 1, "ends in .html or .md or .tex or .txt or .json"),
    ("explain MODEL --output .", 1, "ends in .html"),
    ("explain MODEL --weight 1,0,0 --output w.json", 1, "JSON holds a whole step"),
    ("explain MODEL --general --output g.json", 1, "JSON holds a whole step"),
    ("explain MODEL --general --row 3", 1, "leave out --row"),
    ("explain MODEL --general --plot g.png", 1, "leave out --plot"),
    ("explain MODEL --plot step.gif", 1, "ends in .png or .svg"),
    # demo and the rest
    ("demo --iterations 0", 2, "--iterations"),
    ("demo --seed -1", 2, "--seed"),
    ("demo --no-bias --seed 99999999999", 1, "seed must be"),
    ("demo --hidden 0", 2, "--hidden"),
    ("demo --learning-rate -1", 2, "--learning-rate"),
    ("demo --plot loss.bmp", 1, "ends in .png or .svg"),
    ("demo --plot nope/loss.png", 1, "there is no folder nope"),
    ("demo --explain --seeds 3", 1, "--seeds trains many; leave one out"),
    ("demo --explain --hidden 0", 2, "--hidden"),
    ("demo --explain --plot loss.bmp", 1, "ends in .png or .svg"),
    ("demo more", 2, "unexpected extra argument"),
    ("dmo", 2, "No such command 'dmo'"),
]


@pytest.mark.parametrize(
    ("command", "status", "sentence"), WRONG, ids=[command for command, _, _ in WRONG]
)
def test_wrong_uses(
    run: Run,
    penguins: Path,
    models: dict[str, Path],
    folder: Path,
    command: str,
    status: int,
    sentence: str,
) -> None:
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    words = {"PENGUINS": str(penguins), "MODEL": str(models["species"])}
    before = {path: path.read_bytes() for path in [*folder.iterdir(), penguins]}
    result = run(*(words.get(word, word) for word in command.split()))
    assert result.exit_code == status
    error = result.stderr.strip()
    assert sentence in error
    assert error.startswith("Error: " if status == 1 else "Usage: ")
    assert "Traceback" not in error
    assert "\x1b" not in error
    if status == 1:
        assert "\n" not in error
    after = {path: path.read_bytes() for path in [*folder.iterdir(), penguins]}
    assert after == before  # nothing was written


def test_predictions_never_overwrite_a_column(
    run: Run, penguins: Path, models: dict[str, Path]
) -> None:
    assert run("predict", models["species"], penguins, "--output", "out.csv").exit_code == 0
    assert run("predict", models["species"], "out.csv").exit_code == 0
    result = run("predict", models["species"], "out.csv", "--output", "again.csv")
    assert result.exit_code == 1
    assert "out.csv has a column 'predicted_species' already" in result.stderr
    assert not Path("again.csv").exists()
