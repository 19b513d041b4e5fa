"""Local matches between images, as numbers: what the pictures of correspondences are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["LocalMatches", "local_matches"]


@dataclass(frozen=True)
class LocalMatches:
    """All matches between the locations of two images, those of the greatest worth first, whatever its sign.

    Attributes:
        worth: ``[M]``: what each match adds to the model's logit.
        in_query: ``[M, 2]``: x and y of its place in the query, as shares of width and height.
        in_gallery: ``[M, 2]``: likewise in the gallery image.
        score: The model's score of the pair.

    Example:
        >>> import numpy as np
        >>> from keras_reid.visualize.matches import LocalMatches
        >>> places = np.full((3, 2), 0.5)
        >>> LocalMatches(np.array([-3.0, 2.0, 0.5]), places, places, 0.4).totals
        (2.5, -3.0)
    """

    worth: np.ndarray
    in_query: np.ndarray
    in_gallery: np.ndarray
    score: float

    @property
    def totals(self) -> tuple[float, float]:
        """What speaks for the same person in all, and what against it."""
        return float(self.worth[self.worth > 0].sum()), float(self.worth[self.worth < 0].sum())


def local_matches(model: Any, query_map: Any, gallery_maps: Any) -> list[LocalMatches]:
    """Asks a model what matched between a query and each of a few gallery images.

    Args:
        model: Anything with `correspondences` and `score`, as `keras_reid.methods.QAConv` has them.
        query_map: One map [1,h,w,d] of the model's `extract`.
        gallery_maps: Maps [G,h,w,d].

    Returns:
        One for each gallery map. Two locations that found each other make one match, worth what both say.

    Example:
        >>> from keras_reid.visualize.matches import local_matches
        >>> first, second = local_matches(model, maps[:1], maps[1:3])  # doctest: +SKIP
    """
    found = model.correspondences(query_map, gallery_maps)
    scores = np.asarray(model.score(query_map, gallery_maps))[0]
    return [_of_pair([part[0, number] for part in found], float(score)) for number, score in enumerate(scores)]


def _of_pair(found: Sequence[np.ndarray], score: float) -> LocalMatches:
    """Joins both sides' matches, the four arrays [h, w] of `keras_reid.layers.Correspondences`."""
    probe_score, index_in_gallery, gallery_score, index_in_probe = found
    height, width = probe_score.shape
    own = np.arange(height * width)
    firsts = np.concatenate([own, index_in_probe.ravel()])
    seconds = np.concatenate([index_in_gallery.ravel(), own])
    said = np.concatenate([probe_score.ravel(), gallery_score.ravel()]).astype("float64")
    pairs, where = np.unique(firsts * len(own) + seconds, return_inverse=True)
    worth = np.bincount(where, weights=said)
    order = np.argsort(-np.abs(worth), kind="stable")

    def middles(locations: np.ndarray) -> np.ndarray:
        rows, columns = np.divmod(locations, width)
        return np.stack([(columns + 0.5) / width, (rows + 0.5) / height], 1)

    first, second = np.divmod(pairs[order], len(own))
    return LocalMatches(worth[order], middles(first), middles(second), score)
