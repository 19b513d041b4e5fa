"""What a ranking is worth: CMC, mAP, mINP, and the queries that could not be judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Metrics"]


@dataclass(frozen=True, eq=False, repr=False)
class Metrics:
    """The field's retrieval metrics, for the mean and for each query.

    Queries without a match are left out of the means, counted in ``invalid`` and explained in
    ``notes``. If no query is left, the means are NaN.

    Attributes:
        cmc: [max_rank] share of valid queries whose first match has rank <= 1, 2, ...
        mean_ap: Mean average precision, of the kind ``ap``.
        mean_inp: Mean inverse negative penalty: matches / rank of the last match.
        valid_queries: How many queries the means are over.
        num_queries: How many queries there were.
        num_gallery: How many gallery images there were.
        average_precision: [Q]; NaN where the query is invalid.
        inverse_negative_penalty: [Q]; NaN where the query is invalid.
        first_match_rank: [Q] float, from 1; NaN where the query is invalid. A rank among identities if
            the protocol says so.
        invalid: Number of invalid queries by reason (``"junk"``, ``"identity_not_in_gallery"``,
            ``"matches_ignored"``); only reasons that occurred.
        notes: The same in sentences.
        ap: ``"step"`` or ``"trapezoid"``.
        protocol: Name of the protocol.
        top_indices: [Q, top_k] gallery indices, best first, ignored images left out; -1 where fewer
            are left. None unless ``top_k`` was asked for.
        top_scores: [Q, top_k] their scores; NaN where ``top_indices`` is -1.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> scores = np.array([[0.9, 0.2, 0.4], [0.3, 0.5, 0.1]])
        >>> retrieval.evaluate_scores(scores, query_ids=[1, 2], gallery_ids=[1, 2, 1])
        Metrics(rank-1 1.0000, mAP 1.0000, mINP 1.0000, 2 of 2 queries valid, step AP, no_camera)
    """

    cmc: np.ndarray
    mean_ap: float
    mean_inp: float
    valid_queries: int
    num_queries: int
    num_gallery: int
    average_precision: np.ndarray
    inverse_negative_penalty: np.ndarray
    first_match_rank: np.ndarray
    invalid: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ap: str = "step"
    protocol: str = "market1501"
    top_indices: np.ndarray | None = None
    top_scores: np.ndarray | None = None

    def rank(self, k: int) -> float:
        """Returns the share of valid queries with a match among the first ``k`` images.

        Args:
            k: Rank from 1 to ``max_rank``.

        Returns:
            CMC at ``k``, in [0, 1].

        Raises:
            ValueError: ``k`` lies outside the curve.
        """
        if not 1 <= k <= len(self.cmc):
            raise ValueError(
                f"The curve reaches rank {len(self.cmc)}. Received: k={k}. Evaluate with a larger `max_rank`."
            )
        return float(self.cmc[k - 1])

    def to_dict(self) -> dict[str, Any]:
        """Returns the means, counts and notes as plain Python values that JSON can hold.

        NaN becomes None. The per-query arrays are left out.

        Returns:
            A dictionary with ``cmc`` as a list.
        """
        return {
            "cmc": [_finite_or_none(value) for value in self.cmc],
            "mean_ap": _finite_or_none(self.mean_ap),
            "mean_inp": _finite_or_none(self.mean_inp),
            "valid_queries": self.valid_queries,
            "num_queries": self.num_queries,
            "num_gallery": self.num_gallery,
            "invalid": dict(self.invalid),
            "notes": list(self.notes),
            "ap": self.ap,
            "protocol": self.protocol,
        }

    def __repr__(self) -> str:
        return (
            f"Metrics(rank-1 {self.rank(1):.4f}, mAP {self.mean_ap:.4f}, mINP {self.mean_inp:.4f}, "
            f"{self.valid_queries} of {self.num_queries} queries valid, {self.ap} AP, {self.protocol})"
        )


def _finite_or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
