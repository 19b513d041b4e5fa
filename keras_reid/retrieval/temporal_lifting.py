"""TLift: people who walked together under one camera should meet again under another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.retrieval.labels import full_scores, integer_labels, seconds
from keras_reid.retrieval.ranking import Ranking

__all__ = ["TemporalLift", "temporal_lift"]

_BLOCK_ROWS = 256
_BLOCK_COLUMNS = 512
_POOL_ENTRIES = 2**20


def temporal_lift(
    scores: Any,
    query_cameras: Any,
    query_times: Any,
    gallery_cameras: Any,
    gallery_times: Any,
    tau: float = 100.0,
    sigma: float = 200.0,
    k: int = 10,
    alpha: float = 0.2,
) -> np.ndarray:
    r"""Lifts gallery images that were taken when the query's companions were seen there.

    For query i and gallery camera c: R holds the queries of i's camera within ``tau`` seconds (i
    included), P the capture times of the ``k`` best entries of ``scores[R, c]`` (an image counts once
    for each member of R that retrieves it; ties at rank k all enter). Then for every x of camera c
    ``p_x = mean_{q in P} exp(-(t_x - q)^2 / sigma^2)`` and ``lifted[i, x] = (p_x + alpha) scores[i, x]``.

    Without companions in the data (nobody walks in groups) the lift has nothing to go by. It sees all
    queries at once, so it is transductive.

    Args:
        scores: [Q, G] non-negative scores, higher is closer; best in [0, 1] with most near 0, as
            after ``rerank``.
        query_cameras: [Q] integer cameras.
        query_times: [Q] capture times in seconds, on one clock with ``gallery_times``.
        gallery_cameras: [G] integer cameras.
        gallery_times: [G] capture times in seconds.
        tau: Queries less than this many seconds apart are companions.
        sigma: Width of the temporal kernel, in seconds.
        k: How many retrievals of the companions in a camera serve as pivots.
        alpha: What a score keeps when the time says nothing.

    Returns:
        [Q, G] lifted scores, of the scores' precision.

    Raises:
        ValueError: A shape does not fit, a number is out of range, a score is negative or NaN, or a
            camera or time is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> retrieval.temporal_lift(
        ...     np.array([[0.5, 0.4, 0.4]]), [0], [0.0], [1, 1, 1], [60.0, 70.0, 9000.0], k=1).round(3)
        array([[0.6  , 0.479, 0.08 ]])

    Reference:
        Liao and Shao, Interpretable and Generalizable Person Re-identification with Query-adaptive
        Convolution and Temporal Lifting, ECCV 2020. Equal to the authors' code, but a camera without
        gallery images and query cameras beyond the gallery's are allowed.
    """
    _check_numbers(tau=tau, sigma=sigma)
    check_positive_int("k", k)
    if not alpha >= 0:
        raise ValueError(f"`alpha` must not be negative. Received: {alpha!r}.")
    query_times, query_cameras = _checked_side("query", query_times, query_cameras)
    gallery_times, gallery_cameras = _checked_side("gallery", gallery_times, gallery_cameras)
    rows = _checked_scores(scores, len(query_times), len(gallery_times))
    # By camera and time, a query and its companions are neighbours.
    order = np.lexsort((query_times, query_cameras))
    first, last = _companions(query_cameras[order], query_times[order], tau)
    lifted = np.empty_like(rows)
    for camera in np.unique(gallery_cameras):
        columns = np.flatnonzero(gallery_cameras == camera)
        of_camera = rows.take(columns, axis=1)
        pivots = _pivot_weights(of_camera, order, first, last, k)
        times = gallery_times[columns]
        for start in range(0, len(columns), _BLOCK_COLUMNS):
            block = slice(start, start + _BLOCK_COLUMNS)
            kernel = np.subtract.outer(times, times[block]) / sigma
            kernel = np.exp(-np.square(kernel.astype(rows.dtype)))
            lift = pivots @ kernel
            lift += alpha
            of_camera[:, block] *= lift
        # Row by row is twice as fast as one assignment to columns of all rows.
        for target, values in zip(lifted, of_camera, strict=True):
            target[columns] = values
    return lifted


@dataclass(frozen=True)
class TemporalLift:
    """Post-processing ``Ranking -> Ranking``: ``temporal_lift`` with the ranking's cameras and times.

    Attributes:
        tau: As in ``temporal_lift``.
        sigma: As in ``temporal_lift``.
        k: As in ``temporal_lift``.
        alpha: As in ``temporal_lift``.

    Example:
        >>> from keras_reid import retrieval
        >>> ranking = retrieval.Ranking([[0.5, 0.5]], [1], [1, 2], [0], [1, 1], [0.0], [9.0, 999.0])
        >>> retrieval.TemporalLift(k=2)(ranking).scores.shape
        (1, 2)

    Reference:
        Liao and Shao, Interpretable and Generalizable Person Re-identification with Query-adaptive
        Convolution and Temporal Lifting, ECCV 2020.
    """

    tau: float = 100.0
    sigma: float = 200.0
    k: int = 10
    alpha: float = 0.2

    def __call__(self, ranking: Ranking) -> Ranking:
        """Lifts the scores.

        Args:
            ranking: A ranking with cameras and times.

        Returns:
            The ranking with lifted scores.

        Raises:
            ValueError: Cameras or times are missing, or as in ``temporal_lift``.
        """
        given = {
            name: getattr(ranking, name)
            for name in ("query_cameras", "query_times", "gallery_cameras", "gallery_times")
        }
        missing = [f"`{name}`" for name, value in given.items() if value is None]
        if missing:
            raise ValueError(
                "Temporal lifting needs the camera and the capture time of every image. "
                f"The Ranking has no {', '.join(missing)}."
            )
        return ranking.with_scores(
            temporal_lift(
                ranking.scores,
                **given,
                tau=self.tau,
                sigma=self.sigma,
                k=self.k,
                alpha=self.alpha,
            )
        )


def _companions(cameras: np.ndarray, times: np.ndarray, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns each query's companions as [first, last) of rows sorted by camera and time."""
    first, last = np.empty(len(times), dtype=np.int64), np.empty(len(times), dtype=np.int64)
    for camera in np.unique(cameras):
        begin, end = np.searchsorted(cameras, camera), np.searchsorted(cameras, camera, "right")
        own = times[begin:end]
        first[begin:end] = begin + np.searchsorted(own, own - tau, side="right")
        last[begin:end] = begin + np.searchsorted(own, own + tau, side="left")
    return first, last


