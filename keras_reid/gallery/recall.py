"""What a shortlist loses against comparing everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.gallery.matching import Candidates
from keras_reid.retrieval.top_k import top_k_of_row

__all__ = ["ShortlistRecall", "recall_of"]


@dataclass(frozen=True)
class ShortlistRecall:
    """How many of the best entries by exact scores a shortlist holds.

    Attributes:
        shortlist: Its length.
        entries: Entries that were compared exactly.
        queries: Queries it was measured on.
        best: Share of the queries whose best entry is on the shortlist.
        top: How many of the best were looked for.
        best_top: Mean share of those on the shortlist.

    Example:
        >>> from keras_reid.gallery import ShortlistRecall
        >>> print(ShortlistRecall(100, 5000, 32, 1.0, 10, 0.96875))
        A shortlist of 100 of 5000 entries holds the exact best of 100.0 % and 96.9 % of the exact best 10 (32 queries).
    """

    shortlist: int
    entries: int
    queries: int
    best: float
    top: int
    best_top: float

    def __str__(self) -> str:
        return (
            f"A shortlist of {self.shortlist} of {self.entries} entries holds the exact best of {self.best:.1%} and "
            f"{self.best_top:.1%} of the exact best {self.top} ({self.queries} queries)."
        ).replace("%", " %")


def recall_of(
    exact: Iterator[tuple[list[str], np.ndarray]], found: list[Candidates], shortlist: int, top: int
) -> ShortlistRecall:
    """Compares shortlists with exact scores.

    Args:
        exact: Keys of N entries and their scores ``[Q, N]``, in pieces.
        found: The shortlist of each query.
        shortlist: Its length.
        top: How many of the best are looked for.

    Returns:
        The recall.

    Raises:
        ValueError: There is no entry.
    """
    pieces = list(exact)
    if not pieces:
        raise ValueError("The gallery is empty; there is nothing to find.")
    keys = [key for names, _ in pieces for key in names]
    scores = np.concatenate([values for _, values in pieces], axis=1)
    top = min(top, len(keys))
    first, shares = [], []
    for row, candidates in zip(scores, found, strict=True):
        listed: set[Any] = {candidate["key"] for candidate in candidates}
        there = [keys[place] in listed for place in top_k_of_row(row, top)]
        first.append(there[0])
        shares.append(np.mean(there))
    return ShortlistRecall(
        shortlist, len(keys), len(scores), round(float(np.mean(first)), 4), top, round(float(np.mean(shares)), 4)
    )
