"""Which place of one image matched which of the other, as lines between them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.visualize.images import as_pixels
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
    found = model.correspondences(maps[:1], maps[1:])
    worth, places_a, places_b = _matches(found)
    strongest = np.argsort(-np.abs(worth), kind="stable")[:lines][::-1]
    score = float(model.score(maps[:1], maps[1:])[0, 0])

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
    step = (height / found.probe_score.shape[2], width / found.probe_score.shape[3])
    _draw_lines(axes, worth[strongest], places_a[strongest], places_b[strongest], step, right, colours)
    text = f"score {score:.3f}" if title is None else title
    figure.text(
        0.5, 0.955, text, color=colours.ink, fontsize=10, fontweight="bold", ha="center", va="center",
        fontfamily=list(font_families()),
    )  # fmt: skip
    return figure


def _matches(found: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All matches of both sides once: worth [M], places (y, x) in the first and second image [M, 2]."""
    shape = found.probe_score.shape[2:]
    count = int(np.prod(shape))
    own = np.arange(count)
    firsts = np.concatenate([own, found.index_in_probe.ravel()])
    seconds = np.concatenate([found.index_in_gallery.ravel(), own])
    scores = np.concatenate([found.probe_score.ravel(), found.gallery_score.ravel()]).astype("float64")
    # Two locations that found each other make one match, worth what both say.
    pairs, where = np.unique(firsts * count + seconds, return_inverse=True)
    worth = np.bincount(where, weights=scores)
    first, second = np.divmod(pairs, count)
    return worth, np.stack(np.divmod(first, shape[1]), 1), np.stack(np.divmod(second, shape[1]), 1)


def _draw_lines(
    axes: "Axes",
    worth: np.ndarray,
    firsts: np.ndarray,
    seconds: np.ndarray,
    step: tuple[float, float],
    right: float,
    colours: Theme,
) -> None:
    """Draws each match from the middle of its location in one image to the other's."""
    strength = np.abs(worth) / max(np.abs(worth).max(initial=0.0), 1e-12)
    for value, share, first, second in zip(worth, strength, firsts, seconds, strict=True):
        rows = [(place[0] + 0.5) * step[0] for place in (first, second)]
        columns = [(first[1] + 0.5) * step[1], right + (second[1] + 0.5) * step[1]]
        axes.plot(
            columns, rows, color=colours.match if value > 0 else colours.mismatch, linewidth=0.6 + 1.8 * share,
            alpha=0.35 + 0.6 * share, marker="o", markersize=1.5 + 2.5 * share, solid_capstyle="round",
        )  # fmt: skip
