"""The checker's answers in sentences, for a student who reads them at midnight."""

from __future__ import annotations

from chainrule.checker.forward import Network
from chainrule.checker.judged import Finding, sizes
from chainrule.checker.mending import Mended
from chainrule.checker.source import Source
from chainrule.checker.wording import MISTAKES


def convention(network: Network, finding: Finding) -> str:
    """What the learner's choices were found to be."""
    judged = finding.judged
    if judged is None:
        return ""
    explanation = judged.explanation
    parts = []
    if explanation.loss:
        parts.append(f"loss: {explanation.loss}")
    parts.append("one sample at a time" if judged.batch.rows() == 1 else "batches")
    parts.append("samples in columns" if network.columns else "samples in rows")
    parts.append(f"learning rate times loss scale {abs(explanation.scale):.4g}")
    if explanation.extra:
        parts.append(explanation.extra)
    return "; ".join(parts)


def certificate(network: Network, finding: Finding, conventions: str) -> str:
    """What a correct network is told."""
    judged = finding.judged
    assert judged is not None  # noqa: S101 - a correct finding has its step
    layers = " -> ".join(map(str, sizes(judged.batch)))
    names = ", ".join(layer.activation for layer in network.layers)
    return (
        f"Correct. The network is {layers} ({names}); every update of its parameters is the true "
        f"gradient, to rounding. Conventions: {conventions}."
    )


def answer(
    source: Source,
    network: Network | None,
    cause: str,
    layer: int,
    pointed: Mended | None,
    words: dict[str, str],
) -> str:
    """What is wrong, why it matters, in which line, and how that line should be."""
    what, why = MISTAKES.get(cause, MISTAKES["unexplained"])
    layers = network.layers if network else ()
    count = len(layers)
    names = {
        "layer": _layer_name(layer, count),
        "layer_after": _layer_name(layer + 1, count),
        "layer_capital": _capital(_layer_name(layer, count)),
        "what": f"{'the bias' if words.get('kind', '').startswith('bias') else 'the weights'} of "
        f"{_layer_name(layer, count)}",
        "activation": layers[min(layer, count - 1)].activation if layers else "",
        "factor": "",
        "number": "",
        **words,
    }
    if words.get("kind") == "all":
        names["what"] = "all parameters"
    names["what_capital"] = _capital(names["what"])
    said = [what.format(**names), why.format(**names)]
    if pointed is not None:
        said += _lines(source, pointed)
    return "\n".join(said)


def _lines(source: Source, pointed: Mended) -> list[str]:
    said = [f"Line {pointed.line}: {source.line(pointed.line)}"]
    if pointed.right_line:
        put = "After it belongs" if pointed.is_new else "It should be"
        said.append(f"{put}: {pointed.right_line}")
    for line, right_line in pointed.also:
        said.append(f"And line {line}: {right_line}")
    if pointed.is_proved:
        said.append("Tried: the file with that change was run, and its steps are right.")
    return said


def _layer_name(layer: int, count: int) -> str:
    if layer >= count - 1:
        return "the output layer"
    return "the hidden layer" if count == 2 else f"hidden layer {layer + 1}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
