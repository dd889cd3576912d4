"""Windows over an image: how many fit, what they see, and what padding "same" means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import InvalidSetting, InvalidShape
from chainrule.layers.windows import (
    Windows,
    as_images,
    check_length_padding,
    check_padding,
    check_pair,
    image_shape,
    sequence_shape,
)

COUNTING = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)  # 1 2 3 / 4 5 6 / 7 8 9


def test_what_windows_of_two_by_two_see() -> None:
    seen = Windows.of_image(2, 1, "valid").view(COUNTING)
    assert seen.shape == (1, 2, 2, 2, 2, 1)
    np.testing.assert_array_equal(seen[0, 0, 0, ..., 0], [[1, 2], [4, 5]])
    np.testing.assert_array_equal(seen[0, 0, 1, ..., 0], [[2, 3], [5, 6]])
    np.testing.assert_array_equal(seen[0, 1, 1, ..., 0], [[5, 6], [8, 9]])


def test_a_stride_moves_the_windows_and_dilation_spreads_their_pixels() -> None:
    seen = Windows.of_image((1, 2), (2, 1), "valid", (1, 2)).view(COUNTING)
    np.testing.assert_array_equal(seen[0, :, 0, ..., 0], [[[1, 3]], [[7, 9]]])


def test_a_view_is_no_copy_and_cannot_be_written() -> None:
    seen = Windows.of_image(2, 1, "valid").view(COUNTING)
    assert np.shares_memory(seen, COUNTING)
    assert not seen.flags.writeable


def test_one_place_in_all_windows_at_once() -> None:
    places = dict(Windows.of_image(2, 1, "valid").positions((2, 2)))
    assert list(places) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    np.testing.assert_array_equal(COUNTING[places[0, 1]][0, ..., 0], [[2, 3], [5, 6]])


@pytest.mark.parametrize(
    ("size", "stride", "dilation", "n", "padding"),
    [
        (3, 1, 1, 28, (1, 1)),
        (2, 1, 1, 28, (0, 1)),  # an odd one comes after
        (5, 1, 1, 28, (2, 2)),
        (3, 1, 2, 28, (2, 2)),  # the window spans five
        (3, 2, 1, 28, (0, 1)),
        (3, 2, 1, 27, (1, 1)),
        (3, 2, 1, 5, (1, 1)),
        (7, 2, 1, 224, (2, 3)),
        (1, 2, 1, 5, (0, 0)),
        (2, 3, 1, 7, (0, 1)),
        (2, 3, 1, 8, (0, 0)),  # the windows leave pixels out even so
    ],
)
def test_same_padding_as_tensorflow_defines_it(
    size: int, stride: int, dilation: int, n: int, padding: tuple[int, int]
) -> None:
    windows = Windows.of_image(size, stride, "same", dilation)
    assert windows.sides((n, n)) == (padding, padding)
    fit = -(-n // stride)
    assert windows.output_size((n, n), "a layer") == (fit, fit)


def test_explicit_padding() -> None:
    assert Windows.of_image(3, 1, 2).sides((5, 5)) == ((2, 2), (2, 2))
    assert Windows.of_image(3, 1, (2, 1)).sides((5, 5)) == ((2, 2), (1, 1))
    assert Windows.of_image(3, 1, ((0, 1), (2, 3))).sides((5, 5)) == ((0, 1), (2, 3))
    assert Windows.of_length(3, 1, 2).sides((1, 5)) == ((0, 0), (2, 2))
    assert Windows.of_length(3, 1, (2, 0)).sides((1, 5)) == ((0, 0), (2, 0))
    assert Windows.of_length(3, 1, "same").sides((1, 5)) == ((0, 0), (1, 1))


def test_padding_and_taking_it_off_again() -> None:
    windows = Windows.of_image(3, 1, ((0, 1), (2, 0)))
    padded = windows.pad(COUNTING, -1.0)
    np.testing.assert_array_equal(
        padded[0, ..., 0],
        [[-1, -1, 1, 2, 3], [-1, -1, 4, 5, 6], [-1, -1, 7, 8, 9], [-1, -1, -1, -1, -1]],
    )
    np.testing.assert_array_equal(windows.crop(padded, (3, 3)), COUNTING)
    assert Windows.of_image(3, 1, "valid").pad(COUNTING) is COUNTING
    assert windows.pad(COUNTING.astype(np.float32)).dtype == np.float32


numbers = st.integers(1, 4)


@given(numbers, numbers, numbers, st.integers(0, 3), st.integers(0, 3), st.integers(1, 12))
def test_every_window_that_fits_is_counted_and_seen(
    size: int, stride: int, dilation: int, before: int, after: int, n: int
) -> None:
    """Against the definition: all starts of which the last pixel is still on the padded line."""
    padded = np.concatenate([np.zeros(before), np.arange(1, n + 1.0), np.zeros(after)])
    span = dilation * (size - 1) + 1
    starts = [s for s in range(0, len(padded), stride) if s + span <= len(padded)]
    windows = Windows.of_length(size, stride, (before, after), dilation)
    x = np.arange(1, n + 1.0).reshape(1, 1, n, 1)
    if not starts:
        with pytest.raises(InvalidShape, match="expected at least"):
            windows.output_size((1, n), "a layer")
        return
    assert windows.output_size((1, n), "a layer") == (1, len(starts))
    seen = windows.view(windows.pad(x))
    expected = [padded[s : s + span : dilation] for s in starts]
    np.testing.assert_array_equal(seen[0, 0, :, 0, :, 0], expected)
    for (_, j), pixels in windows.positions((1, len(starts))):
        np.testing.assert_array_equal(windows.pad(x)[pixels][0, 0, :, 0], seen[0, 0, :, 0, j, 0])


@given(numbers, numbers, numbers, st.integers(1, 20))
def test_same_pads_no_more_than_it_takes(size: int, stride: int, dilation: int, n: int) -> None:
    windows = Windows.of_length(size, stride, "same", dilation)
    before, after = windows.sides((1, n))[1]
    fit = -(-n // stride)
    assert windows.output_size((1, n), "a layer") == (1, fit)
    assert after - before in (0, 1)
    if before + after:
        one_less = (n + before + after - 1 - windows.span[1]) // stride + 1
        assert one_less == fit - 1


def test_a_sequence_is_an_image_of_height_one() -> None:
    x = np.arange(6.0).reshape(1, 3, 2)
    assert as_images(x).shape == (1, 1, 3, 2)
    assert np.shares_memory(as_images(x), x)
    assert as_images(COUNTING) is COUNTING


# --- settings and errors ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "checked"),
    [(3, 3), ((3, 2), (3, 2)), ([3, 2], (3, 2)), (np.int64(3), 3)],
)
def test_pairs(given: Any, checked: Any) -> None:
    assert check_pair("stride", given) == checked


@pytest.mark.parametrize("value", [0, -1, 1.5, "3", None, True, (1,), (1, 2, 3), (1, 0), (1, "2")])
def test_what_is_no_pair(value: Any) -> None:
    with pytest.raises(InvalidSetting, match=r"stride must be .*received"):
        check_pair("stride", value)


@pytest.mark.parametrize(
    ("given", "checked"),
    [
        ("same", "same"),
        ("valid", "valid"),
        (0, 0),
        ((2, 1), (2, 1)),
        (((0, 1), (2, 3)), ((0, 1), (2, 3))),
        ([[0, 1], [2, 3]], ((0, 1), (2, 3))),  # as a model file gives it back
    ],
)
def test_paddings(given: Any, checked: Any) -> None:
    assert check_padding(given) == checked


@pytest.mark.parametrize(
    "value",
    [
        "full",
        -1,
        1.5,
        None,
        (1,),
        (1, 2, 3),
        (-1, 0),
        ((1, 2), 3),
        ((1, 2), (3,)),
        ((1, 2), (3, -4)),
    ],
)
def test_what_is_no_padding(value: Any) -> None:
    with pytest.raises(InvalidSetting, match=r"padding must be .*received"):
        check_padding(value)


def test_paddings_of_a_sequence() -> None:
    assert check_length_padding("same") == "same"
    assert check_length_padding(2) == 2
    assert check_length_padding([2, 0]) == (2, 0)
    for value in ("causal", -1, (1, 2, 3), ((1, 1), (2, 2)), None):
        with pytest.raises(InvalidSetting, match=r"padding must be .*received"):
            check_length_padding(value)


def test_a_window_larger_than_the_padded_image() -> None:
    windows = Windows.of_image(3, 1, ((0, 1), (0, 0)), 2)
    with pytest.raises(
        InvalidShape, match=r"'Layer' received .* 3 x 9, with padding 4 x 9; .*5 x 5"
    ):
        windows.output_size((3, 9), "Layer")


def test_samples_that_are_no_images_and_no_sequences() -> None:
    assert image_shape((4, 5, 3), "Layer") == (4, 5, 3)
    with pytest.raises(InvalidShape, match=r"'Layer' received .*\(28, 28\).*np\.newaxis"):
        image_shape((28, 28), "Layer")
    assert sequence_shape((9, 2), "Layer") == (9, 2)
    with pytest.raises(InvalidShape, match=r"'Layer' received .*\(100,\).*np\.newaxis"):
        sequence_shape((100,), "Layer")
