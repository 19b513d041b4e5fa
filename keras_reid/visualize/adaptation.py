"""What an adaptation did: who is in the clusters, and how the rounds went."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.visualize.curves import add_legend, name_axes, new_panels
from keras_reid.visualize.panel import PanelImage, draw_image
from keras_reid.visualize.style import font_families, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_reid.datasets import ReIDTable

__all__ = ["adaptation_curves", "cluster_sheet"]

# A picture is one unit wide and two high; the rest is measured in the same unit.
_INCHES = 0.72
_LABEL, _COLUMN, _LINE = 1.35, 1.12, 2.42


def cluster_sheet(
    table: "ReIDTable",
    labels: Any,
    *,
    clusters: int = 8,
    per_cluster: int = 10,
    order: str = "random",
    seed: int = 0,
    theme: str = "light",
) -> "Figure":
    """Draws the images of some pseudo-identities, one per line; where the truth is known, wrong ones are framed.

    A cluster's person is the one that most of its images show; an image of somebody else is framed red, with a cross.
    A table that holds a single person holds no truth, and nothing is framed.

    Args:
        table: N images, as they were clustered.
        labels: [N] clusters, -1 for none.
        clusters: How many to draw.
        per_cluster: How many images of each, chosen at random, ordered by camera; wrong ones come last.
        order: ``"random"``, ``"largest"``, or ``"impurest"`` (which needs the truth).
        seed: Seed of the choice.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: There is no cluster, labels and table differ in length, or an argument is out of its range.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.visualize import cluster_sheet
        >>> table = ReIDTable.from_columns(["/a.jpg", "/b.jpg", "/c.jpg"], [7, 7, 9], [0, 1, 0])
        >>> figure = cluster_sheet(table, [0, 0, 0])
    """
    check_positive_int("clusters", clusters)
    check_positive_int("per_cluster", per_cluster)
    labels = np.asarray(labels)
    if labels.shape != (len(table),):
        raise ValueError(f"`labels` must be one per image of the table, [{len(table)}]. Received: {labels.shape}.")
    if not (labels >= 0).any():
        raise ValueError("`labels` must hold at least one cluster. Received: none but -1.")
    generator, colours = np.random.default_rng(seed), theme_named(theme)
    wrong = _wrong(labels, table.person_id) if table.num_persons > 1 else None
    lines = []
    for cluster in _chosen(labels, wrong, order, clusters, generator):
        rows = np.flatnonzero(labels == cluster)
        shown = generator.choice(rows, min(per_cluster, len(rows)), replace=False)
        last = np.zeros(len(table), bool) if wrong is None else wrong
        lines.append((cluster, rows, shown[np.lexsort((shown, table.camera_id[shown], last[shown]))]))
    columns = max(len(shown) for *_, shown in lines)
    width, height = _LABEL + columns * _COLUMN + 0.1, len(lines) * _LINE + 0.2
    figure = new_figure(width * _INCHES, height * _INCHES, colours)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(-_LABEL, width - _LABEL)
    axes.set_ylim(height - 0.1, -0.1)
    axes.set_axis_off()
    for number, (cluster, rows, shown) in enumerate(lines):
        top = number * _LINE
        texts = [
            (0.8, f"{cluster}", colours.ink, 9, "bold"),
            (1.15, f"{len(rows)} images", colours.muted, 6.5, "normal"),
        ]
        if wrong is not None:
            texts.append((1.45, f"{wrong[rows].sum()} wrong", colours.muted, 6.5, "normal"))
        for below, text, colour, size, weight in texts:
            axes.text(
                -0.14, top + below, text, color=colour, fontsize=size, fontweight=weight, ha="right", va="center",
                fontfamily=list(font_families()),
            )  # fmt: skip
        for column, row in enumerate(shown):
            camera = f"camera {table.camera_id[row]}" if table.camera_id[row] >= 0 else ""
            match = False if wrong is not None and wrong[row] else None
            draw_image(axes, PanelImage(table.path[row], camera, match), column * _COLUMN, top, colours)
    return figure


def adaptation_curves(records: Sequence[Any], *, theme: str = "light") -> "Figure":
    """Draws how the rounds of an adaptation went: purity and mAP on the left, numbers of images on the right.

    Args:
        records: What `keras_reid.adapt` returned. Quality that is not known is not drawn.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: There is no record.

    Example:
        >>> from keras_reid.adaptation import RoundRecord
        >>> from keras_reid.visualize import adaptation_curves
        >>> figure = adaptation_curves([RoundRecord(1, 100, 0.4, 9, 80, 75, 9, -0.5, 5e-4, purity=0.9)])
    """
    if not records:
        raise ValueError("`records` must hold at least one round. Received an empty sequence.")
    colours = theme_named(theme)
    rounds = [record.round for record in records]
    quality = {
        "purity of all labelled": (rounds, [record.purity for record in records]),
        "purity of the anchors": (rounds, [record.anchor_purity for record in records]),
        "mAP": ([0, *rounds], [records[0].mean_ap_before, *(record.mean_ap for record in records)]),
        "rank-1": ([0, *rounds], [records[0].rank1_before, *(record.rank1 for record in records)]),
    }
    quality = {name: curve for name, curve in quality.items() if None not in curve[1]}
    counts = {
        "images of the site": (rounds, [record.images for record in records]),
        "in a cluster": (rounds, [record.labelled for record in records]),
        "trained on": (rounds, [record.anchors for record in records]),
    }
    parts = [("quality (%)", quality, 100.0), ("images", counts, 1.0)]
    parts = [part for part in parts if part[1]]
    figure, panels = new_panels(len(parts), 2, colours)
    for axes, (name, curves, scale) in zip(panels, parts, strict=True):
        for number, (label, (x, y)) in enumerate(curves.items()):
            axes.plot(
                x, scale * np.asarray(y, "float64"), label=label, color=colours.series[number], linewidth=1.8,
                marker="o", markersize=3.5, clip_on=False,
            )  # fmt: skip
        first = min(min(x) for x, _ in curves.values())
        axes.set_xlim(first, max(rounds[-1], first + 1))
        axes.set_xticks(range(first, rounds[-1] + 1))
        axes.set_ylim(0, 100.0 if scale > 1 else None)
        name_axes(axes, "after round" if first == 0 else "round", name, colours)
        add_legend(axes, colours, columns=2)
    return figure


def _wrong(labels: np.ndarray, persons: np.ndarray) -> np.ndarray:
    """Which images show another person than most of their cluster; none without a cluster."""
    wrong = np.zeros(len(labels), bool)
    for cluster in np.unique(labels[labels >= 0]):
        rows = np.flatnonzero(labels == cluster)
        found, counts = np.unique(persons[rows], return_counts=True)
        wrong[rows] = persons[rows] != found[counts.argmax()]
    return wrong


def _chosen(labels, wrong, order: str, count: int, generator: np.random.Generator) -> np.ndarray:
    found, sizes = np.unique(labels[labels >= 0], return_counts=True)
    if order == "random":
        return np.sort(generator.choice(found, min(count, len(found)), replace=False))
    if order == "largest":
        return found[np.argsort(-sizes, kind="stable")[:count]]
    if order != "impurest" or wrong is None:
        raise ValueError(
            "`order` must be 'random', 'largest' or, where the table holds at least two persons, 'impurest'. Received: "
            f"{order!r}."
        )
    share = np.array([wrong[labels == cluster].mean() for cluster in found])
    return found[np.argsort(-share, kind="stable")[:count]]
