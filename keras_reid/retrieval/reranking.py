"""Re-ranking by k-reciprocal encoding, in time and memory that real galleries allow."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.retrieval.item_distances import ItemDistances
from keras_reid.retrieval.k_reciprocal import Neighbours, Variant, encode, overlap
from keras_reid.retrieval.labels import full_scores
from keras_reid.retrieval.ranking import Ranking
from keras_reid.retrieval.similarity import Scorer, cosine_similarity

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["RERANK_VARIANTS", "Rerank", "k_reciprocal_jaccard", "rerank"]

RERANK_VARIANTS = {
    "zhong2017": Variant(),
    "torchreid": Variant(power=2),
    "fast_reid": Variant(by_maximum=False, weight_scale=2.0, neighbours=0),
    "boxmot": Variant(by_maximum=False, expanded=1),
}


def rerank(
    query_features: Any,
    gallery_features: Any,
    k1: int = 20,
    k2: int = 6,
    lambda_value: float = 0.3,
    variant: str = "zhong2017",
    *,
    score: Scorer = cosine_similarity,
    scores: Any = None,
) -> np.ndarray:
    r"""Re-ranks by how many mutual neighbours a query and a gallery image share.

    ``d* = (1 - lambda) d_J + lambda d``, with ``d = 1 - score`` divided by each query's maximum, and
    ``d_J = 1 - m / (2 - m)`` the Jaccard distance of the k-reciprocal encodings, ``m_qg = sum_j
    min(V_qj, V_gj)``. For cosines ``1 - score`` is half the squared Euclidean distance of unit
    features, the factor cancels, and the default equals the paper. Exact and sparse: beside the
    result no array grows with the square of the number of images.

    Args:
        query_features: [Q, ...] features of the queries, as ``score`` takes them.
        gallery_features: [G, ...] features of the gallery.
        k1: Size of the reciprocal neighbourhoods.
        k2: Number of neighbours whose encodings are averaged; 1 switches that off.
        lambda_value: Weight of the plain distance, in [0, 1].
        variant: ``"zhong2017"`` (the paper; also TransReID's code, with other k1 and k2),
            ``"torchreid"`` (squares the squared distance again), ``"fast_reid"`` (also OpenUnReID and
            SpCL: distances not divided, k1 neighbours with the image itself), ``"boxmot"`` (distances
            not divided, k2 + 1 neighbours averaged; after its description).
        score: Callable (features [a, ...], features [b, ...]) -> [a, b], higher is closer, at most
            about 1. It is called on blocks within the queries, within the gallery, and across.
        scores: [Q, G] ``score(query_features, gallery_features)`` if it exists already.

    Returns:
        [Q, G] float32, ``1 - d*``, higher is closer.

    Raises:
        ValueError: A number is out of range, a name is unknown, shapes do not fit, or a score is NaN.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> rng = np.random.default_rng(0)
        >>> people = rng.normal(size=(5, 8))
        >>> gallery = np.repeat(people, 4, axis=0) + 0.3 * rng.normal(size=(20, 8))
        >>> retrieval.rerank(people, gallery, k1=4, k2=2).argmax(axis=1) // 4
        array([0, 1, 2, 3, 4])

    Reference:
        Zhong et al., Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017.
    """
    settings = _checked(k1, k2, variant)
    if not 0.0 <= lambda_value <= 1.0:
        raise ValueError(f"`lambda_value` must lie in [0, 1]. Received: {lambda_value!r}.")
    queries, size = len(query_features), len(gallery_features)
    if not queries or not size:
        raise ValueError(f"Re-ranking needs at least one query and one gallery image. Received: {queries} and {size}.")
    if scores is not None:
        scores = full_scores(scores, queries, size)
    distances = ItemDistances(score, (query_features, gallery_features), scores)
    vectors, scale = encode(distances, k1, k2, settings)
    by_column = vectors[queries:].T.tocsr()
    result = distances.across
    for query in range(queries):
        entries = slice(vectors.indptr[query], vectors.indptr[query + 1])
        shared = overlap(vectors.indices[entries], vectors.data[entries], by_column, size)
        plain = result[query] ** settings.power * scale[query]
        jaccard = 1.0 - shared / (2.0 - shared)
        result[query] = 1.0 - (1.0 - lambda_value) * jaccard - lambda_value * plain
    return result


def k_reciprocal_jaccard(
    features: Any,
    k1: int = 20,
    k2: int = 6,
    variant: str = "zhong2017",
    *,
    score: Scorer = cosine_similarity,
    neighbours: Neighbours | None = None,
) -> "csr_array":
    """Jaccard similarities of the k-reciprocal encodings within one set, for clustering.

    ``J_ij = m_ij / (2 - m_ij)`` with ``m_ij = sum_k min(V_ik, V_jk)``; the Jaccard distance is
    ``1 - J``, and 1 wherever nothing is stored.

    Args:
        features: [N, ...] features, as ``score`` takes them.
        k1: As in ``rerank``.
        k2: As in ``rerank``.
        variant: As in ``rerank``.
        score: As in ``rerank``.
        neighbours: What ``keras_reid.retrieval.k_reciprocal.nearest`` found among the features, if that is there
            already.

    Returns:
        [N, N] symmetric ``scipy.sparse.csr_array`` of float32, with sorted columns.

    Raises:
        ValueError: A number is out of range, a name is unknown, or a score is NaN.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> similarity = retrieval.k_reciprocal_jaccard(np.eye(3), k1=1, k2=1)
        >>> similarity.diagonal()
        array([1., 1., 1.], dtype=float32)

    Reference:
        Zhong et al., Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017.
    """
    from scipy.sparse import csr_array

    settings = _checked(k1, k2, variant)
    vectors, _ = encode(ItemDistances(score, (features,)), k1, k2, settings, neighbours)
    by_column = vectors.T.tocsr()
    size = vectors.shape[0]
    columns, values, ends = [], [], [0]
    for item in range(size):
        entries = slice(vectors.indptr[item], vectors.indptr[item + 1])
        shared = overlap(vectors.indices[entries], vectors.data[entries], by_column, size)
        touched = np.flatnonzero(shared)
        columns.append(touched.astype(np.int32))
        values.append((shared[touched] / (2.0 - shared[touched])).astype(np.float32))
        ends.append(ends[-1] + len(touched))
    return csr_array((np.concatenate(values), np.concatenate(columns), ends), shape=(size, size))


@dataclass(frozen=True)
class Rerank:
    """Post-processing ``Ranking -> Ranking``: ``rerank`` with the ranking's features and score.

    Attributes:
        k1: As in ``rerank``.
        k2: As in ``rerank``.
        lambda_value: As in ``rerank``.
        variant: As in ``rerank``.

    Example:
        >>> import numpy as np
        >>> from keras_reid import retrieval
        >>> x = np.eye(3)
        >>> plain = retrieval.Ranking(x, [1, 2, 3], [1, 2, 3], query_features=x, gallery_features=x)
        >>> retrieval.Rerank(k1=1, k2=1)(plain).top(1).ravel()
        array([0, 1, 2])

    Reference:
        Zhong et al., Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017.
    """

    k1: int = 20
    k2: int = 6
    lambda_value: float = 0.3
    variant: str = "zhong2017"

    def __post_init__(self) -> None:
        _checked(self.k1, self.k2, self.variant)

    def __call__(self, ranking: Ranking) -> Ranking:
        """Re-ranks.

        Args:
            ranking: A ranking with features, whose scores are those of its ``score``.

        Returns:
            The ranking with new scores, in [0, 1] for scores in [-1, 1].

        Raises:
            ValueError: The features are missing, or the scores were changed before.
        """
        query, gallery = ranking.query_features, ranking.gallery_features
        if query is None or gallery is None:
            raise ValueError(
                "Re-ranking compares queries with queries and gallery with gallery, so it needs "
                "`query_features` and `gallery_features` in the Ranking. Received: None."
            )
        first = np.asarray(ranking.score(query[:1], gallery))
        if not np.allclose(first, ranking.scores[:1], rtol=1e-2, atol=1e-2):
            raise ValueError(
                "The ranking's scores are not those of its `score` function "
                f"(they differ by up to {np.abs(first - ranking.scores[:1]).max():.3g} for the first "
                "query). Put Rerank first in `post_process`."
            )
        return ranking.with_scores(
            rerank(
                query,
                gallery,
                self.k1,
                self.k2,
                self.lambda_value,
                self.variant,
                score=ranking.score,
                scores=ranking.scores,
            )
        )


def _checked(k1: int, k2: int, variant: str) -> Variant:
    check_positive_int("k1", k1)
    check_positive_int("k2", k2)
    if k2 > k1:
        raise ValueError(f"`k2` must not exceed `k1`. Received: k1={k1}, k2={k2}.")
    if variant not in RERANK_VARIANTS:
        raise unknown_name("re-ranking variant", variant, RERANK_VARIANTS)
    return RERANK_VARIANTS[variant]
