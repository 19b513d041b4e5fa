"""The pictures without people: diagrams that the library's own functions compute."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from keras_reid.visualize.style import THEMES, font_families, new_axes, new_figure

COLOURS = THEMES["light"]
INCHES = 8.0


def stage(width: float, height: float) -> tuple[Figure, Axes]:
    """Returns a figure of one pair of axes without frame; a picture of a person is one unit wide and two high."""
    figure = new_figure(INCHES, INCHES * height / width, COLOURS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return figure, axes


def write(axes: Axes, x: float, y: float, text: str, size: float = 8.5, **options) -> None:
    """Writes a line of text in the house's font."""
    options = {"color": COLOURS.ink, "ha": "center", "va": "center", **options}
    axes.text(x, y, text, fontsize=size, fontfamily=list(font_families()), **options)


def show(axes: Axes, pixels: Any, left: float, top: float, scale: float = 1.0) -> None:
    """Draws pixels, one unit wide and two high times `scale`."""
    axes.imshow(pixels, extent=(left, left + scale, top + 2 * scale, top), aspect="auto", interpolation="bilinear")


def adaptation() -> Figure:
    """Features of a site, their clusters, and the credible ones of the first and of the last round."""
    from keras_reid.adaptation import Clustering, CredibleMining, pseudo_labels

    rng = np.random.default_rng(4)
    angle = np.linspace(0, 2 * np.pi, 7)[:-1]
    centres = np.stack([np.cos(angle), np.sin(angle)], axis=1) * [[1.0], [1.25], [1.0], [1.3], [1.0], [1.2]]
    shown = np.concatenate(
        [centres.repeat(28, axis=0) + rng.normal(0, 0.19, (168, 2)), rng.uniform(-1.7, 1.7, (10, 2))]
    )
    features = np.concatenate([shown, np.full((len(shown), 1), 2.0)], axis=1)  # on a sphere, near enough to the plane
    stages = [
        pseudo_labels(features, Clustering(k1=20, k2=6, eps=0.6), CredibleMining("prototype"), round_number=number)
        for number in (0, 5)
    ]
    figure = new_figure(INCHES, 2.75, COLOURS)
    titles = ["features, no labels", "clusters: pseudo labels", "round 0: credible anchors", "round 5: more of them"]
    for place, title in enumerate(titles):
        axes = new_axes(figure, (1, 4, place + 1), COLOURS)
        axes.set(xticks=[], yticks=[], xlim=(-1.9, 1.9), ylim=(-1.9, 1.9), aspect="equal")
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.set_title(title, fontsize=9, color=COLOURS.ink, fontfamily=list(font_families()))
        labels = stages[0].labels.labels if place else np.full(len(shown), -1)
        anchors = (
            set(stages[place == 3].anchors.rows.tolist()) if place > 1 else set(np.flatnonzero(labels >= 0).tolist())
        )
        for number, (x, y) in enumerate(shown):
            colour = COLOURS.muted if labels[number] < 0 else COLOURS.series[labels[number] % 6]
            filled = number in anchors or place == 0
            style = {"fillstyle": "full", "alpha": 1.0} if filled else {"fillstyle": "none", "alpha": 0.55}
            axes.plot(x, y, "o", markersize=3.4, markeredgewidth=0.7, color=colour, **style)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.13, top=0.88, wspace=0.04)
    figure.text(
        0.5, 0.06, "train on the anchors as if clusters were persons, extract the features anew, and again",
        ha="center", fontsize=9, color=COLOURS.ink, fontfamily=list(font_families()),
    )  # fmt: skip
    return figure


def recipes() -> Figure:
    """The learning rate of a recipe, as written and for a quarter of its epochs."""
    from keras_reid import zoo

    recipe = zoo.recipe("baseline_r50")
    figure = new_figure(INCHES, 2.9, COLOURS)
    axes = new_axes(figure, (1, 1, 1), COLOURS)
    for number, epochs in enumerate((120, 30)):
        config = recipe.make_optimizer(recipe.steps_per_epoch, epochs).get_config()["learning_rate"]["config"]
        steps = np.arange(epochs * recipe.steps_per_epoch)
        warm = config["warmup_start"] + (1 - config["warmup_start"]) * np.minimum(steps / config["warmup_steps"], 1)
        drops = np.searchsorted(config["boundaries"], steps, side="right")
        rate = config["learning_rate"] * warm * config["factor"] ** drops
        axes.plot(steps, 1e4 * rate, color=COLOURS.series[number], linewidth=2)
        axes.text(
            config["boundaries"][0] + 200, 2.4 + 0.6 * number, f"{epochs} epochs", fontsize=9.5, fontweight="bold",
            color=COLOURS.series[number], fontfamily=list(font_families()),
        )  # fmt: skip
    fonts = {"fontsize": 9, "color": COLOURS.muted, "fontfamily": list(font_families())}
    axes.set_xlabel("training step (188 an epoch)", **fonts)
    axes.set_ylabel("learning rate, 1e-4", **fonts)
    axes.set_xlim(0, 120 * 188)
    axes.set_ylim(0, 3.8)
    figure.tight_layout()
    return figure
