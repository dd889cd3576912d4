"""Networks out as Python source."""

from __future__ import annotations

from pathlib import Path

from chainrule.checks import shown
from chainrule.errors import InvalidSetting
from chainrule.files import check_writable, write_atomically
from chainrule.network import NeuralNetwork
from chainrule.saving.eject.check import check_module
from chainrule.saving.eject.module import eject


def to_python(network: NeuralNetwork, path: str | Path, *, about: str = "") -> Path:
    """Write a network as a readable Python module that needs NumPy alone.

    The module has a class ``NeuralNetwork`` with ``feedforward``, ``backprop``, ``train`` and
    ``predict``, the mathematics written out for exactly this network. It predicts what the network
    predicts. Its training goes on from where the network's stands, with the optimizer's memory,
    and has the same losses (apart from dropout, which draws other numbers there). It computes in
    float64.

    Parameters
    ----------
    network : NeuralNetwork
        Built, with finite parameters.
    path : str or Path
        Ending in ``.py``. A file that is there already is replaced in one step. More than a few
        hundred numbers go into a file beside it, ``name_numbers.npz`` for ``name.py``.
    about : str, optional
        What to say about the data in the module's docstring.

    Returns
    -------
    Path

    Raises
    ------
    NotBuilt
        When the network has no weights yet.
    InvalidData
        When a parameter is not finite.
    InvalidSetting
        When a part of the network cannot be written as Python (with its name), or nothing can be
        written there. Nothing has been written then.
    """
    if not isinstance(network, NeuralNetwork):
        raise InvalidSetting(
            f"to_python received {shown(network)} as network; expected a NeuralNetwork."
        )
    path = check_writable(path, suffixes=(".py",))
    file_name = f"{path.stem}_numbers.npz"
    module = eject(network, file_name, about)
    twin = network if str(network.dtype) == "float64" else network.copy(dtype="float64")
    check_module(twin, eject(twin, file_name), file_name)
    if module.numbers is not None:
        write_atomically(path.with_name(file_name), module.numbers)
    return write_atomically(path, module.text.encode())
