"""The JSON form is what docs/explanation.md says: the page's tables are read and compared."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import chainrule as cr
from chainrule.explain import Explanation
from chainrule.layer import Array, Layer, Trace

PAGE = (Path(__file__).parents[2] / "docs" / "explanation.md").read_text("utf-8")


def tables() -> dict[str, dict[str, str]]:
    """Type of each documented field, by the heading that its table stands under."""
    found: dict[str, dict[str, str]] = {}
    for section in PAGE.split("\n## ")[1:]:
        rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
        if rows:
            found[section.partition("\n")[0]] = dict(rows)
    return found


TABLES = tables()


class Untold(Layer):
    """A layer from outside that says nothing about its equations."""

    def feedforward(self, x: Array, trace: Trace) -> Array:
        return 2 * x

    def backprop(self, d_y: Array, trace: Trace) -> Array | None:
        return 2 * d_y


def table() -> Explanation:
    """Dense layers, several samples, weighted, with penalties, Adam and clipping."""
    net = cr.NeuralNetwork(
        cr.Dense(12, "relu"),
        cr.Dense(3),
        loss="softmax_cross_entropy",
        optimizer=cr.Adam(0.01, weight_decay=0.1, clip_norm=0.01),
        l1=0.01,
        l2=0.02,
        inputs=10,
    )
    x = np.random.default_rng(0).normal(size=(3, 10))
    return net.explain(x, [0, 1, 2], sample_weight=[1.0, 2.0, 0.5])


def images() -> Explanation:
    """Windows, batch normalization, dropout, layers inside a layer."""
    net = cr.NeuralNetwork(
        cr.Conv2D(2, 3),
        cr.BatchNorm(),
        cr.PReLU(),
        cr.Residual(cr.Conv2D(2, 3, padding="same"), cr.ReLU()),
        cr.MaxPool2D(2),
        cr.Flatten(),
        cr.Dropout(0.5),
        cr.Dense(2),
        loss="softmax_cross_entropy",
        optimizer=cr.GradientDescent(0.1, momentum=0.9),
        inputs=(6, 6, 1),
    )
    x = np.random.default_rng(1).random((2, 6, 6, 1))
    return net.explain(x, [0, 1])


def without_equations() -> Explanation:
    """A layer without equations, an optimizer without a rule, weights used twice."""
    shared = cr.Dense(3, "tanh")
    net = cr.NeuralNetwork(
        shared,
        Untold(),
        shared,
        cr.Dense(1),
        optimizer="lbfgs",
        inputs=3,
        dtype="float64",
    )
    return net.explain([[0.1, 0.2, 0.3]], [[1.0]])


def overflowing() -> Explanation:
    """Numbers beyond the dtype's range."""
    net = cr.NeuralNetwork(cr.Dense(2), cr.Dense(1), inputs=2)
    net.parameters[...] = 1e30
    return net.explain([[1e30, 1.0]], [[0.0]])


STEPS: dict[str, Callable[[], Explanation]] = {
    "table": table,
    "images": images,
    "without equations": without_equations,
    "overflowing": overflowing,
}


@pytest.fixture(scope="module", params=STEPS)
def explanation(request: pytest.FixtureRequest) -> Explanation:
    return STEPS[request.param]()


@pytest.fixture(scope="module")
def data(explanation: Explanation) -> dict[str, Any]:
    """The JSON, read back by a reader that knows no NaN."""
    read: dict[str, Any] = json.loads(explanation.to_json(), parse_constant=_no_such_number)
    return read


