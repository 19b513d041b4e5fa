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


def box(axes: Axes, left: float, top: float, width: float, title: str, *lines: str, colour: str = COLOURS.ink) -> None:
    """Draws a named box with lines of text in it; a line is 0.27 high."""
    from matplotlib.patches import FancyBboxPatch

    height = 0.48 + 0.27 * len(lines)
    style = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": COLOURS.background, "linewidth": 1.2}
    axes.add_patch(FancyBboxPatch((left, top), width, height, edgecolor=colour, **style))
    write(axes, left + width / 2, top + 0.24, title, 9, fontweight="bold", color=colour)
    for number, line in enumerate(lines):
        write(axes, left + width / 2, top + 0.54 + 0.27 * number, line, 8, color=COLOURS.muted)


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draws an arrow from one point to another."""
    style = {"arrowstyle": "-|>", "color": COLOURS.muted, "linewidth": 1.3, "mutation_scale": 11}
    axes.annotate("", xy=end, xytext=start, arrowprops=style)


def several_devices() -> Figure:
    """One batch on two devices, and what they tell each other."""
    figure, axes = stage(10.2, 3.3)
    box(axes, 0.1, 1.15, 1.8, "one batch", "64 images, planned", "by seed and epoch")
    for number, top in enumerate((0.25, 2.05)):
        colour = COLOURS.series[number]
        rows = f"rows {32 * number} to {32 * number + 31}"
        box(axes, 2.75, top, 2.0, f"device {number}", rows, "forward, backward", colour=colour)
        box(axes, 8.2, top, 1.9, f"device {number}", "the same weights,", "the same memory", colour=colour)
        middle = top + 0.51
        arrow(axes, (1.95, 1.66), (2.7, middle))
        arrow(axes, (4.8, middle), (5.45, 1.66))
        arrow(axes, (7.5, 1.66), (8.15, middle))
    box(axes, 5.5, 0.75, 1.95, "all 64 rows", "gradients", "batch statistics", "mining and pairs", "memories")
    return figure


def export() -> Figure:
    """What an exported file holds, and how it is tried before it gets its name."""
    figure, axes = stage(10.2, 3.0)
    box(axes, 0.1, 0.3, 1.75, "images", "uint8 RGB", "any number of them")
    box(axes, 2.6, 0.3, 3.6, "one file", "range, normalisation, network, unit norm", "ONNX, LiteRT or SavedModel")
    box(axes, 6.95, 0.3, 1.5, "features", "float32", "[N, D]")
    box(axes, 2.6, 1.85, 3.6, "the Keras model", "the same images, by 1, by 2 and by 17")
    box(axes, 6.95, 1.85, 1.5, "features", "float32")
    arrow(axes, (1.9, 0.81), (2.55, 0.81))
    arrow(axes, (6.25, 0.81), (6.9, 0.81))
    arrow(axes, (1.0, 1.37), (2.55, 2.22))
    arrow(axes, (6.25, 2.22), (6.9, 2.22))
    write(axes, 9.3, 1.45, "greatest difference", 8.5)
    write(axes, 9.3, 1.72, "small: it gets its name", 8, color=COLOURS.match)
    write(axes, 9.3, 1.97, "else: an error, no file", 8, color=COLOURS.mismatch)
    arrow(axes, (7.7, 1.37), (8.3, 1.5))
    arrow(axes, (7.7, 1.8), (8.3, 1.65))
    return figure
