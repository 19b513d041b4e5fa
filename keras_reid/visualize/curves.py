"""Curves: cumulative matching over rank, and what happened during training."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from keras_reid.visualize.style import Theme, font_families, new_axes, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["cmc_curve", "read_history", "training_curves"]

# Kept out of the loss plot: it is the clock, or it is no loss.
_NOT_A_LOSS = ("epoch", "learning_rate", "lr")
_QUALITY = ("mean_ap", "mean_inp", "rank1", "accuracy")


def cmc_curve(reports: Mapping[str, Any], *, max_rank: int | None = 20, theme: str = "light") -> "Figure":
    """Draws the share of queries whose match is among the first k, for k = 1 ... `max_rank`.

    Args:
        reports: Label -> a report, a ``Metrics``, or the values themselves, ``[max_rank]`` in
            0 ... 1.
        max_rank: The last rank to show; None for all there is.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: There is nothing to draw, or a curve is no vector.

    Example:
        >>> from keras_reid.visualize import cmc_curve
        >>> figure = cmc_curve({"chance": [0.1, 0.2, 0.3], "ours": [0.8, 0.9, 0.95]})

    Reference:
        Moon and Phillips, "Computational and performance aspects of PCA-based face-recognition
        algorithms", Perception 2001.
    """
    if not reports:
        raise ValueError("`reports` must hold at least one curve. Received an empty mapping.")
    curves = {}
    for label, report in reports.items():
        curve = np.asarray(getattr(report, "cmc", report), np.float64)
        if curve.ndim != 1 or not curve.size:
            raise ValueError(f"The curve {label!r} must be a vector [max_rank]. Received shape: {curve.shape}.")
        curves[label] = 100 * curve[:max_rank]
    colours = theme_named(theme)
    figure = new_figure(4.8, 3.4, colours)
    axes = new_axes(figure, (1, 1, 1), colours)
    for number, (label, curve) in enumerate(curves.items()):
        ranks = np.arange(1, len(curve) + 1)
        name = f"{label}  \N{MIDDLE DOT}  rank-1 {curve[0]:.1f}"
        colour = colours.series[number % len(colours.series)]
        axes.plot(ranks, curve, color=colour, linewidth=1.8, label=name, clip_on=False)
        axes.plot(ranks[:1], curve[:1], "o", color=colour, markersize=4.5, clip_on=False)
    longest = max(map(len, curves.values()))
    finite = [value for curve in curves.values() for value in curve if np.isfinite(value)]
    axes.set_ylim(max(0, 10 * np.floor(min(finite, default=0) / 10) - 5), 100)
    axes.set_xlim(1, max(longest, 2))
    axes.set_xticks([rank for rank in (1, 5, 10, 20, 30, 40, 50) if rank <= longest])
    _name_axes(axes, "rank", "queries matched by this rank (%)", colours)
    _legend(axes, colours, "lower right", columns=1)
    figure.tight_layout(pad=0.8)
    return figure


def training_curves(history: Any, *, theme: str = "light") -> "Figure":
    """Draws every named loss over the epochs, and retrieval quality beside it if it was measured.

    Values of the validation data (``val_...``) are dashed in the colour of their training loss. A
    NaN marks an epoch that was not evaluated and is skipped.

    Args:
        history: What ``fit`` returned, its ``.history`` dict, or a file of ``CSVLogger``.
        theme: ``"light"`` or ``"dark"``.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: There is nothing to draw.

    Example:
        >>> from keras_reid.visualize import training_curves
        >>> figure = training_curves({"triplet": [0.9, 0.4, 0.2], "identity": [3.0, 2.0, 1.1]})
    """
    columns = read_history(history)
    losses = {key: column for key, column in columns.items() if not key.endswith(_QUALITY)}
    quality = {key: column for key, column in columns.items() if key.endswith(_QUALITY)}
    if not columns:
        raise ValueError("`history` must hold at least one loss. Received an empty history.")
    colours = theme_named(theme)
    panels = [part for part in (losses, quality) if part]
    figure = new_figure(4.8 * len(panels), 3.4, colours)
    for number, part in enumerate(panels, start=1):
        axes = new_axes(figure, (1, len(panels), number), colours)
        scale = 100 if part is quality else 1
        _plot_columns(axes, {key: scale * column for key, column in part.items()}, colours)
        if part is losses and _spread(part) > 50:
            axes.set_yscale("log")
        name = "retrieval quality (%)" if part is quality else "loss"
        _name_axes(axes, "epoch", name, colours)
        _legend(axes, colours, "best", columns=1 + (len(part) > 6))
    figure.tight_layout(pad=0.8, w_pad=2)
    return figure


def read_history(history: Any) -> dict[str, np.ndarray]:
    """Reads the losses of a training run, from whatever holds them.

    Args:
        history: A ``keras.callbacks.History``, its dict, or a file of ``CSVLogger``.

    Returns:
        Name -> values per epoch, without the epoch number and the learning rate.

    Raises:
        TypeError: It is none of these.

    Example:
        >>> from keras_reid.visualize.curves import read_history
        >>> read_history({"loss": [2.0, 1.0], "learning_rate": [0.1, 0.1]})
        {'loss': array([2., 1.])}
    """
    if isinstance(history, str | os.PathLike):
        with Path(history).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        table: Mapping[str, Sequence[Any]] = {
            key: ["nan" if row[key] in ("", "NA") else row[key] for row in rows] for key in (rows[0] if rows else {})
        }
    else:
        table = getattr(history, "history", history)
    if not isinstance(table, Mapping):
        raise TypeError(
            "`history` must be what `fit` returned, a dict of lists, or the path of a CSV log. "
            f"Received: {type(history).__name__}."
        )
    return {
        key: np.asarray(values, np.float64) for key, values in table.items() if key not in _NOT_A_LOSS and len(values)
    }


def _plot_columns(axes: "Axes", columns: Mapping[str, np.ndarray], colours: Theme) -> None:
    """Plots each column over its epochs; a validation value shares its training value's colour."""
    from matplotlib.ticker import MaxNLocator

    bases = list(dict.fromkeys(key.removeprefix("val_") for key in columns))
    for key, column in columns.items():
        base = key.removeprefix("val_")
        dashed = key != base and base in columns
        epochs = np.arange(1, len(column) + 1)
        known = np.isfinite(column)
        axes.plot(
            epochs[known], column[known], label=_readable(key),
            color=colours.series[bases.index(base) % len(colours.series)],
            linestyle="--" if dashed else "-", linewidth=1.8,
            marker="o" if known.sum() < 15 else "", markersize=3.5,
        )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.set_xlim(1, max(2, *map(len, columns.values())))


