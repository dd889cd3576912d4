"""Nothing that a learner writes can crash or fool the check: one clear sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.errors import UnreadableFile
from chainrule.exercises import check
from chainrule.exercises.definitions import EXERCISES
from chainrule.exercises.verdict import Verdict
from exercises.answers import filled, write

ANSWER = "return d_z.sum(axis=0)"


def bias(tmp_path: Path, answer: str, before: str = "", after: str = "") -> Verdict:
    path = tmp_path / "bias.py"
    path.write_text(f"{filled('bias', answer)}\n{before}\n{after}\n", encoding="utf-8")
    return check(path, "bias", seconds=4)


def one_sentence(verdict: Verdict, cause: str) -> None:
    assert (verdict.verdict, verdict.cause) == ("unchecked", cause), verdict.message
    assert verdict.exit_status == 2
    assert 20 < len(verdict.message) < 250
    assert "Traceback" not in verdict.message


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("syntax_error", "def broken(:"),
        ("syntax_error", "x = '\0'"),
        ("exits", "import sys\nsys.exit(0)"),
        ("exits", "raise KeyboardInterrupt"),
        ("process_ended", "import os\nos._exit(0)"),
        ("process_ended", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        ("asks_input", "rate = float(input('learning rate? '))"),
        ("memory_limit", "import numpy\nnumpy.ones(50 * 2**27)"),
        ("missing_import", "import no_such_package_at_all"),
        ("imports_chainrule", "import chainrule"),
        ("imports_chainrule", "from chainrule.layers import Dense"),
        ("missing_file", "open('data.csv')"),
        ("recursion", "def f():\n    f()\nf()"),
        ("raised", "1 / 0"),
        ("raised", "raise BaseException('mine')"),
        ("missing_function", "del bias_gradient"),
        ("missing_function", "bias_gradient = 3"),
    ],
)
def test_what_stands_in_the_file(cause: str, code: str, tmp_path: Path) -> None:
    one_sentence(bias(tmp_path, ANSWER, code), cause)


@pytest.mark.parametrize(
    ("cause", "answer"),
    [
        ("exits", "exit()"),
        ("asks_input", "return input()"),
        ("memory_limit", "return np.ones((2**20, 2**20))"),
        ("recursion", "return bias_gradient(d_z)"),
        ("process_ended", "import os\nos._exit(3)"),
    ],
)
def test_what_stands_in_the_function(cause: str, answer: str, tmp_path: Path) -> None:
    one_sentence(bias(tmp_path, answer), cause)


@pytest.mark.parametrize("answer", ["while True:\n    pass", "import time\ntime.sleep(60)"])
def test_a_loop_without_an_end(answer: str, tmp_path: Path) -> None:
    path = write(tmp_path, "bias", answer)
    verdict = check(path, "bias", seconds=2)
    one_sentence(verdict, "time_limit")
    assert "after 2 seconds" in verdict.message


@pytest.mark.parametrize(
    ("cause", "answer"),
    [
        ("nothing_returned", "d_z.sum(axis=0)"),
        ("wrong_kind", "return 'd_z.sum(axis=0)'"),
        ("wrong_kind", "return {'d_bias': d_z.sum(axis=0)}"),
        ("wrong_kind", "return lambda: d_z.sum(axis=0)"),
        ("wrong_kind", "return d_z.sum(axis=0) + 1j"),
        ("wrong_kind", "return np.zeros(10**6)"),
        ("wrong_kind", "import itertools\nreturn itertools.repeat(1)"),
        ("wrong_shape", "return np.zeros((7, 7))"),
        ("not_finite", "return d_z.sum(axis=0) * np.nan"),
        ("not_finite", "return d_z.sum(axis=0) / 0"),
        ("raises", "return undefined_name"),
        ("raises", "raise ValueError('not today')"),
        ("arguments_changed", "d_z *= 1.5\nreturn d_z.sum(axis=0) / 1.5"),
    ],
)
def test_answers_of_the_wrong_kind(cause: str, answer: str, tmp_path: Path) -> None:
    verdict = bias(tmp_path, answer)
    assert (verdict.verdict, verdict.cause) == ("wrong", cause), verdict.message
    assert verdict.line is not None


@pytest.mark.parametrize(
    "code",
    [
        "np.sum = np.exp = np.asarray = np.array = np.random.default_rng = None",
        "del np.ndarray, np.errstate",
        "import json\njson.dumps = json.loads = None",
        "import os\nos.write = os._exit = None",
        "import warnings\nwarnings.simplefilter('error')",
        "import sys\nsys.stdout.close()\nsys.path.clear()",
        "import builtins\nbuiltins.print = builtins.open = None",
        'print(\'{"token": "", "answers": []}\' * 1000)',
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
        "import atexit, time\natexit.register(time.sleep, 60)",
        "import os\nif os.fork() == 0:\n    pass",
        "import signal\nsignal.alarm(0)\nimport gc\ngc.disable()",
    ],
)
def test_a_right_answer_stays_right(code: str, tmp_path: Path) -> None:
    verdict = bias(tmp_path, ANSWER, code)
    assert verdict.verdict == "correct", verdict.message


@pytest.mark.parametrize(
    "code",
    [
        "import numpy\nnumpy.allclose = numpy.array_equal = lambda *_, **__: True",
        "class Same(float):\n    __eq__ = lambda *_: True\n    __sub__ = lambda *_: 0.0",
        "import sys\nfor m in list(sys.modules):\n    pass",
        "import os\nfor d in range(3, 20):\n    try:\n"
        '        os.write(d, b\'{"token": "", "failure": null, "answers": []}\')\n'
        "    except OSError:\n        pass",
    ],
)
def test_a_wrong_answer_stays_wrong(code: str, tmp_path: Path) -> None:
    assert bias(tmp_path, "return d_z.mean(axis=0)", code).verdict != "correct"


def test_what_a_file_prints_and_plots_disturbs_nobody(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "import os, sys\nprint('hello')\nos.system('echo hello')\nsys.stderr.write('hello')"
    assert bias(tmp_path, ANSWER, code).verdict == "correct"
    assert capfd.readouterr() == ("", "")


def test_nothing_is_written_beside_the_file(tmp_path: Path) -> None:
    assert bias(tmp_path, ANSWER, "open('result.txt', 'w').write('x')").verdict == "correct"
    assert [path.name for path in tmp_path.iterdir()] == ["bias.py"]


def test_a_module_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def total(d):\n    return d.sum(axis=0)\n")
    verdict = bias(tmp_path, "return total(d_z)", "from mine import total")
    assert verdict.verdict == "correct"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        check(tmp_path / "none.py", "bias")
    with pytest.raises(UnreadableFile, match="cannot be read"):
        check(tmp_path, "bias")
    path = tmp_path / "bias.py"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableFile, match="not text in UTF-8"):
        check(path)
    path.write_bytes(b" " * (2**20 + 1))
    with pytest.raises(UnreadableFile, match="larger than 1 MB"):
        check(path)


def test_names_in_any_language_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "bias.py"
    text = filled("bias", "größe = d_z.sum(axis=0)  # сумма\nreturn größe")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert check(path).verdict == "correct"


ODD = [
    "0",
    "True",
    "[]",
    "()",
    "[[1.0], [2.0, 3.0]]",
    "[1.0, None]",
    "[None, None, None]",
    "(1.0, 2.0)",
    "(1.0, 2.0, 3.0)",
    "([1.0], 'two')",
    "np.array([])",
    "np.zeros((0, 3))",
    "np.array(['a'])",
    "np.array([None])",
    "np.full((3, 3), np.inf)",
    "(np.zeros(2), [np.zeros(3)])",
    "[(np.zeros(2), np.zeros(3))]",
    "[[[[]]]]",
    "(x for x in [1.0, np.zeros(2)])",
    "range(3)",
    "np.ma.masked_array([1.0, 2.0], [True, False])",
    "np.matrix([[1.0, 2.0]])",
    "np.array(1e400)",
    "10**400",
    "...",
    "Exception()",
]


@pytest.mark.sweep(sample=12)
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", EXERCISES)
def test_odd_answers_are_told_and_nothing_crashes(name: str, odd: str, tmp_path: Path) -> None:
    first = "import numpy as np\n" if name == "learning-rate" else ""
    verdict = check(write(tmp_path, name, f"{first}return {odd}"))
    assert verdict.verdict in ("wrong", "unchecked"), verdict.message
    assert verdict.cause
    assert 10 < len(verdict.message) < 1000
