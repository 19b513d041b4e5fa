"""How sure a number is: values of each query, and intervals from drawing identities again."""

import re
from collections.abc import Sequence

import numpy as np

from keras_reid.checks import unknown_name
from keras_reid.retrieval import Metrics

__all__ = ["metric_value", "standard_deviation", "values_per_query"]

_PER_QUERY = {"mean_ap": "average_precision", "mean_inp": "inverse_negative_penalty"}
_RANK = re.compile(r"rank([1-9]\d*)")


def metric_value(metrics: Metrics, name: str) -> float:
    """Returns one of the metrics by its name.

    Args:
        metrics: The metrics.
        name: ``"mean_ap"``, ``"mean_inp"``, or ``"rank1"``, ``"rank5"``, ...: the share of queries
            with a match among the first 1, 5, ... images.

    Returns:
        A share from 0 to 1; NaN if no query has a match.

    Raises:
        ValueError: There is no such metric, or the curve does not reach that far.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> from keras_reid.evaluation.statistics import metric_value
        >>> metric_value(retrieval.evaluate_scores(np.array([[0.9, 0.8]]), [7], [8, 7]), "rank1")
        0.0
    """
    rank = _rank_of(name)
    return float(getattr(metrics, name)) if rank is None else metrics.rank(rank)


def values_per_query(metrics: Metrics, name: str) -> np.ndarray:
    """Returns what each query contributes to a metric, which is their mean.

    Args:
        metrics: The metrics, of Q queries.
        name: As in `metric_value`.

    Returns:
        [Q]; NaN where the query is left out of the mean.

    Raises:
        ValueError: There is no such metric.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> from keras_reid.evaluation.statistics import values_per_query
        >>> values_per_query(retrieval.evaluate_scores(np.array([[0.9, 0.8]]), [7], [8, 7]), "mean_ap")
        array([0.5])
    """
    rank = _rank_of(name)
    if rank is None:
        return getattr(metrics, _PER_QUERY[name])
    first = metrics.first_match_rank
    return np.where(np.isnan(first), np.nan, first <= rank)


def standard_deviation(values: Sequence[float]) -> float:
    """Returns the standard deviation of a sample (divided by n - 1); NaN of fewer than two values.

    Args:
        values: The sample.

    Returns:
        Its standard deviation.

    Example:
        >>> from keras_reid.evaluation.statistics import standard_deviation
        >>> standard_deviation([1.0, 3.0])
        1.4142135623730951
    """
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _rank_of(name: str) -> int | None:
    """The k of "rank<k>"; None for the metrics that are no rank."""
    if name in _PER_QUERY:
        return None
    match = _RANK.fullmatch(str(name))
    if match is None:
        raise unknown_name("metric", name, (*_PER_QUERY, "rank1"), "Any other rank does as well, e.g. 'rank5'.")
    return int(match[1])