def _pivot_weights(scores: np.ndarray, order: np.ndarray, first: np.ndarray, last: np.ndarray, k: int) -> Any:
    """Returns the sparse [Q, n] weights (rows sum to one) of the images that serve as pivots.

    The k best of several rows are among the k best of each row, so each row is searched once.

    Args:
        scores: [Q, n] scores in one gallery camera.
        order: [Q] queries by camera and time.
        first: [Q] first companion of ``order[i]``, as a position in ``order``.
        last: [Q] one behind its last companion.
        k: Number of pivots.
    """
    from scipy.sparse import csr_array

    best, values, cut = (column[order] for column in _best_of_rows(scores, k))
    lowest = values.min(axis=1)
    parts = []
    rows_at_once = max(1, _POOL_ENTRIES // (int((last - first).max()) * values.shape[1]))
    for start in range(0, len(order), rows_at_once):
        begin, end = first[start : start + rows_at_once], last[start : start + rows_at_once]
        members = begin[:, None] + np.arange((end - begin).max())
        absent = members >= end[:, None]
        members[absent] = 0
        pool = values[members]
        pool[absent] = -np.inf
        flat = pool.reshape(len(pool), -1)
        rank = max(flat.shape[1] - k, 0)
        bound = np.partition(flat, rank, axis=1)[:, rank]
        # A row that was cut between equal scores at the bound hides some of its pivots.
        hidden = (cut[members] & ~absent & (lowest[members] == bound[:, None])).any(axis=1)
        chosen = (pool >= bound[:, None, None]) & ~absent[..., None] & ~hidden[:, None, None]
        rows, companions, places = np.nonzero(chosen)
        parts.append((order[start + rows], best[members[rows, companions], places]))
        for row in np.flatnonzero(hidden):
            pivots = np.nonzero(scores[order[begin[row] : end[row]]] >= bound[row])[1]
            parts.append((np.full(len(pivots), order[start + row]), pivots))
    rows, columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    weights = 1.0 / np.bincount(rows)[rows]
    return csr_array((weights.astype(scores.dtype), (rows, columns)), shape=scores.shape)


def _best_of_rows(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns positions and values of each row's k best, and whether a tie at the k-th was cut."""
    width = scores.shape[1]
    k = min(k, width)
    best, values = np.empty((len(scores), k), dtype=np.int64), np.empty((len(scores), k), scores.dtype)
    cut = np.empty(len(scores), dtype=bool)
    for rows in _row_slices(len(scores)):
        block = scores[rows]
        best[rows] = np.argpartition(block, width - k, axis=1)[:, width - k :]
        values[rows] = np.take_along_axis(block, best[rows], axis=1)
        bound = values[rows].min(axis=1, keepdims=True)
        cut[rows] = (block >= bound).sum(axis=1) > k
    return best, values, cut


def _row_slices(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _BLOCK_ROWS):
        yield slice(start, start + _BLOCK_ROWS)


def _checked_side(side: str, times: Any, cameras: Any) -> tuple[np.ndarray, np.ndarray]:
    cameras = integer_labels(f"{side}_cameras", cameras)
    times = seconds(f"{side}_times", times, len(cameras))
    unknown = int((~np.isfinite(times)).sum()), int((cameras == -1).sum())
    for count, what in zip(unknown, ("capture time", "camera"), strict=True):
        if count:
            raise ValueError(
                f"Temporal lifting needs the {what} of every image. Received: {count} of "
                f"{len(times)} {side} images without. Leave the lift out where the data do not tell (CUHK03-NP "
                "and MSMT17 have no times)."
            )
    return times, cameras


def _checked_scores(scores: Any, num_queries: int, num_gallery: int) -> np.ndarray:
    rows = full_scores(scores, num_queries, num_gallery)
    lowest = rows.min(initial=0.0)
    if not lowest >= -1e-6:  # also true of NaN
        raise ValueError(
            "Temporal lifting multiplies scores, so they must be non-negative and not NaN. Received: "
            f"a lowest score of {lowest:.4g}. Re-rank first (Rerank() gives scores in [0, 1]), or pass "
            "(1 + cosine) / 2 or sigmoid(logit)."
        )
    return rows if rows.dtype.kind == "f" else rows.astype(np.float64)


def _check_numbers(**numbers: float) -> None:
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"`{name}` must be a positive number of seconds. Received: {value!r}.")
