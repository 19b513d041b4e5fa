from types import SimpleNamespace

import numpy as np
import pytest

from keras_reid.visualize import swap_grid

MODEL = SimpleNamespace(
    image_size=(8, 4),
    interpolation="bilinear",
    generate=lambda appearance, structure: 0.25 * appearance + 0.5 * structure,
)


def plain(value):
    return np.full((8, 4, 3), value)


def test_lines_are_structures_and_columns_appearances():
    figure = swap_grid(MODEL, [plain(0.0), plain(1.0)], [plain(0.2), plain(0.4), plain(0.6)])
    shown = [float(image.get_array()[0, 0, 0]) for image in figure.axes[0].images]
    drawn = [0.1, 0.35, 0.2, 0.45, 0.3, 0.55]
    np.testing.assert_allclose(shown, [0.0, 1.0, 0.2, 0.4, 0.6, *drawn], atol=1e-6)
    places = [image.get_extent()[:1] + image.get_extent()[3:] for image in figure.axes[0].images]
    assert places[5][0] == places[0][0] and places[6][0] == places[1][0]  # below its appearance
    assert places[5][1] == places[2][1] and places[10][1] == places[4][1]  # beside its structure


def test_one_list_is_both():
    assert len(swap_grid(MODEL, [plain(0.0), plain(1.0)], theme="dark").axes[0].images) == 8


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="at least one image of either kind. Received: 1 for the appearance, 0 for"):
        swap_grid(MODEL, [plain(0.0)], [])
