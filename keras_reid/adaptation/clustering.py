"""Pseudo labels: re-ranked distances among all images of a site, sparse, and DBSCAN on them."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.retrieval import k_reciprocal_jaccard
from keras_reid.retrieval.k_reciprocal import Neighbours, reach
from keras_reid.retrieval.reranking import RERANK_VARIANTS

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Clustering", "PseudoLabels", "neighbourhood_radius"]


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """What clustering says about N images.

    Attributes:
        labels: int32 [N]: the pseudo-identity 0..K-1 of each image, -1 for an image without one.
        eps: The radius that DBSCAN looked within.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation import PseudoLabels
        >>> PseudoLabels(np.array([0, 0, 1, -1]), eps=0.4).clusters
        2
    """

    labels: np.ndarray
    eps: float

    @property
    def clusters(self) -> int:
        """Number K of pseudo-identities."""
        return int(self.labels.max(initial=-1)) + 1

    @property
    def labelled(self) -> int:
        """Number of images with a pseudo-identity."""
        return int((self.labels >= 0).sum())


@dataclass(frozen=True)
class Clustering:
    """How images without labels are put together: DBSCAN on k-reciprocal Jaccard distances.

    Neither the distances [N, N] nor anything else of that size is ever held: two images that share no mutual
    neighbour are at distance 1, and only the others are stored. The defaults are those of the baseline that DCML
    builds on; OpenUnReID's are ``Clustering(k1=30, variant="fast_reid", eps=0.6)``.

    Attributes:
        k1: Size of the reciprocal neighbourhoods, as in `keras_reid.retrieval.rerank`.
        k2: Number of neighbours whose encodings are averaged, as there.
        variant: As there.
        eps: DBSCAN's radius, between 0 and 1; ``None`` measures it with `neighbourhood_radius`.
        closest_share: Share of all pairs that the measured radius is the mean distance of.
        min_samples: Images within the radius, itself included, that make an image the core of a cluster.
        min_images: Smaller clusters are dropped.
        center_cameras: Subtract the mean embedding of each camera before images are compared, so that what all images
            of a camera share does not count. `pseudo_labels` does it, for clusters and credibility; it must be told the
            cameras. Images of unknown camera (-1) count as those of one camera.

    Raises:
        ValueError: A number is out of its range.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation import Clustering
        >>> people = np.repeat(np.eye(4), 6, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(24, 4))
        >>> Clustering(k1=5, k2=2, eps=0.5).labels_of(people).labels[4:8]
        array([0, 0, 1, 1], dtype=int32)

    Reference:
        Song et al., "Unsupervised Domain Adaptive Re-Identification: Theory and Practice", 2018, without its term
        that compares target images with the source's; Ester et al., "A Density-Based Algorithm for Discovering
        Clusters", KDD 1996. Clusters of more than two images: Chen et al., "Deep Credible Metric Learning for
        Unsupervised Domain Adaptation Person Re-identification", ECCV 2020, section 4.2. Centred cameras are our
        addition.
    """

    k1: int = 20
    k2: int = 6
    variant: str = "zhong2017"
    eps: float | None = None
    closest_share: float = 1.6e-3
    min_samples: int = 4
    min_images: int = 3
    center_cameras: bool = False

    def __post_init__(self) -> None:
        for name in ("k1", "k2", "min_samples", "min_images"):
            check_positive_int(name, getattr(self, name))
        if self.k2 > self.k1:
            raise ValueError(f"`k2` must not exceed `k1`. Received: k1={self.k1}, k2={self.k2}.")
        if self.variant not in RERANK_VARIANTS:
            raise unknown_name("re-ranking variant", self.variant, RERANK_VARIANTS)
        if self.eps is not None and not 0.0 < self.eps < 1.0:
            raise ValueError(
                "`eps` is a Jaccard distance and must lie between 0 and 1; images that share no neighbour are at "
                f"distance 1. Received: {self.eps!r}."
            )
        if not 0.0 < self.closest_share <= 1.0:
            raise ValueError(f"`closest_share` must lie in (0, 1]. Received: {self.closest_share!r}.")

    @property
    def neighbours(self) -> int:
        """How many nearest images of each image, itself included, are looked at."""
        return reach(self.k1, self.k2, RERANK_VARIANTS[self.variant])

    def labels_of(self, features: Any, eps: float | None = None, neighbours: Neighbours | None = None) -> PseudoLabels:
        """Clusters the rows of ``features``.

        Args:
            features: [N, D] embeddings; compared by their cosine.
            eps: A radius measured before, which replaces the one of this clustering.
            neighbours: What ``keras_reid.retrieval.k_reciprocal.nearest`` found among the features, if it is there
                already.

        Returns:
            `PseudoLabels`; clusters are numbered by their first image.

        Raises:
            ValueError: Nothing useful was found: no cluster, a single one, or features that are all alike. The
                sentence says what to change.
        """
        similarity = k_reciprocal_jaccard(features, self.k1, self.k2, self.variant, neighbours=neighbours)
        eps = self.eps if eps is None else eps
        if eps is None:
            eps = neighbourhood_radius(similarity, self.closest_share)
        labels = _numbered(_dbscan(similarity, eps, self.min_samples), self.min_images)
        found = PseudoLabels(labels, float(eps))
        _check(found, self)
        return found


def neighbourhood_radius(similarity: "csr_array", closest_share: float = 1.6e-3) -> float:
    """DBSCAN's radius: the mean distance of the closest pairs of different images.

    Of all ``N (N - 1) / 2`` pairs those at distance 0 (the same picture twice) are left out; of the P others the
    ``round(closest_share P)`` closest ones, at least one, are averaged.

    Args:
        similarity: [N, N] sparse Jaccard similarities; distance ``1 - similarity``, 1 where nothing is stored.
        closest_share: Share of the pairs.

    Returns:
        The radius.

    Raises:
        ValueError: All images are alike, or no two images among the closest pairs share a neighbour.

    Example:
        >>> import numpy as np
        >>> from scipy.sparse import csr_array
        >>> from keras_reid.adaptation import neighbourhood_radius
        >>> similarity = csr_array(np.array([[1.0, 0.7, 0.5], [0.7, 1.0, 0.0], [0.5, 0.0, 1.0]]))
        >>> round(neighbourhood_radius(similarity, closest_share=0.67), 3)
        0.4

    Reference:
        Song et al., "Unsupervised Domain Adaptive Re-Identification: Theory and Practice", 2018.
    """
    size = similarity.shape[0]
    rows = np.repeat(np.arange(size), np.diff(similarity.indptr))
    distances = 1.0 - similarity.data[rows < similarity.indices].astype(np.float64)
    nonzero = distances[distances > _SAME]
    pairs = size * (size - 1) // 2 - (len(distances) - len(nonzero))
    if not pairs:
        raise ValueError(
            "All images have the same neighbours, so there is no radius to measure: the features are all alike. Look "
            "at the model first; its training may have collapsed."
        )
    count = max(1, round(closest_share * pairs))
    if count < len(nonzero):
        nonzero = np.partition(nonzero, count - 1)[:count]
    radius = (nonzero.sum() + (count - len(nonzero))) / count  # the missing ones are at distance 1
    if radius >= 1.0 - _SAME:
        raise ValueError(
            f"The {count} closest pairs of images share no neighbour, so no radius can be measured. Raise `k1`, or "
            "give `eps`."
        )
    return float(radius)


_SAME = 1e-6  # rounding of a similarity of 1


def _dbscan(similarity: "csr_array", eps: float, min_samples: int) -> np.ndarray:
    """Scikit-learn's DBSCAN on what lies within the radius: nothing else can matter to it."""
    from scipy.sparse import csr_matrix
    from sklearn.cluster import DBSCAN

    distances = np.maximum(1.0 - similarity.data, 0.0)
    near = distances <= eps
    before = np.concatenate([[0], np.cumsum(near)])
    graph = csr_matrix((distances[near], similarity.indices[near], before[similarity.indptr]), shape=similarity.shape)
    with warnings.catch_warnings():
        # It wants rows sorted by distance and sorts them itself; the warning speaks of that cost, which is nil here.
        warnings.filterwarnings("ignore", message="Precomputed sparse input was not sorted")
        return DBSCAN(eps=eps, min_samples=min_samples, metric="precomputed").fit_predict(graph)


