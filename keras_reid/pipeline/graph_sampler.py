"""Batches of people whom the model confuses now, planned anew at the start of every epoch."""

from typing import Any

import numpy as np

from keras_reid.checks import check_positive_int
from keras_reid.datasets import ReIDTable
from keras_reid.pipeline.batch import identity_labels
from keras_reid.pipeline.build import inference
from keras_reid.pipeline.samplers import SAMPLERS

__all__ = ["GraphSampler"]


class GraphSampler:
    """Every identity once per epoch with the identities that the model finds most like it, K images each.

    `plan` draws one image per identity, scores all pairs of them by the model as it is, and joins every identity with
    its ``batch_size / K - 1`` nearest ones. The K images of an identity are the next ones of its own shuffled list, so
    that over time every image comes equally often. One batch per identity, in a seeded order; in a batch the anchor's
    images come last.

    It works with any model that has `extract` and `score`. Unlike other samplers it depends on the weights:
    ``ReIDModel.fit`` calls `plan` at the start of every epoch, and `keras_reid.training.Resume` keeps `state`. Before
    the first `plan` the neighbours are drawn at random.

    Args:
        batch_size: Images per batch, a multiple of ``images``.
        images: K, the number of images per identity.

    Raises:
        ValueError: An argument is not a positive integer, or a batch would hold fewer than two identities.

    Example:
        >>> import numpy as np
        >>> from keras_reid.pipeline import GraphSampler
        >>> labels = np.repeat(np.arange(4), 3)
        >>> sampler = GraphSampler(batch_size=4, images=2)
        >>> scores = np.array([[9, 8, 0, 0], [8, 9, 0, 0], [0, 0, 9, 8], [0, 0, 8, 9]])
        >>> plan = sampler.arrange(labels, scores, np.random.default_rng(0))
        >>> sorted(labels[batch][::2].tolist() for batch in plan)
        [[0, 1], [1, 0], [2, 3], [3, 2]]

    Reference:
        Liao and Shao, "Graph Sampling Based Deep Metric Learning for Generalizable Person Re-Identification", CVPR
        2022.
    """

    def __init__(self, batch_size: int = 64, images: int = 2) -> None:
        self.batch_size = check_positive_int("batch_size", batch_size)
        self.images = check_positive_int("images", images)
        if batch_size % images or batch_size < 2 * images:
            raise ValueError(
                "`batch_size` must be a multiple of `images`, at least twice as large. Received: "
                f"batch_size={batch_size}, images={images}."
            )
        self._epoch = -1
        self._plan = np.empty((0, batch_size), np.int64)
        self._order = np.empty(0, np.int64)  # rows by identity, each identity's in its own shuffled order
        self._taken = np.empty(0, np.int64)  # how many of each identity's were taken
        self._restored = False

    @property
    def identities(self) -> int:
        """Identities per batch."""
        return self.batch_size // self.images

    def batches(self, table: ReIDTable, seed: int, epoch: int) -> np.ndarray:
        """Returns the epoch's plan; random neighbours if there is none.

        Args:
            table: The training table.
            seed: The run's seed.
            epoch: The epoch's number.

        Returns:
            Row numbers, int64 `[identities of the table, batch_size]`.

        Raises:
            ValueError: The table has fewer identities than a batch.
        """
        labels, count = self._checked(table)
        if self._epoch == epoch and len(self._plan) == count:
            return self._plan
        rng = np.random.default_rng((seed, epoch))
        unplanned = GraphSampler(self.batch_size, self.images)
        return unplanned.arrange(labels, rng.random((count, count)), rng)

    def plan(self, model: Any, table: ReIDTable, seed: int, epoch: int) -> None:
        """Plans an epoch by the model's present weights; epoch 0 begins every identity's list anew.

        Args:
            model: A ``ReIDModel``, or anything with its `extract`, `score`, `image_size` and `interpolation`.
            table: The training table.
            seed: The run's seed.
            epoch: The epoch that begins.

        Raises:
            ValueError: The table has fewer identities than a batch, or the scores have another shape or a NaN.
        """
        restored, self._restored = self._restored, False
        if restored and self._epoch == epoch:
            return  # the epoch goes on in the middle
        labels, count = self._checked(table)
        rng = np.random.default_rng((seed, epoch))
        if epoch == 0:
            self._order = np.empty(0, np.int64)
        rows = np.array([rng.choice(np.flatnonzero(labels == label)) for label in range(count)])
        images = inference(table.take(rows), image_size=model.image_size, interpolation=model.interpolation)
        features = np.asarray(model.extract(images, verbose=0))
        self._plan = self.arrange(labels, np.asarray(model.score(features, features)), rng)
        self._epoch = epoch

    def arrange(self, labels: np.ndarray, scores: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Makes the batches from the scores among the identities; takes the images and moves the lists on.

        Args:
            labels: Identity of each row, 0..C-1, `[N]`.
            scores: `[C, C]`, higher is closer.
            rng: Where the order comes from.

        Returns:
            Row numbers, int64 `[C, batch_size]`.

        Raises:
            ValueError: The scores have another shape, or one is NaN.
        """
        count = int(labels.max()) + 1
        scores = np.array(scores, "float64")
        if scores.shape != (count, count) or np.isnan(scores).any():
            raise ValueError(
                f"The scores of {count} identities must be [{count}, {count}] numbers. Received: {scores.shape}"
                f"{', NaN among them' if np.isnan(scores).any() else ''}."
            )
        np.fill_diagonal(scores, -np.inf)
        nearest = np.argsort(-scores, axis=1, kind="stable")[:, : self.identities - 1]
        sizes = np.bincount(labels)
        if len(self._order) != len(labels):
            self._order = np.argsort(labels, kind="stable")
            self._taken = sizes.copy()  # every list is at its end, and so is shuffled before its first image is taken
        lists = np.split(self._order, np.cumsum(sizes)[:-1])  # views
        members = np.concatenate([nearest, np.arange(count)[:, None]], axis=1)
        plan = [
            [self._next(label, lists[label], rng) for label in batch for _ in range(self.images)] for batch in members
        ]
        return np.array(plan, np.int64)[rng.permutation(count)]

    def _next(self, label: int, rows: np.ndarray, rng: np.random.Generator) -> int:
        """The next row of an identity; at its end the list is shuffled and begins anew."""
        if self._taken[label] == len(rows):
            rows[:] = rng.permutation(rows)
            self._taken[label] = 0
        self._taken[label] += 1
        return int(rows[self._taken[label] - 1])

    def _checked(self, table: ReIDTable) -> tuple[np.ndarray, int]:
        labels, count = identity_labels(table)
        if count < self.identities:
            raise ValueError(
                f"A batch of {self.identities} identities x {self.images} images needs {self.identities} identities. "
                f"Received a table of {count}. Use GraphSampler(batch_size={count * self.images}, ...) or more data."
            )
        return labels, count

    def state(self) -> dict[str, np.ndarray]:
        """Returns the plan and where every identity's list stands, for `keras_reid.training.Resume`."""
        if self._epoch < 0:
            return {}
        return {"epoch": np.array(self._epoch), "plan": self._plan, "order": self._order, "taken": self._taken}

    def set_state(self, state: dict[str, np.ndarray]) -> None:
        """Goes on where `state` was taken: the epoch under way keeps its plan."""
        if not state:
            return
        self._epoch = int(state["epoch"])
        self._plan, self._order, self._taken = (np.array(state[name]) for name in ("plan", "order", "taken"))
        self._restored = True

    def __repr__(self) -> str:
        """The constructor's arguments."""
        return f"GraphSampler(batch_size={self.batch_size}, images={self.images})"


SAMPLERS["graph"] = GraphSampler
