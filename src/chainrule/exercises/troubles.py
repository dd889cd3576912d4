"""One clear sentence for each way in which a file cannot be checked."""

from __future__ import annotations

import ast
import re

from chainrule.exercises.sandbox import MEGABYTES, Failure, Run
from chainrule.exercises.verdict import Verdict

_MATRIX_PRODUCT = re.compile(r"^matmul: .*\(size (\d+) is different from (\d+)\)")


def read_problem(text: str) -> Verdict | None:
    """Say what Python cannot read, if anything."""
    try:
        compile(ast.parse(text), "<learner>", "exec")
    except SyntaxError as error:
        where = f" in line {error.lineno}" if error.lineno else ""
        return Verdict(
            "unchecked",
            f"Python cannot read the file{where}: {error.msg}. Mend that first.",
            "syntax_error",
            error.lineno,
        )
    except (ValueError, RecursionError, MemoryError):
        return Verdict(
            "unchecked",
            "Python cannot read the file: it holds a null byte, or is nested too deeply.",
            "syntax_error",
        )
    return None


def run_problem(run: Run, seconds: int) -> Verdict | None:
    """Say why a run gave no answers, if it did not."""
    if run.ended == "late":
        return Verdict(
            "unchecked",
            f"The file was stopped after {seconds} seconds. Is there a loop without an end, or "
            "something that waits?",
            "time_limit",
        )
    if run.ended == "silent":
        return Verdict(
            "unchecked",
            "The file ended its own process before it could be checked (os._exit, a crash, or too "
            "much memory). Remove what ends it.",
            "process_ended",
        )
    if run.failure is None:
        return None
    cause, sentence = _of_failure(run.failure) or (
        "raised",
        f"The file stops{_where(run.failure)} before anything could be checked: {told(run.failure)}"
        " Mend that first.",
    )
    return Verdict("unchecked", sentence, cause, run.failure.line)


def call_problem(failure: Failure) -> Verdict | None:
    """Say why a call cannot be judged; None where the exception is an ordinary mistake."""
    found = _of_failure(failure)
    return None if found is None else Verdict("unchecked", found[1], found[0], failure.line)


def told(failure: Failure) -> str:
    """An exception as a sentence."""
    sizes = _MATRIX_PRODUCT.search(failure.message)
    if sizes is not None:  # NumPy's own words are about operands, core dimensions and signatures
        return (
            f"The shapes do not fit in the matrix product: rows of {sizes[2]} numbers meet columns "
            f"of {sizes[1]}."
        )
    said = f"{failure.error}: {failure.message}" if failure.message else failure.error
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _where(failure: Failure) -> str:
    return f" in line {failure.line}" if failure.line else ""


def _of_failure(failure: Failure) -> tuple[str, str] | None:
    error, where = failure.error, _where(failure)
    if error.endswith("MemoryError"):
        return "memory_limit", (
            f"The file asks for more than the {MEGABYTES / 1024:g} GB it may have{where}. Make the "
            "array smaller."
        )
    if error in ("SystemExit", "KeyboardInterrupt"):
        return (
            "exits",
            f"The file leaves with exit{where}. Take that out, so that it can be called.",
        )
    if error == "InputAsked":
        return "asks_input", (
            f"The file waits for the keyboard{where}, and nobody is there to type. Take "
            "input() out."
        )
    if error in ("ModuleNotFoundError", "ImportError") and failure.name == "chainrule":
        return "imports_chainrule", (
            f"The file imports chainrule{where}. The exercise is to write it yourself, with NumPy "
            "alone."
        )
    if error in ("ModuleNotFoundError", "ImportError"):
        return "missing_import", (
            f"The file imports something that is not there{where}: {failure.message}. The exercise "
            "needs NumPy alone."
        )
    if error in ("FileNotFoundError", "IsADirectoryError", "PermissionError"):
        return "missing_file", (
            f"The file opens something that is not there{where}: {failure.message}. The exercise "
            "needs no files."
        )
    if error == "RecursionError":
        return "recursion", f"A function calls itself without an end{where}."
    return None
