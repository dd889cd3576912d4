"""Functions that an ejected module brings along, where its network uses them.

Each is text of its own, with the functions it calls itself. Windows are written for what the
network has: ``{stride}`` and ``{dilation}`` are left out where every window has 1.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """A function as text.

    Attributes
    ----------
    text : str
    needs : tuple of str
        Other functions that it calls.
    imports : tuple of str
        Lines that it needs at the top of the module.
    """

    text: str
    needs: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


FUNCTIONS = {
    "sigmoid": Function('''
@np.errstate(over="ignore")  # e^-z may be infinite: 1 / infinity is 0
def sigmoid(z):
    """Squeeze any number into (0, 1): 1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))
'''),
    "softmax": Function('''
def softmax(z):
    """Turn K numbers into K probabilities that sum to one: e^z_i / Σ_j e^z_j."""
    # Without the largest z the result is the same, and no exponential overflows.
    exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
'''),
    "log_softmax": Function('''
def log_softmax(z):
    """Logarithm of softmax: z_i - log Σ_j e^z_j."""
    # Without the largest z the result is the same, and no exponential overflows.
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
'''),
    "erfc": Function(
        """
# 1 - erf(z), the error function of the normal distribution, which NumPy does not have.
erfc = np.vectorize(math.erfc, otypes=[float])
""",
        imports=("import math",),
    ),
    "average": Function('''
def average(x):
    """Average over the last axis, which stays with length 1 so that it fits beside x."""
    return np.mean(x, axis=-1, keepdims=True)
'''),
    "group_mean": Function('''
def group_mean(x, groups):
    """Average over all positions and the channels of one group, back at every place."""
    parts = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    means = parts.mean(axis=(1, 3), keepdims=True)
    return np.broadcast_to(means, parts.shape).reshape(x.shape)
'''),
    "back_to_position": Function('''
def back_to_position(d_z, x):
    """Give the position of each channel's largest number all of d_z, the others nothing."""
    rows = x.reshape(len(x), -1, x.shape[-1])
    d_rows = np.zeros_like(rows)
    largest = rows.argmax(axis=1)[:, np.newaxis]  # the first where several are
    np.put_along_axis(d_rows, largest, d_z[:, np.newaxis], axis=1)
    return d_rows.reshape(x.shape)
'''),
    "places": Function('''
def places(shape, window{stride=}{dilation=}):
    """Go through the places (i, j) of a window that slides over images of that shape.

    With each comes the index of the pixels that stand there in all the windows at once.
    """
    rows = {rows}  # in which windows begin
    columns = {columns}
    for i in range(window[0]):
        for j in range(window[1]):
{slices}
            yield (i, j), (slice(None), down, right)
'''),
    "correlate": Function(
        '''
def correlate(x, kernel{stride=}{dilation=}):
    """Weigh every window of the images with the kernel: z = x ⋆ W."""
    z = 0
    for place, pixels in places({correlate}):
        z = z + x[pixels] @ kernel[place]
    return z
''',
        ("places",),
    ),
    "d_kernel": Function(
        '''
def d_kernel(x, d_z, kernel{stride=}{dilation=}):
    """What each weight was multiplied with, times the error, summed over all windows."""
    d_weights = np.zeros_like(kernel)
    for place, pixels in places({correlate}):
        d_weights[place] = np.tensordot(x[pixels], d_z, axes=((0, 1, 2), (0, 1, 2)))
    return d_weights
''',
        ("places",),
    ),
    "d_image": Function(
        '''
def d_image(d_z, kernel, shape{stride=}{dilation=}):
    """Send the error of each window back to its pixels, through the weights they met."""
    d_x = np.zeros(shape)
    for place, pixels in places({d_image}):
        d_x[pixels] += d_z @ kernel[place].T
    return d_x
''',
        ("places",),
    ),
    "spread_groups": Function(
        '''
