"""Which place of one image matched which of the other, as lines between them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.visualize.images import as_pixels
from keras_reid.visualize.matches import LocalMatches, local_matches
from keras_reid.visualize.style import Theme, font_families, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["correspondences"]

_INCHES_HIGH = 4.6
_GAP = 0.35  # between the images, in widths


def correspondences(
    model: Any, image_a: Any, image_b: Any, *, lines: int = 24, title: str | None = None, theme: str = "light"
) -> "Figure":
    """Draws the matches between two images that speak most for, or against, the same person.

    Every location of either image has its best match in the other one. A match is worth its normalised similarity times
    the location's weight; the model's logit is the sum of these, but for a constant. Normalised means above or below
    the average of the training pairs. Drawn are the ``lines`` matches of the greatest worth, whatever its sign: for the
    same person in green, against it in red, the stronger the thicker.

    Args:
        model: A `keras_reid.methods.QAConv`, of either version.
        image_a: The query: a path, or an array [H,W,3] in [0,1] of the model's size.
        image_b: The gallery image, likewise.
        lines: How many matches to draw.
        title: A line above; by default the score.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure; ``figure.savefig("pair.png")`` writes it.

    Raises:
        TypeError: The model has no correspondences.
        ValueError: An image has another size, or a file cannot be read.

    Example:
        >>> import keras_reid
        >>> from keras_reid.visualize import correspondences
        >>> model = keras_reid.zoo.load("qaconv_tiny")  # doctest: +SKIP
        >>> figure = correspondences(model, "query.jpg", "gallery.jpg")  # doctest: +SKIP

    Reference:
        Liao and Shao, "Interpretable and Generalizable Person Re-Identification with Query-Adaptive Convolution and
        Temporal Lifting", ECCV 2020, figures of local correspondences. The choice of the lines is ours: the authors
        draw those over a fixed threshold, which other weights do not reach.
    """
    check_positive_int("lines", lines)
    if not hasattr(model, "correspondences"):
        raise TypeError(
            f"`model` must compare maps location by location, as QAConv does. Received: {type(model).__name__}, which "
            "has one embedding per image."
        )
    pictures = [as_pixels(image, model.image_size, model.interpolation) for image in (image_a, image_b)]
    maps = model.extract(np.stack(pictures).astype("float32"))
    (found,) = local_matches(model, maps[:1], maps[1:])

    colours = theme_named(theme)
    height, width = model.image_size
    right = width * (1 + _GAP)
    inches = _INCHES_HIGH / height
    figure = new_figure((right + width) * inches, _INCHES_HIGH * 1.09, colours)
    axes = figure.add_axes((0, 0, 1, 1 / 1.09))
    for picture, left in zip(pictures, (0, right), strict=True):
        axes.imshow(picture, extent=(left, left + width, height, 0), interpolation="bilinear", aspect="auto")
    axes.set_xlim(0, right + width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    _draw_lines(axes, found, lines, (width, height), right, colours)
    text = f"score {found.score:.3f}" if title is None else title
    figure.text(
        0.5, 0.955, text, color=colours.ink, fontsize=10, fontweight="bold", ha="center", va="center",
        fontfamily=list(font_families()),
    )  # fmt: skip
    return figure


def _draw_lines(
    axes: "Axes", found: LocalMatches, lines: int, size: tuple[int, int], right: float, colours: Theme
) -> None:
    """Draws the strongest matches, the weakest of them first, from one image to the other."""
    from matplotlib.patheffects import Normal, Stroke

    strongest = found.worth[:lines]
    strength = np.abs(strongest) / max(np.abs(strongest).max(initial=0.0), 1e-12)
    for number in reversed(range(len(strongest))):
        ends = np.stack([found.in_query[number], found.in_gallery[number]]) * size + [[0, 0], [right, 0]]
        colour = colours.match if strongest[number] > 0 else colours.mismatch
        share = strength[number]
        width = 0.6 + 1.8 * share
        halo = Stroke(linewidth=width + 1.2, foreground=colours.background, alpha=0.25 + 0.4 * share)
        axes.plot(
            *ends.T, color=colour, linewidth=width, alpha=0.45 + 0.5 * share, marker="o",
            markersize=1.5 + 2.5 * share, solid_capstyle="round", path_effects=[halo, Normal()],
        )  # fmt: skip
