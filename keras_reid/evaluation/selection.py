"""Which queries to look at: the hardest, the easiest, some at random, or those you name."""

from collections.abc import Sequence

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name

__all__ = ["QUERY_CHOICES", "select_queries"]

QUERY_CHOICES = ("easiest", "hardest", "random")


def select_queries(
    average_precision: np.ndarray,
    choice: str | Sequence[int] = "random",
    count: int = 10,
    seed: int = 0,
) -> np.ndarray:
    """Chooses queries by their average precision; skipped ones (NaN) only by number.

    Args:
        average_precision: ``[Q]``; NaN where the query was skipped.
        choice: ``"random"``, ``"hardest"`` (lowest average precision first), ``"easiest"``, or row
            numbers of the query table.
        count: How many, if chosen by name.
        seed: Seed of the random choice.

    Returns:
        Row numbers of the query table.

    Raises:
        ValueError: No such choice, or a number outside of the table.

    Example:
        >>> import numpy as np
        >>> from keras_reid.evaluation import select_queries
        >>> select_queries(np.array([0.5, np.nan, 0.1]), "hardest")
        array([2, 0])
    """
    if not isinstance(choice, str):
        chosen = np.asarray(choice, np.int64)
        if chosen.size and (chosen.min() < 0 or chosen.max() >= len(average_precision)):
            raise ValueError(f"Queries are numbered 0 to {len(average_precision) - 1}. Received: {chosen.tolist()}.")
        return chosen
    if choice not in QUERY_CHOICES:
        raise unknown_name("choice of queries", choice, QUERY_CHOICES, "Row numbers do as well.")
    check_positive_int("count", count)
    valid = np.flatnonzero(~np.isnan(average_precision))
    if choice == "random":
        generator = np.random.default_rng(seed)
        return np.sort(generator.choice(valid, min(count, len(valid)), replace=False))
    order = np.argsort(average_precision[valid], kind="stable")
    return valid[order if choice == "hardest" else order[::-1]][:count]
