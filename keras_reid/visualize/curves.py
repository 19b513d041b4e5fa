"""Curves: cumulative matching over rank, and what happened during training."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.visualize.style import Theme, font_families, new_axes, new_figure, theme_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["cmc_curve", "history_parts", "read_history", "training_curves"]

# Kept out of the loss plot: it is the clock, or it is no loss.
_NOT_A_LOSS = ("epoch", "learning_rate", "lr")
# Inches; chosen so that the text stays readable where three charts share a page.
_PANEL = (3.3, 1.75)
_LEFT, _RIGHT, _TOP, _BOTTOM, _LINE = 0.5, 0.2, 0.45, 0.55, 0.17
_DASHES = ("-", ":", "-.")

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
    figure, (axes,) = new_panels(1, len(curves), colours)
    for number, (label, curve) in enumerate(curves.items()):
        ranks = np.arange(1, len(curve) + 1)
        first = "no valid query" if np.isnan(curve[0]) else f"rank-1 {curve[0]:.1f}"
        name = f"{label}  \N{MIDDLE DOT}  {first}"
        colour = colours.series[number % len(colours.series)]
        axes.plot(ranks, curve, color=colour, linewidth=1.8, label=name, clip_on=False)
        axes.plot(ranks[:1], curve[:1], "o", color=colour, markersize=4.5, clip_on=False)
    longest = max(map(len, curves.values()))
    finite = [value for curve in curves.values() for value in curve if np.isfinite(value)]
    axes.set_ylim(max(0, 10 * np.floor(min(finite, default=0) / 10) - 5), 100)
    axes.set_xlim(1, max(longest, 2))
    axes.set_xticks([rank for rank in (1, 5, 10, 20, 30, 40, 50) if rank <= longest])
    name_axes(axes, "rank", "queries matched by this rank (%)", colours)
    add_legend(axes, colours, columns=1)
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
    from matplotlib.ticker import FuncFormatter

    parts = history_parts(history)
    if not parts:
        raise ValueError("`history` must hold at least one loss. Received an empty history.")
    colours = theme_named(theme)
    lines = max(-(-len(part) // 2) for part in parts.values())
    figure, panels = new_panels(len(parts), lines, colours)
    for axes, (name, part) in zip(panels, parts.items(), strict=True):
        scale = 1 if name == "loss" else 100
        _plot_columns(axes, {key: scale * column for key, column in part.items()}, colours)
        if name == "loss" and _spread(part) > 50:
            axes.set_yscale("log")
            axes.minorticks_off()
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        name_axes(axes, "epoch", name, colours)
        add_legend(axes, colours, columns=2)
    return figure


def history_parts(history: Any) -> dict[str, dict[str, np.ndarray]]:
    """Sorts a history into losses and retrieval quality; a part without values is left out.

    Args:
        history: As in `read_history`.

    Returns:
        Name of the part -> its columns.

    Example:
        >>> from keras_reid.visualize.curves import history_parts
        >>> history_parts({"loss": [2.0, 1.0], "val_mean_ap": [0.5, 0.75]})["quality (%)"]
        {'val_mean_ap': array([0.5 , 0.75])}
    """
    columns = read_history(history)
    losses = {key: column for key, column in columns.items() if not key.endswith(_QUALITY)}
    quality = {key: column for key, column in columns.items() if key.endswith(_QUALITY)}
    parts = {"loss": losses, "quality (%)": quality}
    return {name: part for name, part in parts.items() if part}


def read_history(history: Any) -> dict[str, np.ndarray]:
    """Reads the losses of a training run, from whatever holds them.

    Args:
        history: A ``keras.callbacks.History``, its dict, or a file of ``CSVLogger``.

    Returns:
        Name -> values per epoch, the total loss first; without the epoch number, the learning rate, and what never
        had a value.

    Raises:
        TypeError: It is none of these.

    Example:
        >>> from keras_reid.visualize.curves import read_history
        >>> read_history({"loss": [2.0, 1.0], "learning_rate": [0.1, 0.1]})
        {'loss': array([2., 1.])}
    """
    if isinstance(history, str | os.PathLike):
        with Path(history).open(newline="", encoding="utf-8") as file:
            # An epoch that was lost in a kill and trained again stands twice; the later line counts.
            rows = list({row.get("epoch", number): row for number, row in enumerate(csv.DictReader(file))}.values())
        names = rows[0] if rows else {}
        table: Mapping[str, Sequence[Any]] = {
            name: ["nan" if row[name] in ("", "NA") else row[name] for row in rows] for name in names
        }
    else:
        table = getattr(history, "history", history)
    if not isinstance(table, Mapping):
        raise TypeError(
            "`history` must be what `fit` returned, a dict of lists, or the path of a CSV log. "
            f"Received: {type(history).__name__}."
        )
    columns = {key: np.asarray(table[key], np.float64) for key in table if key not in _NOT_A_LOSS}
    total_first = sorted(columns, key=lambda key: key.removeprefix("val_") != "loss")
    return {key: columns[key] for key in total_first if np.isfinite(columns[key]).any()}


def new_panels(count: int, legend_lines: int, colours: Theme) -> "tuple[Figure, list[Axes]]":
    """Makes axes of one size side by side, with room for names above and a legend below."""
    width, height = _LEFT + _PANEL[0] + _RIGHT, _TOP + _PANEL[1] + _BOTTOM + _LINE * legend_lines
    figure = new_figure(count * width, height, colours)
    panels = [new_axes(figure, (1, count, number), colours) for number in range(1, count + 1)]
    for number, axes in enumerate(panels):
        left = (number * width + _LEFT) / (count * width)
        axes.set_position((left, 1 - (_TOP + _PANEL[1]) / height, _PANEL[0] / (count * width), _PANEL[1] / height))
    return figure, panels


def _plot_columns(axes: "Axes", columns: Mapping[str, np.ndarray], colours: Theme) -> None:
    """Plots each column over its epochs; a validation value shares its training value's colour."""
    from matplotlib.ticker import MaxNLocator

    bases = list(dict.fromkeys(key.removeprefix("val_") for key in columns))
    for key, column in columns.items():
        base = key.removeprefix("val_")
        round_, colour = divmod(bases.index(base), len(colours.series))
        dashes = "--" if key != base and base in columns else _DASHES[round_ % len(_DASHES)]
        epochs = np.arange(1, len(column) + 1)
        known = np.isfinite(column)
        axes.plot(
            epochs[known], column[known], label=_readable(key),
            color=colours.series[colour], linestyle=dashes, linewidth=1.8,
            marker="o" if known.sum() < 15 else "", markersize=3.5,
            clip_on=False,
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
    where = "validation" if validation else "training" if base in _QUALITY else ""
    return base.replace("_", " ") + (f" ({where})" if where else "")


def _spread(columns: Mapping[str, np.ndarray]) -> float:
    """Returns the largest over the smallest value; 1 where a logarithm would not exist."""
    values = np.concatenate(list(columns.values()))
    values = values[np.isfinite(values)]
    return float(values.max() / values.min()) if values.size and values.min() > 0 else 1.0


def name_axes(axes: "Axes", x: str, y: str, colours: Theme) -> None:
    """Writes the axes' names; the vertical one stands above, where it reads without turning."""
    fonts = list(font_families())
    axes.set_xlabel(x, color=colours.muted, fontsize=9, fontfamily=fonts)
    axes.set_title(y, color=colours.ink, fontsize=10, fontfamily=fonts, loc="left", pad=10)


def add_legend(axes: "Axes", colours: Theme, columns: int) -> None:
    """Adds the legend below the axes, where it covers no curve."""
    from matplotlib.font_manager import FontProperties

    axes.legend(
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.25),
        borderaxespad=0,
        ncols=columns,
        frameon=False,
        labelcolor=colours.ink,
        prop=FontProperties(family=list(font_families()), size=8.5),
    )
