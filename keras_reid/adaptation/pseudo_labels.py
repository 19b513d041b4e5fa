"""The pseudo-label stage of a round: features in, labels and anchors out. Plain numpy."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_reid.adaptation.clustering import Clustering, PseudoLabels
from keras_reid.adaptation.credibility import Anchors, CredibleMining
from keras_reid.retrieval import cosine_similarity
from keras_reid.retrieval.item_distances import ItemDistances
from keras_reid.retrieval.k_reciprocal import nearest

__all__ = ["Stage", "pseudo_labels", "purity", "unit_rows"]


@dataclass(frozen=True, eq=False)
class Stage:
    """What the pseudo-label stage found.

    Attributes:
        labels: Pseudo-identities of all images.
        anchors: The images to train on.

    Example:
        See `pseudo_labels`.
    """

    labels: PseudoLabels
    anchors: Anchors


def pseudo_labels(
    features: Any,
    clustering: Clustering | None = None,
    mining: CredibleMining | None = None,
    round_number: int = 0,
    eps: float | None = None,
    cameras: Any = None,
) -> Stage:
    """Clusters the images of a site and chooses the credible ones.

    The nearest images of each image are found once, for re-ranking and credibility alike. Beside the features memory
    grows with the number of images, not with its square.

    Args:
        features: [N, D] embeddings; they are brought to unit norm.
        clustering: How labels are made; `Clustering()` by default.
        mining: Which of them are trusted; `CredibleMining()` by default.
        round_number: 0 for the first round: later ones trust more images.
        eps: DBSCAN's radius as an earlier round measured it.
        cameras: [N] integers, the images' cameras, for a clustering with ``center_cameras``.

    Returns:
        `Stage`. Anchors that are alone in their pseudo-identity are left out: they have no positive.

    Raises:
        ValueError: Nothing was found to train on; the sentence says what to change. Or cameras are asked for and not
            given.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation import Clustering, pseudo_labels
        >>> people = np.repeat(np.eye(4), 6, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(24, 4))
        >>> stage = pseudo_labels(people, Clustering(k1=5, k2=2, eps=0.5))
        >>> stage.labels.clusters, len(stage.anchors.rows)
        (4, 18)

    Reference:
        Chen et al., "Deep Credible Metric Learning for Unsupervised Domain Adaptation Person Re-identification", ECCV
        2020, algorithm 1.
    """
    clustering, mining = clustering or Clustering(), mining or CredibleMining()
    features = unit_rows(features)
    if clustering.center_cameras:
        features = _camera_centred(features, cameras)
    count = max(clustering.neighbours, mining.k + 1 if mining.credibility == "knn" else 1)
    near = nearest(ItemDistances(cosine_similarity, (features,)), count)
    labels = clustering.labels_of(features, eps, near)
    anchors = mining.anchors(features, labels.labels, round_number, near)
    chosen = labels.labels[anchors.rows]
    rows = anchors.rows[np.bincount(chosen)[chosen] > 1]
    if len(np.unique(labels.labels[rows])) < 2:
        raise ValueError(
            f"Of {labels.clusters} clusters fewer than two have two of the {len(anchors.rows)} credible images, so "
            "there is nobody to tell apart. Raise the mining's `start`, or make more clusters: see `eps` and "
            "`min_samples` of the clustering."
        )
    return Stage(labels, Anchors(rows, anchors.threshold))


def purity(labels: Any, person_ids: Any) -> float:
    """Share of images whose cluster is mostly their own person's.

    Args:
        labels: [M] clusters, not negative.
        person_ids: [M] true identities.

    Returns:
        Between 0 and 1; NaN for no image.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation import purity
        >>> purity(np.array([0, 0, 0, 1]), np.array([7, 7, 9, 9]))
        0.75
    """
    labels, persons = np.asarray(labels), np.unique(person_ids, return_inverse=True)[1]
    if not len(labels):
        return float("nan")
    pairs, counts = np.unique(np.stack([labels, persons]), axis=1, return_counts=True)
    most = np.zeros(labels.max() + 1, dtype=np.int64)
    np.maximum.at(most, pairs[0], counts)
    return float(most.sum() / len(labels))


def _camera_centred(features: np.ndarray, cameras: Any) -> np.ndarray:
    """Unit rows less the mean of their camera, as unit rows again."""
    if cameras is None or np.shape(cameras) != (len(features),):
        raise ValueError(
            f"A clustering with `center_cameras` needs the camera of each of the {len(features)} images. Received: "
            f"`cameras` {'None' if cameras is None else f'of shape {np.shape(cameras)}'}."
        )
    numbers = np.unique(cameras, return_inverse=True)[1]
    means = np.zeros((numbers.max() + 1, features.shape[1]), dtype=np.float32)
    np.add.at(means, numbers, features)
    return unit_rows(features - (means / np.bincount(numbers)[:, None])[numbers])


def unit_rows(features: Any) -> np.ndarray:
    """Brings embeddings to unit norm.

    Args:
        features: [N, D].

    Returns:
        float32 [N, D].

    Raises:
        ValueError: They are no embeddings, e.g. the maps of a pairwise method; or one is not finite.

    Example:
        >>> import numpy as np
        >>> from keras_reid.adaptation.pseudo_labels import unit_rows
        >>> unit_rows(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]], dtype=float32)
    """
    features = np.asarray(features, dtype=np.float32)
    if features.ndim != 2 or not len(features):
        raise ValueError(
            "Adaptation clusters embeddings [N, D]. Received features of shape "
            f"{features.shape}. Take a method whose `extract` returns one vector per image, such as Baseline or DCML."
        )
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    if not np.isfinite(norms).all():
        raise ValueError(
            f"The embedding of image {int(np.flatnonzero(~np.isfinite(norms[:, 0]))[0])} is not finite. Look at the "
            "model first: its training has diverged."
        )
    return features / np.maximum(norms, 1e-12)
