"""Batches of two modalities: as many visible as thermal images of each identity."""

from dataclasses import dataclass

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.batch import identity_labels
from keras_reid.pipeline.samplers import SAMPLERS, draw_images, identity_pass

__all__ = ["CrossModalityPKSampler"]


@dataclass(frozen=True)
class CrossModalityPKSampler:
    """P identities with K visible and K thermal images each per batch.

    A batch is its visible half, then its thermal half; both show the same identities in the same order, the K images of
    an identity being neighbours. So a network finds each modality, and a loss each identity, by place. Identities come
    once per pass, in a seeded order, and their images from as many cameras as possible; an identity with fewer than K
    images of a modality repeats them, and one that lacks a modality is left out.

    An epoch has as many batches as the larger modality of the identities that are used has images for:
    `max(visible, thermal) / (P * K)`, rounded up.

    Args:
        identities: P, the number of identities per batch.
        images: K, the number of images per identity and modality.

    Raises:
        ValueError: An argument is not a positive integer.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.pipeline import CrossModalityPKSampler
        >>> table = ReIDTable.from_columns(
        ...     [f"/{n}.jpg" for n in range(8)], [5, 5, 5, 5, 8, 8, 8, 8], modality=[0, 0, 1, 1, 0, 0, 1, 1]
        ... )
        >>> plan = CrossModalityPKSampler(identities=2, images=1).batches(table, seed=0, epoch=0)
        >>> table.modality[plan]
        array([[0, 0, 1, 1],
               [0, 0, 1, 1]], dtype=int32)

    Reference:
        Ye et al., "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2022 (the authors' code has
        this batch, P = 8 and K = 4, and this length of an epoch). Identities by passes, instead of drawn anew for every
        batch, and spreading over cameras are our choice.
    """

    identities: int = 8
    images: int = 4

    def __post_init__(self) -> None:
        check_positive_int("identities", self.identities)
        check_positive_int("images", self.images)

    @property
    def batch_size(self) -> int:
        """Images per batch, 2 * P * K."""
        return 2 * self.identities * self.images

    def batches(self, table: ReIDTable, seed: int, epoch: int) -> np.ndarray:
        """Plans an epoch.

        Args:
            table: The training table.
            seed: The run's seed.
            epoch: The epoch's number.

        Returns:
            Row numbers, int64 `[steps, 2 * P * K]`.

        Raises:
            ValueError: Fewer than P identities have images of both modalities.
        """
        labels, count = identity_labels(table)
        rows_of = [
            [np.flatnonzero((labels == label) & (table.modality == m)) for m in (0, 1)] for label in range(count)
        ]
        usable = [rows for rows in rows_of if all(map(len, rows))]
        if len(usable) < self.identities:
            raise ValueError(
                f"A batch needs {self.identities} identities with visible and with thermal images. Received a table of "
                f"{count} identities, of which {len(usable)} have both. Ask for fewer, or give data of two modalities."
            )
        larger = max(sum(len(rows[m]) for rows in usable) for m in (0, 1))
        steps = -(-larger // (self.identities * self.images))
        rng = np.random.default_rng((seed, epoch))
        passes = -(-steps * self.identities // len(usable))
        order = np.concatenate([identity_pass(len(usable), self.identities, rng) for _ in range(passes)])
        order = order[: steps * self.identities].reshape(steps, self.identities)
        plan = [
            draw_images(usable[label][modality], table.camera_id, self.images, rng)
            for batch in order
            for modality in (0, 1)
            for label in batch
        ]
        return np.stack(plan).reshape(steps, self.batch_size)


SAMPLERS["cross_modality_pk"] = CrossModalityPKSampler
