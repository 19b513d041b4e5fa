"""Protocols that draw several galleries: one pass over the scores judges them all, and their mean."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_reid.retrieval.labels import integer_labels
from keras_reid.retrieval.metrics import Metrics
from keras_reid.retrieval.problem import Problem
from keras_reid.retrieval.protocols import Protocol
from keras_reid.retrieval.tally import Tally

__all__ = ["evaluate_trials", "mean_metrics", "with_rows_of"]


def evaluate_trials(
    scores: Any,
    trials: Sequence[Any],
    query_ids: Any,
    gallery_ids: Any,
    query_cameras: Any = None,
    gallery_cameras: Any = None,
    *,
    ap: str = "step",
    max_rank: int = 50,
    protocol: str | Protocol = "market1501",
    top_k: int = 0,
) -> tuple[Metrics, ...]:
    """Judges every query in several galleries, each a part of one whole gallery, in one pass over the scores.

    Args:
        scores: [Q, G] scores of the whole gallery, higher is closer, or an iterator over its row blocks.
        trials: For every trial the rows of its gallery in the whole one.
        query_ids: As in ``evaluate_scores``.
        gallery_ids: [G] identities of the whole gallery.
        query_cameras: As in ``evaluate_scores``.
        gallery_cameras: [G] cameras of the whole gallery, or None.
        ap: As in ``evaluate_scores``.
        max_rank: As in ``evaluate_scores``.
        protocol: As in ``evaluate_scores``.
        top_k: As in ``evaluate_scores``.

    Returns:
        The ``Metrics`` of each trial. ``num_gallery`` is the trial's; ``top_indices`` are rows of the whole
        gallery. ``mean_metrics`` gives their mean.

    Raises:
        ValueError: There is no trial, one names rows that the gallery does not have, or as in ``evaluate_scores``.
        TypeError: The scores are not real numbers.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> found = retrieval.evaluate_trials(
        ...     np.array([[0.9, 0.8, 0.7]]), [[0, 1], [1, 2]], query_ids=[1], gallery_ids=[2, 1, 3])
        >>> [metrics.rank(1) for metrics in found]
        [0.0, 1.0]
    """
    whole = Problem.checked(query_ids, gallery_ids, query_cameras, gallery_cameras, protocol)
    parts = [_checked_rows(number, rows, len(whole.gallery_ids)) for number, rows in enumerate(trials)]
    if not parts:
        raise ValueError("`trials` must name the gallery rows of at least one trial. Received: none.")
    tallies = [
        Tally(
            replace(whole, gallery_ids=whole.gallery_ids[rows], gallery_cameras=whole.gallery_cameras[rows]),
            ap,
            max_rank,
            top_k,
        )
        for rows in parts
    ]
    for row in whole.rows(scores):
        for tally, rows in zip(tallies, parts, strict=True):
            tally.add(row[rows])
    return tuple(with_rows_of(tally.metrics(), rows) for tally, rows in zip(tallies, parts, strict=True))


def mean_metrics(metrics: Sequence[Metrics]) -> Metrics:
    """Averages the metrics of trials over the same number of queries.

    CMC, mAP and mINP are the means of the trials' own. The arrays of single queries are averaged, position
    by position, over the trials in which the query was valid (they mean something if the trials ask for the
    same queries). The counts, and why queries are invalid, are those of the trial with the fewest valid
    queries; if they differ, a note says so. Rankings cannot be averaged: ``top_indices`` is None.

    Args:
        metrics: One ``Metrics`` a trial, of one kind of AP, one protocol and one length of the CMC curve.

    Returns:
        Their mean.

    Raises:
        ValueError: There is none, or they differ in queries, AP, protocol or length of the curve.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> found = retrieval.evaluate_trials(
        ...     np.array([[0.9, 0.8, 0.7]]), [[0, 1], [1, 2]], query_ids=[1], gallery_ids=[2, 1, 3])
        >>> mean = retrieval.mean_metrics(found)
        >>> mean.rank(1), mean.mean_ap, mean.first_match_rank
        (0.5, 0.75, array([1.5]))
    """
    if not metrics:
        raise ValueError("`metrics` must hold at least one trial. Received: none.")
    kinds = {(each.num_queries, each.ap, each.protocol, len(each.cmc)) for each in metrics}
    if len(kinds) > 1:
        raise ValueError(
            "Only metrics of one experiment have a mean: as many queries, the same AP, protocol and `max_rank`. "
            f"Received (queries, AP, protocol, max_rank): {', '.join(map(str, sorted(kinds)))}."
        )
    fewest = min(metrics, key=lambda each: each.valid_queries)
    notes = list(dict.fromkeys(note for each in metrics for note in each.notes))
    most = max(each.valid_queries for each in metrics)
    if most > fewest.valid_queries:
        notes.append(f"The {len(metrics)} trials have {fewest.valid_queries} to {most} valid queries.")
    return replace(
        fewest,
        cmc=np.mean([each.cmc for each in metrics], axis=0),
        mean_ap=float(np.mean([each.mean_ap for each in metrics])),
        mean_inp=float(np.mean([each.mean_inp for each in metrics])),
        average_precision=_mean_where_valid([each.average_precision for each in metrics]),
        inverse_negative_penalty=_mean_where_valid([each.inverse_negative_penalty for each in metrics]),
        first_match_rank=_mean_where_valid([each.first_match_rank for each in metrics]),
        notes=tuple(notes),
        top_indices=None,
        top_scores=None,
    )


def with_rows_of(metrics: Metrics, rows: np.ndarray) -> Metrics:
    """Returns the metrics of a part of a gallery with ``top_indices`` that are rows of the whole.

    Args:
        metrics: Judged in the part.
        rows: The part's rows in the whole gallery.

    Returns:
        The same metrics, renumbered.
    """
    if metrics.top_indices is None:
        return metrics
    found = metrics.top_indices >= 0
    return replace(metrics, top_indices=np.where(found, rows[metrics.top_indices], -1))


def _checked_rows(number: int, rows: Any, num_gallery: int) -> np.ndarray:
    rows = integer_labels(f"trials[{number}]", rows)
    if not len(rows) or rows.min() < 0 or rows.max() >= num_gallery:
        found = f"{rows.min()} to {rows.max()}" if len(rows) else "none"
        raise ValueError(
            f"`trials[{number}]` must name rows of the gallery, 0 to {num_gallery - 1}. Received: {found}."
        )
    return rows


def _mean_where_valid(values: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the trials in which a value is not NaN; NaN where there is none."""
    stacked = np.stack(values)
    valid = ~np.isnan(stacked)
    with np.errstate(invalid="ignore"):  # 0 / 0 is the NaN that is wanted
        return np.where(valid, stacked, 0.0).sum(axis=0) / valid.sum(axis=0)
