"""Distances ``1 - score`` among all items of a problem, handed out by rows: no N x N array."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_reid.retrieval.similarity import Scorer, score_blocks

__all__ = ["ItemDistances"]

_BLOCK_BYTES = 8 * 2**20


class ItemDistances:
    """Distances among the items of one set, or of the queries followed by the gallery.

    Row i holds ``1 - score(x_j, x_i)`` for every j of the same set, as in Zhong et al.'s transposed
    matrix; that matters for scores that are not symmetric. Distances between queries and gallery are
    computed once, kept in ``across`` [Q, G] (float32), and used in both directions.

    Args:
        score: Callable (features [a, ...], features [b, ...]) -> [a, b], higher is closer.
        sets: ``(items,)`` or ``(queries, gallery)``.
        scores: [Q, G] ``score(queries, gallery)``, if it is there already.
    """

    def __init__(self, score: Scorer, sets: tuple[Any, ...], scores: Any = None) -> None:
        self.score = score
        self.sets = sets
        self.starts = [0, *np.cumsum([len(features) for features in sets]).tolist()]
        self.size = self.starts[-1]
        if len(sets) == 2:
            self.across = np.empty((len(sets[0]), len(sets[1])), dtype=np.float32)
            blocks = score_blocks(score, *sets, budget_bytes=_BLOCK_BYTES) if scores is None else iter((scores,))
            done = 0
            for block in blocks:
                rows = self.across[done : done + len(block)]
                np.subtract(1.0, block, out=rows, casting="same_kind")
                done += len(block)

    def spans(self, rows: int) -> Iterator[tuple[int, int]]:
        """Yields (start, stop) over all items, at most ``rows`` at once and never across two sets."""
        for first, last in zip(self.starts, self.starts[1:], strict=False):
            for start in range(first, last, rows):
                yield start, min(start + rows, last)

    def row_blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yields (first item, [b, N] distances) over all items."""
        rows = max(1, _BLOCK_BYTES // (4 * self.size))
        for start, stop in self.spans(rows):
            block = np.empty((stop - start, self.size), dtype=np.float32)
            for other, first in enumerate(self.starts[:-1]):
                block[:, first : self.starts[other + 1]] = self._between(start, stop, other, ...)
            if np.isnan(block).any():
                raise ValueError(
                    f"Scores must not be NaN. Received: NaN for one of the items {start} to {stop - 1} "
                    "(queries first, then gallery). Look for NaN in the features first."
                )
            yield start, block

    def to(self, start: int, stop: int, columns: np.ndarray) -> np.ndarray:
        """Returns the [stop - start, len(columns)] distances of a span of items to chosen items."""
        distances = np.empty((stop - start, len(columns)), dtype=np.float32)
        owner = np.searchsorted(self.starts, columns, side="right") - 1
        for other, first in enumerate(self.starts[:-1]):
            here = np.flatnonzero(owner == other)
            if len(here):
                distances[:, here] = self._between(start, stop, other, columns[here] - first)
        return distances

    def _between(self, start: int, stop: int, other: int, columns: Any) -> np.ndarray:
        own = int(np.searchsorted(self.starts, start, side="right")) - 1
        items = slice(start - self.starts[own], stop - self.starts[own])
        if other == own:
            features = self.sets[own]
            chosen = features if columns is ... else features[columns]
            return 1.0 - np.asarray(self.score(chosen, features[items])).T
        if own == 0:
            return self.across[items][:, columns] if columns is not ... else self.across[items]
        return self.across[columns][:, items].T if columns is not ... else self.across[:, items].T
