"""Scores in, metrics out, one row at a time."""

from typing import Any

from keras_reid.retrieval.metrics import Metrics
from keras_reid.retrieval.problem import Problem
from keras_reid.retrieval.protocols import Protocol
from keras_reid.retrieval.similarity import cosine_blocks
from keras_reid.retrieval.tally import Tally

__all__ = ["evaluate_features", "evaluate_scores"]


def evaluate_scores(
    scores: Any,
    query_ids: Any,
    gallery_ids: Any,
    query_cameras: Any = None,
    gallery_cameras: Any = None,
    *,
    ap: str = "step",
    max_rank: int = 50,
    protocol: str | Protocol = "market1501",
    top_k: int = 0,
) -> Metrics:
    """Computes CMC, mAP and mINP of a score matrix, or of a stream of its row blocks.

    Exact, and it holds no more than one row beyond its input: see ``docs/concepts/evaluation.md`` for
    the rules on ties, junk and queries without a match, ``docs/concepts/protocols.md`` for the protocols.

    Args:
        scores: [Q, G] array, higher is closer, or an iterator over its row blocks [b, G].
        query_ids: [Q] integer identities; -1 is junk.
        gallery_ids: [G] integer identities; -1 is junk, which never counts.
        query_cameras: [Q] integer cameras, -1 when unknown. None together with ``gallery_cameras``
            switches the camera rule off.
        gallery_cameras: [G] integer cameras, -1 when unknown, or None.
        ap: ``"step"`` (scikit-learn, torchreid) or ``"trapezoid"`` (Market-1501 toolkit).
        max_rank: Length of the CMC curve.
        protocol: Name of the rule that leaves gallery images out (``get_protocol``), or a
            ``Protocol``.
        top_k: Also return the ``top_k`` best gallery images of every query under the protocol.

    Returns:
        ``Metrics``.

    Raises:
        ValueError: Shapes do not fit, a score is NaN, or a name is unknown.
        TypeError: The scores are not real numbers.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> metrics = retrieval.evaluate_scores(
        ...     np.array([[0.9, 0.8, 0.7]]), query_ids=[1], gallery_ids=[1, 2, 1],
        ...     query_cameras=[0], gallery_cameras=[0, 1, 1])
        >>> metrics.rank(1), metrics.rank(2), metrics.mean_ap
        (0.0, 1.0, 0.5)

    Reference:
        Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015; Ye et al., Deep
        Learning for Person Re-identification: A Survey and Outlook, TPAMI 2021 (mINP).
    """
    problem = Problem.checked(query_ids, gallery_ids, query_cameras, gallery_cameras, protocol)
    tally = Tally(problem, ap, max_rank, top_k)
    for row in problem.rows(scores):
        tally.add(row)
    return tally.metrics()


def evaluate_features(
    query: Any,
    gallery: Any,
    query_ids: Any,
    gallery_ids: Any,
    query_cameras: Any = None,
    gallery_cameras: Any = None,
    *,
    ap: str = "step",
    max_rank: int = 50,
    protocol: str | Protocol = "market1501",
    top_k: int = 0,
    block_rows: int | None = None,
) -> Metrics:
    """Evaluates features by their cosine, block by block: no [Q, G] array is built.

    Args:
        query: [Q, D] features; they need not have unit length.
        gallery: [G, D] features.
        query_ids: As in ``evaluate_scores``.
        gallery_ids: As in ``evaluate_scores``.
        query_cameras: As in ``evaluate_scores``.
        gallery_cameras: As in ``evaluate_scores``.
        ap: As in ``evaluate_scores``.
        max_rank: As in ``evaluate_scores``.
        protocol: As in ``evaluate_scores``.
        top_k: As in ``evaluate_scores``.
        block_rows: Queries scored at once. None: as many as fit in 16 MiB of scores.

    Returns:
        ``Metrics``.

    Raises:
        ValueError: Shapes do not fit, a feature is NaN, or a name is unknown.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> features = np.eye(3)
        >>> retrieval.evaluate_features(features, features, [1, 2, 3], [1, 2, 3]).rank(1)
        1.0
    """
    return evaluate_scores(
        cosine_blocks(query, gallery, block_rows),
        query_ids,
        gallery_ids,
        query_cameras,
        gallery_cameras,
        ap=ap,
        max_rank=max_rank,
        protocol=protocol,
        top_k=top_k,
    )