def _numbered(labels: np.ndarray, min_images: int) -> np.ndarray:
    """Drops small clusters and numbers the others 0..K-1 by their first image."""
    kept = labels >= 0
    kept &= np.bincount(labels[kept], minlength=1)[labels] >= min_images
    numbers = np.full(len(labels), -1, dtype=np.int32)
    _, first, inverse = np.unique(labels[kept], return_index=True, return_inverse=True)
    numbers[kept] = np.argsort(np.argsort(first))[inverse]
    return numbers


def _check(found: PseudoLabels, clustering: Clustering) -> None:
    size = len(found.labels)
    if not found.clusters:
        raise ValueError(
            f"No cluster was found among {size} images: within eps={found.eps:.4f} none has {clustering.min_samples} "
            f"images, or its cluster has fewer than {clustering.min_images}. Raise `eps` (below 1) or `closest_share`, "
            "lower `min_samples`, or begin with a model that knows the source better."
        )
    if found.clusters == 1:
        few = 2 * found.labelled < size
        advice = "Raise" if few else "Lower"
        raise ValueError(
            f"One cluster alone was found, with {found.labelled} of {size} images, at eps={found.eps:.4f}: there is "
            f"nobody to tell apart. {advice} `eps` or `closest_share`, {'lower' if few else 'raise'} `min_samples`, or "
            "begin with a model that knows the source better."
        )
