"""The whole check: read, run, find the network, explain its steps, say what was found."""

from __future__ import annotations


from chainrule.checker import process
from chainrule.checker.evidence import Evidence
from chainrule.checker.forward import Network, find_network, passes
from chainrule.checker.instrument import Place, instrument
from chainrule.checker.judge import Finding, judge, sizes
from chainrule.checker.lines import find_spot
from chainrule.checker.other_findings import Structural, look_around
from chainrule.checker.right_line import right_line
from chainrule.checker.source import Source
from chainrule.checker.steps import find_steps
from chainrule.checker.troubles import trouble
from chainrule.checker.verdict import Verdict
from chainrule.checker.wording import MISTAKES


def check_source(source: Source) -> Verdict:
    """Check one program."""
    try:
        tree = source.parse()
        compile(tree, "<learner>", "exec")
    except (SyntaxError, ValueError, RecursionError) as error:
        return trouble_with_syntax(error)
    places = instrument(source.text, tree)
    record = process.run(source)
    network: Network | None = None
    if record.events:
        evidence = Evidence(record, places)
        network = find_network(evidence)
    if network is None:
        return trouble(record, source)
    steps = find_steps(evidence, network, passes(evidence, network))
    found = look_around(evidence, network, steps, source)
    if found is not None:
        return _structural(source, network, found)
    if not steps:
        return Verdict(
            "unchecked",
            f"Found a network ({_shape(network, evidence)}), but saw no training step: its weights "
            "never changed while the file ran. Call the training at the end of the file.",
            cause="no_training",
        )
    finding = judge(evidence, network, steps)
    return _say(source, evidence, network, finding, places)


def trouble_with_syntax(error: Exception) -> Verdict:
    """What Python cannot read."""
    line = getattr(error, "lineno", None)
    where = f"line {line}: " if line else ""
    message = getattr(error, "msg", None) or str(error)
    return Verdict(
        "unchecked",
        f"Python cannot read the file: {where}{message}. Nothing can be checked before that is "
        "mended.",
        cause="syntax_error",
        line=line,
    )


def _shape(network: Network, evidence: Evidence) -> str:
    return f"{len(network.layers)} layers"


def _structural(source: Source, network: Network, found: Structural) -> Verdict:
    message = _sentences(
        source, network, found.cause, found.layer, found.line, found.right_line, found.words
    )
    return Verdict(
        "wrong",
        message,
        cause=found.cause,
        layer=found.layer + 1,
        line=found.line,
        right_line=found.right_line,
    )


def _say(
    source: Source, evidence: Evidence, network: Network, finding: Finding, places: list[Place]
) -> Verdict:
    if finding.verdict == "unchecked" or finding.judged is None:
        return Verdict(
            "unchecked",
            "Found a network and saw it train, but could not follow its arithmetic: no known step, "
            "right or wrong, gives its numbers. So there is no verdict.",
            cause="not_understood",
        )
    convention = _convention(network, finding)
    if finding.slip is None:
        return Verdict("correct", _certificate(network, finding, convention), convention=convention)
    slip = finding.slip
    spot = find_spot(evidence, finding.judged, slip)
    right = right_line(source, evidence, finding.judged, slip, spot) if spot else None
    words = {"factor": slip.detail.partition(" ")[2] or slip.detail, "kind": slip.detail}
    line = spot.line if spot else None
    return Verdict(
        "wrong",
        _sentences(source, network, slip.cause, slip.layer, line, right, words),
        cause=slip.cause,
        layer=slip.layer + 1,
        line=line,
        right_line=right,
        convention=convention,
    )


def _convention(network: Network, finding: Finding) -> str:
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


def _certificate(network: Network, finding: Finding, convention: str) -> str:
    judged = finding.judged
    assert judged is not None  # noqa: S101 - a correct finding has its step
    layers = " -> ".join(map(str, sizes(network, judged.batch)))
    names = ", ".join(layer.activation for layer in network.layers)
    return (
        f"Correct. The network is {layers} ({names}); every update of its parameters is the true "
        f"gradient, to rounding. Conventions: {convention}."
    )


def _sentences(
    source: Source,
    network: Network,
    cause: str,
    layer: int,
    line: int | None,
    right: str | None,
    words: dict[str, str],
) -> str:
    what, why = MISTAKES.get(cause, MISTAKES["unexplained"])
    count = len(network.layers)
    names = {
        "layer": _layer_name(layer, count),
        "layer_after": _layer_name(layer + 1, count),
        "layer_capital": _capital(_layer_name(layer, count)),
        "what": f"{'the bias' if words.get('kind', '').startswith('bias') else 'the weights'} of "
        f"{_layer_name(layer, count)}",
        "activation": network.layers[min(layer, count - 1)].activation,
        "factor": "",
        "number": "",
        **words,
    }
    if words.get("kind") == "all":
        names["what"] = "all parameters"
    names["what_capital"] = _capital(names["what"])
    said = [what.format(**names), why.format(**names)]
    if line is not None:
        said.append(f"Line {line}: {source.line(line)}")
    if right:
        said.append(f"It should be: {right}")
    return "\n".join(said)


def _layer_name(layer: int, count: int) -> str:
    if layer >= count - 1:
        return "the output layer"
    return "the hidden layer" if count == 2 else f"hidden layer {layer + 1}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