def _readable(key: str) -> str:
    """Turns a log's key into a label."""
    name = {"mean_ap": "mAP", "mean_inp": "mINP", "rank1": "rank-1"}
    validation = key.startswith("val_")
    base = key.removeprefix("val_")
    if validation and base in name:
        return name[base]
    return base.replace("_", " ") + (" (validation)" if validation else "")


def _spread(columns: Mapping[str, np.ndarray]) -> float:
    """Returns the largest over the smallest value; 1 where a logarithm would not exist."""
    values = np.concatenate(list(columns.values()))
    values = values[np.isfinite(values)]
    return float(values.max() / values.min()) if values.size and values.min() > 0 else 1.0


def _name_axes(axes: "Axes", x: str, y: str, colours: Theme) -> None:
    """Writes the axes' names; the vertical one stands above, where it reads without turning."""
    fonts = list(font_families())
    axes.set_xlabel(x, color=colours.muted, fontsize=9, fontfamily=fonts)
    axes.set_title(y, color=colours.ink, fontsize=10, fontfamily=fonts, loc="left", pad=10)


def _legend(axes: "Axes", colours: Theme, place: Literal["best", "lower right"], columns: int) -> None:
    """Adds the legend in the house look."""
    from matplotlib.font_manager import FontProperties

    legend = axes.legend(
        loc=place,
        ncols=columns,
        facecolor=colours.background,
        framealpha=0.85,
        edgecolor="none",
        labelcolor=colours.ink,
        prop=FontProperties(family=list(font_families()), size=8.5),
    )
    legend.set_zorder(5)
