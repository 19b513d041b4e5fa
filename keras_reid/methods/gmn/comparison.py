"""What a trained GMN answers: how alike two features are, by M-Net, by their cosine, or by both."""

import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int
from keras_reid.methods.gmn.scoring import pair_logits

__all__ = ["METRICS", "PairComparison"]

METRICS = ("mnet", "cosine", "sum")


class PairComparison:
    """The part of `GMN` that compares features; it needs a ``metric_network``, a ``neck`` and a ``metric``."""

    def logits(self, query_features, gallery_features, *, budget_mb: int = 64) -> np.ndarray:
        """What M-Net says of every query with every gallery feature: the log-odds that they are one person.

        Exact, by matrix products: the first layer of ``(q - g)^2`` is that of ``q^2``, of ``g^2`` and of ``q g``.

        Args:
            query_features: Array [Q,C] from `extract`.
            gallery_features: Array [G,C] from `extract`.
            budget_mb: Megabytes of a block's arrays. It changes time and memory, not the result.

        Returns:
            float32 [Q,G]; ``logits(a, b)`` is the transpose of ``logits(b, a)``.

        Raises:
            ValueError: Features of another shape, or there is no M-Net.
        """
        if self.metric_network is None:
            raise ValueError("This GMN has no metric network (`metric_network=False`). Compare by metric 'cosine'.")
        query, gallery = self._checked(query_features), self._checked(gallery_features)
        return pair_logits(self.metric_network.folded(), query, gallery, budget_mb=budget_mb)

    def cosines(self, query_features, gallery_features) -> np.ndarray:
        """Cosine similarity of what the neck makes of the features, as the baseline compares them.

        Args:
            query_features: Array [Q,C] from `extract`.
            gallery_features: Array [G,C] from `extract`.

        Returns:
            float32 [Q,G].

        Raises:
            ValueError: Features of another shape.
        """
        return self.embed(query_features) @ self.embed(gallery_features).T

    def embed(self, features) -> np.ndarray:
        """Returns what a shortlist is drawn by: what the neck makes of the features, of unit norm.

        Args:
            features: Array [N,C] from `extract`.

        Returns:
            float32 [N,C].

        Raises:
            ValueError: Features of another shape.
        """
        embedded = ops.cast(self.neck(self._checked(features), training=False), "float32")
        embedded = np.asarray(ops.convert_to_numpy(embedded))
        return embedded / np.maximum(np.linalg.norm(embedded, axis=1, keepdims=True), 1e-12)

    def score(
        self, query_features, gallery_features, *, shortlist: int | None = None, budget_mb: int = 64
    ) -> np.ndarray:
        """Compares every query with every gallery feature by the model's ``metric``.

        - ``"mnet"``: ``sigmoid(logit)`` in float64. The order is that of the logits, up to logits of about 36, where
          float64 ends too; float32 would make ties from 16 on.
        - ``"cosine"``: the cosine, float32.
        - ``"sum"``: logits and cosines, each brought to mean 0 and deviation 1 over a query's gallery, added, and
          squeezed by a sigmoid, float64. A score depends on the other gallery images then.

        Args:
            query_features: Array [Q,C] from `extract`.
            gallery_features: Array [G,C] from `extract`.
            shortlist: With ``"mnet"``: ask M-Net only about the so many gallery images per query of highest cosine; the
                others keep that order, below all of them. ``None`` asks about all.
            budget_mb: As in `logits`.

        Returns:
            Array [Q,G]; higher is closer, never above 1.

        Raises:
            ValueError: Features of another shape, or a shortlist with another metric.
        """
        if shortlist is not None:
            check_positive_int("shortlist", shortlist)
            if self.metric != "mnet":
                raise ValueError(f"`shortlist` is for the metric 'mnet'. Received: {self.metric!r}; leave it out.")
        if self.metric == "cosine":
            return self.cosines(query_features, gallery_features)
        if self.metric == "sum":
            logits = self.logits(query_features, gallery_features, budget_mb=budget_mb)
            return _sigmoid(_standardized(logits) + _standardized(self.cosines(query_features, gallery_features)))
        if shortlist is None or shortlist >= len(gallery_features):
            return _sigmoid(self.logits(query_features, gallery_features, budget_mb=budget_mb))
        cosines = self.cosines(query_features, gallery_features)
        chosen = np.sort(np.argpartition(-cosines, shortlist - 1, axis=1)[:, :shortlist], axis=1)
        gallery = np.asarray(gallery_features)
        found = [
            self.logits(query_features[row : row + 1], gallery[columns], budget_mb=budget_mb)
            for row, columns in enumerate(chosen)
        ]
        found = _sigmoid(np.concatenate(found))
        scores = found.min(axis=1, keepdims=True) * 0.25 * (1.0 + np.clip(cosines, -1.0, 1.0))  # at most half of it
        np.put_along_axis(scores, chosen, found, axis=1)
        return scores

    def _checked(self, features) -> np.ndarray:
        features = np.asarray(features, dtype="float32")
        if features.ndim != 2 or features.shape[1] != self.backbone.num_channels or not len(features):
            raise ValueError(
                f"GMN compares features [N, {self.backbone.num_channels}] of `extract`, N > 0. Received: "
                f"{features.shape}."
            )
        return features


def _sigmoid(values) -> np.ndarray:
    """Without overflow, float64."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(values, "float64")))


def _standardized(scores: np.ndarray) -> np.ndarray:
    """Mean 0 and deviation 1 over each query's gallery."""
    scores = scores.astype("float64")
    centred = scores - scores.mean(axis=1, keepdims=True)
    return centred / np.maximum(centred.std(axis=1, keepdims=True), 1e-12)