def _no_such_number(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


# --- the page and the data ------------------------------------------------------------------


def assert_described(value: Any, words: str, place: str) -> None:
    """A value is of the type that the page names."""
    words = words.strip()
    if words.endswith(" or null"):
        if value is None:
            return
        words = words.removesuffix(" or null")
    assert value is not None, f"{place} is null, and the page does not say so"
    match words:
        case "string":
            assert isinstance(value, str), place
        case "number":
            assert isinstance(value, int | float), place
            assert not isinstance(value, bool), place
        case "integer":
            assert isinstance(value, int), place
            assert not isinstance(value, bool), place
        case "boolean":
            assert isinstance(value, bool), place
        case "object":
            assert isinstance(value, dict), place
        case "nested arrays":
            for number in numbers_in(value):
                assert_described(number, "number or null", place)
        case "notations":
            check_notations(value, place)
        case "array of integers" | "array of strings":
            for number, part in enumerate(value):
                assert_described(part, words.removeprefix("array of ")[:-1], f"{place}[{number}]")
        case "array of layers" | "array of factors":
            for number, part in enumerate(value):
                title = {"layers": "A layer", "factors": "A factor"}[words.split()[-1]]
                assert_table(part, title, f"{place}[{number}]")
        case "chain" | "source":
            assert_table(value, f"A {words}", place)
        case _:
            raise AssertionError(f"the page calls {place} {words!r}: no such type")


def assert_table(value: dict[str, Any], title: str, place: str) -> None:
    """An object has the fields of one table, no more and no less."""
    assert set(value) == set(TABLES[title]), place
    for name, words in TABLES[title].items():
        assert_described(value[name], words, f"{place}.{name}")


def check_notations(value: dict[str, str], place: str) -> None:
    fields = set(TABLES["Notations"])
    if place.endswith(".equation"):
        fields -= {"sympy"}  # between whole arrays there is none
    assert set(value) == fields, place
    assert all(isinstance(text, str) and text for text in value.values()), place


def numbers_in(values: Any) -> Iterator[Any]:
    if isinstance(values, list):
        for part in values:
            yield from numbers_in(part)
    else:
        yield values


def test_the_page_describes_every_object() -> None:
    assert list(TABLES) == [
        "The whole",
        "A layer",
        "An array",
        "A quantity",
        "A chain",
        "A factor",
        "Notations",
        "A source",
    ]


def test_the_fields_are_those_of_the_page(data: dict[str, Any]) -> None:
    assert_table(data, "The whole", "the whole")
    assert (data["format"], data["version"]) == ("chainrule explanation", 1)
    assert "This page describes version 1." in " ".join(PAGE.split())
    for name, value in data["settings"].items():
        assert_described(value, "number or null", name)
    for name, array in data["arrays"].items():
        assert_table(array, "An array", name)
    for name, quantity in data["quantities"].items():
        assert_table(quantity, "A quantity", name)


def test_the_example_of_the_page_is_what_is_written() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    written = names["explanation"].to_dict()["quantities"]["d_weights2_at_0_0"]
    shown = json.loads(example)
    for record in (written, shown):
        # The last digits may differ from one machine to another.
        record["substitution"] = float(sympy.sympify(record["substitution"]))
    assert_same(written, shown)


def assert_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    match one:
        case dict():
            assert list(one) == list(other)
            assert_same(list(one.values()), list(other.values()))
        case list():
            assert len(one) == len(other)
            for left, right in zip(one, other, strict=True):
                assert_same(left, right)
        case float():
            assert one == pytest.approx(other, rel=1e-12)
        case _:
            assert one == other


# --- what holds between the fields ----------------------------------------------------------


def test_identifiers_lead_somewhere(data: dict[str, Any]) -> None:
    arrays, quantities = data["arrays"], data["quantities"]
    for layer in data["layers"]:
        assert {layer["input"], layer["output"], *layer["equations"]} <= set(arrays)
    for name, array in arrays.items():
        assert array["symbol"]["sympy"] == name
        assert name.startswith(array["field"])
    for name, quantity in quantities.items():
        array = arrays[quantity["array"]]
        assert quantity["symbol"]["sympy"] == name
        assert len(quantity["index"]) == len(array["shape"])
        assert all(i < size for i, size in zip(quantity["index"], array["shape"], strict=True))
        if array["values"] is not None:
            value = array["values"]
            for place in quantity["index"]:
                value = value[place]
            assert value == quantity["value"]


def test_shapes_and_lengths_are_those_of_the_values(data: dict[str, Any]) -> None:
    for array in data["arrays"].values():
        if array["values"] is None and array["shape"]:
            assert math.prod(array["shape"]) > 4096
            continue
        values = np.array(array["values"], dtype=np.float64)
        assert values.shape == tuple(array["shape"])
        if array["norm"] is not None:
            assert array["norm"] == pytest.approx(float(np.linalg.norm(values)), rel=1e-12)


def test_the_factors_of_a_chain_give_its_product(data: dict[str, Any]) -> None:
    chains = 0
    for quantity in data["quantities"].values():
        chain = quantity["chain"]
        if chain is None or any(factor["value"] is None for factor in chain["factors"]):
            continue
        chains += 1
        product = math.prod(factor["value"] for factor in chain["factors"])
        if chain["product"] is not None:
            assert product == pytest.approx(chain["product"], rel=1e-12)
        if chain["is_whole"] and quantity["value"] is not None:
            assert product == pytest.approx(quantity["value"], rel=1e-4, abs=1e-12)
    assert chains or data["loss"] is None


def test_sympy_reads_formulas_and_substitutions(data: dict[str, Any]) -> None:
    quantities = list(data["quantities"].values())
    for quantity in quantities[:: max(1, len(quantities) // 40)]:
        if quantity["formula"] is None:
            assert quantity["substitution"] is None
            assert quantity["parts"] == {}
            continue
        formula = quantity["formula"]["sympy"]
        names = {name: sympy.Symbol(name) for name in re.findall(r"[A-Za-z_]\w*", formula)}
        functions = {"exp", "log", "sqrt", "Abs", "Max", "Min", "sign", "Piecewise", "True", "tanh"}
        symbols = {name: symbol for name, symbol in names.items() if name not in functions}
        read = sympy.sympify(formula, locals=symbols)
        named = {str(symbol) for symbol in read.free_symbols}
        assert named <= set(quantity["parts"])
        numbers = {name: value for name, value in quantity["parts"].items() if value is not None}
        if quantity["value"] is not None and len(numbers) == len(quantity["parts"]):
            put_in = read.subs({symbols[name]: numbers[name] for name in named})
            assert float(put_in) == pytest.approx(quantity["value"], rel=1e-3, abs=1e-6)
        found = sympy.sympify(quantity["substitution"])
        assert not found.free_symbols
        if quantity["value"] is not None:
            assert float(found) == pytest.approx(quantity["value"], rel=1e-3, abs=1e-6)


def test_large_arrays_keep_their_shape_and_length_alone() -> None:
    net = cr.NeuralNetwork(cr.Dense(70), cr.Dense(1), inputs=60)
    arrays = net.explain(np.zeros((1, 60)), [[1.0]]).to_dict()["arrays"]
    assert arrays["weights1"]["values"] is None  # 4,200 numbers
    assert arrays["weights1"]["shape"] == [60, 70]
    assert arrays["weights1"]["norm"] > 0
    assert arrays["bias1"]["values"] == [0.0] * 70


def test_numbers_beyond_the_range_are_null() -> None:
    data = overflowing().to_dict()
    assert data["loss"] is None
    assert None in set(numbers_in(data["arrays"]["z1"]["values"]))


def test_the_file_holds_the_same(tmp_path: Path) -> None:
    explanation = table()
    written = explanation.save(tmp_path / "step.json").read_text("utf-8")
    assert written == explanation.to_json()
    assert json.loads(written) == explanation.to_dict()
