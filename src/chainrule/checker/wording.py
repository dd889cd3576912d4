"""What each mistake is called in a sentence, and why it matters.

Written for someone who has been looking at the same forty lines since ten in the evening.
"""

from __future__ import annotations

MISTAKES: dict[str, tuple[str, str]] = {
    "early_update": (
        "The weights of {layer_after} are already updated when the delta of {layer} is computed "
        "from them.",
        "Backprop needs the weights that the forward pass used. With the new ones the gradient "
        "of {layer} belongs to neither network. It often still learns, which hides the mistake.",
    ),
    "sigmoid_prime_on_activation_twice": (
        "The derivative at {layer} is given the activation, but it applies the activation "
        "function to it once more.",
        "That is f'(f(z)) where f'(z) is needed.",
    ),
    "sigmoid_prime_of_z_as_a": (
        "The derivative at {layer} is written for the activation a, as a(1 - a) is, but it is "
        "given the weighted sum z.",
        "Taken of z it is no derivative of anything: it turns negative, and grows without bound.",
    ),
    "output_derivative_missing": (
        "The delta of the output layer lacks the derivative of its activation.",
        "The loss depends on z through the activation, so the chain rule has a factor for it. "
        "(Only cross-entropy cancels it.)",
    ),
    "hidden_derivative_missing": (
        "The delta of {layer} lacks the derivative of its activation.",
        "The error that comes back through the weights is ∂loss/∂a; times f'(z) it becomes "
        "∂loss/∂z, which the gradients are made of.",
    ),
    "output_derivative_doubled": (
        "The delta of the output layer has the derivative of its activation twice.",
        "The chain rule has each factor once.",
    ),
    "hidden_derivative_doubled": (
        "The delta of {layer} has the derivative of its activation twice.",
        "The chain rule has each factor once.",
    ),
    "sign_turned": (
        "The update of {what} goes uphill: its sign is turned.",
        "With error = y - ŷ the step is added, with error = ŷ - y it is subtracted; the other "
        "way round the loss grows.",
    ),
    "bias_missing": (
        "{layer_capital} has a bias that its weighted sum does not use.",
        "Without it the layer's answer to an input of zeros cannot be moved.",
    ),
    "bias_never_updated": (
        "The bias of {layer} is never updated.",
        "It keeps its first value, so the layer can turn but never shift its answer.",
    ),
    "bias_gradient_axis": (
        "The bias gradient of {layer} is summed over the wrong axis.",
        "Each bias has its own gradient: sum over the samples, and keep the neurons apart.",
    ),
    "bias_gradient_not_summed": (
        "The bias gradient of {layer} is not summed over the samples.",
        "Every sample passes through the same bias, so its gradient is the sum over all of them.",
    ),
    "factor_mismatch": (
        "The gradient of {what} is {factor} times what the others are.",
        "All gradients must belong to one loss: the same 2, the same 1/n everywhere.",
    ),
    "weight_for_input": (
        "The gradient of {what} is built with weights where the layer's inputs belong.",
        "∂z/∂w is what the weight is multiplied by: the input.",
    ),
    "wrong_input": (
        "The gradient of {what} is built with another layer's values.",
        "∂z/∂w is what the weight is multiplied by in the forward pass: this layer's input.",
    ),
    "wrong_layer_error": (
        "The error that reaches {layer} is not the one the layer after it passes back.",
        "Each layer gets the delta of the layer after it, times that layer's weights, transposed.",
    ),
    "summed_weights": (
        "The error of {layer} is multiplied by the sum of the weights instead of each weight.",
        "Each neuron is to blame in proportion to its own weight.",
    ),
    "elementwise_for_matrix": (
        "{what_capital} comes from * where a matrix product (@ or np.dot) belongs.",
        "* multiplies entry by entry; the chain rule sums over the neurons, which @ does.",
    ),
    "transposed": (
        "The weights used to pass the error back to {layer} are not transposed as they should be.",
        "The matrix is square, so NumPy does not complain, and each error reaches the wrong "
        "neuron.",
    ),
    "broadcast_n_n1": (
        "An array of shape (n,) meets one of shape (n, 1) here, and NumPy makes n by n numbers "
        "of them.",
        "Each prediction is compared with every target, not with its own.",
    ),
    "zero_initialisation": (
        "The weights of {layer} start as zeros.",
        "All its neurons compute the same and get the same gradient, so they stay one neuron.",
    ),
    "constant_initialisation": (
        "The weights of {layer} all start with the same number.",
        "All its neurons compute the same and get the same gradient, so they stay one neuron.",
    ),
    "tiny_initialisation": (
        "The weights of {layer} start so small ({number}) that almost no signal passes.",
        "The gradient of each layer is multiplied by the weights of the next; here it vanishes.",
    ),
    "saturating": (
        "The weighted sums of {layer} are so large ({number}) that its activation is flat.",
        "Where the curve is flat the derivative is nearly zero and nothing is learnt.",
    ),
    "diverging": (
        "The steps are too large: the parameters run away ({number}).",
        "Each step jumps over the valley and lands higher than before.",
    ),
    "exp_overflow": (
        "exp overflows here: its argument goes beyond 709.",
        "The result is inf, and inf / inf is NaN. Clip the argument, or subtract the largest "
        "one first.",
    ),
    "forward_through_z": (
        "{layer_capital} is fed with the weighted sum z of the layer before, not with its "
        "activation.",
        "Without the activation between them two layers are one linear layer.",
    ),
    "stale_output": (
        "The gradients are computed from outputs of an earlier forward pass.",
        "After each update the forward pass must run again before backprop.",
    ),
    "gradients_not_reset": (
        "The gradients of earlier steps are still in the sum.",
        "Set them to zero before each step.",
    ),
    "loss_mismatch": (
        "The loss that is reported and the gradient that is followed do not belong together.",
        "The number on the screen is then not what the training makes smaller.",
    ),
    "other_activation_derivative": (
        "The derivative at {layer} belongs to another activation ({factor}) than the forward "
        "pass uses ({activation}).",
        "The derivative must be of the function that was applied.",
    ),
    "softmax_elementwise": (
        "Softmax is differentiated as if each output depended on its own input alone.",
        "Each output depends on all inputs. With cross-entropy the whole derivative with respect "
        "to z is just ŷ - y.",
    ),
    "x_shuffled_without_y": (
        "The samples and their targets are no longer in the same order.",
        "The network is taught somebody else's answers. Shuffle both with one permutation.",
    ),
    "aliased_weights": (
        "Two layers share one and the same weight array.",
        "An update of one changes the other. Make a new array for each layer.",
    ),
    "momentum_sign": (
        "The momentum term has the wrong sign.",
        "It should carry on the last step; here it takes {factor} of it back.",
    ),
    "regularisation_sign": (
        "The penalty has the wrong sign: it makes weights larger.",
        "The gradient of ½ λ w² is +λ w and is subtracted with the rest.",
    ),
    "batches_drop_rows": (
        "Some rows are never used: {factor}.",
        "The last, smaller batch belongs to the epoch too.",
    ),
    "batches_repeat_rows": (
        "Some rows are used more than once in an epoch: {factor}.",
        "They count double in the gradient.",
    ),
    "weights_never_updated": (
        "The weights of {layer} are never updated.",
        "They keep their random start.",
    ),
    "unexplained": (
        "The gradient of {what} is wrong.",
        "It is not what the chain rule gives for this network, and it is none of the mistakes "
        "that this checker knows by name.",
    ),
}
