"""The optimizers, in order of increasing complexity. ``chainrule.optimizer`` says what one is.

θ are the parameters, g the gradient, η the learning rate. A moving average m ← β m + (1 - β) g is
kept as the sum Σ ← β Σ + g, which is m / (1 - β): the factor joins the step's size, one number,
instead of being multiplied into every vector.
"""

from __future__ import annotations

import math
from typing import Unpack

import numpy as np

from chainrule import checks
from chainrule.errors import InvalidSetting
from chainrule.layer import Array
from chainrule.optimizer import (
    CommonSettings,
    Optimizer,
    OptimizerState,
    check_decay,
    check_epsilon,
    decaying_sum,
    decaying_sum_of_squares,
    moving_average,
)
from chainrule.schedules import Schedule


class GradientDescent(Optimizer):
    """θ ← θ - η g: a step downhill (Cauchy, 1847).

    With momentum μ the steps gather speed, v ← μ v - η g, θ ← θ + v (Polyak, 1964); Nesterov's
    form takes the gradient's part once more ahead, θ ← θ + μ v - η g (Sutskever et al., 2013).

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    momentum : float, default 0
        μ: the part of the velocity that stays from step to step.
    nesterov : bool, default False
        Whether to look ahead along the velocity.
    **common
        ``weight_decay``, ``clip_norm`` and ``clip_value``: see ``Optimizer``.
    """

    formula = r"\theta \leftarrow \theta - \eta g"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Unpack[CommonSettings],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.momentum = check_decay("momentum", momentum)
        self.nesterov = checks.flag("nesterov", nesterov)
        if self.nesterov and not self.momentum:
            raise InvalidSetting(
                "GradientDescent(nesterov=True) looks ahead along the velocity, and with "
                "momentum=0 there is none. Give momentum=0.9, say."
            )

    def start(self, parameters: Array) -> OptimizerState:
        return OptimizerState(parameters, {"velocity": 0.0} if self.momentum else {})

    def equations(self) -> dict[str, str]:
        if not self.momentum:
            return {"new_parameter": "parameter - rate * gradient"}
        step = "momentum * new_velocity - rate * gradient" if self.nesterov else "new_velocity"
        return {
            "new_velocity": "momentum * velocity - rate * gradient",
            "new_parameter": f"parameter + {step}",
        }

    def update(
        self, parameters: Array, gradients: Array, state: OptimizerState, rate: float
    ) -> None:
        step = np.multiply(gradients, rate, out=state.scratch)
        if not self.momentum:
            parameters -= step
            return
        velocity = state.vectors["velocity"]
        velocity *= self.momentum
        velocity -= step
        if not self.nesterov:
            parameters += velocity
            return
        parameters -= step
        parameters += np.multiply(velocity, self.momentum, out=state.scratch)


