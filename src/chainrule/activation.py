"""What an activation is: a function a = f(z), its derivative, and its formula."""

from __future__ import annotations

from typing import ClassVar

from chainrule.errors import InvalidShape
from chainrule.layer import Array, Layer, Shape, Trace


class Activation(Layer, family="activation"):
    """A nonlinear function between two weighted sums, applied to each number by itself.

    Without one, any number of layers would collapse into a single weighted sum. To write your own,
    define ``value`` and ``derivative``; everything else (backprop, the name, tests) follows::

        class Sine(chainrule.Activation):
            formula = "sin(z)"
            derivative_formula = "cos(z)"

            def value(self, z):
                return np.sin(z)

            def derivative(self, z, a):
                return np.cos(z)

    and ``Dense(8, activation="sine")`` works. An activation whose outputs depend on more than one
    input (softmax) defines ``backprop`` instead of ``derivative``.

    Attributes
    ----------
    formula, derivative_formula : str
        The two functions in SymPy's notation, in ``z``, ``a`` and the settings' names. The
        contract tests prove that they are what the code computes.
    latex : str
        The formula as LaTeX where SymPy's own rendering would be ugly.
    initializer : str
        Starting weights that suit this activation.
    outputs_within : tuple of float
        Bounds of the outputs, where there are any, so that a loss on probabilities can say no.
    """

    formula: ClassVar[str] = ""
    derivative_formula: ClassVar[str] = ""
    latex: ClassVar[str] = ""
    initializer: ClassVar[str] = "glorot_uniform"
    outputs_within: ClassVar[tuple[float, float]] = (float("-inf"), float("inf"))

    def value(self, z: Array) -> Array:
        """Compute a = f(z); ``z`` and ``a`` have the same shape."""
        raise NotImplementedError(f"{type(self).__name__} defines no value")

    def derivative(self, z: Array, a: Array) -> Array:
        """f'(z). Given both ``z`` and ``a``, because often the one or the other is shorter."""
        raise NotImplementedError(f"{type(self).__name__} defines no derivative")

    def equations(self, training: bool) -> dict[str, str]:
        """Both passes, where the formulas say what f and f' are: a = f(z), ∂L/∂z = ∂L/∂a f'(z)."""
        if not (self.formula and self.derivative_formula):
            return {}
        return {"a": self.formula, "d_z": f"d_a * ({self.derivative_formula})"}

    def feedforward(self, z: Array, trace: Trace) -> Array:
        """Z (batch, ...) -> a (batch, ...)."""
        trace.z = z
        a = self.value(z)
        if a.dtype is not z.dtype:  # someone's own value, made of Python's float64
            a = a.astype(z.dtype)
        trace.a = a
        return a

    def backprop(self, d_a: Array, trace: Trace) -> Array:
        """d_a (batch, ...) -> d_z (batch, ...): ∂L/∂z = ∂L/∂a · f'(z)."""
        d_z = d_a * self.derivative(trace.z, trace.a)
        return d_z if d_z.dtype is d_a.dtype else d_z.astype(d_a.dtype)


class VectorActivation(Activation, register=False):
    """Base of activations that mix the numbers of one sample: softmax and its logarithm.

    Their formulas are written for output ``a[i]`` over inputs ``z[j]``, j = 1 ... K, and the
    derivative formula is ∂a[i]/∂z[k].
    """

    def equations(self, training: bool) -> dict[str, str]:
        """Each says how its Jacobian is multiplied out; the formulas are for single outputs."""
        return {}

    def output_shape(self, input_shape: Shape) -> Shape:
        """Need at least one axis to mix: the last one."""
        if not input_shape:
            raise InvalidShape(
                f"{self!r} received single numbers; expected (batch, classes): it compares the "
                "numbers along the last axis."
            )
        return input_shape
