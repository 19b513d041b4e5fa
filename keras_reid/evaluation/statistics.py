"""How sure a number is: values of each query, and intervals from drawing identities again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.retrieval import Metrics

__all__ = [
    "Interval",
    "drawn_means",
    "interval_of",
    "metric_title",
    "metric_value",
    "standard_deviation",
    "values_per_query",
]

_PER_QUERY = {"mean_ap": "average_precision", "mean_inp": "inverse_negative_penalty"}
_TITLES = {"mean_ap": "mAP", "mean_inp": "mINP"}
_RANK = re.compile(r"rank([1-9]\d*)")
_DRAWN_AT_ONCE = 2**22
"""Numbers of a block of draws, 32 MiB: memory does not grow with the number of samples."""


@dataclass(frozen=True)
class Interval:
    """A number and where it would lie with other people of the same kind.

    Attributes:
        metric: The metric's name.
        low: Lower end of the interval.
        value: The number itself.
        high: Upper end of the interval.
        level: Share of the draws that lie inside, e.g. 0.95.
        identities: How many identities were drawn from.

    Example:
        >>> from keras_reid.evaluation import Interval
        >>> print(Interval("mean_ap", 0.798, 0.812, 0.825, 0.95, 750))
        mAP 81.2 % (95 % interval 79.8 to 82.5, over 750 identities)
    """

    metric: str
    low: float
    value: float
    high: float
    level: float
    identities: int

    def __str__(self) -> str:
        return (
            f"{metric_title(self.metric)} {100 * self.value:.1f} % ({100 * self.level:g} % interval "
            f"{100 * self.low:.1f} to {100 * self.high:.1f}, over {self.identities} identities)"
        )


def metric_title(name: str) -> str:
    """Returns a metric's name as people write it.

    Args:
        name: As in `metric_value`.

    Returns:
        ``"mAP"``, ``"mINP"``, ``"rank-1"``, ...

    Raises:
        ValueError: There is no such metric.

    Example:
        >>> from keras_reid.evaluation.statistics import metric_title
        >>> metric_title("mean_ap"), metric_title("rank5")
        ('mAP', 'rank-5')
    """
    rank = _rank_of(name)
    return _TITLES[name] if rank is None else f"rank-{rank}"


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


def drawn_means(values: np.ndarray, identities: np.ndarray, samples: int, seed: int) -> tuple[np.ndarray, int]:
    r"""Draws identities with replacement, all queries of a drawn one together, and takes the means anew.

    With :math:`s_i` the sum of identity i's values, :math:`n_i` its number of queries and :math:`w_i` how
    often it was drawn, one draw's mean is :math:`\sum_i w_i s_i / \sum_i w_i n_i`; with several trials it
    is the mean of theirs.

    Args:
        values: [Q, T] what each query contributes in each of T trials; NaN where it does not count.
        identities: [Q] identities of the queries.
        samples: How often to draw.
        seed: Seed of the draws.

    Returns:
        [samples] means, and the number of identities drawn from: those with a query that counts.

    Raises:
        ValueError: Fewer than two identities have a query that counts.

    Example:
        >>> import numpy as np
        >>> from keras_reid.evaluation.statistics import drawn_means
        >>> means, identities = drawn_means(np.array([[0.0], [0.0], [1.0]]), np.array([1, 1, 2]), 100, seed=0)
        >>> np.unique(means).round(2), identities
        (array([0.  , 0.33, 1.  ]), 2)

    Reference:
        Efron and Tibshirani, "An introduction to the bootstrap", 1993; drawing whole groups of dependent
        values: Field and Welsh, "Bootstrapping clustered data", JRSS B 2007.
    """
    check_positive_int("samples", samples)
    counted = ~np.isnan(values)
    persons, index = np.unique(identities[counted.any(axis=1)], return_inverse=True)
    if len(persons) < 2:
        raise ValueError(
            "An interval is drawn over identities and needs at least 2 with a query that counts. "
            f"Received: {len(persons)}."
        )
    sums, counts = np.zeros((2, len(persons), values.shape[1]))
    np.add.at(sums, index, np.nan_to_num(values[counted.any(axis=1)]))
    np.add.at(counts, index, counted[counted.any(axis=1)])
    generator = np.random.default_rng(seed)
    means, block = [], max(1, _DRAWN_AT_ONCE // len(persons))
    for start in range(0, samples, block):
        rows = min(block, samples - start)
        drawn = generator.integers(len(persons), size=(rows, len(persons)))
        cells = drawn + len(persons) * np.arange(rows)[:, None]
        weights = np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape).astype(np.float64)
        with np.errstate(invalid="ignore"):  # NaN where a trial has no query that counts, as in its metrics
            means.append(((weights @ sums) / (weights @ counts)).mean(axis=1))
    return np.concatenate(means), len(persons)


def interval_of(means: np.ndarray, level: float) -> tuple[float, float]:
    """Returns the middle share of drawn means (percentile interval).

    Args:
        means: [samples] means of `drawn_means`.
        level: The share, between 0 and 1.

    Returns:
        Its lower and its upper end.

    Raises:
        ValueError: ``level`` is no share.

    Example:
        >>> import numpy as np
        >>> from keras_reid.evaluation.statistics import interval_of
        >>> interval_of(np.arange(101.0), 0.5)
        (25.0, 75.0)
    """
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1, e.g. 0.95. Received: {level!r}.")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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
