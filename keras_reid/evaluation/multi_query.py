"""Several images of a person before one camera, asked for as one query."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_reid.datasets import ReIDTable
from keras_reid.retrieval import score_blocks

__all__ = ["QueryGroups"]

_BUDGET_BYTES = 16 * 2**20


class QueryGroups:
    """The queries of a table by person and camera.

    Vectors [N,D] are averaged: the average pooling of the Market-1501 paper. Maps [N,h,w,D] cannot be, since
    their locations show different things; there the scores are averaged, which is our choice. For unit vectors
    compared by cosine the two give the same ranking: the mean of a query's cosines is the cosine of the mean
    vector times its length.

    Args:
        query: N images.

    Attributes:
        table: The first image of each group, in the order of the table: M rows.
        members: The rows of the table, group after group.
        starts: ``[M + 1]`` where in `members` each group begins, and the end.

    Raises:
        ValueError: A camera is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_reid.datasets import ReIDTable
        >>> groups = QueryGroups(ReIDTable.from_columns(["/a.jpg", "/b.jpg", "/c.jpg"], [1, 2, 1], [0, 0, 0]))
        >>> groups.mean_of(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
        array([[0.5, 0.5],
               [0. , 1. ]])

    Reference:
        Zheng et al., "Scalable person re-identification: a benchmark", ICCV 2015.
    """

    def __init__(self, query: ReIDTable) -> None:
        unknown = int((query.camera_id < 0).sum())
        if unknown:
            raise ValueError(
                "`multi_query` puts the queries of a person before one camera together, so it needs every query's "
                f"camera. Received: {unknown} of {len(query)} without."
            )
        pairs = np.stack([query.person_id, query.camera_id], axis=1)
        _, first, group = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
        place = np.argsort(np.argsort(first))[group.ravel()]  # groups by their first image
        self.table = query.take(np.sort(first))
        self.members = np.argsort(place, kind="stable")
        self.starts = np.searchsorted(place[self.members], np.arange(len(first) + 1))

    def mean_of(self, features: np.ndarray) -> np.ndarray:
        """Averages the rows of each group.

        Args:
            features: ``[N, D]``, a row for each query image.

        Returns:
            ``[M, D]``.
        """
        return self._means(features[self.members], self.starts)

    def compared(
        self, score: Callable[[Any, Any], Any], query: np.ndarray, gallery: np.ndarray
    ) -> tuple[np.ndarray | None, Iterator[np.ndarray]]:
        """Compares each group with the gallery, by row blocks.

        Args:
            score: Compares query with gallery features.
            query: ``[N, ...]`` features, a row for each query image.
            gallery: ``[G, ...]`` features.

        Returns:
            ``[M, D]`` features of the groups, None for maps; an iterator over blocks ``[b, G]`` of scores, M rows
            in all.
        """
        if query.ndim == 2:
            means = self.mean_of(query)
            return means, score_blocks(score, means, gallery)

        def mean_scores(groups: np.ndarray, gallery: np.ndarray) -> np.ndarray:
            starts = self.starts[groups[0] : groups[-1] + 2]
            scores = np.asarray(score(query[self.members[starts[0] : starts[-1]]], gallery))
            return self._means(scores, starts - starts[0])

        largest = int(np.diff(self.starts).max())  # blocks of single images stay within the budget
        budget = max(1, _BUDGET_BYTES // largest)
        return None, score_blocks(mean_scores, np.arange(len(self.table)), gallery, budget_bytes=budget)

    @staticmethod
    def _means(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
        means = np.add.reduceat(rows, starts[:-1], axis=0) / np.diff(starts)[:, None]
        return means.astype(np.result_type(rows, np.float32), copy=False)