def spread_groups(kernel, groups):
    """Write a kernel for groups of channels as one for all: zero between the groups."""
    height, width, channels, filters = kernel.shape
    whole = np.zeros((height, width, groups * channels, filters))
    for inputs, outputs in group_slices(channels, filters, groups):
        whole[:, :, inputs, outputs] = kernel[..., outputs]
    return whole
''',
        ("group_slices",),
    ),
    "gather_groups": Function(
        '''
def gather_groups(whole, groups):
    """Take out of such a kernel's gradient what belongs to the groups."""
    height, width, channels, filters = whole.shape
    kernel = np.zeros((height, width, channels // groups, filters))
    for inputs, outputs in group_slices(channels // groups, filters, groups):
        kernel[..., outputs] = whole[:, :, inputs, outputs]
    return kernel
''',
        ("group_slices",),
    ),
    "group_slices": Function('''
def group_slices(channels, filters, groups):
    """Which channels each group takes, and which filters see them."""
    filters //= groups
    for group in range(groups):
        inputs = slice(group * channels, (group + 1) * channels)
        yield inputs, slice(group * filters, (group + 1) * filters)
'''),
    "max_pool": Function(
        '''
def max_pool(x, window{stride=}):
    """Keep the largest number of each window, in each channel."""
    return np.max([x[pixels] for _, pixels in places({pool})], axis=0)
''',
        ("places",),
    ),
    "max_pool_back": Function(
        '''
def max_pool_back(d_z, z, x, window{stride=}):
    """Send the error of each window back to its largest number, the first of several."""
    d_x = np.zeros_like(x)
    left = np.ones_like(z, dtype=bool)  # windows whose largest number is still to come
    for _, pixels in places({pool}):
        is_largest = left & (x[pixels] == z)
        d_x[pixels] += d_z * is_largest
        left &= ~is_largest
    return d_x
''',
        ("places",),
    ),
    "window_sum": Function(
        '''
def window_sum(x, window{stride=}):
    """Sum up each window, in each channel."""
    return sum(x[pixels] for _, pixels in places({pool}))
''',
        ("places",),
    ),
    "window_sum_back": Function(
        '''
def window_sum_back(d_z, shape, window{stride=}):
    """Send the error of each window back to all of its pixels."""
    d_x = np.zeros(shape)
    for _, pixels in places({pool_back}):
        d_x[pixels] += d_z
    return d_x
''',
        ("places",),
    ),
}


def function_text(name: str, *, stride: bool, dilation: bool) -> str:
    """Text of a function, for windows with or without stride and dilation."""
    more = ", stride" * stride
    all_more = more + ", dilation" * dilation
    counts = [f"shape[{n + 1}] - window[{n}] + 1" for n in (0, 1)]
    if dilation:
        counts = [f"shape[{n + 1}] - (window[{n}] - 1) * dilation[{n}]" for n in (0, 1)]
    slices = []
    for axis, (to, index, count) in enumerate((("down", "i", "rows"), ("right", "j", "columns"))):
        if dilation:
            slices.append(f"{index}_{to} = {index} * dilation[{axis}]")
            index = f"{index}_{to}"
        steps = f", stride[{axis}]" if stride else ""
        slices.append(f"{to} = slice({index}, {index} + {count}{steps})")
    fields = {
        "{stride=}": ", stride=(1, 1)" * stride,
        "{dilation=}": ", dilation=(1, 1)" * dilation,
        "{rows}": counts[0],
        "{columns}": counts[1],
        "{slices}": "\n".join(" " * 12 + line for line in slices),
        "{correlate}": f"x.shape, kernel.shape{all_more}",
        "{d_image}": f"shape, kernel.shape{all_more}",
        "{pool}": f"x.shape, window{more}",
        "{pool_back}": f"shape, window{more}",
    }
    text = FUNCTIONS[name].text.strip("\n")
    for field, value in fields.items():
        text = text.replace(field, value)
    return text
