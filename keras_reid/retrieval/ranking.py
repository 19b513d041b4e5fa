"""The materialised form of a retrieval: scores with everything that post-processing needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.retrieval.evaluator import evaluate_scores
from keras_reid.retrieval.labels import full_scores, integer_labels, seconds
from keras_reid.retrieval.metrics import Metrics
from keras_reid.retrieval.protocols import Protocol
from keras_reid.retrieval.similarity import cosine_similarity
from keras_reid.retrieval.top_k import top_k_of_row

__all__ = ["Ranking"]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Scores of every gallery image for every query, frozen and checked.

    Post-processing is any callable ``Ranking -> Ranking``, such as ``Rerank()`` and
    ``TemporalLift()``. Arrays are kept as read-only views, not copied.

    Attributes:
        scores: [Q, G] real numbers without NaN, higher is closer.
        query_ids: [Q] integer identities.
        gallery_ids: [G] integer identities.
        query_cameras: [Q] integer cameras, or None.
        gallery_cameras: [G] integer cameras, or None.
        query_times: [Q] capture times in seconds (NaN when unknown), or None.
        gallery_times: [G] capture times in seconds, or None.
        query_features: What ``score`` takes for the queries ([Q, ...]), or None.
        gallery_features: What ``score`` takes for the gallery ([G, ...]), or None.
        score: Callable (features [a, ...], features [b, ...]) -> [a, b], as ``scores`` was made.

    Raises:
        ValueError: A shape does not fit, or a score is NaN.
        TypeError: The scores are not real numbers.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> ranking = retrieval.Ranking(np.array([[0.1, 0.9], [0.8, 0.3]]), [1, 2], [2, 1])
        >>> ranking.top(1)
        array([[1],
               [0]])
        >>> ranking.metrics().mean_ap
        1.0
    """

    scores: Any
    query_ids: Any
    gallery_ids: Any
    query_cameras: Any = None
    gallery_cameras: Any = None
    query_times: Any = None
    gallery_times: Any = None
    query_features: Any = None
    gallery_features: Any = None
    score: Callable[[Any, Any], Any] = cosine_similarity

    def __post_init__(self) -> None:
        fields: dict[str, Any] = {
            "query_ids": integer_labels("query_ids", self.query_ids),
            "gallery_ids": integer_labels("gallery_ids", self.gallery_ids),
        }
        lengths = {"query": len(fields["query_ids"]), "gallery": len(fields["gallery_ids"])}
        fields["scores"] = full_scores(self.scores, lengths["query"], lengths["gallery"])
        for query, row in enumerate(fields["scores"]):
            if np.isnan(row).any():
                raise ValueError(f"`scores` must not be NaN. Received: NaN in the row of query {query}.")
        for side, length in lengths.items():
            cameras, times = f"{side}_cameras", f"{side}_times"
            if getattr(self, cameras) is not None:
                fields[cameras] = integer_labels(cameras, getattr(self, cameras), length)
            if getattr(self, times) is not None:
                fields[times] = seconds(times, getattr(self, times), length)
            features = getattr(self, f"{side}_features")
            if features is not None and len(features) != length:
                raise ValueError(f"`{side}_features` must have {length} rows, one an image. Received: {len(features)}.")
        for name, value in fields.items():
            view = value.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def with_scores(self, scores: Any) -> "Ranking":
        """Returns the same ranking with other scores.

        Args:
            scores: [Q, G], higher is closer.

        Returns:
            A new ``Ranking``.

        Example:
            >>> from keras_reid import retrieval
            >>> ranking = retrieval.Ranking([[-0.5, 1.0]], [1], [1, 2])
            >>> ranking.with_scores((1 + ranking.scores) / 2).scores
            array([[0.25, 1.  ]])
        """
        return replace(self, scores=scores)

    def top(self, k: int) -> np.ndarray:
        """Returns the ``k`` best gallery indices of every query, whatever the protocol says.

        ``metrics(top_k=k).top_indices`` leaves out what the protocol ignores.

        Args:
            k: How many, at most G.

        Returns:
            [Q, min(k, G)] int64, best first; equal scores by the lower index.
        """
        check_positive_int("k", k)
        return np.stack([top_k_of_row(row, k) for row in self.scores])

    def metrics(
        self,
        *,
        ap: str = "step",
        max_rank: int = 50,
        protocol: str | Protocol = "market1501",
        top_k: int = 0,
    ) -> Metrics:
        """Judges the ranking; see ``evaluate_scores``.

        Args:
            ap: As in ``evaluate_scores``.
            max_rank: As in ``evaluate_scores``.
            protocol: As in ``evaluate_scores``.
            top_k: As in ``evaluate_scores``.

        Returns:
            ``Metrics``.
        """
        return evaluate_scores(
            self.scores,
            self.query_ids,
            self.gallery_ids,
            self.query_cameras,
            self.gallery_cameras,
            ap=ap,
            max_rank=max_rank,
            protocol=protocol,
            top_k=top_k,
        )
