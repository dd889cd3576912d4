"""Every registered class has examples, so that no contract test passes it by."""

from __future__ import annotations

import pytest

import chainrule as cr
from chainrule.registry import Registered
from contracts.examples import LAYERS, OTHER_SETTINGS, examples, members, needs_arguments


@pytest.mark.parametrize("family", [cr.Activation, cr.Loss, cr.Optimizer, cr.Initializer])
def test_each_class_with_settings_has_an_example_with_other_settings(
    family: type[Registered],
) -> None:
    missing = [m.__name__ for m in members(family) if m.setting_names() and m not in OTHER_SETTINGS]
    assert not missing, f"add an example to OTHER_SETTINGS in contracts/examples.py: {missing}"
    impossible = [m.__name__ for m in members(family) if needs_arguments(m)]
    assert not impossible, f"a name alone cannot make these: {impossible}"


@pytest.mark.parametrize("family", [cr.Activation, cr.Loss])
def test_the_examples_of_what_has_a_formula_vary_every_setting(family: type[Registered]) -> None:
    for member in members(family):
        mine = [example for example in examples(family) if type(example) is member]
        for name in member.setting_names():
            assert len({repr(getattr(example, name)) for example in mine}) > 1, (
                f"add an example of {member.__name__} with another {name} to OTHER_SETTINGS in "
                "contracts/examples.py"
            )


def test_each_kind_of_layer_has_an_example() -> None:
    kinds = [kind for kind in members(cr.Layer) if not issubclass(kind, cr.Activation)]
    missing = [kind.__name__ for kind in kinds if not LAYERS.get(kind)]
    assert not missing, f"add an example to LAYERS in contracts/examples.py: {missing}"
