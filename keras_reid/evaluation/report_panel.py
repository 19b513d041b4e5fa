"""The queries of a report with their best results, ready to be drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_reid.datasets import ReIDTable
from keras_reid.evaluation.selection import select_queries

if TYPE_CHECKING:
    from keras_reid.evaluation.report import Report
    from keras_reid.visualize.panel import PanelImage, PanelRow

__all__ = ["panel_rows"]


def panel_rows(report: "Report", queries: str | Sequence[int], count: int, top_k: int, seed: int) -> "list[PanelRow]":
    """Describes queries and their results as ``visualize.ranked_panel`` draws them.

    Args:
        report: The report.
        queries: As in ``Report.panel_rows``, like all that follows.
        count: How many queries, if chosen by name.
        top_k: How many results per query.
        seed: Seed of the random choice.

    Returns:
        One row per query.

    Raises:
        ValueError: No such choice, or the evaluation kept no results.

    Example:
        See ``Report.panel_rows``, which calls it.
    """
    from keras_reid.visualize.panel import PanelRow

    rows, scores = report.metrics.top_indices, report.metrics.top_scores
    if rows is None or scores is None:
        raise ValueError("This report holds no rankings. Evaluate with `top_k=10`.")
    panel = []
    for number in select_queries(report.metrics.average_precision, queries, count, seed):
        person = report.query.person_id[number]
        precision = report.metrics.average_precision[number]
        said = "no match" if np.isnan(precision) else f"AP {100 * precision:.1f} %"
        results = tuple(
            _image(report.gallery, row, bool(report.gallery.person_id[row] == person), score)
            for row, score in zip(rows[number][:top_k], scores[number][:top_k], strict=True)
            if row >= 0
        )
        title = f"person {person} \N{MIDDLE DOT} {said}"
        panel.append(PanelRow(_image(report.query, number), results, title))
    return panel


def _image(table: ReIDTable, row: int, match: bool | None = None, score: float | None = None) -> "PanelImage":
    """Describes one image by its similarity and its camera, as far as they are known."""
    from keras_reid.visualize.panel import PanelImage

    camera = table.camera_id[row]
    parts = ["" if score is None else f"{score:.2f}", f"camera {camera}" if camera >= 0 else ""]
    return PanelImage(table.path[row], " \N{MIDDLE DOT} ".join(filter(None, parts)), match)
