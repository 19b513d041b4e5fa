"""What a trained QAConv answers: how alike two maps are, and where."""

import numpy as np
from keras import ops

from keras_reid.checks import check_positive_int
from keras_reid.layers import Correspondences
from keras_reid.methods.qaconv.scoring import block_logits, pooled, shortlist_of, spread_below

__all__ = ["MapComparison"]


class MapComparison:
    """The part of `QAConv` that compares maps; it needs a ``matcher`` and a ``temperature``."""

    def logits(self, query_maps, gallery_maps, *, precision: str = "float32", budget_mb: int = 16) -> np.ndarray:
        """Compares every query with every gallery map; what `score` squeezes into (0, 1).

        Args:
            query_maps: Array [Q,h,w,d] from `extract`.
            gallery_maps: Array [G,h,w,d] from `extract`.
            precision: ``"float32"``, or ``"bfloat16"`` for the similarities (faster where the hardware has it).
            budget_mb: Megabytes of similarities at once. It changes time and memory, not the result. The default suits
                the caches of a CPU; a GPU is busier with 128.

        Returns:
            float32 [Q,G]; ``logits(a, b)`` is the transpose of ``logits(b, a)`` for ``qaconv_gs`` only.

        Raises:
            ValueError: Maps of another shape, or an argument out of its range.
        """
        return block_logits(self.matcher, query_maps, gallery_maps, precision=precision, budget_mb=budget_mb)

    def score(
        self,
        query_features,
        gallery_features,
        *,
        shortlist: int | None = None,
        precision: str = "float32",
        budget_mb: int = 16,
    ) -> np.ndarray:
        """Compares every query with every gallery map.

        The result is ``sigmoid(logit / temperature)`` in float64: float32 would make equal scores of different logits
        above about 60, and ties cost rank; in float64 the scores differ wherever the logits do, up to about 20 times
        the temperature.

        Args:
            query_features: Array [Q,h,w,d] from `extract`.
            gallery_features: Array [G,h,w,d] from `extract`.
            shortlist: Compare only the so many gallery images per query whose pooled maps are most alike; the others
                keep that order, below all of them. ``None`` compares all. `shortlist_recall` says what is lost.
            precision: As in `logits`.
            budget_mb: As in `logits`.

        Returns:
            Array [Q,G] float64 in (0, 1); higher is closer.

        Raises:
            ValueError: As in `logits`.
        """
        options = {"precision": precision, "budget_mb": budget_mb}
        if shortlist is None or check_positive_int("shortlist", shortlist) >= len(gallery_features):
            return self._squeezed(self.logits(query_features, gallery_features, **options))
        chosen, cosines = shortlist_of(query_features, gallery_features, shortlist)
        found = np.concatenate(
            [
                self.logits(query_features[row : row + 1], gallery_features[columns], **options)
                for row, columns in enumerate(chosen)
            ]
        )
        return spread_below(self._squeezed(found), chosen, cosines)

    def embed(self, features) -> np.ndarray:
        """Returns what a shortlist is drawn by: the maps' means over their locations, of unit norm.

        Args:
            features: Array [N,h,w,d] from `extract`.

        Returns:
            float32 [N,d].
        """
        return pooled(features)

    def shortlist_recall(self, query_features, gallery_features, shortlist: int, *, top: int = 10) -> float:
        """Share of the ``top`` best gallery images by the exact scores that a shortlist holds.

        Args:
            query_features: Array [Q,h,w,d]; a sample of the queries is enough, for their exact scores are computed.
            gallery_features: Array [G,h,w,d].
            shortlist: Its length.
            top: How many of the best are looked for.

        Returns:
            Mean over the queries, in [0, 1].
        """
        top = min(check_positive_int("top", top), len(gallery_features))
        chosen, _ = shortlist_of(query_features, gallery_features, check_positive_int("shortlist", shortlist))
        best = np.argsort(-self.logits(query_features, gallery_features), axis=1, kind="stable")[:, :top]
        return float(np.mean([np.isin(row, listed).mean() for row, listed in zip(best, chosen, strict=True)]))

    def correspondences(self, query_maps, gallery_maps) -> Correspondences:
        """Says which location matched which, and how much each match adds to the logit.

        Args:
            query_maps: Array [Q,h,w,d] from `extract`; few.
            gallery_maps: Array [G,h,w,d] from `extract`; few.

        Returns:
            `keras_reid.layers.Correspondences` of numpy arrays [Q,G,h,w]. The scores of both sides add up to the logit
            but for a constant: the scale of the last normalisation is in them, its shift and the bias are not.
        """
        found = self.matcher.correspondences(np.asarray(query_maps, "float32"), np.asarray(gallery_maps, "float32"))
        bn = self.matcher.logit_bn
        scale = float(ops.convert_to_numpy(bn.scale_and_shift(bn.moving_mean, bn.moving_variance)[0])[0])
        probe_score, index_in_gallery, gallery_score, index_in_probe = map(ops.convert_to_numpy, found)
        return Correspondences(scale * probe_score, index_in_gallery, scale * gallery_score, index_in_probe)

    def _squeezed(self, logits) -> np.ndarray:
        """Sigmoid without overflow, float64."""
        return np.exp(-np.logaddexp(0.0, -np.asarray(logits, "float64") / self.temperature))
