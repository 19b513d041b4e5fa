"""Credible anchors: of the pseudo-labelled images those whose label can be trusted most, more of them every round."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int, unknown_name
from keras_reid.retrieval import cosine_similarity
from keras_reid.retrieval.item_distances import ItemDistances
from keras_reid.retrieval.k_reciprocal import Neighbours, nearest

__all__ = ["Anchors", "CredibleMining", "neighbour_credibility", "prototype_credibility"]

_KINDS = ("prototype", "knn")


@dataclass(frozen=True, eq=False)
class Anchors:
    """The images that a round trains on.

    Attributes:
        rows: int64 [A], ascending: their rows among the N images.
        threshold: The least credibility among them.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation import Anchors
        >>> len(Anchors(np.array([0, 2, 5]), threshold=-0.4).rows)
        3
    """

    rows: np.ndarray
    threshold: float


def prototype_credibility(features: Any, labels: Any) -> np.ndarray:
    r"""How near each image is to the mean of its cluster, ``C = -|f - P|``, ``P`` the mean of the cluster's f.

    Args:
        features: [N, D] unit-norm embeddings. The means are not normalised again.
        labels: [N] clusters 0..K-1; -1 for none.

    Returns:
        float32 [N]: 0 at best; minus infinity for images without a cluster.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation import prototype_credibility
        >>> prototype_credibility(np.array([[0.0], [2.0], [7.0]]), np.array([0, 0, -1]))
        array([ -1.,  -1., -inf], dtype=float32)

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, equations 3 and 4. The equations print the image x where its embedding is meant.
    """
    features, labels = np.asarray(features, dtype=np.float32), np.asarray(labels)
    credibility = np.full(len(labels), -np.inf, dtype=np.float32)
    rows = np.flatnonzero(labels >= 0)
    for members in _members(labels[rows]):
        cluster = features[rows[members]]
        credibility[rows[members]] = -np.linalg.norm(cluster - cluster.mean(axis=0), axis=1)
    return credibility


def neighbour_credibility(features: Any, k: int = 8, neighbours: Neighbours | None = None) -> np.ndarray:
    """How dense an image's surroundings are, ``C = -max over its k nearest of d = -(distance to the k-th)``.

    Its neighbours are any images but itself, whatever their cluster; ``d`` is Euclidean.

    Args:
        features: [N, D] unit-norm embeddings.
        k: Number of neighbours.
        neighbours: What ``keras_reid.retrieval.k_reciprocal.nearest`` found, if it is there already; at least k + 1.

    Returns:
        float32 [N]: 0 at best.

    Raises:
        ValueError: There are not more than k images.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation import neighbour_credibility
        >>> neighbour_credibility(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), k=1).round(2) + 0.0
        array([ 0.  ,  0.  , -1.41], dtype=float32)

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, equation 5. The paper gives no k; 8 is our choice: below the number of images of a typical person, above
        that of a burst of nearly equal frames.
    """
    check_positive_int("k", k)
    if len(features) <= k:
        raise ValueError(f"The {k} nearest images of each need at least {k + 1} images. Received: {len(features)}.")
    if neighbours is None:
        neighbours = nearest(ItemDistances(cosine_similarity, (features,)), k + 1)
    # 1 - cosine is half the squared distance of unit vectors; column 0 is the image itself.
    return -np.sqrt(2.0 * np.maximum(neighbours.distance[:, k], 0.0))


@dataclass(frozen=True)
class CredibleMining:
    """Which pseudo-labelled images a round trains on: the ``n`` most credible ones.

    ``n = min(labelled images, ceil((start + round * step) * N))``, N being all images, labelled or not. So the
    threshold on the credibility sinks from round to round, as the labels become better. ``start=1`` takes every
    labelled image from the first round on: plain clustering.

    Attributes:
        credibility: ``"prototype"`` (`prototype_credibility`) or ``"knn"`` (`neighbour_credibility`).
        start: Share of the images in the first round.
        step: What each further round adds to it.
        k: Number of neighbours, for ``"knn"``.

    Raises:
        ValueError: A number out of its range, or an unknown name.

    Example:
        >>> from keras_reid.adaptation import CredibleMining
        >>> [CredibleMining().count(round, images=16522, labelled=16522) for round in (0, 1, 5, 7)]
        [12392, 13218, 16522, 16522]

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, equations 2 and 6. That an anchor must have a label, which caps their number, is our reading.
    """

    credibility: str = "prototype"
    start: float = 0.75
    step: float = 0.05
    k: int = 8

    def __post_init__(self) -> None:
        if self.credibility not in _KINDS:
            raise unknown_name("credibility", self.credibility, _KINDS)
        if not (0.0 < self.start <= 1.0 and 0.0 <= self.step <= 1.0):
            raise ValueError(
                "`start` must lie in (0, 1] and `step` in [0, 1]: they are shares of the images. Received: "
                f"{self.start!r}, {self.step!r}."
            )
        check_positive_int("k", self.k)

    def count(self, round_number: int, images: int, labelled: int) -> int:
        """Returns how many anchors a round has.

        Args:
            round_number: 0 for the first round.
            images: Number N of all images.
            labelled: Number of those with a pseudo-identity.

        Returns:
            The number n.
        """
        share = min(1.0, self.start + round_number * self.step)
        return min(labelled, math.ceil(round(share * images, 6)))  # 0.8 * 15 is a little above 12

    def anchors(self, features: Any, labels: Any, round_number: int, neighbours: Neighbours | None = None) -> Anchors:
        """Chooses the anchors of a round.

        Args:
            features: [N, D] unit-norm embeddings.
            labels: [N] pseudo-identities; -1 for none.
            round_number: 0 for the first round.
            neighbours: As in `neighbour_credibility`.

        Returns:
            `Anchors`; of equally credible images the earlier ones.
        """
        labels = np.asarray(labels)
        if self.credibility == "prototype":
            credibility = prototype_credibility(features, labels)
        else:
            credibility = neighbour_credibility(features, self.k, neighbours)
            credibility = np.where(labels >= 0, credibility, -np.inf)
        count = self.count(round_number, len(labels), int((labels >= 0).sum()))
        chosen = np.argsort(-credibility, kind="stable")[:count]
        return Anchors(np.sort(chosen), float(credibility[chosen].min(initial=0.0)))


def _members(labels: np.ndarray) -> list[np.ndarray]:
    """Rows of each label, for labels that are not negative."""
    if not len(labels):
        return []
    return np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1])
