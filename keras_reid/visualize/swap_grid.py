"""A grid of people in each other's clothes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.visualize.images import as_pixels
from keras_reid.visualize.style import font_families, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["swap_grid"]

_INCHES = 1.1
_GAP = 0.18


def swap_grid(
    model: Any, appearances: Sequence[Any], structures: Sequence[Any] | None = None, *, theme: str = "light"
) -> "Figure":
    """Draws every structure in every appearance.

    The first line holds the images that give the appearance, the first column those that give the structure; where they
    are the same images, the diagonal shows each person redrawn as he or she is.

    Args:
        model: A model with ``generate(appearance_images, structure_images)``: a `keras_reid.methods.DGNet`.
        appearances: Paths, or arrays [H, W, 3] in [0, 1].
        structures: Likewise; the same images by default.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure; ``figure.savefig("swaps.png")`` writes it.

    Raises:
        ValueError: No image, or one that cannot be read or has another shape.

    Example:
        >>> import numpy as np
        >>> from types import SimpleNamespace
        >>> from keras_reid.visualize import swap_grid
        >>> model = SimpleNamespace(image_size=(8, 4), interpolation="bilinear", generate=lambda a, s: s)
        >>> figure = swap_grid(model, [np.zeros((8, 4, 3)), np.ones((8, 4, 3))])
        >>> len(figure.axes[0].images)  # 2 + 2 given, 4 drawn
        8
    """
    colours = theme_named(theme)
    structures = appearances if structures is None else structures
    if not len(appearances) or not len(structures):
        raise ValueError(
            f"`swap_grid` needs at least one image of either kind. Received: {len(appearances)} for the appearance, "
            f"{len(structures)} for the structure."
        )
    clothes, shapes = (
        np.stack([as_pixels(image, model.image_size, model.interpolation) for image in images])
        for images in (appearances, structures)
    )
    drawn = model.generate(np.tile(clothes, (len(shapes), 1, 1, 1)), np.repeat(shapes, len(clothes), axis=0))
    high = model.image_size[0] / model.image_size[1]
    width, height = len(clothes) + 1 + _GAP, (len(shapes) + 1) * high + _GAP

    figure = new_figure(width * _INCHES, height * _INCHES, colours)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()

    def show(image: np.ndarray, row: int, column: int) -> None:
        left, top = column + _GAP * (column > 0), row * high + _GAP * (row > 0)
        extent = (left + 0.02, left + 0.98, top + high - 0.02, top + 0.02)
        axes.imshow(image, extent=extent, interpolation="bilinear", aspect="auto")

    for column, image in enumerate(clothes, start=1):
        show(image, 0, column)
    for row, image in enumerate(shapes, start=1):
        show(image, row, 0)
    for number, image in enumerate(drawn):
        show(image, number // len(clothes) + 1, number % len(clothes) + 1)
    axes.text(
        0.5, high / 2, "appearance\nof column,\nstructure\nof line", color=colours.muted, fontsize=7,
        ha="center", va="center", fontfamily=list(font_families()),
    )  # fmt: skip
    return figure