class Adagrad(Optimizer):
    """Each parameter's step shrinks with the gradients it has seen (Duchi et al., 2011).

    s ← s + g²,  θ ← θ - η g / (√s + ε).

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.01
    epsilon : float, default 1e-8
        Keeps the division from dividing by zero.
    **common
        ``weight_decay``, ``clip_norm`` and ``clip_value``: see ``Optimizer``.
    """

    formula = (
        r"s \leftarrow s + g^2,\quad \theta \leftarrow \theta - \eta\, g / (\sqrt{s} + \epsilon)"
    )
    remembers = {"sum_of_squares": 0.0}

    def equations(self) -> dict[str, str]:
        return {
            "new_sum_of_squares": "sum_of_squares + gradient**2",
            "new_parameter": "parameter - rate * gradient / (sqrt(new_sum_of_squares) + epsilon)",
        }

    def __init__(
        self,
        learning_rate: float | Schedule = 0.01,
        *,
        epsilon: float = 1e-8,
        **common: Unpack[CommonSettings],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.epsilon = check_epsilon(epsilon)

    def update(
        self, parameters: Array, gradients: Array, state: OptimizerState, rate: float
    ) -> None:
        squares, scratch = state.vectors["sum_of_squares"], state.scratch
        squares += np.multiply(gradients, gradients, out=scratch)
        _step_over_root(parameters, gradients, squares, rate, self.epsilon, scratch)


class RMSProp(Optimizer):
    """Adagrad that forgets: a moving average of g² in place of the sum (Hinton, 2012).

    s ← ρ s + (1 - ρ) g²,  θ ← θ - η g / (√s + ε).

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
    decay : float, default 0.9
        ρ.
    epsilon : float, default 1e-8
    **common
        ``weight_decay``, ``clip_norm`` and ``clip_value``: see ``Optimizer``.
    """

    name = "rmsprop"
    formula = (
        r"s \leftarrow \rho s + (1 - \rho) g^2,\quad"
        r" \theta \leftarrow \theta - \eta\, g / (\sqrt{s} + \epsilon)"
    )
    remembers = {"squares": 0.0}

    def equations(self) -> dict[str, str]:
        return {
            "new_squares": "decay * squares + gradient**2",
            "mean_square": "(1 - decay) * new_squares",
            "new_parameter": "parameter - rate * gradient / (sqrt(mean_square) + epsilon)",
        }

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        decay: float = 0.9,
        epsilon: float = 1e-8,
        **common: Unpack[CommonSettings],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.decay = check_decay("decay", decay)
        self.epsilon = check_epsilon(epsilon)

    def update(
        self, parameters: Array, gradients: Array, state: OptimizerState, rate: float
    ) -> None:
        squares, scratch = state.vectors["squares"], state.scratch
        decaying_sum_of_squares(squares, gradients, self.decay, scratch)
        root = math.sqrt(1 - self.decay)  # √s = root · √squares
        _step_over_root(parameters, gradients, squares, rate / root, self.epsilon / root, scratch)


class Adadelta(Optimizer):
    """RMSProp that measures its own step length, so η hardly matters (Zeiler, 2012).

    s ← ρ s + (1 - ρ) g²,  Δ = g √(d + ε) / √(s + ε),  d ← ρ d + (1 - ρ) Δ²,  θ ← θ - η Δ.

    Parameters
    ----------
    learning_rate : float or Schedule, default 1
    decay : float, default 0.95
        ρ.
    epsilon : float, default 1e-6
    **common
        ``weight_decay``, ``clip_norm`` and ``clip_value``: see ``Optimizer``.
    """

    formula = (
        r"\Delta = g \sqrt{d + \epsilon} / \sqrt{s + \epsilon},\quad"
        r" \theta \leftarrow \theta - \eta \Delta"
    )
    remembers = {"squares": 0.0, "step_squares": 0.0, "change": 0.0}

    def equations(self) -> dict[str, str]:
        return {
            "new_squares": "decay * squares + gradient**2",
            "mean_square": "(1 - decay) * new_squares",
            "mean_step_square": "(1 - decay) * step_squares",
            "direction": "gradient * sqrt(mean_step_square + epsilon)"
            " / sqrt(mean_square + epsilon)",
            "new_step_squares": "decay * step_squares + direction**2",
            "new_parameter": "parameter - rate * direction",
        }

    def __init__(
        self,
        learning_rate: float | Schedule = 1.0,
        *,
        decay: float = 0.95,
        epsilon: float = 1e-6,
        **common: Unpack[CommonSettings],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.decay = check_decay("decay", decay)
        self.epsilon = check_epsilon(epsilon)

    def update(
        self, parameters: Array, gradients: Array, state: OptimizerState, rate: float
    ) -> None:
        squares, step_squares = state.vectors["squares"], state.vectors["step_squares"]
        change, scratch = state.vectors["change"], state.scratch
        epsilon = self.epsilon / (1 - self.decay)  # under both roots, s and d are sums · (1 - ρ)
        decaying_sum_of_squares(squares, gradients, self.decay, scratch)
        np.add(step_squares, epsilon, out=change)
        change /= np.add(squares, epsilon, out=scratch)
        np.sqrt(change, out=change)
        change *= gradients
        decaying_sum_of_squares(step_squares, change, self.decay, scratch)
        change *= rate
        parameters -= change


class Adam(Optimizer):
    """Momentum and RMSProp together, both freed from their start at zero (Kingma and Ba, 2015).

    m ← β₁ m + (1 - β₁) g,  s ← β₂ s + (1 - β₂) g²,
    θ ← θ - η m̂ / (√ŝ + ε)  with  m̂ = m / (1 - β₁ᵗ),  ŝ = s / (1 - β₂ᵗ).

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.001
    mean_decay : float, default 0.9
        β₁.
    square_decay : float, default 0.999
        β₂.
    epsilon : float, default 1e-8
    epsilon_hat : bool, default False
        Whether ε is the paper's ε̂, which is added to √s before it is corrected (the shorter form
        at the end of its section 2): as scikit-learn and TensorFlow have it. It then counts for
        more in the first steps.
    **common
        ``weight_decay``, ``clip_norm`` and ``clip_value``: see ``Optimizer``.
    """

    formula = r"\theta \leftarrow \theta - \eta\, \hat{m} / (\sqrt{\hat{s}} + \epsilon)"
    remembers = {"gradient_sum": 0.0, "squares": 0.0}

    def equations(self) -> dict[str, str]:
        epsilon = "epsilon / sqrt(1 - square_decay**step)" if self.epsilon_hat else "epsilon"
        return {
            "new_gradient_sum": "mean_decay * gradient_sum + gradient",
            "new_squares": "square_decay * squares + gradient**2",
            "mean_hat": "(1 - mean_decay) * new_gradient_sum / (1 - mean_decay**step)",
            "squares_hat": "(1 - square_decay) * new_squares / (1 - square_decay**step)",
            "new_parameter": f"parameter - rate * mean_hat / (sqrt(squares_hat) + {epsilon})",
        }

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        mean_decay: float = 0.9,
        square_decay: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_hat: bool = False,
        **common: Unpack[CommonSettings],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.mean_decay = check_decay("mean_decay", mean_decay)
        self.square_decay = check_decay("square_decay", square_decay)
        self.epsilon = check_epsilon(epsilon)
        self.epsilon_hat = checks.flag("epsilon_hat", epsilon_hat)

    def update(
        self, parameters: Array, gradients: Array, state: OptimizerState, rate: float
    ) -> None:
        gradient_sum, squares = state.vectors["gradient_sum"], state.vectors["squares"]
        decaying_sum(gradient_sum, gradients, self.mean_decay)
        decaying_sum_of_squares(squares, gradients, self.square_decay, state.scratch)
        direction, per_direction = self._direction(gradients, state)
        correction = math.sqrt(1 - self.square_decay**state.step)
        root = math.sqrt(1 - self.square_decay) / correction
        epsilon = self.epsilon / correction if self.epsilon_hat else self.epsilon
        _step_over_root(  # √ŝ = root · √squares
            parameters,
            direction,
            self._squares(state),
            rate * per_direction / root,
            epsilon / root,
            state.scratch,
        )

    def _direction(self, gradients: Array, state: OptimizerState) -> tuple[Array, float]:
        """Vector, and the factor that makes it m̂."""
        beta = self.mean_decay
        return state.vectors["gradient_sum"], (1 - beta) / (1 - beta**state.step)

    def _squares(self, state: OptimizerState) -> Array:
        """Vector that stands for s: the decaying sum of g²."""
        return state.vectors["squares"]


class AMSGrad(Adam):
    """Adam divided by the largest s so far, which repairs a proof (Reddi, Kale and Kumar, 2018)."""

    name = "amsgrad"
    remembers = {"gradient_sum": 0.0, "squares": 0.0, "largest_squares": 0.0}

    def equations(self) -> dict[str, str]:
        as_adam = super().equations()
        largest = {"new_largest_squares": "Max(largest_squares, new_squares)"}
        root = "(1 - square_decay) * new_largest_squares / (1 - square_decay**step)"
        first = {name: as_adam[name] for name in ("new_gradient_sum", "new_squares")}
        return first | largest | as_adam | {"squares_hat": root}

    def _squares(self, state: OptimizerState) -> Array:
        largest = state.vectors["largest_squares"]
        return np.maximum(largest, state.vectors["squares"], out=largest)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter, 2019).

    The same rule as ``Adam(weight_decay=0.01)``, under the name it is known by.
    """

    name = "adamw"

    def __init__(
        self,
        learning_rate: float | Schedule = 0.001,
        *,
        weight_decay: float = 0.01,
        mean_decay: float = 0.9,
        square_decay: float = 0.999,
        epsilon: float = 1e-8,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            mean_decay=mean_decay,
            square_decay=square_decay,
            epsilon=epsilon,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            clip_value=clip_value,
        )


class Nadam(Adam):
    """Adam with Nesterov's look ahead (Dozat, 2016): m̂ is mixed once more with the gradient.

    m̂ = β₁ m / (1 - β₁ᵗ⁺¹) + (1 - β₁) g / (1 - β₁ᵗ); the rest as in Adam.
    """

    formula = (
        r"\hat{m} = \frac{\beta_1 m}{1 - \beta_1^{t+1}} + \frac{(1 - \beta_1) g}{1 - \beta_1^t},"
        r"\quad \theta \leftarrow \theta - \eta\, \hat{m} / (\sqrt{\hat{s}} + \epsilon)"
    )
    remembers = {"gradient_sum": 0.0, "squares": 0.0, "look_ahead": 0.0}

    def equations(self) -> dict[str, str]:
        ahead = "(1 - mean_decay) * mean_decay * new_gradient_sum / (1 - mean_decay**(step + 1))"
        now = "(1 - mean_decay) * gradient / (1 - mean_decay**step)"
        return super().equations() | {"mean_hat": f"{ahead} + {now}"}

    def _direction(self, gradients: Array, state: OptimizerState) -> tuple[Array, float]:
        beta, ahead = self.mean_decay, state.vectors["look_ahead"]
        np.multiply(state.vectors["gradient_sum"], beta / (1 - beta ** (state.step + 1)), out=ahead)
        ahead += np.multiply(gradients, 1 / (1 - beta**state.step), out=state.scratch)
        return ahead, 1 - beta


class Lion(Optimizer):
    """Every parameter moves by exactly η; only the sign is learned (Chen et al., 2023).

    θ ← θ - η sign(β₁ m + (1 - β₁) g), then  m ← β₂ m + (1 - β₂) g.

    Parameters
    ----------
    learning_rate : float or Schedule, default 0.0001
        A tenth to a third of what Adam would get.
    step_decay : float, default 0.9
        β₁, for the step.
    mean_decay : float, default 0.99
        β₂, for what is remembered.
    **common
        ``weight_decay``, ``clip_norm`` and ``clip_value``: see ``Optimizer``.
    """

    formula = (
        r"\theta \leftarrow \theta - \eta\, \mathrm{sign}(\beta_1 m + (1 - \beta_1) g),\quad"
        r" m \leftarrow \beta_2 m + (1 - \beta_2) g"
    )
    remembers = {"mean": 0.0, "direction": 0.0}

    def equations(self) -> dict[str, str]:
        return {
            "turn": "sign(step_decay * mean + (1 - step_decay) * gradient)",
            "new_parameter": "parameter - rate * turn",
            "new_mean": "mean_decay * mean + (1 - mean_decay) * gradient",
        }

    def __init__(
        self,
        learning_rate: float | Schedule = 0.0001,
        *,
        step_decay: float = 0.9,
        mean_decay: float = 0.99,
        **common: Unpack[CommonSettings],
    ) -> None:
        super().__init__(learning_rate, **common)
        self.step_decay = check_decay("step_decay", step_decay)
        self.mean_decay = check_decay("mean_decay", mean_decay)

    def update(
        self, parameters: Array, gradients: Array, state: OptimizerState, rate: float
    ) -> None:
        mean, direction = state.vectors["mean"], state.vectors["direction"]
        np.copyto(direction, mean)
        moving_average(direction, gradients, self.step_decay, state.scratch)
        np.sign(direction, out=direction)
        direction *= rate
        parameters -= direction
        moving_average(mean, gradients, self.mean_decay, state.scratch)


class LBFGS(Optimizer):
    """Limited-memory BFGS on the whole data set, by SciPy (Byrd, Lu, Nocedal and Zhu, 1995).

    Builds a picture of the loss's curvature from its last gradients and searches along the line
    where the minimum should be. One iteration counts as one epoch. It needs no learning rate, and
    it suits small data: every iteration looks at all of it.

    Parameters
    ----------
    memory : int, default 10
        Number of past gradients kept.
    tolerance : float, default 1e-7
        Stop when the largest number in the gradient is below this.
    loss_tolerance : float, default 0
        Stop when an iteration lowers the loss by less than this part of it.
    evaluations : int, optional
        Measure loss and gradient so often at most; without it 20 times an iteration.
    """

    name = "lbfgs"
    formula = r"\theta \leftarrow \theta - \alpha H g"

    def __init__(
        self,
        *,
        memory: int = 10,
        tolerance: float = 1e-7,
        loss_tolerance: float = 0.0,
        evaluations: int | None = None,
    ) -> None:
        super().__init__(learning_rate=1.0)
        self.memory = checks.whole_number("memory", memory, at_least=1)
        self.tolerance = checks.number("tolerance", tolerance, at_least=0)
        self.loss_tolerance = checks.number("loss_tolerance", loss_tolerance, at_least=0)
        self.evaluations = (
            None
            if evaluations is None
            else checks.whole_number("evaluations", evaluations, at_least=1)
        )


def _step_over_root(
    parameters: Array,
    direction: Array,
    squares: Array,
    rate: float,
    epsilon: float,
    scratch: Array,
) -> None:
    """θ ← θ - rate · direction / (√squares + ε), in place."""
    np.sqrt(squares, out=scratch)
    scratch += epsilon
    np.divide(direction, scratch, out=scratch)
    scratch *= rate
    parameters -= scratch
