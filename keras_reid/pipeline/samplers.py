"""Which rows form which batch: pure functions of (seed, epoch)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.batch import identity_labels

__all__ = ["SAMPLERS", "PKSampler", "Sampler", "UniformSampler"]


@runtime_checkable
class Sampler(Protocol):
    """Anything that plans the batches of an epoch."""

    def batches(self, table: ReIDTable, seed: int, epoch: int) -> np.ndarray:
        """Returns the row numbers of every batch of an epoch, int64 `[steps, B]`."""
        ...


@dataclass(frozen=True)
class UniformSampler:
    """Every image at most once per epoch, in a seeded order; the incomplete last batch is dropped.

    Args:
        batch_size: Images per batch.

    Raises:
        ValueError: `batch_size` is not a positive integer.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.pipeline import UniformSampler
        >>> table = ReIDTable.from_columns([f"/{n}.jpg" for n in range(5)], [0, 0, 1, 1, 2])
        >>> UniformSampler(2).batches(table, seed=0, epoch=0).shape
        (2, 2)
    """

    batch_size: int = 64

    def __post_init__(self) -> None:
        check_positive_int("batch_size", self.batch_size)

    def batches(self, table: ReIDTable, seed: int, epoch: int) -> np.ndarray:
        """Plans an epoch.

        Args:
            table: N rows.
            seed: The run's seed.
            epoch: The epoch's number.

        Returns:
            Row numbers, int64 `[N // B, B]`.

        Raises:
            ValueError: The table has fewer rows than a batch.
        """
        steps = len(table) // self.batch_size
        if steps == 0:
            raise ValueError(
                f"A batch needs {self.batch_size} images. Received a table of {len(table)}. Use a smaller batch_size."
            )
        order = np.random.default_rng((seed, epoch)).permutation(len(table))
        return order[: steps * self.batch_size].reshape(steps, self.batch_size)


@dataclass(frozen=True)
class PKSampler:
    """P identities with K images each per batch, for losses that need positives in the batch.

    Every identity comes once per pass, in a seeded order; where P does not divide their number,
    the last batch is filled up with identities of earlier batches. Of an identity's images, K are
    drawn without replacement, from as many cameras as possible; an identity with fewer than K
    images repeats them. The images of one identity are neighbours in the batch.

    Args:
        identities: P, the number of identities per batch.
        images: K, the number of images per identity.
        passes: How often each identity comes in an epoch. With one pass an epoch of Market-1501 has 47
            batches; papers whose epoch is about as many images as the data set has (Luo et al., 2019:
            about 200 batches) need four.

    Raises:
        ValueError: An argument is not a positive integer.

    Example:
        >>> from keras_reid.datasets import ReIDTable
        >>> from keras_reid.pipeline import PKSampler
        >>> table = ReIDTable.from_columns([f"/{n}.jpg" for n in range(6)], [5, 5, 5, 8, 8, 9])
        >>> plan = PKSampler(identities=2, images=2).batches(table, seed=0, epoch=0)
        >>> plan.shape
        (2, 4)

    Reference:
        Hermans, Beyer, Leibe: In Defense of the Triplet Loss for Person Re-Identification,
        arXiv:1703.07737, 2017. Filling the last batch and spreading over cameras are our choice.
    """

    identities: int = 16
    images: int = 4
    passes: int = 1

    def __post_init__(self) -> None:
        check_positive_int("identities", self.identities)
        check_positive_int("images", self.images)
        check_positive_int("passes", self.passes)

    @property
    def batch_size(self) -> int:
        """Images per batch, P * K."""
        return self.identities * self.images

    def batches(self, table: ReIDTable, seed: int, epoch: int) -> np.ndarray:
        """Plans an epoch.

        Args:
            table: The training table.
            seed: The run's seed.
            epoch: The epoch's number.

        Returns:
            Row numbers, int64 `[passes * ceil(identities of the table / P), P * K]`.

        Raises:
            ValueError: The table has fewer than P identities.
        """
        labels, count = identity_labels(table)
        if count < self.identities:
            raise ValueError(
                f"A batch of {self.identities} identities x {self.images} images needs "
                f"{self.identities} identities. Received a table of {count}. "
                f"Use PKSampler(identities={count}, ...) (keras-reid train --identities {count}) or more data."
            )
        rng = np.random.default_rng((seed, epoch))
        rows_of = np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1])
        order = np.concatenate([identity_pass(count, self.identities, rng) for _ in range(self.passes)])
        chosen = [draw_images(rows_of[label], table.camera_id, self.images, rng) for label in order]
        return np.stack(chosen).reshape(-1, self.batch_size)


def identity_pass(count: int, identities: int, rng: np.random.Generator) -> np.ndarray:
    """Every identity once in a random order, filled up to whole batches of distinct identities.

    Args:
        count: Number of identities.
        identities: P, how many of them a batch holds, at most `count`.
        rng: Source of the order.

    Returns:
        Identity numbers `[ceil(count / P) * P]`.
    """
    order = rng.permutation(count)
    if missing := -count % identities:
        # Not from the last batch's own identities: a batch holds P distinct ones.
        earlier = order[: missing - identities]
        order = np.concatenate([order, rng.choice(earlier, missing, replace=False)])
    return order


def draw_images(rows: np.ndarray, cameras: np.ndarray, images: int, rng: np.random.Generator) -> np.ndarray:
    """Draws K of an identity's rows: one of each camera, then a second of each, and so on.

    Args:
        rows: Row numbers of the identity's images.
        cameras: Cameras of the whole table, `[N]`.
        images: K; where there are fewer, they are repeated.
        rng: Source of the choice.

    Returns:
        Row numbers `[K]`.
    """
    rows = rng.permutation(rows)
    by_camera = np.argsort(cameras[rows], kind="stable")
    sorted_cameras = cameras[rows][by_camera]
    rank = np.empty(len(rows), np.int64)  # how many earlier rows share the camera
    rank[by_camera] = np.arange(len(rows)) - np.searchsorted(sorted_cameras, sorted_cameras)
    spread = rows[np.argsort(rank, kind="stable")]
    return np.resize(spread, images)


SAMPLERS: dict[str, Callable[..., Sampler]] = {"uniform": UniformSampler, "pk": PKSampler}
"""Samplers by the name that recipes use."""
