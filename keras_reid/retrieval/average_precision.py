"""One query's ranks and average precision, by counting how many images reach each match's score."""

from typing import NamedTuple

import numpy as np

__all__ = ["AP_KINDS", "QueryResult", "judge_query"]

AP_KINDS = ("step", "trapezoid")

# Up to so many distinct match scores, one pass over the row for each is cheaper than sorting the row.
_PASSES = 32


class QueryResult(NamedTuple):
    """What one query contributes to the metrics."""

    average_precision: float
    inverse_negative_penalty: float
    first_match_rank: int


def judge_query(row: np.ndarray, matches: np.ndarray, ignored: np.ndarray, ap: str = "step") -> QueryResult:
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
        matches: [P] positions of the images to find; at least one.
        ignored: Positions of the images that do not count; none of them a match, none twice.
        ap: ``"step"`` or ``"trapezoid"``.

    Returns:
        AP, INP (``P`` / rank of the last match) and the rank of the first match (from 1).

    Example:
        >>> import numpy as np
        >>> row = np.array([0.9, 0.8, 0.7])
        >>> judge_query(row, matches=np.array([0, 2]), ignored=np.zeros(0, int)).average_precision
        0.8333333333333333

    Reference:
        Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015 (AP); Ye et al., Deep
        Learning for Person Re-identification: A Survey and Outlook, TPAMI 2021 (mINP). The tie rule
        for ranks is our choice.
    """
    thresholds, hits = np.unique(row[matches], return_counts=True)
    found = hits[::-1].cumsum()[::-1]
    left_out = np.sort(row[ignored])
    is_sorted = len(thresholds) > _PASSES
    values = np.sort(row) if is_sorted else row
    retrieved = _count(values, thresholds, False, is_sorted) - _count(left_out, thresholds, False, True)
    precision = found / retrieved
    if ap == "trapezoid":
        before = _count(values, thresholds, True, is_sorted) - _count(left_out, thresholds, True, True)
        above = np.where(before > 0, (found - hits) / np.maximum(before, 1), 1.0)
        precision = (precision + above) / 2.0
    errors = retrieved - found
    return QueryResult(
        average_precision=float(hits @ precision) / len(matches),
        inverse_negative_penalty=len(matches) / int(retrieved[0]),
        first_match_rank=1 + int(errors[-1]),
    )


def _count(values: np.ndarray, thresholds: np.ndarray, above: bool, is_sorted: bool) -> np.ndarray:
    """Returns how many values are >= (or, if ``above``, >) each of the thresholds."""
    if is_sorted:
        return len(values) - np.searchsorted(values, thresholds, side="right" if above else "left")
    reaches = np.greater if above else np.greater_equal
    return np.array([np.count_nonzero(reaches(values, threshold)) for threshold in thresholds])
