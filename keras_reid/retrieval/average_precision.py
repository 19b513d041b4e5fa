"""One query's ranks and average precision, from comparisons with its matches: no row is ever sorted."""

from typing import NamedTuple

import numpy as np

__all__ = ["AP_KINDS", "QueryResult", "judge_query"]

AP_KINDS = ("step", "trapezoid")

# Above this many distinct match scores, one binary search per gallery image beats one pass per match.
_PASSES = 64


class QueryResult(NamedTuple):
    """What one query contributes to the metrics."""

    average_precision: float
    inverse_negative_penalty: float
    first_match_rank: int


def judge_query(row: np.ndarray, match: np.ndarray, ignored: np.ndarray, ap: str = "step") -> QueryResult:
    r"""Judges one row of scores.

    With P matches and thresholds ``t`` at their distinct scores, ``h(t)`` matches and ``n(t)`` images
    score ``>= t``, and precision is ``h(t) / n(t)``:

    - step: ``AP = sum_t (h(t) - h(t+)) / P * h(t) / n(t)``, scikit-learn's ``average_precision_score``;
    - trapezoid: the mean of the precisions just above and at ``t`` replaces the precision at ``t``;
      above the first image it is 1 (the Market-1501 toolkit).

    Equal scores are one threshold, so that AP does not depend on the order of the gallery. A match's
    rank counts every non-match of equal score before it: the worst that any order could give.

    Args:
        row: [G] scores, higher is closer.
        match: [G] bool, the images to find; at least one.
        ignored: [G] bool, images that do not count; disjoint from ``match``.
        ap: ``"step"`` or ``"trapezoid"``.

    Returns:
        AP, INP (``P`` / rank of the last match) and the rank of the first match (from 1).

    Example:
        >>> import numpy as np
        >>> row, match = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
        >>> judge_query(row, match, ignored=np.zeros(3, bool)).average_precision
        0.8333333333333333

    Reference:
        Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015 (AP); Ye et al., Deep
        Learning for Person Re-identification: A Survey and Outlook, TPAMI 2021 (mINP). The tie rule
        for ranks is our choice.
    """
    thresholds, hits = np.unique(row[match], return_counts=True)
    others = row[~(match | ignored)]
    others = others[others >= thresholds[0]]  # the rest ranks behind the last match
    errors = _count_from(thresholds, others)
    found = hits[::-1].cumsum()[::-1]
    matches = int(found[0])
    precision = found / (found + errors)
    if ap == "trapezoid":
        before = found - hits
        retrieved = before + _count_above(thresholds, others)
        above = np.where(retrieved > 0, before / np.maximum(retrieved, 1), 1.0)
        precision = (precision + above) / 2.0
    return QueryResult(
        average_precision=float(hits @ precision) / matches,
        inverse_negative_penalty=matches / (matches + int(errors[0])),
        first_match_rank=1 + int(errors[-1]),
    )


def _count_from(thresholds: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns how many values are >= each of the ascending thresholds."""
    if len(thresholds) <= _PASSES:
        return np.array([np.count_nonzero(values >= threshold) for threshold in thresholds])
    reached = np.searchsorted(thresholds, values, side="right")
    return _tail_counts(reached, len(thresholds))


def _count_above(thresholds: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Returns how many values are > each of the ascending thresholds."""
    if len(thresholds) <= _PASSES:
        return np.array([np.count_nonzero(values > threshold) for threshold in thresholds])
    passed = np.searchsorted(thresholds, values, side="left")
    return _tail_counts(passed, len(thresholds))


def _tail_counts(positions: np.ndarray, length: int) -> np.ndarray:
    counts = np.bincount(positions, minlength=length + 1)
    return counts[::-1].cumsum()[::-1][1:]
