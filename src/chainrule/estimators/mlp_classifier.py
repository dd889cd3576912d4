"""The classifier: scikit-learn's ``MLPClassifier`` with the import changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

from chainrule.engines.choice import Engine
from chainrule.estimators import parts
from chainrule.estimators.classifier_base import ClassifierBase
from chainrule.estimators.perceptron import MultilayerPerceptron
from chainrule.estimators.scikit_learn import StrOptions, available_if, checks_parameters
from chainrule.layer import Array, Layer
from chainrule.loss import Loss
from chainrule.optimizer import Optimizer
from chainrule.schedules import Schedule
from chainrule.training.callbacks import Callback


class MLPClassifier(ClassifierBase, MultilayerPerceptron):
    """Multilayer perceptron that tells classes apart: a drop-in for scikit-learn's.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer.
    activation : str, Activation or sequence of these, default "relu"
        Of the hidden layers: "identity", "logistic", "tanh", "relu", any other name that chainrule
        knows, or an object of your own. A sequence has one for each layer.
    solver : str or Optimizer, default "adam"
        "lbfgs", "sgd", "adam", any other optimizer's name, or an object, whose own settings count.
    alpha : float, default 0.0001
        Penalty: ½ alpha Σ w² of all weights, shared by the samples of a batch, joins the loss.
    batch_size : int or "auto", default "auto"
        Samples in a step; "auto" is min(200, samples). L-BFGS takes all of them.
    learning_rate : str or Schedule, default "constant"
        "constant"; with solver="sgd" also "invscaling" (η / (t + 1)^power_t after t samples) and
        "adaptive" (divided by 5 whenever training would otherwise end). With every solver but
        "lbfgs" also "cosine" (over max_iter epochs), "exponential_decay", "inverse_scaling",
        "reduce_on_plateau", "step_decay", and any Schedule.
    learning_rate_init : float, default 0.001
        η, where the learning rate begins.
    power_t : float, default 0.5
        For "invscaling".
    max_iter : int, default 200
        Epochs at most; with L-BFGS iterations.
    shuffle : bool, default True
        Whether each epoch takes the samples in a new order.
    random_state : int, RandomState or None, default None
        Decides starting weights, what is set aside, and the order of the samples: as in
        scikit-learn, the same number gives the same start and the same orders as there.
    tol : float, default 0.0001
        An epoch improves the loss (or the score) only by more than this. With L-BFGS: the largest
        number in the gradient at which training ends.
    verbose : bool or int, default False
        Whether to print a line for each epoch. ``progress`` shows a bar.
    warm_start : bool, default False
        Whether ``fit`` goes on with the weights of the fit before.
    momentum : float, default 0.9
        With solver="sgd".
    nesterovs_momentum : bool, default True
        With solver="sgd".
    early_stopping : bool, default False
        Whether the score on samples that are not trained on decides when to end. The best weights
        are put back. These samples are ``validation_data``, or a part that is set aside.
    validation_fraction : float, default 0.1
        That part.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999 and 1e-8
        With solver="adam".
    n_iter_no_change : int, default 10
        After more epochs than this without an improvement training ends: the patience.
    max_fun : int, default 15000
        How often L-BFGS may measure loss and gradient.
    loss : str or Loss, default "log_loss"
        "log_loss" is cross-entropy, after a sigmoid for two classes or several labels, else after
        a softmax. Or any other loss by name, or one of your own.
    class_weight : dict or "balanced", optional
        What the samples of each class weigh; "balanced" makes all classes weigh the same.
    layers : sequence of Layer, optional
        The hidden layers themselves, in place of ``hidden_layer_sizes``, ``activation`` and
        ``dropout``: ``[Reshape((8, 8, 1)), Conv2D(8, 3, "relu"), MaxPool2D()]``. They are copied,
        flattened at the end if need be, and the output layer is added. Then X may also be images,
        (samples, height, width, channels).
    dropout : float or sequence of float, default 0
        Part of the units of each hidden layer that is left out at random in training.
    clip_norm, clip_value : float, optional
        A gradient longer than ``clip_norm`` is shortened to it; each of its numbers is cut off at
        ±``clip_value``. Not for an optimizer object, which has such settings of its own.
    scoring : str or callable, optional
        What early stopping watches: any of scikit-learn's scores, as "f1_macro",
        "loss", or a function of (estimator, X, y). Without it accuracy.
    callbacks : sequence of Callback, optional
        What else shall happen in training.
    progress : bool or "auto", default False
        Whether to show a progress bar.
    dtype : str, default "auto"
        What to calculate in, "float32" or "float64"; "auto" is that of X, float64 for whole
        numbers.
    engine : str or Engine, default "auto"
        "reference", "compiled", or the compiled one for whatever takes a tenth of a second.
    threads : int, optional
        How many the compiled engine may use; without it as many as there are cores.

    Attributes
    ----------
    classes_ : ndarray (classes,)
        What the classes are called, in the order of the probabilities.
    network_ : NeuralNetwork
        The network itself, with all that chainrule can do with one.
    history_ : History
        Record of the latest training, step by step.
    coefs_, intercepts_ : list of ndarray
        Weights and biases from the first layer to the last. They are the network's own: what is
        edited in them, or put in their place, counts in ``predict`` and ``partial_fit``.
    loss_, loss_curve_ : float, list of float
        The loss of the last epoch and of all of them.
    best_loss_ : float or None
        The smallest; None with early stopping.
    validation_scores_, validation_loss_curve_ : list of float or None
        Accuracy (or ``scoring``) and loss on the validation samples after each
        epoch, where there are any.
    best_validation_score_ : float or None
        The best score, with early stopping.
    n_iter_, t_ : int
        Epochs made by the latest call, and samples passed through since the first.
    n_layers_, n_outputs_ : int
        Layers, the inputs counted as one, and outputs.
    out_activation_ : str
        What the outputs pass through at the end.
    n_features_in_, feature_names_in_ : int, ndarray
        Columns of X, and their names where they have any.

    Notes
    -----
    docs/estimators.md says what is the same as in scikit-learn, and what is not.

    Examples
    --------
    >>> import chainrule as cr
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], ["no", "yes", "yes", "no"]
    >>> network = cr.MLPClassifier((8,), "tanh", solver="lbfgs", random_state=1).fit(X, y)
    >>> network.predict(X).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **MultilayerPerceptron._parameter_constraints,
        "class_weight": [None, dict, list, StrOptions({"balanced"})],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str | Optimizer = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | Schedule = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        loss: str | Loss = "log_loss",
        class_weight: Any = None,
        layers: Sequence[Layer] | None = None,
        dropout: float | Sequence[float] = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        scoring: str | Callable[..., float] | None = None,
        callbacks: Callback | Sequence[Callback] = (),
        progress: bool | str = False,
        dtype: str = "auto",
        engine: str | Engine = "auto",
        threads: int | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.loss = loss
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.class_weight = class_weight
        self.layers = layers
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.scoring = scoring
        self.callbacks = callbacks
        self.progress = progress
        self.dtype = dtype
        self.engine = engine
        self.threads = threads

    @checks_parameters
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : array_like or sparse matrix (samples, inputs)
            Sparse rows are made dense batch by batch.
        y : array_like (samples,) or (samples, labels)
            Classes; rows of 0 and 1 where a sample may have several labels.
        sample_weight : array_like (samples,), optional
        validation_data : (X, y) or (X, y, sample_weight), optional
            Samples to measure on after each epoch. With early stopping nothing is set aside then.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As in scikit-learn; the estimator stays as it was.
        """
        return self._fit(X, y, sample_weight=sample_weight, validation_data=validation_data)

    @available_if(MultilayerPerceptron._check_goes_on)
    @checks_parameters
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Make one epoch over these samples, going on from where the network stands.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``.
        classes : array_like (classes,), optional
            All classes there will be; needed in the first call.
        """
        return self._fit(X, y, sample_weight=sample_weight, incremental=True, classes=classes)

    def _loss(self) -> Loss:
        return parts.class_loss(self.loss, self._targets.kind)

    def _output_count(self, loss: Loss) -> int:
        return self._targets.outputs(loss.targets)

    def _stratified_by(self, y: Array) -> Array | None:
        return y[:, 0] if self.n_outputs_ == 1 else None  # as scikit-learn does

    def _decode(self, y: Array) -> Array:
        return self._targets.decoded(y)
