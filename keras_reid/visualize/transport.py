"""How optimal transport matches a person's visible images with the thermal ones."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.visualize.images import as_pixels
from keras_reid.visualize.style import Theme, font_families, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["transport_plan"]

# An image is one unit wide; the rest is measured in the same unit.
_GAP = 0.22
_BETWEEN = 1.7
_MARGIN = 0.42  # the title stands in the upper one
_FOOT = 0.2
_INCHES = 1.05
_LABELLED = 0.2


def transport_plan(
    model: Any,
    visible: Sequence[Any],
    thermal: Sequence[Any],
    *,
    plan: str = "sinkhorn",
    title: str | None = None,
    theme: str = "light",
) -> "Figure":
    """Draws a person's visible images above, the thermal ones below, and between them what the plan moves.

    A line is the thicker the more of an image's mass goes along it. The thickest line of each visible image bears its
    share in percent of what one image has (of the side with more images).

    Args:
        model: A `keras_reid.methods.CMEMD`, or any model whose `extract` takes `modality`.
        visible: Images of one person: paths, or arrays [H,W,3] in [0,1] of the model's size.
        thermal: Images of the same person, likewise.
        plan: ``"sinkhorn"``, ``"exact"`` or ``"uniform"``, as in `keras_reid.losses.transport_plan`.
        title: A line above; by default the cost of the plan and that of the uniform one.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure; ``figure.savefig("plan.png")`` writes it.

    Raises:
        ValueError: A side has no image, an image has another size, a file cannot be read, or the plan is unknown.

    Example:
        >>> import keras_reid
        >>> from keras_reid.visualize import transport_plan
        >>> model = keras_reid.zoo.load("cmemd_tiny")  # doctest: +SKIP
        >>> figure = transport_plan(model, ["v1.jpg", "v2.jpg"], ["t1.jpg", "t2.jpg"])  # doctest: +SKIP

    Reference:
        Ling et al., "Cross-Modality Earth Mover's Distance for Visible Thermal Person Re-Identification", AAAI 2023.
        The plan is that of the embeddings, while training has one per feature.
    """
    from keras_reid import losses

    if not len(visible) or not len(thermal):
        raise ValueError(
            f"Both sides need an image. Received: {len(visible)} visible and {len(thermal)} thermal images."
        )
    pictures = [
        np.stack([as_pixels(image, model.image_size, model.interpolation) for image in images])
        for images in (visible, thermal)
    ]
    seen, felt = (model.extract(images, modality=number) for number, images in enumerate(pictures))
    masses = np.asarray(losses.transport_plan(seen[None], felt[None], plan))[0]
    costs = np.square(seen[:, None] - felt[None]).sum(axis=-1)

    colours = theme_named(theme)
    tall = model.image_size[0] / model.image_size[1]
    lefts = [np.arange(len(images)) * (1 + _GAP) for images in pictures]
    width = max(one[-1] for one in lefts) + 1
    lefts = [one + (width - one[-1] - 1) / 2 for one in lefts]
    height = 2 * tall + _BETWEEN
    figure = new_figure((width + 2 * _MARGIN) * _INCHES, (height + _MARGIN + _FOOT) * _INCHES, colours)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for images, places, top in zip(pictures, lefts, (0.0, tall + _BETWEEN), strict=True):
        for image, left in zip(images, places, strict=True):
            axes.imshow(image, extent=(left, left + 1, top + tall, top), interpolation="bilinear", aspect="auto")
    axes.set_xlim(-_MARGIN, width + _MARGIN)
    axes.set_ylim(height + _FOOT, -_MARGIN)
    _draw_masses(axes, masses * max(masses.shape), lefts, (tall, tall + _BETWEEN), colours)
    if title is None:
        title = f"transport cost {(masses * costs).sum():.3f}, all with all {costs.mean():.3f}"
    axes.text(
        width / 2, -_MARGIN / 2, title, color=colours.ink, fontsize=10, fontweight="bold", ha="center", va="center",
        fontfamily=list(font_families()),
    )  # fmt: skip
    return figure


def _draw_masses(
    axes: "Axes", shares: np.ndarray, lefts: Sequence[np.ndarray], heights: tuple[float, float], colours: Theme
) -> None:
    """Draws a line per pair, from the middle of one picture's edge to the other's."""
    for row, column in np.argwhere(shares > 0.01):
        share = float(shares[row, column])
        ends = lefts[0][row] + 0.5, lefts[1][column] + 0.5
        axes.plot(
            ends, heights, color=colours.series[0], linewidth=0.5 + 5.0 * share, alpha=0.25 + 0.7 * min(share, 1.0),
            solid_capstyle="butt", zorder=1,
        )  # fmt: skip
        if column == shares[row].argmax() and share >= _LABELLED:
            # Where the lines have parted and do not cross yet, under the image it belongs to.
            place = min(0.15, 0.4 / max(abs(ends[1] - ends[0]), 1e-6))
            axes.text(
                ends[0] + place * (ends[1] - ends[0]), heights[0] + place * (heights[1] - heights[0]),
                f"{100 * share:.0f}", color=colours.ink, fontsize=7.5, ha="center", va="center", zorder=2,
                fontfamily=list(font_families()),
                bbox={"facecolor": colours.background, "edgecolor": "none", "pad": 1.2},
            )  # fmt: skip
