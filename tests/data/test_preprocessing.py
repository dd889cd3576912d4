from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import palmerpenguins
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chainrule.data.csv import read_csv
from chainrule.data.preprocessing import Preprocessing
from chainrule.data.target import ClassTarget, NumberTarget
from chainrule.errors import InvalidData, UnreadableFile

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
CATEGORIES = ["island", "sex"]
SPECIES = ClassTarget("species", ("Adelie", "Chinstrap", "Gentoo"))


@pytest.fixture(scope="module")
def penguins() -> pd.DataFrame:
    return palmerpenguins.load_penguins().drop(columns="year")


@pytest.fixture
def learned(penguins: pd.DataFrame) -> Preprocessing:
    return Preprocessing.learn(penguins, SPECIES)


def scikit_learn(training: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """The same features by scikit-learn, in order: each number with its mark, then categories."""
    number = make_union(
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        MissingIndicator(features="all"),
    )
    category = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="~missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    columns = make_column_transformer(
        *[(number, [name]) for name in NUMBERS], *[(category, [name]) for name in CATEGORIES]
    )
    plain = [frame.astype(dict.fromkeys(CATEGORIES, object)) for frame in (training, other)]
    learned_from, applied_to = (frame.where(frame.notna(), np.nan) for frame in plain)
    return columns.fit(learned_from).transform(applied_to)


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learns_imputer_scaler_and_encoder(penguins: pd.DataFrame, seed: int) -> None:
    """On rows that were not learned from, with a category and gaps that are new in them."""
    order = np.random.default_rng(seed).permutation(len(penguins))
    training, other = penguins.iloc[order[:200]], penguins.iloc[order[200:]].copy()
    training = training.copy()
    training.loc[training.index[:3], NUMBERS] = np.nan  # so that every number is marked
    training.loc[training.index[3], "sex"] = None
    other.loc[other.index[0], "island"] = "Atlantis"
    table = training[[*NUMBERS, *CATEGORIES, "species"]]
    learned = Preprocessing.learn(table, SPECIES)
    ours = learned.features(other).values
    theirs = scikit_learn(training, other)
    assert ours.shape == theirs.shape == (144, len(learned.feature_names))
    np.testing.assert_allclose(ours, theirs.astype(float), rtol=1e-12, atol=1e-12)


def test_the_file_gives_the_same_as_the_frame(
    penguins: pd.DataFrame, learned: Preprocessing, tmp_path: Path
) -> None:
    penguins.to_csv(tmp_path / "penguins.csv", index=False)
    from_file = read_csv(tmp_path / "penguins.csv")
    assert Preprocessing.learn(from_file, SPECIES) == learned
    assert np.array_equal(learned.features(from_file).values, learned.features(penguins).values)


def test_the_target_and_its_mark_are_no_features(learned: Preprocessing) -> None:
    assert not [name for name in learned.feature_names if "species" in name]


def test_order_and_further_columns_do_not_matter(
    penguins: pd.DataFrame, learned: Preprocessing
) -> None:
    shuffled = penguins[penguins.columns[::-1]].assign(more="x")
    assert np.array_equal(learned.features(shuffled).values, learned.features(penguins).values)


def test_what_was_not_learned_is_told_once(penguins: pd.DataFrame, learned: Preprocessing) -> None:
    other = penguins.assign(island="Atlantis")
    _, told = learned.features(other)
    assert told == [
        "'island': 344 values ('Atlantis') outside the 3 categories of training counted as none of "
        "them."
    ]


def test_missing_columns(penguins: pd.DataFrame, learned: Preprocessing) -> None:
    with pytest.raises(InvalidData, match=r"no column 'sex'\. Did you mean 'Sex'\? It has: "):
        learned.features(penguins.rename(columns={"sex": "Sex"}))
    with pytest.raises(InvalidData, match=r"no columns 'island', 'sex'\. It has: "):
        learned.features(penguins.drop(columns=["island", "sex"]))


def test_numbers_as_column_names() -> None:
    table = pd.DataFrame(np.arange(12.0).reshape(4, 3))
    learned = Preprocessing.learn(table, NumberTarget("2", 0, 1))
    assert learned.feature_names == ["0", "1"]
    assert learned.features(table).values.shape == (4, 2)


def test_nothing_to_learn_from() -> None:
    table = pd.DataFrame({"a": ["x", "x"], "y": ["p", "q"]})
    with pytest.raises(InvalidData, match=r"No column is left to predict 'y' .*'a': always 'x'"):
        Preprocessing.learn(table, ClassTarget("y", ("p", "q")))
    with pytest.raises(InvalidData, match=r"\(no other\)"):
        Preprocessing.learn(table[["y"]], ClassTarget("y", ("p", "q")))


# --- the record ---------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [SPECIES, NumberTarget("species", 1.5, 2.0)])
def test_goes_through_json_unchanged(
    penguins: pd.DataFrame, target: ClassTarget | NumberTarget
) -> None:
    table = penguins.assign(day="2024-01-01", name=np.arange(344).astype(str))
    learned = Preprocessing.learn(table.rename(columns={"name": "id"}), target)
    assert learned.left_out
    assert Preprocessing.from_dict(json.loads(json.dumps(learned.to_dict()))) == learned


def _set(*path_and_value: Any) -> Callable[[Any], object]:
    *path, key, value = path_and_value

    def change(record: Any) -> None:
        for part in path:
            record = record[part]
        record[key] = value

    return change


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record.pop("columns"),
        lambda record: record["columns"][0].pop("kind"),
        _set("columns", 0, "kind", "os.system"),
        _set("columns", 0, "kind", "classes"),
        _set("target", None),
        _set("columns", 7),
        _set("columns", 0, "name", 5),
        _set("columns", 0, "categories", "abc"),
        _set("columns", 0, "categories", ["a", "a"]),
        _set("columns", 0, "categories", [1, 2]),
        _set("columns", 0, "marks_missing", 1),
        _set("columns", 1, "mean", float("nan")),
        _set("columns", 1, "mean", True),
        _set("columns", 1, "mean", "1"),
    ],
)
def test_a_damaged_record(learned: Preprocessing, damage: Callable[[Any], object]) -> None:
    record = json.loads(json.dumps(learned.to_dict()))
    damage(record)
    with pytest.raises(UnreadableFile, match="The record of the columns is damaged"):
        Preprocessing.from_dict(record)
